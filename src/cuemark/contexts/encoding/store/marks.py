"""The SQL of marks: the keys of marked jobs, and the copies that are looked into."""

from datetime import datetime

import msgspec
from sqlalchemy import text

from cuemark.contracts.encoding.marks import MarkEvidence, MarkSearch
from cuemark.contracts.ids import VersionId
from cuemark.kit.database import Transaction


class SearchRow(msgspec.Struct, frozen=True, kw_only=True):
    """What the workflow of a search needs to know."""

    search_id: str
    version_id: VersionId
    copy_sha256: str
    master_sha256: str
    state: str
    tries: int
    trace_id: str


async def insert_key(transaction: Transaction, version_id: str, key: bytes) -> None:
    await transaction.execute(
        text("insert into encoding.mark_key (version_id, key) values (:version_id, :key)"),
        {"version_id": version_id, "key": key},
    )


async def find_key(transaction: Transaction, version_id: str) -> bytes | None:
    """The key of the job that made a version, quick or full."""
    found = await transaction.execute(
        text(
            "select key from encoding.mark_key join encoding.job using (version_id) "
            "where version_id = :version_id or quick_version_id = :version_id"
        ),
        {"version_id": version_id},
    )
    key = found.scalar_one_or_none()
    return None if key is None else bytes(key)


async def insert_search(
    transaction: Transaction,
    search_id: str,
    version_id: str,
    copy_sha256: str,
    trace_id: str,
    at: datetime,
) -> bool:
    """Whether the search is new: of one version and copy there is one that did not fail."""
    inserted = await transaction.execute(
        text(
            "insert into encoding.mark_search (search_id, version_id, copy_sha256, trace_id, "
            "asked_at) values (:search_id, :version_id, :copy_sha256, :trace_id, :at) "
            "on conflict do nothing"
        ),
        {
            "search_id": search_id,
            "version_id": version_id,
            "copy_sha256": copy_sha256,
            "trace_id": trace_id,
            "at": at,
        },
    )
    return inserted.rowcount > 0


async def find_search(transaction: Transaction, search_id: str) -> MarkSearch | None:
    return await _found(transaction, "search_id = :search_id", {"search_id": search_id})


async def find_search_of(
    transaction: Transaction, version_id: str, copy_sha256: str
) -> MarkSearch | None:
    """The search in a copy that did not fail."""
    return await _found(
        transaction,
        "version_id = :version_id and copy_sha256 = :copy_sha256 and state != 'failed'",
        {"version_id": version_id, "copy_sha256": copy_sha256},
    )


async def _found(transaction: Transaction, where: str, values: dict[str, str]) -> MarkSearch | None:
    found = await transaction.execute(
        text(
            "select search_id, version_id, state, error, evidence from encoding.mark_search "
            f"where {where}"
        ),
        values,
    )
    row = found.one_or_none()
    return None if row is None else msgspec.convert(dict(row._mapping), MarkSearch)


async def begin_search(transaction: Transaction, search_id: str) -> SearchRow | None:
    """Count a beginning of a search, and what it is about."""
    await transaction.execute(
        text(
            "update encoding.mark_search set tries = tries + 1 "
            "where search_id = :search_id and state = 'running'"
        ),
        {"search_id": search_id},
    )
    found = await transaction.execute(
        text(
            "select search_id, search.version_id, copy_sha256, master_sha256, search.state, "
            "search.tries, search.trace_id from encoding.mark_search search join encoding.job job "
            "on search.version_id in (job.version_id, job.quick_version_id) "
            "where search_id = :search_id"
        ),
        {"search_id": search_id},
    )
    row = found.one_or_none()
    return None if row is None else msgspec.convert(dict(row._mapping), SearchRow)


async def is_wanted(transaction: Transaction, search_id: str) -> bool:
    found = await transaction.execute(
        text("select state = 'running' from encoding.mark_search where search_id = :search_id"),
        {"search_id": search_id},
    )
    return bool(found.scalar_one_or_none())


async def end_search(
    transaction: Transaction, search_id: str, evidence: MarkEvidence | None, error: str
) -> None:
    """Keep how a search ended; saying it again changes nothing."""
    await transaction.execute(
        text(
            "update encoding.mark_search set state = :state, error = :error, "
            "evidence = cast(:evidence as json) "
            "where search_id = :search_id and state = 'running'"
        ),
        {
            "search_id": search_id,
            "state": "failed" if evidence is None else "done",
            "error": error,
            "evidence": None if evidence is None else msgspec.json.encode(evidence).decode(),
        },
    )


async def any_running(transaction: Transaction) -> bool:
    """Whether any copy is being looked into, or waits to be."""
    found = await transaction.execute(
        text("select exists (select from encoding.mark_search where state = 'running')")
    )
    return bool(found.scalar_one())
