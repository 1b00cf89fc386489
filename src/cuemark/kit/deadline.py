"""The deadline of the call in hand, carried from caller to callee as milliseconds left."""

import contextlib
import re
import time
from collections.abc import Iterator
from contextvars import ContextVar

HEADER = "x-deadline-ms"
DEFAULT_S = 10.0
_MILLISECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)
_deadline_s: ContextVar[float | None] = ContextVar("deadline_s", default=None)


def told(header: str | None) -> float:
    """The seconds that a caller gives; ``DEFAULT_S`` where it says nothing that can be read."""
    readable = header is not None and _MILLISECONDS.fullmatch(header)
    return int(header) / 1000 if header and readable else DEFAULT_S


@contextlib.contextmanager
def deadline(budget_s: float) -> Iterator[None]:
    """Work with at most ``budget_s`` seconds, or what the outer deadline leaves if less."""
    outer = _deadline_s.get()
    mine = time.monotonic() + budget_s
    token = _deadline_s.set(mine if outer is None else min(mine, outer))
    try:
        yield
    finally:
        _deadline_s.reset(token)


def remaining_s(default_s: float) -> float:
    """Seconds left to the call in hand, at most ``default_s``; never negative."""
    at = _deadline_s.get()
    return default_s if at is None else max(0.0, min(default_s, at - time.monotonic()))
