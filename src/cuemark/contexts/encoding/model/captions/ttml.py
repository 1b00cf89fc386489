"""TTML in: IMSC 1.1 and EBU-TT-D, SMPTE-TT with text, and the older DFXP (W3C TTML2, 2021).

ttconv reads the same, but takes time quadratic in the number of captions, and falls over a frame
rate of zero; the tests hold this reader to what it finds.
"""

import html
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple
from xml.etree.ElementTree import Element

from cuemark.contexts.encoding.model.captions.cues import (
    MAX_CUE_CHARS,
    MAX_CUES,
    MAX_END_MS,
    Captions,
    CaptionsInvalid,
    Cue,
    clean,
    in_order,
    plain,
)
from cuemark.contexts.encoding.model.captions.ttml_styles import INHERITED, Style, Styles
from cuemark.contexts.encoding.model.captions.ttml_times import Clock, clock_of
from cuemark.contexts.encoding.model.captions.ttml_tree import XML, tree_of

MAX_PIECES = 500
MAX_CHANGES = 64
_SPACE = re.compile(r"[ \t\r\n]+")
_BREAK = "\n"
_Run = tuple[tuple[str, ...], str]


class _Span(NamedTuple):
    """From when to when, in microseconds of the film; None is without an end."""

    begin: int
    end: int | None


class _Piece(NamedTuple):
    """Some text of a paragraph that is shown as long as ``span``, in the tags ``marks``."""

    span: _Span
    text: str
    marks: tuple[str, ...]


class _Place(NamedTuple):
    """What an element has from those around it."""

    span: _Span
    style: Style
    region: str
    preserve: bool


def parse(source: bytes | str) -> Captions:
    """The captions of a document: one for each stretch in which a paragraph's text stays the same.

    Raises ``CaptionsInvalid``.
    """
    root, names = tree_of(source)
    reader = _Reader(Styles(root, names), clock_of(lambda name: names.parameter(root, name)))
    body = root.find(names.tag("body"))
    if body is not None:
        around = _Place(_Span(0, None), {}, "", root.get(f"{XML}space") == "preserve")
        reader.walk(body, around, reader.span_of(body, around.span, 0))
    if not reader.cues and any(_is_picture(each) for each in root.iter()):
        raise CaptionsInvalid("its captions are pictures: give TTML with text")
    return in_order(reader.cues, reader.dropped, root.get(f"{XML}lang", ""))


class _Reader:
    """Walks a body once, from top to bottom."""

    def __init__(self, styles: Styles, clock: Clock) -> None:
        self.cues: list[Cue] = []
        self.dropped = 0
        self._styles = styles
        self._clock = clock

    def walk(self, element: Element, around: _Place, span: _Span | None) -> None:
        """The captions of a body, a division or a paragraph."""
        place = self._place(element, around, span)
        if place is None:
            return
        if _local(element) == "p":
            self._paragraph(element, place)
            return
        for child, child_span in self._children(element, place.span):
            if _local(child) in ("div", "p"):
                self.walk(child, place, child_span)

    def span_of(self, element: Element, around: _Span, anchor: int) -> _Span | None:
        """When an element is shown; its times count from ``anchor``. None where they are none."""
        times = {}
        for name in ("begin", "end", "dur"):
            stated = element.get(name)
            if stated is not None:
                time = self._clock.us(stated)
                if time is None:
                    return None
                times[name] = time
        begin = anchor + times.get("begin", 0)
        ends = [anchor + times["end"]] if "end" in times else []
        if "dur" in times:
            ends.append(begin + times["dur"])
        if around.end is not None:
            ends.append(around.end)
        return _Span(max(begin, around.begin), min(ends) if ends else None)

    def _children(self, element: Element, span: _Span) -> Iterator[tuple[Element, _Span]]:
        """The children with their times (TTML2 section 12.2.4: together, or one after another)."""
        in_turn = element.get("timeContainer") == "seq"
        anchor = span.begin
        for child in element:
            found = self.span_of(child, span, anchor)
            if found is None:
                self.dropped += 1
                continue
            if in_turn:
                if found.end is None or not {"end", "dur"} & child.attrib.keys():
                    # Nothing says how long it lasts: in a sequence that is no time at all.
                    found = _Span(found.begin, found.begin)
                anchor = max(anchor, found.end or 0)
            yield child, found

    def _place(self, element: Element, around: _Place, span: _Span | None) -> _Place | None:
        if span is None:
            self.dropped += 1
            return None
        region = element.get("region") or around.region
        style = dict(around.style)
        if region != around.region:
            style.update(_inherited(self._styles.region(region)))
        own = self._styles.own(element)
        if own.get("display") == "none":
            return None
        style.update(_inherited(own))
        space = element.get(f"{XML}space")
        return _Place(
            span, style, region, around.preserve if space is None else space == "preserve"
        )

    def _paragraph(self, element: Element, place: _Place) -> None:
        pieces: list[_Piece] = []
        size = 0
        for piece in self._pieces(element, place):
            pieces.append(piece)
            size += len(piece.text)
            if len(pieces) > MAX_PIECES or size > MAX_CUE_CHARS:
                raise CaptionsInvalid(
                    f"one of its captions has more than {MAX_PIECES} pieces or "
                    f"{MAX_CUE_CHARS} characters"
                )
        said = [piece for piece in pieces if piece.text.strip()]
        if not said:
            return
        changes = sorted({time for piece in said for time in piece.span if time is not None})
        if len(changes) > MAX_CHANGES:
            raise CaptionsInvalid(f"one of its captions changes more than {MAX_CHANGES} times")
        settings = self._styles.settings(place.region, place.style.get("textAlign", ""))
        before = len(self.cues)
        for begin, end in pairwise(changes):
            shown = [p for p in pieces if p.span.begin <= begin and end <= (p.span.end or -1)]
            lines = _lines(shown)
            start_ms, end_ms = round(begin / 1000), round(end / 1000)
            if lines and start_ms < end_ms < MAX_END_MS:
                self.cues.append(Cue(start_ms, end_ms, settings, lines))
        self.dropped += len(self.cues) == before
        if len(self.cues) > MAX_CUES:
            raise CaptionsInvalid(f"more than {MAX_CUES} captions")

    def _pieces(self, element: Element, place: _Place) -> Iterator[_Piece]:
        """The texts of a paragraph or a span, in reading order."""
        marks = _marks(place.style)
        hidden = place.style.get("visibility") == "hidden"
        if element.text and not hidden:
            yield _Piece(place.span, _spaced(element.text, place), marks)
        spans = {id(child): span for child, span in self._children(element, place.span)}
        for child in element:
            if _local(child) == "br":
                yield _Piece(place.span, _BREAK, ())
            elif _local(child) == "span" and (inner := self._inner(child, place, spans)):
                ruby = self._styles.own(child).get("ruby") in ("text", "textContainer")
                aside = ruby and not hidden
                yield from ([_Piece(inner.span, "(", marks)] if aside else [])
                yield from self._pieces(child, inner)
                yield from ([_Piece(inner.span, ")", marks)] if aside else [])
            if child.tail and not hidden:
                yield _Piece(place.span, _spaced(child.tail, place), marks)

    def _inner(self, child: Element, around: _Place, spans: dict[int, _Span]) -> _Place | None:
        span = spans.get(id(child))
        return None if span is None else self._place(child, around, span)


def _lines(pieces: list[_Piece]) -> list[str]:
    """The lines of a cue: what follows one another in the same tags is one run of them."""
    runs: list[list[_Run]] = [[]]
    for piece in pieces:
        for number, text in enumerate(piece.text.split(_BREAK)):
            if number:
                runs.append([])
            line = runs[-1]
            if line and line[-1][0] == piece.marks:
                line[-1] = (piece.marks, line[-1][1] + text)
            elif text:
                line.append((piece.marks, text))
    lines = [clean("".join(_marked(*run) for run in _trimmed(line))) for line in runs]
    return [line for line in lines if plain(line).strip()]


def _trimmed(line: list[_Run]) -> list[_Run]:
    """A line without the space around it, which tags would hold in place."""
    while line and not (text := line[0][1].lstrip()):
        del line[0]
    if line:
        line[0] = (line[0][0], text)
    while line and not (text := line[-1][1].rstrip()):
        del line[-1]
    if line:
        line[-1] = (line[-1][0], text)
    return line


def _marked(marks: tuple[str, ...], text: str) -> str:
    escaped = html.escape(text, quote=False)
    if not text.strip():
        return escaped
    opened = "".join(f"<{mark}>" for mark in marks)
    return opened + escaped + "".join(f"</{mark}>" for mark in reversed(marks))


def _marks(style: Style) -> tuple[str, ...]:
    decoration = style.get("textDecoration", "").split()
    return (
        *(["b"] if style.get("fontWeight") == "bold" else []),
        *(["i"] if style.get("fontStyle") in ("italic", "oblique") else []),
        *(["u"] if "underline" in decoration else []),
    )


def _spaced(text: str, place: _Place) -> str:
    return text if place.preserve else _SPACE.sub(" ", text)


def _inherited(style: Style) -> dict[str, str]:
    return {name: style[name] for name in INHERITED if name in style}


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _is_picture(element: Element) -> bool:
    names = element.attrib
    return _local(element) == "image" or any(name.endswith("}backgroundImage") for name in names)
