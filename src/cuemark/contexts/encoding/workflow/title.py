"""A title's walk from master to versions: what is to be done next, from what is done."""

import os
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Literal

import msgspec
import structlog
from dbos import DBOS
from sqlalchemy.exc import DBAPIError

from cuemark.contexts.encoding.model import ladder as ladder_rules
from cuemark.contexts.encoding.model.chunks import Chunk, chunk_plan, excerpts, sampled
from cuemark.contexts.encoding.model.gate import (
    WITHIN_VMAF,
    Scores,
    broken_shots,
    joined,
    meets_prediction,
    quick_gate,
)
from cuemark.contexts.encoding.model.ladder import NoLadder, Probed, Rung
from cuemark.contexts.encoding.stages import pictures
from cuemark.contexts.encoding.stages.measuring import Measured
from cuemark.contexts.encoding.stages.packaging import (
    CaptionsToPackage,
    Order,
    RungToPackage,
    caption_notes,
)
from cuemark.contexts.encoding.store import JobRow
from cuemark.contexts.encoding.tools.ffmpeg import Film, Recipe
from cuemark.contexts.encoding.tools.run import ToolFailed
from cuemark.contexts.encoding.workflow.tasks import Kind, Parts, Pending, Priority, Task
from cuemark.contracts.encoding import MasterRejected, Quality, Stage, Version
from cuemark.contracts.ids import VersionId
from cuemark.kit.errors import ContractError

FULL_PRESET, QUICK_PRESET = "medium", "veryfast"
QUICK_TOP_LINES, QUICK_CRF = 720, 23.0
PROBE_FRAMES = 1500
QUICK_EXCERPTS, QUICK_EXCERPT_FRAMES = 3, 24
MAX_CORRECTIONS = 2


_Tracks = tuple[str | None, list[CaptionsToPackage]]
_Rungs = tuple[list[RungToPackage], Measured]


class QualityRefused(Exception):
    """A rung does not look as it must; the text says which, and how it measured."""


class TitleWalk:
    """One title on its way: what to do next, from what is done. Deterministic, as DBOS asks."""

    def __init__(self, parts: Parts, job: JobRow, enqueue: Callable[[Task], Pending]) -> None:
        self._parts = parts
        self._shop = parts.shop
        self._job = job
        self._enqueue = enqueue

    def run(self) -> None:
        """Publish a quick and then a full version, or say in one sentence why not."""
        try:
            self._make()
        except (MasterRejected, QualityRefused, ToolFailed, NoLadder) as error:
            self._fail(str(error))
        except ContractError as error:
            self._fail(f"a part of the service was away for too long: {error}")
        except DBAPIError:
            # The database went away under DBOS itself. Nothing is lost: the next start of this
            # worker takes the title up where it was.
            structlog.get_logger().exception("worker_gives_up", version_id=self._job.version_id)
            os._exit(os.EX_TEMPFAIL)
        except Exception:  # noqa: BLE001
            # The outer loop of a job: whatever it is, the job must not stay open for ever.
            structlog.get_logger().exception("encoding_failed", version_id=self._job.version_id)
            self._fail(
                "encoding failed for a reason of our own: the log has it under the trace "
                f"{self._job.trace_id}"
            )

    def _make(self) -> None:
        self._one("inspect", "inspect", Priority.INSPECT)
        self._one("shots", "shots", Priority.INSPECT)
        film = pictures.film_of(self._shop, self._job.master_sha256)
        shots = pictures.shots_of(self._shop, self._job.master_sha256)
        if notes := film.master.notes:
            # Only a film with notes has this step: a walk begun before there were any goes on.
            self._step("note", lambda: self._parts.ledger.note(self._job.version_id, notes))
        chunks = chunk_plan(shots.starts, film.master.frames, film.master.picture.rate)
        tracks = self._begin_tracks(film)
        quick = self._quick_rungs(film, chunks, shots.starts)
        sound, captions = tracks()
        if odd := caption_notes(self._shop, captions):
            said = [*notes, *odd]
            self._step("note", lambda: self._parts.ledger.note(self._job.version_id, said))
        self._publish(
            self._job.quick_version_id, "quick", quick, sound, captions, Priority.QUICK_FINISH
        )
        full = self._full_rungs(film, chunks, shots.starts)
        self._publish(self._job.version_id, "full", full, sound, captions, Priority.FINISH)

    def _begin_tracks(self, film: Film) -> Callable[[], _Tracks]:
        """Put sound and captions on the queue; the result waits for them."""
        film_ms = int(1000 * film.master.frames / film.master.picture.rate)
        captions = [
            (
                row,
                self._enqueue(
                    self._task(
                        "captions",
                        "captions",
                        Priority.QUICK,
                        sha256=row.sha256,
                        language=row.language,
                        role=row.role,
                        film_ms=film_ms,
                    )
                ),
            )
            for row in self._job.captions
        ]
        if captions:
            self._plan("captions", len(captions))
        sound = None
        if film.master.sound:
            self._plan("audio", 1)
            sound = self._enqueue(self._task("sound", "audio", Priority.QUICK))

        def finished() -> _Tracks:
            return (
                sound.result() if sound else None,
                [
                    CaptionsToPackage(row.language, each.result(), row.role)
                    for row, each in captions
                ],
            )

        return finished

    def _quick_rungs(self, film: Film, chunks: Sequence[Chunk], starts: list[int]) -> _Rungs:
        """Two rungs at a fast preset, held to the gate of a quick version on samples."""
        recipes = quick_recipes(film)
        samples = excerpts(list(chunks), QUICK_EXCERPTS, QUICK_EXCERPT_FRAMES)
        self._plan("quick", len(recipes) * (len(chunks) + 1 + len(samples)))
        self._all("encode", "quick", Priority.QUICK, recipes, chunks)
        rungs = []
        for number, (recipe, scores) in enumerate(
            self._joined_and_scored("quick", Priority.QUICK_FINISH, recipes, chunks, samples)
        ):
            top = number == len(recipes) - 1
            if not quick_gate(scores, top=top):
                raise QualityRefused(
                    f"the quick version at {recipe.height} lines measures VMAF "
                    f"{scores.mean:.1f}, which is under its gate"
                )
            rungs.append(self._rung(recipe, chunks, scores, None))
        return rungs, Measured(stretches=samples, shots=starts)

    def _full_rungs(self, film: Film, chunks: Sequence[Chunk], starts: list[int]) -> _Rungs:
        """Probes, ladder, encodes, gate."""
        picture = film.master.picture
        probed_chunks = sampled(list(chunks), PROBE_FRAMES)
        points = ladder_rules.probe_points(picture.height)
        recipes = [
            Recipe(
                ladder_rules.width_at(point.height, picture.width, picture.height),
                point.height,
                point.crf,
                FULL_PRESET,
            )
            for point in points
        ]
        self._plan("probes", len(recipes) * len(probed_chunks))
        keys = self._all("probe", "probes", Priority.PROBE, recipes, probed_chunks)
        scores = [joined([pictures.scores_of(self._shop, key) for key in row]) for row in keys]
        probes = [
            Probed(point, self._rate_kbps(recipe, probed_chunks, film), score.mean)
            for point, recipe, score in zip(points, recipes, scores, strict=True)
        ]
        self._plan("ladder", 1)
        rungs = ladder_rules.ladder(probes, picture.width, picture.height)
        self._done("ladder")
        kept = self._gated(rungs, _Probes(probes, scores, probed_chunks), film, chunks, starts)
        stretches = [(chunk.start, chunk.end) for chunk in chunks]
        return kept, Measured(stretches=stretches, shots=starts, probes=probes, planned=rungs)

    def _gated(
        self,
        rungs: list[Rung],
        probes: "_Probes",
        film: Film,
        chunks: Sequence[Chunk],
        starts: list[int],
    ) -> list[RungToPackage]:
        """Encode the rungs until each measures what was predicted; drop what never does.

        A rung that a probe dominates gives way to that probe. Raises ``QualityRefused`` where
        no rung is left, or where one does not show the film.
        """
        kept: dict[Recipe, RungToPackage] = {}
        open_rungs = [(rung, rung.crf) for rung in rungs]
        stretches = [(chunk.start, chunk.end) for chunk in chunks]
        encodes = verifies = 0
        for _ in range(1 + MAX_CORRECTIONS):
            recipes = [
                Recipe(rung.width, rung.height, crf, FULL_PRESET) for rung, crf in open_rungs
            ]
            encodes += len(recipes) * len(chunks)
            verifies += len(recipes) * (1 + len(chunks))
            self._plan("encode", encodes)
            self._plan("verify", verifies)
            self._all("encode", "encode", Priority.ENCODE, recipes, chunks)
            again = []
            for (rung, crf), (recipe, scores) in zip(
                open_rungs,
                self._joined_and_scored("verify", Priority.ENCODE, recipes, chunks, stretches),
                strict=True,
            ):
                if broken := broken_shots(scores, probes.scores, starts):
                    raise QualityRefused(
                        f"the rendition at {rung.height} lines does not show the film in the "
                        f"shot that begins with frame {broken[0]}"
                    )
                seen = probes.of_same_frames(scores)
                if not meets_prediction(rung, seen):
                    again.append((rung, ladder_rules.corrected_crf(rung, crf, seen.mean)))
                    continue
                rate_kbps = self._rate_kbps(recipe, probes.chunks, film)
                if better := ladder_rules.dominating(rate_kbps, seen.mean, probes.probed):
                    again.append((ladder_rules.rung_of(better, rung), better.point.crf))
                    continue
                kept[recipe] = self._rung(recipe, chunks, scores, rung.vmaf)
            open_rungs = list(
                {
                    recipe: (rung, crf)
                    for rung, crf in again
                    if (recipe := Recipe(rung.width, rung.height, crf, FULL_PRESET)) not in kept
                }.values()
            )
            if not open_rungs:
                break
        for rung, crf in open_rungs:
            structlog.get_logger().warning(
                "rung_dropped", version_id=self._job.version_id, height=rung.height, crf=crf
            )
        if not kept:
            raise QualityRefused(
                f"no rendition measures within {WITHIN_VMAF:g} VMAF of its prediction after "
                f"{MAX_CORRECTIONS} corrections"
            )
        by_rate = sorted(kept, key=lambda recipe: self._rate_kbps(recipe, chunks, film))
        return [kept[recipe] for recipe in by_rate]

    def _publish(
        self,
        version_id: VersionId,
        quality: Quality,
        made_of: _Rungs,
        sound_key: str | None,
        captions: list[CaptionsToPackage],
        priority: Priority,
    ) -> None:
        self._plan("package", 2)
        self._plan("publish", 4)
        order = Order(
            version_id=version_id,
            title_id=self._job.title_id,
            quality=quality,
            sha256=self._job.master_sha256,
            rungs=made_of[0],
            sound_key=sound_key,
            captions=captions,
            measured=made_of[1],
        )
        made = self._enqueue(self._task("package", "package", priority, order=order)).result()
        version = msgspec.json.decode(made, type=Version)
        checked = self._task("validate", "publish", priority, order=order, version=version)
        self._enqueue(checked).result()
        self._step("publish", lambda: self._parts.ledger.publish(self._job, version))
        self._done("publish", quality)

    def _fail(self, error: str) -> None:
        structlog.get_logger().error("job_failed", version_id=self._job.version_id, reason=error)
        self._step("fail", lambda: self._parts.ledger.fail(self._job, error))

    def _rung(
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

    def _rate_kbps(self, recipe: Recipe, chunks: Sequence[Chunk], film: Film) -> float:
        size = sum(
            pictures.chunk_bytes(self._shop, self._job.master_sha256, chunk, recipe)
            for chunk in chunks
        )
        seconds = sum(chunk.frames for chunk in chunks) / film.master.picture.rate
        return size * 8 / float(seconds) / 1000

    def _all(
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
                self._enqueue(self._task(kind, stage, priority, recipe=recipe, chunk=chunk))
                for chunk in chunks
            ]
            for recipe in recipes
        ]
        return [[each.result() for each in row] for row in pending]

    def _joined_and_scored(
        self,
        stage: Stage,
        priority: Priority,
        recipes: Sequence[Recipe],
        chunks: Sequence[Chunk],
        stretches: Sequence[tuple[int, int]],
    ) -> list[tuple[Recipe, Scores]]:
        """Join the chunks of each recipe and score ``stretches`` of frames of the joined rung."""
        joins = [
            self._enqueue(self._task("join", stage, priority, recipe=recipe, chunks=list(chunks)))
            for recipe in recipes
        ]
        rungs = [join.result() for join in joins]
        pending = [
            [
                self._enqueue(self._task("score", stage, priority, rung=rung, frames=frames))
                for frames in stretches
            ]
            for rung in rungs
        ]
        return [
            (recipe, joined([pictures.scores_of(self._shop, each.result()) for each in row]))
            for recipe, row in zip(recipes, pending, strict=True)
        ]

    def _one(self, kind: Literal["inspect", "shots"], stage: Stage, priority: Priority) -> str:
        self._plan(stage, 1)
        return self._enqueue(self._task(kind, stage, priority)).result()

    def _task(self, kind: Kind, stage: Stage, priority: Priority, **what: Any) -> Task:
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

    def _plan(self, stage: Stage, total: int) -> None:
        self._step("plan", lambda: self._parts.ledger.plan(self._job.version_id, stage, total))

    def _done(self, stage: Stage, unit: str = "all") -> None:
        self._step("done", lambda: self._parts.ledger.finish(self._job.version_id, stage, unit))

    def _step(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Write to the ledger as a step of the workflow."""
        DBOS.run_step({"name": name}, lambda: self._parts.loop.insist(work, patience_s=None))


class _Probes:
    """The probes of a title: what they gave, by frame and as a whole, and on which chunks."""

    def __init__(self, probed: list[Probed], scores: list[Scores], chunks: Sequence[Chunk]) -> None:
        self.probed = probed
        self.scores = scores
        self.chunks = chunks
        self._frames = set(scores[0].frames)

    def of_same_frames(self, scores: Scores) -> Scores:
        """The scores of those frames that the probes were scored on."""
        pairs = [
            pair for pair in zip(scores.frames, scores.vmaf, strict=True) if pair[0] in self._frames
        ]
        return Scores([frame for frame, _ in pairs], [score for _, score in pairs])


def quick_recipes(film: Film) -> list[Recipe]:
    """The two rungs of a quick version, the lower one first: half the lines, then at most 720."""
    picture = film.master.picture
    top = ladder_rules.even(min(picture.height, QUICK_TOP_LINES))
    return [
        Recipe(
            ladder_rules.width_at(lines, picture.width, picture.height),
            lines,
            QUICK_CRF,
            QUICK_PRESET,
        )
        for lines in (ladder_rules.even(top / 2), top)
    ]
