"""Periods by the calendar: the same day of each month or year as the anchor, or the month's last.

Counted from the anchor, not from the period before, so that a subscription of January 31 renews on
February 28 and then on March 31. All in UTC.
"""

import calendar
from datetime import datetime

from cuemark.contracts.billing.plans import Interval

_MONTHS: dict[Interval, int] = {"month": 1, "year": 12}


def boundary(anchor_at: datetime, interval: Interval, count: int) -> datetime:
    """The moment ``count`` intervals after the anchor."""
    months = anchor_at.year * 12 + anchor_at.month - 1 + count * _MONTHS[interval]
    year, month = months // 12, months % 12 + 1
    day = min(anchor_at.day, calendar.monthrange(year, month)[1])
    return anchor_at.replace(year=year, month=month, day=day)


def period(anchor_at: datetime, interval: Interval, index: int) -> tuple[datetime, datetime]:
    """From when to when the period of this index lasts; the first has index 0."""
    return boundary(anchor_at, interval, index), boundary(anchor_at, interval, index + 1)
