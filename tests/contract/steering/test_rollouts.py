"""What appliances run, and how a rollout is led."""

import asyncio
from typing import Any

import msgspec
import pytest

from cuemark.contracts.ids import ApplianceId
from cuemark.contracts.steering import (
    ListAppliances,
    Steering,
)
from cuemark.contracts.steering.reports import (
    GetSnapshot,
    Report,
    ReportInvalid,
    Software,
)
from cuemark.contracts.steering.rollouts import (
    ChangeRollout,
    GetRollout,
    NoRollout,
    RolloutInvalid,
    RolloutPolicy,
    RolloutUnderway,
    StartRollout,
)
from tests.contract.steering.asking import FILM, A, B, report

OLD, NEW = "0.1.0+old", "0.2.0+new"


async def report_software(
    steering: Steering, appliance_id: ApplianceId, **changes: str | int | bool
) -> None:
    said = msgspec.structs.replace(Software(release=OLD, can_update=True), **changes)
    await steering.report(
        Report(
            appliance_id=appliance_id,
            url="http://edge.test:8081/",
            healthy=True,
            in_flight=0,
            inventory_revision=1,
            versions=[FILM],
            region="oslo",
            software=said,
        )
    )


async def test_what_an_appliance_runs_is_told_as_it_said(steering: Steering) -> None:
    await report_software(steering, A, answered=9, failed=2)
    await report(steering, B, [FILM])
    a, b = (await steering.list_appliances(ListAppliances())).appliances
    assert a.software == Software(release=OLD, can_update=True, answered=9, failed=2)
    assert (a.region, b.region, b.software) == ("oslo", "", None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"release": "../../bin"},
        {"order_id": "a" * 65},
        {"trouble": "two\nlines"},
        {"failed": 1},
    ],
)
async def test_what_an_appliance_cannot_run_is_refused(
    steering: Steering, wrong: dict[str, Any]
) -> None:
    with pytest.raises(ReportInvalid, match="software"):
        await report_software(steering, A, **wrong)
    assert not (await steering.list_appliances(ListAppliances())).appliances


async def test_a_rollout_is_started_paused_and_resumed(steering: Steering) -> None:
    with pytest.raises(NoRollout):
        await steering.get_rollout(GetRollout())
    with pytest.raises(RolloutInvalid, match="no appliance can be updated"):
        await steering.start_rollout(StartRollout(release=NEW))
    await report_software(steering, A)
    await report(steering, B, [FILM])
    policy = RolloutPolicy(waves=["1", "50%"], soak_s=7)
    begun = await steering.start_rollout(StartRollout(release=NEW, policy=policy))
    assert (begun.release, begun.policy, begun.standing) == (NEW, policy, "running")
    assert [(each.appliance_id, each.phase) for each in begun.members] == [(A, "waiting")]
    change = ChangeRollout(rollout_id=begun.rollout_id, change="pause")
    assert (await steering.change_rollout(change)).standing == "paused"
    with pytest.raises(RolloutUnderway, match="cannot be paused"):
        await steering.change_rollout(change)
    with pytest.raises(RolloutUnderway, match="replaced nobody yet"):
        await steering.change_rollout(msgspec.structs.replace(change, change="undo"))
    again = await steering.change_rollout(msgspec.structs.replace(change, change="resume"))
    assert (again.standing, (await steering.get_rollout(GetRollout())).rollout_id) == (
        "running",
        begun.rollout_id,
    )
    with pytest.raises(NoRollout, match="is not the last rollout"):
        await steering.change_rollout(ChangeRollout(rollout_id="rol_other", change="pause"))
    assert (await steering.get_snapshot(GetSnapshot(appliance_id=A))).order is None


async def test_of_two_operators_at_once_one_starts_a_rollout(steering: Steering) -> None:
    await report_software(steering, A)
    starts = [
        steering.start_rollout(StartRollout(release=f"0.{number}.0")) for number in range(2, 6)
    ]
    done = await asyncio.gather(*starts, return_exceptions=True)
    assert sorted(type(each).__name__ for each in done) == ["Rollout", *["RolloutUnderway"] * 3]
