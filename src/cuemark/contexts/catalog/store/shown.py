"""What readers ask of works: lists, one with all above it, and what follows it."""

import functools
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, text

from cuemark.contexts.catalog.model.hierarchy import HOLDERS
from cuemark.contexts.catalog.model.showing import Kept
from cuemark.contracts.catalog.metadata import AgeRating, Details
from cuemark.contracts.catalog.works import Kind, ListWorks
from cuemark.contracts.ids import TitleId, WorkId
from cuemark.kit.database import Database, Transaction
from cuemark.kit.direct import Query

_HOLDERS = ", ".join(f"'{kind}'" for kind in HOLDERS)
_PICTURE = "coalesce(nullif(b.chosen_artwork_key, ''), b.artwork_key)"
_SEEN = "b.version_id is not null and (b.launch_at is null or b.launch_at <= :now)"
_DEPTHS = range(1, 5)
"""How deep a title may lie: a franchise, a series, a season, an episode, and its trailer."""


_details = msgspec.json.Decoder(Details).decode


def _below(depth: int) -> str:
    """The titles that lie so deep in the work ``w``: joins, which use the index of parents where a
    recursion would read the whole table."""
    joins = [
        f"join catalog.work c{at} on c{at}.parent_id = c{at - 1}.work_id"
        for at in range(2, depth + 1)
    ]
    browse = f"join catalog.browse b on b.title_id = c{depth}.work_id"
    return " ".join(["from catalog.work c1", *joins, browse, "where c1.parent_id = w.work_id"])


def _first_picture(depth: int) -> str:
    order = ", ".join(f"c{at}.number nulls last, c{at}.work_id" for at in range(1, depth + 1))
    return (
        f"(select {_PICTURE} {_below(depth)} and {_PICTURE} <> '' "
        f"and (not :seen_only or ({_SEEN})) order by {order} limit 1)"
    )


_FIRST_PICTURE = f"coalesce({', '.join(map(_first_picture, _DEPTHS))})"
# With an offset PostgreSQL asks this of the works at hand, and does not hash all that there are.
_HOLDS_SEEN = " or ".join(
    f"exists (select 1 {_below(depth)} and {_SEEN} offset 0)" for depth in _DEPTHS
)
_TITLES_WITHIN = " union all ".join(
    f"select c{depth}.work_id as title_id {_below(depth)} and {_SEEN}" for depth in _DEPTHS
)
_COLUMNS = f"""
  w.work_id, w.kind, w.parent_id, w.number, w.details::text as details, w.created_at, b.version_id,
  coalesce(b.quality, 'none') as quality, coalesce(b.duration_s, 0) as duration_s, b.launch_at,
  coalesce(
    case when w.kind in ({_HOLDERS}) then {_FIRST_PICTURE} else {_PICTURE} end, ''
  ) as artwork_key"""
_IS_SEEN = f"(not :seen_only or ({_SEEN}) or (w.kind in ({_HOLDERS}) and ({_HOLDS_SEEN})))"
_FROM = "from catalog.work w left join catalog.browse b on b.title_id = w.work_id"
_RANK = (
    "array_position(array['season', 'episode', 'series', 'movie', 'franchise', 'supplemental'], "
    "w.kind)"
)
_LAST = 2_147_483_647
"""The number of what has none, in the order of a list."""


async def chain(
    transaction: Transaction, work_id: WorkId, now: datetime, *, seen_only: bool
) -> list[Kept]:
    """The work with what it lies in, from above; empty where there is none to be seen."""
    above = await transaction.execute(
        text(
            "with recursive up as (select work_id, parent_id, 0 as far from catalog.work "
            "where work_id = :id union all select w.work_id, w.parent_id, up.far + 1 "
            "from catalog.work w join up on w.work_id = up.parent_id) "
            "select work_id from up order by far desc"
        ),
        {"id": work_id},
    )
    found = await transaction.execute(
        text(
            f"select {_COLUMNS} {_FROM} where w.work_id = any(:ids) and {_IS_SEEN} "
            "order by array_position(cast(:ids as text[]), w.work_id)"
        ),
        {"ids": list(above.scalars()), "now": now, "seen_only": seen_only},
    )
    kept = [_kept(row) for row in found]
    return kept if kept and kept[-1].work_id == work_id else []


_WITHIN = Query(
    text(
        "select work_id, title_id from (select w.work_id, t.title_id, "
        "row_number() over (partition by w.work_id) as place "
        "from unnest(cast(:ids as text[])) as w (work_id) cross join lateral "
        f"({_TITLES_WITHIN}) t) within where place <= :limit"
    )
)


async def titles_within(
    database: Database, work_ids: Sequence[WorkId], now: datetime, limit: int
) -> dict[WorkId, list[TitleId]]:
    """Of each work, up to ``limit`` titles that lie in it and can be seen."""
    found = await database.ask(_WITHIN, {"ids": list(work_ids), "now": now, "limit": limit})
    within: dict[WorkId, list[TitleId]] = {}
    for row in found:
        within.setdefault(WorkId(row.work_id), []).append(TitleId(row.title_id))
    return within


_ABOVE = "w.kind in ('episode', 'season') and {0}.kind <> 'franchise'"
_NEAREST = " ".join(
    f"when {condition} and jsonb_array_length({table}.details->'ratings') > 0 "
    f"then {table}.details->'ratings'"
    for table, condition in (("w", "true"), ("p", _ABOVE.format("p")), ("q", _ABOVE.format("q")))
)
_RATED = Query(
    text(
        f"select w.work_id, w.kind, case {_NEAREST} end as ratings from catalog.work w "
        "left join catalog.work p on p.work_id = w.parent_id "
        "left join catalog.work q on q.work_id = p.parent_id where w.work_id = any(:ids)"
    )
)


async def rated(
    database: Database, work_ids: Sequence[WorkId]
) -> dict[WorkId, tuple[Kind, list[AgeRating]]]:
    """The kind of each work, and the nearest ratings: its own, or those of its season or series."""
    found = await database.ask(_RATED, {"ids": list(work_ids)})
    return {
        WorkId(row.work_id): (row.kind, msgspec.convert(row.ratings or [], list[AgeRating]))
        for row in found
    }


@functools.lru_cache(maxsize=64)
def _query(statement: str) -> Query:
    return Query(text(statement))


async def listed(
    database: Database,
    asked: ListWorks,
    after: Sequence[str] | None,
    limit: int,
    now: datetime,
) -> list[tuple[tuple[str, ...], Kept]]:
    """Works with their sort keys: in a parent kind, number and id, else creation and id.

    ``after`` are such keys, of which it is known that they are numbers and times.
    """
    wheres = [_IS_SEEN]
    values: dict[str, Any] = {
        "now": now,
        "seen_only": asked.seen_only,
        "limit": limit,
    }
    if asked.parent_id is not None:
        keys = [f"coalesce({_RANK}, 99)", f"coalesce(w.number, {_LAST})", "w.work_id"]
        casts, direction, sign = ["integer", "integer", "text"], "", ">"
        wheres.append("w.parent_id = :parent_id")
    else:
        keys, casts = ["w.created_at", "w.work_id"], ["timestamptz", "text"]
        direction, sign = " desc", "<"
        if asked.top:
            wheres.append("w.parent_id is null")
    if asked.work_ids:
        wheres.append("w.work_id = any(:work_ids)")
    if asked.kinds:
        wheres.append("w.kind = any(:kinds)")
    for name, one in (("term", asked.term_id), ("person", asked.person_id)):
        if one is not None:
            wheres.append(
                f"exists (select 1 from catalog.work_{name} n where n.work_id = w.work_id "
                f"and n.{name}_id = :{name}_id)"
            )
    if after is not None:
        there = ", ".join(f"cast(:k{place} as {cast})" for place, cast in enumerate(casts))
        wheres.append(f"({', '.join(keys)}) {sign} ({there})")
        values |= {f"k{place}": key for place, key in enumerate(after)}
    values |= {
        name: value
        for name, value in (
            ("parent_id", asked.parent_id),
            ("kinds", list(asked.kinds) or None),
            ("work_ids", list(asked.work_ids) or None),
            ("term_id", asked.term_id),
            ("person_id", asked.person_id),
        )
        if value is not None
    }
    names = ", ".join(f"({key})::text as k{place}" for place, key in enumerate(keys))
    order = ", ".join(f"{key}{direction}" for key in keys)
    query = (
        f"select {_COLUMNS}, {names} {_FROM} where {' and '.join(wheres)} "
        f"order by {order} limit :limit"
    )
    return [
        (tuple(getattr(row, f"k{place}") for place in range(len(keys))), _kept(row))
        for row in await database.ask(_query(query), values)
    ]


async def next_episode(
    transaction: Transaction, chain: Sequence[Kept], now: datetime, *, seen_only: bool
) -> TitleId | None:
    """The episode after the last work of ``chain``: in its season, or in the next that has one.

    Season 0 is that of the specials: nothing follows its last.
    """
    episode = chain[-1]
    holder = next((each for each in chain if each.kind == "series"), None)
    if episode.kind != "episode" or episode.number is None or holder is None:
        return None
    season = next((each.number for each in chain if each.kind == "season"), None)
    found = await transaction.execute(
        text(
            f"select w.work_id {_FROM} left join catalog.work s on s.work_id = w.parent_id "
            "and s.kind = 'season' where w.kind = 'episode' and w.number is not null "
            "and (w.parent_id = :series or s.parent_id = :series) "
            "and (coalesce(s.number, -1), w.number) > (:season, :number) "
            f"and (:season <> 0 or s.number = 0) and {_IS_SEEN} "
            "order by coalesce(s.number, -1), w.number limit 1"
        ),
        {
            "series": holder.work_id,
            "season": -1 if season is None else season,
            "number": episode.number,
            "now": now,
            "seen_only": seen_only,
        },
    )
    title_id: TitleId | None = found.scalar_one_or_none()
    return title_id


def _kept(row: Row[Any]) -> Kept:
    return Kept(
        work_id=row.work_id,
        kind=row.kind,
        parent_id=row.parent_id,
        number=row.number,
        details=_details(row.details),
        created_at=row.created_at,
        version_id=row.version_id,
        quality=row.quality,
        duration_s=row.duration_s,
        artwork_key=row.artwork_key,
        launch_at=row.launch_at,
    )
