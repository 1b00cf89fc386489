"""One codec told from another's probes: exact where they are alike, bounded where they are not."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.curves import curves_of
from cuemark.contexts.encoding.model.families import REFERENCE, made_in
from cuemark.contexts.encoding.model.ladder import ladder
from cuemark.contexts.encoding.model.likeness import (
    MOST_SAVED_PER_CRF,
    STEEPER,
    Likeness,
    fitted,
    shots_like,
)
from cuemark.contexts.encoding.model.probes import Point, Probed, check_points, probe_points
from cuemark.contexts.encoding.model.shot_crfs import STEP_CRF, Shot, at_target
from cuemark.contexts.encoding.tools.encoders import FAMILIES

PROBES = [
    Probed(point, 4000 * (point.height / 720) ** 1.2 * 2 ** (-(point.crf - 20) / 6), vmaf)
    for point, vmaf in zip(probe_points(720), (71.0, 74.0, 87.0, 88.0, 91.5), strict=True)
]
CURVES = curves_of(PROBES)

likenesses = st.builds(
    Likeness,
    crf=st.floats(20, 45),
    reference_crf=st.floats(20, 30),
    reference_per_crf=st.floats(0.3, 1.2),
    saved_doublings=st.floats(-0.5, 1.5),
    saved_per_crf=st.floats(-0.05, 0.05),
    least_crf=st.just(0.0),
    most_crf=st.just(200.0),
)


def encoded(likeness: Likeness, height: int, crf: float) -> Probed:
    """What a codec gives that lies to the reference exactly as ``likeness`` says."""
    (curve,) = (likeness.curve(each) for each in CURVES if each.height == height)
    at = likeness.reference_at(crf)
    vmaf = curve.ceiling - curve.loss_at(at)
    return Probed(Point(height, crf), curve.rate_at(at), vmaf)


@given(likenesses, st.floats(20, 40))
def test_the_two_scales_of_crf_are_each_others_inverse(likeness: Likeness, crf: float) -> None:
    back = likeness.crf_at(likeness.reference_at(crf))
    assert math.isclose(back, crf, abs_tol=likeness.step_crf)


@given(likenesses, st.floats(-1, 1), st.floats(-0.3, 0.3))
def test_two_checks_find_out_how_a_codec_lies_to_the_reference(
    true: Likeness, off_crf: float, off_saved: float
) -> None:
    expected = Likeness(
        crf=true.crf + off_crf,
        reference_crf=true.reference_crf,
        reference_per_crf=true.reference_per_crf * 1.1,
        saved_doublings=true.saved_doublings + off_saved,
        least_crf=true.least_crf,
        most_crf=true.most_crf,
    )
    # Where the reference lies between its probes, so that no loss is bounded.
    crfs = [true.crf_at(22.0), true.crf_at(29.0)]
    found = fitted(expected, CURVES, [encoded(true, 720, crfs[0]), encoded(true, 480, crfs[1])])
    for crf in crfs:
        assert math.isclose(found.reference_at(crf), true.reference_at(crf), abs_tol=0.01)
        at = true.reference_at(crf)
        assert math.isclose(found.saved_at(at), true.saved_at(at), abs_tol=0.01)


def test_without_a_check_it_is_as_expected() -> None:
    assert fitted(FAMILIES["av1"].likeness, CURVES, []) == FAMILIES["av1"].likeness


@given(likenesses, st.lists(st.floats(1, 99), min_size=2, max_size=2), st.floats(10, 10_000))
def test_checks_that_contradict_one_another_bend_it_so_far_only(
    expected: Likeness, vmafs: list[float], kbps: float
) -> None:
    crfs = (expected.crf - 5, expected.crf + 5)
    checks = [
        Probed(Point(height, crf), kbps, vmaf)
        for height, crf, vmaf in zip((720, 360), crfs, vmafs, strict=True)
    ]
    found = fitted(expected, CURVES, checks)
    steeper = found.reference_per_crf / expected.reference_per_crf
    assert 1 / STEEPER - 1e-9 <= steeper <= STEEPER + 1e-9
    assert abs(found.saved_per_crf) <= MOST_SAVED_PER_CRF


def test_a_codec_that_is_the_reference_has_its_ladder() -> None:
    curves = [Likeness().curve(curve) for curve in CURVES]
    assert ladder(curves, PROBES, 1280, 720) == ladder(CURVES, PROBES, 1280, 720)


@given(st.floats(0.1, 1.5))
def test_a_codec_that_saves_the_same_everywhere_has_the_same_rungs_for_less(saved: float) -> None:
    like = Likeness(saved_doublings=saved)
    cheaper = [Probed(each.point, each.rate_kbps / 2**saved, each.vmaf) for each in PROBES]
    found = ladder([like.curve(curve) for curve in CURVES], cheaper, 1280, 720)
    for rung, reference in zip(found, ladder(CURVES, PROBES, 1280, 720), strict=True):
        assert (rung.height, rung.crf) == (reference.height, reference.crf)
        assert math.isclose(rung.rate_kbps * 2**saved, reference.rate_kbps, rel_tol=1e-6)


def test_a_codec_is_tried_at_the_best_and_at_the_poorest_point() -> None:
    assert check_points(probe_points(720)) == [Point(360, 29.0), Point(720, 23.0)]


def test_no_rung_and_no_shot_goes_where_the_codec_does_not_behave() -> None:
    like = Likeness(reference_per_crf=0.4, least_crf=15.0, most_crf=35.0)
    least, most = like.reference_at(15.0), like.reference_at(35.0)
    assert 20 < least < 24 < most < 31
    curves = [like.curve(curve) for curve in CURVES]
    assert all(least <= curve.low_crf <= curve.high_crf <= most for curve in curves)
    hard, easy = (
        Shot(50, msgspec.structs.replace(curves[0], log_loss=log_loss), 50)
        for log_loss in (3.3, 1.8)
    )
    shots = shots_like({720: [hard, easy]}, like, [{}, {}])[720]
    plan = at_target(shots, 26.0, 88.0, 1.0)
    assert plan.crfs[0] != plan.crfs[1]
    assert all(least - STEP_CRF <= crf <= most + STEP_CRF for crf in plan.crfs)


def test_what_is_a_shots_own_is_kept_at_every_height() -> None:
    like = Likeness(reference_per_crf=0.4, saved_doublings=0.5)
    shots = {
        curve.height: [Shot(50, curve, 50, 1.0), Shot(50, None, 0), Shot(25, curve, 0)]
        for curve in CURVES
    }
    (at_720,) = (like.curve(curve) for curve in CURVES if curve.height == 720)
    twice = Probed(Point(720, 24.0), 2 * at_720.rate_at(24.0), 101.0 - at_720.loss_at(24.0))
    found = shots_like(shots, like, [{720: twice}, {}, {}])
    for curve in CURVES:
        dear, unseen, usual = found[curve.height]
        assert dear.curve is not None
        assert usual.curve == like.curve(curve)
        assert unseen.curve is None
        assert dear.curve.rate_at(24.0) == pytest.approx(2 * usual.curve.rate_at(24.0))
        assert dear.curve.loss_at(24.0) == pytest.approx(usual.curve.loss_at(24.0))


def test_h264_is_always_made_and_each_codec_once() -> None:
    assert made_in([]) == (REFERENCE,)
    assert made_in(["av1", "h264", "av1", "hevc"]) == ("h264", "hevc", "av1")


def test_every_family_has_a_file_and_only_the_reference_is_like_itself() -> None:
    assert sorted(FAMILIES) == ["av1", "h264", "hevc"]
    assert [name for name, each in FAMILIES.items() if each.likeness == Likeness()] == [REFERENCE]
    assert FAMILIES["hevc"].notice
