"""Works in memory: one series with a film in it, and whatever is put beside them."""

from dataclasses import dataclass, field
from typing import ClassVar

import msgspec

from cuemark.contracts.catalog import works
from cuemark.contracts.catalog.exchange import (
    Exported,
    ExportMetadata,
    Fault,
    Imported,
    ImportMetadata,
    WorkRow,
)
from cuemark.contracts.catalog.gathering import GatheredWork, GatheredWorks, GatherWorks
from cuemark.contracts.catalog.metadata import (
    AgeRating,
    Details,
    ListPeople,
    ListTerms,
    NameIn,
    OtherId,
    Person,
    PersonPage,
    PutPerson,
    RemovePerson,
    RemoveTerm,
    Term,
    TermList,
    Text,
)
from cuemark.contracts.ids import PersonId, TermId, TitleId, WorkId
from tests.unit.gateway.neighbours.neighbour import DRAFT, FILM, Neighbour

SERIES = WorkId("ser_show")
EVIL = '</script><script>alert("x")</script>&\u2028'
"""A name that would be more than text where it is not escaped."""


@dataclass
class Shelves(Neighbour):
    kept: dict[WorkId, works.Work] = field(default_factory=dict)
    people: dict[PersonId, Person] = field(default_factory=dict)
    terms: dict[TermId, Term] = field(default_factory=dict)
    imported: list[ImportMetadata] = field(default_factory=list)
    removed: dict[WorkId, works.Work] = field(default_factory=dict)
    ages: dict[str, int] = field(default_factory=dict)
    """From which age a work is; those of which nothing is said are for everybody."""
    admitting: list[works.AdmitWorks] = field(default_factory=list)
    ANNA: ClassVar[PersonId] = PersonId("per_anna")

    def __post_init__(self) -> None:
        now = self.clock.now()
        for work_id, kind, name in ((SERIES, "series", "The Show"), (FILM, "episode", EVIL)):
            texts = [Text(language="en", name=name), Text(language="de", name=f"{name} (de)")]
            self.kept[WorkId(work_id)] = works.Work(
                work_id=WorkId(work_id),
                kind="series" if kind == "series" else "episode",
                parent_id=None if kind == "series" else SERIES,
                details=Details(texts=texts, genres=[TermId("drama")], year=1984),
                revision=1,
                changed_at=now,
                change="created",
            )
        self.people[self.ANNA] = Person(
            person_id=self.ANNA, names=[NameIn(language="en", name=f"Anna {EVIL}")]
        )
        drama = NameIn(language="en", name="Drama")
        self.terms[TermId("drama")] = Term(
            term_id=TermId("drama"), vocabulary="genre", names=[drama]
        )

    async def admit_works(self, request: works.AdmitWorks) -> works.AdmittedWorks:
        self.check()
        self.admitting.append(request)
        admitted = [each for each in request.work_ids if self.ages.get(each, 0) <= request.maturity]
        return works.AdmittedWorks(work_ids=admitted)

    async def create_work(self, request: works.CreateWork) -> works.Work:
        self.check()
        if not request.details.texts:
            raise works.WorkInvalid("texts: a name is needed.")
        work = works.Work(
            work_id=WorkId("ser_new"),
            kind=request.kind,
            details=request.details,
            parent_id=request.parent_id,
            number=request.number,
            revision=1,
            changed_at=self.clock.now(),
            change="created",
        )
        self.kept[work.work_id] = work
        return work

    async def get_work(self, request: works.GetWork) -> works.Work:
        self.check()
        if request.work_id not in self.kept:
            raise works.UnknownWork("There is no such work.")
        return self.kept[request.work_id]

    async def describe_work(self, request: works.DescribeWork) -> works.Work:
        before = await self.get_work(works.GetWork(work_id=request.work_id))
        if before.revision != request.revision:
            raise works.WorkChangedMeanwhile("It was changed.")
        return self._put(before, details=request.details)

    async def place_work(self, request: works.PlaceWork) -> works.Work:
        before = await self.get_work(works.GetWork(work_id=request.work_id))
        if request.parent_id == request.work_id:
            raise works.WorkMisplaced("It cannot lie in itself.")
        return self._put(before, parent_id=request.parent_id, number=request.number)

    async def remove_work(self, request: works.RemoveWork) -> works.Work:
        work = await self.get_work(works.GetWork(work_id=request.work_id))
        self.removed[work.work_id] = self.kept.pop(work.work_id)
        return work

    async def undo_work(self, request: works.UndoWork) -> works.Work:
        self.check()
        if request.work_id not in self.removed:
            raise works.NothingToUndo("Nothing was changed.")
        self.kept[request.work_id] = self.removed.pop(request.work_id)
        return self.kept[request.work_id]

    async def show_work(self, request: works.ShowWork) -> works.WorkInFull:
        work = await self.get_work(works.GetWork(work_id=WorkId(request.work_id)))
        if request.seen_only and work.work_id == WorkId(DRAFT):
            raise works.UnknownWork("There is no such work.")
        language = "de" if "de" in request.languages else "en"
        rating = AgeRating(scheme="FSK", rating="12")
        shown = works.RatingShown(scheme="FSK", rating="12", level=3, territories=["DE"])
        credits = [
            works.CreditShown(
                person_id=self.ANNA, name=f"Anna {EVIL}", role="actor", character="Eve"
            )
        ]
        return works.WorkInFull(
            work=self._summary(work, language),
            synopsis=EVIL,
            above=[self._summary(self.kept[SERIES], language)] if work.kind == "episode" else [],
            languages=[language],
            told_in=["en", "de"],
            genres=[works.TermShown(term_id=TermId("drama"), name="Drama")],
            credits=credits,
            ratings=[shown],
            rating=rating if request.territory == "DE" else None,
            maturity_level=3,
            ids=[OtherId(scheme="imdb", value="tt0087332")],
            next_title_id=TitleId("ttl_next"),
        )

    async def list_works(self, request: works.ListWorks) -> works.WorkPage:
        self.check()
        language = "de" if "de" in request.languages else "en"
        found = [
            self._summary(work, language)
            for work in self.kept.values()
            if not request.kinds or work.kind in request.kinds
        ]
        return works.WorkPage(works=found[: request.limit], languages=[language])

    async def gather_works(self, request: GatherWorks) -> GatheredWorks:
        self.check()
        works = [GatheredWork(work=work) for work in self.kept.values()]
        return GatheredWorks(works=works, people=[], terms=[])

    async def list_titles_within(self, request: works.ListTitlesWithin) -> works.TitlesWithin:
        self.check()
        within = {
            holder: [
                TitleId(each.work_id) for each in self.kept.values() if each.parent_id == holder
            ]
            for holder in request.work_ids
        }
        return works.TitlesWithin(title_ids={each: ids for each, ids in within.items() if ids})

    async def put_person(self, request: PutPerson) -> Person:
        self.check()
        if request.person_id is not None and request.person_id not in self.people:
            raise works.UnknownPerson("Nobody has this id.")
        person = Person(
            person_id=request.person_id or PersonId("per_new"),
            names=request.names,
            ids=request.ids,
        )
        self.people[person.person_id] = person
        return person

    async def list_people(self, request: ListPeople) -> PersonPage:
        self.check()
        return PersonPage(people=list(self.people.values())[: request.limit])

    async def remove_person(self, request: RemovePerson) -> Person:
        self.check()
        if request.person_id not in self.people:
            raise works.UnknownPerson("Nobody has this id.")
        return self.people.pop(request.person_id)

    async def put_term(self, request: Term) -> Term:
        self.check()
        self.terms[request.term_id] = request
        return request

    async def list_terms(self, request: ListTerms) -> TermList:
        self.check()
        return TermList(terms=list(self.terms.values()))

    async def remove_term(self, request: RemoveTerm) -> Term:
        self.check()
        if request.term_id not in self.terms:
            raise works.UnknownTerm("No genre or theme has this id.")
        return self.terms.pop(request.term_id)

    async def import_metadata(self, request: ImportMetadata) -> Imported:
        self.check()
        faults = [
            Fault(place=f"works[{place}].number", message="no number")
            for place, row in enumerate(request.works)
            if row.number == -1
        ]
        if not faults and not request.dry_run:
            self.imported.append(request)
        return Imported(created=len(request.works), fault_count=len(faults), faults=faults)

    async def export_metadata(self, request: ExportMetadata) -> Exported:
        self.check()
        rows = [
            WorkRow(id=work.work_id, kind=work.kind, details=work.details)
            for work in self.kept.values()
        ]
        return Exported(people=[], terms=[], works=rows[: request.limit])

    def _put(self, before: works.Work, **changed: object) -> works.Work:
        after = msgspec.structs.replace(before, revision=before.revision + 1, **changed)
        self.kept[before.work_id] = after
        return after

    def _summary(self, work: works.Work, language: str) -> works.WorkSummary:
        names = {text.language: text.name for text in work.details.texts}
        return works.WorkSummary(
            work_id=work.work_id,
            kind=work.kind,
            name=names.get(language, next(iter(names.values()))),
            number=work.number,
            year=work.details.year,
            artwork_key="artwork/film.jpg",
            artwork_own=work.kind == "episode",
            quality="full",
            duration_s=3725.0,
        )
