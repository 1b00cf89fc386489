"""What windows allow, decided slowly and by the words of the contract alone.

It knows nothing of spans and edges: it asks of each window, by the wall clocks, whether it runs,
and finds ``since`` and ``until`` by asking at every moment at which any clock shows any wall time
that a window names.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Literal
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from cuemark.contexts.rights.model.zones import local_zones
from cuemark.contracts.rights import Holdback, LicenceType, Moment, Window

TYPES: tuple[LicenceType, ...] = ("SVOD", "VOD", "EST", "AVOD", "FVOD")
PLACES = ("DE", "US", "KI", "NP", "CU", "WS")
"""Berlin, New York, fourteen hours ahead, 45 minutes off, changes at midnight, skipped a day."""
ZONES = ("local", "UTC", "Europe/Berlin", "America/New_York", "-08:00", "+05:45", "America/Havana")


def comes(moment: Moment, territory: str, *, ends: bool, widest: bool = False) -> datetime:
    wall = datetime.fromisoformat(moment.wall)
    if moment.zone == "local":
        if territory:
            there = wall.replace(tzinfo=ZoneInfo(local_zones()[territory]))
        else:
            hours = 14 if ends != widest else -12
            there = wall.replace(tzinfo=timezone(timedelta(hours=hours)))
    elif moment.zone[0] in "+-":
        sign = 1 if moment.zone[0] == "+" else -1
        hours, minutes = int(moment.zone[1:3]), int(moment.zone[4:6])
        there = wall.replace(tzinfo=timezone(sign * timedelta(hours=hours, minutes=minutes)))
    else:
        there = wall.replace(tzinfo=ZoneInfo(moment.zone))
    return there.astimezone(UTC)


def said(wall: datetime | None, zone: str) -> Moment | None:
    return None if wall is None else Moment(wall=wall.isoformat(), zone=zone)


def names(window: Window, territory: str) -> bool:
    if "WW" in window.territories:
        return territory not in window.excluding
    return territory in window.territories


def started(window: Window, territory: str, at: datetime) -> bool:
    if window.start and at < comes(window.start, territory, ends=False):
        return False
    return not (window.announce and at < comes(window.announce, territory, ends=False))


def ended(window: Window, territory: str, at: datetime) -> bool:
    return window.end is not None and at >= comes(window.end, territory, ends=True)


def runs(window: Window, territory: str, at: datetime) -> bool:
    return started(window, territory, at) and not ended(window, territory, at)


def runs_somewhere(window: Window, at: datetime) -> bool:
    begins = comes(window.start, "", ends=False, widest=True) if window.start else None
    ends = comes(window.end, "", ends=True, widest=True) if window.end else None
    return (begins is None or begins <= at) and (ends is None or at < ends)


def allowed(windows: Sequence[Window], territory: str, plan: Sequence[str], at: datetime) -> bool:
    if not territory:
        return _allowed_anywhere(windows, plan, at)
    here = [window for window in windows if names(window, territory)]
    rivals = [window for window in here if runs(window, territory, at)]
    for window in rivals:
        if window.licence_type not in plan:
            continue
        if any(r.exclusive and r.licence_type != window.licence_type for r in rivals):
            continue
        waits = [each.window_id for each in window.holdbacks if each.rule == "over"]
        apart = [each.window_id for each in window.holdbacks if each.rule == "apart"]
        if any(w.window_id in waits and not ended(w, territory, at) for w in here):
            continue
        if any(rival.window_id in apart for rival in rivals):
            continue
        return True
    return False


def _allowed_anywhere(windows: Sequence[Window], plan: Sequence[str], at: datetime) -> bool:
    for window in windows:
        everywhere = window.territories == ["WW"] and not window.excluding
        if not everywhere or window.holdbacks or window.licence_type not in plan:
            continue
        if runs(window, "", at) and not any(
            other.exclusive
            and other.licence_type != window.licence_type
            and runs_somewhere(other, at)
            for other in windows
        ):
            return True
    return False


def moments(windows: Sequence[Window], territory: str) -> list[datetime]:
    """Every moment at which something may change, and more."""
    return sorted(
        {
            comes(moment, territory, ends=ends, widest=widest)
            for window in windows
            for moment in (window.start, window.end, window.announce)
            if moment is not None
            for ends in (False, True)
            for widest in (False, True)
        }
    )


RULES: tuple[Literal["over", "apart"], ...] = ("over", "apart")
WALLS = st.sampled_from(
    [
        datetime(2026, 3, 8, 2, 30),
        datetime(2026, 3, 8),
        datetime(2026, 3, 29, 2, 30),
        datetime(2026, 10, 25, 2, 30),
        datetime(2026, 11, 1, 0, 30),
        datetime(2028, 2, 29),
        datetime(2027, 12, 31, 23, 59, 59),
        datetime(2011, 12, 30, 12),
    ]
) | st.datetimes(datetime(2025, 1, 1), datetime(2029, 1, 1)).map(
    lambda at: at.replace(minute=0, second=0, microsecond=0)
)


@st.composite
def window_sets(draw: st.DrawFn) -> list[Window]:
    """Windows as they may be set; some of them meet, overlap or wait for one another."""
    count = draw(st.integers(1, 6))
    edges = sorted(draw(st.lists(WALLS, min_size=2, max_size=6, unique=True)))
    found = []
    for number in range(count):
        start = draw(st.none() | st.sampled_from(edges))
        end = draw(st.none() | st.sampled_from(edges))
        zone = draw(st.sampled_from(ZONES))
        if start is not None and end is not None and end <= start:
            start, end = (end, start) if end < start else (start, None)
        places = draw(st.just(["WW"]) | st.lists(st.sampled_from(PLACES), min_size=1, unique=True))
        out = draw(st.lists(st.sampled_from(PLACES), max_size=2, unique=True))
        announce = draw(st.none() | st.sampled_from(edges))
        others = [
            Holdback(window_id=f"w{n}", rule=rule)
            for n in range(count)
            if n != number
            for rule in RULES
        ]
        found.append(
            Window(
                window_id=f"w{number}",
                territories=places,
                licence_type=draw(st.sampled_from(TYPES)),
                start=said(start, zone),
                end=said(end, zone),
                excluding=out if places == ["WW"] else [],
                exclusive=draw(st.booleans()) and draw(st.booleans()),
                announce=said(announce, zone),
                holdbacks=draw(st.permutations(others))[: draw(st.integers(0, 2))],
            )
        )
    return found
