"""What every part of a title's walk is made of: tasks on the queue, and lines in the ledger."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Literal, Protocol

from cuemark.contexts.encoding.model.chunks import Chunk
from cuemark.contexts.encoding.model.effort import VMAF_EVERY
from cuemark.contexts.encoding.model.gate import Scores, joined
from cuemark.contexts.encoding.service import Ledger
from cuemark.contexts.encoding.stages import scoring
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.store import JobRow
from cuemark.contexts.encoding.tools.ffmpeg import Recipe
from cuemark.contexts.encoding.workflow.tasks import Kind, Priority, Task
from cuemark.contracts.encoding import Codec, Stage
from cuemark.kit.cost import FREE, Cost

Note = Callable[[Ledger], Coroutine[Any, Any, None]]


class Result(Protocol):
    """What comes of a task."""

    def result(self) -> str:
        """Wait for it; raises what the task raised."""


class Steps:
    """The steps of one title's walk, each by name ``record``\\ ed and each task ``enqueue``\\ d.

    Where both are durable, a walk that goes on finds done what was done.
    """

    def __init__(
        self,
        shop: Workshop,
        job: JobRow,
        enqueue: Callable[[Task], Result],
        record: Callable[[str, Note], None],
        vmaf_every: int = VMAF_EVERY,
    ) -> None:
        self._shop = shop
        self._job = job
        self._enqueue = enqueue
        self.record = record
        self.vmaf_every = vmaf_every

    def scoring(self, vmaf_every: int) -> "Steps":
        """The same steps, which score every ``vmaf_every``-th frame."""
        return Steps(self._shop, self._job, self._enqueue, self.record, vmaf_every)

    def all(
        self,
        kind: Literal["encode", "probe"],
        stage: Stage,
        priority: Priority,
        recipes: Sequence[Sequence[Recipe]],
        chunks: Sequence[Chunk],
        names: Sequence[str] = (),
    ) -> list[list[str]]:
        """Run a task for each chunk in each row of recipes, which has one for each chunk.

        ``names`` says what each row is made for, where that is not the title as a whole.
        """
        pending = [
            [
                self._enqueue(
                    self.task(kind, stage, priority, made_for=name, recipe=recipe, chunk=chunk)
                )
                for recipe, chunk in zip(row, chunks, strict=True)
            ]
            for name, row in zip(names or [""] * len(recipes), recipes, strict=True)
        ]
        return [[each.result() for each in row] for row in pending]

    def joined_and_scored(
        self,
        stage: Stage,
        priority: Priority,
        encoded: Sequence[Sequence[str]],
        stretches: Sequence[tuple[int, int]],
        names: Sequence[str],
        codec: Codec = "h264",
    ) -> list[tuple[str, Scores]]:
        """Join each row of encoded chunks and score ``stretches`` of frames of the joined rung."""
        joins = [
            self._enqueue(
                self.task("join", stage, priority, made_for=name, parts=list(row), codec=codec)
            )
            for name, row in zip(names, encoded, strict=True)
        ]
        rungs = [join.result() for join in joins]
        return list(zip(rungs, self.scored(stage, priority, rungs, stretches, names), strict=True))

    def scored(
        self,
        stage: Stage,
        priority: Priority,
        rungs: Sequence[str],
        stretches: Sequence[tuple[int, int]],
        names: Sequence[str] = (),
    ) -> list[Scores]:
        """Score ``stretches`` of frames of joined rungs (their keys); ``names`` as in ``all``."""
        pending = [
            [
                self._enqueue(
                    self.task("score", stage, priority, made_for=name, rung=rung, frames=frames)
                )
                for frames in stretches
            ]
            for name, rung in zip(names or [""] * len(rungs), rungs, strict=True)
        ]
        return [
            joined([scoring.scores_of(self._shop, each.result()) for each in row])
            for row in pending
        ]

    def ceilings(self, stage: Stage, priority: Priority, chunks: Sequence[Chunk]) -> Scores:
        """What the master measures against itself in ``chunks``."""
        pending = [self._enqueue(self.task("ceiling", stage, priority, chunk=c)) for c in chunks]
        return joined([scoring.scores_of(self._shop, each.result()) for each in pending])

    def one(self, kind: Literal["inspect", "shots"], stage: Stage, priority: Priority) -> str:
        self.plan(stage, 1)
        return self._enqueue(self.task(kind, stage, priority)).result()

    def task(self, kind: Kind, stage: Stage, priority: Priority, **what: Any) -> Task:
        fields: dict[str, Any] = {
            "sha256": self._job.master_sha256,
            "trace_id": self._job.trace_id,
            "vmaf_every": self.vmaf_every,
            **what,
        }
        return Task(
            kind=kind,
            version_id=self._job.version_id,
            stage=stage,
            priority=int(priority),
            **fields,
        )

    def plan(self, stage: Stage, total: int) -> None:
        self.record("plan", lambda ledger: ledger.plan(self._job.version_id, stage, total))

    def done(self, stage: Stage, unit: str = "all", cost: Cost = FREE) -> None:
        self.record("done", lambda ledger: ledger.finish(self._job.version_id, stage, unit, cost))
