"""Pictures: chunk encodes, the rungs joined from them, their scores, and the artwork."""

import hashlib
from pathlib import Path

import msgspec
import structlog

from cuemark.contexts.encoding.model.chunks import Chunk
from cuemark.contexts.encoding.model.gate import Scores, joined, sampled_frames
from cuemark.contexts.encoding.model.master import frame_pts
from cuemark.contexts.encoding.stages.survey import Survey, film_of
from cuemark.contexts.encoding.stages.work import Bench
from cuemark.contexts.encoding.tools import ffmpeg, ffprobe
from cuemark.contexts.encoding.tools.ffmpeg import Recipe
from cuemark.contexts.encoding.tools.run import Finished, run

_CHUNK_S = 3600
RUNG_FILE = "rung.mp4"
_ARTWORK = "artwork.jpg"


class StageRefused(Exception):
    """A stage's result is not what it must be; the text is one sentence."""


class EncodedChunk(msgspec.Struct, frozen=True):
    """A chunk in one recipe: ``file`` is an object key."""

    file: str
    size_bytes: int


class AssembledRung(msgspec.Struct, frozen=True):
    """A whole rendition before packaging: ``file`` is an object key."""

    file: str
    size_bytes: int
    frames: int


class Artwork(msgspec.Struct, frozen=True):
    """``object_key`` names the JPEG by its content."""

    object_key: str


class _Log(msgspec.Struct, frozen=True):
    frames: list["_LogFrame"]


class _LogFrame(msgspec.Struct, frozen=True):
    frameNum: int  # noqa: N815 - libvmaf's name
    metrics: dict[str, float]


def chunk_key(bench: Bench, survey: Survey, chunk: Chunk, recipe: Recipe) -> str:
    return bench.key("chunk", [survey.key, chunk, recipe])


def encode_chunk(
    bench: Bench, survey: Survey, chunk: Chunk, recipes: list[Recipe]
) -> list[EncodedChunk]:
    """One chunk in each recipe; those that are there already are not encoded again."""
    keys = [chunk_key(bench, survey, chunk, recipe) for recipe in recipes]
    missing = [
        (key, recipe)
        for key, recipe in zip(keys, recipes, strict=True)
        if bench.record(key, EncodedChunk) is None
    ]
    if missing:
        with bench.objects.scratch() as scratch:
            paths = [scratch / f"{number}.mp4" for number in range(len(missing))]
            outputs = [(recipe, path) for (_, recipe), path in zip(missing, paths, strict=True)]
            argv = ffmpeg.chunk_argv(
                bench.programs.ffmpeg, film_of(bench, survey), chunk, outputs
            )
            cost = run(argv, timeout_s=_CHUNK_S)
            for (key, recipe), path in zip(missing, paths, strict=True):
                _keep_chunk(bench, key, path)
                _tell(key, recipe, chunk, cost)
    return [_recorded(bench, key) for key in keys]


def _keep_chunk(bench: Bench, key: str, path: Path) -> None:
    def make(result: Path) -> EncodedChunk:
        kept = path.rename(result / "chunk.mp4")
        return EncodedChunk(f"work/{key}/chunk.mp4", kept.stat().st_size)

    bench.once(key, EncodedChunk, make)


def _recorded(bench: Bench, key: str) -> EncodedChunk:
    record = bench.record(key, EncodedChunk)
    if record is None:
        raise StageRefused(f"the chunk {key[:12]} is not there: ingest the film again")
    return record


def _tell(key: str, recipe: Recipe, chunk: Chunk, cost: Finished) -> None:
    structlog.get_logger().info(
        "chunk_encoded",
        key=key,
        rung=f"{recipe.height}p crf {recipe.crf:g} {recipe.preset}",
        chunk=chunk.index,
        frames=chunk.frames,
        cpu_s=round(cost.cpu_s, 3),
        wall_s=round(cost.wall_s, 3),
    )


def assemble(
    bench: Bench, survey: Survey, chunks: list[Chunk], encoded: list[EncodedChunk]
) -> AssembledRung:
    """Join encoded chunks, in order, and count: every frame once, each at its place."""
    key = bench.key("rung", [survey.key, chunks, encoded])

    def make(result: Path) -> AssembledRung:
        target = result / RUNG_FILE
        with bench.objects.scratch() as scratch:
            lines = []
            for number, chunk in enumerate(encoded):
                (scratch / f"{number}.mp4").symlink_to(bench.objects.path(chunk.file).resolve())
                lines.append(f"file '{number}.mp4'\n")
            (scratch / "list.txt").write_text("".join(lines))
            run(
                ffmpeg.assemble_argv(
                    bench.programs.ffmpeg, scratch / "list.txt", survey.picture, target
                )
            )
        frames = sum(chunk.frames for chunk in chunks)
        listing = run(ffprobe.packets_argv(bench.programs.ffprobe, target, 0)).stdout.decode()
        tick = ffmpeg.timescale(survey.picture)[1]
        times = frame_pts(listing)
        if times != [number * tick for number in range(frames)]:
            raise StageRefused(
                f"a rendition came out with {len(times)} frames, or with frames off their "
                f"places, where {frames} belong"
            )
        return AssembledRung(f"work/{key}/{RUNG_FILE}", target.stat().st_size, frames)

    return bench.once(key, AssembledRung, make)


def score(
    bench: Bench, survey: Survey, file: str, file_start: int, spans: list[tuple[int, int]]
) -> Scores:
    """VMAF of spans of the film in ``file`` (an object key), whose first frame is ``file_start``.

    Every fifth frame of a span is scored, the first first.
    """
    key = bench.key("score", [survey.key, file, file_start, spans])

    def make(result: Path) -> Scores:
        return joined(
            [_score_span(bench, survey, file, file_start, span, result) for span in spans]
        )

    return bench.once(key, Scores, make)


def _score_span(
    bench: Bench,
    survey: Survey,
    file: str,
    file_start: int,
    span: tuple[int, int],
    scratch: Path,
) -> Scores:
    log = f"vmaf-{span[0]}.json"
    argv = ffmpeg.vmaf_argv(
        bench.programs.ffmpeg,
        bench.objects.path(file).resolve(),
        film_of(bench, survey),
        span,
        file_start,
        log,
    )
    run(argv, cwd=scratch, timeout_s=_CHUNK_S)
    frames = msgspec.json.decode((scratch / log).read_bytes(), type=_Log).frames
    wanted = sampled_frames(span[1] - span[0], ffmpeg.VMAF_EVERY)
    if len(frames) != wanted:
        raise StageRefused(
            f"the comparison with the master saw {len(frames)} frames where {wanted} belong"
        )
    return Scores(
        [span[0] + frame.frameNum for frame in frames],
        [frame.metrics["vmaf"] for frame in frames],
    )


def artwork(bench: Bench, survey: Survey) -> Artwork:
    """The frame that stands for the film, as a JPEG."""

    def make(result: Path) -> Artwork:
        target = result / _ARTWORK
        run(
            ffmpeg.artwork_argv(
                bench.programs.ffmpeg, film_of(bench, survey), survey.artwork_frame, target
            )
        )
        picture = target.read_bytes()
        object_key = f"artwork/{hashlib.sha256(picture).hexdigest()}.jpg"
        bench.objects.put(object_key, picture)
        return Artwork(object_key)

    return bench.once(bench.key("artwork", survey.key), Artwork, make)
