"""Who reads the versions that are published, and makes the plans. Every control process has one of
these; one at a time plans."""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

import msgspec
import structlog

from cuemark.contexts.fill import store
from cuemark.contexts.fill.model import orders, tracks
from cuemark.contexts.fill.model.clusters import ClusterPlan, made
from cuemark.contexts.fill.model.stock import Stock
from cuemark.contexts.fill.model.tracks import Facts
from cuemark.contexts.fill.model.turns import RETRY, TURN, is_due
from cuemark.contexts.fill.store import told as telling
from cuemark.contexts.fill.store import turns
from cuemark.contracts.encoding import Encoding
from cuemark.contracts.encoding.versions import GetVersion, VersionIndex
from cuemark.contracts.fill import KEPT_DAYS
from cuemark.contracts.ids import ApplianceId, VersionId
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.errors import UNREADABLE, ContractError, Refusal, Unavailable

LOOK_S = 1.0
READ_AT_ONCE = 50
LONGEST = 200
"""Of what is told about trouble, in characters."""
WAIT_S = 30.0
"""How long somebody who wants a plan now waits for another one that is being made."""

Drafted = tuple[list[tuple[ClusterPlan, bytes]], list[tuple[ApplianceId, str, bytes]]]


class Planner:
    """``read_index`` gives the bytes of a version's index and is called in threads."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        encoding: Encoding,
        read_index: Callable[[VersionId], bytes],
        enrolled: Collection[ApplianceId],
        storage_ids: Collection[ApplianceId],
    ) -> None:
        self._database = database
        self._clock = clock
        self._encoding = encoding
        self._read_index = read_index
        self._enrolled = frozenset(enrolled)
        self._storage_ids = frozenset(storage_ids)
        self._read_after_s = 0.0

    async def run(self) -> None:
        """For ever: read what is published, and plan when it is time. The last plan stands while
        there is trouble."""
        asked = False
        while True:
            try:
                if not asked:
                    await self._ask()
                    asked = True
                await self.look()
            except ContractError as away:
                structlog.get_logger().warning("fill_waits", trouble=str(away))
            except Exception:  # noqa: BLE001
                # The outermost loop of the room: a plan that fails must not end the process.
                structlog.get_logger().exception("fill_plan_failed")
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Look once, and do what there is to do."""
        await self._read_versions()
        async with self._database.transaction() as transaction:
            due = is_due(await turns.turn(transaction), self._clock.now())
        if due:
            await self._plan()

    async def plan_now(self) -> None:
        """Plan, once nobody else does; ``Unavailable`` where that takes too long."""
        await self._read_versions()
        until_s = self._clock.monotonic_s() + WAIT_S
        while not await self._plan():
            if self._clock.monotonic_s() >= until_s:
                raise Unavailable("another process is planning")
            await asyncio.sleep(0.2)

    async def _ask(self) -> None:
        async with self._database.transaction() as transaction:
            await turns.ask(transaction, self._clock.now())

    async def _read_versions(self) -> None:
        """Learn the tracks of published versions; encoding away, they are in a later plan."""
        if self._clock.monotonic_s() < self._read_after_s:
            return
        now = self._clock.now()
        async with self._database.transaction() as transaction:
            unread = await store.unlearned(transaction, now - RETRY, READ_AT_ONCE)
        trouble = ""
        for version_id in unread:
            try:
                facts = await self._facts(version_id)
            except Unavailable as away:
                self._read_after_s = self._clock.monotonic_s() + RETRY.total_seconds()
                trouble = f"published versions are not planned yet: {away}"
                break
            except (Refusal, OSError, *UNREADABLE) as wrong:
                trouble = f"{version_id} is not planned, as its tracks cannot be read: {wrong}"
                async with self._database.transaction() as transaction:
                    await store.note_tried(transaction, version_id, now)
            else:
                async with self._database.transaction() as transaction:
                    await store.learn(transaction, version_id, facts, now)
                    await turns.ask(transaction, now)
        if trouble:
            structlog.get_logger().warning("versions_not_planned", trouble=trouble)
        if unread:
            async with self._database.transaction() as transaction:
                await turns.note_unread(transaction, trouble)

    async def _facts(self, version_id: VersionId) -> list[Facts]:
        version = await self._encoding.get_version(GetVersion(version_id=version_id))
        body = await asyncio.to_thread(self._read_index, version_id)
        return tracks.facts_of(version, msgspec.json.decode(body, type=VersionIndex))

    async def _plan(self) -> bool:
        """Plan, where it is our turn; False where it is another's."""
        begun_at, begun_s = self._clock.now(), self._clock.monotonic_s()
        me = secrets.token_hex(8)
        async with self._database.transaction() as transaction:
            ours = await turns.take(transaction, me, begun_at, begun_at + TURN)
        if not ours:
            return False
        try:
            plans, manifests = await self._drafted(begun_at)
            async with self._database.transaction() as transaction:
                # Who took too long is no more the one who plans: the other's plan stands.
                if await turns.end(transaction, me, begun_at):
                    await store.replace_plans(transaction, plans, manifests)
        except Exception as error:
            said = (str(error) or type(error).__name__).splitlines()[0][:LONGEST]
            await self._give_back(me, f"the last plan could not be made: {said}")
            raise
        except asyncio.CancelledError:
            await self._give_back(me, "")
            raise
        structlog.get_logger().info(
            "fill_planned",
            regions=len(plans),
            wanted=sum(row.wanted for plan, _ in plans for row in plan.rows),
            wall_s=round(self._clock.monotonic_s() - begun_s, 3),
        )
        return True

    async def _give_back(self, holder: str, trouble: str) -> None:
        with contextlib.suppress(ContractError):
            async with self._database.transaction() as transaction:
                await turns.give_back(transaction, holder, trouble)

    async def _drafted(self, now: datetime) -> Drafted:
        since = now - timedelta(days=KEPT_DAYS)
        async with self._database.transaction() as transaction:
            await telling.forget(transaction, since)
            await store.forget_replaced(transaction, since)
            stock = Stock(
                versions=await store.versions(transaction),
                appliances=await telling.appliances(transaction, self._enrolled, self._storage_ids),
                hours=await telling.hours(transaction, since, self._storage_ids),
            )
        return await asyncio.to_thread(_draft, stock, now)


def _draft(stock: Stock, now: datetime) -> Drafted:
    held = {each.appliance_id: each.held for each in stock.appliances}
    plans, manifests = [], []
    for plan in made(stock, now):
        plans.append((plan, msgspec.msgpack.encode(plan)))
        for box in plan.boxes:
            manifest = orders.manifest_of(plan, box, held[box.appliance_id])
            manifests.append(
                (box.appliance_id, manifest.manifest_id, msgspec.json.encode(manifest))
            )
    return plans, manifests
