"""When a film counts as begun and as ended, and which reports are believed."""

import math
import re

from cuemark.contracts.viewers import ProgressInvalid, RecordProgress

BEGUN_S = 5.0
BEGUN_SHARE = 0.02
ENDED_SHARE = 0.95
OVERSHOOT_S = 2.0
LONGEST_S = 7 * 24 * 3600.0

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LARGEST_SEQUENCE = 2**63 - 1


def resume_s(position_s: float, duration_s: float) -> float:
    """From where a title goes on, in seconds; 0 is from the start.

    A film counts as begun after 5 s, or after 2 % of it where that is less, so that a glance
    leaves no mark and a short film can still be resumed; and as ended from 95 % on, where the
    credits run.
    """
    begun = is_begun(position_s, duration_s)
    ended = position_s >= ENDED_SHARE * duration_s
    return position_s if begun and not ended else 0.0


def is_begun(position_s: float, duration_s: float) -> bool:
    return position_s >= min(BEGUN_S, BEGUN_SHARE * duration_s)


def checked_position_s(report: RecordProgress) -> float:
    """The position that ``report`` tells, within the film.

    Players overshoot the end by a frame or a rounding, so up to 2 s past it count as the end;
    anything else outside raises ``ProgressInvalid``.
    """
    if not all(is_id(text) for text in (report.profile_id, report.title_id, report.session_id)):
        raise ProgressInvalid("The profile, title or session has an id of no form that we give.")
    if not 0 <= report.sequence <= _LARGEST_SEQUENCE:
        raise ProgressInvalid("The sequence of a report counts from 0 upwards.")
    if not (math.isfinite(report.duration_s) and 0 < report.duration_s <= LONGEST_S):
        raise ProgressInvalid("The duration of a film is more than 0 s and at most a week.")
    if not 0 <= report.position_s <= report.duration_s + OVERSHOOT_S:
        raise ProgressInvalid("The position lies outside the film.")
    return min(report.position_s, report.duration_s)


def is_id(text: str) -> bool:
    """Whether ``text`` can be an id, of whatever kind: other text is in no row."""
    return _ID.fullmatch(text) is not None
