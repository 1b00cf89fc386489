"""IMSC 1.1 out, text profile (W3C TTML Profiles for Internet Media Subtitles 1.1, 2018)."""

import html
import re
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from cuemark.contexts.encoding.model.captions.cues import Cue, parts
from cuemark.contexts.encoding.model.captions.webvtt import stamp
from cuemark.contracts.encoding.versions import CaptionRole

PROFILE = "http://www.w3.org/ns/ttml/profile/imsc1.1/text"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REGIONS = {
    "bottom": 'tts:origin="10% 10%" tts:extent="80% 80%" tts:displayAlign="after"',
    "middle": 'tts:origin="10% 10%" tts:extent="80% 80%" tts:displayAlign="center"',
    "top": 'tts:origin="10% 10%" tts:extent="80% 80%" tts:displayAlign="before"',
    "right": 'tts:origin="10% 10%" tts:extent="80% 80%" tts:displayAlign="before" '
    'tts:writingMode="tbrl"',
    "left": 'tts:origin="10% 10%" tts:extent="80% 80%" tts:displayAlign="before" '
    'tts:writingMode="tblr"',
}
_STYLES = {
    "b": 'tts:fontWeight="bold"',
    "i": 'tts:fontStyle="italic"',
    "u": 'tts:textDecoration="underline"',
}
_ALIGNS = ("left", "start", "right", "end")
_TAG_NAME = re.compile(r"^<(/?)([a-z]+)", re.IGNORECASE)
_UPPER_PERCENT, _LOWER_PERCENT = 40.0, 60.0
_UPPER_LINES = 8


def imsc(cues: Sequence[Cue], language: str, role: CaptionRole) -> str:
    """The cues as an IMSC 1.1 document.

    A cue stands at the top, in the middle or at the bottom; its column is not kept. The captions
    of a forced track are marked as forced, so that a device shows them with captions off.
    """
    regions = [_region(cue) for cue in cues]
    layout = "".join(
        f'<region xml:id="{name}" {_REGIONS[name]}/>' for name in _REGIONS if name in regions
    )
    forced = ' itts:forcedDisplay="true"' if role == "forced" else ""
    said = "\n".join(_paragraph(*each) for each in zip(cues, regions, strict=True))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<tt xmlns="http://www.w3.org/ns/ttml" xmlns:tts="http://www.w3.org/ns/ttml#styling" '
        'xmlns:ttp="http://www.w3.org/ns/ttml#parameter" '
        'xmlns:itts="http://www.w3.org/ns/ttml/profile/imsc1#styling" '
        f'ttp:contentProfiles="{PROFILE}" ttp:timeBase="media" ttp:cellResolution="32 15" '
        f"xml:lang={quoteattr(language)}>\n"
        '<head><styling><style xml:id="said" tts:fontFamily="proportionalSansSerif" '
        'tts:fontSize="100%" tts:lineHeight="125%" tts:color="white" tts:textAlign="center"/>'
        '<style xml:id="box" tts:backgroundColor="#000000c0"/></styling>'
        f"<layout>{layout}</layout></head>\n"
        f'<body style="said"{forced}><div>\n{said}\n</div></body></tt>\n'
    )


def _paragraph(cue: Cue, region: str) -> str:
    align = _setting(cue, "align")
    aligned = f' tts:textAlign="{align}"' if align in _ALIGNS else ""
    lines = "<br/>".join(_spans(line) for line in cue.lines)
    return (
        f'<p region="{region}" begin="{stamp(cue.start_ms)}" end="{stamp(cue.end_ms)}"{aligned} '
        f'xml:space="preserve"><span style="box">{lines}</span></p>'
    )


def _spans(line: str) -> str:
    """A line of WebVTT as TTML: slant, weight and underline stay, ruby stands in parentheses."""
    written: list[str] = []
    marks: dict[str, int] = dict.fromkeys(_STYLES, 0)
    for is_tag, part in parts(line):
        if not is_tag:
            text = escape(_NOT_XML.sub("", html.unescape(part)))
            stated = " ".join(_STYLES[mark] for mark, depth in marks.items() if depth)
            written.append(f"<span {stated}>{text}</span>" if stated and text else text)
        elif match := _TAG_NAME.match(part):
            closes, name = bool(match[1]), match[2].lower()
            if name in marks:
                marks[name] = max(0, marks[name] + (-1 if closes else 1))
            elif name == "rt":
                written.append(")" if closes else "(")
    return "".join(written)


def _region(cue: Cue) -> str:
    vertical = {"rl": "right", "lr": "left"}.get(_setting(cue, "vertical"))
    if vertical:
        return vertical
    line = _setting(cue, "line").partition(",")[0]
    if match := re.match(r"^([0-9]{1,3}(?:\.[0-9]{1,9})?)%$", line):
        percent = float(match[1])
        if percent < _UPPER_PERCENT:
            return "top"
        return "bottom" if percent > _LOWER_PERCENT else "middle"
    return "top" if re.match(r"^[0-9]{1,3}$", line) and int(line) < _UPPER_LINES else "bottom"


def _setting(cue: Cue, name: str) -> str:
    """The value of a cue setting, or nothing."""
    for word in cue.settings.split():
        key, _, value = word.partition(":")
        if key == name:
            return value
    return ""
