"""The use cases of fill."""

import asyncio
from collections.abc import Collection, Sequence
from typing import get_args

import msgspec

from cuemark.contexts.fill import store
from cuemark.contexts.fill.model import holding, orders, told
from cuemark.contexts.fill.model.clusters import ClusterPlan
from cuemark.contexts.fill.model.orders import AskedTrack
from cuemark.contexts.fill.model.stock import KnownAppliance, KnownVersion, current
from cuemark.contexts.fill.service.planning import Planner
from cuemark.contexts.fill.store import told as telling
from cuemark.contexts.fill.store import turns
from cuemark.contexts.fill.store.told import ToldHeld
from cuemark.contracts.catalog import LaunchSet, TitleCreated
from cuemark.contracts.catalog.works import TitleDescribed
from cuemark.contracts.encoding.events import VersionPublished
from cuemark.contracts.fill import (
    MOST_HELD_VERSIONS,
    MOST_STOCKS,
    ApplianceHeld,
    ExplainTitle,
    ExplainTrack,
    Fill,
    FillInvalid,
    FillPlan,
    GetHeld,
    GetManifest,
    GetPlan,
    Held,
    HeldTold,
    MakePlan,
    Manifest,
    ServedTold,
    TellHeld,
    TellServed,
    TitleExplanation,
    TrackExplanation,
    UnknownTrack,
)
from cuemark.contracts.ids import ApplianceId
from cuemark.contracts.steering import UnknownAppliance
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database, Transaction
from cuemark.kit.outbox import Entry


class FillService(Fill):
    """What appliances tell and what was planned, in PostgreSQL; ``planner`` makes the plans."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        planner: Planner,
        enrolled: Collection[ApplianceId],
        storage_ids: Collection[ApplianceId],
    ) -> None:
        self._database = database
        self._clock = clock
        self._planner = planner
        self._enrolled = frozenset(enrolled)
        self._storage_ids = frozenset(storage_ids)

    async def tell_served(self, request: TellServed) -> ServedTold:
        self._check_enrolled(request.appliance_id)
        told.check_served(request, self._clock.now())
        async with self._database.transaction() as transaction:
            await telling.record_served(transaction, request)
        return ServedTold()

    async def tell_held(self, request: TellHeld) -> HeldTold:
        self._check_enrolled(request.appliance_id)
        told.check_held(request)
        now = self._clock.now()
        async with self._database.transaction() as transaction:
            news = await telling.record_appliance(transaction, request, now)
            there = await telling.record_held(transaction, request)
            if request.part == request.parts:
                if there != request.parts:
                    raise FillInvalid(
                        f"part is the last of {request.parts}, of which {there} were told: "
                        "begin again with part 1"
                    )
                news |= await telling.make_whole(transaction, request.appliance_id)
            if news:
                await turns.ask(transaction, now)
        return HeldTold()

    async def get_manifest(self, request: GetManifest) -> Manifest:
        self._check_enrolled(request.appliance_id)
        async with self._database.transaction() as transaction:
            found = await store.manifest(transaction, request.appliance_id, request.known)
        return found or Manifest(manifest_id="")

    async def get_held(self, request: GetHeld) -> Held:
        async with self._database.transaction() as transaction:
            revisions = await telling.revisions(transaction, self._enrolled)
            fresh = [each for each, at in revisions.items() if request.known.get(each) != at]
            gone = [each for each in request.known if each not in revisions]
            if not fresh:
                return Held(gone=gone)
            news = await telling.told_held(transaction, fresh[:MOST_STOCKS])
            versions = await store.versions(transaction)
            bodies = await store.plans(transaction)
        return Held(
            news=await asyncio.to_thread(_percents, news, versions, bodies),
            gone=gone,
            more=len(fresh) > MOST_STOCKS,
        )

    async def make_plan(self, request: MakePlan) -> FillPlan:
        await self._planner.plan_now()
        return await self.get_plan(GetPlan())

    async def get_plan(self, request: GetPlan) -> FillPlan:
        async with self._database.transaction() as transaction:
            bodies = await store.plans(transaction)
            appliances = await self._appliances(transaction)
            unread = await store.count_unlearned(transaction)
            turn = await turns.turn(transaction)
        return await asyncio.to_thread(
            lambda: FillPlan(
                regions=[orders.region_plan(plan, appliances) for plan in _plans(bodies)],
                unread=unread,
                trouble=turn.trouble or (turn.unread_trouble if unread else ""),
            )
        )

    async def explain_track(self, request: ExplainTrack) -> TrackExplanation:
        ids = request.version_id, request.track_id
        if not all(map(told.is_id, ids)):
            raise UnknownTrack("No version or track has this id.")
        async with self._database.transaction() as transaction:
            title_id = await store.title_of(transaction, request.version_id)
            versions = await store.versions(transaction, title_id) if title_id else []
            bodies = await store.plans(transaction)
            appliances = await self._appliances(transaction)
        of = [each for each in versions if each.version_id == request.version_id]
        asked = [track for track in _asked(of, versions) if track.track_id == request.track_id]
        if not asked:
            raise UnknownTrack(
                f"No published version {request.version_id} has a track {request.track_id}."
            )
        (found,) = await asyncio.to_thread(_explained, asked, bodies, appliances)
        return found

    async def explain_title(self, request: ExplainTitle) -> TitleExplanation:
        if not told.is_id(request.title_id):
            raise UnknownTrack("No title has this id.")
        async with self._database.transaction() as transaction:
            versions = await store.versions(transaction, request.title_id)
            bodies = await store.plans(transaction)
            appliances = await self._appliances(transaction)
        of = current(versions)
        if not of:
            raise UnknownTrack(f"No version of {request.title_id} is published.")
        asked = _asked(of, versions)
        tracks = await asyncio.to_thread(_explained, asked, bodies, appliances)
        return TitleExplanation(
            title_id=request.title_id,
            version_id=of[0].version_id,
            tracks=tracks,
            series=of[0].series,
            launch_at=of[0].launch_at,
        )

    async def take(self, transaction: Transaction, entry: Entry) -> None:
        """Handles an event of encoding or of the catalog: a published version is to be planned, and
        a title by its series and its launch."""
        if entry.kind not in _TAKEN:
            return
        event = _decode(entry.body)
        if isinstance(event, VersionPublished):
            await store.add_version(transaction, event)
        elif isinstance(event, TitleCreated):
            await store.add_title(transaction, event)
        elif isinstance(event, TitleDescribed):
            await store.describe_title(transaction, event)
        else:
            await store.set_launch(transaction, event)
            await turns.ask(transaction, self._clock.now())

    async def _appliances(self, transaction: Transaction) -> list[KnownAppliance]:
        return await telling.appliances(transaction, self._enrolled, self._storage_ids)

    def _check_enrolled(self, appliance_id: ApplianceId) -> None:
        if appliance_id not in self._enrolled:
            raise UnknownAppliance(f"The appliance {appliance_id[:80]} is not enrolled here.")


_Taken = VersionPublished | TitleCreated | TitleDescribed | LaunchSet
_TAKEN = {kind.__name__ for kind in get_args(_Taken)}
_decode = msgspec.json.Decoder[_Taken](_Taken).decode
_decode_plan = msgspec.msgpack.Decoder(ClusterPlan).decode


def _plans(bodies: Sequence[bytes]) -> list[ClusterPlan]:
    return [_decode_plan(body) for body in bodies]


def _percents(
    news: Sequence[ToldHeld], versions: Sequence[KnownVersion], bodies: Sequence[bytes]
) -> list[ApplianceHeld]:
    values = holding.values_of(_plans(bodies))
    return [
        ApplianceHeld(
            appliance_id=each.appliance_id,
            revision=each.revision,
            storage_bytes=each.storage_bytes,
            percent=holding.percents(versions, values, each.held(), MOST_HELD_VERSIONS),
        )
        for each in news
    ]


def _asked(of: Sequence[KnownVersion], versions: Sequence[KnownVersion]) -> list[AskedTrack]:
    planned = {each.version_id for each in current(versions)}
    (instead,) = planned if planned else (None,)
    return [
        AskedTrack(
            each.version_id,
            facts.track_id,
            each.title_id,
            facts.size_bytes,
            None if each.version_id in planned else instead,
        )
        for each in of
        for facts in each.tracks
    ]


def _explained(
    asked: Sequence[AskedTrack], bodies: Sequence[bytes], appliances: Sequence[KnownAppliance]
) -> list[TrackExplanation]:
    plans = [orders.Decided(plan) for plan in _plans(bodies)]
    return [orders.explanation(track, plans, appliances) for track in asked]
