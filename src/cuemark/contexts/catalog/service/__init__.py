"""The catalog: titles are created here, and what is published of them is read from the log."""

from collections.abc import Sequence
from typing import get_args

import msgspec

from cuemark.contexts.catalog import store
from cuemark.contexts.catalog.model import listing, texts
from cuemark.contexts.catalog.model.languages import UNDETERMINED
from cuemark.contexts.catalog.model.ratings import UNRATED_AGE
from cuemark.contexts.catalog.service.exchange import Exchange
from cuemark.contexts.catalog.service.gathering import Gathering
from cuemark.contexts.catalog.service.names import Names
from cuemark.contexts.catalog.service.showing import MOST_RANGES, Showing
from cuemark.contexts.catalog.service.works import TITLE, Works
from cuemark.contexts.catalog.store import works as kept
from cuemark.contracts.catalog import (
    TOPIC,
    ArtworkChosen,
    Catalog,
    ChooseArtwork,
    CreateTitle,
    GetTitle,
    LaunchSet,
    ListTitles,
    SetLaunch,
    Title,
    TitleCreated,
    TitlePage,
    UnknownTitle,
)
from cuemark.contracts.catalog.exchange import (
    Exported,
    ExportMetadata,
    Imported,
    ImportMetadata,
)
from cuemark.contracts.catalog.gathering import GatheredWorks, GatherWorks
from cuemark.contracts.catalog.metadata import (
    Details,
    ListPeople,
    ListTerms,
    Person,
    PersonPage,
    PutPerson,
    RemovePerson,
    RemoveTerm,
    Term,
    TermList,
    Text,
)
from cuemark.contracts.catalog.works import (
    AdmittedWorks,
    AdmitWorks,
    CreateWork,
    DescribeWork,
    GetWork,
    ListTitlesWithin,
    ListWorks,
    PlaceWork,
    RemoveWork,
    ShowWork,
    TitleDescribed,
    TitlesWithin,
    UndoWork,
    Work,
    WorkInFull,
    WorkPage,
)
from cuemark.contracts.encoding.events import VersionPublished
from cuemark.contracts.ids import TitleId, WorkId
from cuemark.contracts.steering import VersionPlaced
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database, Transaction
from cuemark.kit.ids import Ids, is_id
from cuemark.kit.outbox import Entry, Log
from cuemark.kit.pages import checked_limit, cursor_of, keys_of


class CatalogService(Catalog):
    """Titles come from the view; one that the view has not read yet, from its source row."""

    def __init__(
        self,
        database: Database,
        log: Log,
        clock: Clock,
        ids: Ids,
        unrated_age: int = UNRATED_AGE,
    ) -> None:
        self._database = database
        self._log = log
        self._clock = clock
        self._ids = ids
        self._works = Works(database, log, clock, ids)
        self._names = Names(database, log, clock, ids)
        self._gathering = Gathering(database)
        self._showing = Showing(database, clock, unrated_age)
        self._exchange = Exchange(database, log, clock, ids, self._works)

    async def create_title(self, request: CreateTitle) -> Title:
        now, launch_at = self._clock.now(), listing.checked_launch(request.launch_at)
        title = Title(
            title_id=TitleId(self._ids.new(TITLE)),
            name=texts.checked_name(request.name),
            synopsis=texts.checked_synopsis(request.synopsis),
            created_at=now,
            series=texts.checked_series(request.series),
            launch_at=launch_at,
            launched=listing.is_launched(launch_at, now),
        )
        async with self._database.transaction() as transaction:
            await store.add_titles(transaction, [title])
            await kept.add_works(transaction, [_work_of(title)], now)
            created = listing.created(title)
            await self._log.append(transaction, TOPIC, title.title_id, created)
        return title

    async def get_title(self, request: GetTitle) -> Title:
        title_id = request.title_id
        if not is_id(title_id, TITLE):
            raise UnknownTitle("No title has this id.")
        found = await store.title(self._database, title_id, self._clock.now())
        if found is None:
            raise UnknownTitle(f"No title has the id {title_id}.")
        title, details = found
        return _in_language(title, details, request.languages)

    async def set_launch(self, request: SetLaunch) -> Title:
        """The title as it will be; the view shows it a moment later."""
        launch_at = listing.checked_launch(request.launch_at)
        title = await self.get_title(GetTitle(title_id=request.title_id))
        now = self._clock.now()
        async with self._database.transaction() as transaction:
            known = await _known(transaction, title.title_id)
            launch = LaunchSet(
                title_id=title.title_id,
                launch_at=launch_at,
                set_at=listing.chosen_at(now, known.launch_set_at or title.created_at),
            )
            await self._log.append(transaction, TOPIC, title.title_id, launch)
        launched = listing.is_launched(launch_at, now)
        return msgspec.structs.replace(title, launch_at=launch_at, launched=launched)

    async def choose_artwork(self, request: ChooseArtwork) -> Title:
        """The title as it will be; the view shows it a moment later."""
        title = await self.get_title(GetTitle(title_id=request.title_id))
        if request.language:
            work_id = WorkId(title.title_id)
            await self._works.set_artwork(work_id, request.language, request.artwork_key)
            return await self.get_title(
                GetTitle(title_id=title.title_id, languages=[request.language])
            )
        now = self._clock.now()
        async with self._database.transaction() as transaction:
            known = await _known(transaction, title.title_id)
            chosen = ArtworkChosen(
                title_id=title.title_id,
                artwork_key=request.artwork_key,
                with_name=request.with_name,
                chosen_at=listing.chosen_at(now, known.artwork_chosen_at),
            )
            await self._log.append(transaction, TOPIC, title.title_id, chosen)
            after = listing.title_of(listing.after_event(known, chosen), now)
            (told,) = await _told(transaction, [after or title], [])
        return told

    async def list_titles(self, request: ListTitles) -> TitlePage:
        """A title is listed once the view has read of it, a moment after its creation."""
        limit = checked_limit(request.limit)
        after = keys_of(request.after, 1)
        async with self._database.transaction() as transaction:
            titles = await store.viewed_titles(
                transaction,
                after[0] if after else None,
                limit + 1,
                self._clock.now(),
                published_only=request.published_only,
            )
            page = await _told(transaction, titles[:limit], request.languages)
        more = len(titles) > limit
        return TitlePage(titles=page, next_cursor=cursor_of(page[-1].title_id) if more else "")

    async def create_work(self, request: CreateWork) -> Work:
        return await self._works.create(request)

    async def get_work(self, request: GetWork) -> Work:
        return await self._works.get(request)

    async def describe_work(self, request: DescribeWork) -> Work:
        return await self._works.describe(request)

    async def place_work(self, request: PlaceWork) -> Work:
        return await self._works.place(request)

    async def remove_work(self, request: RemoveWork) -> Work:
        return await self._works.remove(request)

    async def undo_work(self, request: UndoWork) -> Work:
        return await self._works.undo(request)

    async def show_work(self, request: ShowWork) -> WorkInFull:
        return await self._showing.show(request)

    async def list_works(self, request: ListWorks) -> WorkPage:
        return await self._showing.list(request)

    async def gather_works(self, request: GatherWorks) -> GatheredWorks:
        return await self._gathering.gather(request)

    async def list_titles_within(self, request: ListTitlesWithin) -> TitlesWithin:
        return await self._showing.titles_within(request)

    async def admit_works(self, request: AdmitWorks) -> AdmittedWorks:
        return await self._showing.admit(request)

    async def put_person(self, request: PutPerson) -> Person:
        return await self._names.put_person(request)

    async def list_people(self, request: ListPeople) -> PersonPage:
        return await self._names.list_people(request)

    async def remove_person(self, request: RemovePerson) -> Person:
        return await self._names.remove_person(request)

    async def put_term(self, request: Term) -> Term:
        return await self._names.put_term(request)

    async def list_terms(self, request: ListTerms) -> TermList:
        return await self._names.list_terms(request)

    async def remove_term(self, request: RemoveTerm) -> Term:
        return await self._names.remove_term(request)

    async def import_metadata(self, request: ImportMetadata) -> Imported:
        return await self._exchange.import_metadata(request)

    async def export_metadata(self, request: ExportMetadata) -> Exported:
        return await self._exchange.export_metadata(request)


_Followed = (
    TitleCreated | TitleDescribed | LaunchSet | VersionPublished | VersionPlaced | ArtworkChosen
)
_FOLLOWED = {kind.__name__ for kind in get_args(_Followed)}
_decode = msgspec.json.Decoder[_Followed](_Followed).decode


async def follow(transaction: Transaction, entry: Entry) -> None:
    """Bring the view up to ``entry``. Reading an entry again changes nothing.

    A version is listed once it is both published and placed, in whichever order that is read.
    """
    if entry.kind not in _FOLLOWED:
        return
    event = _decode(entry.body)
    if isinstance(event, TitleCreated | TitleDescribed | LaunchSet | ArtworkChosen):
        await _list(transaction, event)
        return
    half = listing.half_of(event)
    met = listing.met(await store.half(transaction, event.version_id), half)
    if met.placed and met.published is not None:
        await _list(transaction, met.published)
        await store.drop_half(transaction, event.version_id)
    else:
        await store.put_half(transaction, event.version_id, met)


def _work_of(title: Title) -> Work:
    """What is kept of a title beside the others: a movie, until somebody says otherwise."""
    text = Text(language=UNDETERMINED, name=title.name, synopsis=title.synopsis)
    return Work(
        work_id=WorkId(title.title_id),
        kind="movie",
        details=Details(texts=[text]),
        revision=1,
        change="created",
        changed_at=title.created_at,
    )


async def _told(
    transaction: Transaction, titles: Sequence[Title], languages: Sequence[str]
) -> list[Title]:
    """The titles in a reader's language, as far as they are told in it."""
    details = await kept.details_of(transaction, [title.title_id for title in titles])
    return [_in_language(title, details.get(title.title_id), languages) for title in titles]


def _in_language(title: Title, details: Details | None, languages: Sequence[str]) -> Title:
    if details is None:
        return title
    return listing.in_language(title, texts.told(details.texts, languages[:MOST_RANGES]))


async def _known(transaction: Transaction, title_id: TitleId) -> listing.Listing:
    return await store.listing(transaction, title_id) or listing.Listing(title_id=title_id)


async def _list(transaction: Transaction, event: listing.Listed) -> None:
    known = await store.listing(transaction, event.title_id)
    after = listing.after_event(known or listing.Listing(title_id=event.title_id), event)
    if after != known:
        await store.put_listing(transaction, after)
