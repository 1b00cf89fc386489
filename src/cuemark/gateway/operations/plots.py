"""Line plots as inline SVG: no script, no font, no colour of their own but by class.

Own code in place of a library: the libraries that draw SVG bake colours and sizes into styles,
which the page's policy forbids and a dark screen makes unreadable, and four kinds of marks on two
axes is all that a report needs.
"""

import math
from collections.abc import Sequence
from typing import Literal

import msgspec

from cuemark.gateway.operations.html import Html, el, join

WIDTH, HEIGHT = 720, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 16, 16, 44
_TICKS = 6
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)

Mark = Literal["line", "dots", "rings", "steps"]


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """Points ``(x, y)`` in ascending order of x. ``color`` is one of six, 0 to 5.

    ``steps`` hold each y until the next x; the last point ends them. ``faint`` draws behind.
    """

    name: str
    points: Sequence[tuple[float, float]]
    mark: Mark = "line"
    color: int = 0
    faint: bool = False
    labels: Sequence[str] = ()


class Axis(msgspec.Struct, frozen=True, kw_only=True):
    """``unit`` is written once, at the axis. A logarithmic axis doubles from tick to tick."""

    unit: str
    low: float
    high: float
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Where a value lies, 0 to 1; what is outside lies at the edge."""
        low, high = self.low, self.high
        at: float = min(max(value, low), high)
        if self.logarithmic:
            low, high, at = math.log(low), math.log(high), math.log(at)
        return (at - low) / (high - low) if high > low else 0.5

    def ticks(self) -> list[float]:
        if self.logarithmic:
            first = math.ceil(math.log2(self.low) - 1e-9)
            last = math.floor(math.log2(self.high) + 1e-9)
            doublings = max(1, math.ceil((last - first) / _TICKS))
            return [2.0**power for power in range(first, last + 1, doublings)]
        step = _round_step((self.high - self.low) / _TICKS)
        first = math.ceil(self.low / step - 1e-9)
        count = math.floor((self.high / step) + 1e-9) - first + 1
        return [(first + n) * step for n in range(count)]


def axis_over(
    values: Sequence[float], unit: str, *, least: float | None = None, logarithmic: bool = False
) -> Axis:
    """An axis with room for all values, and for ``least`` where that is given."""
    low = min([*values, *([] if least is None else [least])], default=0.0)
    high = max(values, default=1.0)
    if logarithmic:
        return Axis(
            unit=unit, low=max(low, 1e-3) / 1.15, high=max(high, 2e-3) * 1.15, logarithmic=True
        )
    if high <= low:
        high = low + 1
    step = _round_step((high - low) / _TICKS)
    return Axis(
        unit=unit, low=math.floor(low / step + 1e-9) * step, high=math.ceil(high / step) * step
    )


def plot(
    name: str, title: str, description: str, x: Axis, y: Axis, series: Sequence[Series]
) -> Html:
    """One picture with its legend. ``name`` makes ids that are the document's own."""
    drawn = [_drawn(each, x, y) for each in sorted(series, key=lambda each: not each.faint)]
    picture = el(
        "svg",
        el("title", title, id=f"{name}-title"),
        el("desc", description, id=f"{name}-desc"),
        _grid(x, y),
        *drawn,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
        class_="plot",
    )
    keys = [
        el("li", el("span", class_=f"key s{each.color}"), each.name)
        for each in series
        if each.name and not each.faint
    ]
    return el("figure", picture, el("ul", *keys, class_="legend") if keys else None)


def strip(name: str, title: str, frames: int, starts: Sequence[int]) -> Html:
    """The shots of a film side by side, each as long as it lasts."""
    ends = [*starts[1:], frames]
    bars = [
        el(
            "rect",
            x=_number(_LEFT + start / frames * _span_x()),
            y=4,
            width=_number(max(0.5, (end - start) / frames * _span_x() - 0.5)),
            height=20,
            class_=f"shot odd{number % 2}",
        )
        for number, (start, end) in enumerate(zip(starts, ends, strict=True))
    ]
    return el(
        "svg",
        el("title", title, id=f"{name}-title"),
        *bars,
        viewBox=f"0 0 {WIDTH} 28",
        role="img",
        aria_labelledby=f"{name}-title",
        class_="plot",
    )


def _drawn(series: Series, x: Axis, y: Axis) -> Html:
    places = [(_x(x, at), _y(y, value)) for at, value in series.points]
    color = f"s{series.color}{' faint' if series.faint else ''}"
    if series.mark in ("dots", "rings"):
        labels = series.labels or [""] * len(places)
        return join(
            el(
                "circle",
                el("title", label) if label else None,
                cx=_number(left),
                cy=_number(top),
                r=4 if series.mark == "dots" else 8,
                class_=f"{series.mark} {color}",
            )
            for (left, top), label in zip(places, labels, strict=True)
        )
    pieces = []
    for number, (left, top) in enumerate(places):
        if number and series.mark == "steps":
            pieces.append(f"H{_number(left)}")
        pieces.append(f"{'L' if number else 'M'}{_number(left)} {_number(top)}")
    return el("path", d="".join(pieces), class_=f"line {color}")


def _grid(x: Axis, y: Axis) -> Html:
    right, bottom = WIDTH - _RIGHT, HEIGHT - _BOTTOM
    lines = []
    for value in y.ticks():
        top = _number(_y(y, value))
        lines.append(el("line", x1=_LEFT, x2=right, y1=top, y2=top, class_="grid"))
        lines.append(el("text", _label(value), x=_LEFT - 8, y=top, class_="tick left"))
    for value in x.ticks():
        left = _number(_x(x, value))
        lines.append(el("line", x1=left, x2=left, y1=bottom, y2=bottom + 5, class_="grid"))
        lines.append(el("text", _label(value), x=left, y=bottom + 18, class_="tick"))
    middle = _number(_LEFT + _span_x() / 2)
    lines.append(el("text", x.unit, x=middle, y=HEIGHT - 6, class_="unit"))
    lines.append(el("text", y.unit, x=_LEFT + 4, y=_TOP - 4, class_="unit left"))
    return el("g", *lines, aria_hidden="true")


def _x(axis: Axis, value: float) -> float:
    return _LEFT + axis.place(value) * _span_x()


def _y(axis: Axis, value: float) -> float:
    return HEIGHT - _BOTTOM - axis.place(value) * (HEIGHT - _TOP - _BOTTOM)


def _span_x() -> float:
    return WIDTH - _LEFT - _RIGHT


def _round_step(rough: float) -> float:
    """The next of 1, 2, 2.5 and 5 times a power of ten that is not less than ``rough``."""
    power = 10 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    return float(next(step * power for step in _STEPS if step * power >= rough * (1 - 1e-9)))


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _label(value: float) -> str:
    if abs(value) >= 1000 and value == round(value):
        return f"{value:,.0f}".replace(",", "\u202f")
    return f"{value:.4g}"
