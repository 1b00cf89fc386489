"""One slope across shots: bits go where they buy most, and no shot pays for all others."""

import math
import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.curves import Curve, curve_at
from cuemark.contexts.encoding.model.gate import Scores
from cuemark.contexts.encoding.model.probes import Point
from cuemark.contexts.encoding.model.shot_crfs import (
    FAIR_VMAF,
    LEAST_CRF,
    MOST_CRF,
    SHARES,
    SPREAD_CRF,
    STEP_CRF,
    Seen,
    Shot,
    ShotPlan,
    at_target,
    ceilings_of,
    fifth_percentile,
    harmonic_mean,
    level,
    moved,
    plan,
    shots_of,
    with_between,
)

POINTS = [Point(360, 31.0), Point(360, 23.0), Point(720, 28.0), Point(720, 20.0)]


def curve(
    rate_kbps: float,
    loss: float,
    halves_crf: float = 6.0,
    grows: float = 0.09,
    ceiling: float = 101.0,
) -> Curve:
    """A shot that takes ``rate_kbps`` at crf 26 and there loses ``loss`` of ``ceiling``."""
    return Curve(
        height=720,
        crf=26.0,
        log_rate=math.log2(rate_kbps),
        rate_per_crf=-1 / halves_crf,
        log_loss=math.log(loss),
        loss_per_crf=grows,
        low_crf=17.0,
        high_crf=38.0,
        ceiling=ceiling,
    )


def whole(frames: int, of: Curve | None, spread: float = 0.0) -> Shot:
    """A shot that the probes saw whole, or not at all."""
    return Shot(frames, of, frames if of else 0, spread)


@st.composite
def films(draw: st.DrawFn) -> tuple[list[Shot], float]:
    """Some shots, of which one at least was probed, and a crf."""
    shots = [
        whole(
            draw(st.integers(10, 400)),
            curve(
                draw(st.floats(5, 30_000)),
                draw(st.floats(1, 40)),
                draw(st.floats(4, 9)),
                draw(st.floats(0.04, 0.18)),
                draw(st.floats(98, 112)),
            )
            if n == 0 or draw(st.booleans())
            else None,
            draw(st.floats(0, 8)),
        )
        for n in range(draw(st.integers(1, 12)))
    ]
    return shots, draw(st.floats(20, 34))


@given(films())
def test_a_plan_has_a_sane_crf_for_every_shot(film: tuple[list[Shot], float]) -> None:
    shots, crf = film
    found = plan(shots, crf, level(shots, crf).vmaf)
    assert len(found.crfs) == len(found.shot_vmaf) == len(shots)
    for each in found.crfs:
        assert LEAST_CRF <= each <= MOST_CRF
        assert each == round(each / STEP_CRF) * STEP_CRF
        assert abs(each - crf) <= SPREAD_CRF + STEP_CRF
    if found.crfs != [found.crfs[0]] * len(shots):
        unseen = {each for each, shot in zip(found.crfs, shots, strict=True) if not shot.curve}
        assert unseen <= {round(crf / STEP_CRF) * STEP_CRF}


@given(films())
def test_no_plan_costs_more_than_an_equal_crf_or_looks_worse(
    film: tuple[list[Shot], float],
) -> None:
    shots, crf = film
    crf = round(crf / STEP_CRF) * STEP_CRF
    even = level(shots, crf)
    found = plan(shots, crf, even.vmaf)
    # A step of crf is what rounding may cost, or spare.
    assert found.rate_kbps <= even.rate_kbps * 2 ** (STEP_CRF / 4)
    assert found.vmaf >= even.vmaf - STEP_CRF * 0.18 * 60
    if found.crfs != [found.crfs[0]] * len(shots):
        dearer = level(shots, crf + SPREAD_CRF)
        while dearer.rate_kbps <= found.rate_kbps:
            best = dearer
            dearer = level(shots, dearer.crfs[0] - 0.1)
        assert harmonic_mean(shots, found) >= harmonic_mean(shots, best) - FAIR_VMAF
        assert fifth_percentile(shots, found) >= fifth_percentile(shots, best) - FAIR_VMAF


@given(films())
def test_free_shots_have_one_slope(film: tuple[list[Shot], float]) -> None:
    shots, crf = film
    found = at_target(shots, crf, level(shots, crf).vmaf, 1.0)
    slopes = []
    for shot, each in zip(shots, found.crfs, strict=True):
        if shot.curve is None or abs(each - crf) > SPREAD_CRF - 1:
            continue
        slopes.append(shot.log_price_at(each + STEP_CRF / 2))
        slopes.append(shot.log_price_at(each - STEP_CRF / 2))
    # A crf is rounded: the one slope lies between what a shot costs half a step to each side.
    assert max(slopes[::2], default=0.0) <= min(slopes[1::2], default=0.0) + 1e-3


@given(films(), st.floats(14, 40))
def test_the_price_of_a_point_is_what_a_bit_more_buys(
    film: tuple[list[Shot], float], crf: float
) -> None:
    for shot in film[0]:
        if shot.curve is None or shot.spread < 0.1:
            continue
        d = 1e-3
        more, less = shot.vmaf_at(crf - d), shot.vmaf_at(crf + d)
        assert more is not None
        assert less is not None
        # Near either end of VMAF the difference of two figures says nothing.
        if not 1 < less < more < 99.5:
            continue
        spent = shot.curve.rate_at(crf - d) - shot.curve.rate_at(crf + d)
        assert shot.log_price_at(crf) == pytest.approx(math.log(spent / (more - less)), abs=0.01)


@given(films(), st.floats(14, 40), st.floats(14, 40))
def test_a_higher_crf_never_measures_more_or_costs_more(
    film: tuple[list[Shot], float], first: float, second: float
) -> None:
    low, high = sorted((first, second))
    for shot in film[0]:
        better, worse = shot.vmaf_at(low), shot.vmaf_at(high)
        if better is None or worse is None:
            continue
        assert 0 <= worse <= better + 1e-9 <= 100 + 1e-9
        assert shot.log_price_at(high) <= shot.log_price_at(low) + 1e-9


def test_frames_above_the_end_count_as_100() -> None:
    chance = random.Random(1)
    shot = whole(100, curve(900, 8.0, ceiling=107.0), spread=4.0)
    frames = [min(100.0, chance.gauss(99.0, 4.0)) for _ in range(40_000)]
    assert shot.vmaf_at(26.0) == pytest.approx(sum(frames) / len(frames), abs=0.05)


def test_bits_move_from_the_shot_that_needs_none() -> None:
    rain, night = whole(100, curve(4000, 3.0)), whole(100, curve(300, 14.0))
    even = level([rain, night], 26.0)
    found = plan([rain, night], 26.0, even.vmaf)
    assert found.rate_kbps < even.rate_kbps * 0.9
    assert found.vmaf == pytest.approx(even.vmaf, abs=0.3)


def test_equal_shots_have_an_equal_crf() -> None:
    shots = [whole(n, curve(900, 8.0)) for n in (30, 100, 250)]
    found = plan(shots, 26.0, 93.0)
    assert found.crfs == [26.0] * 3
    assert found.vmaf == pytest.approx(93.0)


@given(films())
def test_a_smaller_share_of_the_way_leaves_crfs_nearer_to_one(
    film: tuple[list[Shot], float],
) -> None:
    shots, crf = film
    vmaf = level(shots, crf).vmaf
    spans = []
    for share in sorted(SHARES):
        crfs = at_target(shots, crf, vmaf, share).crfs
        spans.append(max(abs(each - crf) for each in crfs))
        assert spans[-1] <= share * SPREAD_CRF + STEP_CRF / 2


def test_no_bits_are_spent_where_vmaf_has_ended() -> None:
    """The second shot measures 100 up to a crf of 28.4, and is not made any better than that."""
    shots = [whole(100, curve(900, 8.0)), whole(100, curve(9000, 8.0, ceiling=110.0))]
    even = level(shots, 24.0)
    assert even.shot_vmaf[1] == 100.0
    found = plan(shots, 24.0, even.vmaf)
    assert found.crfs[1] >= 28.0
    assert found.rate_kbps < 0.7 * even.rate_kbps
    assert found.vmaf == pytest.approx(even.vmaf, abs=0.3)


def test_a_film_of_one_shot_gets_what_its_title_gets() -> None:
    found = plan([whole(240, curve(2000, 9.0))], 27.5, 101 - 9 * math.exp(0.09 * 1.5))
    assert found.crfs == [27.5]


def test_unseen_shots_stay_at_the_rungs_crf() -> None:
    shots = [whole(50, curve(300, 3.0)), whole(80, None), whole(50, curve(6000, 20.0))]
    found = plan(shots, 26.0, level(shots, 26.0).vmaf)
    assert found.crfs[1] == 26.0
    assert found.shot_vmaf[1] is None
    nothing = plan([whole(50, None)], 26.0, 93.0)
    assert nothing == ShotPlan([26.0], 0.0, 0.0, [None])


@given(st.lists(st.floats(LEAST_CRF, MOST_CRF), min_size=1), st.floats(-40, 40))
def test_crfs_are_moved_together_within_bounds(crfs: list[float], change: float) -> None:
    found = moved(crfs, change)
    assert all(LEAST_CRF <= each <= MOST_CRF for each in found)
    pairs = sorted(zip(crfs, found, strict=True))
    assert [each for _, each in pairs] == sorted(found)


def seen_of(point: Point, kbps: list[float], vmaf: list[float], frames: int) -> Seen:
    """A probe of shots of ``frames`` each, at 25 frames a second."""
    size = {
        number * frames + n: round(rate * 1000 / 8 / 25)
        for number, rate in enumerate(kbps)
        for n in range(frames)
    }
    return Seen(point, size, scores_of(vmaf, frames))


def scores_of(vmaf: list[float], frames: int) -> Scores:
    """Shots of ``frames`` each, of which every fifth frame is scored."""
    scored = range(0, frames * len(vmaf), 5)
    raw = [vmaf[n // frames] for n in scored]
    return Scores(list(scored), [min(100.0, each) for each in raw], raw=raw)


def test_each_shot_has_the_curve_of_its_own_frames() -> None:
    seen = [
        seen_of(point, [rate, 4 * rate], [vmaf, vmaf - 8], 50)
        for point, rate, vmaf in zip(
            POINTS, [120, 320, 900, 2400], [70.0, 78.0, 88.0, 95.0], strict=True
        )
    ]
    found = shots_of(seen, [100.0, 104.0, 102.0], [0, 50], 100, 25.0)
    assert sorted(found) == [360, 720]
    assert found[720].title.ceiling == 102.0
    assert found[720].title.rate_at(20.0) == pytest.approx(6000, rel=0.001)
    easy, hard = found[720].shots
    assert easy.curve is not None
    assert hard.curve is not None
    assert (easy.curve.ceiling, hard.curve.ceiling) == (100.0, 104.0)
    assert easy.curve.rate_at(20.0) == pytest.approx(2400, rel=0.001)
    assert hard.curve.rate_at(28.0) == pytest.approx(3600, rel=0.001)
    assert (easy.vmaf_at(20.0), hard.vmaf_at(28.0)) == pytest.approx((95.0, 80.0))


def test_a_shot_that_a_probe_did_not_see_has_no_curve() -> None:
    seen = [seen_of(point, [500.0 + n], [90.0 + n], 50) for n, point in enumerate(POINTS)]
    found = shots_of(seen, [101.0] * 3, [0, 50], 100, 25.0)[720].shots
    assert [shot.curve is None for shot in found] == [False, True]
    assert [shot.probed for shot in found] == [50, 0]


def test_at_a_size_between_each_shot_is_told_from_its_own_curves() -> None:
    def at(height: int, rate_kbps: float, loss: float) -> Curve:
        return msgspec.structs.replace(curve(rate_kbps, loss), height=height)

    told = (at(720, 900, 4), at(480, 400, 8), at(360, 250, 12))
    shots = {each.height: [whole(50, each), whole(30, None)] for each in told}
    found = with_between(shots, [684, 590, 480])
    assert sorted(found) == [360, 480, 590, 684, 720]
    for height in (684, 590):
        seen, unseen = found[height]
        assert seen == whole(50, curve_at(height, told))
        assert unseen == whole(30, None)


def test_a_shot_of_odd_figures_is_held_near_the_film() -> None:
    """A black shot: no rate, no loss, and no slope of its own."""
    seen = [
        seen_of(point, [1.0, rate], [100.0, vmaf], 50)
        for point, rate, vmaf in zip(
            POINTS, [120, 320, 900, 2400], [70.0, 78.0, 88.0, 95.0], strict=True
        )
    ]
    for found in shots_of(seen, [101.0] * 3, [0, 50], 100, 25.0).values():
        for shot in found.shots:
            assert shot.curve is not None
            assert 0.5 <= shot.curve.rate_per_crf / found.title.rate_per_crf <= 2
            assert 0.5 <= shot.curve.loss_per_crf / found.title.loss_per_crf <= 2


def test_a_ceiling_is_above_what_a_shot_measures_against_itself() -> None:
    """A shot that was too short to be scored has the film's."""
    itself = Scores([0, 5, 20, 25], [97.0, 99.0, 100.0, 100.0], raw=[97.0, 99.0, 110.0, 112.0])
    found = ceilings_of(itself, [0, 10, 13], 30)
    assert found == [99.5, 106.0, 112.5, 106.0]
