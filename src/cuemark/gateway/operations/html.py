"""HTML as text that cannot be broken out of: whatever is not ``Html`` is escaped.

``el("a", "Play & go", href="/x")`` is one element. An attribute that is None or False is left
out, one that is True stands alone; a trailing underscore makes a name of a word of Python.
"""

from collections.abc import Iterable, Sequence
from html import escape

_EMPTY = frozenset({"meta", "link", "img", "br"})


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


Content = Html | str | None
Attribute = str | int | float | bool | None


def el(tag: str, /, *content: Content, **attributes: Attribute) -> Html:
    """One element. Underscores inside of an attribute's name become hyphens."""
    said = "".join(_attribute(key, value) for key, value in attributes.items())
    if tag in _EMPTY:
        return Html(f"<{tag}{said}>")
    return Html(f"<{tag}{said}>{join(content)}</{tag}>")


def join(parts: Iterable[Content]) -> Html:
    return Html("".join(text(part) for part in parts if part is not None))


def text(part: Html | str) -> Html:
    return part if isinstance(part, Html) else Html(escape(part))


def table(
    caption: str, heads: Sequence[str], rows: Iterable[Sequence[Content]], *, numbers: int = 0
) -> Html:
    """A table whose first cells name their rows; the last ``numbers`` columns are figures.

    It scrolls within its frame where the screen is narrow, by keyboard too.
    """
    first = len(heads) - numbers
    head = el(
        "tr",
        *(
            el("th", each, scope="col", class_="n" if at >= first else None)
            for at, each in enumerate(heads)
        ),
    )
    body = [
        el(
            "tr",
            *(
                el("th", cell, scope="row")
                if at == 0
                else el("td", cell, class_="n" if at >= first else None)
                for at, cell in enumerate(row)
            ),
        )
        for row in rows
    ]
    return el(
        "div",
        el("table", el("caption", caption), el("thead", head), el("tbody", *body)),
        class_="frame",
        role="region",
        aria_label=caption,
        tabindex="0",
    )


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    key = name.rstrip("_").replace("_", "-")
    return f" {key}" if value is True else f' {key}="{escape(str(value))}"'
