"""What a caption file comes down to, whatever it was written in."""

import html
import re

import msgspec

MAX_BYTES = 8 << 20
MAX_CUES = 100_000
MAX_CUE_CHARS = 10_000
MAX_END_MS = 1000 * 3600 * 1000
_NUMBER = "#[0-9]{1,7}|#x[0-9a-fA-F]{1,6}"
_NUMBERED = re.compile(f"&(?:{_NUMBER});")
_NO_REFERENCE = re.compile(f"&(?!(?:amp|lt|gt|lrm|rlm|nbsp|{_NUMBER});)")
_TAG = re.compile(r"</?(?:b|i|u|v|c|lang|ruby|rt)(?:[.\s][^<>]*)?>", re.IGNORECASE)
_SRT_STYLE = re.compile(r"</?font[^<>]*>|\{\\[^{}]*\}", re.IGNORECASE)
_SRT_STYLE_LEFT = re.compile(r"\{\\+")


class CaptionsInvalid(ValueError):
    """The file holds no captions that can be shown; the text says where it breaks."""


class Cue(msgspec.Struct, frozen=True):
    """One caption, from ``start_ms`` to ``end_ms`` of the film.

    ``settings`` and ``lines`` are those of WebVTT (W3C WebVTT, 2019, sections 4.4 and 4.2.2).
    """

    start_ms: int
    end_ms: int
    settings: str
    lines: list[str]


class Captions(msgspec.Struct, frozen=True, kw_only=True):
    """The cues of a file in order of time, and what was odd about it.

    ``dropped`` counts what stood in the place of a caption and is none: without text, or ending
    before it begins. ``language`` is what the file itself says, or empty. ``guessed_encoding`` is
    whether the text was in no Unicode encoding.
    """

    cues: list[Cue]
    dropped: int = 0
    language: str = ""
    guessed_encoding: bool = False


def in_order(cues: list[Cue], dropped: int, language: str = "") -> Captions:
    """Raises ``CaptionsInvalid`` where there is no cue, or more than a film can have."""
    if not cues:
        raise CaptionsInvalid("no caption with a time such as 00:00:01.000 --> 00:00:02.000")
    if len(cues) > MAX_CUES:
        raise CaptionsInvalid(f"more than {MAX_CUES} captions")
    cues = sorted(cues, key=lambda cue: (cue.start_ms, cue.end_ms))
    return Captions(cues=cues, dropped=dropped, language=language)


def clean(line: str) -> str:
    """One line of cue text: known tags kept, every other ``<``, ``>`` and ``&`` escaped."""
    line = _SRT_STYLE_LEFT.sub("{", _SRT_STYLE.sub("", line)).strip()
    return "".join(part if is_tag else _escape(part) for is_tag, part in parts(line))


def parts(line: str) -> list[tuple[bool, str]]:
    """The tags and the texts between them, in order; a tag is marked as one."""
    found, at = [], 0
    for tag in _TAG.finditer(line):
        found += [(False, line[at : tag.start()]), (True, tag.group())]
        at = tag.end()
    return [*found, (False, line[at:])]


def plain(line: str) -> str:
    """The characters of a line that a viewer reads."""
    return html.unescape("".join(part for is_tag, part in parts(line) if not is_tag))


def _escape(text: str) -> str:
    text = _NUMBERED.sub(_unbroken, _NO_REFERENCE.sub("&amp;", text))
    return text.replace("<", "&lt;").replace(">", "&gt;")


def _unbroken(reference: re.Match[str]) -> str:
    """A space for a reference to what ends a line: a cue's lines are those it is written in."""
    named = html.unescape(reference.group())
    return reference.group() if named.splitlines() == [named] else " "
