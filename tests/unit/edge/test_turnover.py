"""Who leaves when there is no room: S3-FIFO by bytes, then what a plan wants kept, the least wanted
first; and the inventory that outlives a restart."""

import random
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cuemark.contracts.ids import VersionId
from cuemark.edge.inventory import Inventory, rows_of
from cuemark.edge.tracks import Track
from cuemark.edge.turnover import LEAST_GHOSTS, MOST_TURNS, MOST_USES, Turnover

KEYS = st.integers(0, 30).map(lambda number: key_of(number))
TRACKS = [Track(VersionId("ver_" + "0" * 26), name) for name in ("v1", "v2", "audio", "en")]
WORTHS = st.dictionaries(st.sampled_from(TRACKS), st.integers(0, 9).map(float))


def track_of_key(key: bytes) -> Track:
    """Every key has one track, as nearly every file has."""
    return TRACKS[key[0] % len(TRACKS)]


def key_of(number: int) -> bytes:
    return number.to_bytes(8, "little") * 4


def evicted(turnover: Turnover) -> list[bytes]:
    """All keys, in the order in which they leave."""
    order = []
    while (key := turnover.evict()) is not None:
        order.append(key)
    return order


class Turning(RuleBasedStateMachine):
    """Any use of a turnover, beside a dictionary of what it must hold."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.inventory = Inventory(Path(self.folder.name))
        self.turnover = Turnover()
        self.held: dict[bytes, int] = {}
        self.worths: dict[Track, float] = {}

    def kept(self, key: bytes) -> bool:
        return track_of_key(key) in self.worths

    @rule(worths=WORTHS)
    def plan(self, worths: dict[Track, float]) -> None:
        """As an appliance does with a manifest: name all, keep what is held, release the rest."""
        self.worths = worths
        self.turnover.name_kept(worths)
        for key in self.held:
            self.turnover.keep(track_of_key(key), key)
        self.turnover.let_go()
        while self.turnover.release(3):
            pass

    @rule(key=KEYS, size_bytes=st.integers(0, 100))
    def add(self, key: bytes, size_bytes: int) -> None:
        self.turnover.add(key, size_bytes, track_of_key(key))
        self.held.setdefault(key, size_bytes)

    @rule(key=KEYS, times=st.integers(1, 5))
    def use(self, key: bytes, times: int) -> None:
        self.turnover.use(key, times)

    @rule(key=KEYS)
    def forget(self, key: bytes) -> None:
        self.turnover.forget(key)
        self.held.pop(key, None)

    @rule()
    def evict(self) -> None:
        unnamed = [key for key in self.held if not self.kept(key)]
        key = self.turnover.evict()
        assert (key is None) == (not self.held)
        if key is not None:
            del self.held[key]
            assert not unnamed or key in unnamed, "what is kept leaves last"
            if not unnamed:
                of_those = [self.worths[track_of_key(each)] for each in self.held]
                assert self.worths[track_of_key(key)] <= min(of_those, default=10)

    @rule(worth=st.integers(0, 10).map(float))
    def evict_for_what_is_worth(self, worth: float) -> None:
        """Nothing that is worth as much or more leaves for it."""
        may_leave = {key for key in self.held if self.worths.get(track_of_key(key), -1.0) < worth}
        key = self.turnover.evict(worth)
        assert (key is None) == (not may_leave)
        if key is not None:
            assert key in may_leave
            del self.held[key]

    @rule()
    def write_down(self) -> None:
        changes = self.turnover.take_changes()
        self.inventory.write(changes, rows_of(changes, self.turnover))

    @rule()
    def fail_to_write_down(self) -> None:
        self.turnover.put_back(self.turnover.take_changes())

    @invariant()
    def holds_what_it_must(self) -> None:
        assert set(self.turnover) == set(self.held)
        assert len(self.turnover) == len(self.held)
        assert self.turnover.held_bytes == sum(self.held.values())
        for key, size_bytes in self.held.items():
            place = self.turnover.place(key)
            assert place is not None
            assert place.size_bytes == size_bytes
            assert 0 <= place.uses <= MOST_USES
            assert place.kept == self.kept(key)

    def teardown(self) -> None:
        """What was written down is the same turnover: its keys leave in the same order, and what
        was kept leaves last, even before the plan is known again."""
        self.write_down()
        again = Turnover()
        again.restore(self.inventory.rows())
        assert {key: again.place(key) for key in again} == {
            key: self.turnover.place(key) for key in self.held
        }
        queued = sum(not self.kept(key) for key in self.held)
        leaving, leaving_again = evicted(self.turnover), evicted(again)
        assert leaving[:queued] == leaving_again[:queued]
        assert set(leaving) == set(leaving_again)
        self.inventory.close()
        self.folder.cleanup()


TestTurning = Turning.TestCase
TestTurning.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


def test_what_is_asked_for_once_leaves_before_what_is_asked_for_again() -> None:
    turnover = Turnover()
    hot = [key_of(number) for number in range(50)]
    for key in hot:
        turnover.add(key, 10)
        turnover.use(key, 2)
    for number in range(1000, 5000):
        turnover.add(key_of(number), 10)
        while turnover.held_bytes > 1000:
            turnover.evict()
        if number % 20 == 0:
            for key in hot:
                turnover.use(key)
    assert all(key in turnover for key in hot)


def test_what_comes_back_soon_after_it_left_stays_longer() -> None:
    turnover = Turnover()
    for number in range(10):
        turnover.add(key_of(number), 10)
    first = turnover.evict()
    assert first == key_of(0)
    turnover.add(first, 10)
    assert evicted(turnover).index(first) >= 8


def test_without_any_use_the_oldest_leaves_first() -> None:
    turnover = Turnover()
    keys = [key_of(number) for number in range(20)]
    for key in keys:
        turnover.add(key, 10)
    assert evicted(turnover) == keys


def test_the_names_of_those_that_left_are_bounded() -> None:
    turnover = Turnover()
    for number in range(3 * LEAST_GHOSTS):
        turnover.add(key_of(number), 1)
        turnover.evict()
    back = [key_of(number) for number in (0, 3 * LEAST_GHOSTS - 1)]
    for key in back:
        turnover.add(key, 1)
    places = [turnover.place(key) for key in back]
    assert [place.main for place in places if place] == [False, True]


def test_it_misses_less_than_by_age_where_few_files_have_most_uses() -> None:
    """Zipf 1.0 over 2,000 files with room for a tenth: against a plain FIFO on the same draws."""
    rng = random.Random(7)
    weights = [1 / (rank + 1) for rank in range(2000)]
    drawn = rng.choices(range(2000), weights, k=30_000)
    turnover, misses = Turnover(), 0
    fifo: dict[int, None] = {}
    fifo_misses = 0
    for number in drawn:
        if key_of(number) in turnover:
            turnover.use(key_of(number))
        else:
            misses += 1
            turnover.add(key_of(number), 1)
            while len(turnover) > 200:
                turnover.evict()
        if number not in fifo:
            fifo_misses += 1
            fifo[number] = None
            if len(fifo) > 200:
                del fifo[next(iter(fifo))]
    assert misses < 0.85 * fifo_misses


def a_track(number: int) -> Track:
    return Track(VersionId("ver_" + "0" * 26), f"v{number}")


def test_one_eviction_takes_few_steps_where_every_file_was_used() -> None:
    turnover = Turnover()
    for number in range(20 * MOST_TURNS):
        turnover.add(key_of(number), 10)
        turnover.use(key_of(number), MOST_USES)
    for _ in range(5):
        turnover.take_changes()
        assert turnover.evict() is not None
        assert turnover.unwritten <= MOST_TURNS + 1


def test_one_eviction_takes_few_steps_where_every_file_is_kept() -> None:
    turnover = Turnover()
    worths = {a_track(number): float(number % 7) for number in range(200)}
    turnover.name_kept(worths)
    for number in range(20_000):
        turnover.add(key_of(number), 10, a_track(number % 200))
    for _ in range(5):
        turnover.take_changes()
        gone = turnover.evict()
        assert gone is not None
        assert int.from_bytes(gone[:8], "little") % 200 % 7 == 0, "the least worth"
        assert turnover.unwritten == 1


def test_the_end_of_a_track_leaves_before_its_beginning() -> None:
    turnover, track = Turnover(), a_track(1)
    keys = [key_of(number) for number in range(10)]
    for key in reversed(keys):
        turnover.add(key, 10)
    turnover.name_kept({track: 1.0})
    assert [turnover.keep(track, key) for key in keys] == [10] * 10
    assert evicted(turnover) == keys[::-1]


def test_a_plan_that_names_a_track_no_more_lets_it_go_a_piece_at_a_time() -> None:
    turnover, track = Turnover(), a_track(1)
    turnover.name_kept({track: 1.0})
    for number in range(10):
        turnover.add(key_of(number), 10, track)
    turnover.name_kept({})
    assert [turnover.release(4) for _ in range(4)] == [4, 4, 2, 0]
    places = [turnover.place(key_of(number)) for number in range(10)]
    assert [(place.main, place.kept) for place in places if place] == [(True, False)] * 10


def test_a_file_of_two_tracks_is_kept_for_the_one_that_is_worth_more() -> None:
    for order in ([1, 2], [2, 1]):
        turnover = Turnover()
        turnover.name_kept({a_track(1): 1.0, a_track(2): 2.0})
        turnover.add(key_of(0), 10)
        for number in order:
            turnover.keep(a_track(number), key_of(0))
        assert turnover.evict(1.5) is None
        assert turnover.evict(2.5) == key_of(0)
