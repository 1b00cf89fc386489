"""A search as its callers see it, over a real catalog and real rights."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from cuemark.contracts import playback, steering
from cuemark.contracts.catalog import Catalog, CreateTitle, SetLaunch
from cuemark.contracts.catalog.metadata import (
    AgeRating,
    Credit,
    Details,
    NameIn,
    PutPerson,
    Role,
    Term,
    Text,
    Vocabulary,
)
from cuemark.contracts.catalog.works import (
    CreateWork,
    DescribeWork,
    GetWork,
    Kind,
    PlaceWork,
)
from cuemark.contracts.encoding import events
from cuemark.contracts.ids import (
    AccountId,
    PersonId,
    PlaySessionId,
    TermId,
    TitleId,
    VersionId,
    WorkId,
)
from cuemark.contracts.playback import PlayStarted
from cuemark.contracts.rights import Rights, SetRights, TitleWindows, Window
from cuemark.contracts.search import Found, Search, SearchFor, Viewpoint
from cuemark.contracts.steering import VersionPlaced
from cuemark.kit.clock import ManualClock
from cuemark.kit.database import Database
from cuemark.kit.outbox import Log

Names = dict[str, str]
"""By language."""


@dataclass(frozen=True)
class House:
    """``settle`` lets search take in all that was told until now, ``catch_up_catalog`` the
    catalog alone."""

    search: Search
    catalog: Catalog
    rights: Rights
    database: Database
    log: Log
    clock: ManualClock
    settle: Callable[[], Awaitable[None]]
    catch_up_catalog: Callable[[], Awaitable[int]]

    async def title(
        self,
        name: str | Names,
        *,
        cast: Sequence[PersonId] = (),
        director: PersonId | None = None,
        genres: Sequence[str] = (),
        themes: Sequence[str] = (),
        synopsis: str = "",
        year: int | None = None,
        ratings: Sequence[tuple[str, str]] = (),
        published: bool = True,
    ) -> TitleId:
        names = {"en": name} if isinstance(name, str) else name
        self.clock.advance(1)
        first = next(iter(names.values()))
        title = await self.catalog.create_title(CreateTitle(name=first))
        credits = [_credit(each, "actor") for each in cast]
        credits += [_credit(director, "director")] if director else []
        await self.describe(
            WorkId(title.title_id),
            texts=[
                Text(language=language, name=each, synopsis=synopsis)
                for language, each in names.items()
            ],
            credits=credits,
            genres=[TermId(each) for each in genres],
            themes=[TermId(each) for each in themes],
            year=year,
            ratings=[AgeRating(scheme=scheme, rating=rating) for scheme, rating in ratings],
        )
        if published:
            await self.publish(title.title_id)
        return title.title_id

    async def describe(self, work_id: WorkId, **told: object) -> None:
        work = await self.catalog.get_work(GetWork(work_id=work_id))
        details: Details = msgspec.structs.replace(work.details, **told)
        await self.catalog.describe_work(
            DescribeWork(work_id=work_id, revision=work.revision, details=details)
        )

    async def publish(self, title_id: TitleId) -> None:
        version_id = VersionId(f"ver_{title_id}")
        event = events.VersionPublished(
            version_id=version_id,
            title_id=title_id,
            quality="full",
            duration_s=52.2,
            artwork_key=f"artwork/{version_id}",
            index_blake3="00" * 32,
            published_at=self.clock.now(),
        )
        async with self.database.transaction() as transaction:
            await self.log.append(transaction, events.TOPIC, version_id, event)
            placed = VersionPlaced(version_id=version_id, placed_at=self.clock.now())
            await self.log.append(transaction, steering.TOPIC, version_id, placed)

    async def series(self, name: str, *episodes: str) -> tuple[WorkId, list[TitleId]]:
        made = await self.catalog.create_work(
            CreateWork(kind="series", details=Details(texts=[Text(language="en", name=name)]))
        )
        titles = [await self.title(each) for each in episodes]
        for number, title_id in enumerate(titles, start=1):
            await self.place(WorkId(title_id), made.work_id, number, "episode")
        return made.work_id, titles

    async def place(self, work_id: WorkId, parent_id: WorkId, number: int, kind: Kind) -> None:
        asked = PlaceWork(work_id=work_id, parent_id=parent_id, number=number, kind=kind)
        await self.catalog.place_work(asked)

    async def person(self, name: str | Names) -> PersonId:
        names = {"en": name} if isinstance(name, str) else name
        told = [NameIn(language=language, name=each) for language, each in names.items()]
        return (await self.catalog.put_person(PutPerson(names=told))).person_id

    async def term(self, term_id: str, vocabulary: Vocabulary, **names: str) -> None:
        told = [NameIn(language=language, name=each) for language, each in names.items()]
        term = Term(term_id=TermId(term_id), vocabulary=vocabulary, names=told)
        await self.catalog.put_term(term)

    async def play(self, title_id: TitleId, times: int) -> None:
        async with self.database.transaction() as transaction:
            for number in range(times):
                session_id = PlaySessionId(f"play_{title_id}_{number}")
                event = PlayStarted(
                    session_id=session_id,
                    account_id=AccountId("acc_1"),
                    title_id=title_id,
                    version_id=VersionId(f"ver_{title_id}"),
                    started_at=self.clock.now(),
                )
                await self.log.append(transaction, playback.TOPIC, session_id, event)

    async def allow(self, title_id: TitleId, *territories: str) -> None:
        windows = [Window(window_id="1", territories=list(territories), licence_type="SVOD")]
        sets = TitleWindows(title_id=title_id, windows=windows if territories else [])
        await self.rights.set_rights(SetRights(sets=[sets]))

    async def launch(self, title_id: TitleId, in_days: float) -> None:
        at = self.clock.now() + timedelta(days=in_days)
        await self.catalog.set_launch(SetLaunch(title_id=title_id, launch_at=at))

    async def ask(self, text: str, *, limit: int = 24, **viewpoint: object) -> Found:
        asked = SearchFor(text=text, viewpoint=msgspec.convert(viewpoint, Viewpoint), limit=limit)
        return await self.search.search(asked)

    async def names(self, text: str, **viewpoint: object) -> list[str]:
        asked = SearchFor(text=text, viewpoint=msgspec.convert(viewpoint, Viewpoint))
        return [hit.name for hit in (await self.search.search(asked)).hits]

    async def suggested(self, text: str, **viewpoint: object) -> list[str]:
        asked = SearchFor(text=text, viewpoint=msgspec.convert(viewpoint, Viewpoint), limit=8)
        return [hit.name for hit in (await self.search.suggest(asked)).hits]


def _credit(person_id: PersonId, role: Role) -> Credit:
    return Credit(person_id=person_id, role=role)
