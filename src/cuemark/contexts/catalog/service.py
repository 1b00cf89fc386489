"""The catalog: titles are created here, and what is published of them is read from the log."""

from typing import get_args

import msgspec

from cuemark.contexts.catalog import model, store
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
from cuemark.contracts.encoding.events import VersionPublished
from cuemark.contracts.ids import TitleId
from cuemark.contracts.steering import VersionPlaced
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database, Transaction
from cuemark.kit.ids import Ids, is_id
from cuemark.kit.outbox import Entry, Log
from cuemark.kit.pages import checked_limit, cursor_of, keys_of

TITLE = "ttl"


class CatalogService(Catalog):
    """Titles come from the view; one that the view has not read yet, from its source row."""

    def __init__(self, database: Database, log: Log, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._log = log
        self._clock = clock
        self._ids = ids

    async def create_title(self, request: CreateTitle) -> Title:
        now, launch_at = self._clock.now(), model.checked_launch(request.launch_at)
        title = Title(
            title_id=TitleId(self._ids.new(TITLE)),
            name=model.checked_name(request.name),
            synopsis=model.checked_synopsis(request.synopsis),
            created_at=now,
            series=model.checked_series(request.series),
            launch_at=launch_at,
            launched=model.is_launched(launch_at, now),
        )
        created = TitleCreated(
            title_id=title.title_id,
            name=title.name,
            synopsis=title.synopsis,
            created_at=title.created_at,
            series=title.series,
            launch_at=title.launch_at,
        )
        async with self._database.transaction() as transaction:
            await store.add_title(transaction, title)
            await self._log.append(transaction, TOPIC, title.title_id, created)
        return title

    async def get_title(self, request: GetTitle) -> Title:
        title_id = request.title_id
        if not is_id(title_id, TITLE):
            raise UnknownTitle("No title has this id.")
        async with self._database.transaction() as transaction:
            now = self._clock.now()
            title = await store.viewed_title(transaction, title_id, now)
            title = title or await store.source_title(transaction, title_id, now)
        if title is None:
            raise UnknownTitle(f"No title has the id {title_id}.")
        return title

    async def set_launch(self, request: SetLaunch) -> Title:
        """The title as it will be; the view shows it a moment later."""
        launch_at = model.checked_launch(request.launch_at)
        title = await self.get_title(GetTitle(title_id=request.title_id))
        now = self._clock.now()
        async with self._database.transaction() as transaction:
            known = await _known(transaction, title.title_id)
            launch = LaunchSet(
                title_id=title.title_id,
                launch_at=launch_at,
                set_at=model.chosen_at(now, known.launch_set_at or title.created_at),
            )
            await self._log.append(transaction, TOPIC, title.title_id, launch)
        launched = model.is_launched(launch_at, now)
        return msgspec.structs.replace(title, launch_at=launch_at, launched=launched)

    async def choose_artwork(self, request: ChooseArtwork) -> Title:
        """The title as it will be; the view shows it a moment later."""
        title = await self.get_title(GetTitle(title_id=request.title_id))
        now = self._clock.now()
        async with self._database.transaction() as transaction:
            known = await _known(transaction, title.title_id)
            chosen = ArtworkChosen(
                title_id=title.title_id,
                artwork_key=request.artwork_key,
                with_name=request.with_name,
                chosen_at=model.chosen_at(now, known.artwork_chosen_at),
            )
            await self._log.append(transaction, TOPIC, title.title_id, chosen)
        return model.title_of(model.after_event(known, chosen), now) or title

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
        page = titles[:limit]
        more = len(titles) > limit
        return TitlePage(titles=page, next_cursor=cursor_of(page[-1].title_id) if more else "")


_Followed = TitleCreated | LaunchSet | VersionPublished | VersionPlaced | ArtworkChosen
_FOLLOWED = {kind.__name__ for kind in get_args(_Followed)}
_decode = msgspec.json.Decoder[_Followed](_Followed).decode


async def follow(transaction: Transaction, entry: Entry) -> None:
    """Bring the view up to ``entry``. Reading an entry again changes nothing.

    A version is listed once it is both published and placed, in whichever order that is read.
    """
    if entry.kind not in _FOLLOWED:
        return
    event = _decode(entry.body)
    if isinstance(event, TitleCreated | LaunchSet | ArtworkChosen):
        await _list(transaction, event)
        return
    half = model.half_of(event)
    met = model.met(await store.half(transaction, event.version_id), half)
    if met.placed and met.published is not None:
        await _list(transaction, met.published)
        await store.drop_half(transaction, event.version_id)
    else:
        await store.put_half(transaction, event.version_id, met)


async def _known(transaction: Transaction, title_id: TitleId) -> model.Listing:
    return await store.listing(transaction, title_id) or model.Listing(title_id=title_id)


async def _list(transaction: Transaction, event: model.Listed) -> None:
    known = await store.listing(transaction, event.title_id)
    listing = model.after_event(known or model.Listing(title_id=event.title_id), event)
    if listing != known:
        await store.put_listing(transaction, listing)
