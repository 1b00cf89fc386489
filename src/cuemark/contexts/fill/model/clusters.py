"""The plan of a region's appliances of one tier: what they are to have, and on which each lies."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby

import msgspec
import numpy as np

from cuemark.contexts.fill.model import plan as planning
from cuemark.contexts.fill.model.catalog import Flags, Floats, Ints, Region
from cuemark.contexts.fill.model.forecast import Forecast
from cuemark.contexts.fill.model.placement import Box, Keys, copies, keys, place
from cuemark.contexts.fill.model.plan import HORIZON_H
from cuemark.contexts.fill.model.stock import (
    KnownAppliance,
    ServedHour,
    Shelf,
    Stock,
    hour_of,
    offset_h,
    regions_of,
    served,
    shelf_of,
    there,
)
from cuemark.contexts.fill.model.tracks import Facts
from cuemark.contracts.fill import Tier
from cuemark.contracts.ids import ApplianceId, TitleId, VersionId

PLANNED_SHARE = 0.95
"""Of a store. The rest is for the beginnings of what is not planned, and for what members ask."""
COPIES_SHARE = 0.25
"""Of a cluster's room, for second copies at most."""


class PlannedRow(msgspec.Struct, frozen=True, array_like=True):
    """A track in a plan. ``value`` is what is expected of it, and ``title_plays`` of its title."""

    version_id: VersionId
    track_id: str
    title_id: TitleId
    size_bytes: int
    value: float
    title_plays: float
    wanted: bool
    held: bool


class PlannedBox(msgspec.Struct, frozen=True, array_like=True):
    """An appliance in a plan; ``rows`` are those that it is to have, the most valuable first."""

    appliance_id: ApplianceId
    rows: list[int]


class ClusterPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan as it was decided, and as it is kept. ``roomy``: there is room for all.

    ``fill`` are the rows to bring, the best first.
    """

    region: str
    tier: Tier
    made_at: datetime
    local_time: str
    hours: int
    roomy: bool
    cutoff: float
    rows: list[PlannedRow]
    fill: list[int]
    boxes: list[PlannedBox]


def made(stock: Stock, now: datetime) -> list[ClusterPlan]:
    """The plans of all regions and tiers, by name. The same stock at the same time has the same.

    The forecast is rebuilt from the hours that are known, up to the one that is not over.
    """
    appliances = there(stock.appliances)
    shelf = shelf_of(stock.versions)
    regions = regions_of(appliances, now)
    if not regions:
        return []
    value = expected(shelf, regions, stock.hours, hour_of(now))
    plans = []
    by_cluster = groupby(sorted(appliances, key=_cluster), key=_cluster)
    for (name, tier), members in by_cluster:
        place_of = [region.name for region in regions].index(name)
        of = value[place_of] if tier == "edge" else value.sum(axis=0)
        told = {each.hour for each in stock.hours if tier == "storage" or each.region == name}
        plans.append(_cluster_plan(shelf, list(members), of, len(told), now))
    return plans


def _cluster(appliance: KnownAppliance) -> tuple[str, Tier]:
    return appliance.region, appliance.tier


def expected(
    shelf: Shelf, regions: Sequence[Region], hours: Iterable[ServedHour], at_h: int
) -> Floats:
    """``[r, n]``: what is expected of each track of the shelf within the day from ``at_h``.

    Hours from the first that was told count; one that nobody told of is one without plays.
    """
    value = np.zeros((len(regions), len(shelf.tracks)))
    if not shelf.catalog.files:
        return value
    forecast = Forecast(shelf.catalog, regions)
    told = groupby(sorted(hours, key=lambda each: each.hour), key=lambda each: hour_of(each.hour))
    none = np.zeros((len(regions), shelf.catalog.files))
    next_h = None
    for hour_h, of_hour in told:
        if hour_h >= at_h:
            break
        for between_h in range(hour_h if next_h is None else next_h, hour_h):
            forecast.observe(between_h, none)
        forecast.observe(hour_h, served(shelf, regions, list(of_hour)))
        next_h = hour_h + 1
    for between_h in range(at_h if next_h is None else next_h, at_h):
        forecast.observe(between_h, none)
    weigh = np.array([planning.weights(region.local_h(at_h)) for region in regions])
    streams = forecast.span(at_h, at_h + HORIZON_H, weigh)
    value += _titles(shelf, streams)[:, shelf.title]
    value[:, shelf.streams] = streams
    return value


def _titles(shelf: Shelf, streams: Floats) -> Floats:
    """``[r, t]``: the plays of each title. A play has one picture at a time, so they are those of
    all its renditions."""
    pictures = np.array([_is_picture(shelf.tracks[n][1]) for n in shelf.streams], dtype=np.bool_)
    return shelf.catalog.by_title(np.where(pictures, streams, 0.0))


def _is_picture(facts: Facts) -> bool:
    return facts.sort.startswith("video/")


def _cluster_plan(
    shelf: Shelf, members: Sequence[KnownAppliance], value: Floats, hours: int, now: datetime
) -> ClusterPlan:
    size = np.array([facts.size_bytes for _, facts in shelf.tracks], dtype=np.int64)
    held: Flags = _held_on(shelf.tracks, members).sum(axis=1) > 0
    boxes = _boxes(members)
    # A play takes all its tracks from one appliance: those of a version are drawn for together,
    # by its id, as steering draws for one that nobody holds.
    drawn = keys([version_id for version_id, _ in shelf.tracks])
    wanted, cutoff, roomy = chosen(drawn, value, size, held, boxes)
    on = divided(drawn, value, size, wanted, boxes)
    wanted = on.sum(axis=1) > 0
    order = np.argsort(-value, kind="stable")
    titles = np.zeros(len(shelf.versions))
    for n, (_, facts) in enumerate(shelf.tracks):
        if _is_picture(facts):
            titles[shelf.title[n]] += value[n]
    rows = [
        PlannedRow(
            version_id,
            facts.track_id,
            shelf.versions[shelf.title[n]].title_id,
            facts.size_bytes,
            float(value[n]),
            float(titles[shelf.title[n]]),
            bool(wanted[n]),
            bool(held[n]),
        )
        for n, (version_id, facts) in enumerate(shelf.tracks)
    ]
    zone = members[0].timezone
    return ClusterPlan(
        region=members[0].region,
        tier=members[0].tier,
        made_at=now,
        local_time=f"{now + timedelta(hours=offset_h(zone, now)):%H:%M}",
        hours=hours,
        roomy=roomy,
        cutoff=cutoff,
        rows=rows,
        fill=[int(n) for n in order if wanted[n] and not held[n]],
        boxes=[
            PlannedBox(members[number].appliance_id, [int(n) for n in order if on[n, number]])
            for number in range(len(boxes))
        ],
    )


def _boxes(members: Sequence[KnownAppliance]) -> list[Box]:
    """Where some say what their lines carry and others do not, all are taken to carry as much
    as they hold."""
    rooms = [max(1, int(each.storage_bytes * PLANNED_SHARE)) for each in members]
    lines = [each.capacity_kbps for each in members]
    return [
        Box(each.appliance_id, room, float(line if all(lines) else room))
        for each, room, line in zip(members, rooms, lines, strict=True)
    ]


def _held_on(tracks: Sequence[tuple[VersionId, Facts]], members: Sequence[KnownAppliance]) -> Flags:
    """``[n, m]``: which appliances have most of a track, so that little of it is to be brought."""
    on = np.zeros((len(tracks), len(members)), dtype=np.bool_)
    for number, each in enumerate(members):
        for place_of, (version_id, facts) in enumerate(tracks):
            there = each.held.get((version_id, facts.track_id), 0)
            on[place_of, number] = 2 * there >= facts.size_bytes
    return on


def chosen(
    drawn: Keys, value: Floats, size: Ints, held: Flags, boxes: Sequence[Box]
) -> tuple[Flags, float, bool]:
    """What a cluster is to have, the value of the least of it, and whether it has room for all.

    With room for all nothing has to go, so that nothing must be worth a fetch. Else a part of the
    room is left to second copies of what is asked for most.
    """
    room = sum(box.storage_bytes for box in boxes)
    if size.sum() <= room:
        return np.ones(len(size), dtype=np.bool_), 0.0, True
    best = planning.plan(value, size, held, room, room)
    load = np.where(best.wanted, value * size, 0.0)
    more = int(((copies(drawn, size, load, len(boxes)) - 1) * size)[best.wanted].sum())
    left = room - min(more, int(room * COPIES_SHARE))
    best = planning.plan(value, size, held, left, left)
    return best.wanted, best.cutoff, False


def divided(drawn: Keys, value: Floats, size: Ints, wanted: Flags, boxes: Sequence[Box]) -> Flags:
    """``[n, m]``: who is to have what. Whoever has room for all that is wanted has all of it."""
    on = np.zeros((len(size), len(boxes)), dtype=np.bool_)
    if wanted.any():
        on[wanted] = place(drawn[wanted], size[wanted], (value * size)[wanted], boxes)
    for number, box in enumerate(boxes):
        if size[wanted].sum() <= box.storage_bytes:
            on[wanted, number] = True
    return on
