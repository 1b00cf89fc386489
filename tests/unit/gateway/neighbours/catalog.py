"""The catalog in memory."""

from dataclasses import dataclass, field
from typing import ClassVar

import msgspec

from cuemark.contracts import catalog
from cuemark.contracts.ids import TitleId, VersionId
from cuemark.kit.errors import Refusal
from tests.unit.gateway.neighbours.neighbour import DRAFT, FILM, Neighbour
from tests.unit.gateway.neighbours.works import Shelves


@dataclass
class Films(Shelves, Neighbour):
    refusals: ClassVar[tuple[type[Refusal], ...]] = catalog.Catalog.refusals
    titles: dict[TitleId, catalog.Title] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        now = self.clock.now()
        self.titles = {
            FILM: catalog.Title(
                title_id=FILM,
                name="Film",
                synopsis="",
                created_at=now,
                version_id=VersionId("ver_1"),
                quality="full",
                duration_s=52.0,
                artwork_key="artwork/film.jpg",
            ),
            DRAFT: catalog.Title(title_id=DRAFT, name="Draft", synopsis="", created_at=now),
        }

    async def create_title(self, request: catalog.CreateTitle) -> catalog.Title:
        self.check()
        if not request.name.strip():
            raise catalog.TitleInvalid("A title needs a name.")
        return catalog.Title(
            title_id=TitleId("ttl_new"),
            name=request.name,
            synopsis=request.synopsis,
            created_at=self.clock.now(),
            series=request.series,
            launch_at=request.launch_at,
        )

    async def set_launch(self, request: catalog.SetLaunch) -> catalog.Title:
        title = await self.get_title(catalog.GetTitle(title_id=request.title_id))
        launched = request.launch_at is None or request.launch_at <= self.clock.now()
        title = msgspec.structs.replace(title, launch_at=request.launch_at, launched=launched)
        self.titles[title.title_id] = title
        return title

    async def get_title(self, request: catalog.GetTitle) -> catalog.Title:
        self.check()
        if request.title_id not in self.titles:
            raise catalog.UnknownTitle("There is no such title.")
        return in_language(self.titles[request.title_id], request.languages)

    async def choose_artwork(self, request: catalog.ChooseArtwork) -> catalog.Title:
        title = await self.get_title(catalog.GetTitle(title_id=request.title_id))
        self.titles[title.title_id] = msgspec.structs.replace(
            title,
            artwork_key=request.artwork_key or "artwork/film.jpg",
            artwork_chosen=bool(request.artwork_key),
            artwork_with_name=request.with_name,
        )
        return self.titles[title.title_id]

    async def list_titles(self, request: catalog.ListTitles) -> catalog.TitlePage:
        self.check()
        found = [
            title
            for title in self.titles.values()
            if (title.version_id and title.launched) or not request.published_only
        ]
        if not request.after.isdecimal():
            told = [in_language(title, request.languages) for title in found[: request.limit]]
            return catalog.TitlePage(titles=told, next_cursor=request.after)
        end = int(request.after) + request.limit
        more = str(end) if end < len(found) else ""
        told = [in_language(each, request.languages) for each in found[int(request.after) : end]]
        return catalog.TitlePage(titles=told, next_cursor=more)


def in_language(title: catalog.Title, languages: list[str]) -> catalog.Title:
    """The film is told in German, too."""
    if title.title_id == FILM and "de" in languages:
        return msgspec.structs.replace(title, name="Der Film", language="de")
    return title
