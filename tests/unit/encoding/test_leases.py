"""Who is lost: whose beat stood still for as long as somebody looked."""

from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.leases import BLIND_S, LEASE_S, Watch


def looks(watch: Watch, until_s: int, beats: dict[str, int], since_s: int = 0) -> list[str]:
    """What is lost at the last of the looks, one a second."""
    lost: list[str] = []
    for now_s in range(since_s, until_s + 1):
        lost = watch.look(float(now_s), beats)
    return lost


def test_a_worker_is_lost_after_a_lease_of_silence_and_not_before() -> None:
    watch = Watch()
    assert looks(watch, int(LEASE_S) - 1, {"a": 7}) == []
    assert watch.look(LEASE_S, {"a": 7}) == ["a"]


def test_a_worker_that_beats_is_never_lost() -> None:
    watch = Watch()
    for now_s in range(100):
        assert watch.look(float(now_s), {"a": now_s // 5}) == []


def test_who_works_and_was_never_heard_is_lost_too() -> None:
    assert looks(Watch(), int(LEASE_S), {"ghost": 0}) == ["ghost"]


def test_nobody_is_lost_for_a_time_in_which_nobody_looked() -> None:
    watch = Watch()
    watch.look(0.0, {"a": 1})
    assert watch.look(1000.0, {"a": 1}) == [], "the database was away, and all beats with it"
    assert watch.look(1000.0 + BLIND_S, {"a": 1}) == []
    assert looks(watch, 1000 + int(LEASE_S), {"a": 1}, since_s=1004) == ["a"]


def test_a_worker_that_comes_back_has_a_whole_lease_again() -> None:
    watch = Watch()
    assert looks(watch, int(LEASE_S), {"a": 1}) == ["a"]
    assert watch.look(LEASE_S + 1, {"a": 2}) == []
    assert looks(watch, int(LEASE_S) * 2, {"a": 2}, since_s=int(LEASE_S) + 2) == []


@given(st.lists(st.tuples(st.floats(0.1, 6.0), st.booleans()), max_size=60))
def test_whoever_was_seen_to_beat_within_the_lease_is_not_lost(
    steps: list[tuple[float, bool]],
) -> None:
    watch, now_s, beat, beaten_s = Watch(), 0.0, 0, 0.0
    watch.look(now_s, {"a": beat})
    for pause_s, beats in steps:
        now_s += pause_s
        if beats:
            beat, beaten_s = beat + 1, now_s
        if watch.look(now_s, {"a": beat}):
            assert now_s - beaten_s >= LEASE_S
