"""SubRip and WebVTT in, clean WebVTT out (W3C WebVTT, 2019, sections 4 and 6)."""

import re
from collections.abc import Sequence

from cuemark.contexts.encoding.model.captions.cues import (
    MAX_CUE_CHARS,
    MAX_END_MS,
    Captions,
    CaptionsInvalid,
    Cue,
    clean,
    in_order,
)

_TIME = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_TIMING = re.compile(rf"^\s*{_TIME}\s*-->\s*{_TIME}(?:\s+(.*))?$")
_SETTING = re.compile(r"^(?:align|line|position|size|vertical|region):[A-Za-z0-9%.,-]+$")


def parse(text: str) -> Captions:
    """The captions of a SubRip or WebVTT text.

    A block without a timing line (a header, a note, a style) is left out. So is a cue that ends
    before it begins, or after a thousand hours, and it is counted. Raises ``CaptionsInvalid``
    where no cue is left, or one is longer than any screen.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "\ufffd")
    timed = [found for block in _blocks(text) if (found := _timed(block))]
    cues = [cue for match, lines in timed if (cue := _cue(match, lines))]
    return in_order(cues, len(timed) - len(cues))


def _blocks(text: str) -> list[str]:
    return re.split(r"\n[ \t]*\n+", text.strip("\n"))


def _timed(block: str) -> tuple[re.Match[str], list[str]] | None:
    lines = block.split("\n")
    for number, line in enumerate(lines[:2]):
        if match := _TIMING.match(line):
            return match, lines[number + 1 :]
    return None


def _cue(match: re.Match[str], lines: Sequence[str]) -> Cue | None:
    start_ms, end_ms = _ms(match.groups()[:4]), _ms(match.groups()[4:8])
    if sum(map(len, lines)) + len(lines) > MAX_CUE_CHARS:
        raise CaptionsInvalid(f"one of its captions has more than {MAX_CUE_CHARS} characters")
    said = [cleaned for line in lines if (cleaned := clean(line))]
    if not start_ms < end_ms < MAX_END_MS or not said:
        return None
    settings = [word for word in (match.group(9) or "").split() if _SETTING.match(word)]
    return Cue(start_ms, end_ms, " ".join(settings), said)


def _ms(parts: tuple[str | None, ...]) -> int:
    hours, minutes, seconds, fraction = parts
    whole = int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    return whole * 1000 + int((fraction or "0").ljust(3, "0"))


def webvtt(cues: Sequence[Cue]) -> str:
    """The cues as a WebVTT file."""
    blocks = [
        f"{stamp(cue.start_ms)} --> {stamp(cue.end_ms)}"
        + (f" {cue.settings}" if cue.settings else "")
        + "\n"
        + "\n".join(cue.lines)
        for cue in cues
    ]
    return "\n\n".join(["WEBVTT", *blocks]) + "\n"


def stamp(ms: int) -> str:
    """A time as WebVTT and TTML both write it: ``00:00:01.000``."""
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}.{ms:03d}"
