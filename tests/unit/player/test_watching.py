"""What becomes of a download that is watched."""

import pytest

from cuemark.player.download import DownloadFailed, Progress
from cuemark.player.watching import STALLING_S, Around, Watching

LADDER_KBPS = [300.0, 1200.0]
SEGMENT_S = 4.0
SIZE_BYTES = 150_000
EVERY_S = 0.1


def around(**changed: float | bool | None) -> Around:
    usual = Around(left_s=8, begun=True, usual_kbps=3000, superseded=False, elsewhere=True)
    return Around(
        **{name: changed.get(name, getattr(usual, name)) for name in usual.__struct_fields__}
    )


def left_after_s(
    kbps: float, play: Around, rung: int = 0, watching: Watching | None = None
) -> float | None:
    """When the appliance is left, in seconds after it was asked; None where it delivers all."""
    watching = watching or Watching(LADDER_KBPS, rung, SEGMENT_S, lambda: play)
    elapsed_s = received = 0.0
    while received < SIZE_BYTES:
        elapsed_s += EVERY_S
        received += kbps * 125 * EVERY_S
        try:
            assert watching(Progress(int(received), SIZE_BYTES, elapsed_s))
        except DownloadFailed:
            return elapsed_s
    return None


def test_an_appliance_that_trickles_is_left_before_the_picture_stands_still() -> None:
    at_s = left_after_s(10, around())
    assert at_s is not None
    assert STALLING_S <= at_s <= STALLING_S + 1


@pytest.mark.parametrize(
    "play",
    [
        around(left_s=25),
        around(elsewhere=False),
        around(usual_kbps=None),
        around(usual_kbps=39),
    ],
    ids=["much ahead", "nobody else", "nothing known", "it never was quicker"],
)
def test_it_is_waited_for_where_leaving_it_would_be_too_soon_or_no_use(play: Around) -> None:
    assert left_after_s(10, play) is None


def test_a_line_that_carries_but_less_than_the_film_takes_is_no_trickle() -> None:
    """A line with a store of tokens is quick at first, and then is what it is."""
    assert left_after_s(0.5 * LADDER_KBPS[0], around(usual_kbps=3000)) is None


def test_of_one_segment_one_appliance_is_left() -> None:
    watching = Watching(LADDER_KBPS, 0, SEGMENT_S, around)
    assert left_after_s(10, around(), watching=watching) is not None
    assert left_after_s(10, around(), watching=watching) is None


def test_a_hiccup_is_no_trickle() -> None:
    watching = Watching(LADDER_KBPS, 0, SEGMENT_S, around)
    for tenth in range(1, 60):
        sent = 10_000 * (min(tenth, 10) + max(0, tenth - 25))
        assert watching(Progress(sent, 4 * SIZE_BYTES, tenth / 10))


def test_a_higher_rung_that_comes_too_late_gives_way_to_a_lower_one() -> None:
    watching = Watching(LADDER_KBPS, 1, SEGMENT_S, around)
    assert not watching(Progress(20_000, 600_000, 1.0))
    assert watching.lower == 0


def test_an_earlier_segment_that_must_come_first_stops_it() -> None:
    watching = Watching(LADDER_KBPS, 1, SEGMENT_S, lambda: around(superseded=True))
    assert not watching(Progress(500_000, 600_000, 1.0))
    assert watching.lower is None
