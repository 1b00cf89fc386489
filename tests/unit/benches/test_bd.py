"""BD-rate against numbers that others published and computed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benches.encoding.bd import ascending, bd_rate, pchip

RATES = st.floats(1.2, 3.0)


def test_the_published_example() -> None:
    """The example of the package ``bjontegaard`` (1.3.0), as that prints it for ``pchip``."""
    anchor = [(9487.76, 40.037), (4593.60, 38.615), (2486.44, 36.845), (1358.24, 34.851)]
    test = [(9787.80, 40.121), (4469.00, 38.651), (2451.52, 36.970), (1356.24, 34.987)]
    assert bd_rate(anchor, test) == pytest.approx(-4.417485350589045, abs=1e-5)


def test_curves_of_different_length_and_with_little_overlap() -> None:
    """Computed with SciPy 1.17's ``PchipInterpolator``, integrated exactly."""
    anchor = [(235, 40.1), (560, 61.2), (1050, 75.3), (1750, 84.9), (3000, 91.0), (5800, 96.2)]
    test = [(180, 42.0), (420, 60.5), (900, 77.2), (1500, 86.1), (2600, 93.4)]
    assert bd_rate(anchor, test) == pytest.approx(-23.826112089230776, abs=1e-4)


@given(st.lists(st.tuples(RATES, st.floats(0.5, 9.0)), min_size=2, max_size=8), st.floats(0.3, 3.0))
def test_a_curve_scaled_in_rate_differs_by_that(
    steps: list[tuple[float, float]], factor: float
) -> None:
    rate, quality = 100.0, 30.0
    curve = []
    for times, more in steps:
        rate, quality = rate * times, quality + more
        curve.append((rate, quality))
    scaled = [(rate * factor, quality) for rate, quality in curve]
    assert bd_rate(curve, scaled) == pytest.approx(100 * (factor - 1), abs=1e-6)


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=9))
def test_the_interpolant_meets_its_points_and_stays_between_neighbours(ys: list[float]) -> None:
    x = np.arange(len(ys), dtype=np.float64)
    y = np.array(ys)
    assert pchip(x, y, x) == pytest.approx(y, abs=1e-9)
    at = np.linspace(0, len(ys) - 1, 97)
    piece = np.minimum(at.astype(int), len(ys) - 2)
    found = pchip(x, y, at)
    assert (found <= np.maximum(y[piece], y[piece + 1]) + 1e-9).all()
    assert (found >= np.minimum(y[piece], y[piece + 1]) - 1e-9).all()


def test_points_that_are_beaten_count_for_nothing() -> None:
    assert ascending([(300, 80), (100, 60), (200, 59), (250, 80)]) == [(100, 60), (250, 80)]


def test_qualities_that_do_not_overlap_have_no_difference() -> None:
    assert bd_rate([(100, 50), (200, 60)], [(100, 70), (200, 80)]) is None
    assert bd_rate([(100, 50)], [(100, 50), (200, 80)]) is None
