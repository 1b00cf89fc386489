"""Bars as inline SVG: one bar in parts that make a whole, and rows of bars to be compared."""

from collections.abc import Sequence

import msgspec

from cuemark.gateway.operations.html import Html, el

WIDTH = 720
_ROW, _BAR, _TOP = 26, 16, 4
_NAMES, _VALUES = 168, 150
_LEAST_LABELLED = 0.07
COLORS = 6


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """``value`` is a length, ``label`` what is written at it. ``color`` is one of six; a ``pale``
    bar is drawn behind them. ``inner`` is the part of ``value`` that is drawn over it, darker."""

    name: str
    value: float
    label: str
    color: int = 0
    pale: bool = False
    inner: float = 0.0


def whole(name: str, title: str, description: str, parts: Sequence[Bar]) -> Html:
    """One bar of all the parts, each as wide as its share, and a legend that names each."""
    total = sum(part.value for part in parts) or 1.0
    drawn: list[Html] = []
    left = 0.0
    for part in parts:
        width = part.value / total * WIDTH
        drawn.append(
            el(
                "rect",
                el("title", f"{part.name}: {part.label}"),
                x=_number(left),
                y=_TOP,
                width=_number(max(0.0, width - 1)),
                height=2 * _BAR,
                class_=_color(part),
            )
        )
        if part.value / total >= _LEAST_LABELLED:
            share = f"{100 * part.value / total:.0f} %"
            drawn.append(
                el(
                    "text",
                    share,
                    x=_number(left + width / 2),
                    y=_TOP + _BAR + 4,
                    class_="on",
                )
            )
        left += width
    keys = [
        el("li", el("span", class_=f"key {_color(part)}"), f"{part.name}: {part.label}")
        for part in parts
    ]
    return el(
        "figure",
        _picture(name, title, description, 2 * _BAR + 2 * _TOP, drawn),
        el("ul", *keys, class_="legend"),
    )


def rows(name: str, title: str, description: str, bars: Sequence[Bar]) -> Html:
    """A bar below the other, all from one line and on one scale."""
    longest = max((bar.value for bar in bars), default=0.0) or 1.0
    room = WIDTH - _NAMES - _VALUES
    drawn: list[Html] = []
    for number, bar in enumerate(bars):
        top, width = _TOP + number * _ROW, bar.value / longest * room
        middle = top + _BAR / 2 + 4
        drawn.append(el("text", bar.name, x=_NAMES - 10, y=_number(middle), class_="name"))
        drawn.append(
            el(
                "rect",
                x=_NAMES,
                y=top,
                width=_number(max(1.0, width)),
                height=_BAR,
                class_=_color(bar),
            )
        )
        if bar.inner > 0:
            inner = bar.inner / longest * room
            drawn.append(
                el(
                    "rect",
                    x=_number(_NAMES + max(0.0, width - inner)),
                    y=top,
                    width=_number(max(1.0, inner)),
                    height=_BAR,
                    class_="fill s5",
                )
            )
        drawn.append(
            el(
                "text",
                bar.label,
                x=_number(_NAMES + max(1.0, width) + 8),
                y=_number(middle),
                class_="value",
            )
        )
    height = 2 * _TOP + len(bars) * _ROW
    return el("figure", _picture(name, title, description, height, drawn))


def _picture(name: str, title: str, description: str, height: int, drawn: Sequence[Html]) -> Html:
    return el(
        "svg",
        el("title", title, id=f"{name}-title"),
        el("desc", description, id=f"{name}-desc"),
        *drawn,
        viewBox=f"0 0 {WIDTH} {height}",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
        class_="plot bars",
    )


def _color(bar: Bar) -> str:
    return f"fill s{bar.color}{' pale' if bar.pale else ''}"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
