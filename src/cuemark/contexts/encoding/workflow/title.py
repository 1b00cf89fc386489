"""A title's walk from master to versions: what is to be done next, from what is done."""

import os
from collections.abc import Callable, Sequence

import msgspec
import structlog
from dbos import DBOS
from dbos import error as dbos_errors
from sqlalchemy.exc import DBAPIError

from cuemark.contexts.encoding.model import grain as grain_rules
from cuemark.contexts.encoding.model.chunks import Chunk, chunk_plan, excerpts
from cuemark.contexts.encoding.model.curves import NoLadder
from cuemark.contexts.encoding.model.fairness import Urgency
from cuemark.contexts.encoding.model.gate import Scores, quick_gate
from cuemark.contexts.encoding.model.probes import even, width_at
from cuemark.contexts.encoding.model.sound import EVERYWHERE, Named, SoundRecipe, named, recipes_of
from cuemark.contexts.encoding.model.validation.policy import NOT_PUBLISHED
from cuemark.contexts.encoding.stages import pictures
from cuemark.contexts.encoding.stages.measuring import Measured
from cuemark.contexts.encoding.stages.packaging import (
    CaptionsToPackage,
    Order,
    RungToPackage,
    SoundToPackage,
    caption_notes,
)
from cuemark.contexts.encoding.stages.sounds import unreadable
from cuemark.contexts.encoding.stages.validating import QuickVersionRefused
from cuemark.contexts.encoding.store import JobRow
from cuemark.contexts.encoding.tools.canonical import Film
from cuemark.contexts.encoding.tools.ffmpeg import Recipe
from cuemark.contexts.encoding.tools.run import ToolFailed
from cuemark.contexts.encoding.workflow.attempts import packaged
from cuemark.contexts.encoding.workflow.marking import Plain, QualityRefused, marked
from cuemark.contexts.encoding.workflow.renditions import FullRenditions
from cuemark.contexts.encoding.workflow.steps import Note, Steps
from cuemark.contexts.encoding.workflow.tasks import Parts, Pending, Task
from cuemark.contracts.encoding.jobs import MasterRejected
from cuemark.contracts.encoding.versions import Quality, Version
from cuemark.contracts.ids import VersionId
from cuemark.kit.errors import ContractError

QUICK_PRESET = "veryfast"
QUICK_TOP_LINES, QUICK_CRF = 720, 23.0
QUICK_EXCERPTS, QUICK_EXCERPT_FRAMES = 3, 24

_Tracks = tuple[list[SoundToPackage], list[CaptionsToPackage]]
_Rungs = tuple[list[RungToPackage], Measured]


class TitleWalk:
    """One title on its way: what to do next, from what is done. Deterministic, as DBOS asks."""

    def __init__(self, parts: Parts, job: JobRow, enqueue: Callable[[Task], Pending]) -> None:
        self._parts = parts
        self._shop = parts.shop
        self._job = job
        self._enqueue = enqueue
        self._steps = Steps(parts.shop, job, enqueue, self._record)

    def run(self) -> None:
        """Publish a quick and then a full version, or say in one sentence why not."""
        try:
            self._make()
        except (MasterRejected, QualityRefused, ToolFailed, NoLadder) as error:
            self._fail(str(error))
        except ContractError as error:
            self._fail(f"a part of the service was away for too long: {error}")
        except dbos_errors.DBOSAwaitedWorkflowCancelledError:
            # The job was ended, and its tasks with it: who did that has said so.
            structlog.get_logger().info("walk_ended", version_id=self._job.version_id)
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
        self._steps.one("inspect", "inspect", Urgency.QUICK)
        self._steps.one("shots", "shots", Urgency.QUICK)
        film = pictures.film_of(self._shop, self._job.master_sha256)
        shots = pictures.shots_of(self._shop, self._job.master_sha256)
        if notes := film.master.notes:
            # Only a film with notes has this step: a walk begun before there were any goes on.
            self._steps.record("note", lambda ledger: ledger.note(self._job.version_id, notes))
        chunks = chunk_plan(shots.starts, film.master.frames, film.master.picture.rate)
        sounds = named(film.master.sounds)
        tracks = self._begin_tracks(film, sounds[:1])
        others = self._begin_sounds(sounds)
        quick, shown = self._quick_rungs(film, chunks, shots.starts)
        sound, captions = tracks()
        odd = caption_notes(self._shop, captions)
        if odd:
            said = [*notes, *odd]
            self._steps.record("note", lambda ledger: ledger.note(self._job.version_id, said))
        self._steps.plan("package", 2)
        self._steps.plan("publish", 4)
        held_back = self._publish_quick(shown, sound, captions)
        if held_back:
            also = [*notes, *odd, *held_back]
            self._steps.record("note", lambda ledger: ledger.note(self._job.version_id, also))
        full = FullRenditions(
            self._shop, self._job, self._steps, film, chunks, shots.starts, quick[0]
        ).rungs()
        sound, silent = others(sound)
        if left_out := [*full[1].left_out, *silent]:
            told = [*notes, *odd, *held_back, *left_out]
            self._steps.record("note", lambda ledger: ledger.note(self._job.version_id, told))
        if seen := _grain_of(full):
            with_it = [*notes, *odd, *held_back, *left_out, seen]
            self._steps.record("note", lambda ledger: ledger.note(self._job.version_id, with_it))
        if held_back:
            self._steps.plan("publish", 2)
        self._publish(self._job.version_id, "full", full, sound, captions, Urgency.FULL)

    def _begin_tracks(self, film: Film, default: Sequence[Named]) -> Callable[[], _Tracks]:
        """Put captions and what everything plays of the default sound on the queue.

        That is what a quick version has; the result waits for it.
        """
        film_ms = int(1000 * film.master.frames / film.master.picture.rate)
        captions = [
            (
                row,
                self._enqueue(
                    self._steps.task(
                        "captions",
                        "captions",
                        Urgency.QUICK,
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
            self._steps.plan("captions", len(captions))
        sounds = [(each, self._sound(each, [EVERYWHERE], Urgency.QUICK)) for each in default]

        def finished() -> _Tracks:
            return (
                [
                    SoundToPackage(sound=sound, recipe=EVERYWHERE, key=each.result())
                    for sound, each in sounds
                ],
                [
                    CaptionsToPackage(row.language, each.result(), row.role)
                    for row, each in captions
                ],
            )

        return finished

    def _begin_sounds(
        self, sounds: Sequence[Named]
    ) -> Callable[[list[SoundToPackage]], tuple[list[SoundToPackage], list[str]]]:
        """Put what a quick version does not have of the sounds on the queue.

        The result waits for it; it takes what the quick version has, and gives all renditions and
        notes on the sounds that could not be made.
        """
        pending = []
        for number, each in enumerate(sounds):
            recipes = recipes_of(each.sound)[0 if number else 1 :]
            pending.append((each, recipes, self._sound(each, recipes, Urgency.FULL)))
        if sounds:
            self._steps.plan("audio", 1 + len(sounds))

        def finished(quick: list[SoundToPackage]) -> tuple[list[SoundToPackage], list[str]]:
            made, left_out = list(quick), []
            for sound, recipes, each in pending:
                key = each.result()
                if why := unreadable(self._shop, key):
                    left_out.append(f"{why}: it was left out")
                    continue
                made += [SoundToPackage(sound=sound, recipe=one, key=key) for one in recipes]
            return made, left_out

        return finished

    def _sound(self, each: Named, recipes: list[SoundRecipe], urgency: Urgency) -> Pending:
        stream = each.sound.stream
        return self._enqueue(
            self._steps.task("sound", "audio", urgency, stream=stream, sound_recipes=recipes)
        )

    def _quick_rungs(
        self, film: Film, chunks: Sequence[Chunk], starts: list[int]
    ) -> tuple[_Rungs, _Rungs]:
        """Two rungs at a fast preset, held to the gate of a quick version on samples.

        With them what is published of them: their variants, where the film is to be marked.
        """
        recipes = quick_recipes(film)
        samples = excerpts(list(chunks), QUICK_EXCERPTS, QUICK_EXCERPT_FRAMES)
        times = 3 if self._job.mark_key_id else 1
        self._steps.plan("quick", times * len(recipes) * (len(chunks) + 1 + len(samples)))
        rows = [[recipe] * len(chunks) for recipe in recipes]
        names = [f"quick, {recipe.height} lines" for recipe in recipes]
        encoded = self._steps.all("encode", "quick", Urgency.QUICK, rows, chunks, names)
        scored = self._steps.joined_and_scored("quick", Urgency.QUICK, encoded, samples, names)
        rungs = []
        for number, (recipe, (key, scores)) in enumerate(zip(recipes, scored, strict=True)):
            _hold_to_quick_gate(recipe.height, scores, top=number == len(recipes) - 1)
            rungs.append(packaged(recipe, key, scores))
        measured = Measured(stretches=samples, shots=starts, made_for=names)
        if not self._job.mark_key_id:
            return (rungs, measured), (rungs, measured)
        plain = [
            Plain(name, row, rung, scores)
            for name, row, rung, (_, scores) in zip(names, rows, rungs, scored, strict=True)
        ]
        found = marked(
            self._steps,
            self._job.mark_key_id,
            plain,
            chunks,
            starts,
            samples,
            stages=("quick", "quick"),
            urgency=Urgency.QUICK,
        )
        for each in found:
            _hold_to_quick_gate(each.rung.height, each.scores, top=each is found[-1])
        return (rungs, measured), ([each.rung for each in found], measured)

    def _publish_quick(
        self, quick: _Rungs, sounds: list[SoundToPackage], captions: list[CaptionsToPackage]
    ) -> list[str]:
        """Publish the quick version; a note where it is held back and the full one goes on."""
        version_id, urgency = self._job.quick_version_id, Urgency.QUICK
        try:
            self._publish(version_id, "quick", quick, sounds, captions, urgency)
        except QuickVersionRefused as why:
            structlog.get_logger().warning(
                "quick_version_held_back", version_id=version_id, reason=str(why)
            )
            return [f"there was no quick version: {str(why).removeprefix(NOT_PUBLISHED)}"]
        return []

    def _publish(
        self,
        version_id: VersionId,
        quality: Quality,
        made_of: _Rungs,
        sounds: list[SoundToPackage],
        captions: list[CaptionsToPackage],
        urgency: Urgency,
    ) -> None:
        order = Order(
            version_id=version_id,
            title_id=self._job.title_id,
            quality=quality,
            sha256=self._job.master_sha256,
            rungs=made_of[0],
            sounds=sounds,
            captions=captions,
            measured=made_of[1],
            crypto_period_s=self._job.crypto_period_s,
        )
        packaging = self._steps.task("package", "package", urgency, made_for=quality, order=order)
        made = self._enqueue(packaging).result()
        version = msgspec.json.decode(made, type=Version)
        checked = self._steps.task(
            "validate", "publish", urgency, made_for=quality, order=order, version=version
        )
        self._enqueue(checked).result()
        names = [rendition.rendition_id for rendition in version.renditions]
        made_for = dict(zip(made_of[1].made_for, names, strict=True))
        self._steps.record("publish", lambda ledger: ledger.publish(self._job, version, made_for))
        self._steps.done("publish", quality)

    def _record(self, name: str, note: Note) -> None:
        """Write to the ledger as a step of the workflow."""
        ledger, loop = self._parts.ledger, self._parts.loop
        DBOS.run_step({"name": name}, lambda: loop.insist(lambda: note(ledger), patience_s=None))

    def _fail(self, error: str) -> None:
        structlog.get_logger().error("job_failed", version_id=self._job.version_id, reason=error)
        self._steps.record("fail", lambda ledger: ledger.fail(self._job, error))


def _grain_of(full: _Rungs) -> str:
    """What was done about the film's grain, in a sentence; empty where there was nothing to do."""
    rungs, measured = full
    if measured.grain is None:
        return ""
    levels = [
        (rung.height, level)
        for rung, level in zip(rungs, measured.levels, strict=True)
        if level is not None
    ]
    return grain_rules.told(measured.grain.sigma, levels) if levels else ""


def _hold_to_quick_gate(lines: int, scores: Scores, *, top: bool) -> None:
    if not quick_gate(scores, top=top):
        raise QualityRefused(
            f"the quick version at {lines} lines measures VMAF {scores.mean:.1f}, which is under "
            "its gate"
        )


def quick_recipes(film: Film) -> list[Recipe]:
    """The two rungs of a quick version, the lower one first: half the lines, then at most 720."""
    picture = film.master.picture
    top = even(min(picture.height, QUICK_TOP_LINES))
    return [
        Recipe(
            width_at(lines, picture.width, picture.height),
            lines,
            QUICK_CRF,
            QUICK_PRESET,
            look=film.standard,
        )
        for lines in (even(top / 2), top)
    ]
