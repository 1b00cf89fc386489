"""In which cells units are: always the same, in fair parts, and apart from what else runs."""

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Sequence

from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.experiments.model.allocation import allocate, bucket_of, first_fit
from cuemark.contracts.experiments import WHOLE_BP, Cell, Experiment
from tests.unit.experiments.runs import CONTROL, LONGER, asked, run_of

UNITS = [f"acc_{number}" for number in range(100_000)]
SIGMAS = 5.0
"""A fair part is further off once in two million draws; which units there are is fixed."""
NAMES = st.sampled_from(["a", "b", "c", "d", "e", "f"])
UNIT = st.text(min_size=1, max_size=40)


@st.composite
def running(draw: st.DrawFn) -> list[Experiment]:
    """What may run at the same time in one layer, each put as it can be."""
    found: list[Experiment] = []
    for name in draw(st.lists(NAMES, unique=True, max_size=6)):
        weights = draw(st.lists(st.integers(1, 100), min_size=2, max_size=4))
        cells = [Cell(name=f"c{number}", weight=each) for number, each in enumerate(weights)]
        share_bp = draw(st.integers(1, 5000))
        first = first_fit(found, share_bp)
        if first is not None:
            wanted = asked(name, *cells, share_bp=share_bp)
            found.append(run_of(wanted, first, run_id=f"run_{name}"))
        stops: bool = draw(st.booleans())
        if found and stops:
            found.pop(draw(st.integers(0, len(found) - 1)))
    return found


@given(running(), running(), UNIT)
def test_what_runs_in_other_layers_moves_nobody(
    here: list[Experiment], elsewhere: list[Experiment], unit: str
) -> None:
    others = [
        run_of(asked(f"other-{each.name}", *each.cells, layer="other", share_bp=each.share_bp))
        for each in elsewhere
    ]
    alone = allocate(here, unit).cells
    beside = allocate([*others, *here], unit).cells
    assert {name: cell for name, cell in beside.items() if not name.startswith("other-")} == alone


@given(running(), UNIT)
def test_a_unit_is_in_one_experiment_of_a_layer_at_most(here: list[Experiment], unit: str) -> None:
    assert len(allocate(here, unit).cells) <= 1


@given(running(), UNIT)
def test_stopping_one_experiment_moves_no_unit_of_another(
    here: list[Experiment], unit: str
) -> None:
    for stopped in here:
        left = [each for each in here if each is not stopped]
        before = allocate(here, unit).cells
        before.pop(stopped.name, None)
        assert allocate(left, unit).cells == before


@given(running())
def test_experiments_of_a_layer_have_buckets_of_their_own(here: list[Experiment]) -> None:
    held = Counter(
        bucket
        for each in here
        for bucket in range(each.first_bucket, each.first_bucket + each.share_bp)
    )
    assert all(0 <= bucket < WHOLE_BP for bucket in held)
    assert set(held.values()) <= {1}


@given(running(), st.integers(1, WHOLE_BP))
def test_a_range_is_found_wherever_there_is_one(here: list[Experiment], share_bp: int) -> None:
    taken = {
        bucket
        for each in here
        for bucket in range(each.first_bucket, each.first_bucket + each.share_bp)
    }
    # The lowest range that is free begins at the layer's own beginning, or where another one ends.
    ends = sorted({0, *(each.first_bucket + each.share_bp for each in here)})
    fits = [
        first
        for first in ends
        if first + share_bp <= WHOLE_BP and taken.isdisjoint(range(first, first + share_bp))
    ]
    assert first_fit(here, share_bp) == (fits[0] if fits else None)


def test_shares_and_weights_hold() -> None:
    cells = [Cell(name="a", weight=1), Cell(name="b", weight=2), Cell(name="c", weight=7)]
    small = run_of(asked("small", *cells, share_bp=1000), 0, "run_small")
    large = run_of(asked("large", share_bp=6000), 1000, "run_large")
    told = Counter(
        next(iter(allocate([small, large], unit).cells.items()), ("none", "")) for unit in UNITS
    )
    parts = {
        ("small", "a"): 0.01,
        ("small", "b"): 0.02,
        ("small", "c"): 0.07,
        ("large", "control"): 0.3,
        ("large", "longer"): 0.3,
        ("none", ""): 0.3,
    }
    assert told.keys() == parts.keys()
    for key, part in parts.items():
        spread = math.sqrt(len(UNITS) * part * (1 - part))
        assert abs(told[key] - len(UNITS) * part) < SIGMAS * spread, key


def test_layers_are_independent_of_one_another() -> None:
    four = [Cell(name=name) for name in "abcd"]
    one = run_of(asked("one", *four, layer="one"), 0, "run_one")
    other = run_of(asked("other", *four, layer="other"), 0, "run_other")
    cells = [tuple(allocate([one, other], unit).cells.values()) for unit in UNITS]
    assert _chi_square(cells) < 30  # of 9 degrees: by chance above that once in 2,300
    halves = [(bucket_of("one", unit) < 5000, bucket_of("other", unit) < 5000) for unit in UNITS]
    assert _chi_square(halves) < 11  # of one degree: by chance above that once in 1,100
    same = [(cell, cell) for cell, _ in cells]
    assert _chi_square(same) > 100_000


def test_a_run_that_follows_deals_the_same_units_anew() -> None:
    before, after = (run_of(asked(), 0, run_id) for run_id in ("run_1", "run_2"))
    cells = [
        (allocate([before], unit).cells["buffer"], allocate([after], unit).cells["buffer"])
        for unit in UNITS
    ]
    assert _chi_square(cells) < 11
    assert 0.49 < sum(old != new for old, new in cells) / len(UNITS) < 0.51


def test_a_cell_sets_what_it_says_and_the_others_nothing() -> None:
    run = run_of(asked("buffer", CONTROL, LONGER))
    for unit in UNITS[:100]:
        found = allocate([run], unit)
        longer = found.cells == {"buffer": "longer"}
        assert found.settings == (LONGER.settings if longer else {})


def test_units_stay_where_they_are_from_release_to_release() -> None:
    """What is computed here is written down: with another hash running experiments would mix."""
    run = run_of(asked(share_bp=5000))
    told = [allocate([run], unit).cells.get("buffer", "-") for unit in UNITS[:10_000]]
    digest = hashlib.sha256(",".join(told).encode()).hexdigest()
    assert digest == "fbacc14bda3623b00ab6f3a531124265ee9c7d00293200f664242f29db0e08ac"


def _chi_square(pairs: Iterable[Sequence[object]]) -> float:
    """Pearson's statistic of how far two labels are from being independent."""
    both = Counter((first, second) for first, second in pairs)
    total = sum(both.values())
    firsts, seconds = Counter[object](), Counter[object]()
    for (first, second), count in both.items():
        firsts[first] += count
        seconds[second] += count
    return sum(
        (both[first, second] - expected) ** 2 / expected
        for first in firsts
        for second in seconds
        if (expected := firsts[first] * seconds[second] / total)
    )
