"""Fill with a real database and log, and objects in a folder. Of encoding it asks one question."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

import msgspec

from cuemark.contexts.fill import wiring
from cuemark.contracts import catalog
from cuemark.contracts.catalog.works import TitleDescribed
from cuemark.contracts.encoding import Encoding
from cuemark.contracts.encoding.events import TOPIC, VersionPublished
from cuemark.contracts.encoding.versions import (
    GetVersion,
    IndexedFile,
    Quality,
    UnknownVersion,
    Version,
    VersionIndex,
)
from cuemark.contracts.fill import (
    ExplainTitle,
    Fill,
    FillPlan,
    MakePlan,
    TellHeld,
    TellServed,
    TrackBytes,
    TrackReason,
)
from cuemark.contracts.ids import ApplianceId, TitleId, VersionId
from cuemark.kit.clock import ManualClock
from cuemark.kit.database import Database
from cuemark.kit.errors import Unavailable
from cuemark.kit.objects import Objects
from cuemark.kit.outbox import Log
from cuemark.kit.room import Room
from tests.contract.conftest import NOBODY, Reach
from tests.unit.playback.versions import HD, audio_track, rendition, version

A, B, STORE = ApplianceId("edge-a"), ApplianceId("edge-b"), ApplianceId("store-1")
NOW = datetime(2026, 3, 3, 12, 30, tzinfo=UTC)
MB = 10**6
FILES = {"v1/1.m4s": 400 * MB, "v2/1.m4s": 1600 * MB, "a-en/1.m4s": 40 * MB, "t-en.vtt": 10_000}
SIZES = {"v1": 400 * MB, "v2": 1600 * MB, "a-en": 40 * MB, "t-en": 10_000}
FILM_BYTES = sum(FILES.values())


class Studio:
    """Encoding, as far as fill asks it."""

    def __init__(self) -> None:
        self.versions: dict[VersionId, Version] = {}
        self.away = False

    async def get_version(self, request: GetVersion) -> Version:
        if self.away:
            raise Unavailable("encoding does not answer")
        if request.version_id not in self.versions:
            raise UnknownVersion(f"there is no version {request.version_id}")
        return self.versions[request.version_id]


class House:
    """Fill as appliances and operators see it, and what it is built on."""

    def __init__(
        self, reach: Reach, database: Database, clock: ManualClock, objects: Objects
    ) -> None:
        self._reach = reach
        self._clients: dict[str, Fill] = {}
        self.database = database
        self.clock = clock
        self.objects = objects
        self.log = Log(clock)
        self.studio = Studio()
        self.room = self.built()

    def built(self) -> Room[Fill]:
        """A process with fill in it; a second one is another process, or the same restarted."""
        return wiring.build(
            database=self.database,
            log=self.log,
            clock=self.clock,
            encoding=cast(Encoding, self.studio),
            objects=self.objects,
            appliance_ids=(A, B, STORE),
            storage_ids=(STORE,),
        )

    async def reached(self, subject: str = NOBODY) -> Fill:
        """Fill as ``subject`` reaches it."""
        if subject not in self._clients:
            self._clients[subject] = await self._reach(Fill, self.room.service, subject)
        return self._clients[subject]

    async def publish(
        self,
        title: str,
        name: str,
        *,
        quality: Quality = "full",
        index: bytes | None = None,
        days_ago: float = 10,
    ) -> VersionId:
        """Publish a version of a title, with the ``FILES``."""
        version_id = VersionId(f"ver_{name}")
        made = msgspec.structs.replace(
            version(),
            version_id=version_id,
            title_id=TitleId(f"ttl_{title}"),
            quality=quality,
            renditions=[
                rendition("v1", 640, 360, 500, HD),
                rendition("v2", 1920, 1080, 4000, HD),
            ],
            audio=[audio_track("a-en")],
            published_at=self.clock.now() - timedelta(days=days_ago),
        )
        self.studio.versions[version_id] = made
        files = {path: IndexedFile("00", size) for path, size in FILES.items()}
        body = msgspec.json.encode(VersionIndex(version_id=version_id, files=files))
        self.objects.put(f"versions/{version_id}/index.json", body if index is None else index)
        event = VersionPublished(
            version_id=version_id,
            title_id=made.title_id,
            quality=quality,
            duration_s=6000.0,
            artwork_key="",
            index_blake3="",
            published_at=made.published_at,
        )
        async with self.database.transaction() as transaction:
            await self.log.append(transaction, TOPIC, version_id, event)
        await self.room.followers[0].catch_up()
        return version_id

    async def tell_catalog(
        self, event: catalog.TitleCreated | catalog.LaunchSet | TitleDescribed
    ) -> None:
        """The catalog tells of a title."""
        async with self.database.transaction() as transaction:
            await self.log.append(transaction, catalog.TOPIC, event.title_id, event)
        await self.room.followers[0].catch_up()

    async def held(
        self,
        appliance_id: ApplianceId,
        held: Sequence[TrackBytes] = (),
        *,
        region: str = "oslo",
        timezone: str = "Europe/Oslo",
        storage_bytes: int = 100 * FILM_BYTES,
        part: int = 1,
        parts: int = 1,
    ) -> None:
        """An appliance tells what it is and holds."""
        fill = await self.reached(appliance_id)
        await fill.tell_held(
            TellHeld(
                appliance_id=appliance_id,
                region=region,
                timezone=timezone,
                storage_bytes=storage_bytes,
                held=list(held),
                part=part,
                parts=parts,
            )
        )

    async def served(
        self,
        appliance_id: ApplianceId,
        plays: dict[VersionId, float],
        *,
        hours_ago: int = 1,
        region: str = "oslo",
    ) -> None:
        """An appliance tells of an hour: each version played so often, in its v2 with its sound."""
        fill = await self.reached(appliance_id)
        hour = self.clock.now().replace(minute=0, second=0) - timedelta(hours=hours_ago)
        served = [
            TrackBytes(version_id, track_id, int(count * SIZES[track_id]))
            for version_id, count in plays.items()
            for track_id in ("v2", "a-en")
        ]
        request = TellServed(appliance_id=appliance_id, region=region, hour=hour, served=served)
        await fill.tell_served(request)

    async def planned(self) -> FillPlan:
        return await (await self.reached()).make_plan(MakePlan())

    async def reasons(self, title: str, track_id: str) -> list[TrackReason]:
        """Why each region has a track of a title, or has not."""
        fill = await self.reached()
        found = await fill.explain_title(ExplainTitle(title_id=TitleId(f"ttl_{title}")))
        (track,) = [each for each in found.tracks if each.track_id == track_id]
        return track.regions

    async def plays(self, title: str) -> float:
        """What is expected of a title where there is one region."""
        (reason,) = await self.reasons(title, "v2")
        return reason.title_plays
