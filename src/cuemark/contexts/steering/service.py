"""The use cases of steering."""

from collections.abc import Collection

import msgspec

from cuemark.contexts.steering import model, store
from cuemark.contexts.steering.model import Appliance, Keyring, Loads
from cuemark.contracts.encoding.events import VersionPublished
from cuemark.contracts.ids import ApplianceId, VersionId
from cuemark.contracts.playback import PlayStopped
from cuemark.contracts.steering import (
    MAX_REVOKED,
    TOPIC,
    ApplianceList,
    ApplianceState,
    GetSnapshot,
    ListAppliances,
    Rank,
    Ranking,
    Report,
    ReportAccepted,
    Snapshot,
    SnapshotKey,
    Steering,
    UnknownAppliance,
    VersionPlaced,
)
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database, Transaction
from cuemark.kit.networks import networks_of
from cuemark.kit.outbox import Entry, Log

FRESH_S = 0.2
CACHED_VERSIONS = 1024
SNAPSHOT_VERSIONS = 1000
SNAPSHOT_REVOKED = 5000


class SteeringService(Steering):
    """Reports and published versions in PostgreSQL; a ranking reads them at most ``FRESH_S`` old.

    ``keyring`` also says which appliances are enrolled; ``storage_ids`` are those of the storage
    tier.
    """

    def __init__(
        self,
        database: Database,
        log: Log,
        clock: Clock,
        keyring: Keyring,
        storage_ids: Collection[ApplianceId] = (),
    ) -> None:
        self._database = database
        self._log = log
        self._clock = clock
        self._keyring = keyring
        self._storage_ids = frozenset(storage_ids)
        self._loads = Loads()
        self._holders: dict[VersionId, tuple[float, list[Appliance]]] = {}

    async def report(self, request: Report) -> ReportAccepted:
        self._enrolled(request.appliance_id)
        model.check_report(request)
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
        after = model.position_of(request.after)
        async with self._database.transaction() as transaction:
            if after > await store.last_position(transaction):
                after = 0
            versions, reached = await store.published_after(transaction, after, SNAPSHOT_VERSIONS)
            known = await store.known(transaction)
            revoked_after = model.position_of(request.revoked_after)
            if revoked_after > await store.last_revoked(transaction):
                revoked_after = 0
            revoked, revoked_to = await store.revoked_after(
                transaction, revoked_after, SNAPSHOT_REVOKED
            )
        keys = self._keyring.all_of(request.appliance_id)
        return Snapshot(
            token_keys=[SnapshotKey(key.kid, key.key.hex()) for key in keys],
            versions=versions,
            cursor=str(reached),
            sources=model.sources_for(
                request.appliance_id,
                known,
                self._storage_ids,
                self._keyring,
                self._clock.now(),
            ),
            revoked=revoked,
            revoked_cursor=str(revoked_to),
        )

    async def rank(self, request: Rank) -> Ranking:
        networks_of(request.networks)
        holders = await self._holders_of(request.version_id)
        now = self._clock.now()
        limit = max(1, min(request.limit, model.MAX_RANKED))
        ranked = model.rank(holders, self._loads, request.session_id, now, limit, self._storage_ids)
        return Ranking(
            appliances=[
                model.media_address(
                    appliance, request, self._keyring.current_of(appliance.appliance_id), now
                )
                for appliance in ranked
            ]
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
                )
                for appliance, versions in found
                if appliance.appliance_id in self._keyring
            ]
        )

    async def take(self, transaction: Transaction, entry: Entry) -> None:
        """Handles an event of encoding: a published version is listed for the appliances."""
        if entry.kind == VersionPublished.__name__:
            event = msgspec.json.decode(entry.body, type=VersionPublished)
            await store.add_published(transaction, event.version_id, event.index_blake3)

    async def take_play(self, transaction: Transaction, entry: Entry) -> None:
        """Handles an event of playback: the tokens of a play that was ended open nothing more."""
        if entry.kind == PlayStopped.__name__:
            event = msgspec.json.decode(entry.body, type=PlayStopped)
            now = self._clock.now()
            if event.expires_at > now:
                await store.forget_revoked(transaction, now, MAX_REVOKED - 1)
                await store.revoke(transaction, event.session_id, event.expires_at)

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
