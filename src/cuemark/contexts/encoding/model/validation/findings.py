"""What a check of a version finds, and the words for it."""

from collections.abc import Sequence

import msgspec

from cuemark.contracts.encoding.validation import Check, Severity

Span = tuple[float, float]
"""From when to when, in seconds of the film."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """``text`` is one sentence without its full stop."""

    check: Check
    severity: Severity
    text: str


def error(check: Check, text: str) -> Finding:
    return Finding(check=check, severity="error", text=text)


def warning(check: Check, text: str) -> Finding:
    return Finding(check=check, severity="warning", text=text)


def told(spans: Sequence[Span]) -> str:
    """Where the first of several spans is, and how many more there are."""
    first, end = spans[0]
    more = len(spans) - 1
    rest = f", and {more} more {'time' if more == 1 else 'times'}" if more else ""
    return f"from {first:.2f} s to {end:.2f} s{rest}"
