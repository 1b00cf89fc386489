"""How indexes are kept: changes are taken in by the batch, and a new one is built beside.

All of it is in the database: a process that is killed in the midst of it, or a second one that
does the same, leaves an index that is searched and work that goes on where it stood.
"""

import asyncio
from collections import Counter
from datetime import timedelta

import structlog

from cuemark.contexts.search import store
from cuemark.contexts.search.model import entries
from cuemark.contexts.search.model.entries import Entry, NameEntry
from cuemark.contexts.search.store import writing
from cuemark.contracts.catalog import Catalog
from cuemark.contracts.catalog.gathering import GatheredWorks, GatherWorks
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database, Transaction
from cuemark.kit.errors import Unavailable

BATCH = 200
REST_S = 0.2
RETIRED = timedelta(minutes=1)
"""How long an index stays after it was replaced: longer than any question takes."""


class Indexer:
    """Writes into indexes; one process at a time does."""

    def __init__(self, database: Database, catalog: Catalog, clock: Clock) -> None:
        self._database = database
        self._catalog = catalog
        self._clock = clock

    async def keep_indexing(self) -> None:
        """For ever; without the catalog or the database what waits is waited for."""
        while True:
            try:
                while await self.work():
                    pass
            except Unavailable:
                structlog.get_logger().warning("index_waits")
            await asyncio.sleep(REST_S)

    async def work(self) -> bool:
        """Do the next piece of work; whether there was any."""
        if not await self._has_work():
            return False
        async with self._database.transaction() as transaction:
            if not await store.alone(transaction):
                return False
            now = self._clock.now()
            await store.drop_retired(transaction, now - RETIRED)
            current = await store.current(transaction)
            building = await store.building(transaction)
            if current is None and building is None:
                await store.begin(transaction)
                return True
            took_in = await self._take_in(transaction, current, building[0] if building else None)
            if building is not None:
                await self._build(transaction, building[0], building[1])
            return took_in or building is not None

    async def _has_work(self) -> bool:
        async with self._database.transaction() as transaction:
            return await store.is_behind(transaction)

    async def _take_in(
        self, transaction: Transaction, current: int | None, building: int | None
    ) -> bool:
        """The changes that wait longest, into every index that there is."""
        spread = False
        if current is not None:
            spread = await writing.spread_next(transaction, current, self._clock.now())
        waiting = await writing.take_waiting(transaction, BATCH)
        if not waiting:
            return spread
        found = await self._catalog.gather_works(GatherWorks(work_ids=waiting))
        works, names = await asyncio.to_thread(_entries, found)
        gone = sorted(set(waiting) - {each.work.work_id for each in found.works})
        for number in (current, building):
            if number is not None:
                await writing.remove(transaction, number, gone)
        if current is not None:
            await _count_new_words(transaction, current, works, names)
            await _put(transaction, current, works, names, over=True)
        if building is not None:
            await _put(transaction, building, works, names, over=True)
        return True

    async def _build(self, transaction: Transaction, number: int, after: str) -> None:
        """Take the next works into an index that is built; what a change brought into it stays."""
        page = await self._catalog.gather_works(GatherWorks(after=after, limit=BATCH))
        works, names = await asyncio.to_thread(_entries, page)
        await _put(transaction, number, works, names, over=False)
        await store.advance(transaction, number, page.next_cursor, len(works))
        if not page.next_cursor:
            often, titled = await writing.all_words(transaction, number)
            await writing.count_words(transaction, number, often, titled)
            await store.finish(transaction, number, self._clock.now())
            structlog.get_logger().info("index_whole", number=number)


def _entries(found: GatheredWorks) -> tuple[list[Entry], list[NameEntry]]:
    people = {each.person_id: each for each in found.people}
    terms = {each.term_id: each for each in found.terms}
    works = [entries.entry(each, people, terms) for each in found.works]
    names = [entries.person_entry(each) for each in found.people]
    return works, names + [entries.term_entry(each) for each in found.terms]


async def _put(
    transaction: Transaction,
    number: int,
    works: list[Entry],
    names: list[NameEntry],
    *,
    over: bool,
) -> None:
    await writing.put(transaction, number, works, over=over)
    await writing.lift(transaction, number, works)
    await writing.put_names(transaction, number, names)


async def _count_new_words(
    transaction: Transaction, number: int, works: list[Entry], names: list[NameEntry]
) -> None:
    """Words of names count once more with each change of them, which does no harm: the counts say
    which words are frequent."""
    before = await writing.words_before(transaction, number, [each.work_id for each in works])
    more = Counter(
        word for each in works for word in set(each.words) - before.get(each.work_id, set())
    )
    known = {word for each in works for word in each.words}
    more.update({word for each in names for word in each.words} - known)
    titled = Counter(word for each in works for word in each.titles)
    await writing.count_words(transaction, number, more, titled)
