"""All the SQL of rights.

``title_set`` has the sets of a title as they were set. ``held`` has what decides, by title and
territory, so that a decision reads at most two rows of one index.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import RowMapping, text

from cuemark.contexts.rights.model.windows import by_territory
from cuemark.contracts.ids import TitleId
from cuemark.contracts.rights import WORLDWIDE, TitleRights, Window
from cuemark.kit.database import Database, Transaction
from cuemark.kit.direct import Query

SCHEMA = "rights"
KEPT_SETS = 100
"""How many sets of a title are kept, the present one among them."""

_read = msgspec.json.Decoder(list[Window]).decode
_held = msgspec.msgpack.Decoder(list[Window]).decode
_pack = msgspec.msgpack.Encoder().encode
_HELD = Query(
    text(
        "select title_id, windows from rights.held where title_id = any(:ids) "
        "and territory in (:territory, :worldwide)"
    )
)
_FOUND = (
    "select t.title_id, t.number, r.windows, r.set_at, r.replaced, exists (select from "
    "rights.title_set e where e.title_id = t.title_id and e.number = r.replaced) as kept "
    "from rights.title t join rights.title_set r on (r.title_id, r.number) = (t.title_id, t.number)"
)


async def lock(transaction: Transaction, title_ids: Sequence[TitleId]) -> dict[TitleId, int]:
    """The numbers of the last sets of titles, of which nobody else changes the rights now."""
    ids = sorted(title_ids)
    await transaction.execute(
        text(
            "insert into rights.title (title_id, number, last_number) "
            "select unnest(cast(:ids as text[])), 0, 0 order by 1 on conflict do nothing"
        ),
        {"ids": ids},
    )
    rows = await transaction.execute(
        text(
            "select title_id, last_number from rights.title where title_id = any(:ids) "
            "order by title_id for update"
        ),
        {"ids": ids},
    )
    return {row.title_id: row.last_number for row in rows}


async def rights_of(
    transaction: Transaction, title_ids: Sequence[TitleId]
) -> dict[TitleId, TitleRights]:
    """The rights of those titles that have some recorded."""
    rows = await transaction.execute(
        text(f"{_FOUND} where t.title_id = any(:ids)"), {"ids": list(title_ids)}
    )
    return {row.title_id: _rights(row._mapping) for row in rows}


async def page(transaction: Transaction, after: str, limit: int) -> list[TitleRights]:
    rows = await transaction.execute(
        text(f"{_FOUND} where t.title_id > :after order by t.title_id limit :limit"),
        {"after": after, "limit": limit},
    )
    return [_rights(row._mapping) for row in rows]


async def put(
    transaction: Transaction,
    sets: Mapping[TitleId, Sequence[Window]],
    last: Mapping[TitleId, int],
    replaced: Mapping[TitleId, int],
    now: datetime,
) -> dict[TitleId, int]:
    """Make these the sets of their titles, which are locked; their numbers."""
    numbers = {title_id: last[title_id] + 1 for title_id in sets}
    await transaction.execute(
        text(
            "insert into rights.title_set (title_id, number, replaced, windows, set_at) "
            "values (:title_id, :number, :replaced, :windows, :set_at)"
        ),
        [
            {
                "title_id": title_id,
                "number": numbers[title_id],
                "replaced": replaced[title_id],
                "windows": msgspec.json.encode(windows).decode(),
                "set_at": now,
            }
            for title_id, windows in sets.items()
        ],
    )
    await transaction.execute(
        text(
            "update rights.title set number = last_number + 1, last_number = last_number + 1 "
            "where title_id = any(:ids)"
        ),
        {"ids": list(sets)},
    )
    await transaction.execute(
        text(
            "delete from rights.title_set r using rights.title t where t.title_id = any(:ids) "
            "and r.title_id = t.title_id and r.number <= t.last_number - :kept"
        ),
        {"ids": list(sets), "kept": KEPT_SETS},
    )
    await _hold(transaction, sets)
    return numbers


async def go_back(transaction: Transaction, title_id: TitleId) -> TitleRights | None:
    """Let the set that the present one replaced be the present one again, of a locked title.

    Back before the first set, the title is unrecorded, and None is given.
    """
    await transaction.execute(
        text(
            "update rights.title t set number = r.replaced from rights.title_set r "
            "where t.title_id = :title_id and (r.title_id, r.number) = (t.title_id, t.number)"
        ),
        {"title_id": title_id},
    )
    found = (await rights_of(transaction, [title_id])).get(title_id)
    await _hold(transaction, {title_id: found.windows if found else None})
    return found


async def held(
    database: Database, title_ids: Sequence[TitleId], territory: str
) -> dict[TitleId, list[Window]]:
    """The windows that decide in a territory, of those titles that have rights recorded."""
    rows = await database.ask(
        _HELD, {"ids": list(title_ids), "territory": territory, "worldwide": WORLDWIDE}
    )
    found: dict[TitleId, list[Window]] = {}
    for row in rows:
        found.setdefault(row.title_id, []).extend(_held(row.windows))
    return found


def rows_of(title_id: TitleId, windows: Sequence[Window]) -> Iterable[tuple[TitleId, str, bytes]]:
    """What ``held`` has of a title: its id, a territory, and the windows that decide there."""
    for territory, some in by_territory(windows).items():
        yield title_id, territory, _pack(some)


async def _hold(transaction: Transaction, sets: Mapping[TitleId, Sequence[Window] | None]) -> None:
    await transaction.execute(
        text("delete from rights.held where title_id = any(:ids)"), {"ids": list(sets)}
    )
    rows = [
        {"title_id": each, "territory": territory, "windows": packed}
        for title_id, windows in sets.items()
        if windows is not None
        for each, territory, packed in rows_of(title_id, windows)
    ]
    if rows:
        await transaction.execute(
            text(
                "insert into rights.held (title_id, territory, windows) "
                "values (:title_id, :territory, :windows)"
            ),
            rows,
        )


def _rights(row: RowMapping) -> TitleRights:
    return TitleRights(
        title_id=row["title_id"],
        number=row["number"],
        windows=_read(row["windows"]),
        set_at=row["set_at"],
        earlier=row["replaced"] == 0 or row["kept"],
    )
