"""What an import would do: which rows are works and people that there are, which are new, and
everything that is wrong with any of them."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import msgspec

from cuemark.contexts.catalog.model import hierarchy
from cuemark.contexts.catalog.model.details import (
    Faults,
    checked_details,
    checked_ids,
    checked_names,
    checked_term,
)
from cuemark.contexts.catalog.model.registries import IMPORTED, IdInvalid, checked_id
from cuemark.contracts.catalog.exchange import Fault, PersonRow, WorkRow
from cuemark.contracts.catalog.metadata import Credit, Details, OtherId, Person, Term
from cuemark.contracts.catalog.works import Kind, Work, WorkInvalid, WorkMisplaced
from cuemark.contracts.ids import PersonId, TermId, WorkId

Owners = Mapping[tuple[str, str], str]
_ORDER: tuple[Kind, ...] = ("franchise", "series", "season", "movie", "episode", "supplemental")


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """A work as it is to be. ``before`` is None for a new one."""

    work_id: WorkId
    kind: Kind
    details: Details
    parent_id: WorkId | None
    number: int | None
    before: Work | None

    @property
    def moves(self) -> bool:
        before = self.before
        place = self.kind, self.parent_id, self.number
        return before is not None and place != (before.kind, before.parent_id, before.number)


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the catalog has of whom and what an import names. ``inside`` tells of each work that it
    may place something in what lies there: the work, its kind and its number."""

    works: Mapping[WorkId, Work]
    work_ids: Owners
    inside: Mapping[WorkId, Sequence[tuple[WorkId, Kind, int | None]]]
    people: Mapping[PersonId, Person]
    person_ids: Owners
    terms: Mapping[TermId, Term]


def ids_named(rows: Iterable[PersonRow | WorkRow]) -> list[OtherId]:
    """The ids of others by which rows and their parents may be known, as they are kept."""
    named = []
    for row in rows:
        words = [row.id, row.parent] if isinstance(row, WorkRow) else [row.id]
        named += [OtherId(scheme=IMPORTED, value=word) for word in words]
        for each in row.details.ids if isinstance(row, WorkRow) else row.ids:
            try:
                value = checked_id(each.scheme, each.value)
            except IdInvalid:
                continue
            named.append(OtherId(scheme=each.scheme, value=value))
    return [each for each in named if "\0" not in each.value]


def checked_terms(given: Sequence[Term], faults: list[Fault]) -> dict[TermId, Term]:
    terms: dict[TermId, Term] = {}
    _once("terms", [term.term_id for term in given], faults)
    for place, term in enumerate(given):
        at = Faults(f"terms[{place}]")
        terms[term.term_id] = checked_term(term, at)
        faults += at.found
    return terms


def checked_people(
    rows: Sequence[PersonRow], known: Known, new_id: Callable[[], str], faults: list[Fault]
) -> dict[str, Person]:
    """Each row's person by the row's id."""
    people: dict[str, Person] = {}
    _once("people", [row.id for row in rows], faults)
    for place, row in enumerate(rows):
        at = Faults(f"people[{place}]")
        ids = checked_ids(row.ids, at)
        there, ids = _resolved(row.id, ids, known.people, known.person_ids, at)
        people[row.id] = Person(
            person_id=PersonId(there or new_id()), names=checked_names(row.names, at), ids=ids
        )
        faults += at.found
    return people


def checked_works(
    rows: Sequence[WorkRow],
    known: Known,
    people: Mapping[str, Person],
    terms: Mapping[TermId, Term],
    new_id: Callable[[Kind], str],
    faults: list[Fault],
) -> list[Placed]:
    """Each row's work as it is to be, in an order in which each comes after what it lies in."""
    _once("works", [row.id for row in rows], faults)
    told: list[tuple[WorkRow, Faults, WorkId, Details]] = []
    for place, row in enumerate(rows):
        at = Faults(f"works[{place}]")
        inner = Faults(f"works[{place}].details")
        details = checked_details(_with_people(row.details, people), row.kind, inner)
        there, ids = _resolved(row.id, details.ids, known.works, known.work_ids, at)
        details = msgspec.structs.replace(details, ids=ids)
        _check_named(details, known, people, terms, inner)
        work_id = WorkId(there or new_id(row.kind))
        _check_ids(details, work_id, known, inner)
        at.found += inner.found
        told.append((row, at, work_id, details))
    by_row = {row.id: work_id for row, _, work_id, _ in told}
    kinds = {work_id: row.kind for row, _, work_id, _ in told}
    placed = []
    for row, at, work_id, details in told:
        parent_id = _parent(row, by_row, known, at)
        _check_place(row, work_id, parent_id, kinds, known, at)
        before = known.works.get(work_id)
        placed.append(
            Placed(
                work_id=work_id,
                kind=row.kind,
                details=details,
                parent_id=parent_id,
                number=row.number,
                before=before,
            )
        )
    _check_together(placed, [at for _, at, _, _ in told], known)
    for _, at, _, _ in told:
        faults += at.found
    return sorted(placed, key=lambda each: _ORDER.index(each.kind))


def _resolved(
    row_id: str, ids: list[OtherId], known: Collection[str], owners: Owners, at: Faults
) -> tuple[str | None, list[OtherId]]:
    """The id of what the row is in the catalog, None for what is new; and the ids that it keeps."""
    at.of("id", _checked_row_id, row_id, "")
    if row_id in known:
        return row_id, ids
    own = OtherId(scheme=IMPORTED, value=row_id)
    kept = ids if own in ids else [*ids, own]
    found = {owners[key] for each in kept if (key := (each.scheme, each.value)) in owners}
    if len(found) > 1:
        at.add("ids", f"they are the ids of several: {', '.join(sorted(found))}")
    return (min(found) if found else None), kept


def _checked_row_id(row_id: str) -> str:
    return checked_id(IMPORTED, row_id)


def _with_people(details: Details, people: Mapping[str, Person]) -> Details:
    credits = [
        Credit(person_id=people[each.person_id].person_id, role=each.role, character=each.character)
        if each.person_id in people
        else each
        for each in details.credits
    ]
    return msgspec.structs.replace(details, credits=credits)


def _check_named(
    details: Details,
    known: Known,
    people: Mapping[str, Person],
    terms: Mapping[TermId, Term],
    at: Faults,
) -> None:
    there = {*known.people, *(person.person_id for person in people.values())}
    for place, credit in enumerate(details.credits):
        if credit.person_id not in there:
            at.add(f"credits[{place}].person_id", f"nobody has the id {credit.person_id!r}")
    for field, vocabulary in (("genres", "genre"), ("themes", "theme")):
        for place, term_id in enumerate(getattr(details, field)):
            term = terms.get(term_id) or known.terms.get(term_id)
            if term is None or term.vocabulary != vocabulary:
                at.add(f"{field}[{place}]", f"{term_id!r} is no {vocabulary} of the list")


def _check_ids(details: Details, work_id: WorkId, known: Known, at: Faults) -> None:
    for place, each in enumerate(details.ids):
        owner = known.work_ids.get((each.scheme, each.value), work_id)
        if owner != work_id:
            at.add(f"ids[{place}]", f"the work {owner} has this id")


def _parent(row: WorkRow, by_row: Mapping[str, WorkId], known: Known, at: Faults) -> WorkId | None:
    """The id of the work that the row lies in."""
    if not row.parent or row.parent in by_row:
        return by_row.get(row.parent)
    there = WorkId(known.work_ids.get((IMPORTED, row.parent), row.parent))
    if there not in known.works:
        at.add("parent", f"no work and no row has the id {row.parent!r}")
        return None
    return there


def _check_place(
    row: WorkRow,
    work_id: WorkId,
    parent_id: WorkId | None,
    kinds: Mapping[WorkId, Kind],
    known: Known,
    at: Faults,
) -> None:
    """``kinds`` are those of the rows: what a parent will be, not what it was."""
    if row.parent and parent_id is None:
        return
    kind = None
    if parent_id is not None:
        kind = kinds[parent_id] if parent_id in kinds else known.works[parent_id].kind
    try:
        hierarchy.check_place(row.kind, kind, row.number, itself=parent_id == work_id)
    except (WorkMisplaced, WorkInvalid) as error:
        at.add("", error.message.removeprefix("number: ").rstrip("."))


def _check_together(placed: Sequence[Placed], ats: Sequence[Faults], known: Known) -> None:
    """What no row is at fault for alone: numbers that are taken, works that are rows twice."""
    rows = {each.work_id for each in placed}
    taken: dict[tuple[WorkId, Kind, int], str] = {}
    count: Counter[WorkId] = Counter()
    for parent_id, there in known.inside.items():
        for work_id, kind, number in there:
            if work_id not in rows:
                count[parent_id] += 1
                if number is not None:
                    taken[parent_id, kind, number] = work_id
    seen: set[WorkId] = set()
    for each, at in zip(placed, ats, strict=True):
        if each.work_id in seen:
            at.add("id", f"another row is {each.work_id}, too")
        seen.add(each.work_id)
        if each.parent_id is None:
            continue
        count[each.parent_id] += 1
        if each.number is not None:
            there_id = taken.setdefault((each.parent_id, each.kind, each.number), each.work_id)
            if there_id != each.work_id:
                at.add("number", f"{each.number} is that of another {each.kind} there, {there_id}")
        if count[each.parent_id] == hierarchy.MOST_INSIDE + 1:
            at.add("parent", f"a work holds at most {hierarchy.MOST_INSIDE} others")
    for each, at in zip(placed, ats, strict=True):
        if each.before is not None:
            try:
                hierarchy.check_kind(each.before.kind, each.kind, count[each.work_id])
            except WorkMisplaced as error:
                at.add("kind", error.message.rstrip("."))


def _once(place: str, keys: Sequence[str], faults: list[Fault]) -> None:
    at = Faults()
    at.once(place, keys)
    faults += at.found
