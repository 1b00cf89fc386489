"""What is filled ahead, when, and what makes room for it: a real store and filler on a plan."""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from blake3 import blake3

from cuemark.contracts.encoding.versions import IndexedFile, VersionIndex
from cuemark.contracts.fill import Manifest, PlannedTrack
from cuemark.contracts.ids import VersionId
from cuemark.edge import ahead as module
from cuemark.edge.ahead import Ahead, Pace
from cuemark.edge.cache import FillTable
from cuemark.edge.filling import Filler
from cuemark.edge.keeping import Keeping
from cuemark.edge.neighbours import Neighbours
from cuemark.edge.plan import Plan
from cuemark.edge.store import Indexes, Store
from cuemark.edge.telling import held_by_track
from cuemark.edge.upstream import SourceAway, SourceLacks, Upstream
from cuemark.kit.clock import ManualClock
from cuemark.kit.windows import place_of, window

SIZE_BYTES = 1000
SEGMENTS = 8
TRACK_BYTES = SEGMENTS * SIZE_BYTES
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def version(number: int) -> VersionId:
    return VersionId("ver_" + str(number) * 26)


def planned(number: int, plays: float, track_id: str = "v1") -> PlannedTrack:
    return PlannedTrack(version(number), track_id, TRACK_BYTES, plays)


class Origin(Upstream):
    """An origin in memory. ``broken`` paths are away, those that are not there are lacking."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.broken: set[str] = set()
        self.asked: list[str] = []
        self.on_asked: Callable[[], None] = lambda: None

    async def stream(self, path: str, offset: int) -> AsyncGenerator[bytes, None]:
        self.asked.append(path)
        self.on_asked()
        if path in self.broken:
            raise SourceAway("it does not answer")
        if path not in self.files:
            raise SourceLacks("it has not got it")
        yield self.files[path][offset:]


class House:
    """An appliance without nginx: what it holds, and what fills it, on a clock of the test's."""

    def __init__(
        self,
        folder: Path,
        room: float,
        *,
        gentle_kbps: int = 0,
        fill_window: str = "",
        now: datetime = NOON,
    ) -> None:
        (folder / "run").mkdir(exist_ok=True)
        self.folder = folder
        self.limit_bytes = int(room * TRACK_BYTES)
        self.pace = Pace(window(fill_window), place_of("UTC"), 1_000_000, gentle_kbps)
        self.clock = ManualClock(now)
        self.origin = Origin()
        self.open()

    def open(self) -> None:
        self.store = Store(self.folder, self.limit_bytes)
        self.indexes = Indexes(self.folder)
        self.plan = Plan(self.folder)
        self.filler = Filler(
            FillTable(4, 100), Neighbours(self.origin, "a"), self.store, self.clock
        )
        self.keeping = Keeping(self.plan, self.indexes, self.store)
        self.ahead = Ahead(
            self.indexes,
            self.store,
            self.filler,
            self.plan,
            self.keeping,
            self.pace,
            self.clock,
        )

    def publish(self, number: int, tracks: tuple[str, ...] = ("v1",)) -> None:
        """Put a version on the origin, and let the appliance know it."""
        rng = random.Random(number)
        bodies = {
            f"{track}/{segment}.m4s": rng.randbytes(SIZE_BYTES)
            for track in tracks
            for segment in range(1, SEGMENTS + 1)
        }
        files = {p: IndexedFile(blake3(b).hexdigest(), len(b)) for p, b in bodies.items()}
        index = VersionIndex(version_id=version(number), files=files)
        self.indexes.add(index, msgspec.json.encode(index))
        self.origin.files |= {f"{version(number)}/{p}": b for p, b in bodies.items()}

    def follow(
        self, *fetch: PlannedTrack, keep: tuple[PlannedTrack, ...] = (), of: str = ""
    ) -> None:
        manifest_id = of or f"m{len(self.origin.asked)}-{len(fetch)}-{len(keep)}"
        assert self.plan.take(Manifest(manifest_id=manifest_id, fetch=list(fetch), keep=list(keep)))
        self.keeping.changed()
        self.ahead.follow()

    def learn(self, *numbers: int) -> None:
        for number in numbers:
            self.keeping.add(version(number))
            self.ahead.add(version(number))

    def held(self) -> dict[str, int]:
        """Files held, by the number of the version and the track."""
        return {
            f"{each.version_id[-1]}/{each.track_id}": each.of_bytes // SIZE_BYTES
            for each in held_by_track(self.indexes, self.store)
        }

    async def work(self, done: Callable[[], bool], within_s: float = 30.0) -> None:
        """Run until ``done``, and a moment longer, in which nothing may break."""

        async def books() -> None:
            while True:
                await self.store.write_down()
                await asyncio.sleep(0.02)
                self.clock.advance(0.25)

        tasks = [
            asyncio.create_task(each)
            for each in (self.keeping.run(self.ahead.look_again), self.ahead.run(), books())
        ]
        try:
            async with asyncio.timeout(within_s):
                while not done():
                    await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            assert not any(task.done() for task in tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.filler.close()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.02)
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.05)


async def test_tracks_come_the_best_first_and_in_order_of_play(tmp_path: Path) -> None:
    house = House(tmp_path, room=10)
    for number in (1, 2):
        house.publish(number, ("v1", "v2"))
    house.follow(planned(2, 5.0, "v2"), planned(1, 3.0))
    await house.work(lambda: house.held() == {"2/v2": SEGMENTS, "1/v1": SEGMENTS})
    wanted = [(2, "v2"), (1, "v1")]
    assert house.origin.asked == [
        f"{version(number)}/{track}/{segment}.m4s"
        for number, track in wanted
        for segment in range(1, SEGMENTS + 1)
    ]
    state = house.ahead.state()
    assert (state.tracks_left, state.left_bytes, state.trouble) == (0, 0, "")


async def test_beginnings_of_all_versions_come_before_what_the_plan_wants(tmp_path: Path) -> None:
    house = House(tmp_path, room=10)
    house.publish(1)
    house.publish(2)
    house.follow(planned(2, 5.0))
    house.learn(1, 2)
    await house.work(lambda: house.held() == {"1/v1": 3, "2/v1": SEGMENTS})
    assert [path[4] for path in house.origin.asked[:6]] == list("111222")


async def test_what_is_not_named_makes_room_and_what_is_worth_more_does_not(tmp_path: Path) -> None:
    house = House(tmp_path, room=3)
    for number in range(1, 6):
        house.publish(number)
    house.follow(planned(1, 9.0), planned(2, 5.0), planned(3, 1.0))
    await house.work(lambda: len(house.held()) == 3)
    house.open()
    house.follow(planned(4, 4.0), planned(5, 3.0), keep=(planned(1, 9.0), planned(2, 5.0)))
    await house.work(lambda: "no room" in house.ahead.state().trouble)
    assert house.held() == {"1/v1": SEGMENTS, "2/v1": SEGMENTS, "4/v1": SEGMENTS}
    state = house.ahead.state()
    assert (state.tracks_left, state.left_bytes) == (1, TRACK_BYTES)


async def test_a_kept_track_leaves_only_for_one_that_is_worth_more(tmp_path: Path) -> None:
    house = House(tmp_path, room=2)
    for number in range(1, 4):
        house.publish(number)
    house.follow(planned(1, 2.0), planned(2, 1.0))
    await house.work(lambda: len(house.held()) == 2)
    house.open()
    house.follow(planned(3, 5.0), keep=(planned(1, 2.0), planned(2, 1.0)))
    await house.work(lambda: house.held().get("3/v1") == SEGMENTS)
    assert house.held() == {"1/v1": SEGMENTS, "3/v1": SEGMENTS}


async def test_outside_its_window_only_what_drops_nothing_is_filled(tmp_path: Path) -> None:
    house = House(tmp_path, room=2, gentle_kbps=1_000_000, fill_window="13:00-14:00")
    for number in (1, 2, 3):
        house.publish(number)
    house.learn(1, 2)
    await house.work(lambda: house.held() == {"1/v1": SEGMENTS, "2/v1": SEGMENTS})
    house.open()
    house.follow(planned(3, 5.0))
    opens_at = house.ahead.state().opens_at
    assert opens_at is not None
    assert (opens_at.hour, house.ahead.state().window_open) == (13, False)
    await house.work(lambda: True)
    assert "3/v1" not in house.held()
    house.open()
    house.clock.advance(3600)
    await house.work(lambda: house.held().get("3/v1") == SEGMENTS)
    assert house.ahead.state().window_open


async def test_a_window_that_closes_ends_it_within_a_file(tmp_path: Path) -> None:
    house = House(tmp_path, room=10, fill_window="11:00-12:30")
    house.publish(1)
    house.follow(planned(1, 5.0))

    def closing() -> None:
        if len(house.origin.asked) == 2:
            house.clock.advance(3600)

    house.origin.on_asked = closing
    await house.work(lambda: house.held() == {"1/v1": 2})
    assert house.held() == {"1/v1": 2}


async def test_the_rest_comes_by_what_is_expected_and_then_as_it_arrived(tmp_path: Path) -> None:
    house = House(tmp_path, room=20, gentle_kbps=1_000_000, fill_window="00:00-00:01")
    for number in (1, 2, 3, 4):
        house.publish(number, ("v1", "v2"))
    house.learn(1, 2, 3, 4)
    house.follow(planned(3, 5.0, "v2"), keep=(planned(4, 9.0, "v1"),))
    await house.work(lambda: len(house.store) == 4 * 2 * SEGMENTS)
    later = [path[4] + path[-9:-6] for path in house.origin.asked if int(path[-5]) > 3]
    order = list(dict.fromkeys(later))
    assert order == ["3/v2", "4/v1", "4/v2", "3/v1", "1/v1", "1/v2", "2/v1", "2/v2"]


async def test_without_a_plan_beginnings_and_then_the_rest_come_as_versions_arrive(
    tmp_path: Path,
) -> None:
    house = House(tmp_path, room=10, gentle_kbps=1_000_000)
    house.publish(1)
    house.publish(2)
    house.learn(2, 1)
    await house.work(lambda: house.held() == {"1/v1": SEGMENTS, "2/v1": SEGMENTS})
    assert "".join(path[4] for path in house.origin.asked) == "222111" + "22222" + "11111"


async def test_what_the_origin_lacks_is_passed_over(tmp_path: Path) -> None:
    house = House(tmp_path, room=10)
    house.publish(1)
    house.publish(2)
    del house.origin.files[f"{version(1)}/v1/4.m4s"]
    house.follow(planned(1, 5.0), planned(2, 3.0))
    await house.work(lambda: house.held() == {"1/v1": SEGMENTS - 1, "2/v1": SEGMENTS})
    state = house.ahead.state()
    assert (state.tracks_left, state.left_bytes) == (0, 0)


async def test_an_origin_away_in_the_middle_is_waited_for(tmp_path: Path) -> None:
    house = House(tmp_path, room=10)
    house.publish(1)
    path = f"{version(1)}/v1/4.m4s"
    house.origin.broken = {path}
    house.follow(planned(1, 5.0))
    async with asyncio.timeout(10):
        first = asyncio.create_task(house.work(lambda: house.held() == {"1/v1": SEGMENTS}))
        while house.origin.asked.count(path) < 4:
            await asyncio.sleep(0.01)
        assert house.held() == {"1/v1": 3}
        house.origin.broken = set()
        await first


async def test_one_file_that_the_origin_fails_at_does_not_hold_up_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source that failed is left alone for a while, which is shorter than the next try is off."""
    monkeypatch.setattr(module, "PATIENCE", 2)
    monkeypatch.setattr(module, "RETRY_S", 0.3)
    house = House(tmp_path, room=10)
    house.publish(1)
    house.publish(2)
    house.origin.broken = {f"{version(1)}/v1/1.m4s"}
    house.follow(planned(1, 5.0), planned(2, 3.0))
    await house.work(lambda: house.held().get("2/v1") == SEGMENTS)


async def test_a_version_that_is_not_known_yet_is_fetched_when_it_is(tmp_path: Path) -> None:
    house = House(tmp_path, room=10)
    house.publish(2)
    house.follow(planned(1, 5.0), planned(2, 3.0))
    await house.work(lambda: house.held() == {"2/v1": SEGMENTS})
    assert house.ahead.state().left_bytes == TRACK_BYTES
    house.publish(1)
    house.learn(1)
    await house.work(lambda: house.held() == {"1/v1": SEGMENTS, "2/v1": SEGMENTS})
    assert house.ahead.state().left_bytes == 0


async def test_a_track_that_the_version_has_not_got_is_nothing_to_fetch(tmp_path: Path) -> None:
    house = House(tmp_path, room=10)
    house.publish(1)
    house.follow(planned(1, 5.0, "v9"), planned(1, 4.0))
    await house.work(lambda: house.held() == {"1/v1": SEGMENTS})
    assert house.ahead.state().tracks_left == 0


async def test_what_is_kept_is_kept_over_a_restart_before_the_plan_is_told_again(
    tmp_path: Path,
) -> None:
    house = House(tmp_path, room=2)
    for number in (1, 2, 3):
        house.publish(number)
    house.follow(planned(1, 2.0))
    house.learn(2)
    await house.work(lambda: house.held() == {"1/v1": SEGMENTS, "2/v1": 3})
    await house.store.close()
    house.open()
    assert house.store.make_way(2 * TRACK_BYTES, worth=1e9) is False
    assert house.held() == {"1/v1": SEGMENTS}
    await house.work(lambda: True)
    assert house.store.make_way(2 * TRACK_BYTES, worth=2.0) is False
    assert house.store.make_way(2 * TRACK_BYTES, worth=2.1) is True


async def test_a_plan_that_names_a_version_no_more_lets_it_go(tmp_path: Path) -> None:
    house = House(tmp_path, room=2)
    house.publish(1)
    house.publish(2)
    house.follow(planned(1, 9.0))
    await house.work(lambda: house.held() == {"1/v1": SEGMENTS})
    house.open()
    house.follow(planned(2, 1.0))
    await house.work(lambda: house.held().get("2/v1") == SEGMENTS)
    assert house.store.make_way(TRACK_BYTES + SIZE_BYTES, worth=0.5) is False
    assert house.held() == {"2/v1": SEGMENTS}


def test_a_plan_may_name_less_than_the_store_may_hold(tmp_path: Path) -> None:
    assert Store(tmp_path, 1000).planned_bytes == 980
