"""Where a snapshot goes on from."""

import re

_CURSOR = re.compile(r"[0-9]{1,18}", re.ASCII)


def position_of(cursor: str) -> int:
    """The position that a snapshot's cursor names; 0, the start, for one that is not ours."""
    return int(cursor) if _CURSOR.fullmatch(cursor) else 0
