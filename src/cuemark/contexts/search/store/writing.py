"""What is written into a generation, and what waits to be."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import text

from cuemark.contexts.search.model import folding
from cuemark.contexts.search.model.entries import Entry, NameEntry
from cuemark.contracts.ids import TitleId, VersionId, WorkId
from cuemark.kit.database import Transaction

_pack = msgspec.msgpack.Encoder().encode


async def wait_for(transaction: Transaction, work_ids: Collection[str], now: datetime) -> None:
    """Works that are to be taken in anew."""
    if work_ids:
        await transaction.execute(
            text(
                "insert into search.waiting (work_id, since) "
                "select unnest(cast(:ids as text[])), :now order by 1 "
                "on conflict (work_id) do update set since = excluded.since"
            ),
            {"ids": sorted(work_ids), "now": now},
        )


async def spread(transaction: Transaction, named_id: str) -> None:
    """All works that name this are to be taken in anew."""
    await transaction.execute(
        text("insert into search.spreading (named_id) values (:id) on conflict do nothing"),
        {"id": named_id},
    )


async def spread_next(transaction: Transaction, number: int, now: datetime) -> bool:
    """Let the works wait that name what was changed; whether there was something."""
    found = await transaction.execute(
        text(
            "delete from search.spreading where named_id = (select named_id "
            "from search.spreading limit 1 for update skip locked) returning named_id"
        )
    )
    named_id = found.scalar_one_or_none()
    if named_id is None:
        return False
    await transaction.execute(
        text(
            f"insert into search.waiting (work_id, since) select work_id, :now "
            f"from search.work_{number} where tags @> cast(:named as text[]) order by 1 "
            "on conflict do nothing"
        ),
        {"named": [named_id], "now": now},
    )
    return True


async def take_waiting(transaction: Transaction, limit: int) -> list[WorkId]:
    """The works that wait longest; they wait no more where the transaction ends well."""
    found = await transaction.execute(
        text(
            "delete from search.waiting where work_id in (select work_id from search.waiting "
            "order by since limit :limit for update skip locked) returning work_id"
        ),
        {"limit": limit},
    )
    return [WorkId(each) for each in found.scalars()]


async def launch(transaction: Transaction, title_id: TitleId, launch_at: datetime | None) -> None:
    await transaction.execute(
        text(
            "insert into search.title (title_id, launch_at) values (:id, :at) "
            "on conflict (title_id) do update set launch_at = excluded.launch_at"
        ),
        {"id": title_id, "at": launch_at},
    )


async def published(
    transaction: Transaction, version_id: VersionId, title_id: TitleId | None
) -> TitleId | None:
    """Keep that a version was published (with its title) or placed; the title where it is both."""
    found = await transaction.execute(
        text(
            "insert into search.version (version_id, title_id, placed) "
            "values (:version, cast(:title as text), cast(:title as text) is null) "
            "on conflict (version_id) do update set "
            "title_id = coalesce(excluded.title_id, version.title_id), "
            "placed = version.placed or excluded.placed "
            "returning case when placed then title_id end"
        ),
        {"version": version_id, "title": title_id},
    )
    whole: str | None = found.scalar_one()
    if whole is None:
        return None
    await transaction.execute(
        text(
            "insert into search.title (title_id, published) values (:id, true) "
            "on conflict (title_id) do update set published = true"
        ),
        {"id": whole},
    )
    await transaction.execute(
        text("delete from search.version where version_id = :version"), {"version": version_id}
    )
    return TitleId(whole)


async def popularity(transaction: Transaction, title_id: TitleId) -> float | None:
    """That of a title, which nobody else changes until the end of the transaction."""
    found = await transaction.execute(
        text("select popularity from search.title where title_id = :id for update"),
        {"id": title_id},
    )
    return found.scalar_one_or_none()


async def keep_popularity(transaction: Transaction, title_id: TitleId, value: float) -> None:
    await transaction.execute(
        text(
            "insert into search.title (title_id, popularity) values (:id, :value) "
            "on conflict (title_id) do update set popularity = excluded.popularity"
        ),
        {"id": title_id, "value": value},
    )


async def put(
    transaction: Transaction, number: int, entries: Sequence[Entry], *, over: bool
) -> None:
    """Write works into a generation: ``over`` those that it has, or only those that it lacks."""
    if not entries:
        return
    instead = (
        "do update set plays = excluded.plays or (:holds and work.plays), "
        "launch_at = excluded.launch_at, "
        "popularity = greatest(work.popularity, excluded.popularity), size = excluded.size, "
        "names = excluded.names, titles = excluded.titles, words = excluded.words, "
        "told = excluded.told, tags = excluded.tags, facts = excluded.facts, "
        "vector = excluded.vector"
        if over
        else "do nothing"
    )
    await transaction.execute(
        text(
            f"insert into search.work_{number} as work (work_id, plays, launch_at, popularity, "
            "size, names, titles, words, told, tags, facts, vector) "
            "select :id, :plays and coalesce(title.published, false), title.launch_at, "
            "coalesce(title.popularity, 0), :size, cast(:names as text[]), "
            "array_to_tsvector(cast(:titles as text[])), "
            "array_to_tsvector(cast(:words as text[])), "
            "array_to_tsvector(cast(:told as text[])), cast(:tags as text[]), :facts, :vector "
            "from (select 1) one left join search.title on title.title_id = :id "
            f"on conflict (work_id) {instead}"
        ),
        [
            {
                "id": each.work_id,
                "plays": each.plays,
                **({"holds": not each.plays} if over else {}),
                "size": each.size,
                "names": each.names,
                "titles": each.titles,
                "words": each.words,
                "told": each.told,
                "tags": each.tags,
                "facts": _pack(each.facts),
                "vector": each.vector,
            }
            for each in entries
        ],
    )


async def lift(transaction: Transaction, number: int, entries: Sequence[Entry]) -> None:
    """What holds these titles is as popular as they are, and plays where one of them does."""
    lying = [
        {"id": each.work_id, "above": each.above} for each in entries if each.plays and each.above
    ]
    if lying:
        await transaction.execute(
            text(
                f"update search.work_{number} holder set plays = holder.plays or title.plays, "
                "popularity = greatest(holder.popularity, title.popularity) "
                f"from search.work_{number} title where title.work_id = :id "
                "and holder.work_id = any(cast(:above as text[]))"
            ),
            lying,
        )


async def put_names(transaction: Transaction, number: int, names: Sequence[NameEntry]) -> None:
    if names:
        await transaction.execute(
            text(
                f"insert into search.name_{number} (name_id, what, names, words) values "
                "(:id, :what, :names, array_to_tsvector(cast(:words as text[]))) "
                "on conflict (name_id) do update set what = excluded.what, "
                "names = excluded.names, words = excluded.words"
            ),
            [
                {
                    "id": each.name_id,
                    "what": each.what,
                    "names": _pack(each.names),
                    "words": each.words,
                }
                for each in sorted(names, key=lambda each: each.name_id)
            ],
        )


async def words_before(
    transaction: Transaction, number: int, work_ids: Sequence[str]
) -> dict[str, set[str]]:
    """The words that works are found by now."""
    found = await transaction.execute(
        text(
            f"select work_id, tsvector_to_array(words) as words from search.work_{number} "
            "where work_id = any(:ids)"
        ),
        {"ids": list(work_ids)},
    )
    return {row.work_id: set(row.words) for row in found}


async def count_words(
    transaction: Transaction, number: int, more: Counter[str], titled: Counter[str]
) -> None:
    """Let words be known that are in so many entries more, and in the names of so many works."""
    ordered = sorted(more)
    for first in range(0, len(ordered), 5000):
        await transaction.execute(
            text(
                f"insert into search.word_{number} as word (word, often, titled, near, sound) "
                "values (:word, :often, :titled, cast(:near as text[]), :sound) "
                "on conflict (word) do update set often = word.often + excluded.often, "
                "titled = word.titled + excluded.titled"
            ),
            [
                {
                    "word": word,
                    "often": more[word],
                    "titled": titled[word],
                    "near": folding.near_keys(word),
                    "sound": folding.sound(word),
                }
                for word in ordered[first : first + 5000]
            ],
        )


async def all_words(transaction: Transaction, number: int) -> tuple[Counter[str], Counter[str]]:
    """In how many entries of a generation each word is, and in how many works' names."""
    found = await transaction.execute(
        text(
            "select word, count(*) as often, count(*) filter (where titled) as titled from "
            "(select word, titles @@ cast(quote_literal(word) as tsquery) as titled "
            f"from search.work_{number}, unnest(tsvector_to_array(words)) word "
            f"union all select unnest(tsvector_to_array(words)), false from search.name_{number}) "
            "all_words group by word"
        )
    )
    rows = list(found)
    return (
        Counter({row.word: row.often for row in rows}),
        Counter({row.word: row.titled for row in rows}),
    )


async def remove(transaction: Transaction, number: int, work_ids: Sequence[WorkId]) -> None:
    if work_ids:
        await transaction.execute(
            text(f"delete from search.work_{number} where work_id = any(:ids)"),
            {"ids": list(work_ids)},
        )
