"""Changes by the order of their commits, and what is kept of many titles at once.

Read is what the last transaction that is over has left, and nothing of one that still runs, as
``kit.outbox`` reads the log. A cursor names the database too: in one that was restored
transactions are counted anew, and everything is read again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import text

from cuemark.contexts.viewers.model.viewings import Seen
from cuemark.contracts.ids import ProfileId, TitleId
from cuemark.contracts.viewers.exchange import Change, RemovalChange, ViewingChange
from cuemark.kit.database import Transaction
from cuemark.kit.pages import PageInvalid, cursor_of, keys_of

Titles = Mapping[tuple[ProfileId, TitleId], Seen]


@dataclass(frozen=True)
class _Source:
    """A table of changes of one kind: what tells its transaction, its keys, its other fields."""

    kind: str
    table: str
    keys: tuple[str, ...]
    fields: tuple[str, ...] = ()
    xid: str = "xid"
    where: str = "true"


_VIEWING_FIELDS = ("sequence", "position_s", "duration_s", "reported_at as watched_at", "stamp")
_SOURCES = (
    _Source("erasure", "erased", ("profile_id",)),
    _Source("my_list", "my_list", ("profile_id", "work_id"), ("listed", "stamp")),
    _Source("rating", "rating", ("profile_id", "work_id"), ("rating", "stamp")),
    _Source(
        kind="removal",
        table="progress",
        keys=("profile_id", "title_id"),
        fields=("removed as stamp",),
        xid="removed_xid",
        where="removed_xid is not null",
    ),
    _Source(
        kind="viewing",
        table="session",
        keys=("profile_id", "title_id", "session_id"),
        fields=(*_VIEWING_FIELDS, "since"),
        # A release before does not say how long the film was.
        where="duration_s > 0",
    ),
)
_MOST_KEYS = 3


class _Cursor(msgspec.Struct, frozen=True):
    """The last change that was read."""

    xid: int
    place: int
    keys: tuple[str, ...]


async def own(transaction: Transaction) -> None:
    """Let rows that were restored from another database count as changed now."""
    for source in _SOURCES:
        await transaction.execute(
            text(
                f"update viewers.{source.table} set {source.xid} = pg_current_xact_id() "
                f"where {source.xid} > pg_snapshot_xmax(pg_current_snapshot())"
            )
        )


async def page(transaction: Transaction, after: str, limit: int) -> tuple[list[Change], str, bool]:
    """The next changes after a cursor, the cursor after these, and whether there are more."""
    row = (
        await transaction.execute(
            text(
                "select (select system_identifier::text from pg_control_system()) as database, "
                "pg_snapshot_xmin(pg_current_snapshot())::text as below"
            )
        )
    ).one()
    begin = _read(after, row.database)
    found: list[tuple[int, int, Sequence[str], Change]] = []
    for place, source in enumerate(_SOURCES):
        found += [
            (xid, place, keys, change)
            for xid, keys, change in await _of(
                transaction, source, place, begin, row.below, limit + 1
            )
        ]
    found.sort(key=lambda change: change[:2])
    taken = found[:limit]
    if not taken:
        return [], after, False
    xid, place, keys, _ = taken[-1]
    filled = [*keys, *[""] * (_MOST_KEYS - len(keys))]
    cursor = cursor_of(row.database, str(xid), _SOURCES[place].kind, *filled)
    return [change for *_, change in taken], cursor, len(found) > limit


async def _of(
    transaction: Transaction,
    source: _Source,
    place: int,
    begin: _Cursor,
    below: str,
    limit: int,
) -> list[tuple[int, Sequence[str], Change]]:
    keys = ", ".join(source.keys)
    xid = "cast(cast(:xid as text) as xid8)"
    names = [f"k{number}" for number in range(len(source.keys))]
    bound: dict[str, object] = {"xid": str(begin.xid), "below": below, "limit": limit}
    if place == begin.place:
        after = f"({source.xid}, {keys}) > ({xid}, {', '.join(f':{name}' for name in names)})"
        bound |= dict(zip(names, begin.keys, strict=False))
    else:
        after = f"{source.xid} {'>=' if place > begin.place else '>'} {xid}"
    rows = await transaction.execute(
        text(
            f"select {', '.join((*source.keys, *source.fields))}, "
            f"{source.xid}::text::bigint as changed_by from viewers.{source.table} "
            f"where {source.where} and {after} "
            f"and {source.xid} < cast(cast(:below as text) as xid8) "
            f"order by {source.xid}, {keys} limit :limit"
        ),
        bound,
    )
    found: list[tuple[int, Sequence[str], Change]] = []
    for row in rows:
        values = dict(row._mapping)
        changed_by = values.pop("changed_by")
        change: Change = msgspec.convert(values | {"kind": source.kind}, Change)
        found.append((changed_by, [values[key] for key in source.keys], change))
    return found


def _read(after: str, database: str) -> _Cursor:
    keys = keys_of(after, 3 + _MOST_KEYS)
    beginning = _Cursor(0, 0, ("",) * _MOST_KEYS)
    if keys is None or keys[0] != database:
        return beginning
    kinds = [source.kind for source in _SOURCES]
    digits = keys[1]
    if keys[2] not in kinds or not (digits.isascii() and digits.isdecimal() and len(digits) < 19):
        raise PageInvalid("The cursor is not one of these changes.")
    return _Cursor(int(digits), kinds.index(keys[2]), keys[3:])


async def seen(
    transaction: Transaction, titles: Sequence[tuple[ProfileId, TitleId]]
) -> dict[tuple[ProfileId, TitleId], Seen]:
    """What is kept of titles of profiles that are locked; the titles are locked then, too."""
    asked = sorted(set(titles))
    key = {"profiles": [each[0] for each in asked], "titles": [each[1] for each in asked]}
    wanted = "select unnest(cast(:profiles as text[])), unnest(cast(:titles as text[]))"
    await transaction.execute(
        text(
            "insert into viewers.progress (profile_id, title_id, resume_s, duration_s, stamp) "
            "select profile_id, title_id, 0, 0, '' from unnest(cast(:profiles as text[]), "
            "cast(:titles as text[])) as asked (profile_id, title_id) on conflict do nothing"
        ),
        key,
    )
    rows = await transaction.execute(
        text(
            "select profile_id, title_id, removed from viewers.progress "
            f"where (profile_id, title_id) in ({wanted}) order by profile_id, title_id for update"
        ),
        key,
    )
    removed = {(row.profile_id, row.title_id): row.removed for row in rows}
    viewings: dict[tuple[ProfileId, TitleId], list[ViewingChange]] = {each: [] for each in asked}
    rows = await transaction.execute(
        text(
            "select profile_id, title_id, session_id, "
            f"{', '.join(_VIEWING_FIELDS)}, since from viewers.session "
            f"where (profile_id, title_id) in ({wanted})"
        ),
        key,
    )
    for row in rows:
        viewing = ViewingChange(**row._mapping)
        viewings[viewing.profile_id, viewing.title_id].append(viewing)
    return {
        each: Seen(removed[each], {viewing.session_id: viewing for viewing in some})
        for each, some in viewings.items()
    }


async def put_removal(transaction: Transaction, removal: RemovalChange) -> None:
    """Of a title that is locked; with it go the viewings that did not know of it."""
    bound = msgspec.structs.asdict(removal)
    await transaction.execute(
        text(
            "update viewers.progress set removed = :stamp, removed_xid = pg_current_xact_id() "
            "where profile_id = :profile_id and title_id = :title_id"
        ),
        bound,
    )
    await transaction.execute(
        text(
            "delete from viewers.session where profile_id = :profile_id "
            "and title_id = :title_id and since < :stamp"
        ),
        bound,
    )
