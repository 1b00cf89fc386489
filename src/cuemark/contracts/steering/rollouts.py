"""Releases of Cuemark that appliances get in waves."""

from datetime import datetime
from typing import Literal

import msgspec

from cuemark.contracts.ids import ApplianceId
from cuemark.kit.errors import Refusal

MemberPhase = Literal["waiting", "draining", "replacing", "updated", "failed"]
RolloutStanding = Literal["running", "paused", "halted", "done", "undone"]
RolloutChange = Literal["pause", "resume", "undo"]


class RolloutInvalid(Refusal):
    code = "rollout_invalid"
    status = 422


class RolloutUnderway(Refusal):
    code = "rollout_underway"
    status = 409


class NoRollout(Refusal):
    code = "no_rollout"
    status = 404


class RolloutPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How a rollout goes. ``waves`` are how many appliances run the release after each wave, as a
    number or a share (``10%``), ascending; the last wave, all, goes without saying.

    A wave is over when all of it have been well for ``soak_s``. An appliance drains for ``drain_s``
    before it is told, and has to be back within ``deadline_s``. Of the appliances of a region and
    tier at most ``at_once_percent`` are out at a time, or one; and never the last one that is fit,
    unless ``allow_last``.
    """

    waves: list[str] = msgspec.field(default_factory=lambda: ["1", "10%", "50%"])
    soak_s: int = 600
    drain_s: int = 30
    deadline_s: int = 300
    at_once_percent: int = 25
    allow_last: bool = False


class RolloutMember(msgspec.Struct, frozen=True, kw_only=True):
    """An appliance in a rollout. ``target`` is what it is to run, ``before`` what it ran when it
    was told, empty before that and where it ran the target anyway.

    It is in its phase ``since`` a time; ``unwell_since`` is there while it is silent or not
    healthy. ``attempt`` counts its orders; ``reason`` says why it failed.
    """

    appliance_id: ApplianceId
    target: str
    since: datetime
    phase: MemberPhase = "waiting"
    before: str = ""
    attempt: int = 0
    unwell_since: datetime | None = None
    reason: str = ""


class Rollout(msgspec.Struct, frozen=True, kw_only=True):
    """The updating of appliances to a release, wave by wave.

    ``undoes`` names the rollout that this one takes back; then ``release`` is empty, and each
    member's target is what it ran before. ``reason`` says why it is halted, or what it waits for.
    ``wave`` counts from 1; all of it are well since ``well_since``. ``looked_at`` is when it was
    last looked after: what nobody looks after does not get late.
    """

    rollout_id: str
    release: str
    policy: RolloutPolicy
    standing: RolloutStanding
    started_at: datetime
    looked_at: datetime
    members: list[RolloutMember]
    wave: int = 1
    well_since: datetime | None = None
    undoes: str = ""
    reason: str = ""


class StartRollout(msgspec.Struct, frozen=True, kw_only=True):
    """``release`` is as an appliance that runs it reports it.

    Raises ``RolloutInvalid``, and ``RolloutUnderway`` while another one runs.
    """

    release: str
    policy: RolloutPolicy = RolloutPolicy()


class GetRollout(msgspec.Struct, frozen=True, kw_only=True):
    """The last one. Raises ``NoRollout`` where there was none."""


class ChangeRollout(msgspec.Struct, frozen=True, kw_only=True):
    """``pause``: nobody else is told. ``resume``: go on, and try those that failed once more.
    ``undo``: each goes back to what it ran, by a rollout of its own, which is the answer.

    Raises ``NoRollout`` where the last one is another, and ``RolloutUnderway`` where it stands so
    that this cannot be done.
    """

    rollout_id: str
    change: RolloutChange
