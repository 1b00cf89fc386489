"""Catalog: the titles that there are, and the version of each that plays now.

What is published is a view, built from the log: replaying the log from zero rebuilds it.

What is told of titles, and of the works that hold them, is kept as it was written.

    Refusal
    |-- UnknownTitle          no title has this id
    |-- TitleInvalid          a name, a language tag or a launch is not acceptable; says why
    |-- NotPublished          the title has no version that can be played yet
    |-- UnknownWork           no work has this id
    |-- UnknownPerson         nobody has this id
    |-- UnknownTerm           no genre or theme has this id
    |-- WorkInvalid           what is told of a work, a person or a term cannot be; says where
    |-- WorkMisplaced         a work cannot lie there; says why
    |-- WorkInUse             something is in it or names it, so that it cannot be removed
    |-- WorkChangedMeanwhile  it was changed after the revision that the change was made from
    |-- NothingToUndo         no earlier state of it is kept
    `-- PageInvalid           the limit or the cursor of a list is not acceptable
"""

from datetime import datetime
from typing import ClassVar, Literal, Protocol

import msgspec

from cuemark.contracts.catalog.exchange import (
    Exported,
    ExportMetadata,
    Imported,
    ImportMetadata,
)
from cuemark.contracts.catalog.gathering import GatheredWorks, GatherWorks
from cuemark.contracts.catalog.metadata import (
    ListPeople,
    ListTerms,
    Person,
    PersonPage,
    PutPerson,
    RemovePerson,
    RemoveTerm,
    Term,
    TermList,
)
from cuemark.contracts.catalog.works import (
    AdmittedWorks,
    AdmitWorks,
    CreateWork,
    DescribeWork,
    GetWork,
    ListTitlesWithin,
    ListWorks,
    NothingToUndo,
    PlaceWork,
    RemoveWork,
    ShowWork,
    TitlesWithin,
    UndoWork,
    UnknownPerson,
    UnknownTerm,
    UnknownWork,
    Work,
    WorkChangedMeanwhile,
    WorkInFull,
    WorkInUse,
    WorkInvalid,
    WorkMisplaced,
    WorkPage,
)
from cuemark.contracts.ids import TitleId, VersionId
from cuemark.kit.errors import Refusal
from cuemark.kit.pages import PageInvalid

TOPIC = "catalog"


class UnknownTitle(Refusal):
    code = "unknown_title"
    status = 404


class TitleInvalid(Refusal):
    code = "title_invalid"
    status = 422


class NotPublished(Refusal):
    code = "not_published"
    status = 409


class CreateTitle(msgspec.Struct, frozen=True, kw_only=True):
    """``series`` is the name of the series that it is of, empty for none; where it lies in a series
    of the catalog, that one's name stands. Members see the title
    from ``launch_at`` on; without one, as soon as a version of it is published."""

    name: str
    synopsis: str = ""
    series: str = ""
    launch_at: datetime | None = None


class Title(msgspec.Struct, frozen=True, kw_only=True):
    """``version_id`` is the version that a new play gets; empty until one is published.

    ``quality`` says which: the ``quick`` one that comes first, or the ``full`` one.
    ``artwork_key`` is an object key; ``artwork_chosen`` says that an operator chose it, where it
    is the version's own otherwise. ``artwork_with_name`` asks for the title's name over it.
    ``launched`` says that no launch was ahead when this was asked. ``language`` is the one in which
    the name is; empty where that is not told.
    """

    title_id: TitleId
    name: str
    synopsis: str
    created_at: datetime
    version_id: VersionId | None = None
    quality: Literal["none", "quick", "full"] = "none"
    duration_s: float = 0.0
    artwork_key: str = ""
    artwork_chosen: bool = False
    artwork_with_name: bool = False
    series: str = ""
    launch_at: datetime | None = None
    launched: bool = True
    language: str = ""


class SetLaunch(msgspec.Struct, frozen=True, kw_only=True):
    """When members may see a title; None: from now on. Who plays it already plays on."""

    title_id: TitleId
    launch_at: datetime | None = None


class ChooseArtwork(msgspec.Struct, frozen=True, kw_only=True):
    """``artwork_key`` stands for the title from now on, whatever is published; empty, each
    version's own does again. ``with_name`` puts the title's name on it. With a ``language`` it is
    for readers of that one alone, and without a name on it."""

    title_id: TitleId
    artwork_key: str = ""
    with_name: bool = False
    language: str = ""


class GetTitle(msgspec.Struct, frozen=True, kw_only=True):
    """``languages`` are the reader's (BCP 47 ranges), the preferred one first."""

    title_id: TitleId
    languages: list[str] = []


class ListTitles(msgspec.Struct, frozen=True, kw_only=True):
    """The newest first. ``after`` is the ``next_cursor`` of the page before; ``limit`` 1 to 200.

    ``published_only`` leaves out what members may not see: titles without a version, and those that
    are launched later.
    """

    after: str = ""
    limit: int = 50
    published_only: bool = True
    languages: list[str] = []


class TitlePage(msgspec.Struct, frozen=True, kw_only=True):
    titles: list[Title]
    next_cursor: str = ""


class TitleCreated(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    title_id: TitleId
    name: str
    synopsis: str
    created_at: datetime
    series: str = ""
    launch_at: datetime | None = None


class LaunchSet(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    title_id: TitleId
    launch_at: datetime | None
    set_at: datetime


class ArtworkChosen(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    title_id: TitleId
    artwork_key: str
    chosen_at: datetime
    with_name: bool = False


class Catalog(Protocol):
    refusals: ClassVar[tuple[type[Refusal], ...]] = (
        UnknownTitle,
        TitleInvalid,
        NotPublished,
        UnknownWork,
        UnknownPerson,
        UnknownTerm,
        WorkInvalid,
        WorkMisplaced,
        WorkInUse,
        WorkChangedMeanwhile,
        NothingToUndo,
        PageInvalid,
    )

    async def create_title(self, request: CreateTitle) -> Title: ...

    async def set_launch(self, request: SetLaunch) -> Title: ...

    async def choose_artwork(self, request: ChooseArtwork) -> Title: ...

    async def get_title(self, request: GetTitle) -> Title: ...

    async def list_titles(self, request: ListTitles) -> TitlePage: ...

    async def create_work(self, request: CreateWork) -> Work: ...

    async def get_work(self, request: GetWork) -> Work: ...

    async def describe_work(self, request: DescribeWork) -> Work: ...

    async def place_work(self, request: PlaceWork) -> Work: ...

    async def remove_work(self, request: RemoveWork) -> Work: ...

    async def undo_work(self, request: UndoWork) -> Work: ...

    async def show_work(self, request: ShowWork) -> WorkInFull: ...

    async def list_works(self, request: ListWorks) -> WorkPage: ...

    async def gather_works(self, request: GatherWorks) -> GatheredWorks: ...

    async def list_titles_within(self, request: ListTitlesWithin) -> TitlesWithin: ...

    async def admit_works(self, request: AdmitWorks) -> AdmittedWorks: ...

    async def put_person(self, request: PutPerson) -> Person: ...

    async def list_people(self, request: ListPeople) -> PersonPage: ...

    async def remove_person(self, request: RemovePerson) -> Person: ...

    async def put_term(self, request: Term) -> Term: ...

    async def list_terms(self, request: ListTerms) -> TermList: ...

    async def remove_term(self, request: RemoveTerm) -> Term: ...

    async def import_metadata(self, request: ImportMetadata) -> Imported: ...

    async def export_metadata(self, request: ExportMetadata) -> Exported: ...
