"""Captions: SubRip or WebVTT in, clean WebVTT out (W3C WebVTT, 2019, sections 4 and 6)."""

import re

import msgspec

MAX_BYTES = 8 << 20
MAX_CUES = 100_000
MAX_END_MS = 1000 * 3600 * 1000
_TIME = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_TIMING = re.compile(rf"^\s*{_TIME}\s*-->\s*{_TIME}(?:\s+(.*))?$")
_SETTING = re.compile(r"^(?:align|line|position|size|vertical|region):[A-Za-z0-9%.,-]+$")
_SRT_STYLE = re.compile(r"</?font[^<>]*>|\{\\[^{}]*\}", re.IGNORECASE)
_SRT_STYLE_LEFT = re.compile(r"\{\\+")
_TAG = re.compile(r"</?(?:b|i|u|v|c|lang|ruby|rt)(?:[.\s][^<>]*)?>", re.IGNORECASE)


class CaptionsInvalid(ValueError):
    """The file is neither SubRip nor WebVTT; the text says where it breaks."""


class Cue(msgspec.Struct, frozen=True):
    """One caption, from ``start_ms`` to ``end_ms`` of the film."""

    start_ms: int
    end_ms: int
    settings: str
    lines: list[str]


def decode(data: bytes) -> str:
    """The text of a caption file: UTF-8 or UTF-16 by its mark, else Windows-1252."""
    if len(data) > MAX_BYTES:
        raise CaptionsInvalid(f"the file has more than {MAX_BYTES} bytes")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16")
        except UnicodeDecodeError as error:
            raise CaptionsInvalid("the file is marked as UTF-16 and is not") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def parse(text: str) -> list[Cue]:
    """The cues of a SubRip or WebVTT text, in order of time.

    A block without a timing line (a header, a note, a style) is left out, and so is a cue
    that ends before it begins, or after a thousand hours. Raises ``CaptionsInvalid`` where
    no cue is left.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "�")
    cues = [cue for block in re.split(r"\n[ \t]*\n+", text.strip("\n")) if (cue := _cue(block))]
    if not cues:
        raise CaptionsInvalid("no caption with a time such as 00:00:01.000 --> 00:00:02.000")
    if len(cues) > MAX_CUES:
        raise CaptionsInvalid(f"more than {MAX_CUES} captions")
    return sorted(cues, key=lambda cue: (cue.start_ms, cue.end_ms))


def _cue(block: str) -> Cue | None:
    lines = block.split("\n")
    timings = [_TIMING.match(line) for line in lines[:2]]
    number, match = next(((n, m) for n, m in enumerate(timings) if m), (0, None))
    if match is None:
        return None
    start_ms, end_ms = _ms(match.groups()[:4]), _ms(match.groups()[4:8])
    said = [_clean(line) for line in lines[number + 1 :]]
    said = [line for line in said if line]
    if not start_ms < end_ms < MAX_END_MS or not said:
        return None
    settings = [word for word in (match.group(9) or "").split() if _SETTING.match(word)]
    return Cue(start_ms, end_ms, " ".join(settings), said)


def _ms(parts: tuple[str | None, ...]) -> int:
    hours, minutes, seconds, fraction = parts
    whole = int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    return whole * 1000 + int((fraction or "0").ljust(3, "0"))


def _clean(line: str) -> str:
    """One line of cue text: known tags kept, every other ``<``, ``>`` and ``&`` escaped."""
    line = _SRT_STYLE_LEFT.sub("{", _SRT_STYLE.sub("", line)).strip()
    parts, at = [], 0
    for tag in _TAG.finditer(line):
        parts += [_escape(line[at : tag.start()]), tag.group()]
        at = tag.end()
    return "".join([*parts, _escape(line[at:])])


def _escape(text: str) -> str:
    text = re.sub(r"&(?!(?:amp|lt|gt|lrm|rlm|nbsp|#\d+|#x[0-9a-fA-F]+);)", "&amp;", text)
    return text.replace("<", "&lt;").replace(">", "&gt;")


def webvtt(cues: list[Cue]) -> str:
    """The cues as a WebVTT file."""
    blocks = [
        f"{_stamp(cue.start_ms)} --> {_stamp(cue.end_ms)}"
        + (f" {cue.settings}" if cue.settings else "")
        + "\n"
        + "\n".join(cue.lines)
        for cue in cues
    ]
    return "\n\n".join(["WEBVTT", *blocks]) + "\n"


def _stamp(ms: int) -> str:
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}.{ms:03d}"
