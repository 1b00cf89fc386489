"""Whole viewings on changing lines: down, up again, no stall, no swinging."""

import random
from itertools import pairwise
from pathlib import Path

import pytest

from cuemark.player.line import Line, parse
from tests.simulation.viewing import Film, Viewer, Viewing

LADDER = [235.0, 560.0, 1050.0, 2350.0, 4300.0]
SEGMENT_S = 2.0
TRACES = Path(__file__).parents[3] / "shared" / "traces"


def film(seconds: float, seed: int = 1) -> Film:
    """Segments that vary by a quarter around their rung's rate, alike in all rungs."""
    chance = random.Random(seed)
    swings = [chance.uniform(0.75, 1.25) for _ in range(int(seconds / SEGMENT_S))]
    sizes = [[int(kbps * 125 * SEGMENT_S * swing) for kbps in LADDER] for swing in swings]
    return Film(LADDER, SEGMENT_S, sizes)


def watched(profile: str, seconds: float = 120, seed: int = 1) -> Viewing:
    return Viewer(film(seconds, seed), parse(profile)).watch()


def late_stalls(viewing: Viewing) -> list[tuple[float, float]]:
    return [stall for stall in viewing.stalls if stall[0] > 5]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("thin_kbps", [400, 600, 1300])
def test_a_fall_of_the_line_leads_down_and_its_return_up_again(seed: int, thin_kbps: int) -> None:
    viewing = watched(f"8000,{thin_kbps}@5s,8000@65s", 160, seed)
    assert late_stalls(viewing) == []
    top = len(LADDER) - 1
    before = max(r for r, at_s in zip(viewing.rungs, viewing.fetched_at_s, strict=True) if at_s < 6)
    thin = [
        r for r, at_s in zip(viewing.rungs, viewing.fetched_at_s, strict=True) if 25 < at_s < 65
    ]
    assert before == top
    assert min(thin) < top
    assert max(LADDER[rung] for rung in thin[len(thin) // 2 :]) <= 1.5 * thin_kbps
    assert viewing.rungs[-5:] == [top] * 5


@pytest.mark.parametrize("seed", range(8))
def test_any_line_above_the_lowest_rung_with_a_margin_never_stalls(seed: int) -> None:
    chance = random.Random(seed)
    starts_s = [float(10 * n) for n in range(20)]
    line = Line(starts_s, [chance.uniform(1.5 * LADDER[0], 9000) for _ in starts_s])
    viewing = Viewer(film(180, seed), line).watch()
    assert late_stalls(viewing) == []


@pytest.mark.parametrize("kbps", [300, 700, 1100, 1200, 2400, 2600, 4500])
def test_a_steady_line_is_no_reason_to_swing(kbps: int) -> None:
    rungs = watched(str(kbps), 240).rungs[15:]
    assert max(rungs) - min(rungs) <= 1
    assert sum(1 for one, next_ in pairwise(rungs) if one != next_) <= len(rungs) // 6


def test_a_line_that_rests_for_a_while_is_outlasted_by_the_buffer() -> None:
    assert late_stalls(watched("6000,0@60s,6000@70s")) == []


@pytest.mark.parametrize("folder", ["sabre_fcc_sd", "sabre_fcc_hd", "sabre_ghent_4g"])
def test_measured_lines_that_carry_the_film_are_watched_without_a_stall(folder: str) -> None:
    """The mean over measured lines, where they lie beside this checkout.

    None of them has chosen a parameter.
    """
    if not TRACES.is_dir():
        return
    chosen = sorted((TRACES / folder).iterdir())[::20]
    shares = [
        Viewer(film(180), parse(path.read_text())).watch().stalled_share(film(180))
        for path in chosen
    ]
    assert sum(shares) / len(shares) < 0.01
