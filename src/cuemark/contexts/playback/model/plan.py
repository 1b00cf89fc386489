"""What a member's plan means for a play: whether it may be, how many at once, and how large."""

from datetime import datetime, timedelta

import msgspec

from cuemark.contracts.billing.subscriptions import Entitlement
from cuemark.contracts.encoding.versions import Version

LAST_KNOWN_LASTS = timedelta(hours=6)
"""For as long what billing said last holds while it is away, and never longer than it said."""
STREAM_LEASE = timedelta(minutes=2)
"""A play that was not heard of for so long is no longer counted: its device may have died."""


def still_entitled(known: Entitlement, known_at: datetime, now: datetime) -> bool:
    """Whether what was known at a moment holds now. Billing's own clock may be another one, so
    what counts is how long it said, from when it said so."""
    return known.entitled and now - known_at < min(known.until - known.at, LAST_KNOWN_LASTS)


def within_height(version: Version, max_height: int) -> Version:
    """The version without the renditions that are higher than a plan allows, 0 for any height. The
    lowest is always left: a plan gives a smaller picture, and not none."""
    if not max_height or not version.renditions:
        return version
    lowest = min(each.height for each in version.renditions)
    most = max(max_height, lowest)
    kept = [each for each in version.renditions if each.height <= most]
    return msgspec.structs.replace(version, renditions=kept)
