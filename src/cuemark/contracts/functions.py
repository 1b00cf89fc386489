"""Functions: small programs of the operator's own, run once for each event they are bound to.

A run is one function on one event. It has as many attempts as the function's header allows.

    Refusal
    |-- UnknownFunction  no function has this name
    |-- UnknownRun       no run has this id
    |-- RunNotOver       the run is not one that failed for good, so it cannot be tried again
    `-- PageInvalid      the limit or the cursor of a list is not acceptable
"""

from datetime import datetime
from typing import ClassVar, Literal, Protocol

import msgspec

from cuemark.kit.errors import Refusal
from cuemark.kit.pages import PageInvalid

TOPIC = "functions"

FunctionState = Literal["on", "off", "broken", "gone"]
"""``off`` by command, ``broken`` where its file or header cannot be used, ``gone`` where there is
no file any more."""
RunState = Literal["waiting", "running", "done", "dead"]
"""``dead``: its last attempt failed, and it is not tried again unless that is asked for."""


class UnknownFunction(Refusal):
    code = "unknown_function"
    status = 404


class UnknownRun(Refusal):
    code = "unknown_run"
    status = 404


class RunNotOver(Refusal):
    code = "run_not_over"
    status = 409


class ListFunctions(msgspec.Struct, frozen=True, kw_only=True):
    pass


class Function(msgspec.Struct, frozen=True, kw_only=True):
    """A function and what became of its runs. ``complaint`` says what is wrong where it is broken.

    ``done`` and ``dead`` count the runs that are still on record.
    """

    name: str
    state: FunctionState
    on: list[str]
    complaint: str = ""
    waiting: int = 0
    running: int = 0
    done: int = 0
    dead: int = 0


class FunctionList(msgspec.Struct, frozen=True, kw_only=True):
    """``folder`` is where their files are."""

    folder: str
    functions: list[Function]


class SwitchFunction(msgspec.Struct, frozen=True, kw_only=True):
    """Off, a function stands where it is in the log. On again, it goes on from there, or from now
    on where ``from_now`` says so."""

    name: str
    on: bool
    from_now: bool = False


class ListRuns(msgspec.Struct, frozen=True, kw_only=True):
    """The newest first. ``after`` is the ``next_cursor`` of the page before; ``limit`` 1 to 200.

    ``function`` and ``dead_only`` leave out others.
    """

    after: str = ""
    limit: int = 50
    function: str = ""
    dead_only: bool = False


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """``event`` is its kind, such as ``encoding.VersionPublished``, and ``key`` what it is about.

    ``due_at`` is when its next attempt may begin, ``reason`` why the last one failed, and
    ``output`` the folder of what it left, relative to the data folder.
    """

    run_id: str
    function: str
    event_id: str
    event: str
    key: str
    state: RunState
    attempts: int
    made_at: datetime
    due_at: datetime
    ended_at: datetime | None = None
    reason: str = ""
    output: str = ""
    trace_id: str = ""


class RunPage(msgspec.Struct, frozen=True, kw_only=True):
    runs: list[Run]
    next_cursor: str = ""


class GetRun(msgspec.Struct, frozen=True, kw_only=True):
    run_id: str


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One try. ``code_sha256`` is of the file as it ran; ``stdout`` and ``stderr`` are their ends.

    ``ended_at`` is None while it runs.
    """

    number: int
    begun_at: datetime
    ended_at: datetime | None
    code_sha256: str
    reason: str
    wall_s: float
    cpu_s: float
    peak_bytes: int
    printed_bytes: int
    stdout: str
    stderr: str


class RunReport(msgspec.Struct, frozen=True, kw_only=True):
    """A run with its attempts, the first of them first."""

    run: Run
    attempts: list[Attempt]


class RetryRun(msgspec.Struct, frozen=True, kw_only=True):
    """Try a dead run again, with as many attempts as a new one has."""

    run_id: str


class RunDied(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """A run failed for good. Of a run on an event like this one, no such event is told."""

    run_id: str
    function: str
    event_id: str
    event: str
    reason: str


class Functions(Protocol):
    refusals: ClassVar[tuple[type[Refusal], ...]] = (
        UnknownFunction,
        UnknownRun,
        RunNotOver,
        PageInvalid,
    )

    async def list_functions(self, request: ListFunctions) -> FunctionList: ...

    async def switch_function(self, request: SwitchFunction) -> Function: ...

    async def list_runs(self, request: ListRuns) -> RunPage: ...

    async def get_run(self, request: GetRun) -> RunReport: ...

    async def retry_run(self, request: RetryRun) -> Run: ...
