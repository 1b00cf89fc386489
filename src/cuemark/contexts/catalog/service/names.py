"""People, and the lists of genres and themes."""

from collections.abc import Collection

from cuemark.contexts.catalog.model.details import (
    Faults,
    checked_ids,
    checked_names,
    checked_term,
)
from cuemark.contexts.catalog.service.works import refuse
from cuemark.contexts.catalog.store import names as store
from cuemark.contexts.catalog.store import works
from cuemark.contracts.catalog import TOPIC
from cuemark.contracts.catalog.exchange import Fault
from cuemark.contracts.catalog.gathering import PersonChanged, TermChanged
from cuemark.contracts.catalog.metadata import (
    ListPeople,
    ListTerms,
    OtherId,
    Person,
    PersonPage,
    PutPerson,
    RemovePerson,
    RemoveTerm,
    Term,
    TermList,
)
from cuemark.contracts.catalog.works import UnknownPerson, UnknownTerm, WorkInUse, WorkInvalid
from cuemark.contracts.ids import PersonId, WorkId
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database, Transaction
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Log
from cuemark.kit.pages import checked_limit, cursor_of, keys_of

PERSON = "per"


class Names:
    """Who made works, and of what they can be."""

    def __init__(self, database: Database, log: Log, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._log = log
        self._clock = clock
        self._ids = ids

    async def put_person(self, request: PutPerson) -> Person:
        faults = Faults()
        person = Person(
            person_id=request.person_id or PersonId(self._ids.new(PERSON)),
            names=checked_names(request.names, faults),
            ids=checked_ids(request.ids, faults),
        )
        refuse(faults.found)
        async with self._database.transaction() as transaction:
            await works.write_alone(transaction)
            if request.person_id is not None:
                await _person(transaction, request.person_id)
            refuse(await ids_of_others(transaction, person.person_id, person.ids))
            await store.put_people(transaction, [person])
            told = PersonChanged(person_id=person.person_id, changed_at=self._clock.now())
            await self._log.append(transaction, TOPIC, person.person_id, told)
        return person

    async def list_people(self, request: ListPeople) -> PersonPage:
        limit = checked_limit(request.limit)
        after = keys_of(request.after, 1)
        async with self._database.transaction() as transaction:
            found = await store.list_people(
                transaction, after[0] if after else None, request.named.strip(), limit + 1
            )
        page = found[:limit]
        more = len(found) > limit
        return PersonPage(people=page, next_cursor=cursor_of(page[-1].person_id) if more else "")

    async def remove_person(self, request: RemovePerson) -> Person:
        async with self._database.transaction() as transaction:
            await works.write_alone(transaction)
            person = await _person(transaction, request.person_id)
            _check_unused(await store.works_with_person(transaction, person.person_id))
            await store.remove_person(transaction, person.person_id)
        return person

    async def put_term(self, request: Term) -> Term:
        faults = Faults()
        term = checked_term(request, faults)
        refuse(faults.found)
        async with self._database.transaction() as transaction:
            await works.write_alone(transaction)
            there = (await store.terms(transaction, [term.term_id])).get(term.term_id)
            if there is None and await store.count_terms(transaction) >= store.MOST_TERMS:
                raise WorkInvalid(f"There are at most {store.MOST_TERMS} genres and themes.")
            if there is not None and there.vocabulary != term.vocabulary:
                _check_unused(await store.works_with_term(transaction, term.term_id))
            await store.put_term(transaction, term)
            told = TermChanged(term_id=term.term_id, changed_at=self._clock.now())
            await self._log.append(transaction, TOPIC, term.term_id, told)
        return term

    async def list_terms(self, request: ListTerms) -> TermList:
        async with self._database.transaction() as transaction:
            return TermList(terms=list((await store.terms(transaction)).values()))

    async def remove_term(self, request: RemoveTerm) -> Term:
        async with self._database.transaction() as transaction:
            await works.write_alone(transaction)
            term = (await store.terms(transaction, [request.term_id])).get(request.term_id)
            if term is None:
                raise UnknownTerm("No genre or theme has this id.")
            _check_unused(await store.works_with_term(transaction, term.term_id))
            await store.remove_term(transaction, term.term_id)
        return term


async def ids_of_others(
    transaction: Transaction, person_id: PersonId, ids: Collection[OtherId]
) -> list[Fault]:
    """Ids that somebody else has."""
    owners = await works.owners_of_ids(transaction, "person", ids)
    return [
        Fault(place=f"ids[{place}]", message=f"{owner} has this id")
        for place, each in enumerate(ids)
        if (owner := owners.get((each.scheme, each.value), person_id)) != person_id
    ]


async def _person(transaction: Transaction, person_id: PersonId) -> Person:
    person = (await store.people(transaction, [person_id])).get(person_id)
    if person is None:
        raise UnknownPerson("Nobody has this id.")
    return person


def _check_unused(users: list[WorkId]) -> None:
    if users:
        some = ", ".join(users)
        raise WorkInUse(f"Works name it, such as {some}: take it out of them first.")
