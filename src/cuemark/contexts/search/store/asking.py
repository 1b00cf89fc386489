"""What is read from the generation that is searched."""

import functools
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import text

from cuemark.contexts.search.model.entries import Called, Facts
from cuemark.contexts.search.model.ranking import Candidate, NameCandidate
from cuemark.contexts.search.store import frequent
from cuemark.contracts.ids import TitleId, WorkId
from cuemark.kit.database import Database
from cuemark.kit.direct import Query, Row


@functools.lru_cache(maxsize=512)
def _query(statement: str) -> Query:
    return Query(text(statement))


_facts = msgspec.msgpack.Decoder(Facts).decode
_names = msgspec.msgpack.Decoder(list[Called]).decode
_ENDLESS = "\U0010ffff"
_MOST_NEAR = 200
_SEEN = "(not :seen_only or (plays and (launch_at is null or launch_at <= :now)))"
_ORDER = "order by popularity desc, size, work_id"
_FOUND = "order by popularity + 0 desc, size, work_id"
"""The same order, which no index has: the words are looked up in theirs, whatever is estimated of
how many works have them, and never by going through works until some have them."""
_MOST_POPULAR = 20_000
_MOST_NAMED = 2000
_POPULAR = f"{_ORDER} limit {_MOST_POPULAR}"
_FEWER = 4
"""What part of the candidates is taken by people and terms in any case, beside names."""
_COUNTED = 3
"""Letters of beginnings that are counted when an index is built."""
Among = Literal["names", "popular", "popular names", "texts", "popular texts"]
"""Where candidates are looked for: in names, people and terms; in those of the most popular works,
for what very many have, or very many in their names; in synopses too, or those of the most popular
works, for what very many tell."""


class Vectored(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate with the vector of what it is like."""

    work: Candidate
    vector: bytes


class Slip(msgspec.Struct, frozen=True, kw_only=True):
    """A word that may be a slip of others: its keys and its sound, as ``folding`` has them."""

    word: str
    keys: list[str]
    sound: str


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """In how many entries a word is, in how many works' names, and in how many synopses, 0 where
    these are few."""

    often: int = 0
    titled: int = 0
    told: int = 0


async def known(
    database: Database, number: int, words: Sequence[str], *, unfinished: bool
) -> dict[str, Known]:
    """Those of the words that there are; the last, where ``unfinished``, with all that begin so."""
    values: dict[str, Any] = {"words": list(words)}
    begun = ""
    if unfinished and len(words[-1]) <= _COUNTED:
        begun = (
            f"union all select letters, often, titled, 0 from search.begin_{number} "
            "where letters = :first"
        )
        values |= {"first": words[-1]}
    elif unfinished:
        begun = (
            "union all select cast(:first as text), coalesce(sum(often), 0)::integer, "
            f"coalesce(sum(titled), 0)::integer, 0 from search.word_{number} "
            "where word > :first and word < :last"
        )
        values |= {"first": words[-1], "last": words[-1] + _ENDLESS}
    found = await database.ask(
        _query(
            "select word, max(often)::integer as often, max(titled)::integer as titled, "
            "max(told) as told from (select word, often, titled, told "
            f"from search.word_{number} where word = any(:words) {begun}) found group by word"
        ),
        values,
    )
    return {row.word: _known(row) for row in found}


def _known(row: Row) -> Known:
    return Known(often=row.often, titled=row.titled, told=row.told)


async def heard(
    database: Database, number: int, sounds: Sequence[str]
) -> list[tuple[str, Known, str]]:
    """Words that sound as one of these, where they are and their sound."""
    found = await database.ask(
        _query(
            f"select word, often, titled, told, sound from search.word_{number} "
            "where sound = any(:sounds) and sound <> '' order by often desc limit :limit"
        ),
        {"sounds": list(sounds), "limit": _MOST_NEAR},
    )
    return [(row.word, _known(row), row.sound) for row in found]


async def near(
    database: Database, number: int, asked: Sequence[Slip]
) -> list[list[tuple[str, Known, str]]]:
    """For each of the words: those that are written or sound nearly as it, where they are, and
    their sounds."""
    values: dict[str, Any] = {"limit": _MOST_NEAR}
    for at, each in enumerate(asked):
        values |= {f"word{at}": each.word, f"keys{at}": each.keys, f"sound{at}": each.sound}
    near: list[list[tuple[str, Known, str]]] = [[] for _ in asked]
    for row in await database.ask(_near(number, len(asked)), values):
        near[row.at].append((row.word, _known(row), row.sound))
    return near


@functools.lru_cache(maxsize=32)
def _near(number: int, words: int) -> Query:
    columns = "word, often, titled, told, sound"
    parts = [
        f"(select {at} as at, {columns} from search.word_{number} where {where} "
        f"order by {order} limit {limit})"
        for at in range(words)
        for where, order, limit in (
            (f"near && cast(:keys{at} as text[])", "often desc", ":limit"),
            (f"sound = :sound{at} and sound <> ''", "often desc", ":limit"),
            (
                f"length(:word{at}) >= 6 and word % :word{at}",
                f"similarity(word, :word{at}) desc",
                "40",
            ),
        )
    ]
    return _query(" union ".join(parts))


async def candidates(
    database: Database,
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
    in_texts = among in ("texts", "popular texts")
    found = await database.ask(
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
    return {
        work_id: _vectored(work_id, facts, popular, vector, met or nowhere)
        for work_id, facts, popular, vector, met in found
    }


@functools.lru_cache(maxsize=128)
def _candidates(number: int, among: Among, words: int) -> Query:
    columns, table = "work_id, facts, popularity, vector", f"search.work_{number}"
    popular = f"(select * from {table} {_POPULAR}) popular"
    met = f"array[{', '.join(f'told @@ cast(:word{at} as tsquery)' for at in range(words))}]"

    def part(what: str, place: str, where: str, limit: str = ":limit") -> str:
        order = _FOUND if place == table else _ORDER
        return f"select {what} from {place} where {where} and {_SEEN} {order} limit {limit}"

    whole = part(columns, table, "names @> array[cast(:whole as text)]")
    if among in ("texts", "popular texts"):
        place = table if among == "texts" else popular
        told = part(f"{columns}, told", place, "told @@ cast(:query as tsquery)")
        return _query(
            f"select distinct on (work_id) * from (select {columns}, {met} as met from ({told}) "
            f"told union all (select {columns}, null from ({whole}) whole)) found"
        )
    titled = part(
        columns, popular if among == "popular names" else table, "titles @@ cast(:query as tsquery)"
    )
    # Who has it in a name has it among the words too: where that are many, few others are wanted.
    others = part(
        columns,
        table if among == "names" else popular,
        "words @@ cast(:query as tsquery)",
        f"(select greatest(:limit / {_FEWER}, :limit - count(*)) from titled)",
    )
    return _query(
        f"with titled as materialized ({titled}) select distinct on (work_id) *, null as met "
        f"from (table titled union all ({others}) union all ({whole})) found"
    )


async def names(
    database: Database, number: int, query: str, limit: int, *, popular: bool
) -> list[NameCandidate]:
    """People, genres and themes that ``query`` finds, those that most works name; ``popular``
    looks among the first of those, and among the others where these are too few."""
    table = f"search.name_{number}"
    first = f"(select * from {table} order by weight desc, name_id limit {_MOST_NAMED}) named"
    if popular:
        found = await _names_in(database, first, "weight desc", query, limit)
        if len(found) == limit:
            return found
    return await _names_in(database, table, "weight + 0 desc", query, limit)


async def _names_in(
    database: Database, table: str, order: str, query: str, limit: int
) -> list[NameCandidate]:
    found = await database.ask(
        _query(
            f"select name_id, what, weight, names from {table} "
            f"where words @@ cast(:query as tsquery) order by {order}, name_id limit :limit"
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
    database: Database,
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
            (f"(select * from search.work_{number} {_POPULAR}) popular", _ORDER)
            if 2**name.weight > frequent(works) / 4
            else (f"search.work_{number}", _FOUND)
        )
        for at, name in enumerate(names)
    }
    parts = [
        f"(select cast(:name{at} as text) as named_id, work_id from {table} "
        f"where tags @> array[cast(:name{at} as text)] and {_SEEN} {order} limit :limit)"
        for at, (table, order) in asked.items()
    ]
    found = await database.ask(
        _query(" union all ".join(parts)),
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


async def work(database: Database, number: int, work_id: str) -> tuple[Vectored, list[str]] | None:
    """A work with its tags."""
    found = await database.ask(
        _query(
            "select work_id, facts, popularity, vector, tags "
            f"from search.work_{number} where work_id = :id"
        ),
        {"id": work_id},
    )
    if not found:
        return None
    row = found[0]
    return _vectored(row.work_id, row.facts, row.popularity, row.vector, []), list(row.tags)


async def alike(
    database: Database,
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
        f"cast(:{name} as text[]) and {_SEEN} {_ORDER} limit :limit)"
        for sign, name in (("&&", "any"), ("@>", "all"))
        if kinds[sign]
    }
    if not parts:
        return {}
    found = await database.ask(
        _query(
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
    return {
        work_id: _vectored(work_id, facts, popular, vector, [])
        for work_id, facts, popular, vector in found
    }


async def vectors(database: Database, number: int, work_ids: Sequence[TitleId]) -> list[bytes]:
    found = await database.ask(
        _query(f"select vector from search.work_{number} where work_id = any(:ids)"),
        {"ids": list(work_ids)},
    )
    return [bytes(each) for (each,) in found]


def _vectored(
    work_id: str, facts: bytes, popular: float, vector: bytes, met: Sequence[bool]
) -> Vectored:
    work = Candidate(work_id=work_id, facts=_facts(facts), in_text=met, popular=popular)
    return Vectored(work=work, vector=vector)
