"""Search: what there is to watch, by its names, its people, and what it is about.

Nothing is found that the one who asks may not be shown: titles without a version or before their
launch, titles that rights do not show where they are, and titles above their maturity are left out,
and so are series, people, genres and themes with nothing else to them. How many were left out is
told by nothing, neither by a number nor by a cursor.

    Refusal
    |-- SearchInvalid   the text or the question is not acceptable; says why
    |-- UnknownWork     there is no such work to be like, or it may not be shown
    `-- PageInvalid     the limit or the cursor of a page is not acceptable
"""

from datetime import datetime
from typing import ClassVar, Literal, Protocol

import msgspec

from cuemark.contracts.catalog.works import UnknownWork, WorkSummary
from cuemark.contracts.ids import TitleId, WorkId
from cuemark.contracts.rights import LicenceType
from cuemark.kit.errors import Refusal
from cuemark.kit.pages import PageInvalid

LONGEST_TEXT = 200
MOST_WATCHED = 20

What = Literal["work", "person", "genre", "theme"]
Field = Literal["title", "series", "person", "genre", "theme", "text", "like"]
"""Where it was found: ``text`` is a synopsis, and ``like`` says that it is like another title."""


class SearchInvalid(Refusal):
    code = "search_invalid"
    status = 422


class Viewpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and from where.

    ``languages`` are BCP 47 ranges, the preferred one first. ``territory`` is ISO 3166-1, empty
    where it is not known; ``licence_types`` those of the plan, by default the install's.
    ``maturity`` is the highest age that titles may be fit from, as the catalog's ``AdmitWorks`` has
    it; None for no bound. ``watched`` are titles that were watched last (at most 20).
    ``seen_only`` leaves out what members may not be shown.
    """

    languages: list[str] = []
    territory: str = ""
    licence_types: list[LicenceType] = []
    maturity: int | None = None
    watched: list[TitleId] = []
    seen_only: bool = True


class SearchFor(msgspec.Struct, frozen=True, kw_only=True):
    """``text`` has at most 200 characters; ``limit`` is 1 to 200."""

    text: str
    viewpoint: Viewpoint = Viewpoint()
    limit: int = 24
    after: str = ""


class FindLike(msgspec.Struct, frozen=True, kw_only=True):
    """What is like a work, the likest first."""

    work_id: WorkId
    viewpoint: Viewpoint = Viewpoint()
    limit: int = 24
    after: str = ""


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """Why something was found: in which field, and what stands there."""

    field: Field
    text: str


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """``hit_id`` is the id of a work, a person or a term; ``work`` is the work, in the reader's
    language, and ``name`` is what the reader calls any of them."""

    what: What
    hit_id: str
    name: str
    why: list[Match]
    work: WorkSummary | None = None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The best first. ``like`` is the name of the title that the text asks for the like of."""

    hits: list[Hit]
    next_cursor: str = ""
    like: str = ""


class GetIndex(msgspec.Struct, frozen=True, kw_only=True):
    pass


class Rebuild(msgspec.Struct, frozen=True, kw_only=True):
    """Build a new index beside the one that is searched, which stays until the new one is whole.
    While one is built, that one goes on."""


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """``number`` is that of the index which is searched, 0 before the first is whole; ``works``
    how many it has. ``building`` is the number of the one that is built, with ``built`` works so
    far. ``waiting`` are changes that it has not taken in yet."""

    number: int
    works: int
    waiting: int
    built_at: datetime | None = None
    building: int | None = None
    built: int = 0


class Search(Protocol):
    refusals: ClassVar[tuple[type[Refusal], ...]] = (SearchInvalid, UnknownWork, PageInvalid)

    async def search(self, request: SearchFor) -> Found: ...

    async def suggest(self, request: SearchFor) -> Found: ...

    async def like(self, request: FindLike) -> Found: ...

    async def get_index(self, request: GetIndex) -> Index: ...

    async def rebuild(self, request: Rebuild) -> Index: ...
