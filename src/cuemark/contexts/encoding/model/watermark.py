"""A mark in the picture that a viewer does not see and that outlives being encoded again.

Each film has two variants. A is the picture with a coarse pattern of a few code values added to
its luma, B the picture with the same taken away: antipodal spread spectrum (I. J. Cox, J. Kilian,
F. T. Leighton and T. Shamoon, "Secure spread spectrum watermarking for multimedia", IEEE Trans.
Image Processing 6, 1997). The pattern is a chequer of random cells that only the key tells. They
are coarse because what a cell holds survives scaling and quantization, and because fine detail is
what an encoder's bits, and VMAF, are spent on.

A copy is compared with the master that it came from (not blind), so that the film itself is no
noise: what is left of a frame when the master's is taken away is correlated with the pattern.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Literal

import msgspec
import numpy as np

from cuemark.contexts.encoding.model.color import STANDARD_DEPTH, Look
from cuemark.contracts.encoding.versions import DynamicRange

Variant = Literal["a", "b"]
VARIANTS: tuple[Variant, Variant] = ("a", "b")
SIGNS: Mapping[Variant, int] = {"a": 1, "b": -1}
KEY_BYTES = 16

COLUMNS, ROWS = 16, 9
AMPLITUDE: Mapping[DynamicRange, float] = {"sdr": 1, "hlg": 1, "pq": 0.75}
"""Code values of 8 bits. A code of PQ changes bright light more than one of the others does (ITU-R
BT.2100 tables 4 and 5, against BT.1886). Of less, encoders leave nothing."""

LOOK_WIDTH, LOOK_HEIGHT = 160, 90
"""The size at which copies are compared with masters."""

MOST_RESIDUAL = 6.0
"""Code values: more than this is no mark but something else, an edge that was moved, a caption."""

_FITS = 3


class Mark(msgspec.Struct, frozen=True):
    """The variant that an encode is to be. ``key_id`` tells keys apart, and not what they are."""

    variant: Variant
    key_id: str


def key_id(key: bytes) -> str:
    return hashlib.sha256(b"cuemark/mark/" + key).hexdigest()[:32]


def cells(key: bytes) -> np.ndarray:
    """The pattern's cells, ``ROWS`` by ``COLUMNS`` of 1 and -1, as many of each."""
    count = ROWS * COLUMNS
    draws = b"".join(
        hmac.new(key, b"cells/%d" % block, hashlib.sha256).digest()
        for block in range(-(-count * 8 // 32))
    )
    order = np.argsort(np.frombuffer(draws, ">u8")[:count], kind="stable")
    flat = np.where(order < count // 2, 1, -1)
    return flat.reshape(ROWS, COLUMNS)


def pattern(key: bytes, width: int, height: int) -> np.ndarray:
    """The cells over a picture of this size: ``height`` by ``width`` of 1 and -1."""
    down = np.arange(height) * ROWS // height
    across = np.arange(width) * COLUMNS // width
    return cells(key)[down][:, across]


def plane(key: bytes, width: int, height: int, variant: Variant, look: Look) -> bytes:
    """The pattern as a picture to merge grains with: mid-gray 4:2:0, raised or lowered by it.

    8 bits a sample, or two bytes in little endian for more.
    """
    depth = look.bit_depth
    kind = np.dtype(np.uint8 if depth == STANDARD_DEPTH else "<u2")
    middle = 1 << (depth - 1)
    step = round(AMPLITUDE[look.dynamic_range] * (1 << (depth - STANDARD_DEPTH)))
    luma = middle + SIGNS[variant] * step * pattern(key, width, height)
    chroma = np.full(2 * ((width + 1) // 2) * ((height + 1) // 2), middle)
    return luma.astype(kind).tobytes() + chroma.astype(kind).tobytes()


def evidence(copy: np.ndarray, master: np.ndarray, key: bytes) -> np.ndarray:
    """How much each frame of a copy is like A (above 0) or B (below), in code values.

    ``copy`` and ``master`` are luma, frames by ``LOOK_HEIGHT`` by ``LOOK_WIDTH``, of the same
    frames. A copy that is brighter or flatter than the master is first brought to it.
    """
    shown, meant = copy.astype(np.float64), master.astype(np.float64)
    trusted = np.ones(shown.shape)
    for _ in range(_FITS):
        residual = shown - _fitted(shown, meant, trusted)
        usual = np.median(np.abs(residual), axis=(1, 2), keepdims=True)
        trusted = (np.abs(residual) <= np.maximum(MOST_RESIDUAL, 4 * usual)).astype(np.float64)
    residual = np.clip(residual, -MOST_RESIDUAL, MOST_RESIDUAL) * trusted
    looked_for = pattern(key, LOOK_WIDTH, LOOK_HEIGHT).astype(np.float64)
    looked_for -= looked_for.mean()
    found = (residual * looked_for).mean(axis=(1, 2)) / (looked_for**2).mean()
    return np.asarray(found)


def _fitted(shown: np.ndarray, meant: np.ndarray, trusted: np.ndarray) -> np.ndarray:
    """``meant`` with the gain and the brightness of ``shown``, by the pixels that are trusted."""
    pixels = np.maximum(trusted.sum(axis=(1, 2), keepdims=True), 1)
    level = (shown * trusted).sum(axis=(1, 2), keepdims=True) / pixels
    middle = (meant * trusted).sum(axis=(1, 2), keepdims=True) / pixels
    around = (meant - middle) * trusted
    power = np.maximum((around**2).sum(axis=(1, 2), keepdims=True), 1e-9)
    gain = ((shown - level) * around).sum(axis=(1, 2), keepdims=True) / power
    return np.asarray(level + gain * (meant - middle))
