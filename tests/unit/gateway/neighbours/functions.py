"""Functions in memory."""

from dataclasses import dataclass
from typing import ClassVar

from cuemark.contracts import functions
from cuemark.kit.errors import Refusal
from tests.unit.gateway.neighbours.neighbour import FILM, Neighbour

RUN = "run_1"


@dataclass
class Errands(Neighbour):
    """One function that is broken, and one run that failed for good."""

    refusals: ClassVar[tuple[type[Refusal], ...]] = functions.Functions.refusals
    complaint: str = "its header is not TOML"

    async def list_functions(self, request: functions.ListFunctions) -> functions.FunctionList:
        self.check()
        return functions.FunctionList(folder="/functions", functions=[self._function("broken")])

    async def switch_function(self, request: functions.SwitchFunction) -> functions.Function:
        self.check()
        if request.name != "shot-list":
            raise functions.UnknownFunction(f"there is no function {request.name}")
        return self._function("on" if request.on else "off")

    async def list_runs(self, request: functions.ListRuns) -> functions.RunPage:
        self.check()
        return functions.RunPage(runs=[self._run("dead")])

    async def get_run(self, request: functions.GetRun) -> functions.RunReport:
        self.check()
        return functions.RunReport(run=self._known(request.run_id), attempts=[])

    async def retry_run(self, request: functions.RetryRun) -> functions.Run:
        self.check()
        self._known(request.run_id)
        return self._run("waiting")

    def _function(self, state: functions.FunctionState) -> functions.Function:
        return functions.Function(name="shot-list", state=state, on=[], complaint=self.complaint)

    def _known(self, run_id: str) -> functions.Run:
        if run_id != RUN:
            raise functions.UnknownRun(f"there is no run {run_id}")
        return self._run("dead")

    def _run(self, state: functions.RunState) -> functions.Run:
        return functions.Run(
            run_id=RUN,
            function="shot-list",
            event_id="evt_1",
            event="VersionPublished",
            key=FILM,
            state=state,
            attempts=4,
            made_at=self.clock.now(),
            due_at=self.clock.now(),
            reason=self.complaint,
        )
