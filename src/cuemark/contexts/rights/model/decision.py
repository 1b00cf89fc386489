"""What windows allow: one pure function.

Between two edges (a start, an end, an announcement) nothing changes, so ``since`` and ``until`` are
found by looking at the edges alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cuemark.contexts.rights.model.windows import covers
from cuemark.contexts.rights.model.zones import FIRST, LAST, instant_of
from cuemark.contracts.ids import TitleId
from cuemark.contracts.rights import Decision, LicenceType, Reason, Window

Plan = frozenset[LicenceType]


@dataclass(frozen=True)
class Span:
    """A window in one territory. It runs from ``begin`` until just before ``end``, and is announced
    from ``announced`` on: that is ``begin`` for one that says nothing of it."""

    window_id: str
    licence_type: LicenceType
    begin: datetime
    end: datetime
    announced: datetime
    exclusive: bool
    waits_for: tuple[str, ...]
    apart_from: tuple[str, ...]

    def runs(self, at: datetime) -> bool:
        return self.begin <= at < self.end


@dataclass(frozen=True)
class Verdict:
    """What is decided of one title: see ``contracts.rights.Decision``."""

    allowed: bool
    reason: Reason
    shown: bool
    since: datetime | None = None
    until: datetime | None = None


OPEN = Verdict(allowed=True, reason="open", shown=True)
CLOSED = Verdict(allowed=False, reason="unrecorded", shown=False)


def decide(windows: Sequence[Window], territory: str, plan: Plan, at: datetime) -> Verdict:
    """May a title with these windows be played there and then, by a plan with such licences?

    ``territory`` is a code of ISO 3166-1, or empty where it is not known: then only windows count
    that hold everywhere, and exclusive ones of any territory hinder.
    """
    giving = [_span(window, territory) for window in windows if covers(window, territory)]
    if not giving:
        return Verdict(allowed=False, reason="territory", shown=False)
    hindering = giving if territory else [_widest(window) for window in windows if window.exclusive]
    ours = [span for span in giving if span.licence_type in plan]

    def allowed(moment: datetime) -> bool:
        return any(span.runs(moment) and not _hindrance(span, hindering, moment) for span in ours)

    now = allowed(at)
    edges = sorted({edge for span in (*giving, *hindering) for edge in (span.begin, span.end)})
    announced = any(span.announced <= at < span.begin < span.end for span in ours)
    return Verdict(
        allowed=now,
        reason="held" if now else _reason(ours, hindering, at),
        shown=now or announced,
        since=_flip_before(edges, at, now, allowed),
        until=next((e for e in edges if e > at and e != LAST and allowed(e) != now), None),
    )


def decision_of(title_id: TitleId, verdict: Verdict, at: datetime, grace: timedelta) -> Decision:
    """The verdict with what it says of plays that began before: see ``contracts.rights``."""
    over = verdict.until if verdict.allowed else verdict.since
    ends_at = over + grace if over is not None and over <= LAST - grace else None
    may_go_on = verdict.allowed or (ends_at is not None and at < ends_at)
    return Decision(
        title_id=title_id,
        allowed=verdict.allowed,
        reason=verdict.reason,
        shown=verdict.shown,
        may_go_on=may_go_on,
        since=verdict.since,
        until=verdict.until,
        ends_at=ends_at,
    )


def _span(window: Window, territory: str) -> Span:
    start = instant_of(window.start, territory, ends=False) if window.start else FIRST
    end = instant_of(window.end, territory, ends=True) if window.end else LAST
    announce = instant_of(window.announce, territory, ends=False) if window.announce else None
    begin = max(start, announce or FIRST)
    return Span(
        window_id=window.window_id,
        licence_type=window.licence_type,
        begin=begin,
        end=end,
        announced=announce or begin,
        exclusive=window.exclusive,
        waits_for=tuple(each.window_id for each in window.holdbacks if each.rule == "over"),
        apart_from=tuple(each.window_id for each in window.holdbacks if each.rule == "apart"),
    )


def _widest(window: Window) -> Span:
    """From where the window begins first to where it ends last, by whichever clock."""
    begin = instant_of(window.start, "", ends=True) if window.start else FIRST
    end = instant_of(window.end, "", ends=False) if window.end else LAST
    span = _span(window, "")
    return replace(span, begin=begin, end=end)


def _hindrance(span: Span, hindering: Sequence[Span], at: datetime) -> Reason | None:
    """Why a window that runs gives no right; None where it does."""
    for other in hindering:
        if other.window_id in span.waits_for and at < other.end:
            return "held_back"
        if other.window_id in span.apart_from and other.runs(at):
            return "held_back"
    for other in hindering:
        if other.exclusive and other.licence_type != span.licence_type and other.runs(at):
            return "suspended"
    return None


def _reason(ours: Sequence[Span], hindering: Sequence[Span], at: datetime) -> Reason:
    """Why nothing of ours gives a right now: what comes nearest to giving one says so."""
    if not ours:
        return "licence_type"
    why = {_hindrance(span, hindering, at) for span in ours if span.runs(at)}
    if "held_back" in why:
        return "held_back"
    if "suspended" in why:
        return "suspended"
    return "not_begun" if any(at < span.begin < span.end for span in ours) else "over"


def _flip_before(
    edges: Sequence[datetime], at: datetime, now: bool, allowed: Callable[[datetime], bool]
) -> datetime | None:
    """The edge at which it became as it is now; None where it always was so."""
    past = [edge for edge in edges if edge <= at and edge != FIRST]
    for position in range(len(past) - 1, -1, -1):
        before = past[position - 1] if position else FIRST
        if allowed(before) != now:
            return past[position]
    return None
