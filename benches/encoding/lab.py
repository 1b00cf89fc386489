"""A workshop that keeps its results and what they cost, and runs the product's stages in it."""

import contextlib
import resource
import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from cuemark.contexts.encoding.model.chunks import Chunk, chunk_plan, excerpts
from cuemark.contexts.encoding.model.fairness import Urgency
from cuemark.contexts.encoding.model.gate import Scores, joined
from cuemark.contexts.encoding.stages import pictures, scoring
from cuemark.contexts.encoding.stages.packaging import RungToPackage
from cuemark.contexts.encoding.stages.pictures import RUNG
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.store import JobRow
from cuemark.contexts.encoding.tools.canonical import Film
from cuemark.contexts.encoding.tools.decoding import sample_bytes
from cuemark.contexts.encoding.tools.ffmpeg import Recipe
from cuemark.contexts.encoding.tools.programs import Programs, from_wheels
from cuemark.contexts.encoding.workflow.attempts import packaged
from cuemark.contexts.encoding.workflow.steps import Note, Steps
from cuemark.contexts.encoding.workflow.tasks import Task, do_picture
from cuemark.contexts.encoding.workflow.title import (
    QUICK_EXCERPT_FRAMES,
    QUICK_EXCERPTS,
    quick_recipes,
)
from cuemark.contracts.encoding.jobs import Effort
from cuemark.contracts.encoding.versions import Codec
from cuemark.contracts.ids import TitleId, VersionId
from cuemark.kit.objects import Objects, sha256_of

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class Measure(msgspec.Struct, frozen=True):
    """One encode of a whole film: its rate (of the samples alone) and quality."""

    rate_kbps: float
    vmaf: float
    p5: float
    predicted: float | None = None
    height: int = 0


class Clip(msgspec.Struct, frozen=True):
    """A film in the workshop. ``name`` is what the tables call it."""

    name: str
    sha256: str
    film: Film
    starts: list[int]

    @property
    def chunks(self) -> list[Chunk]:
        return chunk_plan(self.starts, self.film.master.frames, self.film.master.picture.rate)

    @property
    def shots(self) -> list[Chunk]:
        """A chunk for each shot, with the same key frames."""
        frames = self.film.master.frames
        bounds = zip(self.starts, [*self.starts[1:], frames], strict=True)
        idrs = [chunk.start + idr for chunk in self.chunks for idr in chunk.idrs]
        return [
            Chunk(number, start, end, [idr - start for idr in idrs if start <= idr < end])
            for number, (start, end) in enumerate(bounds)
        ]


class Costed(Workshop):
    """A workshop that remembers what each result cost to make, and which were asked for."""

    def __init__(self, objects: Objects, programs: Programs, costs: Path) -> None:
        super().__init__(objects, programs)
        self._costs = costs
        self._costs.mkdir(parents=True, exist_ok=True)
        self.stage = ""
        self.asked: dict[str, str] = {}

    def has(self, key: str) -> bool:
        self.asked.setdefault(key, self.stage)
        return super().has(key) and self._file(key).exists()

    @contextlib.contextmanager
    def making(self, key: str) -> Iterator[Path]:
        if super().has(key):
            # The bench was killed between the making and the noting of its cost.
            shutil.rmtree(self.path(key, "."))
        before_s = _cpu_s()
        with super().making(key) as folder:
            yield folder
        self._file(key).write_bytes(msgspec.json.encode(_cpu_s() - before_s))

    def cost_s(self, key: str) -> float:
        """What a result cost when it was made, in this bench or an earlier one."""
        file = self._file(key)
        return msgspec.json.decode(file.read_bytes(), type=float) if file.exists() else 0.0

    def _file(self, key: str) -> Path:
        return self._costs / f"{key.rpartition('/')[2]}.json"


class Lab:
    """Runs tasks one after the other. ``cpu_s`` is what the results cost that were asked for
    since ``begin``, each once, whether they were made now or in an earlier bench."""

    def __init__(self, folder: Path) -> None:
        self.shop = Costed(Objects(folder / "objects"), from_wheels(), folder / "costs")

    def begin(self) -> None:
        """Count costs from here on."""
        self.shop.asked = {}

    def cpu_s(self, stage: str = "") -> float:
        asked = self.shop.asked.items()
        return sum(self.shop.cost_s(key) for key, of in asked if stage in ("", of))

    def clip(self, name: str, file: Path) -> Clip:
        """Take a film in: inspected, and cut into shots."""
        sha256 = sha256_of(file)
        if not self.shop.objects.exists(f"masters/{sha256}"):
            self.shop.objects.put(f"masters/{sha256}", file.read_bytes())
        pictures.inspect(self.shop, sha256)
        pictures.find_shots(self.shop, sha256)
        shots = pictures.shots_of(self.shop, sha256)
        return Clip(name, sha256, pictures.film_of(self.shop, sha256), shots.starts)

    def steps(
        self, clip: Clip, effort: Effort = "balanced", codecs: tuple[Codec, ...] = ("h264",)
    ) -> tuple[JobRow, Steps]:
        """The steps of a walk over a clip, done here and now and written in no ledger."""
        job = JobRow(
            version_id=VersionId("full"),
            quick_version_id=VersionId("quick"),
            title_id=TitleId("title"),
            master_sha256=clip.sha256,
            captions=[],
            trace_id="",
            created_at=EPOCH,
            effort=effort,
            codecs=codecs,
        )
        return job, Steps(self.shop, job, self.enqueue, _unrecorded)

    def enqueue(self, what: Task) -> "Done":
        """Do a task here and now."""
        self.shop.stage = what.stage
        return Done(do_picture(self.shop, what))

    def quick(self, clip: Clip) -> list[RungToPackage]:
        """The rungs of a clip's quick version, which a full version is made after."""
        _, steps = self.steps(clip)
        recipes = quick_recipes(clip.film)
        rows = [[recipe] * len(clip.chunks) for recipe in recipes]
        encoded = steps.all("encode", "quick", Urgency.QUICK, rows, clip.chunks)
        samples = excerpts(clip.chunks, QUICK_EXCERPTS, QUICK_EXCERPT_FRAMES)
        scored = steps.joined_and_scored("quick", Urgency.QUICK, encoded, samples, [""] * 2)
        return [
            packaged(recipe, key, scores)
            for recipe, (key, scores) in zip(recipes, scored, strict=True)
        ]

    def constant(self, clip: Clip, recipe: Recipe, chunks: Sequence[Chunk]) -> Measure:
        """Encode and score chunks of a clip in one recipe."""
        return self.rows(clip, [recipe] * len(chunks), chunks)

    def rows(self, clip: Clip, row: Sequence[Recipe], chunks: Sequence[Chunk]) -> Measure:
        """Encode and score chunks of a clip, each in its recipe."""
        _, steps = self.steps(clip)
        (keys,) = steps.all("probe", "verify", Urgency.FULL, [row], chunks)
        scores = joined([scoring.scores_of(self.shop, key) for key in keys])
        files = [
            self.shop.path(pictures.chunk_key(self.shop, clip.sha256, chunk, recipe), "chunk.mp4")
            for recipe, chunk in zip(row, chunks, strict=True)
        ]
        return measured(clip, files, scores, row[0].height)

    def rung(self, clip: Clip, key: str, height: int, predicted: float | None) -> Measure:
        """What a joined rung measures, whole."""
        chunks = clip.chunks
        found = [
            scoring.scores_of(
                self.shop,
                scoring.score_rung(self.shop, clip.sha256, key, (chunk.start, chunk.end)),
            )
            for chunk in chunks
        ]
        return measured(clip, [self.shop.path(key, RUNG)], joined(found), height, predicted)


class Done:
    """What came of a task that is done."""

    def __init__(self, found: str) -> None:
        self._found = found

    def result(self) -> str:
        return self._found


def measured(
    clip: Clip, files: Sequence[Path], scores: Scores, height: int, predicted: float | None = None
) -> Measure:
    seconds = clip.film.master.frames / clip.film.master.picture.rate
    size = sum(sum(sample_bytes(file)) for file in files)
    return Measure(size * 8 / float(seconds) / 1000, scores.mean, scores.p5, predicted, height)


def _unrecorded(name: str, note: Note) -> None:
    """A bench has no ledger."""


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
