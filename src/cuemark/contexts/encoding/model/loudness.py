"""Loudness: EBU R 128 (2023). A sound is measured, then moved by one gain, and its peaks are held.

The target is the -23 LUFS of R 128, with true peaks at -1 dBTP, not the -16 or so that music
services use: a film keeps its dynamics, and every title of the catalog sits at one level. What is
measured is the mix that is heard (ITU-R BS.1770-5), so that what a downmix adds up is counted.
"""

import math
import re

import msgspec

TARGET_LUFS = -23.0
TRUE_PEAK_DBTP = -1.0
HEADROOM_DB = 1.0
"""What the codecs may add to a peak: so far under ``TRUE_PEAK_DBTP`` peaks are held before them."""
MOST_HELD_DB = 6.0
"""A sound whose peaks would have to give way by more stays under the target instead: it would
lose what makes it loud."""
MOST_GAIN_DB = 30.0
"""What is quieter than this allows for is the noise of a track without sound."""
SILENCE_LUFS = -69.0
NOTHING_DB = -200.0
"""Stands for the logarithm of nothing, which JSON cannot write."""
SAMPLE_RATE_HZ = 48_000
_OVERSAMPLED_HZ = 4 * SAMPLE_RATE_HZ
"""BS.1770-5 annex 2: the peaks between samples are seen at four times the rate."""
_NUMBER = r"(-?[\d.]+|-?inf|nan)"


class Loudness(msgspec.Struct, frozen=True, kw_only=True):
    """Integrated loudness in LUFS and true peak in dBTP (EBU Tech 3341)."""

    lufs: float
    peak_dbtp: float

    @property
    def is_silent(self) -> bool:
        """Whether there is nothing to be measured."""
        return self.lufs <= SILENCE_LUFS or self.peak_dbtp <= NOTHING_DB


class NotMeasured(ValueError):
    """The filter printed no measurement."""


def measuring() -> str:
    """The filter that measures; ``parse`` reads what it prints at its end."""
    return "ebur128=peak=true:framelog=quiet"


def parse(stderr: str) -> Loudness:
    """What the filter ``ebur128`` printed; raises ``NotMeasured``.

    Silence has a loudness of at most -70, and a peak of ``NOTHING_DB``.
    """
    summary = stderr.rpartition("Summary:")[2]
    lufs = re.search(rf"\bI:\s*{_NUMBER} LUFS", summary)
    peak = re.search(rf"Peak:\s*{_NUMBER} dBFS", summary)
    if lufs is None or peak is None:
        raise NotMeasured("ebur128 printed no measurement")
    try:
        found = [float(each[1]) for each in (lufs, peak)]
    except ValueError as error:
        raise NotMeasured("ebur128 printed a measurement that cannot be read") from error
    heard_lufs, peak_dbtp = (each if math.isfinite(each) else NOTHING_DB for each in found)
    return Loudness(lufs=heard_lufs, peak_dbtp=peak_dbtp)


def gain_db(measured: Loudness, ceiling_dbtp: float) -> float:
    """By how much a sound is moved to its target; its peaks then lie at most ``MOST_HELD_DB``
    over the ceiling."""
    if measured.is_silent:
        return 0.0
    gain = min(TARGET_LUFS - measured.lufs, MOST_GAIN_DB)
    return min(gain, ceiling_dbtp + MOST_HELD_DB - measured.peak_dbtp)


def normalizing(measured: Loudness, ceiling_dbtp: float = TRUE_PEAK_DBTP - HEADROOM_DB) -> str:
    """The filters that normalize: one gain, the same for every channel, and where a peak would lie
    over the ceiling a limiter that moves all channels alike.

    Silence is left as it is.
    """
    if measured.is_silent:
        return "anull"
    gain = gain_db(measured, ceiling_dbtp)
    volume = f"volume={gain:.2f}dB"
    if measured.peak_dbtp + gain <= ceiling_dbtp:
        return volume
    limit = 10 ** (ceiling_dbtp / 20)
    return (
        f"{volume},aresample={_OVERSAMPLED_HZ},"
        f"alimiter=limit={limit:.6f}:attack=5:release=50:level=0:latency=1,"
        f"aresample={SAMPLE_RATE_HZ}"
    )
