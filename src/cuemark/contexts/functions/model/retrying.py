"""What follows from an attempt."""

from datetime import datetime, timedelta

MOST_WAITING = 100
"""So many runs of a function are taken from the log at most; the others wait in the log."""
MOST_ON_RECORD = 1000
"""So many runs that are over are kept of each function."""
LAST_BACKOFF_S = 3600
GONE_S = 600
"""Who takes a function's file away for longer begins anew with it: what happened meanwhile is not
made up for."""


def is_last(failures: int, retries: int) -> bool:
    """Whether a run that failed so often is not tried again."""
    return failures > retries


def next_at(now: datetime, failures: int, backoff_s: int) -> datetime:
    """When a run that failed so often is tried again: the pause doubles with each failure."""
    pause_s = min(LAST_BACKOFF_S, backoff_s * 2 ** min(20, max(0, failures - 1)))
    return now + timedelta(seconds=pause_s)


def begins_anew(now: datetime, gone_at: datetime | None) -> bool:
    """Whether a function that is there again has missed what happened meanwhile."""
    return gone_at is not None and (now - gone_at).total_seconds() > GONE_S
