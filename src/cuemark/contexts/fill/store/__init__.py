"""The tables of the versions that there are, and of the plans that were made."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import text

from cuemark.contexts.fill.model.clusters import ClusterPlan
from cuemark.contexts.fill.model.stock import KnownVersion
from cuemark.contexts.fill.model.tracks import Facts
from cuemark.contracts.catalog import LaunchSet, TitleCreated
from cuemark.contracts.catalog.works import TitleDescribed
from cuemark.contracts.encoding.events import VersionPublished
from cuemark.contracts.fill import Manifest
from cuemark.contracts.ids import ApplianceId, TitleId, VersionId
from cuemark.kit.database import Transaction

SCHEMA = "fill"


async def add_version(transaction: Transaction, event: VersionPublished) -> None:
    """Note that a version was published; one that is known stays as it is."""
    await transaction.execute(
        text(
            "insert into fill.version (version_id, title_id, quality, duration_s, published_at) "
            "values (:version_id, :title_id, :quality, :duration_s, :published_at) "
            "on conflict do nothing"
        ),
        {
            "version_id": event.version_id,
            "title_id": event.title_id,
            "quality": event.quality,
            "duration_s": event.duration_s,
            "published_at": event.published_at,
        },
    )


async def add_title(transaction: Transaction, event: TitleCreated) -> None:
    """Note of which series a title is, and its launch, unless a later one is known."""
    await transaction.execute(
        text(
            "insert into fill.title as known (title_id, series) values (:title_id, :series) "
            "on conflict (title_id) do update set series = excluded.series "
            "where known.described_at is null"
        ),
        {"title_id": event.title_id, "series": event.series},
    )
    await set_launch(
        transaction,
        LaunchSet(title_id=event.title_id, launch_at=event.launch_at, set_at=event.created_at),
    )


async def describe_title(transaction: Transaction, event: TitleDescribed) -> None:
    """Note of which series a title is by now, unless it was told later of another."""
    await transaction.execute(
        text(
            "insert into fill.title as known (title_id, series, described_at) "
            "values (:title_id, :series, :described_at) on conflict (title_id) do update "
            "set series = excluded.series, described_at = excluded.described_at "
            "where known.described_at is null or known.described_at <= excluded.described_at"
        ),
        {
            "title_id": event.title_id,
            "series": event.series,
            "described_at": event.described_at,
        },
    )


async def set_launch(transaction: Transaction, event: LaunchSet) -> None:
    """Note a title's launch, unless a later one is known."""
    await transaction.execute(
        text(
            "insert into fill.title as known (title_id, launch_at, launch_set_at) "
            "values (:title_id, :launch_at, :set_at) on conflict (title_id) do update "
            "set launch_at = excluded.launch_at, launch_set_at = excluded.launch_set_at "
            "where known.launch_set_at is null or known.launch_set_at <= excluded.launch_set_at"
        ),
        {"title_id": event.title_id, "launch_at": event.launch_at, "set_at": event.set_at},
    )


async def unlearned(transaction: Transaction, before: datetime, limit: int) -> list[VersionId]:
    """Versions of which the tracks are not known, the newest first; those that were tried since
    ``before`` are left out."""
    found = await transaction.execute(
        text(
            "select version_id from fill.version where not learned "
            "and (tried_at is null or tried_at <= :before) order by published_at desc limit :limit"
        ),
        {"before": before, "limit": limit},
    )
    return [VersionId(each) for each in found.scalars()]


async def count_unlearned(transaction: Transaction) -> int:
    found = await transaction.execute(text("select count(*) from fill.version where not learned"))
    return int(found.scalar_one())


async def learn(
    transaction: Transaction, version_id: VersionId, facts: Sequence[Facts], at: datetime
) -> None:
    """Keep the tracks of a version."""
    await transaction.execute(
        text(
            "insert into fill.track (version_id, track_id, sort, size_bytes) "
            "select :version_id, * from unnest(cast(:ids as text[]), cast(:sorts as text[]), "
            "cast(:sizes as bigint[])) on conflict (version_id, track_id) do update "
            "set sort = excluded.sort, size_bytes = excluded.size_bytes"
        ),
        {
            "version_id": version_id,
            "ids": [each.track_id for each in facts],
            "sorts": [each.sort for each in facts],
            "sizes": [each.size_bytes for each in facts],
        },
    )
    await transaction.execute(
        text("delete from fill.track where version_id = :id and size_bytes is null"),
        {"id": version_id},
    )
    await transaction.execute(
        text("update fill.version set learned = true, tried_at = :at where version_id = :id"),
        {"id": version_id, "at": at},
    )
    # What was told as held of it says more from now on.
    await transaction.execute(
        text("update fill.appliance set held_revision = nextval('fill.held_revision')")
    )


async def note_tried(transaction: Transaction, version_id: VersionId, at: datetime) -> None:
    await transaction.execute(
        text("update fill.version set tried_at = :at where version_id = :id"),
        {"id": version_id, "at": at},
    )


async def versions(transaction: Transaction, title_id: TitleId | None = None) -> list[KnownVersion]:
    """The versions of which the tracks are known, of one title where it is named."""
    found = await transaction.execute(
        text(
            "select version_id, title_id, quality, duration_s, published_at, "
            "coalesce(series, '') as series, launch_at, "
            "array_agg(track_id order by number) as ids, array_agg(sort order by number) as sorts, "
            "array_agg(size_bytes order by number) as sizes, "
            "array_agg(number order by number) as numbers "
            "from fill.version join fill.track using (version_id) "
            "left join fill.title using (title_id) where learned "
            "and (cast(:title_id as text) is null or title_id = :title_id) "
            "group by version_id, series, launch_at order by version_id"
        ),
        {"title_id": title_id},
    )
    return [
        KnownVersion(
            version_id=row.version_id,
            title_id=row.title_id,
            quality=row.quality,
            duration_s=row.duration_s,
            published_at=row.published_at,
            tracks=[Facts(*each) for each in zip(row.ids, row.sorts, row.sizes, strict=True)],
            numbers=row.numbers,
            series=row.series,
            launch_at=row.launch_at,
        )
        for row in found
    ]


async def title_of(transaction: Transaction, version_id: VersionId) -> TitleId | None:
    found = await transaction.execute(
        text("select title_id from fill.version where version_id = :id"), {"id": version_id}
    )
    title_id: TitleId | None = found.scalar_one_or_none()
    return title_id


async def forget_replaced(transaction: Transaction, before: datetime) -> None:
    """Forget the versions of which nothing counts any more: another one is planned in their place
    since ``before``."""
    await transaction.execute(
        text(
            "delete from fill.version as old where exists (select from fill.version as new "
            "where new.title_id = old.title_id and new.learned and new.published_at <= :before "
            "and (new.quality = 'full', new.published_at, new.version_id) "
            "> (old.quality = 'full', old.published_at, old.version_id) "
            "and old.published_at <= :before)"
        ),
        {"before": before},
    )


async def replace_plans(
    transaction: Transaction,
    plans: Sequence[tuple[ClusterPlan, bytes]],
    manifests: Sequence[tuple[ApplianceId, str, bytes]],
) -> None:
    """Keep these plans and manifests, and no others."""
    await transaction.execute(text("delete from fill.plan"))
    await transaction.execute(text("delete from fill.manifest"))
    if plans:
        await transaction.execute(
            text("insert into fill.plan (region, tier, body) values (:region, :tier, :body)"),
            [{"region": plan.region, "tier": plan.tier, "body": body} for plan, body in plans],
        )
    if manifests:
        await transaction.execute(
            text("insert into fill.manifest (appliance_id, manifest_id, body) values (:a, :m, :b)"),
            [{"a": appliance_id, "m": name, "b": body} for appliance_id, name, body in manifests],
        )


async def plans(transaction: Transaction) -> list[bytes]:
    """The plans that stand, as they were encoded, by region and tier."""
    found = await transaction.execute(text("select body from fill.plan order by region, tier"))
    return list(found.scalars())


async def manifest(
    transaction: Transaction, appliance_id: ApplianceId, known: str
) -> Manifest | None:
    """The manifest that stands; only its id where that is ``known``. None where there is none."""
    found = await transaction.execute(
        text(
            "select manifest_id, case when manifest_id = :known then null else body end as body "
            "from fill.manifest where appliance_id = :id"
        ),
        {"id": appliance_id, "known": known},
    )
    row = found.one_or_none()
    if row is None:
        return None
    if row.body is None:
        return Manifest(manifest_id=row.manifest_id, unchanged=True)
    return msgspec.json.decode(row.body, type=Manifest)
