"""The use cases of search: a question is read, candidates are found, ranked, and shown.

Each step is bounded: so many words, so many words that may be meant, so many candidates. What is
found beyond the candidates is not reached by any page; a better question reaches it.
"""

import re
from collections.abc import Mapping, Sequence

import msgspec

from cuemark.contexts.search import store
from cuemark.contexts.search.model import folding, ranking, spelling, vectors
from cuemark.contexts.search.model.ranking import Asked, Ranked
from cuemark.contexts.search.model.reading import Question, question
from cuemark.contexts.search.service.paging import Place, Placed, place_of, taken
from cuemark.contexts.search.service.showing import Showing
from cuemark.contexts.search.store import asking
from cuemark.contracts.catalog import Catalog
from cuemark.contracts.catalog.works import UnknownWork
from cuemark.contracts.ids import WorkId
from cuemark.contracts.rights import Rights
from cuemark.contracts.search import (
    MOST_WATCHED,
    FindLike,
    Found,
    GetIndex,
    Index,
    Rebuild,
    Search,
    SearchFor,
    SearchInvalid,
    Viewpoint,
)
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database, Transaction
from cuemark.kit.errors import Unavailable
from cuemark.kit.pages import checked_limit

WIDTHS = (100, 600)
"""Candidates of each kind. The second is for where too few of the first are shown."""
MOST_NAMES = 20
MOST_TAGS = 24
FEW = 5
COMMON = 0.05
"""The share of works from which on a word is too frequent to tell one from another, beside others
that do."""
ALIKE = 0.75
"""How like a name has to be, that the like of its title is meant."""
_TERRITORY = re.compile(r"([A-Z]{2})?")


class SearchService(Search):
    """Search over an index in PostgreSQL."""

    def __init__(self, database: Database, catalog: Catalog, rights: Rights, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._showing = Showing(catalog, rights)

    async def search(self, request: SearchFor) -> Found:
        place = _checked(request)
        asked = question(request.text)
        if not asked.words:
            return Found(hits=[])
        if asked.like:
            found = await self._like_named(asked, request, place)
            if found is not None:
                return found
        return await self._found(asked, request, place, deep=True)

    async def suggest(self, request: SearchFor) -> Found:
        place = _checked(request)
        asked = question(request.text)
        if not asked.words:
            return Found(hits=[])
        return await self._found(asked, request, place, deep=False)

    async def like(self, request: FindLike) -> Found:
        place = _checked(request)
        shown = await self._showing.shown(request.viewpoint, [request.work_id])
        if request.work_id not in shown:
            raise UnknownWork("There is no such work.")
        return await self._alike(request.work_id, shown[request.work_id].name, request, place)

    async def get_index(self, request: GetIndex) -> Index:
        async with self._database.transaction() as transaction:
            current, building, works, waiting = await store.standing(transaction)
        return Index(
            number=current[0] if current else 0,
            built_at=current[1] if current else None,
            works=works,
            waiting=waiting,
            building=building[0] if building else None,
            built=building[1] if building else 0,
        )

    async def rebuild(self, request: Rebuild) -> Index:
        async with self._database.transaction() as transaction:
            if await store.building(transaction) is None:
                await store.begin(transaction)
        return await self.get_index(GetIndex())

    async def _found(
        self, asked: Question, request: SearchFor, place: Place | None, *, deep: bool
    ) -> Found:
        for width in WIDTHS:
            async with self._database.transaction() as transaction:
                finder = _Finder(transaction, await _number(transaction), request.viewpoint, width)
                found = await finder.find(asked, self._clock, deep=deep)
            page = await self._page(request.viewpoint, found, request.limit, place)
            if len(page.hits) == request.limit or not finder.more:
                break
        return page

    async def _like_named(
        self, asked: Question, request: SearchFor, place: Place | None
    ) -> Found | None:
        """What is like the title that the question names; None where it names none."""
        if not asked.surely:
            itself = await self._best(asked, request.viewpoint)
            if itself is not None:
                return None
        named = question(asked.like)
        if not named.words:
            return None
        best = await self._best(named, request.viewpoint)
        if best is None:
            return None
        work_id, name = best
        return await self._alike(work_id, name, request, place)

    async def _best(self, asked: Question, viewpoint: Viewpoint) -> tuple[WorkId, str] | None:
        """The work of which the question is nearly the name, and how it is called."""
        async with self._database.transaction() as transaction:
            finder = _Finder(transaction, await _number(transaction), viewpoint, WIDTHS[0])
            found = await finder.find(asked, self._clock, deep=False)
        close = [
            WorkId(each.found_id)
            for each in found
            if each.what == "work" and each.likeness >= ALIKE
        ]
        shown = await self._showing.shown(viewpoint, close[:MOST_NAMES])
        return next(((each, shown[each].name) for each in close if each in shown), None)

    async def _alike(
        self, work_id: WorkId, name: str, request: SearchFor | FindLike, place: Place | None
    ) -> Found:
        for width in WIDTHS:
            async with self._database.transaction() as transaction:
                finder = _Finder(transaction, await _number(transaction), request.viewpoint, width)
                found = await finder.alike(work_id, name, self._clock)
            page = await self._page(request.viewpoint, found, request.limit, place)
            if len(page.hits) == request.limit or not finder.more:
                break
        return msgspec.structs.replace(page, like=name)

    async def _page(
        self, viewpoint: Viewpoint, found: Sequence[Ranked], limit: int, after: Place | None
    ) -> Found:
        """What is shown of ``found``, after a place in it."""
        number: int | None = None
        placed = Placed(found, after)
        while len(placed.hits) <= limit and (chunk := placed.next_chunk(limit)):
            named = [each.found_id for each in chunk if each.what != "work"]
            naming: Mapping[str, list[WorkId]] = {}
            if named:
                async with self._database.transaction() as transaction:
                    number = number or await _number(transaction)
                    naming = await asking.naming(
                        transaction,
                        number,
                        named,
                        seen_only=viewpoint.seen_only,
                        now=self._clock.now(),
                        limit=MOST_NAMES,
                    )
            works = [WorkId(each.found_id) for each in chunk if each.what == "work"]
            asked = list(
                dict.fromkeys([*works, *(one for some in naming.values() for one in some)])
            )
            shown = await self._showing.shown(viewpoint, asked) if asked else {}
            placed.take(chunk, shown, naming, viewpoint.languages)
        return taken(placed, limit)


class _Finder:
    """Finds and ranks in one generation. ``more`` says that there may be more candidates."""

    def __init__(
        self, transaction: Transaction, number: int, viewpoint: Viewpoint, width: int
    ) -> None:
        self._transaction = transaction
        self._number = number
        self._viewpoint = viewpoint
        self._width = width
        self.more = False

    async def find(self, asked: Question, clock: Clock, *, deep: bool) -> list[Ranked]:
        words, now = asked.words, clock.now()
        often = await asking.often(
            self._transaction, self._number, words, unfinished=asked.unfinished
        )
        meant: list[dict[str, float]] = [
            {} if often.get(word) else await self._meant(asked, at) for at, word in enumerate(words)
        ]
        telling = await self._telling(words, often)
        found = await self._candidates(asked, meant, telling, clock)
        if deep and len(found) < FEW:
            meant = [each or await self._meant(asked, at) for at, each in enumerate(meant)]
            found |= await self._candidates(asked, meant, telling, clock, text_too=True)
            if len(found) < FEW and len(telling) > 1:
                found |= await self._candidates(
                    asked, meant, telling, clock, text_too=True, but_one=True
                )
        queries = self._queries(asked, meant, telling)
        names = await asking.names(
            self._transaction, self._number, spelling.all_of([], queries), MOST_NAMES
        )
        watched = await self._watched()
        taste = vectors.likeness([each.vector for each in found.values()], watched)
        works = [
            msgspec.structs.replace(each.work, taste=likeness)
            for each, likeness in zip(found.values(), taste, strict=True)
        ]
        understood = Asked(
            words=words,
            meant=meant,
            unfinished=asked.unfinished,
            languages=self._viewpoint.languages,
            now=now,
        )
        return ranking.ranked(understood, works, names)

    async def alike(self, work_id: WorkId, name: str, clock: Clock) -> list[Ranked]:
        there = await asking.work(self._transaction, self._number, work_id)
        if there is None:
            return []
        itself, tags = there
        facts = itself.work.facts
        about = facts.genre_ids
        found = await asking.alike(
            self._transaction,
            self._number,
            [each for each in tags if each not in about][:MOST_TAGS],
            all_tags=about,
            seen_only=self._viewpoint.seen_only,
            now=clock.now(),
            limit=self._width,
        )
        self.more = len(found) >= self._width
        others = [each for key, each in found.items() if key != work_id and key not in tags]
        likeness = vectors.likeness([each.vector for each in others], [itself.vector])
        pairs = [(each.work, value) for each, value in zip(others, likeness, strict=True)]
        return ranking.like(pairs, name, clock.now())

    async def _meant(self, asked: Question, at: int) -> dict[str, float]:
        word = asked.words[at]
        found = await asking.near(
            self._transaction, self._number, word, folding.near_keys(word), folding.sound(word)
        )
        unfinished = asked.unfinished and at == len(asked.words) - 1
        return spelling.meant(word, found, unfinished=unfinished)

    async def _telling(self, words: Sequence[str], often: Mapping[str, int]) -> list[int]:
        """The places of the words that tell works apart; all of them where none does."""
        works = await asking.estimate(self._transaction, self._number)
        most = max(FEW, COMMON * works)
        telling = [at for at, word in enumerate(words) if often.get(word, 0) <= most]
        return telling or list(range(len(words)))

    def _queries(
        self, asked: Question, meant: Sequence[Mapping[str, float]], places: Sequence[int]
    ) -> list[str]:
        last = len(asked.words) - 1
        return [
            spelling.word_query(
                asked.words[at], meant[at], unfinished=asked.unfinished and at == last
            )
            for at in places
        ]

    async def _candidates(
        self,
        asked: Question,
        meant: Sequence[Mapping[str, float]],
        telling: Sequence[int],
        clock: Clock,
        *,
        text_too: bool = False,
        but_one: bool = False,
    ) -> dict[str, asking.Vectored]:
        queries = self._queries(asked, meant, telling)
        words = [asked.words[at] for at in telling]
        query = spelling.all_but_one(queries) if but_one else spelling.all_of(words, queries)
        found = await asking.candidates(
            self._transaction,
            self._number,
            query=query,
            words=self._queries(asked, meant, range(len(asked.words))),
            whole=asked.whole,
            text_too=text_too,
            seen_only=self._viewpoint.seen_only,
            now=clock.now(),
            limit=self._width,
        )
        self.more = self.more or len(found) >= self._width
        return found

    async def _watched(self) -> list[bytes]:
        watched = self._viewpoint.watched
        if not watched:
            return []
        return await asking.vectors(self._transaction, self._number, watched)


def _checked(request: SearchFor | FindLike) -> Place | None:
    checked_limit(request.limit)
    viewpoint = request.viewpoint
    if not _TERRITORY.fullmatch(viewpoint.territory):
        raise SearchInvalid("A territory is two capital letters, such as DE, or empty.")
    if len(viewpoint.watched) > MOST_WATCHED:
        raise SearchInvalid(f"Tell of at most {MOST_WATCHED} titles that were watched.")
    return place_of(request.after)


async def _number(transaction: Transaction) -> int:
    number = await store.current(transaction)
    if number is None:
        raise Unavailable("the first index is not whole yet")
    return number
