"""An edge tier on days of demand: what production decides, hour by hour and play by play, on
appliances whose disks are counted and not written."""

import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import xxhash

from benches.counted import Disk, Shop
from benches.figures import Anchor, Figure, figure
from benches.stand import Stand
from cuemark.contexts.fill.model import plan as planning
from cuemark.contexts.fill.model.catalog import DAY_H, Flags, Floats
from cuemark.contexts.fill.model.clusters import PLANNED_SHARE, chosen, divided
from cuemark.contexts.fill.model.forecast import Forecast
from cuemark.contexts.fill.model.placement import Box
from cuemark.contexts.steering.model import ranking
from cuemark.contexts.steering.model.holding import UNTOLD, Stock
from cuemark.contexts.steering.model.ranking import SESSION_KBPS, Appliance, Loads
from cuemark.contexts.steering.model.sources import MAX_PEERS
from cuemark.contracts.fill import ApplianceHeld, Held
from cuemark.contracts.ids import ApplianceId, PlaySessionId
from cuemark.edge.sources import Kind, Source
from cuemark.kit.windows import window
from cuemark.lab.demand.trial import capacity_bytes
from cuemark.lab.demand.trial import planned as as_one_disk
from cuemark.lab.demand.weeks import PIECES, Hour, hours
from cuemark.lab.demand.world import Wish, World, world

ABOUT = """
Two regions of six like appliances each, and whatever is behind them, on ten days of the demand of
`cuemark.lab.demand`: 1,200 titles and 30 premieres a week in eight renditions each, seed 11; Zipf's
law with the exponent 0.9 and 4,000 plays a day in the larger region, or as named. Six days are to
learn in, four count. *20 %* is what the appliances of one region hold together, of all renditions
of all titles. The code is production's: the forecast and the plan of each hour, its division among
appliances, what a store keeps and drops (S3-FIFO and what the plan wants kept), whom steering ranks
first, and which peers are asked. Files are held in quarters; loads are told once a minute and what
is held once in five.

*From the edge tier* are the bytes that viewers got for which nobody behind the tier was asked: from
the appliance's own disk or a peer's. *Backbone* are the bytes from behind, fill as well as misses.
The anchor is the same world steered by load alone, which knows nothing of what appliances hold. *As
one disk* is the plan on a region whose appliances share all they have: what dividing costs is the
difference. A tier that is to bring 97 % of the bytes is what rows are to be read against.
"""

REGIONS, APPLIANCES = 2, 6
DAYS, LEARN_DAYS = 10, 6
TRIED = {
    "10 %": (0.1, Wish(seed=11)),
    "20 %": (0.2, Wish(seed=11)),
    "40 %": (0.4, Wish(seed=11)),
    "70 %": (0.7, Wish(seed=11)),
    "90 %": (0.9, Wish(seed=11)),
    "100 %": (1.0, Wish(seed=11)),
    "20 %, Zipf 1.0": (0.2, Wish(seed=11, zipf=1.0)),
    "20 %, 12,000 plays a day": (0.2, Wish(seed=11, plays_day=12_000)),
}
TOLD_SHARE = 0.98
"""Of a store, told to control: a fiftieth is left to what viewers bring."""
REPORT_S, TOLD_S = 60, 300
FILM_S = 5400
BUSIEST = 0.6
"""Of its line an appliance sends in the busiest hours, were load even."""
BEGIN = datetime(2026, 1, 5, tzinfo=UTC)


def measure(stand: Stand) -> list[Figure]:
    rows: list[Figure] = []
    days, learn_days = (3, 1) if stand.quick else (DAYS, LEARN_DAYS)
    for name, (share, wish) in TRIED.items():
        small = {"titles": 200, "plays_day": 400} if stand.quick else {}
        of = world(replace(wish, days=days, **small))
        every = list(hours(of))
        stand.tell(f"{name}: by load alone")
        blind = tried(of, every, share, learn_days, knowing=False)
        stand.tell(f"{name}: by what is held")
        knowing = tried(of, every, share, learn_days, knowing=True)
        stand.tell(f"{name}: as one disk")
        pooled = pooled_share(of, every, share, learn_days)
        rows += _shown(name, knowing, blind, pooled)
        if stand.quick:
            break
    return rows


def _shown(name: str, knowing: "Outcome", blind: "Outcome", pooled: float) -> list[Figure]:
    def beside(what: str, field: str, times: float, unit: str) -> Figure:
        anchor = Anchor("by load alone", times * getattr(blind, field))
        return figure(f"tier: {name}, {what}", times * getattr(knowing, field), unit, anchor)

    return [
        beside("from the edge tier", "of_tier", 100, "%"),
        beside("from the appliance's own disk", "own", 100, "%"),
        figure(f"tier: {name}, from the edge tier, as one disk", 100 * pooled, "%"),
        beside("backbone, by what viewers got", "backbone", 100, "%"),
        beside("most loaded of an evening's hour by mean", "uneven", 1, ""),
    ]


def pooled_share(of: World, every: Sequence[Hour], share: float, learn_days: int) -> float:
    """The part of the viewers' bytes that is there where each region has one disk."""
    backbone, _ = as_one_disk(of, every, capacity_bytes(of, share))
    size = of.catalog.size_bytes
    asked = sum(hour.served_bytes(size)[:REGIONS].sum() for hour in every[learn_days * DAY_H :])
    missed = backbone.missed[:REGIONS, learn_days * DAY_H :].sum()
    return float(1 - missed / asked)


@dataclass
class Sums:
    """Bytes: that viewers took, of them from the appliance's own disk, from a peer and from behind
    the tier, and those that fill took from behind. ``uneven``: the busiest appliance by the mean,
    evening by evening."""

    asked: float = 0.0
    own: float = 0.0
    peers: float = 0.0
    behind: float = 0.0
    fill: float = 0.0
    uneven: list[float] = field(default_factory=list)


class Region:
    """The cluster of one region, its planner, and steering for its viewers."""

    def __init__(
        self, of: World, shop: Shop, number: int, room_bytes: int, *, knowing: bool
    ) -> None:
        self.place = of.regions[number]
        self.number = number
        self.sums = Sums()
        self._world = of
        self._shop = shop
        self._knowing = knowing
        each_bytes = room_bytes // APPLIANCES
        self.disks = [
            Disk(f"{self.place.name}-{n + 1}", each_bytes, shop) for n in range(APPLIANCES)
        ]
        told = int(each_bytes * TOLD_SHARE * PLANNED_SHARE)
        self._boxes = [Box(disk.name, told) for disk in self.disks]
        self._stock, self._loads, self._revision = Stock(), Loads(), 0
        self._weight: Floats = np.ones(len(shop.size))
        self._whole: Floats = np.ones(shop.titles, dtype=np.float64)
        self._running: Counter[ApplianceId] = Counter()
        self._ends: list[tuple[float, ApplianceId]] = []
        self._said: list[Appliance] = []
        self._told_s = float("-inf")
        self._capacity_kbps = self._line_kbps()

    def _line_kbps(self) -> int:
        """What a line must carry, if the busiest hours are to take ``BUSIEST`` of it."""
        busiest = 0.12 * self._world.wish.plays_day
        return int(busiest * FILM_S / 3600 * SESSION_KBPS / APPLIANCES / BUSIEST)

    def plan(self, value: Floats, at_h: int) -> None:
        """Plan as control does, and fetch as appliances do in this hour."""
        size = self._shop.size
        there = np.array([disk.quarters for disk in self.disks])
        held: Flags = (2 * there >= PIECES).sum(axis=0) > 0
        wanted, _, _ = chosen(self._shop.names, value, size, held, self._boxes)
        on = divided(self._shop.names, value, size, wanted, self._boxes)
        order = np.argsort(-value, kind="stable")
        drop = window("02:00-14:00").open(self.place.local_h(at_h) * 60)
        for number, disk in enumerate(self.disks):
            disk.follow(order[on[order, number]].tolist(), value)
            left_bytes = disk.room_bytes // 12
            for piece in disk.lacks():
                of_bytes = self._shop.piece_bytes[piece // PIECES]
                near = self._peer_has(disk, piece)
                if left_bytes < of_bytes or not disk.fetch(piece, drop=drop):
                    break
                left_bytes -= of_bytes
                self.sums.fill += 0 if near else of_bytes
        # A day that nobody expects anything of says nothing of what plays take.
        self._weight = np.where(value > 0, value, 1e-9) * size
        self._whole = np.bincount(self._shop.of_title, self._weight, self._shop.titles).astype(
            np.float64
        )

    def serve(self, hour: Hour) -> None:
        """The plays of an hour, one after the other; loads are told once a minute."""
        file, end = np.nonzero(hour.plays[self.number])
        times = hour.plays[self.number, file, end]
        file, end = np.repeat(file, times), np.repeat(end, times)
        chance = np.random.default_rng([self._world.wish.seed, 7, hour.at_h, self.number])
        order = chance.permutation(len(file))
        at_s = np.sort(chance.uniform(0, 3600, len(file))) + hour.at_h * 3600
        told_s = -1.0
        served: Counter[ApplianceId] = Counter()
        for number, (play, when_s) in enumerate(zip(order.tolist(), at_s.tolist(), strict=True)):
            if when_s // REPORT_S != told_s:
                told_s = when_s // REPORT_S
                self._report(when_s)
            title = self._shop.title[int(file[play])]
            disk = self._steered(f"{hour.at_h}/{number}", title)
            seconds = FILM_S * (int(end[play]) + 1) / PIECES
            heapq.heappush(self._ends, (when_s + seconds, disk.name))
            self._running[disk.name] += 1
            begin = int(file[play]) * PIECES
            for piece in range(begin, begin + int(end[play]) + 1):
                served[disk.name] += self._serve(disk, piece)
        if 18 <= self.place.local_h(hour.at_h) < DAY_H and served:
            mean = served.total() / len(self.disks)
            self.sums.uneven.append(max(served.values()) / mean)

    def _report(self, now_s: float) -> None:
        while self._ends and self._ends[0][0] <= now_s:
            self._running[heapq.heappop(self._ends)[1]] -= 1
        at = BEGIN + timedelta(seconds=now_s)
        self._said = [
            Appliance(
                disk.name,
                "",
                True,
                0,
                at,
                capacity_kbps=self._capacity_kbps,
                served_kbps=self._running[disk.name] * SESSION_KBPS,
            )
            for disk in self.disks
        ]
        if self._knowing and now_s >= self._told_s + TOLD_S:
            self._told_s = now_s
            self._stock.apply(Held(news=[self._told(each) for each in self.disks if each.changed]))

    def _told(self, disk: Disk) -> ApplianceHeld:
        """What ``fill.model.holding`` makes of it, for all versions at once."""
        shop = self._shop
        there = np.bincount(shop.of_title, self._weight * disk.quarters / PIECES, shop.titles)
        percent = np.floor(100 * there / self._whole + 1e-9).astype(np.int64)
        disk.changed = False
        self._revision += 1
        return ApplianceHeld(
            appliance_id=disk.name,
            revision=self._revision,
            storage_bytes=disk.room_bytes,
            percent={shop.versions[n]: int(percent[n]) for n in np.flatnonzero(percent).tolist()},
        )

    def _steered(self, session: str, title: int) -> Disk:
        film = self._stock.film(self._shop.versions[title]) if self._knowing else UNTOLD
        heard = self._said[0].last_report_at
        found = ranking.rank(self._said, self._loads, PlaySessionId(session), heard, 1, film=film)
        return next(disk for disk in self.disks if disk.name == found[0].appliance_id)

    def _serve(self, disk: Disk, piece: int) -> int:
        of_bytes = self._shop.piece_bytes[piece // PIECES]
        self.sums.asked += of_bytes
        if disk.has(piece):
            disk.use(piece)
            self.sums.own += of_bytes
            return of_bytes
        if self._peer_has(disk, piece):
            self.sums.peers += of_bytes
        else:
            self.sums.behind += of_bytes
        disk.bring(piece)
        return of_bytes

    def _peer_has(self, disk: Disk, piece: int) -> bool:
        asked = disk.ranks.rank(self._shop.keys[piece].hex(), 0.0)
        return any(
            self.every[source.name].has(piece) for source in asked if source.kind is Kind.PEER
        )

    every: dict[str, Disk]


@dataclass(frozen=True)
class Outcome:
    """Parts of the viewers' bytes in the days that count, and the median of the evenings' most
    loaded appliance by the mean."""

    own: float
    of_tier: float
    backbone: float
    uneven: float


def tried(
    of: World, every_hour: Sequence[Hour], share: float, learn_days: int, *, knowing: bool
) -> Outcome:
    """``REGIONS`` clusters of ``APPLIANCES``, each with room for a share of the catalog."""
    shop, room = Shop(of), capacity_bytes(of, share)
    regions = [Region(of, shop, n, room, knowing=knowing) for n in range(REGIONS)]
    every = {disk.name: disk for region in regions for disk in region.disks}
    for region in regions:
        region.every = {str(name): disk for name, disk in every.items()}
        for disk in region.disks:
            disk.ranks.learn([Source(name, Kind.PEER) for name in _peers(disk.name, every)])
    forecast = Forecast(of.catalog, of.regions)
    for hour in every_hour:
        if hour.at_h == learn_days * DAY_H:
            for region in regions:
                region.sums = Sums()
        weigh = np.array([planning.weights(each.local_h(hour.at_h)) for each in of.regions])
        values = forecast.span(hour.at_h, hour.at_h + planning.HORIZON_H, weigh)
        for region in regions:
            region.plan(values[region.number], hour.at_h)
            region.serve(hour)
        forecast.observe(hour.at_h, hour.served_bytes(of.catalog.size_bytes))
    sums = [region.sums for region in regions]
    asked = sum(each.asked for each in sums)
    return Outcome(
        own=sum(each.own for each in sums) / asked,
        of_tier=sum(each.own + each.peers for each in sums) / asked,
        backbone=sum(each.behind + each.fill for each in sums) / asked,
        uneven=float(np.median([ratio for each in sums for ratio in each.uneven])),
    )


def _peers(name: ApplianceId, every: dict[ApplianceId, Disk]) -> list[str]:
    """As steering lists them."""
    others = sorted(
        (each for each in every if each != name),
        key=lambda each: xxhash.xxh3_64_intdigest(f"{name}/{each}".encode()),
    )
    return [str(each) for each in others[:MAX_PEERS]]
