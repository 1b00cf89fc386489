"""Curves of shots that no probe saw."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.curves import Curve
from cuemark.contexts.encoding.model.probes import Point, Probed
from cuemark.contexts.encoding.model.shot_crfs import Shot, Shots
from cuemark.contexts.encoding.model.survey import completed, line

QUICK = Point(0, 0.0)
TITLE = Curve(
    height=720,
    crf=20.0,
    log_rate=10.0,
    rate_per_crf=-0.17,
    log_loss=1.5,
    loss_per_crf=0.09,
    low_crf=17.0,
    high_crf=31.0,
    ceiling=102.0,
)


def curve(rate_kbps: float, loss: float, ceiling: float) -> Curve:
    """At the probes' least crf."""
    return Curve(
        height=720,
        crf=20.0,
        log_rate=math.log2(rate_kbps),
        rate_per_crf=-0.2,
        log_loss=math.log(loss),
        loss_per_crf=0.1,
        low_crf=17.0,
        high_crf=31.0,
        ceiling=ceiling,
    )


def test_a_shot_alike_to_a_probed_one_gets_its_rate_and_loss() -> None:
    ceilings = [100.0, 104.0, 100.0, 104.0]
    shots = [
        Shot(50, curve(800, 4.0, 100.0), 50, 2.0),
        Shot(50, curve(3200, 8.0, 104.0), 50, 2.0),
        Shot(50, None, 0),
        Shot(50, None, 0),
    ]
    quick = [Probed(QUICK, rate, vmaf) for rate, vmaf in ((500, 92), (2000, 88)) * 2]
    found = completed(Shots(shots, TITLE), quick, ceilings, [2.0] * 4)
    assert found[:2] == shots[:2]
    for probed, told in zip(found[:2], found[2:], strict=True):
        assert probed.curve is not None
        assert told.curve is not None
        assert told.curve.rate_at(20.0) == pytest.approx(probed.curve.rate_at(20.0), rel=0.01)
        assert told.vmaf_at(20.0) == pytest.approx(probed.vmaf_at(20.0), abs=0.1)
        assert told.curve.rate_per_crf == TITLE.rate_per_crf
        assert told.curve.ceiling == probed.curve.ceiling
        assert told.spread == 2.0


def test_a_shot_that_was_not_measured_stays_without_a_curve() -> None:
    shots = [Shot(50, curve(800, 4.0, 100.0), 50), Shot(3, None, 0)]
    quick = [Probed(QUICK, 500, 92.0), None]
    assert completed(Shots(shots, TITLE), quick, [100.0] * 3, [2.0] * 2) == shots


def test_nothing_is_told_where_no_probed_shot_was_measured() -> None:
    shots = [Shot(50, curve(800, 4.0, 100.0), 50), Shot(50, None, 0)]
    quick = [None, Probed(QUICK, 500, 92.0)]
    assert completed(Shots(shots, TITLE), quick, [100.0] * 3, [2.0] * 2) == shots


values = st.floats(-10, 15)


@given(st.lists(st.tuples(values, values), min_size=1, max_size=20), values, values)
def test_a_line_never_falls_and_goes_on_with_a_slope_of_one(
    pairs: list[tuple[float, float]], first: float, second: float
) -> None:
    found = line(pairs)
    low, high = sorted((first, second))
    assert found.at(low) <= found.at(high) + 1e-9
    assert found.at(found.most + 2) - found.at(found.most + 1) == pytest.approx(1)
    assert found.at(found.least - 1) - found.at(found.least - 2) == pytest.approx(1)


@given(st.lists(values, min_size=1, max_size=20), st.floats(-5, 5))
def test_what_differs_by_an_offset_is_told_exactly(xs: list[float], offset: float) -> None:
    found = line([(x, x + offset) for x in xs])
    for x in xs:
        assert found.at(x) == pytest.approx(x + offset, abs=1e-6)
