"""Filling ahead of viewers: what every play begins with, then what the plan wants, then the rest.

One file at a time, and never while a viewer waits for a fill. The beginnings of all versions come
first, since they are cheap. What the manifest wants fetched comes within the fill window and at its
rate, and makes room for itself. The rest comes at any time, at a gentle rate, and drops nothing.
"""

import asyncio
import bisect
import enum
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from cuemark.contracts.fill import PlannedTrack
from cuemark.contracts.ids import VersionId
from cuemark.edge.cache import Reason
from cuemark.edge.filling import Filler, TooManyFills
from cuemark.edge.growing import FillFailed, Wanted
from cuemark.edge.health import FillState
from cuemark.edge.keeping import Keeping
from cuemark.edge.plan import Plan, named, plays_of_versions
from cuemark.edge.store import Indexes, Store
from cuemark.edge.tracks import beginnings, paths_of, rest
from cuemark.kit.clock import Clock
from cuemark.kit.windows import Window

YIELD_S = 0.1
RETRY_S = 2.0
LOOK_EVERY_S = 5.0
NO_ROOM_S = 60.0
PATIENCE = 5
"""How often in a row a track may be hindered before the next ones have their turn."""
_BURST_S = 1.0


@dataclass(frozen=True)
class Pace:
    """When what the manifest wants is fetched, and how fast; 0: not at all. The gentle rate is
    for the rest."""

    window: Window
    place: ZoneInfo
    fill_kbps: int
    gentle_kbps: int


class Outcome(enum.Enum):
    """What became of filling some files."""

    ALL = "all that can be had is here"
    HINDERED = "a source or the disk is away: try again"
    NO_ROOM = "what is here is worth more"
    NEWS = "something else comes first now"


class Ahead:
    """Fills the versions it is given, as ``plan`` wants it."""

    def __init__(
        self,
        indexes: Indexes,
        store: Store,
        filler: Filler,
        plan: Plan,
        keeping: Keeping,
        pace: Pace,
        clock: Clock,
    ) -> None:
        self._indexes = indexes
        self._store = store
        self._filler = filler
        self._plan = plan
        self._keeping = keeping
        self._pace = pace
        self._clock = clock
        self._beginnings: deque[VersionId] = deque()
        self._arrived: dict[VersionId, None] = {}
        self._to_fetch: dict[PlannedTrack, None] = {}
        self._rest_of_plan: deque[PlannedTrack] = deque()
        self._rest: list[VersionId] = []
        self._plays: dict[VersionId, float] = {}
        self._news = asyncio.Event()
        self._next_s = float("-inf")
        self._room_after_s = float("-inf")
        self._hindrances = 0
        self._trouble = ""
        self.follow()

    def add(self, version_id: VersionId) -> None:
        """A version is known now."""
        self._beginnings.append(version_id)
        self._news.set()

    def follow(self) -> None:
        """The plan is another one."""
        manifest = self._plan.manifest
        self._to_fetch = dict.fromkeys(manifest.fetch)
        self._rest_of_plan = deque(dict.fromkeys([*manifest.fetch, *manifest.keep]))
        self._plays = plays_of_versions(manifest)
        self._rest = sorted(self._arrived, key=self._turn)
        self._room_after_s = float("-inf")
        self._news.set()

    def look_again(self) -> None:
        """Something has changed that files may have waited for."""
        self._news.set()

    def _turn(self, version_id: VersionId) -> float:
        """What orders versions: the most expected first, and last those of which nobody knows."""
        return -self._plays.get(version_id, -1.0)

    def state(self) -> FillState:
        """How far it has come."""
        manifest, now = self._plan.manifest, self._clock.now()
        lacking_bytes = self._keeping.lacking_bytes
        lacking = [lacking_bytes.get(named(each), each.size_bytes) for each in self._to_fetch]
        left = [each for each in lacking if each]
        return FillState(
            manifest_id=manifest.manifest_id,
            made_at=manifest.made_at,
            tracks_left=len(left),
            left_bytes=sum(left),
            window_open=self._pace.window.open_at(now, self._pace.place),
            opens_at=self._pace.window.opens_at(now, self._pace.place),
            trouble=self._trouble,
        )

    async def run(self) -> None:
        """For ever: the next files as long as there are any."""
        while True:
            self._news.clear()
            if self._beginnings:
                await self._begin(self._beginnings.popleft())
            elif (planned := self._next_planned()) is not None:
                await self._fetch(planned)
            elif self._pace.gentle_kbps and (self._rest_of_plan or self._rest):
                await self._fill_rest()
            else:
                await self._wait()
            await asyncio.sleep(0)

    async def _wait(self) -> None:
        """Until there is news, or it may be time for what waits."""
        try:
            async with asyncio.timeout(LOOK_EVERY_S):
                await self._news.wait()
        except TimeoutError:
            return

    async def _begin(self, version_id: VersionId) -> None:
        index = self._indexes.get(version_id)
        paths = beginnings(index) if index else []
        if await self._fill(self._wanted(version_id, paths), 0) is Outcome.HINDERED:
            self._beginnings.append(version_id)
            await asyncio.sleep(RETRY_S)
        elif version_id not in self._arrived:
            self._arrived[version_id] = None
            bisect.insort(self._rest, version_id, key=self._turn)

    def _next_planned(self) -> PlannedTrack | None:
        """The best track that may be fetched now; one of a version that is not known waits."""
        if not self._may_fetch():
            return None
        known = self._indexes.version_ids
        return next((each for each in self._to_fetch if each.version_id in known), None)

    def _may_fetch(self) -> bool:
        """Whether room may be made for a file now: the store knows what to keep for that."""
        pace = self._pace
        if not self._keeping.in_step or self._clock.monotonic_s() < self._room_after_s:
            return False
        return pace.fill_kbps > 0 and pace.window.open_at(self._clock.now(), pace.place)

    async def _fetch(self, planned: PlannedTrack) -> None:
        wanted = self._of_track(planned)
        outcome = await self._fill(wanted, self._pace.fill_kbps, planned.expected_plays)
        match outcome:
            case Outcome.ALL:
                self._to_fetch.pop(planned, None)
                self._hindrances = 0
            case Outcome.HINDERED:
                self._hindrances += 1
                if self._hindrances >= PATIENCE and planned in self._to_fetch:
                    # It may be this one file that the source is broken for.
                    del self._to_fetch[planned]
                    self._to_fetch[planned] = None
                    self._hindrances = 0
                await asyncio.sleep(RETRY_S)
            case Outcome.NO_ROOM:
                self._room_after_s = self._clock.monotonic_s() + NO_ROOM_S

    async def _fill_rest(self) -> None:
        """The next track of the plan, else the next version; where that is hindered it is the last
        the next time."""
        if self._rest_of_plan:
            planned = self._rest_of_plan.popleft()
            outcome = await self._fill(self._of_track(planned), self._pace.gentle_kbps)
            if outcome is Outcome.NEWS:
                self._rest_of_plan.appendleft(planned)
            elif outcome is Outcome.HINDERED:
                self._rest_of_plan.append(planned)
        else:
            version_id = self._rest.pop(0)
            index = self._indexes.get(version_id)
            wanted = self._wanted(version_id, rest(index) if index else [])
            outcome = await self._fill(wanted, self._pace.gentle_kbps)
            if outcome is Outcome.NEWS:
                self._rest.insert(0, version_id)
            elif outcome is Outcome.HINDERED:
                self._rest.append(version_id)
        if outcome is Outcome.HINDERED:
            await asyncio.sleep(0 if self._beginnings else RETRY_S)

    def _of_track(self, planned: PlannedTrack) -> Iterator[Wanted]:
        index = self._indexes.get(planned.version_id)
        paths = paths_of(index, planned.track_id) if index else []
        return self._wanted(planned.version_id, paths)

    def _wanted(self, version_id: VersionId, paths: Iterable[str]) -> Iterator[Wanted]:
        index = self._indexes.get(version_id)
        if index is not None:
            for path in paths:
                yield Wanted(version_id, path, index.files[path])

    async def _fill(
        self, files: Iterator[Wanted], rate_kbps: int, worth: float | None = None
    ) -> Outcome:
        """Fill what is not held, at a rate (0: no bound). With ``worth`` it makes room from what is
        worth less, and may run in the window only; without, it drops nothing.

        A file that the origin lacks, or has with other bytes, is passed over.
        """
        for wanted in files:
            size_bytes = wanted.file.size_bytes
            if wanted.file.blake3 in self._store:
                continue
            while self._filler.urgent:
                await asyncio.sleep(YIELD_S)
            if worth is None:
                if not self._store.has_room(size_bytes):
                    continue
                if not self._store.disk_has_room(size_bytes):
                    return Outcome.HINDERED
            elif not self._may_fetch():
                return Outcome.NEWS
            elif not self._store.make_way(size_bytes, worth):
                self._trouble = f"no room for {wanted.key}: what is here is worth more"
                return Outcome.NO_ROOM
            if (hindrance := await self._bring(wanted)) is not None:
                return hindrance
            if rate_kbps:
                await self._paced(size_bytes, rate_kbps)
                if self._news.is_set() or (worth is None and self._next_planned() is not None):
                    return Outcome.NEWS
        return Outcome.ALL

    async def _bring(self, wanted: Wanted) -> Outcome | None:
        """Fetch one file; None where it is here now, or cannot be had."""
        try:
            _, growing = self._filler.ask(wanted, urgent=False)
            await growing.settled()
        except TooManyFills:
            return Outcome.HINDERED
        except FillFailed as failure:
            self._trouble = f"{wanted.key}: {failure}"
            hindered = failure.reason in (Reason.AWAY, Reason.LOCAL)
            return Outcome.HINDERED if hindered else None
        if wanted.file.blake3 not in self._store:
            self._trouble = f"{wanted.key}: {Reason.LOCAL.value}"
            return Outcome.HINDERED
        self._trouble = ""
        self._keeping.came(wanted.track, wanted.file.size_bytes)
        return None

    async def _paced(self, size_bytes: int, rate_kbps: int) -> None:
        """Wait until so many bytes are due at a rate; a second of it may come at once."""
        now_s = self._clock.monotonic_s()
        due_s = max(self._next_s, now_s - _BURST_S) + size_bytes * 8 / 1000 / rate_kbps
        self._next_s = due_s
        await asyncio.sleep(max(0.0, due_s - now_s))
