"""What a run of the lab showed: each viewer's time, and what each fault did to them."""

import statistics
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import msgspec

from cuemark.lab.cdn.client import Ending, Glance
from cuemark.lab.cdn.faults import EDGE, Fault
from cuemark.lab.cdn.visitor import Visit

LEAVES_WITHIN_S = 30.0
"""A change of appliance counts for the last fault before it, where that began so long ago."""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """From one time of the run to another, in seconds, a viewer fetched from an appliance."""

    from_s: float
    to_s: float
    appliance_id: str


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """The picture stood still."""

    from_s: float
    to_s: float


class Viewer(msgspec.Struct, frozen=True, kw_only=True):
    """``error`` is empty where the play came to its end. ``moves`` counts changes of appliance by
    why, as the player's report has it; the first segment after one was waited for at most
    ``longest_move_s``."""

    name: str
    network: str
    began_s: float
    startup_ms: int
    played_s: float
    stalls: int
    stall_ms: int
    mean_kbps: float
    switches: int
    moves: dict[str, int]
    longest_move_s: float
    wrong_digests: int
    error: str
    spans: list[Span]
    waits: list[Wait]


class Aftermath(msgspec.Struct, frozen=True, kw_only=True):
    """What followed a fault: how many viewers left their appliance, and how long after it the first
    and the last did; None where nobody did. Of an appliance's fault those count who left it."""

    fault: str
    at_s: float
    until_s: float | None
    moved: int
    first_s: float | None
    last_s: float | None


class Visited(msgspec.Struct, frozen=True, kw_only=True):
    """A visit, as in ``visitor``, ``at_s`` of the run."""

    at_s: float
    pages_ms: int
    startup_ms: int
    appliance_id: str
    error: str


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """``rebuffer_ratio`` is time of waiting over that and the time of playing, of all viewers.

    ``served`` counts segments by appliance. ``visits`` are none where nobody browsed.
    """

    seconds: float
    viewers: list[Viewer]
    faults: list[Aftermath]
    failed: int
    stalls: int
    rebuffer_ratio: float
    startup_p50_ms: float
    longest_move_s: float
    served: dict[str, int]
    visits: list[Visited] = []


def viewer_of(
    name: str, network: str, glances: Sequence[Glance], ending: Ending | None, zero_s: float
) -> Viewer:
    """A viewer's time. ``zero_s`` is when the run began."""
    report = None if ending is None else ending.report
    error = "the viewer's program ended without a word" if ending is None else ending.error
    moves = Counter[str](move.why for move in report.moves) if report else Counter[str]()
    return Viewer(
        name=name,
        network=network,
        began_s=(ending.began_s - zero_s) if ending else 0.0,
        startup_ms=report.startup_ms if report else 0,
        played_s=report.seconds_played if report else 0.0,
        stalls=report.stalls if report else 0,
        stall_ms=report.stall_ms if report else 0,
        mean_kbps=report.mean_bitrate_kbps if report else 0.0,
        switches=report.switches if report else 0,
        moves=dict(moves),
        longest_move_s=max((move.waited_s for move in report.moves), default=0) if report else 0,
        wrong_digests=report.wrong_digests if report else 0,
        error=error,
        spans=_spans(ending, zero_s),
        waits=_waits(glances, zero_s),
    )


def outcome_of(
    seconds: float,
    late_s: float,
    viewers: Sequence[Viewer],
    faults: Sequence[Fault],
    reports: Sequence[Ending | None],
) -> Outcome:
    """All viewers together. Faults have their times from ``late_s`` of the run on."""
    served: Counter[str] = Counter()
    for ending in reports:
        if ending is not None and ending.report is not None:
            served.update(ending.report.segments_by_appliance)
    waited_s = sum(each.stall_ms for each in viewers) / 1000
    whole_s = waited_s + sum(each.played_s for each in viewers)
    startups = [each.startup_ms for each in viewers if each.startup_ms]
    return Outcome(
        seconds=seconds,
        viewers=list(viewers),
        faults=[_aftermath(each, faults, viewers, late_s) for each in faults],
        failed=sum(bool(each.error) for each in viewers),
        stalls=sum(each.stalls for each in viewers),
        rebuffer_ratio=waited_s / whole_s if whole_s else 0.0,
        startup_p50_ms=statistics.median(startups) if startups else 0.0,
        longest_move_s=max((each.longest_move_s for each in viewers), default=0.0),
        served=dict(sorted(served.items())),
    )


def visits_of(visits: Sequence[Visit], zero_s: float) -> list[Visited]:
    """With their times from when the run began."""
    return [
        Visited(
            at_s=round(each.clock_s - zero_s, 3),
            pages_ms=each.pages_ms,
            startup_ms=each.startup_ms,
            appliance_id=each.appliance_id,
            error=each.error,
        )
        for each in visits
    ]


def _spans(ending: Ending | None, zero_s: float) -> list[Span]:
    """Whom a viewer fetched from, and when."""
    if ending is None or ending.report is None or not ending.report.appliances:
        return []
    report, began_s = ending.report, ending.began_s - zero_s
    at_s, holder, spans = began_s, report.appliances[0], list[Span]()
    for move in report.moves:
        spans.append(Span(from_s=at_s, to_s=began_s + move.at_s, appliance_id=move.left))
        at_s, holder = began_s + move.at_s, move.to
    end_s = max(ending.ended_s - zero_s, at_s)
    return [*spans, Span(from_s=at_s, to_s=end_s, appliance_id=holder)]


def _waits(glances: Sequence[Glance], zero_s: float) -> list[Wait]:
    waits: list[Wait] = []
    open_ = False
    for glance in glances:
        now_s = glance.clock_s - zero_s
        if open_:
            waits[-1] = msgspec.structs.replace(waits[-1], to_s=now_s)
        elif glance.stalled:
            waits.append(Wait(from_s=now_s, to_s=now_s))
        open_ = glance.stalled
    return waits


def _may_leave(span: Span, fault: Fault) -> bool:
    """Whether who left this appliance may have done so for the fault."""
    return not fault.what.startswith(EDGE) or span.appliance_id == fault.what


def _aftermath(
    fault: Fault, faults: Sequence[Fault], viewers: Sequence[Viewer], late_s: float
) -> Aftermath:
    at_s = fault.at_s + late_s
    later = [each.at_s + late_s for each in faults if each.at_s > fault.at_s]
    end_s = min([at_s + LEAVES_WITHIN_S, *later])
    firsts = []
    for viewer in viewers:
        changes = [
            after.from_s - at_s
            for before, after in pairwise(viewer.spans)
            if at_s <= after.from_s < end_s and _may_leave(before, fault)
        ]
        firsts += changes[:1]
    return Aftermath(
        fault=fault.name,
        at_s=at_s,
        until_s=None if fault.for_s is None else fault.until_s + late_s,
        moved=len(firsts),
        first_s=min(firsts, default=None),
        last_s=max(firsts, default=None),
    )
