"""A catalog as its callers see it, on a database of its own."""

from dataclasses import dataclass

import msgspec

from cuemark.contracts import steering
from cuemark.contracts.catalog import Catalog, CreateTitle, Title
from cuemark.contracts.catalog.metadata import Details, Text
from cuemark.contracts.catalog.works import (
    CreateWork,
    DescribeWork,
    GetWork,
    Kind,
    PlaceWork,
    Work,
)
from cuemark.contracts.encoding import events
from cuemark.contracts.encoding.versions import Quality
from cuemark.contracts.ids import TitleId, VersionId, WorkId
from cuemark.contracts.steering import VersionPlaced
from cuemark.kit.clock import ManualClock
from cuemark.kit.database import Database
from cuemark.kit.outbox import Follower, Log


def called(name: str, language: str = "und") -> Details:
    return Details(texts=[Text(language=language, name=name)])


@dataclass(frozen=True)
class House:
    """The catalog as its callers see it, and what moves behind it."""

    catalog: Catalog
    view: Follower
    database: Database
    log: Log
    clock: ManualClock

    async def create(self, name: str) -> Title:
        self.clock.advance(1)
        return await self.catalog.create_title(CreateTitle(name=name))

    async def publish(self, title_id: TitleId, version_id: str, quality: Quality) -> None:
        self.clock.advance(1)
        event = events.VersionPublished(
            version_id=VersionId(version_id),
            title_id=title_id,
            quality=quality,
            duration_s=52.2,
            artwork_key=f"artwork/{version_id}",
            index_blake3="00" * 32,
            published_at=self.clock.now(),
        )
        async with self.database.transaction() as transaction:
            await self.log.append(transaction, events.TOPIC, version_id, event)
            placed = VersionPlaced(version_id=event.version_id, placed_at=self.clock.now())
            await self.log.append(transaction, steering.TOPIC, version_id, placed)
        await self.view.catch_up()

    async def hold(
        self, kind: Kind, name: str, parent: WorkId | None = None, number: int | None = None
    ) -> WorkId:
        """A work that holds others."""
        self.clock.advance(1)
        request = CreateWork(kind=kind, details=called(name), parent_id=parent, number=number)
        return (await self.catalog.create_work(request)).work_id

    async def episode(
        self, name: str, parent: WorkId, number: int, *, published: bool = True
    ) -> WorkId:
        title = await self.create(name)
        work_id = WorkId(title.title_id)
        place = PlaceWork(work_id=work_id, parent_id=parent, number=number, kind="episode")
        await self.catalog.place_work(place)
        await self.view.catch_up()
        if published:
            await self.publish(title.title_id, f"ver_{name}", "full")
        return work_id

    async def describe(self, work_id: WorkId, **told: object) -> Work:
        """With these of its details in place of those that it has."""
        work = await self.catalog.get_work(GetWork(work_id=work_id))
        details = msgspec.structs.replace(work.details, **told)
        request = DescribeWork(work_id=work_id, revision=work.revision, details=details)
        return await self.catalog.describe_work(request)
