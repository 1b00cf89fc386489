"""The SQL of encoding: its own schema, no decision."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import get_args

import msgspec
from sqlalchemy import Connection, Row, text

from cuemark.contracts.encoding.jobs import (
    Effort,
    FilmGrain,
    Job,
    Priority,
    Stage,
    StageProgress,
)
from cuemark.contracts.encoding.versions import CaptionRole, Codec, Version
from cuemark.contracts.ids import AssetId, TitleId, UploadId, VersionId
from cuemark.kit.database import Transaction

SCHEMA = "encoding"


class UploadRow(msgspec.Struct, frozen=True, kw_only=True):
    upload_id: UploadId
    name: str
    size_bytes: int
    announced_sha256: str
    sha256: str
    asset_id: AssetId | None


class CaptionRow(msgspec.Struct, frozen=True):
    """``sha256`` names the uploaded file. A job of an older release has no role."""

    language: str
    sha256: str
    role: CaptionRole = "subtitles"


class JobRow(msgspec.Struct, frozen=True, kw_only=True):
    """What the workflow of a job needs to know. ``tries`` tells its walk from one before it.

    A job of a release that knew of no grain goes on without. ``mark_key_id`` is that of the key by
    which its pictures are marked; empty where they are not.
    """

    version_id: VersionId
    quick_version_id: VersionId
    title_id: TitleId
    master_sha256: str
    captions: list[CaptionRow]
    trace_id: str
    created_at: datetime
    effort: Effort = "balanced"
    codecs: tuple[Codec, ...] = ("h264",)
    priority: Priority = "normal"
    tries: int = 0
    crypto_period_s: float = 0
    film_grain: FilmGrain = "off"
    mark_key_id: str = ""


async def insert_upload(transaction: Transaction, upload: UploadRow, at: datetime) -> None:
    await transaction.execute(
        text(
            "insert into encoding.upload (upload_id, name, size_bytes, announced_sha256, "
            "opened_at) values (:upload_id, :name, :size_bytes, :announced_sha256, :at)"
        ),
        {**msgspec.structs.asdict(upload), "at": at},
    )


async def find_upload(transaction: Transaction, upload_id: str) -> UploadRow | None:
    found = await transaction.execute(
        text(
            "select upload_id, name, size_bytes, announced_sha256, sha256, asset_id "
            "from encoding.upload where upload_id = :upload_id"
        ),
        {"upload_id": upload_id},
    )
    row = found.one_or_none()
    return None if row is None else msgspec.convert(dict(row._mapping), UploadRow)


async def store_asset(
    transaction: Transaction, upload: UploadRow, sha256: str, asset_id: str, at: datetime
) -> AssetId:
    """Record a finished upload; the asset of the same bytes, where there is one already."""
    await transaction.execute(
        text(
            "insert into encoding.asset (asset_id, sha256, size_bytes, stored_at) "
            "values (:asset_id, :sha256, :size_bytes, :at) on conflict (sha256) do nothing"
        ),
        {"asset_id": asset_id, "sha256": sha256, "size_bytes": upload.size_bytes, "at": at},
    )
    stored = await transaction.execute(
        text(
            "update encoding.upload set sha256 = :sha256, asset_id = "
            "(select asset_id from encoding.asset where sha256 = :sha256) "
            "where upload_id = :upload_id returning asset_id"
        ),
        {"sha256": sha256, "upload_id": upload.upload_id},
    )
    return AssetId(stored.scalar_one())


async def asset_bytes(transaction: Transaction, sha256: str) -> int:
    """The size of a stored asset; 0 where there is none."""
    found = await transaction.execute(
        text("select size_bytes from encoding.asset where sha256 = :sha256"), {"sha256": sha256}
    )
    return int(found.scalar_one_or_none() or 0)


async def insert_job(transaction: Transaction, job: JobRow) -> None:
    await transaction.execute(
        text(
            "insert into encoding.job (version_id, quick_version_id, title_id, master_sha256, "
            "captions, state, trace_id, created_at, effort, codecs, priority, "
            "crypto_period_s, film_grain, mark_key_id) "
            "values (:version_id, :quick_version_id, :title_id, :master_sha256, "
            "cast(:captions as json), 'waiting', :trace_id, :created_at, :effort, "
            "cast(:codecs as json), :priority, :crypto_period_s, :film_grain, :mark_key_id)"
        ),
        {
            **msgspec.structs.asdict(job),
            "captions": msgspec.json.encode(job.captions).decode(),
            "codecs": msgspec.json.encode(job.codecs).decode(),
        },
    )


async def find_job_row(transaction: Transaction, version_id: str) -> JobRow | None:
    found = await transaction.execute(
        text(
            "select version_id, quick_version_id, title_id, master_sha256, captions, trace_id, "
            "created_at, effort, codecs, priority, tries, crypto_period_s, film_grain, mark_key_id "
            "from encoding.job where version_id = :version_id"
        ),
        {"version_id": version_id},
    )
    row = found.one_or_none()
    return None if row is None else msgspec.convert(dict(row._mapping), JobRow)


async def find_jobs(
    transaction: Transaction, *, version_id: str = "", before: str = "", limit: int = 1
) -> list[Job]:
    """One job, or the newest before a cursor (a version id: these sort by time)."""
    found = await transaction.execute(
        text(
            "select version_id, quick_version_id, title_id, state, error, waiting, created_at, "
            "trace_id, watchable_s, good_s, notes, effort, codecs, priority, canceled_by, "
            "failure, tries, mark_key_id != '' as marked from encoding.job "
            "where (:version_id = '' or version_id = :version_id) "
            "and (:before = '' or version_id < :before) order by version_id desc limit :limit"
        ),
        {"version_id": version_id, "before": before, "limit": limit},
    )
    rows = found.all()
    stages = await _stages(transaction, [row.version_id for row in rows])
    return [_job(row, stages.get(row.version_id, [])) for row in rows]


def _job(row: Row[tuple[object, ...]], stages: list[StageProgress]) -> Job:
    values = dict(row._mapping)
    if values["watchable_s"] is None:
        values["quick_version_id"] = None
    return msgspec.convert({**values, "stages": stages}, Job)


async def _stages(
    transaction: Transaction, version_ids: Sequence[str]
) -> dict[str, list[StageProgress]]:
    """The planned stages of jobs, in the order in which they are walked."""
    found = await transaction.execute(
        text(
            "select stage.version_id, stage.stage, stage.total, count(unit.unit) as done "
            "from encoding.stage left join encoding.unit using (version_id, stage) "
            "where stage.version_id = any(:version_ids) "
            "group by stage.version_id, stage.stage, stage.total"
        ),
        {"version_ids": list(version_ids)},
    )
    walk: list[str] = list(get_args(Stage))
    stages: dict[str, list[StageProgress]] = {}
    for row in sorted(found, key=lambda row: walk.index(row.stage)):
        done = min(row.done, row.total)
        progress = StageProgress(stage=row.stage, done=done, total=row.total)
        stages.setdefault(row.version_id, []).append(progress)
    return stages


async def plan_stage(transaction: Transaction, version_id: str, stage: str, total: int) -> None:
    """Set how many units of work a stage has; more may be found later."""
    await transaction.execute(
        text(
            "insert into encoding.stage (version_id, stage, total) "
            "values (:version_id, :stage, :total) on conflict (version_id, stage) "
            "do update set total = excluded.total"
        ),
        {"version_id": version_id, "stage": stage, "total": total},
    )


async def set_running(transaction: Transaction, version_id: str) -> None:
    await transaction.execute(
        text(
            "update encoding.job set state = 'running' "
            "where version_id = :version_id and state = 'waiting'"
        ),
        {"version_id": version_id},
    )


async def set_notes(transaction: Transaction, version_id: str, notes: Sequence[str]) -> None:
    await transaction.execute(
        text("update encoding.job set notes = :notes where version_id = :version_id"),
        {"version_id": version_id, "notes": list(notes)},
    )


async def set_failed(transaction: Transaction, version_id: str, error: str, tries: int) -> bool:
    """Whether this call made the job fail: a try of a job fails once, and not after its end."""
    changed = await transaction.execute(
        text(
            "update encoding.job set state = 'failed', error = :error, waiting = '' "
            "where version_id = :version_id and state in ('waiting', 'running') "
            "and tries = :tries"
        ),
        {"version_id": version_id, "error": error, "tries": tries},
    )
    return changed.rowcount > 0


def unfinished_jobs(connection: Connection) -> dict[str, tuple[Priority, list[str]]]:
    """The jobs that have neither succeeded nor failed, each with its priority and its versions yet
    unpublished."""
    found = connection.execute(
        text(
            "select job.version_id, priority, array(select each from "
            "unnest(array[job.quick_version_id, job.version_id]) each "
            "where each not in (select version_id from encoding.version)) "
            "from encoding.job where state in ('waiting', 'running') order by job.version_id"
        )
    )
    return {row[0]: (row[1], list(row[2])) for row in found}


def stored_objects(connection: Connection) -> list[str]:
    """The keys of the masters, of the published versions and of their artworks."""
    found = connection.execute(
        text(
            "select 'masters/' || sha256 from encoding.asset "
            "union select 'versions/' || version_id from encoding.version "
            "union select document->>'artwork_key' from encoding.version"
        )
    )
    return [key for key in found.scalars() if key]


async def count_versions(transaction: Transaction) -> int:
    found = await transaction.execute(text("select count(*) from encoding.version"))
    return int(found.scalar_one())


async def has_open_jobs(transaction: Transaction) -> bool:
    found = await transaction.execute(
        text("select exists (select from encoding.job where state in ('waiting', 'running'))")
    )
    there: bool = found.scalar_one()
    return there


async def set_waiting(transaction: Transaction, version_id: str, sentence: str) -> None:
    await transaction.execute(
        text(
            "update encoding.job set waiting = :sentence "
            "where version_id = :version_id and waiting != :sentence and state = 'running'"
        ),
        {"version_id": version_id, "sentence": sentence},
    )


async def last_published_at(transaction: Transaction, title_id: str) -> datetime | None:
    found = await transaction.execute(
        text("select max(published_at) from encoding.version where title_id = :title_id"),
        {"title_id": title_id},
    )
    last: datetime | None = found.scalar_one()
    return last


async def insert_version(
    transaction: Transaction, version: Version, made_for: Mapping[str, str]
) -> bool:
    """Whether the version is new. ``made_for`` has its renditions by the names in the ledger of
    what was done for them."""
    inserted = await transaction.execute(
        text(
            "insert into encoding.version (version_id, title_id, document, published_at, made_for) "
            "values (:version_id, :title_id, cast(:document as json), :at, "
            "cast(:made_for as json)) on conflict do nothing"
        ),
        {
            "version_id": version.version_id,
            "title_id": version.title_id,
            "document": msgspec.json.encode(version).decode(),
            "at": version.published_at,
            "made_for": msgspec.json.encode(made_for).decode(),
        },
    )
    return inserted.rowcount > 0


async def set_published(transaction: Transaction, version: Version, seconds: float) -> None:
    """Note on the job how long its quick or its full version took; the full one ends it."""
    change = (
        "watchable_s = :seconds where quick_version_id = :version_id"
        if version.quality == "quick"
        else "good_s = :seconds, watchable_s = coalesce(watchable_s, :seconds), state = 'done' "
        "where version_id = :version_id"
    )
    await transaction.execute(
        text(f"update encoding.job set {change}"),
        {"seconds": seconds, "version_id": version.version_id},
    )


async def find_job_of(transaction: Transaction, version_id: str) -> JobRow | None:
    """The job that made a version, quick or full."""
    found = await transaction.execute(
        text(
            "select version_id from encoding.job "
            "where version_id = :version_id or quick_version_id = :version_id"
        ),
        {"version_id": version_id},
    )
    job_id = found.scalar_one_or_none()
    return None if job_id is None else await find_job_row(transaction, job_id)


async def find_version(transaction: Transaction, version_id: str) -> Version | None:
    found = await transaction.execute(
        text("select document::text from encoding.version where version_id = :version_id"),
        {"version_id": version_id},
    )
    document = found.scalar_one_or_none()
    return None if document is None else msgspec.json.decode(document, type=Version)
