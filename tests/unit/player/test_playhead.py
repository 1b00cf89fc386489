"""Position, startup and stalls against a clock that moves when told."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.kit.clock import ManualClock
from cuemark.player.manifest import Segment
from cuemark.player.playhead import Buffer, Decoded, Playhead

FPS = 10
LAST = 4


def segment(index: int, appliance: str = "one", rung: str = "low") -> Decoded:
    """Two seconds with ten frames a second."""
    start_s = index * 2.0
    return Decoded(
        segment=Segment(f"{index}.m4s", start_s, 2.0),
        rung_id=rung,
        appliance_id=appliance,
        size_bytes=1000,
        times_s=[start_s + n / FPS for n in range(2 * FPS)],
    )


class Stage:
    """A playhead of a film of ten seconds, with its clock."""

    def __init__(self, start_s: float = 0.0, end_s: float = 10.0) -> None:
        self.clock = ManualClock()
        first = int(start_s // 2)
        self.video = Buffer(first, LAST, start_s)
        self.audio = Buffer(first, LAST, start_s)
        self.head = Playhead(
            {"video": self.video, "audio": self.audio},
            start_s=start_s,
            end_s=end_s,
            asked_at_s=self.clock.monotonic_s(),
        )

    def arrive(self, *indexes: int) -> None:
        for index in indexes:
            self.video.add(index, segment(index))
            self.audio.add(index, segment(index))

    def pass_s(self, seconds: float) -> Playhead:
        self.clock.advance(seconds)
        self.head.advance(self.clock.monotonic_s())
        return self.head


def test_a_play_begins_when_both_tracks_are_decoded() -> None:
    stage = Stage()
    stage.pass_s(1)
    stage.video.add(0, segment(0))
    assert stage.pass_s(1).startup_s is None
    stage.audio.add(0, segment(0))
    head = stage.pass_s(1)
    assert (head.startup_s, head.position_s, head.frames) == (3, 0, 1)


def test_a_play_that_begins_late_in_a_segment_waits_for_the_next() -> None:
    stage = Stage(start_s=1.9)
    stage.arrive(0)
    assert stage.pass_s(1).startup_s is None
    stage.arrive(1)
    assert stage.pass_s(1).startup_s == 2


def test_a_play_that_begins_just_before_the_end_waits_for_nothing() -> None:
    stage = Stage(start_s=9.9)
    stage.arrive(LAST)
    assert stage.pass_s(1).startup_s == 1


def test_every_frame_is_presented_once_at_its_time() -> None:
    stage = Stage()
    stage.arrive(0, 1, 2, 3, 4)
    stage.pass_s(0)
    assert stage.pass_s(0.95).frames == 10
    assert stage.pass_s(100).frames == 10 * FPS
    assert (stage.head.ended, stage.head.stalls) == (True, 0)
    assert stage.pass_s(5).frames == 10 * FPS


def test_a_stall_is_dated_to_the_moment_when_the_media_ran_out() -> None:
    stage = Stage()
    stage.arrive(0)
    stage.pass_s(0)
    head = stage.pass_s(3)
    assert (head.position_s, head.stalls, head.stalled) == (2, 1, True)
    assert head.stalled_for_s(stage.clock.monotonic_s()) == pytest.approx(1)
    stage.arrive(1)
    head = stage.pass_s(1)
    assert not head.stalled
    assert head.stalled_s == pytest.approx(2)
    assert stage.pass_s(1).position_s == pytest.approx(3)


def test_after_a_stall_two_seconds_are_gathered_first() -> None:
    stage = Stage()
    stage.arrive(0)
    stage.pass_s(0)
    stage.pass_s(3)
    stage.video.add(1, segment(1))
    assert stage.pass_s(1).stalled
    stage.audio.add(1, segment(1))
    assert not stage.pass_s(0).stalled


def test_a_segment_that_comes_out_of_order_waits_for_the_one_before() -> None:
    stage = Stage()
    stage.arrive(1)
    assert stage.pass_s(1).startup_s is None
    stage.arrive(0)
    stage.pass_s(0)
    assert stage.pass_s(3.95).frames == 40
    assert stage.head.stalls == 0


def test_a_play_in_the_middle_shows_only_what_lies_in_it() -> None:
    stage = Stage(start_s=3.05, end_s=7.05)
    stage.arrive(1, 2, 3)
    stage.pass_s(0)
    head = stage.pass_s(60)
    assert (head.ended, head.frames) == (True, 40)
    assert head.played_s == pytest.approx(4)
    assert [kind for kind, _ in head.presented].count("video") == 3
    assert sum(head.seconds_of(each) for _, each in head.presented) == pytest.approx(8)


def test_a_late_look_at_the_clock_is_no_stall_when_the_media_is_there() -> None:
    stage = Stage()
    stage.arrive(0)
    stage.pass_s(0)
    stage.arrive(1, 2)
    assert (stage.pass_s(5).stalls, stage.head.position_s) == (0, 5)


def test_appliances_are_listed_in_the_order_of_their_first_segment() -> None:
    stage = Stage()
    for index, name in enumerate(["two", "one", "two", "one", "three"]):
        stage.video.add(index, segment(index, name))
        stage.audio.add(index, segment(index, name))
    stage.pass_s(0)
    head = stage.pass_s(60)
    assert head.appliances() == ["two", "one", "three"]
    assert head.segments_by_appliance() == {"two": 4, "one": 4, "three": 2}


@given(st.permutations(range(LAST + 1)), st.lists(st.floats(0, 4), min_size=5, max_size=5))
def test_time_is_played_or_stalled_and_no_frame_is_lost(
    order: list[int], waits_s: list[float]
) -> None:
    stage = Stage()
    for index, wait_s in zip(order, waits_s, strict=True):
        before_s = stage.head.position_s
        assert stage.pass_s(wait_s).position_s >= before_s
        stage.arrive(index)
    for _ in itertools.takewhile(lambda _: not stage.head.ended, range(1000)):
        stage.pass_s(0.05)
    head = stage.head
    assert head.ended
    assert head.frames == 10 * FPS
    assert head.startup_s is not None
    spent_s = head.startup_s + head.stalled_s + head.played_s
    assert spent_s <= stage.clock.monotonic_s() + 1e-6
    assert spent_s >= stage.clock.monotonic_s() - 0.051
