"""What fill knows in its tests: titles with a few tracks, appliances, and what they served."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from cuemark.contexts.fill.model.stock import Held, KnownAppliance, KnownVersion, ServedHour
from cuemark.contexts.fill.model.tracks import COMPANION, Facts
from cuemark.contracts.encoding.versions import Quality
from cuemark.contracts.fill import Tier
from cuemark.contracts.ids import ApplianceId, TitleId, VersionId

NOW = datetime(2026, 3, 3, 19, 5, tzinfo=UTC)
GB = 10**9
TRACKS = (
    Facts("a1", "sound/aac/2/en/main", GB // 10),
    Facts("en", COMPANION, 100_000),
    Facts("v1", "video/h264/sdr/360", GB),
    Facts("v2", "video/h264/sdr/1080", 4 * GB),
)
TITLE_BYTES = sum(each.size_bytes for each in TRACKS)


def version(
    title: int,
    *,
    name: str = "",
    quality: Quality = "full",
    days_ago: float = 100,
    tracks: Sequence[Facts] = TRACKS,
    first: int | None = None,
    series: str = "",
    launch_in_h: float | None = None,
) -> KnownVersion:
    """A version of title number ``title``; its tracks are numbered from ``first`` on."""
    first = title * 10 if first is None else first
    return KnownVersion(
        version_id=VersionId(name or f"ver_{title}"),
        title_id=TitleId(f"ttl_{title}"),
        quality=quality,
        duration_s=6000.0,
        published_at=NOW - timedelta(days=days_ago),
        tracks=tracks,
        numbers=range(first, first + len(tracks)),
        series=series,
        launch_at=None if launch_in_h is None else NOW + timedelta(hours=launch_in_h),
    )


def appliance(
    name: str,
    *,
    region: str = "oslo",
    timezone: str = "Europe/Oslo",
    storage_bytes: int = 20 * TITLE_BYTES,
    tier: Tier = "edge",
    held: Held | None = None,
    hours_ago: float = 0,
) -> KnownAppliance:
    told_at = NOW - timedelta(hours=hours_ago)
    return KnownAppliance(
        ApplianceId(name), region, timezone, storage_bytes, told_at, tier, held or {}
    )


def played(
    plays: dict[int, float], hours: int = 48, *, region: str = "oslo", to_h: int = 0
) -> list[ServedHour]:
    """The hours up to ``to_h`` ago: each title (by number) so often in each, on its v2 with a1."""
    tracks = [number for title in plays for number in (title * 10, title * 10 + 3)]
    of_bytes = [
        int(count * size)
        for count in plays.values()
        for size in (TRACKS[0].size_bytes, TRACKS[3].size_bytes)
    ]
    begin = NOW.replace(minute=0)
    return [
        ServedHour(
            region,
            begin - timedelta(hours=number),
            np.array(tracks, dtype=np.int64),
            np.array(of_bytes, dtype=np.int64),
        )
        for number in range(to_h + hours, to_h, -1)
    ]
