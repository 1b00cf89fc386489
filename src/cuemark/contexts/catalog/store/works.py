"""The tables of works: what lies in what, what is told of it, and how it was before."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, text

from cuemark.contexts.catalog.model.hierarchy import PLAYABLE
from cuemark.contexts.catalog.model.texts import told
from cuemark.contracts.catalog.metadata import Details, OtherId
from cuemark.contracts.catalog.works import Kind, Work
from cuemark.contracts.ids import TitleId, WorkId
from cuemark.kit.database import Transaction

KEPT_STATES = 20
"""Of each work, how many earlier states are kept."""
_LOCK = {"name": "catalog.work"}
_COLUMNS = "work_id, kind, parent_id, number, details, revision, change, changed_at"


async def add_works(transaction: Transaction, works: Sequence[Work], created_at: datetime) -> None:
    """Add works, each after the one that it lies in."""
    if not works:
        return
    await transaction.execute(
        text(
            f"insert into catalog.work ({_COLUMNS}, created_at) values (:work_id, :kind, "
            ":parent_id, :number, cast(:details as jsonb), :revision, :change, :changed_at, "
            ":created_at)"
        ),
        [{**_values(work), "created_at": created_at} for work in works],
    )
    await _name(transaction, works)


async def write_alone(transaction: Transaction) -> None:
    """Wait until nobody else changes works, people or terms, and keep them away until the end of
    the transaction: what was looked at stays as it is. Readers wait for nothing."""
    await transaction.execute(
        text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), _LOCK
    )


async def work(transaction: Transaction, work_id: WorkId) -> Work | None:
    found = await transaction.execute(
        text(f"select {_COLUMNS} from catalog.work where work_id = :id"), {"id": work_id}
    )
    row = found.one_or_none()
    return _work(row) if row else None


async def works(transaction: Transaction, work_ids: Collection[WorkId]) -> dict[WorkId, Work]:
    """Those of the ids that there are."""
    found = await transaction.execute(
        text(f"select {_COLUMNS} from catalog.work where work_id = any(:ids)"),
        {"ids": list(work_ids)},
    )
    return {work.work_id: work for work in map(_work, found)}


async def change_work(transaction: Transaction, before: Work, after: Work) -> None:
    """Keep ``after`` in place of ``before``, which stays to be found by ``state_before``."""
    await keep_state(transaction, before)
    await transaction.execute(
        text(
            "update catalog.work set kind = :kind, parent_id = :parent_id, number = :number, "
            "details = cast(:details as jsonb), revision = :revision, change = :change, "
            "changed_at = :changed_at where work_id = :work_id"
        ),
        _values(after),
    )
    if before.details != after.details:
        for table in ("work_person", "work_term"):
            await transaction.execute(
                text(f"delete from catalog.{table} where work_id = :id"), {"id": after.work_id}
            )
        await forget_ids(transaction, after.work_id)
        await _name(transaction, [after])


async def remove_work(transaction: Transaction, before: Work) -> None:
    await keep_state(transaction, before)
    await transaction.execute(
        text("delete from catalog.work where work_id = :id"), {"id": before.work_id}
    )
    await forget_ids(transaction, before.work_id)


async def keep_state(transaction: Transaction, before: Work) -> None:
    await transaction.execute(
        text(
            "insert into catalog.work_before (work_id, revision, body) "
            "values (:id, :revision, cast(:body as jsonb)) on conflict do nothing"
        ),
        {
            "id": before.work_id,
            "revision": before.revision,
            "body": msgspec.json.encode(before).decode(),
        },
    )
    await transaction.execute(
        text("delete from catalog.work_before where work_id = :id and revision <= :last"),
        {"id": before.work_id, "last": before.revision - KEPT_STATES},
    )


async def state_before(
    transaction: Transaction, work_id: WorkId, revision: int | None
) -> Work | None:
    """The last state before a revision; the last of all for a work that was removed."""
    found = await transaction.execute(
        text(
            "select body::text from catalog.work_before where work_id = :id "
            "and (cast(:revision as integer) is null or revision < :revision) "
            "order by revision desc limit 1"
        ),
        {"id": work_id, "revision": revision},
    )
    body = found.scalar_one_or_none()
    return msgspec.json.decode(body, type=Work) if body else None


async def taken_by(
    transaction: Transaction, parent_id: WorkId, kind: Kind, number: int
) -> WorkId | None:
    found = await transaction.execute(
        text(
            "select work_id from catalog.work where parent_id = :parent_id and kind = :kind "
            "and number = :number"
        ),
        {"parent_id": parent_id, "kind": kind, "number": number},
    )
    work_id: WorkId | None = found.scalar_one_or_none()
    return work_id


async def count_inside(
    transaction: Transaction, work_id: WorkId, besides: WorkId | None = None
) -> int:
    found = await transaction.execute(
        text(
            "select count(*) from catalog.work where parent_id = :id "
            "and work_id is distinct from cast(:besides as text)"
        ),
        {"id": work_id, "besides": besides},
    )
    return int(found.scalar_one())


async def series_name(transaction: Transaction, title_id: TitleId) -> str:
    """The name of the series that a title lies in; else the one that it was created with."""
    found = await transaction.execute(
        text(
            "with recursive up as (select work_id, kind, parent_id, details from catalog.work "
            "where work_id = :id union all select w.work_id, w.kind, w.parent_id, w.details "
            "from catalog.work w join up on w.work_id = up.parent_id) "
            "select (select details::text from up where kind = 'series') as details, "
            "coalesce((select series from catalog.title where title_id = :id), '') as series"
        ),
        {"id": title_id},
    )
    row = found.one()
    if row.details is None:
        return str(row.series)
    return told(msgspec.json.decode(row.details, type=Details).texts, []).name


async def titles_below(transaction: Transaction, work_id: WorkId) -> list[Work]:
    """The titles that lie in a work, however deep; the work itself where it is one."""
    found = await transaction.execute(
        text(
            f"with recursive below as (select {_COLUMNS} from catalog.work where work_id = :id "
            "union all select w.work_id, w.kind, w.parent_id, w.number, w.details, w.revision, "
            "w.change, w.changed_at from catalog.work w join below b on w.parent_id = b.work_id) "
            "select * from below where kind = any(:playable) order by work_id"
        ),
        {"id": work_id, "playable": list(PLAYABLE)},
    )
    return [_work(row) for row in found]


async def tell_at(transaction: Transaction, title_id: TitleId, now: datetime) -> datetime:
    """When a title is told to be described: after the last time, also where the clock was set
    back."""
    found = await transaction.execute(
        text(
            "update catalog.work set told_at = greatest(:now, told_at + interval '1 millisecond') "
            "where work_id = :id returning told_at"
        ),
        {"id": title_id, "now": now},
    )
    at: datetime = found.scalar_one()
    return at


async def details_of(
    transaction: Transaction, title_ids: Sequence[TitleId]
) -> dict[TitleId, Details]:
    found = await transaction.execute(
        text("select work_id, details::text from catalog.work where work_id = any(:ids)"),
        {"ids": list(title_ids)},
    )
    return {row.work_id: msgspec.json.decode(row.details, type=Details) for row in found}


async def owners_of_ids(
    transaction: Transaction, scope: str, ids: Collection[OtherId]
) -> dict[tuple[str, str], str]:
    """By scheme and value, whose ids they are."""
    found = await transaction.execute(
        text(
            "select scheme, value, owner_id from catalog.other_id where scope = :scope "
            "and (scheme, value) in (select * from "
            "unnest(cast(:schemes as text[]), cast(:values as text[])))"
        ),
        {
            "scope": scope,
            "schemes": [each.scheme for each in ids],
            "values": [each.value for each in ids],
        },
    )
    return {(row.scheme, row.value): row.owner_id for row in found}


async def forget_ids(transaction: Transaction, *owner_ids: str) -> None:
    await transaction.execute(
        text("delete from catalog.other_id where owner_id = any(:ids)"), {"ids": list(owner_ids)}
    )


async def add_ids(transaction: Transaction, scope: str, ids: Sequence[tuple[str, OtherId]]) -> None:
    """Add ids, each with its owner's."""
    if ids:
        await transaction.execute(
            text(
                "insert into catalog.other_id (scope, owner_id, scheme, value) select :scope, * "
                "from unnest(cast(:owners as text[]), cast(:schemes as text[]), "
                "cast(:values as text[]))"
            ),
            {
                "scope": scope,
                "owners": [owner_id for owner_id, _ in ids],
                "schemes": [each.scheme for _, each in ids],
                "values": [each.value for _, each in ids],
            },
        )


async def numbers_in(
    transaction: Transaction, parent_ids: Collection[WorkId]
) -> list[tuple[WorkId, WorkId, Kind, int | None]]:
    """What lies in these works: the parent, the work, its kind and its number."""
    found = await transaction.execute(
        text(
            "select parent_id, work_id, kind, number from catalog.work "
            "where parent_id = any(:parents)"
        ),
        {"parents": list(parent_ids)},
    )
    return [(row.parent_id, row.work_id, row.kind, row.number) for row in found]


async def take_numbers(transaction: Transaction, work_ids: Collection[WorkId]) -> None:
    """Free the numbers of works that are about to be placed anew, so that some may be swapped."""
    await transaction.execute(
        text("update catalog.work set number = null where work_id = any(:ids)"),
        {"ids": list(work_ids)},
    )


async def in_order_of_creation(
    transaction: Transaction, after: tuple[datetime, str] | None, limit: int
) -> list[tuple[datetime, Work]]:
    """Works with the time of their creation, for an export."""
    found = await transaction.execute(
        text(
            f"select {_COLUMNS}, created_at from catalog.work "
            "where cast(:made as timestamptz) is null or (created_at, work_id) > "
            "(cast(:made as timestamptz), :id) order by created_at, work_id limit :limit"
        ),
        {
            "made": after[0] if after else None,
            "id": after[1] if after else "",
            "limit": limit,
        },
    )
    return [(row.created_at, _work(row)) for row in found]


async def _name(transaction: Transaction, works: Sequence[Work]) -> None:
    """Write down whom and what the details name, so that works are found by it."""
    people = [
        (person_id, work.work_id)
        for work in works
        for person_id in sorted({each.person_id for each in work.details.credits})
    ]
    terms = [
        (term_id, work.work_id)
        for work in works
        for term_id in sorted({*work.details.genres, *work.details.themes})
    ]
    for table, pairs in (("person", people), ("term", terms)):
        if pairs:
            await transaction.execute(
                text(
                    f"insert into catalog.work_{table} ({table}_id, work_id) "
                    "select * from unnest(cast(:named as text[]), cast(:works as text[]))"
                ),
                {"named": [named for named, _ in pairs], "works": [work for _, work in pairs]},
            )
    ids = [(work.work_id, each) for work in works for each in work.details.ids]
    await add_ids(transaction, "work", ids)


def _values(work: Work) -> dict[str, Any]:
    return {
        "work_id": work.work_id,
        "kind": work.kind,
        "parent_id": work.parent_id,
        "number": work.number,
        "details": msgspec.json.encode(work.details).decode(),
        "revision": work.revision,
        "change": work.change,
        "changed_at": work.changed_at,
    }


def _work(row: Row[Any]) -> Work:
    return Work(
        work_id=row.work_id,
        kind=row.kind,
        parent_id=row.parent_id,
        number=row.number,
        details=msgspec.convert(row.details, Details),
        revision=row.revision,
        change=row.change,
        changed_at=row.changed_at,
    )
