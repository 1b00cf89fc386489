"""Bars as inline SVG: one bar in parts that make a whole, and bars for the cells of a table."""

from collections.abc import Sequence

import msgspec

from cuemark.gateway.operations.html import Html, el

_WIDTH, _HEIGHT, _TOP = 720, 32, 4
_LEAST_LABELLED = 0.07


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a whole: ``value`` is its length, ``label`` tells it, ``color`` is one of seven."""

    name: str
    value: float
    label: str
    color: int


def whole(name: str, title: str, description: str, parts: Sequence[Part]) -> Html:
    """One bar of all the parts, each as wide as its share, and a legend that names each.

    ``name`` makes ids that are the document's own.
    """
    total = sum(part.value for part in parts) or 1.0
    drawn: list[Html] = []
    left = 0.0
    for part in parts:
        share = part.value / total
        width = share * _WIDTH
        drawn.append(
            el(
                "rect",
                el("title", f"{part.name}: {part.label}"),
                x=_number(left),
                y=_TOP,
                width=_number(max(0.0, width - 1)),
                height=_HEIGHT,
                class_=f"fill s{part.color}",
            )
        )
        if share >= _LEAST_LABELLED:
            middle = _number(left + width / 2)
            label = f"{100 * share:.0f} %"
            drawn.append(el("text", label, x=middle, y=_TOP + _HEIGHT / 2 + 4, class_="on"))
        left += width
    picture = el(
        "svg",
        el("title", title, id=f"{name}-title"),
        el("desc", description, id=f"{name}-desc"),
        *drawn,
        viewBox=f"0 0 {_WIDTH} {_HEIGHT + 2 * _TOP}",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
        class_="plot",
    )
    keys = [
        el("li", el("span", class_=f"key s{part.color}"), f"{part.name}: {part.label}")
        for part in parts
    ]
    return el("figure", picture, el("ul", *keys, class_="legend"))


def cell(value: float, longest: float, color: int, lost: float = 0.0) -> Html:
    """A bar on a scale that ends with ``longest``; ``lost`` is the part of it at its end.

    The figures stand beside it in the row, so it is hidden from those who hear the page.
    """
    width = 100 * value / longest if longest > 0 else 0.0
    inner = 100 * lost / longest if longest > 0 else 0.0
    return el(
        "svg",
        el("rect", width=_number(max(0.4, width)), height=1, class_=f"fill s{color}"),
        el(
            "rect",
            x=_number(max(0.0, width - inner)),
            width=_number(inner),
            height=1,
            class_="fill s5",
        )
        if lost > 0
        else None,
        viewBox="0 0 100 1",
        preserveAspectRatio="none",
        aria_hidden="true",
        class_="bar",
    )


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
