"""A version's sound against the master's, by how loud each moment is.

Both are heard mono at ``RATE_HZ`` and told as one level for each ``HOP_S``. The offset between
them is where their onsets (the rises of level) correlate best. A quiet master is published louder
(``model/loudness.py``), so it is first brought to the level of the version: what is heard of it is
judged as viewers would get it. ITU-R BT.1359 has viewers notice
sound that is 45 ms early or 125 ms late; what a pipeline adds must stay far under that.
"""

import itertools
import math

import numpy as np
from numpy.typing import NDArray

from cuemark.contexts.encoding.model import loudness
from cuemark.contexts.encoding.model.loudness import Loudness
from cuemark.contexts.encoding.model.validation.findings import (
    Finding,
    Span,
    error,
    told,
    warning,
)
from cuemark.contracts.encoding.validation import Check

CHECKS: tuple[Check, ...] = ("av_offset", "mute", "loudness", "clipping")

RATE_HZ, HOP_S = 8000, 0.005
FLOOR_DB = -95.0
"""Under what samples of 16 bits tell: silence."""
OFFSET_S = 0.02
WINDOW_S, SEARCH_S, MOST_WINDOWS = 12.0, 1.0, 40
ONSETS_DB, SURE, SURER = 30.0, 0.6, 0.15
"""A window tells an offset where it rises by so much in all, and its onsets correlate by ``SURE``
and by ``SURER`` more than without an offset."""
SILENT_DB, HEARD_DB, FALL_DB, MUTE_S = -60.0, -50.0, 25.0, 0.2
OWN_SILENCE_S = 5.0
OFF_TARGET_LU, CLIPPED_DBTP = 2.0, 0.0

Levels = NDArray[np.float32]
"""Decibels under full scale, one for each ``HOP_S``."""


def levels(samples: NDArray[np.int16]) -> Levels:
    """The level of each whole hop of mono samples at ``RATE_HZ``."""
    hop = round(RATE_HZ * HOP_S)
    whole = len(samples) // hop
    parts = samples[: whole * hop].reshape(whole, hop).astype(np.float32) / 32768
    power = np.maximum((parts**2).mean(axis=1), 10 ** (FLOOR_DB / 10))
    found: Levels = (10 * np.log10(power)).astype(np.float32)
    return found


def findings(name: str, version: Levels, master: Levels) -> list[Finding]:
    """Where the version's sound is not in time with the master's, or is not there."""
    found = []
    alike = brought(master, version)
    offset = offset_s(version, alike)
    if offset is not None and abs(offset) > OFFSET_S:
        way = "late" if offset > 0 else "early"
        found.append(
            error("av_offset", f"the sound of {name} is {abs(1000 * offset):.0f} ms {way}")
        )
    hops = round((offset or 0.0) / HOP_S)
    aligned = version[hops:] if hops > 0 else np.concatenate([_silence(-hops), version])
    return found + _mutes(name, aligned, alike)


def brought(master: Levels, version: Levels) -> Levels:
    """The master's levels at the gain that the version has, by the power of the whole of each.

    That needs the two neither in time nor equally silent. No sound is published further under the
    target than it came, nor raised by more than ``loudness`` allows: a version that is silent
    throughout is not taken for a quiet one.
    """
    power = _power_db(master)
    least = min(0.0, loudness.TARGET_LUFS - power) - loudness.MOST_HELD_DB
    most = loudness.MOST_GAIN_DB + loudness.MOST_HELD_DB
    gain = np.clip(_power_db(version) - power, least, most)
    found: Levels = np.where(master > FLOOR_DB, master + gain, FLOOR_DB).astype(np.float32)
    return found


def _power_db(level: Levels) -> float:
    if not len(level):
        return FLOOR_DB
    return float(10 * np.log10((10 ** (level.astype(np.float64) / 10)).mean()))


def own_findings(name: str, master: Levels) -> list[Finding]:
    """What is odd in a sound of the master itself."""
    if silent := _long(master <= SILENT_DB, OWN_SILENCE_S):
        return [warning("mute", f"the sound of {name} is silent {told(silent)} in the master")]
    return []


def _silence(hops: int) -> Levels:
    return np.full(hops, FLOOR_DB, np.float32)


def offset_s(version: Levels, master: Levels) -> float | None:
    """How much later the version is heard than the master; None where no window can tell.

    The median of the windows that are sure, which lie evenly over the film.
    """
    size, reach = round(WINDOW_S / HOP_S), round(SEARCH_S / HOP_S)
    length = min(len(version), len(master))
    size = min(size, length)
    if size <= 2 * reach:
        reach = size // 4
    count = max(1, min(MOST_WINDOWS, length // max(1, size)))
    places = [round(n * (length - size) / max(1, count - 1)) for n in range(count)]
    lags = [
        lag
        for at in places
        if (lag := _lag(version[at : at + size], master[at : at + size], reach)) is not None
    ]
    return float(np.median(lags)) * HOP_S if lags else None


def _lag(version: Levels, master: Levels, reach: int) -> int | None:
    """By how many hops the onsets of ``version`` come after those of ``master``."""
    ours, theirs = _onsets(version), _onsets(master)
    if reach < 1 or min(ours.sum(), theirs.sum()) < ONSETS_DB:
        return None
    size = 1 << math.ceil(math.log2(2 * len(ours)))
    product = np.fft.rfft(ours, size) * np.conj(np.fft.rfft(theirs, size))
    whole = np.fft.irfft(product, size)
    norm = float(np.sqrt((ours**2).sum() * (theirs**2).sum()))
    around = np.concatenate([whole[-reach:], whole[: reach + 1]]) / norm
    best = int(around.argmax())
    lag = best - reach
    if around[best] < SURE:
        return None
    if lag and around[best] < around[reach] + SURER:
        return 0
    return lag


def _onsets(level: Levels) -> NDArray[np.float64]:
    """The rises of level, smoothed over three hops, of what is heard at all."""
    smooth = np.convolve(np.maximum(level, SILENT_DB), np.ones(3) / 3, mode="same")
    rises = np.maximum(np.diff(smooth, prepend=smooth[:1]), 0.0)
    found: NDArray[np.float64] = rises.astype(np.float64)
    return found


def _mutes(name: str, version: Levels, master: Levels) -> list[Finding]:
    """Where nothing is heard of what the master has, at the version's own gain."""
    length = min(len(version), len(master))
    ours, theirs = version[:length], master[:length]
    both = (ours > HEARD_DB) & (theirs > HEARD_DB)
    gain = float(np.median(ours[both] - theirs[both])) if both.any() else 0.0
    should = theirs + gain
    lost = (ours < SILENT_DB) & (should > HEARD_DB) & (ours < should - FALL_DB)
    spans = _long(_closed(lost, should > HEARD_DB), MUTE_S)
    if not spans:
        return []
    return [error("mute", f"{name} is silent {told(spans)}, where the master is not")]


def _closed(mask: NDArray[np.bool_], counted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """``mask`` with the gaps between its stretches filled in which nothing is to be heard."""
    closed = mask.copy()
    places = np.flatnonzero(mask)
    for before, after in itertools.pairwise(places):
        if 1 < after - before <= 20 and not counted[before + 1 : after].any():
            closed[before:after] = True
    return closed


def _long(mask: NDArray[np.bool_], least_s: float) -> list[Span]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [
        (first * HOP_S, end * HOP_S)
        for first, end in edges.reshape(-1, 2).tolist()
        if (end - first) * HOP_S >= least_s
    ]


def loudness_findings(name: str, heard: Loudness) -> list[Finding]:
    """How loud the version is, and whether it clips."""
    found = []
    off_lu = heard.lufs - loudness.TARGET_LUFS
    if not heard.is_silent and abs(off_lu) > OFF_TARGET_LU:
        found.append(
            warning(
                "loudness",
                f"{name} measures {heard.lufs:.1f} LUFS and should be at "
                f"{loudness.TARGET_LUFS:g} (EBU R 128)",
            )
        )
    if heard.peak_dbtp > CLIPPED_DBTP:
        found.append(
            error("clipping", f"{name} clips: its true peak is {heard.peak_dbtp:+.1f} dBTP")
        )
    return found
