"""What operators do with rollouts: start one, pause it, let it go on, take it back."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from cuemark.contexts.steering.model.rollouts import MOVING, Seen, without_pause
from cuemark.contexts.steering.model.shares import check_policy
from cuemark.contracts.steering.rollouts import (
    Rollout,
    RolloutInvalid,
    RolloutMember,
    RolloutPolicy,
    RolloutUnderway,
)
from cuemark.kit.release import is_release


def check_name(release: str) -> None:
    """Raises ``RolloutInvalid`` for what is no name of a release."""
    if not is_release(release):
        raise RolloutInvalid(
            f"{release[:80]!r} names no release: write what `cuemark --version` says of it"
        )


def started(
    rollout_id: str,
    release: str,
    policy: RolloutPolicy,
    last: Rollout | None,
    seen: Sequence[Seen],
    now: datetime,
) -> Rollout:
    """A rollout to a release, after the last one, if there was any.

    Raises ``RolloutInvalid``, and ``RolloutUnderway`` where the last one is not over.
    """
    check_name(release)
    check_policy(policy)
    if last is not None:
        if last.standing == "running":
            raise RolloutUnderway(f"{_named(last)} is running: pause it first, or wait for its end")
        _check_nobody_moves(last)
    members = [
        RolloutMember(appliance_id=each.appliance_id, target=release, since=now)
        for each in seen
        if each.can_update
    ]
    if not members:
        raise RolloutInvalid(
            "no appliance can be updated by a rollout: write `releases` into the files of those "
            "that shall"
        )
    if all(each.release == release for each in seen if each.can_update):
        raise RolloutInvalid(f"all appliances that can be updated run {release} already")
    return Rollout(
        rollout_id=rollout_id,
        release=release,
        policy=policy,
        standing="running",
        started_at=now,
        looked_at=now,
        members=members,
    )


def paused(rollout: Rollout) -> Rollout:
    """Raises ``RolloutUnderway`` where it does not run."""
    if rollout.standing != "running":
        raise RolloutUnderway(f"{_named(rollout)} is {rollout.standing}: it cannot be paused")
    return replace(rollout, standing="paused", reason="")


def resumed(rollout: Rollout, now: datetime) -> Rollout:
    """Go on; those that failed get another order. Raises ``RolloutUnderway`` where it runs, or is
    over."""
    if rollout.standing not in ("paused", "halted"):
        raise RolloutUnderway(f"{_named(rollout)} is {rollout.standing}: it cannot be resumed")
    rollout = without_pause(rollout, now)
    members = [
        replace(each, phase="waiting", since=now, reason="") if each.phase == "failed" else each
        for each in rollout.members
    ]
    return replace(rollout, standing="running", reason="", well_since=None, members=members)


def undone(rollout_id: str, rollout: Rollout, now: datetime) -> tuple[Rollout, Rollout]:
    """The rollout as it is over by this, and the one that takes it back.

    The release that an appliance goes back to has served there before, so it goes in one wave;
    bounds and drains are those of the way there. Raises ``RolloutUnderway`` where there is nothing
    to take back.
    """
    if rollout.undoes or rollout.standing == "undone":
        raise RolloutUnderway(f"{_named(rollout)} is a way back: start another rollout instead")
    members = [
        RolloutMember(appliance_id=each.appliance_id, target=each.before, since=now)
        for each in rollout.members
        if each.before and each.phase not in ("waiting", "draining")
    ]
    if not members:
        raise RolloutUnderway(f"{_named(rollout)} has replaced nobody yet: pause it instead")
    policy = replace(rollout.policy, waves=[], soak_s=0)
    back = Rollout(
        rollout_id=rollout_id,
        release="",
        policy=policy,
        standing="running",
        started_at=now,
        looked_at=now,
        members=members,
        undoes=rollout.rollout_id,
    )
    return replace(rollout, standing="undone"), back


def _check_nobody_moves(last: Rollout) -> None:
    for each in last.members:
        if each.phase in MOVING and last.standing in ("paused", "halted"):
            raise RolloutUnderway(f"{each.appliance_id} is still being replaced: wait for it")


def _named(rollout: Rollout) -> str:
    return f"the rollout of {rollout.release}" if rollout.release else "the way back"
