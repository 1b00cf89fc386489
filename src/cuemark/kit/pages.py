"""Pages of a list: a limit, and an opaque cursor that names the last row of the page before.

A cursor holds sort keys, not an offset, so rows that come or go between two pages neither
repeat nor hide others.
"""

import base64

import msgspec

from cuemark.kit.errors import UNREADABLE, Refusal

MOST_ROWS = 200
_LONGEST_CURSOR = 400


class PageInvalid(Refusal):
    """The limit is out of bounds, or the cursor is none that a page ended with."""

    code = "page_invalid"
    status = 400


def checked_limit(limit: int) -> int:
    """``limit``, which must be 1 to ``MOST_ROWS``."""
    if not 1 <= limit <= MOST_ROWS:
        raise PageInvalid(f"A page has 1 to {MOST_ROWS} entries, not {limit}.")
    return limit


def cursor_of(*keys: str) -> str:
    """The cursor after the row with these sort keys."""
    return base64.urlsafe_b64encode(msgspec.json.encode(keys)).rstrip(b"=").decode()


def keys_of(cursor: str, count: int) -> tuple[str, ...] | None:
    """The ``count`` sort keys in ``cursor``; None for the empty cursor, before the first row."""
    if not cursor:
        return None
    try:
        if len(cursor) > _LONGEST_CURSOR:
            raise ValueError("too long")
        text = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        keys = msgspec.json.decode(text, type=tuple[str, ...])
    except (*UNREADABLE, ValueError) as error:
        raise _not_ours() from error
    if len(keys) != count or any("\0" in key for key in keys):
        raise _not_ours()
    return keys


def _not_ours() -> PageInvalid:
    return PageInvalid("The cursor is not one of ours: ask for the first page, without a cursor.")
