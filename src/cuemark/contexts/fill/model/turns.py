"""When the next plan is made."""

from dataclasses import dataclass
from datetime import datetime, timedelta

SETTLE = timedelta(seconds=5)
"""After a change, for the others that come with it."""
LATE = timedelta(minutes=3)
"""After an hour, for what was served in it to be told."""
RETRY = timedelta(seconds=60)
TURN = timedelta(seconds=120)
"""As long nobody else plans. A plan of 5,000 tracks takes seconds."""


@dataclass(frozen=True)
class Turn:
    """``asked_at`` is since when something is other than the last plan knows, ``planned_at`` when
    that was begun, ``tried_at`` when the last one was, and ``trouble`` why it failed; ``holder``
    plans now, until ``until_at`` at most."""

    asked_at: datetime | None
    planned_at: datetime | None
    tried_at: datetime | None
    trouble: str
    unread_trouble: str
    holder: str
    until_at: datetime | None


def is_due(turn: Turn, now: datetime) -> bool:
    """Whether to plan now: soon after a change, and soon after each hour."""
    if turn.holder and turn.until_at is not None and now < turn.until_at:
        return False
    if turn.trouble and turn.tried_at is not None and now < turn.tried_at + RETRY:
        return False
    if turn.asked_at is not None and now >= turn.asked_at + SETTLE:
        return True
    if turn.planned_at is None:
        return False
    hour = (now - LATE).replace(minute=0, second=0, microsecond=0)
    return turn.planned_at < hour + LATE
