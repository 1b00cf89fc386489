"""One trace id from the gateway through every process (W3C Trace Context, ``traceparent``)."""

import contextlib
import re
import secrets
from collections.abc import Iterator
from contextvars import ContextVar

HEADER = "traceparent"
_TRACEPARENT = re.compile(r"^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$")
_current: ContextVar[str] = ContextVar("trace_id", default="")


def current_trace_id() -> str:
    """The trace in hand: 32 hex digits, or an empty string outside of any."""
    return _current.get()


def new_trace_id() -> str:
    return secrets.token_hex(16)


@contextlib.contextmanager
def trace(trace_id: str | None = None) -> Iterator[str]:
    """Work under ``trace_id``, or under a fresh one."""
    trace_id = trace_id or new_trace_id()
    token = _current.set(trace_id)
    try:
        yield trace_id
    finally:
        _current.reset(token)


def trace_id_of(traceparent: str | None) -> str | None:
    """The trace id of a ``traceparent`` header, or None where it is absent or malformed."""
    match = _TRACEPARENT.match(traceparent or "")
    return match.group(1) if match and match.group(1) != "0" * 32 else None


def traceparent() -> str:
    """The header for an outgoing request: the trace in hand and a fresh parent id."""
    return f"00-{current_trace_id() or new_trace_id()}-{secrets.token_hex(8)}-01"
