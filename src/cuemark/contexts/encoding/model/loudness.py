"""Loudness: EBU R 128 (2023), two passes of ffmpeg's loudnorm.

The target is the -23 LUFS of R 128, with true peaks at -1 dBTP, not the -16 or so that music
services use: a film keeps its dynamics, and every title of the catalog sits at one level.
"""

import math

import msgspec

from cuemark.kit.errors import UNREADABLE

TARGET_LUFS = -23.0
TRUE_PEAK_DBTP = -1.0
RANGE_LU = 20.0
SILENCE_LUFS = -69.0
SAMPLE_RATE_HZ = 48_000
CHANNELS = 2
BITRATE_KBPS = 128


class Loudness(msgspec.Struct, frozen=True):
    """What the first pass measured; the names are those that loudnorm prints."""

    input_i: float
    input_tp: float
    input_lra: float
    input_thresh: float
    target_offset: float


class NotMeasured(ValueError):
    """The first pass printed no measurement."""


def parse(stderr: str) -> Loudness:
    """The measurement in the last JSON object of loudnorm's output."""
    start, end = stderr.rfind("{"), stderr.rfind("}")
    if start < 0 or end < start:
        raise NotMeasured("loudnorm printed no measurement")
    try:
        raw = msgspec.json.decode(stderr[start : end + 1], type=dict[str, str])
        return Loudness(**{name: float(raw[name]) for name in Loudness.__struct_fields__})
    except (*UNREADABLE, KeyError, ValueError) as error:
        raise NotMeasured("loudnorm printed a measurement that cannot be read") from error


def first_pass() -> str:
    """The filter that measures."""
    return f"loudnorm={_targets()}:print_format=json"


def second_pass(measured: Loudness) -> str:
    """The filter that normalizes: a constant gain wherever the peaks allow it.

    Silence has no loudness, and is left as it is.
    """
    if not math.isfinite(measured.input_i) or measured.input_i < SILENCE_LUFS:
        return "anull"
    return (
        f"loudnorm={_targets()}:measured_I={measured.input_i}:measured_TP={measured.input_tp}"
        f":measured_LRA={measured.input_lra}:measured_thresh={measured.input_thresh}"
        f":offset={measured.target_offset}:linear=true"
    )


def _targets() -> str:
    return f"I={TARGET_LUFS}:TP={TRUE_PEAK_DBTP}:LRA={RANGE_LU}"
