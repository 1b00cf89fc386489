"""The forecast: what was constant goes on, what is new is as those like it, bursts are followed."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuemark.contexts.fill.model.catalog import Catalog, Floats
from cuemark.contexts.fill.model.forecast import Forecast
from tests.unit.fill.worlds import REGIONS, catalog


def fed(of: Catalog, plays: Floats, hours: int) -> Forecast:
    """A forecast that saw the same plays ``[r, f]`` each hour."""
    forecast = Forecast(of, REGIONS)
    for at_h in range(hours):
        forecast.observe(at_h, plays * of.size_bytes)
    return forecast


@settings(max_examples=4, deadline=None)
@given(st.lists(st.floats(2, 200), min_size=12, max_size=12), st.floats(0.5, 2))
def test_the_forecast_of_constant_demand_is_that_demand(rates: list[float], there: float) -> None:
    plays = np.array([rates, [rate * there for rate in rates]])
    forecast = fed(catalog(), plays, 10 * 24)
    for at_h in (240, 247, 256):
        assert forecast.hour(at_h) == pytest.approx(plays, rel=0.15)


def test_a_day_is_the_sum_of_its_hours() -> None:
    plays = np.random.default_rng(1).uniform(0, 9, (2, 12))
    forecast = fed(catalog(), plays, 50)
    hours = sum(forecast.hour(at_h) for at_h in range(50, 74))
    assert forecast.span(50, 74) == pytest.approx(hours)


def test_the_cycle_of_the_day_is_learned_in_local_time() -> None:
    of = catalog()
    forecast = Forecast(of, REGIONS)
    for at_h in range(14 * 24):
        busy = [10.0 if 18 <= region.local_h(at_h) < 24 else 1.0 for region in REGIONS]
        forecast.observe(at_h, np.outer(busy, np.ones(of.files)) * of.size_bytes)
    here_evening, there_noon = forecast.hour(14 * 24 + 19)[:, 0]
    assert here_evening == pytest.approx(10, rel=0.15)
    assert there_noon == pytest.approx(1, rel=0.3)


def test_before_its_release_nothing_is_expected_and_then_what_others_of_its_series_began_with() -> (
    None
):
    titles, day = 9, 24
    released_h = np.array([-10_000] * 6 + [2 * day, 4 * day, 12 * day])
    of = replace(
        catalog(titles),
        series=np.array([-1, -1, -1, 0, 0, 0, 0, 0, 0]),
        released_h=released_h,
    )
    forecast = Forecast(of, REGIONS)
    for at_h in range(12 * day):
        age_h = at_h - of.released_h
        rate = np.where(
            age_h < 0, 0.0, np.where(of.released_h < 0, 1.0, 40 * 0.5 ** (age_h / day / 2))
        )
        plays = np.tile(np.repeat(rate, 2), (2, 1))
        forecast.observe(at_h, plays * of.size_bytes)
        if at_h == 11 * day:
            assert forecast.hour(at_h)[:, -1] == pytest.approx(0)
    new = forecast.hour(12 * day + 6)[:, of.title == 8]
    old = forecast.hour(12 * day + 6)[:, of.title == 0]
    assert new.min() > 10 * old.max()


def test_a_title_that_is_talked_of_is_followed_within_hours_and_the_others_stay() -> None:
    of = catalog()
    plays = np.full((2, of.files), 2.0)
    forecast = fed(of, plays, 14 * 24)
    plays[:, of.title == 0] *= 10
    for at_h in range(14 * 24, 14 * 24 + 6):
        forecast.observe(at_h, plays * of.size_bytes)
    now = forecast.hour(14 * 24 + 6)
    assert now[:, of.title == 0].min() > 10
    assert now[:, of.title != 0].max() < 4


def test_what_nobody_played_and_regions_without_plays_are_finite() -> None:
    of = catalog()
    forecast = fed(of, np.zeros((2, of.files)), 30)
    assert np.isfinite(forecast.span(30, 54)).all()
    assert forecast.span(30, 54).max() < 1e-3
