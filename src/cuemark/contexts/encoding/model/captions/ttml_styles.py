"""What TTML's styles and regions come to in WebVTT: slant, weight, underline, place, alignment.

Colors, fonts and sizes are the viewer's to choose and are left out (W3C TTML2, 2021, section 10).
"""

import re
from collections.abc import Callable, Mapping
from xml.etree.ElementTree import Element

from cuemark.contexts.encoding.model.captions.ttml_tree import XML, Names

Style = Mapping[str, str]
INHERITED = ("fontStyle", "fontWeight", "textDecoration", "textAlign", "visibility")
_OF_AREAS = ("display", "displayAlign", "writingMode", "origin", "extent", "ruby")
_MAX_CHAIN = 16
_MAX_REFERENCES = 16
_LENGTH = re.compile(r"^([0-9]{1,6}(?:\.[0-9]{1,6})?)(%|px|c)$")
_LOWEST_PERCENT = 80.0
"""A text that ends below this line stands where captions stand by themselves."""


class Styles:
    """The styles and regions of a document by their ids."""

    def __init__(self, root: Element, names: Names) -> None:
        self._names = names
        self._elements = _by_id(root, names.tag("style"))
        self._regions = _by_id(root, names.tag("region"))
        self._chains: dict[str, Style] = {}
        self._region_styles: dict[str, Style] = {}
        cells = (names.parameter(root, "cellResolution") or "").split()
        self._size = _pixels(root.get(names.style("extent"), ""))
        self._properties = {names.style(name): name for name in (*INHERITED, *_OF_AREAS)}
        self._cells = (
            (float(cells[0]), float(cells[1]))
            if len(cells) == 2 and all(re.match(r"^[1-9][0-9]{0,3}$", each) for each in cells)
            else (32.0, 15.0)
        )

    def own(self, element: Element) -> dict[str, str]:
        """What is stated on an element: by the styles it names, then by itself."""
        found: dict[str, str] = {}
        for name in element.get("style", "").split()[:_MAX_REFERENCES]:
            found.update(self._chain(name))
        found.update(self._stated(element))
        return found

    def _stated(self, element: Element) -> dict[str, str]:
        properties = self._properties
        return {
            properties[key]: value.strip() for key, value in element.items() if key in properties
        }

    def region(self, region_id: str) -> Style:
        """What a region states, with the style elements inside it; nothing where there is none."""
        if region_id not in self._region_styles:
            found: dict[str, str] = {}
            element = self._regions.get(region_id)
            if element is not None:
                for inner in element.findall(self._names.tag("style")):
                    found.update(self.own(inner))
                found.update(self.own(element))
            self._region_styles[region_id] = found
        return self._region_styles[region_id]

    def settings(self, region_id: str, align: str) -> str:
        """The settings of a WebVTT cue in a region; nothing for what the region does not say."""
        region = self.region(region_id)
        words = []
        vertical = {"tbrl": "vertical:rl", "tb": "vertical:rl", "tblr": "vertical:lr"}.get(
            region.get("writingMode", "")
        )
        x, y = self._percents(region.get("origin", "")) or (None, None)
        width, height = self._percents(region.get("extent", "")) or (None, None)
        if vertical:
            words.append(vertical)
        elif line := _line(region.get("displayAlign", ""), y, height):
            words.append(line)
        if align in ("left", "start", "right", "end"):
            at = x
            if x is not None and align in ("right", "end"):
                at = None if width is None else x + width
            if at is not None and not vertical:
                words.append(f"position:{_percent(at)}")
            words.append(f"align:{align}")
        return " ".join(words)

    def _chain(self, name: str) -> Style:
        """A style and those that it refers to; a circle ends where it closes."""
        if name in self._chains:
            return self._chains[name]
        chain: list[Element] = []
        at = self._elements.get(name)
        while at is not None and len(chain) < _MAX_CHAIN:
            chain.append(at)
            referred = (at.get("style") or "").split()
            at = self._elements.get(referred[0]) if referred else None
        found: dict[str, str] = {}
        for element in reversed(chain):
            found.update(self._stated(element))
        self._chains[name] = found
        return found

    def _percents(self, pair: str) -> tuple[float, float] | None:
        """Two lengths as shares of the picture's width and height; None where they are none."""
        lengths = [_LENGTH.match(part) for part in pair.split()]
        if len(lengths) != 2 or lengths[0] is None or lengths[1] is None:
            return None
        wholes: dict[str, tuple[float, float] | None] = {
            "%": (100.0, 100.0),
            "px": self._size,
            "c": self._cells,
        }
        found = []
        for place, length in enumerate((lengths[0], lengths[1])):
            whole = wholes[length[2]]
            if whole is None:
                return None
            found.append(float(length[1]) * 100 / whole[place])
        return found[0], found[1]


def _by_id(root: Element, tag: str) -> dict[str, Element]:
    return {name: each for each in root.iter(tag) if (name := each.get(f"{XML}id"))}


def _pixels(extent: str) -> tuple[float, float] | None:
    match = re.match(r"^([1-9][0-9]{0,4})px\s+([1-9][0-9]{0,4})px$", extent.strip())
    return (float(match[1]), float(match[2])) if match else None


def _line(align: str, y: float | None, height: float | None) -> str:
    """Where the text stands from top to bottom; empty for the place that it has by itself."""
    edges: dict[str, Callable[[float, float], tuple[float, str]]] = {
        "": lambda top, _: (top, ""),
        "before": lambda top, _: (top, ""),
        "center": lambda top, lasts: (top + lasts / 2, ",center"),
        "after": lambda top, lasts: (top + lasts, ",end"),
    }
    if align not in edges or (not align and y is None):
        return ""
    at, anchor = edges[align](y or 0.0, 100.0 if height is None else height)
    if align == "after" and at >= _LOWEST_PERCENT:
        return ""
    return f"line:{_percent(at)}{anchor}"


def _percent(value: float) -> str:
    return f"{min(max(value, 0.0), 100.0):.1f}".removesuffix(".0") + "%"
