"""The tables of people and of the lists of genres and themes."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import Row, text

from cuemark.contexts.catalog.store.works import add_ids, forget_ids
from cuemark.contracts.catalog.metadata import NameIn, OtherId, Person, Term
from cuemark.contracts.ids import PersonId, TermId, WorkId
from cuemark.kit.database import Transaction

MOST_TERMS = 500


async def put_people(transaction: Transaction, people: Sequence[Person]) -> None:
    """Keep people in place of those with their ids, if there are such."""
    if not people:
        return
    values = [
        {
            "id": person.person_id,
            "names": msgspec.json.encode(person.names).decode(),
            "ids": msgspec.json.encode(person.ids).decode(),
            "named": "\n".join(each.name for each in person.names).casefold(),
        }
        for person in people
    ]
    await transaction.execute(
        text(
            "insert into catalog.person (person_id, names, ids, named) values "
            "(:id, cast(:names as jsonb), cast(:ids as jsonb), :named) on conflict (person_id) "
            "do update set names = excluded.names, ids = excluded.ids, named = excluded.named"
        ),
        values,
    )
    await forget_ids(transaction, *(person.person_id for person in people))
    ids = [(person.person_id, each) for person in people for each in person.ids]
    await add_ids(transaction, "person", ids)


async def people(
    transaction: Transaction, person_ids: Collection[PersonId]
) -> dict[PersonId, Person]:
    """Those of the ids that there are."""
    found = await transaction.execute(
        text("select person_id, names, ids from catalog.person where person_id = any(:ids)"),
        {"ids": list(person_ids)},
    )
    return {row.person_id: _person(row) for row in found}


async def list_people(
    transaction: Transaction, after: str | None, named: str, limit: int
) -> list[Person]:
    found = await transaction.execute(
        text(
            "select person_id, names, ids from catalog.person "
            "where (cast(:after as text) is null or person_id > :after) "
            "and (:named = '' or position(:named in named) > 0) order by person_id limit :limit"
        ),
        {"after": after, "named": named.casefold(), "limit": limit},
    )
    return [_person(row) for row in found]


async def remove_person(transaction: Transaction, person_id: PersonId) -> None:
    await transaction.execute(
        text("delete from catalog.person where person_id = :id"), {"id": person_id}
    )
    await forget_ids(transaction, person_id)


async def works_with_person(transaction: Transaction, person_id: PersonId) -> list[WorkId]:
    """Some of the works that name somebody: enough to tell."""
    return await _users(transaction, "person", person_id)


async def works_with_term(transaction: Transaction, term_id: TermId) -> list[WorkId]:
    return await _users(transaction, "term", term_id)


async def put_term(transaction: Transaction, term: Term) -> None:
    await transaction.execute(
        text(
            "insert into catalog.term (term_id, vocabulary, names) values "
            "(:id, :vocabulary, cast(:names as jsonb)) on conflict (term_id) do update "
            "set vocabulary = excluded.vocabulary, names = excluded.names"
        ),
        {
            "id": term.term_id,
            "vocabulary": term.vocabulary,
            "names": msgspec.json.encode(term.names).decode(),
        },
    )


async def terms(
    transaction: Transaction, term_ids: Collection[TermId] | None = None
) -> dict[TermId, Term]:
    """All, or those of the ids that there are."""
    found = await transaction.execute(
        text(
            "select term_id, vocabulary, names from catalog.term "
            "where cast(:ids as text[]) is null or term_id = any(:ids) "
            "order by vocabulary, term_id"
        ),
        {"ids": None if term_ids is None else list(term_ids)},
    )
    return {row.term_id: _term(row) for row in found}


async def count_terms(transaction: Transaction) -> int:
    return int((await transaction.execute(text("select count(*) from catalog.term"))).scalar_one())


async def remove_term(transaction: Transaction, term_id: TermId) -> None:
    await transaction.execute(text("delete from catalog.term where term_id = :id"), {"id": term_id})


async def _users(transaction: Transaction, table: str, named: str) -> list[WorkId]:
    found = await transaction.execute(
        text(
            f"select work_id from catalog.work_{table} where {table}_id = :id "
            "order by work_id limit 3"
        ),
        {"id": named},
    )
    return list(found.scalars())


def _person(row: Row[Any]) -> Person:
    return Person(
        person_id=row.person_id,
        names=msgspec.convert(row.names, list[NameIn]),
        ids=msgspec.convert(row.ids, list[OtherId]),
    )


def _term(row: Row[Any]) -> Term:
    return Term(
        term_id=row.term_id,
        vocabulary=row.vocabulary,
        names=msgspec.convert(row.names, list[NameIn]),
    )
