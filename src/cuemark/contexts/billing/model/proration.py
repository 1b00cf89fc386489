"""What the rest of a period is worth, when a dearer plan takes its place: version 1.

Versions stay: an invoice says by which its lines were made, and what was sent is never computed
anew by another rule.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from cuemark.contexts.billing.model.money import ratio

VERSION = "proration_v1"
_MICROSECOND = timedelta(microseconds=1)


class Prorated(NamedTuple):
    """``credit_minor`` for what is not used of the old plan, ``charge_minor`` for the new one."""

    credit_minor: int
    charge_minor: int


def proration_v1(
    old_minor: int, new_minor: int, starts_at: datetime, ends_at: datetime, at: datetime
) -> Prorated:
    """Both prices by the part of the period that is left at ``at``, to the microsecond.

    Each is rounded to the nearest unit, halves away from zero. ``at`` before the period counts as
    its beginning, and after it as its end.
    """
    whole = (ends_at - starts_at) // _MICROSECOND
    left = (ends_at - min(max(at, starts_at), ends_at)) // _MICROSECOND
    return Prorated(ratio(old_minor, left, whole), ratio(new_minor, left, whole))
