"""WebVTT (W3C): how many cues a captions file shows."""

import re

_TIMING = re.compile(
    r"^\s*(?:\d{2,}:)?[0-5]\d:[0-5]\d\.\d{3}\s+-->\s+(?:\d{2,}:)?[0-5]\d:[0-5]\d\.\d{3}(?:\s|$)"
)


def count_cues(text: str) -> int | None:
    """The number of cues, or None where ``text`` is no WebVTT."""
    lines = text.removeprefix("\ufeff").splitlines()
    if not lines or not re.match(r"^WEBVTT(?:[ \t]|$)", lines[0]):
        return None
    return sum(1 for line in lines if _TIMING.match(line))
