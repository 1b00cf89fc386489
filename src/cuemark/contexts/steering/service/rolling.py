"""Rollouts: looked after once a second, by one process at a time, and told to appliances.

All of a rollout is in the database, and a look is one transaction: who is told, and from whom plays
are led away, changes together or not at all. With control away nobody is told anything, and it goes
on where it was.
"""

import asyncio
from collections.abc import Collection

import structlog

from cuemark.contexts.steering import store
from cuemark.contexts.steering.model import rollout_changes, rollouts
from cuemark.contexts.steering.model.rollouts import Seen
from cuemark.contexts.steering.store import rollouts as rollout_store
from cuemark.contracts.ids import ApplianceId
from cuemark.contracts.steering.reports import ReleaseOrder
from cuemark.contracts.steering.rollouts import ChangeRollout, NoRollout, Rollout, StartRollout
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database, Transaction
from cuemark.kit.errors import NoRoom, Unavailable
from cuemark.kit.ids import Ids

LOOK_S = 1.0
FRESH_S = 0.2


class Rolling:
    """The rollouts of the enrolled appliances; ``storage_ids`` are those of the storage tier."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        ids: Ids,
        enrolled: Collection[ApplianceId],
        storage_ids: Collection[ApplianceId],
    ) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._enrolled = frozenset(enrolled)
        self._storage_ids = frozenset(storage_ids)
        self._known: tuple[float, Rollout | None] = (float("-inf"), None)

    async def start(self, request: StartRollout) -> Rollout:
        async with self._database.transaction() as transaction:
            await rollout_store.take_turn(transaction)
            last = await rollout_store.last(transaction)
            rollout = rollout_changes.started(
                self._ids.new("rol"),
                request.release,
                request.policy,
                last,
                await self._seen(transaction),
                self._clock.now(),
            )
            await rollout_store.add(transaction, rollout)
        structlog.get_logger().info(
            "rollout_started", rollout_id=rollout.rollout_id, release=rollout.release
        )
        return rollout

    async def last(self) -> Rollout:
        """Raises ``NoRollout``."""
        async with self._database.transaction() as transaction:
            found = await rollout_store.last(transaction)
        if found is None:
            raise NoRollout("There was no rollout yet.")
        return found

    async def change(self, request: ChangeRollout) -> Rollout:
        now = self._clock.now()
        async with self._database.transaction() as transaction:
            await rollout_store.take_turn(transaction)
            last = await rollout_store.last(transaction)
            if last is None or last.rollout_id != request.rollout_id:
                raise NoRollout(f"{request.rollout_id[:80]} is not the last rollout.")
            changed = last
            if request.change == "pause":
                changed = rollout_changes.paused(last)
            elif request.change == "resume":
                changed = rollout_changes.resumed(last, now)
            else:
                over, changed = rollout_changes.undone(self._ids.new("rol"), last, now)
                await rollout_store.keep(transaction, over)
                await rollout_store.add(transaction, changed)
            await rollout_store.keep(transaction, changed)
        structlog.get_logger().info(
            "rollout_changed", rollout_id=last.rollout_id, change=request.change
        )
        return changed

    async def order_for(self, appliance_id: ApplianceId) -> ReleaseOrder | None:
        """What the appliance is told now: all of them ask, and are answered by one read."""
        at_s, rollout = self._known
        asked_s = self._clock.monotonic_s()
        if asked_s - at_s >= FRESH_S:
            async with self._database.transaction() as transaction:
                rollout = await rollout_store.last(transaction)
            self._known = asked_s, rollout
        return rollouts.order_for(rollout, appliance_id) if rollout else None

    async def keep(self) -> None:
        """For ever: look after the rollout. With the database away it stands as it is."""
        while True:
            try:
                await self.look()
            except (Unavailable, NoRoom) as away:
                structlog.get_logger().warning("rollout_not_looked_after", trouble=str(away))
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """One look at the last rollout, if there is anything to do for it."""
        async with self._database.transaction() as transaction:
            last = await rollout_store.last(transaction)
        if last is None or not rollouts.to_look_at(last):
            return
        async with self._database.transaction() as transaction:
            await rollout_store.take_turn(transaction)
            before = await rollout_store.last(transaction)
            if before is None or not rollouts.to_look_at(before):
                return
            after = rollouts.step(before, await self._seen(transaction), self._clock.now())
            await rollout_store.keep(transaction, after)
            await rollout_store.set_rolling(transaction, rollouts.draining(after))
        _tell(before, after)

    async def _seen(self, transaction: Transaction) -> list[Seen]:
        known = await store.known(transaction)
        said = await rollout_store.software(transaction)
        now = self._clock.now()
        return [
            Seen(
                each.appliance_id,
                alive=each.alive(now),
                healthy=each.healthy,
                in_flight=each.in_flight,
                draining=said[each.appliance_id].draining,
                region=said[each.appliance_id].region,
                of_storage=each.appliance_id in self._storage_ids,
                software=said[each.appliance_id].software,
            )
            for each in known
            if each.appliance_id in self._enrolled
        ]


def _tell(before: Rollout, after: Rollout) -> None:
    """The structured log: what changed in a rollout by a look."""
    log = structlog.get_logger().bind(rollout_id=after.rollout_id)
    phases = {each.appliance_id: each.phase for each in before.members}
    for each in after.members:
        if phases.get(each.appliance_id) != each.phase:
            log.info("rollout_member", appliance_id=each.appliance_id, phase=each.phase)
    if before.standing != after.standing:
        tell = log.error if after.standing == "halted" else log.info
        tell("rollout", standing=after.standing, release=after.release, reason=after.reason)
