"""What follows from a plan: what each appliance is told, and why a track is in it or is not."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from cuemark.contexts.fill.model.clusters import ClusterPlan, PlannedBox, PlannedRow
from cuemark.contexts.fill.model.explain import Reason, explain
from cuemark.contexts.fill.model.plan import FETCH_PLAYS, HORIZON_H, Plan
from cuemark.contexts.fill.model.stock import Held, KnownAppliance
from cuemark.contracts.fill import (
    MOST_FETCHED,
    MOST_KEPT,
    AppliancePlan,
    Manifest,
    PlannedTrack,
    RegionPlan,
    TrackExplanation,
    TrackReason,
)
from cuemark.contracts.ids import ApplianceId, TitleId, VersionId


@dataclass(frozen=True)
class AskedTrack:
    """A track that somebody asks about; ``replaced_by`` is the version that is planned instead of
    its own, None where its own is."""

    version_id: VersionId
    track_id: str
    title_id: TitleId
    size_bytes: int
    replaced_by: VersionId | None


def manifest_of(plan: ClusterPlan, box: PlannedBox, held: Held) -> Manifest:
    """What an appliance that has ``held`` is told. The same plan has the same ``manifest_id``."""
    keep = [_planned(plan.rows[place]) for place in box.rows[:MOST_KEPT]]
    fetch = [
        each for each in keep if held.get((each.version_id, each.track_id), 0) < each.size_bytes
    ]
    fetch = fetch[:MOST_FETCHED]
    said = msgspec.json.encode([fetch, keep])
    return Manifest(
        manifest_id=hashlib.sha256(said).hexdigest()[:32],
        made_at=plan.made_at,
        fetch=fetch,
        keep=keep,
    )


def _planned(row: PlannedRow) -> PlannedTrack:
    return PlannedTrack(row.version_id, row.track_id, row.size_bytes, round(row.value, 3))


def region_plan(plan: ClusterPlan, appliances: Sequence[KnownAppliance]) -> RegionPlan:
    """A plan with what its appliances hold by now."""
    known = {each.appliance_id: each for each in appliances}
    titles = {row.title_id: row.title_plays for row in plan.rows}
    return RegionPlan(
        region=plan.region,
        tier=plan.tier,
        made_at=plan.made_at,
        local_time=plan.local_time,
        hours=plan.hours,
        tracks=len(plan.rows),
        expected_plays=sum(titles.values()),
        cutoff_plays=plan.cutoff,
        appliances=[
            _appliance_plan(plan, box, known[box.appliance_id])
            for box in plan.boxes
            if box.appliance_id in known
        ],
    )


def _appliance_plan(plan: ClusterPlan, box: PlannedBox, appliance: KnownAppliance) -> AppliancePlan:
    rows = [plan.rows[place] for place in box.rows]
    lacks = [_lacks(row, appliance.held) for row in rows]
    return AppliancePlan(
        appliance_id=box.appliance_id,
        storage_bytes=appliance.storage_bytes,
        held_bytes=sum(appliance.held.values()),
        wanted_bytes=sum(row.size_bytes for row in rows),
        fetch_bytes=sum(lacks),
        fetches=sum(bytes_ > 0 for bytes_ in lacks),
        told_at=appliance.told_at,
    )


def _lacks(row: PlannedRow, held: Held) -> int:
    return max(0, row.size_bytes - held.get((row.version_id, row.track_id), 0))


class Decided:
    """A plan as the arrays by which it was decided, and the places of its tracks."""

    def __init__(self, plan: ClusterPlan) -> None:
        self.plan = plan
        self.places = {_key(row): place for place, row in enumerate(plan.rows)}
        self.value = np.array([row.value for row in plan.rows], dtype=np.float64)
        self.held = np.array([row.held for row in plan.rows], dtype=np.bool_)
        wanted = np.array([row.wanted for row in plan.rows], dtype=np.bool_)
        fill = np.array(plan.fill, dtype=np.int64)
        self.made = Plan(wanted, fill, self.held & ~wanted, plan.cutoff)


def explanation(
    row: AskedTrack, plans: Sequence[Decided], appliances: Sequence[KnownAppliance]
) -> TrackExplanation:
    """Why each region has a track, or has it not, by the plans as they were decided and by what is
    held now."""
    key = row.version_id, row.track_id
    holders = [each for each in appliances if each.held.get(key, 0) >= row.size_bytes]
    reasons = []
    for decided in plans:
        cluster = decided.plan.region, decided.plan.tier
        held_on = [each.appliance_id for each in holders if (each.region, each.tier) == cluster]
        if key in decided.places:
            reasons.append(_reason(decided, decided.places[key], held_on))
        else:
            reasons.append(_unplanned(row, decided.plan, held_on))
    return TrackExplanation(
        version_id=row.version_id,
        title_id=row.title_id,
        track_id=row.track_id,
        size_bytes=row.size_bytes,
        regions=reasons,
    )


def _key(row: PlannedRow) -> tuple[VersionId, str]:
    return row.version_id, row.track_id


def _unplanned(row: AskedTrack, plan: ClusterPlan, held_on: list[ApplianceId]) -> TrackReason:
    why = "It is not planned yet: the plan is older than what is known of it."
    if row.replaced_by:
        why = f"It is not planned: {row.replaced_by} has taken the place of its version."
    return TrackReason(
        region=plan.region,
        tier=plan.tier,
        wanted=False,
        held=bool(held_on),
        expected_plays=0.0,
        rank=len(plan.rows) + 1,
        of=len(plan.rows),
        cutoff_plays=plan.cutoff,
        title_plays=0.0,
        share=0.0,
        told=why,
        on=[],
        held_on=held_on,
    )


def _reason(decided: Decided, place: int, held_on: list[ApplianceId]) -> TrackReason:
    plan, held = decided.plan, decided.held.copy()
    held[place] = bool(held_on)
    reason, row = explain(place, decided.value, held, decided.made), plan.rows[place]
    return TrackReason(
        region=plan.region,
        tier=plan.tier,
        wanted=reason.wanted,
        held=reason.held,
        expected_plays=reason.expected,
        rank=reason.rank,
        of=reason.of,
        cutoff_plays=reason.cutoff,
        title_plays=row.title_plays,
        share=row.value / row.title_plays if row.title_plays else 0.0,
        told=_told(plan, reason),
        on=[box.appliance_id for box in plan.boxes if place in box.rows],
        held_on=held_on,
    )


def _told(plan: ClusterPlan, reason: Reason) -> str:
    plays = f"{reason.expected:.1f} plays are expected within {HORIZON_H} hours"
    worth = plan.roomy or reason.expected > max(reason.cutoff, FETCH_PLAYS)
    if worth and not reason.wanted and not reason.held:
        return f"It has no place: {plays}, and no appliance has as much room left."
    if plan.roomy and reason.wanted:
        what = "stays" if reason.held else "is brought"
        return f"It {what}: there is room for all, and {plays}."
    return reason.told
