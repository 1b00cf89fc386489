"""The use cases of search: a question is read, candidates are found, ranked, and shown.

Each step is bounded: so many words, so many words that may be meant, so many candidates. What is
found beyond the candidates is not reached by any page; a better question reaches it.
"""

import re
from collections.abc import Sequence

import msgspec

from cuemark.contexts.search import store
from cuemark.contexts.search.model.reading import Question, question
from cuemark.contexts.search.service.finding import MOST_NAMED, Finder, Finding
from cuemark.contexts.search.service.paging import Place, Placed, place_of, taken
from cuemark.contexts.search.service.showing import Showing
from cuemark.contracts.catalog import Catalog
from cuemark.contracts.catalog.works import UnknownWork, WorkSummary
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
from cuemark.kit.database import Database
from cuemark.kit.errors import Unavailable
from cuemark.kit.pages import checked_limit

WIDTHS = (100, 600)
"""Candidates of each kind. The second is for where too few of the first are shown."""
FIRST_NAMED = 2
"""Works of each person or term that are asked for first; the others where none of it is shown."""
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
            finder = await self._finder(request.viewpoint, width)
            found = await finder.find(asked, self._clock.now(), deep=deep)
            page, hidden = await self._page(request.viewpoint, found, request.limit, place)
            if len(page.hits) == request.limit or not finder.more or (found.thin and not hidden):
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
        finder = await self._finder(viewpoint, WIDTHS[0])
        found = await finder.find(asked, self._clock.now(), deep=False, works_only=True)
        close = [
            WorkId(each.found_id)
            for each in found.ranked
            if each.what == "work" and each.likeness >= ALIKE
        ]
        shown = await self._showing.shown(viewpoint, close[:MOST_NAMED])
        return next(((each, shown[each].name) for each in close if each in shown), None)

    async def _alike(
        self, work_id: WorkId, name: str, request: SearchFor | FindLike, place: Place | None
    ) -> Found:
        for width in WIDTHS:
            finder = await self._finder(request.viewpoint, width)
            found = await finder.alike(work_id, name, self._clock.now())
            page, _ = await self._page(request.viewpoint, found, request.limit, place)
            if len(page.hits) == request.limit or not finder.more:
                break
        return msgspec.structs.replace(page, like=name)

    async def _finder(self, viewpoint: Viewpoint, width: int) -> Finder:
        """On the generation that is searched now."""
        searched = await store.searched(self._database)
        if searched is None:
            raise Unavailable("the first index is not whole yet")
        return Finder(self._database, searched, viewpoint, width)

    async def _page(
        self, viewpoint: Viewpoint, found: Finding, limit: int, after: Place | None
    ) -> tuple[Found, bool]:
        """What is shown of what was found, after a place in it; whether some of it is hidden."""
        placed, hides = Placed(found.ranked, after), False
        while len(placed.hits) <= limit and (chunk := placed.next_chunk(limit)):
            works = [WorkId(each.found_id) for each in chunk if each.what == "work"]
            naming = [
                found.naming[each.found_id] for each in chunk if each.found_id in found.naming
            ]
            first = [one for named in naming for one in named[:FIRST_NAMED]]
            shown = await self._shown(viewpoint, [*works, *first])
            if hidden := [named for named in naming if not any(one in shown for one in named)]:
                shown |= await self._shown(viewpoint, [one for named in hidden for one in named])
            placed.take(chunk, shown, found.naming, viewpoint.languages)
            hides = hides or bool(hidden) or any(each not in shown for each in works)
        return taken(placed, limit), hides

    async def _shown(
        self, viewpoint: Viewpoint, works: Sequence[WorkId]
    ) -> dict[WorkId, WorkSummary]:
        asked = list(dict.fromkeys(works))
        return await self._showing.shown(viewpoint, asked) if asked else {}


def _checked(request: SearchFor | FindLike) -> Place | None:
    checked_limit(request.limit)
    viewpoint = request.viewpoint
    if not _TERRITORY.fullmatch(viewpoint.territory):
        raise SearchInvalid("A territory is two capital letters, such as DE, or empty.")
    if len(viewpoint.watched) > MOST_WATCHED:
        raise SearchInvalid(f"Tell of at most {MOST_WATCHED} titles that were watched.")
    return place_of(request.after)
