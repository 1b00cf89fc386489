"""Search in memory: one film, and whoever made it."""

from dataclasses import dataclass, field
from typing import ClassVar

from cuemark.contracts.catalog import Catalog
from cuemark.contracts.catalog.works import AdmitWorks, UnknownWork, WorkSummary
from cuemark.contracts.ids import WorkId
from cuemark.contracts.search import (
    Field,
    FindLike,
    Found,
    GetIndex,
    Hit,
    Index,
    Match,
    Rebuild,
    Search,
    SearchFor,
    SearchInvalid,
    Viewpoint,
)
from cuemark.kit.errors import Refusal
from cuemark.kit.pages import checked_limit
from tests.unit.gateway.neighbours.neighbour import FILM, Neighbour


@dataclass
class Finder(Neighbour):
    """``asked`` are the questions; every text finds the film, and any film is like it, for whom the
    catalog admits it."""

    films: Catalog = field(kw_only=True)
    refusals: ClassVar[tuple[type[Refusal], ...]] = Search.refusals
    asked: list[SearchFor | FindLike] = field(default_factory=list)
    building: int | None = None

    async def search(self, request: SearchFor) -> Found:
        self.check()
        self.asked.append(request)
        checked_limit(request.limit)
        if "\x01" in request.text:
            raise SearchInvalid("The text holds a control character.")
        hits = [_hit("title"), PERSON] if await self._admits(request.viewpoint) else []
        return Found(hits=hits, next_cursor=request.after)

    async def suggest(self, request: SearchFor) -> Found:
        return await self.search(request)

    async def like(self, request: FindLike) -> Found:
        self.check()
        self.asked.append(request)
        if request.work_id != WorkId(FILM) or not await self._admits(request.viewpoint):
            raise UnknownWork("There is no such work.")
        return Found(hits=[_hit("like")], like="Film")

    async def _admits(self, viewpoint: Viewpoint) -> bool:
        if viewpoint.maturity is None:
            return True
        asked = AdmitWorks(
            work_ids=[WorkId(FILM)], maturity=viewpoint.maturity, territory=viewpoint.territory
        )
        return bool((await self.films.admit_works(asked)).work_ids)

    async def get_index(self, request: GetIndex) -> Index:
        self.check()
        return Index(number=1, works=2, waiting=0, building=self.building)

    async def rebuild(self, request: Rebuild) -> Index:
        self.building = 2
        return await self.get_index(GetIndex())


PERSON = Hit(
    what="person",
    hit_id="per_anna",
    name="Anna",
    why=[Match(field="person", text="Anna")],
)


def _hit(found_in: Field) -> Hit:
    work = WorkSummary(
        work_id=WorkId(FILM), kind="movie", name="Film", artwork_key="artwork/film.jpg"
    )
    return Hit(
        what="work",
        hit_id=FILM,
        name="Film",
        why=[Match(field=found_in, text="Film")],
        work=work,
    )
