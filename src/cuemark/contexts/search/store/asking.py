"""What is read from the generation that is searched."""

import functools
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import Row, TextClause, text

from cuemark.contexts.search.model.entries import Called, Facts
from cuemark.contexts.search.model.ranking import Candidate, NameCandidate
from cuemark.contexts.search.store import common
from cuemark.contracts.ids import TitleId, WorkId
from cuemark.kit.database import Transaction

_facts = msgspec.msgpack.Decoder(Facts).decode
_names = msgspec.msgpack.Decoder(list[Called]).decode
_ENDLESS = "\U0010ffff"
_MOST_NEAR = 200
_SEEN = "(not :seen_only or (plays and (launch_at is null or launch_at <= :now)))"
_ORDER = "order by popularity desc, size, work_id limit :limit"
_MOST_POPULAR = 20_000
_POPULAR = f"order by popularity desc, size, work_id limit {_MOST_POPULAR}"
_COUNTED = 3
"""Letters of beginnings that are counted when an index is built."""
Among = Literal["names", "popular", "popular names", "texts"]
"""Where candidates are looked for: in names, people and terms; in those of the most popular works,
for what very many have, or very many in their names; in synopses too."""


class Vectored(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate with the vector of what it is like."""

    work: Candidate
    vector: bytes


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """In how many entries a word is, and in how many works' names. ``common`` says that too many
    synopses have it."""

    often: int = 0
    titled: int = 0
    common: bool = False


async def known(
    transaction: Transaction, number: int, words: Sequence[str], *, unfinished: bool
) -> dict[str, Known]:
    """Those of the words that there are; the last, where ``unfinished``, with all that begin so."""
    values: dict[str, Any] = {"words": list(words)}
    begun = ""
    if unfinished and len(words[-1]) <= _COUNTED:
        begun = (
            f"union all select letters, often, titled, false from search.begin_{number} "
            "where letters = :first"
        )
        values |= {"first": words[-1]}
    elif unfinished:
        begun = (
            "union all select cast(:first as text), coalesce(sum(often), 0)::integer, "
            f"coalesce(sum(titled), 0)::integer, false from search.word_{number} "
            "where word > :first and word < :last"
        )
        values |= {"first": words[-1], "last": words[-1] + _ENDLESS}
    found = await transaction.execute(
        text(
            "select word, max(often)::integer as often, max(titled)::integer as titled, "
            "bool_or(common) as common from (select word, often, titled, common "
            f"from search.word_{number} where word = any(:words) {begun}) found group by word"
        ),
        values,
    )
    return {row.word: Known(often=row.often, titled=row.titled, common=row.common) for row in found}


async def heard(
    transaction: Transaction, number: int, sounds: Sequence[str]
) -> list[tuple[str, int, str]]:
    """Words that sound as one of these, with how often they are there and their sound."""
    found = await transaction.execute(
        text(
            f"select word, often, sound from search.word_{number} where sound = any(:sounds) "
            "and sound <> '' order by often desc limit :limit"
        ),
        {"sounds": list(sounds), "limit": _MOST_NEAR},
    )
    return [(row.word, int(row.often), row.sound) for row in found]


async def near(
    transaction: Transaction, number: int, word: str, keys: Sequence[str], sound: str
) -> list[tuple[str, int]]:
    """Words that are written or sound nearly as one, with how often they are there."""
    found = await transaction.execute(
        text(
            f"(select word, often from search.word_{number} where near && cast(:keys as text[]) "
            "order by often desc limit :limit) union "
            f"(select word, often from search.word_{number} where sound = :sound and sound <> '' "
            "order by often desc limit :limit) union "
            f"(select word, often from search.word_{number} where length(:word) >= 6 "
            "and word % :word order by similarity(word, :word) desc limit 40)"
        ),
        {"word": word, "keys": list(keys), "sound": sound, "limit": _MOST_NEAR},
    )
    return [(row.word, int(row.often)) for row in found]


async def candidates(
    transaction: Transaction,
    number: int,
    *,
    query: str,
    words: Sequence[str],
    whole: str,
    among: Among,
    seen_only: bool,
    now: datetime,
    limit: int,
) -> dict[str, Vectored]:
    """Works that ``query`` finds, the most popular. ``whole`` is a name that is found in any case;
    ``words`` are the queries of each word, to say of synopses which of them is met."""
    in_texts = among == "texts"
    found = await transaction.execute(
        _candidates(number, among, len(words) if in_texts else 0),
        {
            "query": query,
            "whole": whole,
            "seen_only": seen_only,
            "now": now,
            "limit": limit,
            **({f"word{at}": word for at, word in enumerate(words)} if in_texts else {}),
        },
    )
    nowhere = [False] * len(words)
    return {row.work_id: _candidate(row, row.met or nowhere) for row in found}


@functools.lru_cache(maxsize=128)
def _candidates(number: int, among: Among, words: int) -> TextClause:
    columns, table = "work_id, facts, popularity, vector", f"search.work_{number}"
    popular = f"(select * from {table} {_POPULAR}) popular"
    met = f"array[{', '.join(f'told @@ cast(:word{at} as tsquery)' for at in range(words))}]"
    places = {
        "names": [("titles", table), ("words", table)],
        "popular": [("titles", table), ("words", popular)],
        "popular names": [("titles", popular), ("words", popular)],
        "texts": [("told", table)],
    }[among]
    parts = [
        f"(select {columns}, {met if words else 'null'} as met from {place} "
        f"where {column} @@ cast(:query as tsquery) and {_SEEN} {_ORDER})"
        for column, place in places
    ]
    parts.append(
        f"(select {columns}, null as met from {table} "
        f"where names @> array[cast(:whole as text)] and {_SEEN} {_ORDER})"
    )
    return text(f"select distinct on (work_id) * from ({' union all '.join(parts)}) found")


async def names(
    transaction: Transaction, number: int, query: str, limit: int, *, popular: bool
) -> list[NameCandidate]:
    """People, genres and themes that ``query`` finds, those that most works name; ``popular``
    looks among the first of those alone."""
    table = f"search.name_{number}"
    if popular:
        table = f"(select * from {table} order by weight desc, name_id limit {_MOST_POPULAR}) named"
    found = await transaction.execute(
        text(
            f"select name_id, what, weight, names from {table} "
            "where words @@ cast(:query as tsquery) order by weight desc, name_id limit :limit"
        ),
        {"query": query, "limit": limit},
    )
    return [
        NameCandidate(
            name_id=row.name_id, what=row.what, names=_names(row.names), weight=row.weight
        )
        for row in found
    ]


async def naming(
    transaction: Transaction,
    number: int,
    names: Sequence[NameCandidate],
    works: int,
    *,
    seen_only: bool,
    now: datetime,
    limit: int,
) -> dict[str, list[WorkId]]:
    """Of each person or term, the most popular works that name it, of about so many works."""
    asked = {
        at: (
            f"(select * from search.work_{number} {_POPULAR}) popular"
            if 2**name.weight > common(works)
            else f"search.work_{number}"
        )
        for at, name in enumerate(names)
    }
    parts = [
        f"(select cast(:name{at} as text) as named_id, work_id from {table} "
        f"where tags @> array[cast(:name{at} as text)] and {_SEEN} {_ORDER})"
        for at, table in asked.items()
    ]
    found = await transaction.execute(
        text(" union all ".join(parts)),
        {
            "seen_only": seen_only,
            "now": now,
            "limit": limit,
            **{f"name{at}": name.name_id for at, name in enumerate(names)},
        },
    )
    naming: dict[str, list[WorkId]] = {}
    for row in found:
        naming.setdefault(row.named_id, []).append(WorkId(row.work_id))
    return naming


async def work(
    transaction: Transaction, number: int, work_id: str
) -> tuple[Vectored, list[str]] | None:
    """A work with its tags."""
    found = await transaction.execute(
        text(
            "select work_id, facts, popularity, vector, tags "
            f"from search.work_{number} where work_id = :id"
        ),
        {"id": work_id},
    )
    row = found.one_or_none()
    return (_candidate(row, []), list(row.tags)) if row else None


async def alike(
    transaction: Transaction,
    number: int,
    tags: Sequence[str],
    *,
    all_tags: Sequence[str],
    seen_only: bool,
    now: datetime,
    limit: int,
) -> dict[str, Vectored]:
    """Works that share one of ``tags``, and works that have ``all_tags``: the most popular."""
    columns = "work_id, facts, popularity, vector"
    kinds: Mapping[str, Sequence[str]] = {"&&": tags, "@>": all_tags}
    parts = {
        sign: f"(select {columns} from search.work_{number} where tags {sign} "
        f"cast(:{name} as text[]) and {_SEEN} {_ORDER})"
        for sign, name in (("&&", "any"), ("@>", "all"))
        if kinds[sign]
    }
    if not parts:
        return {}
    found = await transaction.execute(
        text(
            f"select distinct on (work_id) {columns} from ({' union all '.join(parts.values())}) "
            "found"
        ),
        {
            **({"any": list(tags)} if tags else {}),
            **({"all": list(all_tags)} if all_tags else {}),
            "seen_only": seen_only,
            "now": now,
            "limit": limit,
        },
    )
    return {row.work_id: _candidate(row, []) for row in found}


async def vectors(
    transaction: Transaction, number: int, work_ids: Sequence[TitleId]
) -> list[bytes]:
    found = await transaction.execute(
        text(f"select vector from search.work_{number} where work_id = any(:ids)"),
        {"ids": list(work_ids)},
    )
    return [bytes(each) for each in found.scalars()]


def _candidate(row: Row[Any], met: Sequence[bool]) -> Vectored:
    work = Candidate(
        work_id=row.work_id, facts=_facts(row.facts), in_text=list(met), popular=row.popularity
    )
    return Vectored(work=work, vector=bytes(row.vector))
