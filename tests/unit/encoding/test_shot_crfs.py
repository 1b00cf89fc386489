"""One slope across shots: bits go where they buy most, and no shot pays for all others."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.gate import Scores
from cuemark.contexts.encoding.model.ladder import Curve, Point, Probed, curves_of
from cuemark.contexts.encoding.model.shot_crfs import (
    LEAST_CRF,
    MOST_CRF,
    SPREAD_CRF,
    STEP_CRF,
    Seen,
    Shot,
    ShotPlan,
    at_target,
    fifth_percentile,
    harmonic_mean,
    level,
    moved,
    plan,
    shots_of,
)

POINTS = [Point(360, 31.0), Point(360, 23.0), Point(720, 28.0), Point(720, 20.0)]


def curve(rate_kbps: float, loss: float, halves_crf: float = 6.0, grows: float = 0.09) -> Curve:
    """A shot that takes ``rate_kbps`` at crf 26 and there loses ``loss``."""
    return Curve(
        height=720,
        crf=26.0,
        log_rate=math.log2(rate_kbps),
        rate_per_crf=-1 / halves_crf,
        log_loss=math.log(loss),
        loss_per_crf=grows,
        low_crf=17.0,
        high_crf=38.0,
    )


def whole(frames: int, of: Curve | None) -> Shot:
    """A shot that the probes saw whole, or not at all."""
    return Shot(frames, of, frames if of else 0)


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
            )
            if n == 0 or draw(st.booleans())
            else None,
        )
        for n in range(draw(st.integers(1, 12)))
    ]
    return shots, draw(st.floats(20, 34))


@given(films())
def test_a_plan_has_a_sane_crf_for_every_shot(film: tuple[list[Shot], float]) -> None:
    shots, crf = film
    found = plan(shots, crf, level(shots, crf).vmaf)
    assert len(found.crfs) == len(found.shot_vmaf) == len(shots)
    for shot, each in zip(shots, found.crfs, strict=True):
        assert LEAST_CRF <= each <= MOST_CRF
        assert each == round(each / STEP_CRF) * STEP_CRF
        assert abs(each - crf) <= SPREAD_CRF + STEP_CRF
        if shot.curve is None:
            assert abs(each - crf) <= STEP_CRF / 2


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
        assert harmonic_mean(shots, found) >= harmonic_mean(shots, best)
        assert fifth_percentile(shots, found) >= fifth_percentile(shots, best)


@given(films(), st.sampled_from([1.0, 1.5, 2.0, 3.0]))
def test_free_shots_have_one_slope(film: tuple[list[Shot], float], power: float) -> None:
    shots, crf = film
    found = at_target(shots, crf, level(shots, crf).vmaf, power)
    slopes = []
    for shot, each in zip(shots, found.crfs, strict=True):
        if shot.curve is None or abs(each - crf) > SPREAD_CRF - 1:
            continue
        d = 0.01
        low, high = shot.curve.at(each - d), shot.curve.at(each + d)
        # A loss below CEILING - 100 is cut off in a prediction, and has no slope.
        if high.vmaf >= 99.9 or low.vmaf >= 99.9:
            continue
        spent = low.rate_kbps - high.rate_kbps
        bought = (101 - high.vmaf) ** power - (101 - low.vmaf) ** power
        slopes.append(math.log(spent / bought))
    # Two crf are rounded to STEP_CRF each: that is worth so much of either's slope.
    assert max(slopes, default=0.0) - min(slopes, default=0.0) <= STEP_CRF * (0.18 + 3 * 0.18)


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


def test_a_higher_power_spares_the_worst_shot() -> None:
    shots = [whole(100, curve(300, 3.0)), whole(100, curve(6000, 25.0))]
    mean = level(shots, 26.0).vmaf
    worst = [
        min(v for v in at_target(shots, 26.0, mean, power).shot_vmaf if v is not None)
        for power in (1.0, 2.0, 3.0)
    ]
    assert worst == sorted(worst)
    assert worst[0] < worst[-1]


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
    scored = [n for n in size if n % 5 == 0]
    return Seen(point, size, Scores(scored, [vmaf[n // frames] for n in scored]))


def test_each_shot_has_the_curve_of_its_own_frames() -> None:
    seen = [
        seen_of(point, [rate, 4 * rate], [vmaf, vmaf - 8], 50)
        for point, rate, vmaf in zip(
            POINTS, [120, 320, 900, 2400], [70.0, 78.0, 88.0, 95.0], strict=True
        )
    ]
    probed = [
        Probed(each.point, rate, vmaf)
        for each, rate, vmaf in zip(seen, [300, 800, 2250, 6000], [66, 74, 84, 91], strict=True)
    ]
    shots = shots_of(seen, curves_of(probed), [0, 50], 100, 25.0)
    assert sorted(shots) == [360, 720]
    easy, hard = (shot.curve for shot in shots[720])
    assert easy is not None
    assert hard is not None
    assert easy.at(20.0).rate_kbps == pytest.approx(2400, rel=0.001)
    assert hard.at(28.0).rate_kbps == pytest.approx(3600, rel=0.001)
    assert (easy.at(20.0).vmaf, hard.at(28.0).vmaf) == pytest.approx((95.0, 80.0))


def test_a_shot_that_a_probe_did_not_see_has_no_curve() -> None:
    seen = [seen_of(point, [500.0], [90.0], 50) for point in POINTS]
    probed = [Probed(each.point, 500 + n, 90.0 + n) for n, each in enumerate(seen)]
    shots = shots_of(seen, curves_of(probed), [0, 50], 100, 25.0)
    assert [shot.curve is None for shot in shots[720]] == [False, True]


def test_a_shot_of_odd_figures_is_held_near_the_film() -> None:
    """A black shot: no rate, no loss, and no slope of its own."""
    seen = [seen_of(point, [1.0, 2000.0 - n], [100.0, 90.0], 50) for n, point in enumerate(POINTS)]
    probed = [
        Probed(point, rate, vmaf)
        for point, rate, vmaf in zip(POINTS, [120, 320, 900, 2400], [70, 78, 88, 95], strict=True)
    ]
    title = {each.height: each for each in curves_of(probed)}
    for height, shots in shots_of(seen, list(title.values()), [0, 50], 100, 25.0).items():
        for shot in shots:
            assert shot.curve is not None
            assert 0.5 <= shot.curve.rate_per_crf / title[height].rate_per_crf <= 2
            assert 0.5 <= shot.curve.loss_per_crf / title[height].loss_per_crf <= 2
