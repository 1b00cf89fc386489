"""What is read from the generation that is searched."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, text

from cuemark.contexts.search.model.entries import Called, Facts
from cuemark.contexts.search.model.ranking import Candidate, NameCandidate
from cuemark.contracts.ids import TitleId, WorkId
from cuemark.kit.database import Transaction

_facts = msgspec.msgpack.Decoder(Facts).decode
_names = msgspec.msgpack.Decoder(list[Called]).decode
_ENDLESS = "\U0010ffff"
_MOST_NEAR = 200
_SEEN = "(not :seen_only or (plays and (launch_at is null or launch_at <= :now)))"
_ORDER = "order by popularity desc, size, work_id limit :limit"


class Vectored(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate with the vector of what it is like."""

    work: Candidate
    vector: bytes


async def often(
    transaction: Transaction, number: int, words: Sequence[str], *, unfinished: bool
) -> dict[str, int]:
    """In how many entries each word is; for the last, where ``unfinished``, what begins with it."""
    found = await transaction.execute(
        text(f"select word, often from search.word_{number} where word = any(:words)"),
        {"words": list(words)},
    )
    counts = {row.word: int(row.often) for row in found}
    if unfinished and words:
        begun = await transaction.execute(
            text(
                f"select coalesce(sum(often), 0) from search.word_{number} "
                "where word >= :first and word < :last"
            ),
            {"first": words[-1], "last": words[-1] + _ENDLESS},
        )
        counts[words[-1]] = int(begun.scalar_one())
    return counts


async def estimate(transaction: Transaction, number: int) -> int:
    """About how many works there are."""
    found = await transaction.execute(
        text("select works from search.generation where number = :number"), {"number": number}
    )
    return int(found.scalar_one())


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
    text_too: bool,
    seen_only: bool,
    now: datetime,
    limit: int,
) -> dict[str, Vectored]:
    """Works that ``query`` finds: by their names, by all that is told of them but synopses, and,
    where ``text_too``, by those too. ``whole`` is a name that is found in any case; ``words`` are
    the queries of each word, to say which of them is met."""
    columns = "work_id, facts, popularity, vector, told"
    parts = [
        f"(select {columns} from search.work_{number} where {column} @@ cast(:query as tsquery) "
        f"and {_SEEN} {_ORDER})"
        for column in (("told",) if text_too else ("titles", "words"))
    ]
    parts.append(
        f"(select {columns} from search.work_{number} where names @> array[cast(:whole as text)] "
        f"and {_SEEN} {_ORDER})"
    )
    met = ", ".join(f"told @@ cast(:word{at} as tsquery)" for at in range(len(words)))
    found = await transaction.execute(
        text(
            f"select distinct on (work_id) work_id, facts, popularity, vector, array[{met}] as met "
            f"from ({' union all '.join(parts)}) found"
        ),
        {
            "query": query,
            "whole": whole,
            "seen_only": seen_only,
            "now": now,
            "limit": limit,
            **{f"word{at}": word for at, word in enumerate(words)},
        },
    )
    return {row.work_id: _candidate(row, row.met) for row in found}


async def names(
    transaction: Transaction, number: int, query: str, limit: int
) -> list[NameCandidate]:
    """People, genres and themes that ``query`` finds."""
    found = await transaction.execute(
        text(
            f"select name_id, what, weight, names from search.name_{number} "
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
    named_ids: Sequence[str],
    *,
    seen_only: bool,
    now: datetime,
    limit: int,
) -> dict[str, list[WorkId]]:
    """Of each person or term, the most popular works that name it."""
    found = await transaction.execute(
        text(
            "select named.named_id, works.work_id from unnest(cast(:ids as text[])) "
            f"named (named_id) cross join lateral (select work_id from search.work_{number} "
            f"where tags @> array[named.named_id] and {_SEEN} {_ORDER}) works"
        ),
        {"ids": list(named_ids), "seen_only": seen_only, "now": now, "limit": limit},
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
