"""How a rollout goes on: one look at it, decided from its policy, from what appliances report, and
from the time.

Waves, each of which has to be well for a while before the next (canaries: Google, The Site
Reliability Workbook, chapter 16); a bound of what is out at a time and a deadline for each
appliance, as ``maxUnavailable`` and ``progressDeadlineSeconds`` of Kubernetes' Deployments are; and
those that were updated held against those that were not. What is late or fails halts the rollout;
only an operator lets it go on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.structs import replace

from cuemark.contexts.steering.model.shares import at_once, needed
from cuemark.contracts.ids import ApplianceId
from cuemark.contracts.steering.reports import ReleaseOrder, Software
from cuemark.contracts.steering.rollouts import Rollout, RolloutMember

UNLOOKED_S = 5.0
"""A pause between two looks that is longer is nobody's lateness: control was away."""
FINISH_S = 30.0
"""For so much longer than it is to drain an appliance may have requests in flight."""
UNWELL_S = 15.0
"""An updated appliance that is silent or not healthy for so long halts the rollout."""
AWAY_S = 60.0
"""One that is silent for so long before it was told is left out."""
FEWEST_ANSWERED = 50
MOST_FAILED = 0.02
TIMES_OTHERS = 2.0
"""Of its last minute's requests, at least so many, an updated appliance may fail the greater of
``MOST_FAILED`` and ``TIMES_OTHERS`` the share that the others fail."""

MOVING = ("draining", "replacing")


@dataclass(frozen=True)
class Seen:
    """An appliance as it is seen at one look. ``draining`` is what operators say of it."""

    appliance_id: ApplianceId
    alive: bool
    healthy: bool
    in_flight: int = 0
    draining: bool = False
    region: str = ""
    of_storage: bool = False
    software: Software | None = None

    @property
    def well(self) -> bool:
        return self.alive and self.healthy

    @property
    def release(self) -> str:
        return self.software.release if self.software else ""

    @property
    def can_update(self) -> bool:
        return self.software is not None and self.software.can_update

    @property
    def group(self) -> tuple[str, bool]:
        """Those of a region and tier, which stand in for one another."""
        return self.region, self.of_storage


Sight = Mapping[ApplianceId, Seen]


def step(rollout: Rollout, seen: Sequence[Seen], now: datetime) -> Rollout:
    """The rollout after one look. It tells nobody anything but while it is running."""
    sight = {each.appliance_id: each for each in seen}
    looked = _joined(without_pause(rollout, now), seen, now)
    looked = replace(looked, members=[_moved(each, looked, sight, now) for each in looked.members])
    if looked.standing != "running":
        return replace(looked, members=[_called_back(each, now) for each in looked.members])
    if fault := _fault(looked, sight, now):
        halted = [_called_back(each, now) for each in looked.members]
        return replace(looked, standing="halted", reason=fault, members=halted)
    looked = _advanced(looked, now)
    return looked if looked.standing == "done" else _told(looked, sight, now)


def to_look_at(rollout: Rollout) -> bool:
    """Whether a look can change it."""
    moving = any(each.phase in MOVING for each in rollout.members)
    return rollout.standing == "running" or moving


def draining(rollout: Rollout) -> list[ApplianceId]:
    """Whom plays are to be led away from."""
    return [each.appliance_id for each in rollout.members if each.phase in MOVING]


def order_for(rollout: Rollout, appliance_id: ApplianceId) -> ReleaseOrder | None:
    """What an appliance is told now."""
    for each in rollout.members:
        if each.appliance_id == appliance_id and each.phase == "replacing":
            return ReleaseOrder(order_id=_order_id(rollout, each), release=each.target)
    return None


def _order_id(rollout: Rollout, member: RolloutMember) -> str:
    return f"{rollout.rollout_id}-{member.attempt}"


def without_pause(rollout: Rollout, now: datetime) -> Rollout:
    """The rollout as if the last look had been a moment ago: what nobody looked at is not late."""
    pause = now - rollout.looked_at
    if timedelta(0) <= pause <= timedelta(seconds=UNLOOKED_S):
        return replace(rollout, looked_at=now)

    def later(at: datetime | None) -> datetime | None:
        return at and at + pause

    return replace(
        rollout,
        looked_at=now,
        well_since=later(rollout.well_since),
        members=[
            replace(each, since=each.since + pause, unwell_since=later(each.unwell_since))
            for each in rollout.members
        ],
    )


def _joined(rollout: Rollout, seen: Sequence[Seen], now: datetime) -> Rollout:
    """With those that can be updated and are new since."""
    if rollout.undoes:
        return rollout
    there = {each.appliance_id for each in rollout.members}
    new = [
        RolloutMember(appliance_id=each.appliance_id, target=rollout.release, since=now)
        for each in seen
        if each.can_update and each.appliance_id not in there
    ]
    return replace(rollout, members=[*rollout.members, *new])


def _moved(member: RolloutMember, rollout: Rollout, sight: Sight, now: datetime) -> RolloutMember:
    """Where a member is by now."""
    seen = sight.get(member.appliance_id)
    well = seen is not None and seen.well
    member = replace(member, unwell_since=None if well else member.unwell_since or now)
    passed_s = (now - member.since).total_seconds()
    policy = rollout.policy
    if member.phase == "waiting" and seen and seen.well and seen.release == member.target:
        return replace(member, phase="updated", since=now)
    if member.phase == "draining":
        empty = seen is None or seen.in_flight == 0
        if passed_s >= policy.drain_s + (0 if empty else FINISH_S):
            return replace(member, phase="replacing", since=now, attempt=member.attempt + 1)
    if member.phase == "replacing":
        if seen and seen.well and seen.release == member.target:
            return replace(member, phase="updated", since=now)
        if why := _refusal(seen, _order_id(rollout, member)):
            return replace(member, phase="failed", since=now, reason=why)
        if passed_s > policy.deadline_s:
            why = f"it is not back within {policy.deadline_s} s: {_how(seen)}"
            return replace(member, phase="failed", since=now, reason=why)
    if member.phase == "updated" and seen and seen.alive and seen.release != member.target:
        why = (seen.software.trouble if seen.software else "") or f"it runs {seen.release} again"
        return replace(member, phase="failed", since=now, reason=why)
    return member


def _refusal(seen: Seen | None, order_id: str) -> str:
    """Why an appliance does not run what it was told to; empty while it may."""
    said = seen.software if seen and seen.alive else None
    return said.trouble if said and said.order_id == order_id else ""


def _how(seen: Seen | None) -> str:
    if seen is None or not seen.alive:
        return "it is silent"
    return f"it runs {seen.release}" + ("" if seen.healthy else " and is not healthy")


def _called_back(member: RolloutMember, now: datetime) -> RolloutMember:
    """One that drains is let have plays again; one that was told is waited for."""
    if member.phase != "draining":
        return member
    before = member.before if member.attempt else ""
    return replace(member, phase="waiting", since=now, before=before)


def _fault(rollout: Rollout, sight: Sight, now: datetime) -> str:
    """Why the rollout must not go on; empty where nothing speaks against it."""
    for each in rollout.members:
        if each.phase == "failed":
            return f"{each.appliance_id} failed to run {each.target}: {each.reason}"
    limit = timedelta(seconds=UNWELL_S)
    updated = [each for each in rollout.members if each.phase == "updated" and each.before]
    for each in updated:
        if each.unwell_since is not None and now - each.unwell_since > limit:
            seen = sight.get(each.appliance_id)
            what = "is not healthy" if seen and seen.alive else "is silent"
            return f"{each.appliance_id} {what} since it runs {each.target}"
    return _failing([each.appliance_id for each in updated], sight)


def _failing(updated: Sequence[ApplianceId], sight: Sight) -> str:
    """The canary against the control: who fails more than those that were not updated."""
    others = [
        each.software
        for each in sight.values()
        if each.software and each.appliance_id not in updated and each.alive
    ]
    answered = sum(each.answered for each in others)
    usual = sum(each.failed for each in others) / answered if answered >= FEWEST_ANSWERED else 0.0
    most = max(MOST_FAILED, TIMES_OTHERS * usual)
    for appliance_id in updated:
        seen = sight.get(appliance_id)
        said = seen.software if seen and seen.alive else None
        if said and said.answered >= FEWEST_ANSWERED and said.failed / said.answered > most:
            return (
                f"{appliance_id} fails {said.failed} of {said.answered} requests since it runs "
                f"{said.release}; the others {usual:.1%}"
            )
    return ""


def _advanced(rollout: Rollout, now: datetime) -> Rollout:
    """The next wave, once all of this one have been well for long enough."""
    members = rollout.members
    away = [each for each in members if _is_away(each, now)]
    updated = [each for each in members if each.phase == "updated"]
    want = min(needed(rollout.policy, rollout.wave, len(members)), len(members) - len(away))
    settled = updated and len(updated) >= want and not any(e.phase in MOVING for e in members)
    # A member that ran the release before anybody told it says nothing of the rollout.
    well = all(each.unwell_since is None for each in updated if each.before)
    if not (settled and well):
        return replace(rollout, well_since=None)
    since = rollout.well_since or now
    if now - since < timedelta(seconds=rollout.policy.soak_s):
        return replace(rollout, well_since=since, reason="")
    if rollout.wave <= len(rollout.policy.waves):
        return replace(rollout, wave=rollout.wave + 1, well_since=None, reason="")
    left_out = ", ".join(each.appliance_id for each in away)
    reason = f"without {left_out}: silent" if left_out else ""
    return replace(rollout, standing="done", well_since=since, reason=reason)


def _is_away(member: RolloutMember, now: datetime) -> bool:
    if member.phase != "waiting" or member.unwell_since is None:
        return False
    return now - member.unwell_since > timedelta(seconds=AWAY_S)


def _told(rollout: Rollout, sight: Sight, now: datetime) -> Rollout:
    """With as many more members told to drain as the wave still wants and the bounds allow."""
    members = {each.appliance_id: each for each in rollout.members}
    begun = sum(each.phase != "waiting" for each in rollout.members)
    room = needed(rollout.policy, rollout.wave, len(members)) - begun
    moving = {each.appliance_id for each in rollout.members if each.phase in MOVING}
    held = ""
    for seen in _candidates(rollout, sight):
        if room <= 0:
            break
        if why := _in_the_way(rollout, seen, sight, moving):
            held = held or why
            continue
        member = members[seen.appliance_id]
        before = member.before or seen.release
        members[seen.appliance_id] = replace(member, phase="draining", since=now, before=before)
        moving.add(seen.appliance_id)
        room -= 1
    if moving or rollout.well_since:
        held = ""
    elif room > 0 and not held:
        held = "it waits for appliances that are silent"
    return replace(rollout, members=list(members.values()), reason=held)


def _candidates(rollout: Rollout, sight: Sight) -> list[Seen]:
    """Who may be told next. What is updated is spread over groups; a way back begins with those
    that are not well, which have the least to lose."""
    waiting = [each for each in rollout.members if each.phase == "waiting"]
    found = [sight[each.appliance_id] for each in waiting if each.appliance_id in sight]
    begun: dict[tuple[str, bool], int] = {}
    for each in rollout.members:
        if each.phase != "waiting" and each.appliance_id in sight:
            group = sight[each.appliance_id].group
            begun[group] = begun.get(group, 0) + 1
    back = bool(rollout.undoes)
    return sorted(
        (each for each in found if each.alive),
        key=lambda seen: (seen.well is back, begun.get(seen.group, 0), seen.appliance_id),
    )


def _in_the_way(rollout: Rollout, seen: Seen, sight: Sight, moving: set[ApplianceId]) -> str:
    """Why an appliance must not be taken out now; empty where it may, as one that serves nobody."""
    if not seen.well:
        return ""
    group = [each for each in sight.values() if each.group == seen.group]
    where = f"{seen.region or 'home'}, {'storage' if seen.of_storage else 'edge'}"
    out = [
        each
        for each in group
        if each.appliance_id in moving or not each.well or each.draining
        if each.appliance_id != seen.appliance_id
    ]
    if len(out) + 1 == len(group) and not rollout.policy.allow_last:
        return f"{seen.appliance_id} is the last one fit in {where}"
    most = at_once(rollout.policy, len(group))
    if len(out) + 1 > most:
        return f"{seen.appliance_id} waits: {len(out)} of {len(group)} are out in {where}"
    return ""
