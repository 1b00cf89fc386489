"""Whether a member's plan holds, by what billing said last of it."""

from datetime import datetime, timedelta

from cuemark.contracts.billing.subscriptions import Entitlement

LAST_KNOWN_LASTS = timedelta(hours=6)
"""For as long what billing said last holds while it is away, and never longer than it said."""


def still_entitled(known: Entitlement, known_at: datetime, now: datetime) -> bool:
    """Whether what was known at a moment holds now. Billing's own clock may be another one, so
    what counts is how long it said, from when it said so."""
    return known.entitled and now - known_at < min(known.until - known.at, LAST_KNOWN_LASTS)
