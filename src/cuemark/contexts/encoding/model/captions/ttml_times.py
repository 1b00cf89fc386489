"""Time expressions of TTML (W3C TTML2, 2021, section 12.3.1) in microseconds."""

import re
from collections.abc import Callable
from fractions import Fraction

import msgspec

from cuemark.contexts.encoding.model.captions.cues import CaptionsInvalid

_CLOCK = re.compile(
    r"^([0-9]{1,4}):([0-9]{1,2}):([0-9]{1,2})"
    r"(?:\.([0-9]{1,9})|[:;]([0-9]{1,3})(?:\.([0-9]{1,3}))?)?$"
)
_OFFSET = re.compile(r"^([0-9]{1,12})(?:\.([0-9]{1,9}))?(h|m|s|ms|f|t)$")
_NATURAL = re.compile(r"^[0-9]{1,9}$")
_MICROSECONDS = 1_000_000
_SECONDS_OF = {"h": 3600, "m": 60, "s": 1}
_DROPPED_A_MINUTE = {"dropNTSC": 2, "dropPAL": 4}


class Clock(msgspec.Struct, frozen=True, kw_only=True):
    """What the root of a document says of its times.

    ``frames`` are counted in a second of a clock time; ``rate`` of them pass in a second of the
    film. ``drop`` are the numbers that a drop-frame time code leaves out at most minutes.
    """

    frames: int
    rate: Fraction
    sub_frames: int
    ticks: int
    smpte: bool
    drop: int

    def us(self, text: str) -> int | None:
        """A time expression, or None where it is none."""
        text = text.strip()
        if match := _CLOCK.match(text):
            return self._clock_us(match)
        if match := _OFFSET.match(text):
            count = Fraction(f"{match[1]}.{match[2] or 0}")
            return round(count * self._unit_us(match[3]))
        return None

    def _clock_us(self, match: re.Match[str]) -> int:
        hours, minutes, seconds = int(match[1]), int(match[2]), int(match[3])
        whole = (hours * 60 + minutes) * 60 + seconds
        frames = Fraction(int(match[5] or 0)) + Fraction(int(match[6] or 0), self.sub_frames)
        if self.smpte:
            frames += whole * self.frames - self._left_out(hours * 60 + minutes)
            return round(frames / self.rate * _MICROSECONDS)
        fraction = Fraction(f"0.{match[4] or 0}")
        return round((whole + fraction + frames / self.rate) * _MICROSECONDS)

    def _left_out(self, minutes: int) -> int:
        """The frame numbers that drop-frame counting skipped: each minute but the tenth."""
        if self.drop == _DROPPED_A_MINUTE["dropPAL"]:
            # M/PAL leaves out four numbers in every second minute, but the twentieth.
            return self.drop * (minutes // 2 - minutes // 20)
        return self.drop * (minutes - minutes // 10)

    def _unit_us(self, unit: str) -> Fraction:
        if unit == "f":
            return _MICROSECONDS / self.rate
        if unit == "t":
            return Fraction(_MICROSECONDS, self.ticks)
        return (
            Fraction(_MICROSECONDS, 1000)
            if unit == "ms"
            else Fraction(_MICROSECONDS * _SECONDS_OF[unit])
        )


def clock_of(parameter: Callable[[str], str | None]) -> Clock:
    """The clock of a document from its ``ttp:`` parameters. Raises ``CaptionsInvalid``."""
    base = parameter("timeBase") or "media"
    if base not in ("media", "smpte"):
        raise CaptionsInvalid(f"its times count by the {base[:20]} time base, not from the start")
    stated = parameter("frameRate")
    frames = _positive("frameRate", stated or "30")
    sub_frames = _positive("subFrameRate", parameter("subFrameRate") or "1")
    multiplier = re.split(r"[\s:]+", (parameter("frameRateMultiplier") or "1 1").strip())
    if len(multiplier) == 1:
        multiplier.append("1")
    above, below = (_positive("frameRateMultiplier", part) for part in multiplier[:2])
    ticks = parameter("tickRate")
    drop = _DROPPED_A_MINUTE.get(parameter("dropMode") or "", 0)
    return Clock(
        frames=frames,
        rate=Fraction(frames * above, below),
        sub_frames=sub_frames,
        ticks=_positive("tickRate", ticks) if ticks else frames * sub_frames if stated else 1,
        smpte=base == "smpte",
        drop=drop if base == "smpte" else 0,
    )


def _positive(name: str, text: str) -> int:
    text = text.strip()
    if not _NATURAL.match(text) or int(text) == 0:
        raise CaptionsInvalid(f"its {name} is {text[:20]!r}, which is no rate")
    return int(text)
