"""The use cases of steering."""

import msgspec
import structlog

from cuemark.contexts.steering import store
from cuemark.contexts.steering.model import pathways, ranking, reports, snapshots, tokens
from cuemark.contexts.steering.model.pathways import PlayTokens
from cuemark.contexts.steering.model.ranking import Appliance, Loads
from cuemark.contexts.steering.model.tokens import Keyring
from cuemark.contracts.encoding.events import VersionPublished
from cuemark.contracts.ids import ApplianceId, VersionId
from cuemark.contracts.steering import (
    TOPIC,
    ApplianceList,
    ApplianceState,
    DrainingSet,
    GetSnapshot,
    ListAppliances,
    Rank,
    Ranking,
    Report,
    ReportAccepted,
    SetDraining,
    Snapshot,
    SnapshotKey,
    Steer,
    Steered,
    Steering,
    UnknownAppliance,
    VersionPlaced,
)
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database, Transaction
from cuemark.kit.outbox import Entry, Log

FRESH_S = 0.2
CACHED_VERSIONS = 1024
SNAPSHOT_VERSIONS = 1000


class SteeringService(Steering):
    """Reports and published versions in PostgreSQL; a ranking reads them at most ``FRESH_S`` old.

    ``keyring`` also says which appliances are enrolled.
    """

    def __init__(
        self,
        database: Database,
        log: Log,
        clock: Clock,
        keyring: Keyring,
        play_tokens: PlayTokens,
    ) -> None:
        self._database = database
        self._log = log
        self._clock = clock
        self._keyring = keyring
        self._play_tokens = play_tokens
        self._loads = Loads()
        self._holders: dict[VersionId, tuple[float, list[Appliance]]] = {}

    async def report(self, request: Report) -> ReportAccepted:
        self._enrolled(request.appliance_id)
        reports.check_report(request)
        now = self._clock.now()
        async with self._database.transaction() as transaction:
            known = await store.record(transaction, request, now)
            if request.versions is not None:
                known = request.inventory_revision
                await store.replace_inventory(
                    transaction, request.appliance_id, known, request.versions
                )
                for version_id in await store.place(transaction, request.versions, now):
                    placed = VersionPlaced(version_id=version_id, placed_at=now)
                    await self._log.append(transaction, TOPIC, version_id, placed)
        return ReportAccepted(send_inventory=known != request.inventory_revision)

    async def get_snapshot(self, request: GetSnapshot) -> Snapshot:
        self._enrolled(request.appliance_id)
        after = snapshots.position_of(request.after)
        async with self._database.transaction() as transaction:
            if after > await store.last_position(transaction):
                after = 0
            versions, reached = await store.published_after(transaction, after, SNAPSHOT_VERSIONS)
        keys = self._keyring.all_of(request.appliance_id)
        return Snapshot(
            token_keys=[SnapshotKey(key.kid, key.key.hex()) for key in keys],
            versions=versions,
            cursor=str(reached),
        )

    async def rank(self, request: Rank) -> Ranking:
        holders = await self._holders_of(request.version_id)
        now = self._clock.now()
        limit = max(1, min(request.limit, ranking.MAX_RANKED))
        open_, draining = pathways.parted(holders, now)
        ranked = ranking.rank(open_, self._loads, request.session_id, now, limit)
        left = limit - len(ranked)
        ranked += ranking.rank(draining, Loads(), request.session_id, now, left)
        chosen = [appliance.appliance_id for appliance in ranked]
        return Ranking(
            appliances=[
                tokens.media_address(
                    appliance, request, self._keyring.current_of(appliance.appliance_id), now
                )
                for appliance in ranked
            ],
            steering_token=self._play_tokens.mint(request, chosen),
        )

    async def list_appliances(self, request: ListAppliances) -> ApplianceList:
        async with self._database.transaction() as transaction:
            found = await store.appliances(transaction)
        now = self._clock.now()
        return ApplianceList(
            appliances=[
                ApplianceState(
                    appliance_id=appliance.appliance_id,
                    url=appliance.url,
                    alive=appliance.alive(now),
                    healthy=appliance.healthy,
                    in_flight=appliance.in_flight,
                    versions=versions,
                    last_report_at=appliance.last_report_at,
                    draining=appliance.draining,
                )
                for appliance, versions in found
                if appliance.appliance_id in self._keyring
            ]
        )

    async def steer(self, request: Steer) -> Steered:
        now = self._clock.now()
        placed = self._play_tokens.read(request.token, now)
        holders = await self._holders_of(placed.version_id)
        return pathways.steered(placed.appliance_ids, holders, now)

    async def set_draining(self, request: SetDraining) -> DrainingSet:
        self._enrolled(request.appliance_id)
        async with self._database.transaction() as transaction:
            known = await store.set_draining(transaction, request.appliance_id, request.draining)
        if not known:
            raise UnknownAppliance(f"The appliance {request.appliance_id} has never reported.")
        structlog.get_logger().info(
            "appliance_draining", appliance_id=request.appliance_id, draining=request.draining
        )
        return DrainingSet()

    async def take(self, transaction: Transaction, entry: Entry) -> None:
        """Handles an event of encoding: a published version is listed for the appliances."""
        if entry.kind == VersionPublished.__name__:
            event = msgspec.json.decode(entry.body, type=VersionPublished)
            await store.add_published(transaction, event.version_id, event.index_blake3)

    def _enrolled(self, appliance_id: ApplianceId) -> None:
        if appliance_id not in self._keyring:
            raise UnknownAppliance(f"The appliance {appliance_id} is not enrolled here.")

    async def _holders_of(self, version_id: VersionId) -> list[Appliance]:
        at_s, found = self._holders.get(version_id, (float("-inf"), []))
        asked_s = self._clock.monotonic_s()
        if asked_s - at_s < FRESH_S:
            return found
        async with self._database.transaction() as transaction:
            stored = await store.holders(transaction, version_id)
        found = [appliance for appliance in stored if appliance.appliance_id in self._keyring]
        while len(self._holders) >= CACHED_VERSIONS and version_id not in self._holders:
            del self._holders[next(iter(self._holders))]
        self._holders[version_id] = (asked_s, found)
        return found
