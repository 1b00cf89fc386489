"""Metadata in and out as a whole: an import is one transaction, all of it or nothing."""

import asyncio
from collections.abc import Sequence

import msgspec

from cuemark.contexts.catalog import store as titles
from cuemark.contexts.catalog.model import hierarchy, importing, listing
from cuemark.contexts.catalog.model.cursors import time_of
from cuemark.contexts.catalog.model.importing import Known, Placed
from cuemark.contexts.catalog.service.names import PERSON
from cuemark.contexts.catalog.service.works import TITLE, Works
from cuemark.contexts.catalog.store import names
from cuemark.contexts.catalog.store import works as store
from cuemark.contracts.catalog import TOPIC, Title
from cuemark.contracts.catalog.exchange import (
    MOST_ROWS,
    Exported,
    ExportMetadata,
    Fault,
    Imported,
    ImportMetadata,
    PersonRow,
    WorkRow,
)
from cuemark.contracts.catalog.gathering import PersonChanged, TermChanged
from cuemark.contracts.catalog.metadata import Person, Term
from cuemark.contracts.catalog.works import Kind, Work
from cuemark.contracts.ids import PersonId, TermId, TitleId, WorkId
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database, Transaction
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Log
from cuemark.kit.pages import checked_limit, cursor_of, keys_of

MOST_FAULTS = 200


class _Undone(Exception):
    """Rolls the transaction back: it was a trial, or there were faults."""

    def __init__(self, imported: Imported) -> None:
        super().__init__()
        self.imported = imported


class Exchange:
    """Imports and exports."""

    def __init__(self, database: Database, log: Log, clock: Clock, ids: Ids, works: Works) -> None:
        self._database = database
        self._log = log
        self._clock = clock
        self._ids = ids
        self._works = works

    async def import_metadata(self, request: ImportMetadata) -> Imported:
        rows = len(request.people) + len(request.terms) + len(request.works)
        if rows > MOST_ROWS:
            fault = Fault(
                place="", message=f"{rows} rows, where {MOST_ROWS} are the most: split the file"
            )
            return Imported(fault_count=1, faults=[fault])
        try:
            async with self._database.transaction() as transaction:
                imported = await self._import(transaction, request)
                if imported.faults or request.dry_run:
                    raise _Undone(imported)
        except _Undone as undone:
            return undone.imported
        return imported

    async def export_metadata(self, request: ExportMetadata) -> Exported:
        limit = checked_limit(request.limit)
        keys = keys_of(request.after, 2)
        after = (time_of(keys[0]), keys[1]) if keys else None
        async with self._database.transaction() as transaction:
            found = await store.in_order_of_creation(transaction, after, limit + 1)
            page = [work for _, work in found[:limit]]
            credited = {each.person_id for work in page for each in work.details.credits}
            people = await names.people(transaction, credited)
            used = {each for work in page for each in (*work.details.genres, *work.details.themes)}
            terms = await names.terms(transaction, used)
        made, last = found[limit - 1] if len(found) > limit else (None, None)
        return Exported(
            people=[
                PersonRow(id=each.person_id, names=each.names, ids=each.ids)
                for each in people.values()
            ],
            terms=list(terms.values()),
            works=[
                WorkRow(
                    id=work.work_id,
                    kind=work.kind,
                    details=work.details,
                    parent=work.parent_id or "",
                    number=work.number,
                )
                for work in page
            ],
            next_cursor=cursor_of(made.isoformat(), last.work_id) if made and last else "",
        )

    async def _import(self, transaction: Transaction, request: ImportMetadata) -> Imported:
        await store.write_alone(transaction)
        known = await _known(transaction, request)
        # Thousands of rows take as long as others may not wait for an answer.
        faults, terms, people, works = await asyncio.to_thread(self._checked, request, known)
        if faults:
            return Imported(fault_count=len(faults), faults=faults[:MOST_FAULTS])
        now = self._clock.now()
        told: list[tuple[str, msgspec.Struct]] = []
        counts = {"created": 0, "changed": 0, "unchanged": 0}
        for term in terms.values():
            what = _what(known.terms.get(term.term_id), term)
            counts[what] += 1
            if what != "unchanged":
                told.append((term.term_id, TermChanged(term_id=term.term_id, changed_at=now)))
            await names.put_term(transaction, term)
        for person in people.values():
            what = _what(known.people.get(person.person_id), person)
            counts[what] += 1
            if what == "changed":
                changed = PersonChanged(person_id=person.person_id, changed_at=now)
                told.append((person.person_id, changed))
        await names.put_people(transaction, list(people.values()))
        await self._log.append_all(transaction, TOPIC, told)
        await store.take_numbers(transaction, [each.work_id for each in works if each.moves])
        counts["created"] += await self._add(transaction, works)
        for placed in works:
            if placed.before is not None:
                counts[await self._change(transaction, placed, placed.before)] += 1
        return Imported(
            created=counts["created"], changed=counts["changed"], unchanged=counts["unchanged"]
        )

    def _checked(
        self, request: ImportMetadata, known: Known
    ) -> tuple[list[Fault], dict[TermId, Term], dict[str, Person], list[Placed]]:
        faults: list[Fault] = []
        terms = importing.checked_terms(request.terms, faults)
        people = importing.checked_people(
            request.people, known, lambda: self._ids.new(PERSON), faults
        )
        works = importing.checked_works(request.works, known, people, terms, self._new_id, faults)
        return faults, terms, people, works

    async def _change(self, transaction: Transaction, placed: Placed, before: Work) -> str:
        after = await self._works.change(
            transaction,
            before,
            "imported",
            kind=placed.kind,
            parent_id=placed.parent_id,
            number=placed.number,
            details=placed.details,
        )
        return "unchanged" if after == before else "changed"

    async def _add(self, transaction: Transaction, placed: Sequence[Placed]) -> int:
        """Add those that are new, and say how many. New titles have no version: what is to be
        ingested for them may come later."""
        now = self._clock.now()
        works = [
            Work(
                work_id=each.work_id,
                kind=each.kind,
                details=each.details,
                parent_id=each.parent_id,
                number=each.number,
                revision=1,
                change="imported",
                changed_at=now,
            )
            for each in placed
            if each.before is None
        ]
        await self._works.add_all(transaction, works)
        made = [
            await self._title_of(transaction, work)
            for work in works
            if work.kind in hierarchy.PLAYABLE
        ]
        await titles.add_titles(transaction, made)
        created = [(title.title_id, listing.created(title)) for title in made]
        await self._log.append_all(transaction, TOPIC, created)
        return len(works)

    async def _title_of(self, transaction: Transaction, work: Work) -> Title:
        text, title_id = work.details.texts[0], TitleId(work.work_id)
        lies = work.parent_id is not None
        return Title(
            title_id=title_id,
            name=text.name,
            synopsis=text.synopsis,
            created_at=work.changed_at,
            series=await store.series_name(transaction, title_id) if lies else "",
        )

    def _new_id(self, kind: Kind) -> str:
        return self._ids.new(hierarchy.HOLDERS.get(kind, TITLE))


async def _known(transaction: Transaction, request: ImportMetadata) -> Known:
    """What the catalog has of all that the rows name."""
    work_ids = await store.owners_of_ids(transaction, "work", importing.ids_named(request.works))
    named = {word for row in request.works for word in (row.id, row.parent)}
    works = await store.works(transaction, {WorkId(each) for each in _clean(named, work_ids)})
    inside: dict[WorkId, list[tuple[WorkId, Kind, int | None]]] = {}
    for parent_id, work_id, kind, number in await store.numbers_in(transaction, works):
        inside.setdefault(parent_id, []).append((work_id, kind, number))
    person_ids = await store.owners_of_ids(
        transaction, "person", importing.ids_named(request.people)
    )
    credited = {each.person_id for row in request.works for each in row.details.credits}
    asked = {*credited, *(row.id for row in request.people)}
    return Known(
        works=works,
        work_ids=work_ids,
        inside=inside,
        people=await names.people(
            transaction, {PersonId(each) for each in _clean(asked, person_ids)}
        ),
        person_ids=person_ids,
        terms=await names.terms(transaction),
    )


def _clean(named: set[str], owners: importing.Owners) -> set[str]:
    return {each for each in {*named, *owners.values()} if each and "\0" not in each}


def _what(before: msgspec.Struct | None, after: msgspec.Struct) -> str:
    if before is None:
        return "created"
    return "unchanged" if before == after else "changed"
