"""Byte ranges (RFC 9110, section 14), single ones only; several at once get the whole file."""

import re
from dataclasses import dataclass

_ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII | re.IGNORECASE)


class Unsatisfiable(Exception):
    """The range lies beyond the file: 416."""


@dataclass(frozen=True)
class Span:
    """Bytes from ``start`` up to, not including, ``stop`` of a file of ``size_bytes``."""

    start: int
    stop: int
    size_bytes: int

    @property
    def content_range(self) -> str:
        return f"bytes {self.start}-{self.stop - 1}/{self.size_bytes}"


def requested(header: str, size_bytes: int) -> Span | None:
    """The span that a ``Range`` header asks for, or None where the whole file is to be sent."""
    match = _ONE_RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        start, stop = max(0, size_bytes - int(last)), size_bytes
    else:
        start = int(first)
        stop = min(size_bytes, int(last) + 1) if last else size_bytes
        if last and int(last) < start:
            return None
    if start >= stop:
        raise Unsatisfiable(f"bytes */{size_bytes}")
    return Span(start, stop, size_bytes)
