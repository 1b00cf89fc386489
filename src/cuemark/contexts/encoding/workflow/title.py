"""A title's walk from master to versions: what is to be done next, from what is done."""

import os
from collections.abc import Callable, Sequence

import msgspec
import structlog
from dbos import DBOS
from sqlalchemy.exc import DBAPIError

from cuemark.contexts.encoding.model import ladder as ladder_rules
from cuemark.contexts.encoding.model.chunks import Chunk, chunk_plan, excerpts
from cuemark.contexts.encoding.model.gate import quick_gate
from cuemark.contexts.encoding.model.ladder import NoLadder
from cuemark.contexts.encoding.model.sound import EVERYWHERE, Named, SoundRecipe, named, recipes_of
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
from cuemark.contexts.encoding.store import JobRow
from cuemark.contexts.encoding.tools.ffmpeg import Film, Recipe
from cuemark.contexts.encoding.tools.run import ToolFailed
from cuemark.contexts.encoding.workflow.renditions import FullRenditions, QualityRefused, packaged
from cuemark.contexts.encoding.workflow.steps import Note, Steps
from cuemark.contexts.encoding.workflow.tasks import Parts, Pending, Priority, Task
from cuemark.contracts.encoding import MasterRejected, Quality, Version
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
        self._steps.one("inspect", "inspect", Priority.INSPECT)
        self._steps.one("shots", "shots", Priority.INSPECT)
        film = pictures.film_of(self._shop, self._job.master_sha256)
        shots = pictures.shots_of(self._shop, self._job.master_sha256)
        if notes := film.master.notes:
            # Only a film with notes has this step: a walk begun before there were any goes on.
            self._steps.record("note", lambda ledger: ledger.note(self._job.version_id, notes))
        chunks = chunk_plan(shots.starts, film.master.frames, film.master.picture.rate)
        sounds = named(film.master.sounds)
        tracks = self._begin_tracks(film, sounds[:1])
        others = self._begin_sounds(sounds)
        quick = self._quick_rungs(film, chunks, shots.starts)
        sound, captions = tracks()
        if odd := caption_notes(self._shop, captions):
            said = [*notes, *odd]
            self._steps.record("note", lambda ledger: ledger.note(self._job.version_id, said))
        self._publish(
            self._job.quick_version_id, "quick", quick, sound, captions, Priority.QUICK_FINISH
        )
        full = FullRenditions(
            self._shop, self._job, self._steps, film, chunks, shots.starts, quick[0]
        ).rungs()
        sound, silent = others(sound)
        if left_out := [*full[1].left_out, *silent]:
            told = [*notes, *odd, *left_out]
            self._steps.record("note", lambda ledger: ledger.note(self._job.version_id, told))
        self._publish(self._job.version_id, "full", full, sound, captions, Priority.FINISH)

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
            self._steps.plan("captions", len(captions))
        sounds = [(each, self._sound(each, [EVERYWHERE], Priority.QUICK)) for each in default]

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
            pending.append((each, recipes, self._sound(each, recipes, Priority.ENCODE)))
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

    def _sound(self, each: Named, recipes: list[SoundRecipe], priority: Priority) -> Pending:
        stream = each.sound.stream
        return self._enqueue(
            self._steps.task("sound", "audio", priority, stream=stream, sound_recipes=recipes)
        )

    def _quick_rungs(self, film: Film, chunks: Sequence[Chunk], starts: list[int]) -> _Rungs:
        """Two rungs at a fast preset, held to the gate of a quick version on samples."""
        recipes = quick_recipes(film)
        samples = excerpts(list(chunks), QUICK_EXCERPTS, QUICK_EXCERPT_FRAMES)
        self._steps.plan("quick", len(recipes) * (len(chunks) + 1 + len(samples)))
        rows = [[recipe] * len(chunks) for recipe in recipes]
        names = [f"quick, {recipe.height} lines" for recipe in recipes]
        encoded = self._steps.all("encode", "quick", Priority.QUICK, rows, chunks, names)
        scored = self._steps.joined_and_scored(
            "quick", Priority.QUICK_FINISH, encoded, samples, names
        )
        rungs = []
        for number, (recipe, (key, scores)) in enumerate(zip(recipes, scored, strict=True)):
            top = number == len(recipes) - 1
            if not quick_gate(scores, top=top):
                raise QualityRefused(
                    f"the quick version at {recipe.height} lines measures VMAF "
                    f"{scores.mean:.1f}, which is under its gate"
                )
            rungs.append(packaged(recipe, key, scores))
        return rungs, Measured(stretches=samples, shots=starts, made_for=names)

    def _publish(
        self,
        version_id: VersionId,
        quality: Quality,
        made_of: _Rungs,
        sounds: list[SoundToPackage],
        captions: list[CaptionsToPackage],
        priority: Priority,
    ) -> None:
        self._steps.plan("package", 2)
        self._steps.plan("publish", 4)
        order = Order(
            version_id=version_id,
            title_id=self._job.title_id,
            quality=quality,
            sha256=self._job.master_sha256,
            rungs=made_of[0],
            sounds=sounds,
            captions=captions,
            measured=made_of[1],
        )
        packaging = self._steps.task("package", "package", priority, made_for=quality, order=order)
        made = self._enqueue(packaging).result()
        version = msgspec.json.decode(made, type=Version)
        checked = self._steps.task(
            "validate", "publish", priority, made_for=quality, order=order, version=version
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
