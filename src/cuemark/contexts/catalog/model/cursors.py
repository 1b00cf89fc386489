"""The keys in cursors, as the database reads them: a cursor may be anybody's invention."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from cuemark.kit.pages import PageInvalid

T = TypeVar("T")
_LARGEST = 2**31 - 1


def time_of(key: str) -> datetime:
    """The moment, in UTC; ``PageInvalid`` where it is none that there can be."""
    return _read(_moment, key)


def number_of(key: str) -> int:
    """The number, 0 to 2**31 - 1; ``PageInvalid`` where it is none."""
    return _read(_number, key)


def _read(read: Callable[[str], T], key: str) -> T:
    try:
        return read(key)
    except (ValueError, OverflowError) as error:
        raise PageInvalid(
            "The cursor is not one of ours: ask for the first page, without a cursor."
        ) from error


def _moment(key: str) -> datetime:
    moment = datetime.fromisoformat(key)
    if moment.tzinfo is None:
        raise ValueError(key)
    return moment.astimezone(UTC)


def _number(key: str) -> int:
    number = int(key)
    if not 0 <= number <= _LARGEST:
        raise ValueError(key)
    return number
