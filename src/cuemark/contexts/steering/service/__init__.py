"""The use cases of steering."""

from collections.abc import Collection, Iterable
from dataclasses import replace

import msgspec
import structlog

from cuemark.contexts.steering import store
from cuemark.contexts.steering.model import (
    explaining,
    pathways,
    ranking,
    redirects,
    reports,
    routes,
    snapshots,
    tokens,
)
from cuemark.contexts.steering.model.holding import UNTOLD
from cuemark.contexts.steering.model.pathways import PlayTokens
from cuemark.contexts.steering.model.ranking import Appliance, Client, Loads
from cuemark.contexts.steering.model.redirects import REDIRECT_TTL_S, RedirectTokens, Sent
from cuemark.contexts.steering.model.sources import SourceTable
from cuemark.contexts.steering.model.tokens import Keyring
from cuemark.contexts.steering.service.holding import Holding
from cuemark.contexts.steering.service.revoking import Revoking
from cuemark.contexts.steering.service.rolling import Rolling
from cuemark.contexts.steering.service.routing import Routing
from cuemark.contexts.steering.store import rollouts
from cuemark.contexts.steering.store.atlas import Atlas
from cuemark.contracts.encoding.events import VersionPublished
from cuemark.contracts.ids import ApplianceId, VersionId
from cuemark.contracts.playback import PlayStopped
from cuemark.contracts.steering import (
    TOPIC,
    ApplianceList,
    ApplianceState,
    DrainingSet,
    ExplainRanking,
    Explanation,
    ListAppliances,
    Locate,
    Located,
    NoAppliance,
    Rank,
    Ranking,
    Redirect,
    Redirected,
    SetDraining,
    Steer,
    Steered,
    Steering,
    SteeringOver,
    UnknownAppliance,
    VersionPlaced,
)
from cuemark.contracts.steering.reports import (
    MAX_REVOKED,
    GetSnapshot,
    Report,
    ReportAccepted,
    Snapshot,
    SnapshotKey,
)
from cuemark.contracts.steering.rollouts import ChangeRollout, GetRollout, Rollout, StartRollout
from cuemark.contracts.steering.routes import AnnounceRoutes, ListRoutes, RoutePage, RoutesAccepted
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database, Transaction
from cuemark.kit.errors import Unavailable
from cuemark.kit.networks import networks_of
from cuemark.kit.outbox import Entry, Log
from cuemark.kit.pages import checked_limit, cursor_of, keys_of

FRESH_S = 0.2
CACHED_VERSIONS = 1024
SENT_S = 1.0
CACHED_SENT = 4096
"""Where a play is sent is found out once for its video, its sound and its next segment."""

SNAPSHOT_VERSIONS = 1000
SNAPSHOT_REVOKED = 5000


class SteeringService(Steering):
    """Reports and published versions in PostgreSQL, read at most ``FRESH_S`` ago.

    ``keyring`` also says which appliances are enrolled; ``storage_ids`` are those of the storage
    tier.
    """

    def __init__(
        self,
        database: Database,
        log: Log,
        clock: Clock,
        keyring: Keyring,
        routing: Routing,
        rolling: Rolling,
        holding: Holding,
        atlas: Atlas,
        play_tokens: PlayTokens,
        redirect_tokens: RedirectTokens,
        storage_ids: Collection[ApplianceId] = (),
    ) -> None:
        self._database = database
        self._log = log
        self._clock = clock
        self._keyring = keyring
        self._routing = routing
        self._rolling = rolling
        self._holding = holding
        self._atlas = atlas
        self._play_tokens = play_tokens
        self._redirect_tokens = redirect_tokens
        self._storage_ids = frozenset(storage_ids)
        self._sources = SourceTable(storage_ids, keyring)
        self._fleet: tuple[float, list[Appliance]] = (float("-inf"), [])
        self._loads = Loads()
        self._known_by: dict[VersionId, tuple[float, list[Appliance]]] = {}
        self._revoking = Revoking(database, clock)
        self._sent: dict[tuple[str, str], tuple[float, Redirected]] = {}

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
            known = await self._known(transaction)
            revoked_after = snapshots.position_of(request.revoked_after)
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
            sources=self._sources.sources_for(request.appliance_id, known, self._clock.now()),
            revoked=revoked,
            revoked_cursor=str(revoked_to),
            order=await self._rolling.order_for(request.appliance_id),
        )

    async def rank(self, request: Rank) -> Ranking:
        networks_of(request.networks)
        knowing = await self._knowing(request.version_id)
        now = self._clock.now()
        limit = max(1, min(request.limit, ranking.MAX_RANKED))
        client, session_id = self._client(request.client_address), request.session_id
        open_, draining = pathways.parted(knowing, now)
        film = self._holding.stock.film(request.version_id)
        ranked = ranking.rank(open_, self._loads, session_id, now, limit, client, film)
        left = limit - len(ranked)
        ranked += ranking.rank(draining, Loads(), session_id, now, left, client, film)
        chosen = [appliance.appliance_id for appliance in ranked]
        return Ranking(
            appliances=[
                tokens.media_address(
                    appliance, request, self._keyring.current_of(appliance.appliance_id), now
                )
                for appliance in ranked
            ],
            steering_token=self._play_tokens.mint(request, chosen),
            redirect_token=self._redirect_tokens.mint(request, chosen, now),
            led_past=bool(ranked) and ranking.led_past(knowing, ranked[0], client),
        )

    async def list_appliances(self, request: ListAppliances) -> ApplianceList:
        async with self._database.transaction() as transaction:
            found = await store.appliances(transaction)
            software = await rollouts.software(transaction)
        now = self._clock.now()
        counts = self._routing.table.counts()
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
                    capacity_kbps=appliance.capacity_kbps,
                    served_kbps=appliance.served_kbps,
                    announced_only=appliance.announced_only,
                    place=appliance.place,
                    peers=peers,
                    routes=counts.get(appliance.appliance_id, 0),
                    draining=appliance.draining,
                    region=software[appliance.appliance_id].region,
                    software=software[appliance.appliance_id].software,
                )
                for appliance, versions, peers in found
                if appliance.appliance_id in self._keyring
            ]
        )

    async def announce_routes(self, request: AnnounceRoutes) -> RoutesAccepted:
        self._enrolled(request.appliance_id)
        routes.check_batch(request)
        return await self._routing.take(request)

    async def list_routes(self, request: ListRoutes) -> RoutePage:
        limit = checked_limit(request.limit)
        after = keys_of(request.after, 3) or ("", "", "")
        table = self._routing.table
        found = table.page(request.appliance_id, after, limit + 1)
        last = found[limit - 1] if len(found) > limit else None
        return RoutePage(
            routes=found[:limit],
            total=sum(table.counts().values()),
            next_cursor=cursor_of(last.appliance_id, last.route.peer, last.route.prefix)
            if last
            else "",
        )

    async def explain_ranking(self, request: ExplainRanking) -> Explanation:
        routes.checked_address(request.address)
        client = self._client(request.address)
        async with self._database.transaction() as transaction:
            every = [each for each, *_ in await store.appliances(transaction)]
        enrolled = self._known_here(every)
        knowing, film = enrolled, UNTOLD
        if request.version_id is not None:
            have = {each.appliance_id for each in await self._knowing(request.version_id)}
            knowing = [each for each in enrolled if each.appliance_id in have]
            film = self._holding.stock.film(request.version_id)
        candidates = explaining.candidates(
            enrolled, knowing, self._loads, self._clock.now(), client, film
        )
        return Explanation(place=client.place, candidates=candidates)

    def _client(self, address: str) -> Client:
        """What is known of the client at an IP address; nothing of what is none."""
        packed = routes.packed_of(address)
        if packed is None:
            return ranking.ANYBODY
        return Client(self._routing.table.paths(packed), self._atlas.place(address))

    async def locate(self, request: Locate) -> Located:
        return Located(place=self._client(request.client_address).place)

    async def steer(self, request: Steer) -> Steered:
        now = self._clock.now()
        placed = self._play_tokens.read(request.token, now)
        knowing = await self._knowing(placed.version_id)
        return pathways.steered(placed.appliance_ids, knowing, now)

    async def redirect(self, request: Redirect) -> Redirected:
        asked = request.token, request.client_address
        at_s, found = self._sent.get(asked, (float("-inf"), None))
        asked_s = self._clock.monotonic_s()
        if found is not None and asked_s - at_s < SENT_S:
            return found
        sent = self._redirect_tokens.read(request.token, self._clock.now())
        try:
            found = await self._send(sent, request.client_address)
        except Unavailable:
            # Where it went the last time: an appliance needs no database to serve.
            if found is None:
                raise
        self._sent.pop(asked, None)
        while len(self._sent) >= CACHED_SENT:
            del self._sent[next(iter(self._sent))]
        self._sent[asked] = asked_s, found
        return found

    async def _send(self, sent: Sent, client_address: str) -> Redirected:
        if await self._revoking.has(sent.session_id):
            raise SteeringOver("This play is over: start another one.")
        knowing = await self._knowing(sent.version_id)
        now, client = self._clock.now(), self._client(client_address)
        film = self._holding.stock.film(sent.version_id)
        chosen = redirects.chosen(sent, knowing, now, client, film)
        if chosen is None:
            raise NoAppliance("No appliance serves this title just now: try again in a moment.")
        key = self._keyring.current_of(chosen.appliance_id)
        address = tokens.media_address(chosen, sent.as_rank(), key, sent.issued_at)
        return Redirected(
            session_id=sent.session_id,
            version_id=sent.version_id,
            appliance_id=chosen.appliance_id,
            media_url=address.media_url,
            ttl_s=REDIRECT_TTL_S,
        )

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

    async def start_rollout(self, request: StartRollout) -> Rollout:
        return await self._rolling.start(request)

    async def get_rollout(self, request: GetRollout) -> Rollout:
        return await self._rolling.last()

    async def change_rollout(self, request: ChangeRollout) -> Rollout:
        return await self._rolling.change(request)

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

    def _known_here(self, found: Iterable[Appliance]) -> list[Appliance]:
        """Those that are enrolled, with their tier."""
        return [
            replace(each, of_storage=each.appliance_id in self._storage_ids)
            for each in found
            if each.appliance_id in self._keyring
        ]

    def _enrolled(self, appliance_id: ApplianceId) -> None:
        if appliance_id not in self._keyring:
            raise UnknownAppliance(f"The appliance {appliance_id} is not enrolled here.")

    async def _known(self, transaction: Transaction) -> list[Appliance]:
        """Every appliance that has reported: all of them ask, and are answered by one read."""
        at_s, found = self._fleet
        asked_s = self._clock.monotonic_s()
        if asked_s - at_s >= FRESH_S:
            found = await store.known(transaction)
            self._fleet = asked_s, found
        return found

    async def _knowing(self, version_id: VersionId) -> list[Appliance]:
        at_s, found = self._known_by.get(version_id, (float("-inf"), []))
        asked_s = self._clock.monotonic_s()
        if asked_s - at_s < FRESH_S:
            return found
        stored = await store.knowing(self._database, version_id)
        found = self._known_here(stored)
        while len(self._known_by) >= CACHED_VERSIONS and version_id not in self._known_by:
            del self._known_by[next(iter(self._known_by))]
        self._known_by[version_id] = (asked_s, found)
        return found
