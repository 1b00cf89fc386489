"""Windows: open by the clock of the region."""

import pytest

from cuemark.contexts.fill.model.catalog import Region
from cuemark.contexts.fill.model.windows import Window


def test_a_window_opens_by_local_time() -> None:
    window, tokyo = Window(2, 14, 7), Region("tokyo", 9)
    open_h = [at_h for at_h in range(24) if window.allowance_bytes(tokyo, at_h)]
    assert [(at_h + 9) % 24 for at_h in open_h] == [*range(9, 14), *range(2, 9)]
    assert window.allowance_bytes(tokyo, open_h[0]) == 7


def test_a_window_may_go_past_midnight() -> None:
    assert [h for h in range(24) if Window(22, 4, 1).open(h)] == [0, 1, 2, 3, 22, 23]


@pytest.mark.parametrize(("from_h", "to_h", "rate"), [(2, 2, 1), (24, 3, 1), (2, 25, 1), (2, 4, 0)])
def test_windows_that_mean_nothing_are_refused(from_h: int, to_h: int, rate: int) -> None:
    with pytest.raises(ValueError, match=r"window|rate"):
        Window(from_h, to_h, rate)


def test_the_weekend_is_that_of_the_region() -> None:
    saturday_h = 5 * 24
    assert Region("middle", 0).weekend(saturday_h)
    assert not Region("west", -5).weekend(saturday_h)
    assert Region("far", 9).weekend(saturday_h - 9)
