"""Rungs lie on the hull of what was probed."""

import math
from itertools import pairwise
from operator import attrgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.curves import (
    CEILING,
    Curve,
    NoLadder,
    candidates,
    curves_of,
    with_between,
)
from cuemark.contexts.encoding.model.ladder import (
    MAX_RUNGS,
    MOST_KBPS,
    STEP_VMAF,
    TOP_VMAF,
    Rung,
    carried,
    corrected_crf,
    dominates,
    dominating,
    front,
    is_crowded,
    ladder,
    measured_slope,
    rung_of,
    upper_hull,
)
from cuemark.contexts.encoding.model.probes import Point, Probed, even, probe_points, width_at


def ladder_of(probes: list[Probed], width: int, height: int) -> list[Rung]:
    return ladder(with_between(curves_of(probes)), probes, width, height)


@st.composite
def any_probes(draw: st.DrawFn) -> list[Probed]:
    """Probes with whatever rates and scores: what the rules must survive."""
    height = draw(st.integers(48, 1100)) * 2
    return [
        Probed(point, draw(st.floats(5, 60_000)), draw(st.floats(0, 100)))
        for point in probe_points(height)
    ]


@st.composite
def plausible_probes(draw: st.DrawFn) -> list[Probed]:
    """What encodes of a film give: x264's rate halves every 5 to 7 crf, and a picture scaled
    down loses something that no rate brings back."""
    height = draw(st.integers(120, 1080)) * 2
    halves_crf = draw(st.floats(5.0, 7.0))
    rate_at_23 = draw(st.floats(300, 12_000))
    loss_at_23 = draw(st.floats(2, 14))
    loss_growth = draw(st.floats(0.06, 0.12))
    scaling_loss = draw(st.floats(0, 8))
    points = probe_points(height)
    top = points[-1].height
    probes = []
    for point in points:
        scale = point.height / top
        rate = rate_at_23 * scale**1.5 * 2 ** ((23 - point.crf) / halves_crf)
        loss = loss_at_23 * math.exp(loss_growth * (point.crf - 23)) + scaling_loss * (
            1 / scale - 1
        )
        probes.append(Probed(point, rate, max(1.0, 101 - loss - 1)))
    return probes


points_of_a_plane = st.lists(
    st.builds(
        Probed,
        st.just(Point(720, 23.0)),
        st.floats(1, 100_000),
        st.floats(0, 100),
    ),
    min_size=1,
    max_size=40,
)


def steps_of(rungs: list[Rung]) -> list[float]:
    """The VMAF between neighbours of a ladder."""
    return [upper.vmaf - lower.vmaf for lower, upper in pairwise(rungs)]


@given(any_probes())
def test_rungs_ascend_in_rate_and_in_quality(probes: list[Probed]) -> None:
    rungs = ladder_of(probes, 1920, 1080)
    assert 1 <= len(rungs) <= MAX_RUNGS
    assert all(a.rate_kbps < b.rate_kbps and a.vmaf < b.vmaf for a, b in pairwise(rungs))
    assert all(step >= STEP_VMAF / 2 for step in steps_of(rungs))
    assert all(rung.vmaf_per_crf > 0 for rung in rungs)


@given(any_probes())
def test_no_probe_dominates_a_rung(probes: list[Probed]) -> None:
    for rung in ladder_of(probes, 1920, 1080):
        assert dominating(rung.rate_kbps, rung.vmaf, probes) is None


@given(any_probes())
def test_no_rung_takes_more_than_lines_carry_where_it_could_be_less(probes: list[Probed]) -> None:
    rungs = ladder_of(probes, 1920, 1080)
    assert all(rung.rate_kbps <= MOST_KBPS for rung in rungs) or len(rungs) == 1
    found = candidates(with_between(curves_of(probes)), probes)
    assert max(rung.rate_kbps for rung in rungs) <= max(
        MOST_KBPS, min(each.rate_kbps for each in found)
    )


def test_steps_are_about_six() -> None:
    points = probe_points(720)
    rates, scores = [310, 430, 1130, 1010, 2750], [76.1, 79.7, 91.4, 88.5, 97.0]
    probes = [Probed(*probe) for probe in zip(points, rates, scores, strict=True)]
    rungs = ladder_of(probes, 1280, 720)
    assert len(rungs) >= 4
    assert rungs[-1].vmaf == pytest.approx(TOP_VMAF, abs=1)
    assert all(step == pytest.approx(STEP_VMAF, abs=STEP_VMAF / 2) for step in steps_of(rungs))


@given(points_of_a_plane)
def test_the_front_ascends_and_nothing_dominates_it(points: list[Probed]) -> None:
    found = front(points)
    assert all(a.rate_kbps < b.rate_kbps and a.vmaf < b.vmaf for a, b in pairwise(found))
    assert not any(dominates(each, p.rate_kbps, p.vmaf) for p in found for each in points)
    assert set(upper_hull(points)) <= set(found)


def test_a_rung_lies_in_a_step_that_the_hull_leaves_out() -> None:
    small = Curve(360, 30.0, math.log2(300), -1 / 6, math.log(24), 0.09, 26.0, 34.0)
    large = Curve(720, 30.0, math.log2(700), -1 / 6, math.log(15), 0.09, 20.0, 32.0)
    heights = [rung.height for rung in ladder([large, small], [], 1280, 720)]
    steps = steps_of(ladder([large, small], [], 1280, 720))
    assert {360, 720} == set(heights)
    assert max(steps) <= 1.5 * STEP_VMAF


@given(plausible_probes())
def test_rungs_lie_near_the_hull(probes: list[Probed]) -> None:
    curves = with_between(curves_of(probes))
    hull = upper_hull(carried(candidates(curves, probes)))
    for rung in ladder(curves, probes, 1920, 1080):
        around = [(a, b) for a, b in pairwise(hull) if a.rate_kbps <= rung.rate_kbps <= b.rate_kbps]
        assert around or len(hull) == 1
        assert all(line_at(a, b, rung.rate_kbps) <= rung.vmaf + STEP_VMAF / 4 for a, b in around)


@given(plausible_probes())
def test_the_top_rung_is_about_95_or_the_best_there_is(probes: list[Probed]) -> None:
    best = max(probe.vmaf for probe in probes if probe.rate_kbps <= MOST_KBPS)
    top = ladder_of(probes, 1920, 1080)[-1].vmaf
    assert top <= TOP_VMAF + STEP_VMAF
    assert top >= min(TOP_VMAF, best) - STEP_VMAF


@given(plausible_probes(), st.integers(200, 4000), st.integers(200, 4000))
def test_rungs_have_even_sides_in_the_shape_of_the_picture(
    probes: list[Probed], width: int, height: int
) -> None:
    for rung in ladder_of(probes, width, height):
        assert rung.width % 2 == rung.height % 2 == 0
        assert abs(rung.width - rung.height * width / height) <= 1 + 1e-9


def line_at(a: Probed, b: Probed, rate_kbps: float) -> float:
    """VMAF on the line from a to b at a rate, in (log rate, VMAF)."""
    share = math.log(rate_kbps / a.rate_kbps) / math.log(b.rate_kbps / a.rate_kbps)
    return a.vmaf + share * (b.vmaf - a.vmaf)


@given(points_of_a_plane)
def test_the_hull_is_convex_ascending_and_above_every_point(points: list[Probed]) -> None:
    hull = upper_hull(points)
    assert set(map(id, hull)) <= set(map(id, points))
    assert max(point.vmaf for point in points) == hull[-1].vmaf
    assert all(a.rate_kbps < b.rate_kbps and a.vmaf < b.vmaf for a, b in pairwise(hull))
    for a, b, c in zip(hull, hull[1:], hull[2:], strict=False):
        assert b.vmaf >= line_at(a, c, b.rate_kbps) - 1e-6
    for point in points:
        assert not any(dominates(point, kept.rate_kbps, kept.vmaf) for kept in hull)
        for a, b in pairwise(hull):
            if a.rate_kbps <= point.rate_kbps <= b.rate_kbps and b.rate_kbps / a.rate_kbps > 1.0001:
                assert point.vmaf <= line_at(a, b, point.rate_kbps) + 1e-6


@given(plausible_probes())
def test_curves_go_through_their_probes(probes: list[Probed]) -> None:
    curves = {curve.height: curve for curve in curves_of(probes)}
    for probe in probes:
        there = curves[probe.point.height].at(probe.point.crf)
        assert there.rate_kbps == pytest.approx(probe.rate_kbps, rel=1e-6)
        assert there.vmaf == pytest.approx(probe.vmaf, abs=0.01)


@given(
    st.floats(1.0, 2.0),
    st.floats(0.5, 2.2),
    st.floats(1.0, 1.3),
    st.floats(0.7, 1.0),
    st.floats(4.0, 12.0),
)
def test_a_scaled_size_is_told_from_two_others(
    rate_over: float, loss_over: float, noise: float, lost: float, loss: float
) -> None:
    """``noise`` is what the master's own size takes besides, and ``lost`` what it loses less."""

    def made(point: Point) -> Probed:
        own = point.height == 720
        rate = (noise if own else 1) * point.height**rate_over * 2 ** ((28 - point.crf) / 6)
        gone = (lost if own else 1) * loss * (720 / point.height) ** loss_over
        flatter = 0.82 ** (math.log(720 / point.height) / math.log(4 / 3))
        return Probed(point, rate, CEILING - gone * math.exp(0.06 * flatter * (point.crf - 28)))

    curves = with_between(curves_of([made(point) for point in probe_points(720)]))
    assert [curve.height for curve in curves] == [720, 684, 590, 480, 418, 360]
    for curve in curves:
        told, measured = curve.at(29.0), made(Point(curve.height, 29.0))
        assert told.rate_kbps == pytest.approx(measured.rate_kbps, rel=0.001)
        assert told.vmaf == pytest.approx(measured.vmaf, abs=0.25)


@given(any_probes())
def test_a_size_between_is_neither_dearer_nor_better_than_the_masters_own(
    probes: list[Probed],
) -> None:
    curves = with_between(curves_of(probes))
    heights = [curve.height for curve in curves]
    assert heights == sorted(set(heights), reverse=True)
    probed = {probe.point.height for probe in probes}
    for curve in curves:
        if curve.height in probed:
            continue
        above = min(
            (each for each in curves if each.height > curve.height), key=attrgetter("height")
        )
        if above.height in probed:
            assert curve.rate_at(curve.crf) <= above.rate_at(curve.crf) * 1.001
            assert curve.loss_at(curve.crf) >= above.loss_at(curve.crf) * 0.999


def test_nothing_is_told_of_a_size_without_two_neighbors_that_were_scaled() -> None:
    probes = [Probed(Point(720, 20.0), 900, 95), Probed(Point(720, 28.0), 400, 88)]
    own = curves_of(probes)
    scaled = curves_of([*probes, Probed(Point(480, 28.0), 200, 80)])
    assert with_between(own) == own
    assert with_between(scaled) == scaled


def test_a_film_that_every_encode_keeps_whole_has_its_cheapest_rung() -> None:
    still = [Probed(p, 2000 / p.crf, 99 + 0.1 * (31 - p.crf) / 11) for p in probe_points(1080)]
    (only,) = ladder_of(still, 1920, 1080)
    assert only.rate_kbps <= min(probe.rate_kbps for probe in still)


def test_one_probe_spans_no_ladder() -> None:
    with pytest.raises(NoLadder, match="one probe at 720 lines"):
        ladder_of([Probed(Point(720, 23.0), 2000, 92)], 1280, 720)


@pytest.mark.parametrize(
    ("height", "heights"),
    [
        (1080, [540, 720, 720, 1026, 1080]),
        (1440, [360, 720, 720, 960, 1368, 1440]),
        (2160, [540, 1080, 1080, 1440, 2052, 2160]),
        (4320, [540, 1080, 1080, 1440, 2052, 2160]),
    ],
)
def test_probes_stand_where_a_ladder_has_its_rungs(height: int, heights: list[int]) -> None:
    assert [point.height for point in probe_points(height)] == heights


def test_a_film_that_is_corrected_once_only_has_two_probes_of_its_own_size() -> None:
    assert [point.height for point in probe_points(1080, 4)] == [540, 720, 1080, 1080]
    assert [point.height for point in probe_points(2160, 4)] == [540, 1080, 1440, 2160, 2160]


@given(st.floats(0, 5000))
def test_even_is_even_and_near(lines: float) -> None:
    assert even(lines) % 2 == 0
    assert even(lines) >= 2
    assert lines < 2 or abs(even(lines) - lines) <= 1


def test_width_keeps_the_shape() -> None:
    assert width_at(720, 1920, 1080) == 1280
    assert width_at(540, 1920, 818) == 1268


def rung(vmaf: float = 90.0, slope: float = 1.5) -> Rung:
    return Rung(1280, 720, 24.0, 2000.0, vmaf, slope)


def test_a_rung_that_measures_too_good_is_encoded_at_a_higher_crf() -> None:
    assert corrected_crf(90.0, 1.5, 24.0, 93.0) == 26.0
    assert corrected_crf(90.0, 1.5, 24.0, 87.0) == 22.0


@given(st.floats(0, 100), st.floats(0, 100), st.floats(12, 45), st.floats(0, 5))
def test_corrections_are_bounded(vmaf: float, measured: float, crf: float, slope: float) -> None:
    again = corrected_crf(vmaf, slope, crf, measured)
    assert 12 <= again <= 45
    assert abs(again - crf) <= 6.01
    assert (again - crf) * (measured - vmaf) >= -0.01


def test_a_rung_is_crowded_by_a_near_one_and_by_a_better_one() -> None:
    others = [(200.0, 70.0), (400.0, 82.0)]
    assert not is_crowded(100.0, 60.0, others)
    assert not is_crowded(300.0, 76.0, others)
    assert is_crowded(300.0, 72.0, others)
    assert is_crowded(300.0, 80.0, others)
    assert is_crowded(300.0, 60.0, others)
    assert not is_crowded(300.0, 60.0, [])


@given(points_of_a_plane, st.floats(1, 100_000), st.floats(0, 100))
def test_what_dominates_is_dominated_by_nobody(
    probes: list[Probed], rate_kbps: float, vmaf: float
) -> None:
    found = dominating(rate_kbps, vmaf, probes)
    if found is None:
        assert not any(dominates(probe, rate_kbps, vmaf) for probe in probes)
    else:
        assert dominates(found, rate_kbps, vmaf)
        assert not any(dominates(probe, found.rate_kbps, found.vmaf) for probe in probes)


def test_a_probe_takes_the_place_of_a_rung_with_its_own_size() -> None:
    probe = Probed(Point(480, 31.0), 900.0, 91.0)
    taken = rung_of(probe, rung())
    assert (taken.width, taken.height, taken.crf) == (854, 480, 31.0)
    assert (taken.rate_kbps, taken.vmaf) == (900.0, 91.0)


def test_a_second_correction_knows_the_slope_that_was_measured() -> None:
    rung = Rung(1280, 720, 26.0, 2000.0, 90.0, 1.0)
    assert measured_slope(rung, None, (26.0, 86.0)) == 1.0
    first = corrected_crf(rung.vmaf, rung.vmaf_per_crf, 26.0, 86.0)
    assert first == 22.0
    slope = measured_slope(rung, (26.0, 86.0), (first, 88.0))
    assert slope == 0.5
    assert corrected_crf(rung.vmaf, slope, first, 88.0) == 18.0


@given(st.floats(12, 45), st.floats(0, 100), st.floats(12, 45), st.floats(0, 100))
def test_a_measured_slope_stays_near_the_predicted_one(
    before: float, vmaf_before: float, now: float, vmaf_now: float
) -> None:
    rung = Rung(1280, 720, 26.0, 2000.0, 90.0, 1.5)
    assert 0.5 <= measured_slope(rung, (before, vmaf_before), (now, vmaf_now)) <= 4.5
