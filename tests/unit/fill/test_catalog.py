"""Regions: their days are those of their own clocks."""

from cuemark.contexts.fill.model.catalog import Region


def test_the_weekend_is_that_of_the_region() -> None:
    saturday_h = 5 * 24
    assert Region("middle", 0).weekend(saturday_h)
    assert not Region("west", -5).weekend(saturday_h)
    assert Region("far", 9).weekend(saturday_h - 9)
