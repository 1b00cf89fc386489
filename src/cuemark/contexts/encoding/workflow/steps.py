"""What every part of a title's walk is made of: tasks on the queue, and lines in the ledger."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Literal, Protocol

from cuemark.contexts.encoding.model.chunks import Chunk
from cuemark.contexts.encoding.model.color import Look
from cuemark.contexts.encoding.model.effort import VMAF_EVERY
from cuemark.contexts.encoding.model.fairness import Urgency
from cuemark.contexts.encoding.model.gate import Scores, joined
from cuemark.contexts.encoding.model.grain import Grain
from cuemark.contexts.encoding.service import Ledger
from cuemark.contexts.encoding.stages import graining, scoring
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.store import JobRow
from cuemark.contexts.encoding.tools.ffmpeg import Recipe
from cuemark.contexts.encoding.workflow.tasks import Kind, Task
from cuemark.contracts.encoding.jobs import Stage
from cuemark.contracts.encoding.versions import Codec
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
        urgency: Urgency,
        recipes: Sequence[Sequence[Recipe]],
        chunks: Sequence[Chunk],
        names: Sequence[str] = (),
        *,
        without_grain: bool = False,
    ) -> list[list[str]]:
        """Run a task for each chunk in each row of recipes, which has one for each chunk.

        ``names`` says what each row is made for, where that is not the title as a whole. Probes
        are compared ``without_grain`` or with it.
        """
        pending = [
            [
                self._enqueue(
                    self.task(
                        *(kind, stage, urgency),
                        made_for=name,
                        recipe=recipe,
                        chunk=chunk,
                        without_grain=without_grain,
                    )
                )
                for recipe, chunk in zip(row, chunks, strict=True)
            ]
            for name, row in zip(names or [""] * len(recipes), recipes, strict=True)
        ]
        return [[each.result() for each in row] for row in pending]

    def joined_and_scored(
        self,
        stage: Stage,
        urgency: Urgency,
        encoded: Sequence[Sequence[str]],
        stretches: Sequence[tuple[int, int]],
        names: Sequence[str],
        codec: Codec = "h264",
        look: Look | None = None,
        *,
        without_grain: bool = False,
    ) -> list[tuple[str, Scores]]:
        """Join each row of encoded chunks and score ``stretches`` of frames of the joined rung.

        ``without_grain`` as in ``scored``.
        """
        joins = [
            self._enqueue(
                self.task("join", stage, urgency, made_for=name, parts=list(row), codec=codec)
            )
            for name, row in zip(names, encoded, strict=True)
        ]
        rungs = [join.result() for join in joins]
        scores = self.scored(
            stage, urgency, rungs, stretches, names, look, without_grain=without_grain
        )
        return list(zip(rungs, scores, strict=True))

    def scored(
        self,
        stage: Stage,
        urgency: Urgency,
        rungs: Sequence[str],
        stretches: Sequence[tuple[int, int]],
        names: Sequence[str] = (),
        look: Look | None = None,
        *,
        without_grain: bool = False,
    ) -> list[Scores]:
        """Score ``stretches`` of frames of joined rungs (their keys); ``names`` as in ``all``.

        Without a ``look`` the rungs have the one that every device can show. They and the film
        are compared ``without_grain`` or with it.
        """
        pending = [
            [
                self._enqueue(
                    self.task(
                        "score",
                        stage,
                        urgency,
                        made_for=name,
                        rung=rung,
                        frames=frames,
                        look=look,
                        without_grain=without_grain,
                    )
                )
                for frames in stretches
            ]
            for name, rung in zip(names or [""] * len(rungs), rungs, strict=True)
        ]
        return [
            joined([scoring.scores_of(self._shop, each.result()) for each in row])
            for row in pending
        ]

    def ceilings(self, stage: Stage, urgency: Urgency, chunks: Sequence[Chunk]) -> Scores:
        """What the master measures against itself in ``chunks``."""
        pending = [self._enqueue(self.task("ceiling", stage, urgency, chunk=c)) for c in chunks]
        return joined([scoring.scores_of(self._shop, each.result()) for each in pending])

    def grain(self) -> Grain:
        """How much grain the film has: one more look at it, of the stage of its shots."""
        self.plan("shots", 2)
        self._enqueue(self.task("grain", "shots", Urgency.FULL)).result()
        return graining.grain_of(self._shop, self._job.master_sha256)

    def one(self, kind: Literal["inspect", "shots"], stage: Stage, urgency: Urgency) -> str:
        self.plan(stage, 1)
        return self._enqueue(self.task(kind, stage, urgency)).result()

    def task(self, kind: Kind, stage: Stage, urgency: Urgency, **what: Any) -> Task:
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
            urgency=urgency,
            **fields,
        )

    def plan(self, stage: Stage, total: int) -> None:
        self.record("plan", lambda ledger: ledger.plan(self._job.version_id, stage, total))

    def done(self, stage: Stage, unit: str = "all", cost: Cost = FREE) -> None:
        self.record("done", lambda ledger: ledger.finish(self._job.version_id, stage, unit, cost))
