"""What every part of a title's walk is made of: tasks on the queue, and lines in the ledger."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Literal

from dbos import DBOS

from cuemark.contexts.encoding.model.chunks import Chunk
from cuemark.contexts.encoding.model.gate import Scores, joined
from cuemark.contexts.encoding.stages import pictures
from cuemark.contexts.encoding.stages.packaging import RungToPackage
from cuemark.contexts.encoding.store import JobRow
from cuemark.contexts.encoding.tools.ffmpeg import Film, Recipe
from cuemark.contexts.encoding.workflow.tasks import Kind, Parts, Pending, Priority, Task
from cuemark.contracts.encoding import Stage


class Steps:
    """The steps of one title's walk. Each is durable: a walk that goes on finds it done."""

    def __init__(self, parts: Parts, job: JobRow, enqueue: Callable[[Task], Pending]) -> None:
        self._parts = parts
        self._shop = parts.shop
        self._job = job
        self._enqueue = enqueue

    def rung(
        self, recipe: Recipe, chunks: Sequence[Chunk], scores: Scores, predicted: float | None
    ) -> RungToPackage:
        return RungToPackage(
            key=pictures.rung_key(self._shop, self._job.master_sha256, recipe, chunks),
            width=recipe.width,
            height=recipe.height,
            vmaf_mean=scores.mean,
            vmaf_p5=scores.p5,
            vmaf_predicted=predicted,
        )

    def rate_kbps(self, recipe: Recipe, chunks: Sequence[Chunk], film: Film) -> float:
        size = sum(
            pictures.chunk_bytes(self._shop, self._job.master_sha256, chunk, recipe)
            for chunk in chunks
        )
        seconds = sum(chunk.frames for chunk in chunks) / film.master.picture.rate
        return size * 8 / float(seconds) / 1000

    def all(
        self,
        kind: Literal["encode", "probe"],
        stage: Stage,
        priority: Priority,
        recipes: Sequence[Recipe],
        chunks: Sequence[Chunk],
    ) -> list[list[str]]:
        """Run a task for each recipe and chunk; the results by recipe."""
        pending = [
            [
                self._enqueue(self.task(kind, stage, priority, recipe=recipe, chunk=chunk))
                for chunk in chunks
            ]
            for recipe in recipes
        ]
        return [[each.result() for each in row] for row in pending]

    def joined_and_scored(
        self,
        stage: Stage,
        priority: Priority,
        recipes: Sequence[Recipe],
        chunks: Sequence[Chunk],
        stretches: Sequence[tuple[int, int]],
    ) -> list[tuple[Recipe, Scores]]:
        """Join the chunks of each recipe and score ``stretches`` of frames of the joined rung."""
        joins = [
            self._enqueue(self.task("join", stage, priority, recipe=recipe, chunks=list(chunks)))
            for recipe in recipes
        ]
        rungs = [join.result() for join in joins]
        pending = [
            [
                self._enqueue(self.task("score", stage, priority, rung=rung, frames=frames))
                for frames in stretches
            ]
            for rung in rungs
        ]
        return [
            (recipe, joined([pictures.scores_of(self._shop, each.result()) for each in row]))
            for recipe, row in zip(recipes, pending, strict=True)
        ]

    def one(self, kind: Literal["inspect", "shots"], stage: Stage, priority: Priority) -> str:
        self.plan(stage, 1)
        return self._enqueue(self.task(kind, stage, priority)).result()

    def task(self, kind: Kind, stage: Stage, priority: Priority, **what: Any) -> Task:
        fields: dict[str, Any] = {
            "sha256": self._job.master_sha256,
            "trace_id": self._job.trace_id,
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
        self.step("plan", lambda: self._parts.ledger.plan(self._job.version_id, stage, total))

    def done(self, stage: Stage, unit: str = "all") -> None:
        self.step("done", lambda: self._parts.ledger.finish(self._job.version_id, stage, unit))

    def step(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Write to the ledger as a step of the workflow."""
        DBOS.run_step({"name": name}, lambda: self._parts.loop.insist(work, patience_s=None))
