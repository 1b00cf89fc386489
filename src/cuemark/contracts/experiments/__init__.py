"""Experiments: members are put into cells that differ in settings, to see which does better.

The words are those of Tang, Agarwal, O'Brien and Meyer, "Overlapping Experiment Infrastructure"
(KDD 2010). A *unit* is what is put into cells: an account. A *layer* has experiments of which a
unit is in one at most; those of different layers overlap, and are independent of one another. An
experiment takes a share of its layer's units, and its *cells* share those by their weights. A
setting belongs to one layer at a time, so that no two cells of a unit ever set the same.

Nothing is kept of units: the cell is computed from what the unit is called, which is the
*allocation*. What each play was in is told with it (``PlayStarted``): that is the *exposure*.

Refusal
|-- ExperimentInvalid   a name, cells, a share, a setting or a question is not acceptable; says why
|-- ExperimentRuns      it runs, and what is asked for would move units or change their treatment
|-- LayerFull           the experiments of the layer leave no such share of its units
|-- SettingTaken        an experiment of another layer sets the same, and runs
|-- TooManyExperiments  as many run as may run at once
|-- UnknownExperiment   there is none of this name
`-- PageInvalid         the limit or the cursor of a list is not acceptable
"""

from datetime import datetime
from typing import ClassVar, Final, Literal, Protocol

import msgspec

from cuemark.contracts.experiments.settings import Value
from cuemark.kit.errors import Refusal
from cuemark.kit.pages import PageInvalid

WHOLE_BP: Final = 10_000
"""All units of a layer, in basis points."""
LEAST_CELLS, MOST_CELLS = 2, 20
MOST_WEIGHT = 10_000
MOST_RUNNING = 100


class ExperimentInvalid(Refusal):
    code = "experiment_invalid"
    status = 422


class ExperimentRuns(Refusal):
    code = "experiment_runs"
    status = 409


class LayerFull(Refusal):
    code = "layer_full"
    status = 409


class SettingTaken(Refusal):
    code = "setting_taken"
    status = 409


class TooManyExperiments(Refusal):
    code = "too_many_experiments"
    status = 409


class UnknownExperiment(Refusal):
    code = "unknown_experiment"
    status = 404


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """An arm of an experiment: ``weight`` is its part of the experiment's units, beside the other
    cells' weights. What ``settings`` leaves out is as for everybody."""

    name: str
    weight: int = 1
    settings: dict[str, Value] = {}


class PutExperiment(msgspec.Struct, frozen=True, kw_only=True):
    """Start an experiment on ``share_bp`` of its layer's units, in basis points (1 to 10,000).

    One that runs just so is left alone. One that was stopped starts again: units are then dealt to
    its cells anew, so that no cell goes on with what another one has done to them.
    """

    name: str
    layer: str
    cells: list[Cell]
    share_bp: int


class Experiment(msgspec.Struct, frozen=True, kw_only=True):
    """As it runs, or ran last. ``run_id`` is of the time from ``started_at`` on; an experiment that
    was stopped and started again has another one. It has those of its layer's 10,000 buckets that
    begin at ``first_bucket``, as many as its share."""

    name: str
    layer: str
    cells: list[Cell]
    share_bp: int
    state: Literal["running", "stopped"]
    run_id: str
    first_bucket: int
    started_at: datetime
    stopped_at: datetime | None = None


class StopExperiment(msgspec.Struct, frozen=True, kw_only=True):
    """Its units are in no cell of it from now on; one that is stopped stays so."""

    name: str


class ListExperiments(msgspec.Struct, frozen=True, kw_only=True):
    """By their names. ``limit`` is 1 to 200."""

    after: str = ""
    limit: int = 50


class ExperimentPage(msgspec.Struct, frozen=True, kw_only=True):
    experiments: list[Experiment]
    next_cursor: str = ""


class Allocate(msgspec.Struct, frozen=True, kw_only=True):
    """In which cells is a unit, now or by the experiments that ran at a moment?"""

    unit: str
    at: datetime | None = None


class Cells(msgspec.Struct, frozen=True, kw_only=True):
    """``cells`` are the names of cells by those of their experiments, and ``settings`` all that
    these cells set."""

    cells: dict[str, str] = {}
    settings: dict[str, Value] = {}


class Experiments(Protocol):
    refusals: ClassVar[tuple[type[Refusal], ...]] = (
        ExperimentInvalid,
        ExperimentRuns,
        LayerFull,
        SettingTaken,
        TooManyExperiments,
        UnknownExperiment,
        PageInvalid,
    )

    async def put_experiment(self, request: PutExperiment) -> Experiment: ...

    async def stop_experiment(self, request: StopExperiment) -> Experiment: ...

    async def list_experiments(self, request: ListExperiments) -> ExperimentPage: ...

    async def allocate(self, request: Allocate) -> Cells: ...
