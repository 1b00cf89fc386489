"""A ladder goes on below its rungs of quality where these ask for more than a slow line has."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.curves import (
    MIN_CRF,
    RATE_DOUBLES_CRF,
    Curve,
    curves_of,
    with_between,
)
from cuemark.contexts.encoding.model.probes import Probed, even, probe_points
from cuemark.contexts.encoding.model.rates import (
    LEAST_KBPS,
    LEAST_LINES,
    LEAST_TIMES,
    MOST_TIMES,
    POOREST_CRF,
    SLOW_KBPS,
    TIMES,
    crf_for_rate,
    is_about,
    is_apart,
    slow_rates,
    slow_rungs,
    with_smaller,
)


def curves(height: int, rate_at_23: float, loss_at_23: float = 8.0) -> list[Curve]:
    """Those of a film whose rate and loss go with the lines as most films' do."""
    points = probe_points(height)
    top = points[-1].height
    probes = [
        Probed(
            point,
            rate_at_23 * (point.height / top) ** 1.5 * 2 ** ((23 - point.crf) / RATE_DOUBLES_CRF),
            101 - loss_at_23 * (top / point.height) ** 0.6 * math.exp(0.08 * (point.crf - 23)),
        )
        for point in points
    ]
    return with_between(curves_of(probes))


@given(st.floats(1, SLOW_KBPS))
def test_a_ladder_that_begins_low_lacks_nothing(kbps: float) -> None:
    assert slow_rates(kbps) == []


@given(st.floats(SLOW_KBPS, 100_000, exclude_min=True))
def test_rates_go_down_to_the_least_in_even_steps(kbps: float) -> None:
    rates = [*slow_rates(kbps), kbps]
    assert rates[0] == pytest.approx(LEAST_KBPS)
    steps = [b / a for a, b in pairwise(rates)]
    assert max(steps) == pytest.approx(min(steps))
    assert TIMES / 1.75 <= steps[0] <= TIMES * 1.75


FILMS = st.tuples(
    st.sampled_from([200, 360, 405, 720, 1080, 1440, 2160]),
    st.floats(2_000, 60_000),
    st.floats(2, 14),
)


@given(FILMS, st.floats(560, 16_000), st.floats(24, 45))
def test_slow_rungs_ascend_are_apart_and_each_has_a_size_that_can_be_had(
    film: tuple[int, float, float], cheapest_kbps: float, poorest_crf: float
) -> None:
    height, *_ = film
    width = even(height * 16 / 9)
    ladder = curves(*film)
    rungs = slow_rungs(ladder, cheapest_kbps, width, height, poorest_crf)
    taken = [*(rung.rate_kbps for rung in rungs), cheapest_kbps]
    assert all(is_apart(a, b) for a, b in pairwise(taken))
    sizes = {curve.height: curve for curve in with_smaller(ladder)}
    last = min(poorest_crf, POOREST_CRF)
    for rung in rungs:
        assert rung.height >= min(LEAST_LINES, ladder[-1].height)
        assert rung.crf <= last
        assert sizes[rung.height].rate_at(rung.crf) <= rung.rate_kbps * 1.001
        assert rung.width == even(rung.height * width / height)
        able = [
            curve.loss_at(crf)
            for curve in sizes.values()
            for crf in [
                curve.crf + math.log2(rung.rate_kbps / 2**curve.log_rate) / curve.rate_per_crf
            ]
            if MIN_CRF <= crf <= last
        ]
        assert all(sizes[rung.height].loss_at(rung.crf) <= loss * 1.001 for loss in able)


@given(FILMS, st.floats(560, 16_000))
def test_a_codec_that_can_be_poor_reaches_the_least_rate_unless_no_size_does(
    film: tuple[int, float, float], cheapest_kbps: float
) -> None:
    height, *_ = film
    ladder = curves(*film)
    reached = min(curve.rate_at(POOREST_CRF) for curve in with_smaller(ladder))
    rungs = slow_rungs(ladder, cheapest_kbps, even(height * 16 / 9), height)
    if reached <= LEAST_KBPS and cheapest_kbps > SLOW_KBPS:
        assert rungs[0].rate_kbps == pytest.approx(LEAST_KBPS)
    assert all(rung.rate_kbps >= min(reached, LEAST_KBPS) * 0.999 for rung in rungs)


def test_a_heavy_film_of_1080_lines_reaches_a_line_of_235_kbit_s() -> None:
    (least, *_) = slow_rungs(curves(1080, 16_000), 3_000, 1920, 1080)
    assert (least.rate_kbps, least.height) == (LEAST_KBPS, 270)


def test_smaller_sizes_lie_on_the_line_of_those_that_were_probed() -> None:
    found = with_smaller(curves(1080, 20_000))
    assert [each.height for each in found][-2:] == [360, 270]
    (half,) = (each for each in found if each.height == 540)
    quarter = found[-1]
    assert quarter.rate_at(29) == pytest.approx(half.rate_at(29) / 2**1.5, rel=0.03)
    assert quarter.loss_at(29) == pytest.approx(half.loss_at(29) * 2**0.6, rel=0.03)


@given(st.floats(20, 40), st.floats(-2, 2), st.floats(1.5, 9))
def test_a_rate_is_met_in_two_corrections_where_a_crf_does(
    crf: float, doublings_off: float, halves_crf: float
) -> None:
    """Whatever this film's own crf is that halves the rate."""
    kbps, before = 1000 * 2**doublings_off, None
    for _ in range(2):
        corrected = crf_for_rate(crf, kbps, 1000, before)
        before = crf, kbps
        kbps *= 2 ** ((crf - corrected) / halves_crf)
        crf = corrected
    assert is_about(kbps, 1000) or crf in (MIN_CRF, POOREST_CRF)


@pytest.mark.parametrize(
    ("kbps", "about"),
    [(LEAST_TIMES, True), (1, True), (MOST_TIMES, True), (0.5, False), (2, False)],
)
def test_a_rate_may_be_off_by_a_little(kbps: float, about: bool) -> None:
    assert is_about(kbps * 1000, 1000) is about
