"""What fill knows when it plans, and the arrays of the planner that follow from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from cuemark.contexts.fill.model.catalog import Catalog, Floats, Ints, Region
from cuemark.contexts.fill.model.told import zone_of
from cuemark.contexts.fill.model.tracks import COMPANION, Facts, kind_of, likeness
from cuemark.contracts.encoding.versions import Quality
from cuemark.contracts.fill import Tier
from cuemark.contracts.ids import ApplianceId, TitleId, VersionId

AWAY = timedelta(hours=24)
"""An appliance that was silent for as long, while others told, has no part in a plan."""
MONDAY = datetime.fromisoformat("1970-01-05T00:00:00+00:00")
_H = timedelta(hours=1)

Held = Mapping[tuple[VersionId, str], int]


@dataclass(frozen=True)
class KnownVersion:
    """A published version; ``numbers`` are those of its ``tracks``, by which hours name them.

    ``series`` and ``launch_at`` are its title's.
    """

    version_id: VersionId
    title_id: TitleId
    quality: Quality
    duration_s: float
    published_at: datetime
    tracks: Sequence[Facts]
    numbers: Sequence[int]
    series: str = ""
    launch_at: datetime | None = None


@dataclass(frozen=True)
class KnownAppliance:
    """``held`` is in bytes. ``capacity_kbps`` is what its line carries, 0 where nobody said."""

    appliance_id: ApplianceId
    region: str
    timezone: str
    storage_bytes: int
    told_at: datetime
    tier: Tier
    held: Held
    capacity_kbps: int = 0


@dataclass(frozen=True)
class ServedHour:
    """What one appliance served in an hour: of the track ``tracks[n]`` ``of_bytes[n]``."""

    region: str
    hour: datetime
    tracks: Ints
    of_bytes: Ints


@dataclass(frozen=True)
class Stock:
    """All that a plan is made of. ``hours`` are those of the edge tier alone."""

    versions: Sequence[KnownVersion]
    appliances: Sequence[KnownAppliance]
    hours: Sequence[ServedHour]


@dataclass(frozen=True)
class Shelf:
    """The tracks that are planned: those of each title's current version.

    ``title[n]`` is the place of track n's title in ``versions``. ``streams`` are the places of the
    tracks that are forecast, renditions and sounds; ``catalog`` has those, in this order.
    ``follows[number]`` is the stream that a track which was served counts for, -1 for none, and
    ``scale[number]`` what a byte of it counts.
    """

    versions: Sequence[KnownVersion]
    tracks: Sequence[tuple[VersionId, Facts]]
    title: Ints
    streams: Ints
    catalog: Catalog
    follows: Ints
    scale: Floats


def hour_of(at: datetime) -> int:
    """Hours since the midnight of a Monday, of UTC."""
    return (at - MONDAY) // _H


def current(versions: Sequence[KnownVersion]) -> list[KnownVersion]:
    """The version that is planned of each title, by title: the newest full one, else the newest."""
    best: dict[TitleId, KnownVersion] = {}
    for each in versions:
        other = best.get(each.title_id)
        if other is None or _rank(each) > _rank(other):
            best[each.title_id] = each
    return [best[title_id] for title_id in sorted(best)]


def _rank(version: KnownVersion) -> tuple[bool, datetime, VersionId]:
    return version.quality == "full", version.published_at, version.version_id


def shelf_of(versions: Sequence[KnownVersion]) -> Shelf:
    """The tracks to plan. What was served of a version that was replaced counts for the tracks that
    are the most like its own."""
    chosen = [each for each in current(versions) if each.tracks]
    tracks = [(each.version_id, facts) for each in chosen for facts in each.tracks]
    title = np.repeat(np.arange(len(chosen)), [len(each.tracks) for each in chosen])
    streams = [n for n, (_, facts) in enumerate(tracks) if facts.sort != COMPANION]
    sorts = {sort: n for n, sort in enumerate(sorted({tracks[n][1].sort for n in streams}))}
    places = np.array(streams, dtype=np.int64)
    first: dict[TitleId, datetime] = {}
    for each in versions:
        first[each.title_id] = min(first.get(each.title_id, each.published_at), each.published_at)
    names = sorted({each.series for each in chosen if each.series})
    serieses = {name: number for number, name in enumerate(names)}
    follows, scale = _followed(versions, chosen)
    catalog = Catalog(
        kind=np.array([kind_of(each.duration_s) for each in chosen], dtype=np.int64),
        series=np.array([serieses.get(each.series, -1) for each in chosen], dtype=np.int64),
        released_h=np.array(
            [hour_of(max(first[each.title_id], each.launch_at or MONDAY)) for each in chosen],
            dtype=np.int64,
        ),
        title=title[places].astype(np.int64),
        rendition=np.array([sorts[tracks[n][1].sort] for n in streams], dtype=np.int64),
        size_bytes=np.array([tracks[n][1].size_bytes for n in streams], dtype=np.int64),
    )
    return Shelf(chosen, tracks, title.astype(np.int64), places, catalog, follows, scale)


def _followed(
    versions: Sequence[KnownVersion], chosen: Sequence[KnownVersion]
) -> tuple[Ints, Floats]:
    most = max((number for each in versions for number in each.numbers), default=-1)
    follows, scale = np.full(most + 1, -1, dtype=np.int64), np.zeros(most + 1)
    streams: dict[TitleId, list[tuple[int, Facts]]] = {}
    place = 0
    for each in chosen:
        mine = streams.setdefault(each.title_id, [])
        for facts in each.tracks:
            if facts.sort != COMPANION:
                mine.append((place, facts))
                place += 1
    now = {each.version_id for each in chosen}
    for each in versions:
        mine = streams.get(each.title_id, [])
        own = iter(mine)
        for number, facts in zip(each.numbers, each.tracks, strict=True):
            if facts.sort == COMPANION or not mine:
                continue
            if each.version_id in now:
                like, of = next(own)
            else:
                like, of = min(mine, key=lambda known, facts=facts: likeness(facts, known[1]))  # type: ignore[misc]
                if likeness(facts, of) == float("inf"):
                    continue
            follows[number], scale[number] = like, of.size_bytes / facts.size_bytes
    return follows, scale


def regions_of(appliances: Sequence[KnownAppliance], now: datetime) -> list[Region]:
    """The regions in which there are appliances, by name; half hours of a timezone are rounded.

    Where appliances of a region say other timezones, that of the first by id counts.
    """
    zones: dict[str, str] = {}
    for each in sorted(appliances, key=lambda each: each.appliance_id):
        zones.setdefault(each.region, each.timezone)
    return [Region(name, offset_h(zones[name], now)) for name in sorted(zones)]


def offset_h(timezone: str, now: datetime) -> int:
    """What the clocks of a timezone add to UTC now, in whole hours."""
    offset = now.astimezone(zone_of(timezone)).utcoffset() or timedelta()
    return int((offset.total_seconds() + 1800) // 3600)


def served(shelf: Shelf, regions: Sequence[Region], hours: Sequence[ServedHour]) -> Floats:
    """``[r, f]``: the bytes of one hour as ``Forecast.observe`` takes them."""
    of_bytes = np.zeros((len(regions), shelf.catalog.files))
    places = {region.name: place for place, region in enumerate(regions)}
    for hour in hours:
        place = places.get(hour.region)
        known = hour.tracks < len(shelf.follows)
        numbers = hour.tracks[known]
        follows = shelf.follows[numbers]
        counts = follows >= 0
        if place is not None and counts.any():
            weights = hour.of_bytes[known][counts] * shelf.scale[numbers[counts]]
            of_bytes[place] += np.bincount(follows[counts], weights, shelf.catalog.files)
    return of_bytes


def there(appliances: Sequence[KnownAppliance]) -> list[KnownAppliance]:
    """The appliances that have a part in a plan, by id. Where all are silent it is us who were
    away, and all have one."""
    last_at = max((each.told_at for each in appliances), default=MONDAY)
    heard = [each for each in appliances if last_at - each.told_at < AWAY]
    return sorted(heard, key=lambda each: each.appliance_id)
