"""Rollouts on a real PostgreSQL: who is told, from whom plays are led away, who looks after it."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from cuemark.contexts.steering import wiring
from cuemark.contexts.steering.service.rolling import Rolling
from cuemark.contracts.ids import ApplianceId, PlaySessionId, VersionId
from cuemark.contracts.steering import ListAppliances, Rank, SetDraining, Steering
from cuemark.contracts.steering.reports import GetSnapshot, ReleaseOrder, Report, Software
from cuemark.contracts.steering.rollouts import (
    ChangeRollout,
    GetRollout,
    RolloutPolicy,
    StartRollout,
)
from cuemark.kit.cat import TokenKey
from cuemark.kit.clock import ManualClock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Log
from tests.databases import opened
from tests.unit.steering.teller import untold

A, B = ApplianceId("edge-a"), ApplianceId("edge-b")
FILM = VersionId("ver_film")
OLD, NEW = "0.1.0+old", "0.2.0+new"
QUICK = RolloutPolicy(waves=["1"], soak_s=2, drain_s=2, deadline_s=30)


class Fleet:
    """Two appliances as steering hears of them, and control looking after a rollout of theirs."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = ManualClock()
        self.runs = {A: OLD, B: OLD}
        self.orders = {A: "", B: ""}
        self.silent: set[ApplianceId] = set()
        self.begin()

    def begin(self) -> None:
        """Control starts, or starts anew."""
        room = wiring.build(
            database=self.database,
            log=Log(self.clock),
            clock=self.clock,
            fill=untold(),
            appliance_ids=(A, B),
            token_keys=[TokenKey("k1", b"1" * 32)],
        )
        self.steering: Steering = room.service
        self.rolling = Rolling(self.database, self.clock, Ids(self.clock), (A, B), ())

    async def report(self) -> None:
        for appliance_id in {A, B} - self.silent:
            said = Software(
                release=self.runs[appliance_id],
                can_update=True,
                order_id=self.orders[appliance_id],
            )
            await self.steering.report(
                Report(
                    appliance_id=appliance_id,
                    url=f"http://{appliance_id}.test/",
                    healthy=True,
                    in_flight=0,
                    inventory_revision=1,
                    versions=[FILM],
                    software=said,
                )
            )

    async def pass_s(self, seconds: int) -> None:
        for _ in range(seconds):
            self.clock.advance(1)
            await self.report()
            await self.rolling.look()

    async def order(self, appliance_id: ApplianceId) -> ReleaseOrder | None:
        found = await self.steering.get_snapshot(GetSnapshot(appliance_id=appliance_id))
        return found.order

    async def obey(self, appliance_id: ApplianceId) -> None:
        order = await self.order(appliance_id)
        assert order is not None
        self.runs[appliance_id], self.orders[appliance_id] = order.release, order.order_id

    async def drains(self) -> list[ApplianceId]:
        listed = await self.steering.list_appliances(ListAppliances())
        return [each.appliance_id for each in listed.appliances if each.draining]

    async def first(self) -> ApplianceId:
        """Where a new play is sent."""
        ranking = await self.steering.rank(
            Rank(
                session_id=PlaySessionId("ses_1"),
                version_id=FILM,
                expires_at=self.clock.now() + timedelta(hours=1),
            )
        )
        return ranking.appliances[0].appliance_id

    async def standing(self) -> str:
        return (await self.steering.get_rollout(GetRollout())).standing


@pytest.fixture
async def fleet(database_url: str) -> AsyncIterator[Fleet]:
    async with opened(database_url, wiring) as database:
        fleet = Fleet(database)
        await fleet.report()
        yield fleet


async def test_each_is_drained_told_and_let_have_plays_again(fleet: Fleet) -> None:
    await fleet.steering.start_rollout(StartRollout(release=NEW, policy=QUICK))
    assert await fleet.order(A) is None
    await fleet.pass_s(1)
    assert (await fleet.drains(), await fleet.first(), await fleet.order(A)) == ([A], B, None)
    await fleet.pass_s(2)
    order = await fleet.order(A)
    assert order is not None
    assert order.release == NEW
    assert await fleet.order(B) is None
    await fleet.obey(A)
    await fleet.pass_s(1)
    assert (await fleet.drains(), await fleet.order(A)) == ([], None)
    await fleet.pass_s(3)
    assert (await fleet.drains(), await fleet.first()) == ([B], A)
    await fleet.pass_s(2)
    await fleet.obey(B)
    await fleet.pass_s(4)
    assert await fleet.standing() == "done"


async def test_what_operators_drained_stays_so_after_a_rollout(fleet: Fleet) -> None:
    await fleet.steering.set_draining(SetDraining(appliance_id=B, draining=True))
    await fleet.steering.start_rollout(StartRollout(release=NEW, policy=QUICK))
    await fleet.pass_s(4)
    await fleet.obey(B)
    await fleet.pass_s(2)
    assert await fleet.drains() == [B]


async def test_control_that_was_killed_goes_on_where_it_was(fleet: Fleet) -> None:
    await fleet.steering.start_rollout(StartRollout(release=NEW, policy=QUICK))
    await fleet.pass_s(4)
    order = await fleet.order(A)
    fleet.clock.advance(3600)
    fleet.begin()
    await fleet.rolling.look()
    assert await fleet.standing() == "running", "an hour without control is nobody's lateness"
    await fleet.report()
    assert await fleet.order(A) == order
    await fleet.obey(A)
    await fleet.pass_s(5)
    assert await fleet.drains() == [B]


async def test_one_that_dies_while_it_drains_is_told_when_it_is_back(fleet: Fleet) -> None:
    await fleet.steering.start_rollout(StartRollout(release=NEW, policy=QUICK))
    await fleet.pass_s(1)
    fleet.silent.add(A)
    await fleet.pass_s(15)
    assert (await fleet.standing(), await fleet.first()) == ("running", B)
    fleet.silent.clear()
    await fleet.pass_s(1)
    await fleet.obey(A)
    await fleet.pass_s(2)
    assert await fleet.drains() == []
    assert fleet.runs[A] == NEW


async def test_one_that_dies_for_good_halts_it_and_the_other_keeps_its_release(
    fleet: Fleet,
) -> None:
    begun = await fleet.steering.start_rollout(StartRollout(release=NEW, policy=QUICK))
    await fleet.pass_s(1)
    fleet.silent.add(A)
    await fleet.pass_s(40)
    found = await fleet.steering.get_rollout(GetRollout())
    assert (found.standing, "edge-a failed to run 0.2.0+new" in found.reason) == ("halted", True)
    assert (await fleet.drains(), await fleet.order(B)) == ([], None)
    fleet.silent.clear()
    change = ChangeRollout(rollout_id=begun.rollout_id, change="undo")
    back = await fleet.steering.change_rollout(change)
    assert (back.undoes, back.release) == (begun.rollout_id, "")
    await fleet.pass_s(2)
    assert await fleet.standing() == "done", "it never ran another release"


async def test_two_processes_that_look_after_it_do_as_one_does(fleet: Fleet) -> None:
    await fleet.steering.start_rollout(StartRollout(release=NEW, policy=QUICK))
    other = Rolling(fleet.database, fleet.clock, Ids(fleet.clock), (A, B), ())
    for _ in range(3):
        fleet.clock.advance(1)
        await fleet.report()
        await fleet.rolling.look()
        await other.look()
    assert await fleet.drains() == [A]
    assert await fleet.order(A) is not None
