"""Experiments in memory: one that runs."""

from dataclasses import dataclass
from typing import ClassVar

from cuemark.contracts import experiments
from cuemark.contracts.experiments import Cell, Experiment
from cuemark.kit.errors import Refusal
from cuemark.kit.pages import checked_limit
from tests.unit.gateway.neighbours.neighbour import Neighbour

RUNS = "longer-buffer"


@dataclass
class Trials(Neighbour):
    refusals: ClassVar[tuple[type[Refusal], ...]] = experiments.Experiments.refusals

    async def put_experiment(self, request: experiments.PutExperiment) -> Experiment:
        self.check()
        if request.name == RUNS:
            raise experiments.ExperimentRuns(f"{RUNS} runs: stop it, and put it again.")
        return self._experiment(request.name, request.cells)

    async def stop_experiment(self, request: experiments.StopExperiment) -> Experiment:
        self.check()
        if request.name != RUNS:
            raise experiments.UnknownExperiment("There is no experiment of this name.")
        return self._experiment(RUNS, [])

    async def list_experiments(
        self, request: experiments.ListExperiments
    ) -> experiments.ExperimentPage:
        self.check()
        checked_limit(request.limit)
        return experiments.ExperimentPage(experiments=[self._experiment(RUNS, [])])

    async def allocate(self, request: experiments.Allocate) -> experiments.Cells:
        self.check()
        return experiments.Cells()

    def _experiment(self, name: str, cells: list[Cell]) -> Experiment:
        return Experiment(
            name=name,
            layer="player",
            cells=cells,
            share_bp=1000,
            state="running",
            run_id="run_1",
            first_bucket=0,
            started_at=self.clock.now(),
        )
