"""What of an experiment is acceptable, and what may run beside what."""

import re
from collections.abc import Sequence

from cuemark.contexts.experiments.model.allocation import first_fit
from cuemark.contracts.experiments import (
    LEAST_CELLS,
    MOST_CELLS,
    MOST_RUNNING,
    MOST_WEIGHT,
    WHOLE_BP,
    Allocate,
    Cell,
    Experiment,
    ExperimentInvalid,
    ExperimentRuns,
    LayerFull,
    PutExperiment,
    SettingTaken,
    TooManyExperiments,
)
from cuemark.contracts.experiments.settings import SETTINGS, Amount, Value

MOST_UNIT_CHARS = 200
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


def check(asked: PutExperiment) -> None:
    """Raises ``ExperimentInvalid``."""
    _check_name(asked.name, "an experiment")
    _check_name(asked.layer, "a layer")
    if not 1 <= asked.share_bp <= WHOLE_BP:
        raise ExperimentInvalid(
            f"A share is 1 to {WHOLE_BP} basis points of a layer's units, not {asked.share_bp}."
        )
    if not LEAST_CELLS <= len(asked.cells) <= MOST_CELLS:
        raise ExperimentInvalid(f"An experiment compares {LEAST_CELLS} to {MOST_CELLS} cells.")
    names = [cell.name for cell in asked.cells]
    for cell in asked.cells:
        if names.count(cell.name) > 1:
            raise ExperimentInvalid(f"Two cells are called {cell.name}.")
        _check_cell(cell)


def check_question(asked: Allocate) -> None:
    """Raises ``ExperimentInvalid``."""
    if not 1 <= len(asked.unit) <= MOST_UNIT_CHARS:
        raise ExperimentInvalid(f"What a unit is called has 1 to {MOST_UNIT_CHARS} characters.")
    if asked.at is not None and asked.at.tzinfo is None:
        raise ExperimentInvalid("The moment that is asked for has no time zone.")


def place_of(asked: PutExperiment, running: Sequence[Experiment]) -> int:
    """The first of the buckets that an experiment gets beside those that run.

    Raises ``SettingTaken``, ``LayerFull`` and ``TooManyExperiments``.
    """
    if len(running) >= MOST_RUNNING:
        raise TooManyExperiments(f"{MOST_RUNNING} experiments run: stop one first.")
    wanted = _settings_of(asked.cells)
    for each in running:
        both = sorted(wanted & _settings_of(each.cells)) if each.layer != asked.layer else []
        if both:
            raise SettingTaken(
                f"{each.name} sets {both[0]} in the layer {each.layer}: "
                "put this experiment into that layer, or stop that one first."
            )
    beside = [each for each in running if each.layer == asked.layer]
    first = first_fit(beside, asked.share_bp)
    if first is None:
        free = WHOLE_BP - sum(each.share_bp for each in beside)
        raise LayerFull(
            f"The layer {asked.layer} has no {asked.share_bp} basis points free together, "
            f"of {free} that are: stop an experiment of it, or take a smaller share."
        )
    return first


def check_unchanged(asked: PutExperiment, runs: Experiment) -> None:
    """Raises ``ExperimentRuns`` where what is asked for is not what runs."""
    if _dealt(asked) != _dealt(runs):
        raise ExperimentRuns(
            f"{runs.name} runs: another layer or share, other cells or weights would move members "
            "from cell to cell. Stop it, and put it again."
        )
    if asked.cells != runs.cells:
        raise ExperimentRuns(
            f"{runs.name} runs: other settings would make other cells of the same name. "
            "Stop it, and put it again."
        )


def _check_name(name: str, what: str) -> None:
    if not _NAME.fullmatch(name):
        raise ExperimentInvalid(
            f"{name[:64]!r} cannot be the name of {what}: "
            "it has up to 63 of a to z, 0 to 9, dot, dash and underscore."
        )


def _check_cell(cell: Cell) -> None:
    _check_name(cell.name, "a cell")
    if not 1 <= cell.weight <= MOST_WEIGHT:
        raise ExperimentInvalid(f"The weight of {cell.name} is not 1 to {MOST_WEIGHT}.")
    for name, value in cell.settings.items():
        _check_setting(cell.name, name, value)


def _check_setting(cell: str, name: str, value: Value) -> None:
    setting = SETTINGS.get(name)
    if setting is None:
        raise ExperimentInvalid(
            f"{cell} sets {name[:64]!r}, which there is not: there are {', '.join(SETTINGS)}."
        )
    if not isinstance(setting, Amount):
        if not isinstance(value, bool):
            raise ExperimentInvalid(f"{cell} sets {name} to what is neither true nor false.")
        return
    # A bool is an int to Python, and NaN is within no bounds.
    if isinstance(value, bool | str) or not setting.least <= value <= setting.most:
        raise ExperimentInvalid(
            f"{cell} sets {name} to what is no number from {setting.least:g} to {setting.most:g}."
        )


def _settings_of(cells: Sequence[Cell]) -> set[str]:
    return {name for cell in cells for name in cell.settings}


def _dealt(asked: PutExperiment | Experiment) -> tuple[str, int, list[tuple[str, int]]]:
    """What decides who is in which cell."""
    cells = [(cell.name, cell.weight) for cell in asked.cells]
    return asked.layer, asked.share_bp, cells
