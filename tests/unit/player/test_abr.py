"""The choice of a rung: bounded, monotone, safe, and quick to leave what would stall."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.player.abr import (
    ABANDON_GRACE_S,
    MIN_SAMPLE_BYTES,
    START_KBPS,
    Download,
    Pace,
    Situation,
    ThroughputMeter,
    abandon,
    bola,
    choose,
    start,
    wanted_buffer_s,
)

LADDER = [235.0, 560.0, 1050.0, 2350.0, 4300.0]
kbps = st.floats(1, 200_000)
seconds = st.floats(0, 60)
ladders = st.lists(st.floats(50, 50_000), min_size=1, max_size=12).map(sorted)


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    ladder = draw(ladders)
    return Situation(
        ladder_kbps=ladder,
        throughput_kbps=draw(kbps),
        buffer_s=draw(seconds),
        segment_s=draw(st.floats(0.5, 10)),
        current=draw(st.none() | st.integers(0, len(ladder) - 1)),
        reserved_kbps=draw(st.floats(0, 300)),
    )


def changed(situation: Situation, **fields: float) -> Situation:
    return Situation(
        ladder_kbps=situation.ladder_kbps,
        throughput_kbps=fields.get("throughput_kbps", situation.throughput_kbps or 0.0),
        buffer_s=fields.get("buffer_s", situation.buffer_s),
        segment_s=situation.segment_s,
        current=situation.current,
        reserved_kbps=situation.reserved_kbps,
    )


@given(situations())
def test_the_choice_is_a_rung_that_the_line_sustains_or_that_is_in_play(
    situation: Situation,
) -> None:
    rung = choose(situation)
    assert 0 <= rung < len(situation.ladder_kbps)
    assert situation.throughput_kbps is not None
    budget_kbps = situation.throughput_kbps - situation.reserved_kbps
    assert rung <= (situation.current or 0) or situation.ladder_kbps[rung] <= budget_kbps


@given(situations(), kbps)
def test_more_throughput_never_lowers_the_choice(situation: Situation, more: float) -> None:
    assert situation.throughput_kbps is not None
    richer = changed(situation, throughput_kbps=situation.throughput_kbps + more)
    assert choose(richer) >= choose(situation)


@given(situations(), seconds)
def test_more_buffer_never_lowers_the_choice(situation: Situation, more: float) -> None:
    fuller = changed(situation, buffer_s=situation.buffer_s + more)
    assert choose(fuller) >= choose(situation)


@given(situations())
def test_an_empty_buffer_gets_the_lowest_rung(situation: Situation) -> None:
    lowest = situation.ladder_kbps[0]
    assert situation.ladder_kbps[choose(changed(situation, buffer_s=0.0))] == lowest


@given(ladders)
def test_a_play_starts_low_to_mid(ladder: list[float]) -> None:
    rung = start(ladder)
    assert rung <= (len(ladder) - 1) // 2
    assert rung == 0 or ladder[rung] < START_KBPS


def test_a_play_of_the_usual_ladder_starts_above_the_lowest_rung() -> None:
    assert start(LADDER) == 1


@given(ladders, seconds, seconds)
def test_bola_rises_with_the_buffer(ladder: list[float], buffer_s: float, more: float) -> None:
    assert 0 <= bola(ladder, buffer_s) <= bola(ladder, buffer_s + more) < len(ladder)


@given(ladders)
def test_bola_gives_the_highest_rung_to_a_full_buffer(ladder: list[float]) -> None:
    assert ladder[bola(ladder, wanted_buffer_s(len(ladder)))] == ladder[-1]


def test_bola_uses_every_rung_of_the_usual_ladder() -> None:
    chosen = {bola(LADDER, tenths / 10) for tenths in range(0, 250)}
    assert chosen == set(range(len(LADDER)))


def test_a_rung_is_held_through_a_dip_while_the_buffer_is_comfortable() -> None:
    usual = Situation(
        ladder_kbps=LADDER, throughput_kbps=2000.0, buffer_s=20.0, segment_s=2, current=3
    )
    assert choose(usual) == 3
    assert choose(changed(usual, buffer_s=8.0)) == 2


def test_a_full_buffer_climbs_no_higher_than_the_line_sustains() -> None:
    full = Situation(
        ladder_kbps=LADDER, throughput_kbps=2000.0, buffer_s=30.0, segment_s=2, current=1
    )
    assert choose(full) == 2


@given(st.lists(st.tuples(st.integers(0, 10**8), st.floats(0, 60)), max_size=30))
def test_the_estimate_stays_within_what_was_seen(downloads: list[tuple[int, float]]) -> None:
    meter = ThroughputMeter()
    for size_bytes, elapsed_s in downloads:
        meter.add(size_bytes, elapsed_s)
    if meter.kbps is None:
        assert all(size < MIN_SAMPLE_BYTES for size, _ in downloads)
    else:
        rates = [size * 8 / 1000 / max(elapsed, 0.001) for size, elapsed in downloads]
        assert min(rates) * 0.999 <= meter.kbps <= max(rates) * 1.001


def test_a_fall_is_believed_at_once_and_a_rise_slowly() -> None:
    meter = ThroughputMeter()
    for _ in range(10):
        meter.add(500_000, 1.0)
    assert meter.kbps == pytest.approx(4000)
    meter.add(125_000, 4.0)
    assert meter.kbps is not None
    assert meter.kbps < 2000
    fallen = meter.kbps
    meter.add(500_000, 1.0)
    assert fallen < meter.kbps < 3000


def download(**fields: float) -> Download:
    return Download(
        ladder_kbps=LADDER,
        rung=int(fields.get("rung", 3)),
        segment_s=4,
        size_bytes=1_000_000,
        received_bytes=int(fields.get("received_bytes", 100_000)),
        elapsed_s=fields.get("elapsed_s", 1.0),
        latest_kbps=fields.get("latest_kbps", float("inf")),
        buffer_s=fields.get("buffer_s", 2.0),
    )


def test_a_download_that_would_stall_is_abandoned_for_a_rung_that_would_not() -> None:
    assert abandon(download(buffer_s=2.0)) == 0
    assert abandon(download(buffer_s=6.0)) == 1


def test_a_fall_within_a_download_is_seen_at_once() -> None:
    falling = {"received_bytes": 500_000, "buffer_s": 5.0}
    assert abandon(download(**falling)) is None
    assert abandon(download(**falling, latest_kbps=400.0)) == 0
    pace = Pace()
    for tenths in range(1, 31):
        pace.add(min(tenths, 10) * 50_000 + max(0, tenths - 10) * 5_000, tenths / 10)
    received, lasted_s = pace.latest
    assert received * 8 / 1000 / lasted_s == pytest.approx(400)


def test_a_download_that_arrives_in_time_goes_on() -> None:
    assert abandon(download(buffer_s=10.0)) is None


def test_a_download_is_given_a_moment_before_it_is_judged() -> None:
    assert abandon(download(elapsed_s=ABANDON_GRACE_S / 2, buffer_s=0.0)) is None


def test_a_download_that_is_nearly_there_goes_on() -> None:
    assert abandon(download(received_bytes=950_000, elapsed_s=20.0, buffer_s=0.1)) is None


def test_there_is_nothing_below_the_lowest_rung() -> None:
    assert abandon(download(rung=0, buffer_s=0.0)) is None


@given(
    st.integers(0, 4),
    st.integers(0, 1_000_000),
    st.floats(0, 100),
    st.floats(-5, 60),
)
def test_a_download_is_only_abandoned_for_a_lower_rung(
    rung: int, received_bytes: int, elapsed_s: float, buffer_s: float
) -> None:
    target = abandon(
        download(rung=rung, received_bytes=received_bytes, elapsed_s=elapsed_s, buffer_s=buffer_s)
    )
    assert target is None or 0 <= target < rung
