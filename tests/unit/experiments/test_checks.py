"""What of an experiment is refused, and in which words."""

import contextlib
import re
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.experiments.model import checks
from cuemark.contracts.experiments import (
    Allocate,
    Cell,
    ExperimentInvalid,
    ExperimentRuns,
    LayerFull,
    PutExperiment,
    SettingTaken,
    TooManyExperiments,
)
from cuemark.contracts.experiments.settings import SETTINGS, Amount, Value, defaults
from tests.unit.experiments.runs import CONTROL, LONGER, asked, run_of

ROOT = Path(__file__).parents[3]
GOAL = "player.buffering_goal_s"


def test_an_experiment_of_two_cells_passes() -> None:
    checks.check(asked())


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (asked("Buffer"), "'Buffer' cannot be the name of an experiment"),
        (asked(""), "'' cannot be the name of an experiment"),
        (asked("a\0"), "cannot be the name"),
        (asked("a" * 64), "cannot be the name"),
        (asked(layer="../etc"), "'../etc' cannot be the name of a layer"),
        (asked("buffer", CONTROL, Cell(name="b c")), "'b c' cannot be the name of a cell"),
        (asked(share_bp=0), "1 to 10000 basis points"),
        (asked(share_bp=10_001), "1 to 10000 basis points"),
        (asked("buffer", CONTROL), "compares 2 to 20 cells"),
        (asked("buffer", *(Cell(name=f"c{n}") for n in range(21))), "compares 2 to 20 cells"),
        (asked("buffer", CONTROL, CONTROL), "Two cells are called control"),
        (asked("buffer", CONTROL, Cell(name="b", weight=0)), "The weight of b is not"),
        (asked("buffer", CONTROL, Cell(name="b", weight=10_001)), "The weight of b is not"),
    ],
)
def test_what_is_no_experiment_is_refused_with_one_sentence(
    wanted: PutExperiment, said: str
) -> None:
    with pytest.raises(ExperimentInvalid, match=re.escape(said)):
        checks.check(wanted)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("player.color", 1.0, "'player.color', which there is not: there are player."),
        (GOAL, 3.9, "no number from 4 to 120"),
        (GOAL, 121, "no number from 4 to 120"),
        (GOAL, float("nan"), "no number from 4 to 120"),
        (GOAL, True, "no number from 4 to 120"),
        (GOAL, "60", "no number from 4 to 120"),
        (GOAL, 10**400, "no number from 4 to 120"),
        ("player.use_network_information", 1.0, "neither true nor false"),
        ("player.use_network_information", "true", "neither true nor false"),
    ],
)
def test_a_setting_that_there_is_not_or_out_of_its_bounds_is_refused(
    name: str, value: Value, said: str
) -> None:
    with pytest.raises(ExperimentInvalid, match=said):
        checks.check(asked("buffer", CONTROL, Cell(name="b", settings={name: value})))


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_takes_its_default_and_its_bounds(name: str) -> None:
    setting = SETTINGS[name]
    allowed: list[Value] = [setting.default]
    allowed += [setting.least, setting.most] if isinstance(setting, Amount) else [True, False]
    for value in allowed:
        checks.check(asked("tried", CONTROL, Cell(name="b", settings={name: value})))


def test_the_page_obeys_every_setting_and_no_other() -> None:
    configuration = (ROOT / "web/src/player/configuration.ts").read_text("utf-8")
    obeyed = re.findall(r'settings\["([a-z_.]+)"\]', configuration)
    assert sorted(obeyed) == sorted(SETTINGS)
    told = (ROOT / "docs/reference/http-api.md").read_text("utf-8")
    for name, default in defaults().items():
        shown = msgspec.json.encode(default).decode().removesuffix(".0")
        assert f"| `{name}` | {shown} |" in told


@given(
    st.builds(
        PutExperiment,
        name=st.text(),
        layer=st.text(),
        share_bp=st.integers(),
        cells=st.lists(
            st.builds(
                Cell,
                name=st.text(),
                weight=st.integers(),
                settings=st.dictionaries(
                    st.sampled_from([*SETTINGS, ""]), st.booleans() | st.floats() | st.text()
                ),
            )
        ),
    )
)
def test_whatever_is_asked_for_is_taken_or_refused(wanted: PutExperiment) -> None:
    with contextlib.suppress(ExperimentInvalid):
        checks.check(wanted)
        assert checks.place_of(wanted, []) == 0


def test_what_would_move_units_of_a_running_experiment_is_refused_and_says_so() -> None:
    runs = run_of(asked())
    checks.check_unchanged(asked(), runs)
    heavier = Cell(name="longer", weight=2, settings=LONGER.settings)
    for changed in (
        asked("buffer", CONTROL, heavier),
        asked(share_bp=9000),
        asked(layer="other"),
        asked("buffer", LONGER, CONTROL),
    ):
        with pytest.raises(ExperimentRuns, match="would move members from cell to cell"):
            checks.check_unchanged(changed, runs)
    longest = Cell(name="longer", settings={GOAL: 90.0})
    with pytest.raises(ExperimentRuns, match="other cells of the same name"):
        checks.check_unchanged(asked("buffer", CONTROL, longest), runs)


def test_a_layer_that_is_full_takes_no_more() -> None:
    runs = [
        run_of(asked("a", share_bp=4000), 0),
        run_of(asked("c", share_bp=3000), 5000),
    ]
    assert checks.place_of(asked("b", share_bp=1000), runs) == 4000
    assert checks.place_of(asked("b", share_bp=2000), runs) == 8000
    with pytest.raises(LayerFull, match="no 2500 basis points free together, of 3000 that are"):
        checks.place_of(asked("b", share_bp=2500), runs)


def test_a_setting_belongs_to_one_layer_at_a_time() -> None:
    runs = [run_of(asked("a", share_bp=1000))]
    with pytest.raises(SettingTaken, match=f"a sets {GOAL} in the layer player"):
        checks.place_of(asked("b", layer="other"), runs)
    other = Cell(name="b", settings={"player.default_bandwidth_kbps": 500.0})
    assert checks.place_of(asked("b", CONTROL, other, layer="other"), runs) == 0


def test_a_bounded_number_of_experiments_runs() -> None:
    runs = [run_of(asked(f"e{number}", share_bp=1), number) for number in range(100)]
    with pytest.raises(TooManyExperiments, match="100 experiments run"):
        checks.place_of(asked("more", share_bp=1), runs)


@pytest.mark.parametrize(
    "question",
    [Allocate(unit=""), Allocate(unit="a" * 201), Allocate(unit="a", at=datetime(2026, 1, 1))],
)
def test_a_question_that_cannot_be_is_refused(question: Allocate) -> None:
    with pytest.raises(ExperimentInvalid):
        checks.check_question(question)
