"""Quality: encodes scored against the master, and the master against itself."""

import re
from pathlib import Path

import msgspec
import structlog

from cuemark.contexts.encoding.model.bounds import Bounds
from cuemark.contexts.encoding.model.chunks import Chunk
from cuemark.contexts.encoding.model.color import Look
from cuemark.contexts.encoding.model.effort import VMAF_EVERY
from cuemark.contexts.encoding.model.gate import Scores
from cuemark.contexts.encoding.stages.graining import grain_of
from cuemark.contexts.encoding.stages.pictures import (
    CHUNK,
    RUNG,
    chunk_key,
    encoding,
    film_of,
    told_apart,
)
from cuemark.contexts.encoding.stages.workshop import Workshop, save
from cuemark.contexts.encoding.tools import measuring
from cuemark.contexts.encoding.tools.canonical import Film
from cuemark.contexts.encoding.tools.ffmpeg import Recipe
from cuemark.contexts.encoding.tools.run import Finished, ToolFailed, run

_LOG = "vmaf.json"
MOST_DB = 100.0
_PSNR = re.compile(r"^n:(\d+) .*psnr_y:(inf|[0-9.]+)", re.MULTILINE)


class FrameMetrics(msgspec.Struct, frozen=True):
    vmaf: float
    raw: float
    neg: float | None = None
    cambi: float | None = None


class FrameScore(msgspec.Struct, frozen=True, rename="camel"):
    frame_num: int
    metrics: FrameMetrics


class VmafLog(msgspec.Struct, frozen=True):
    """What libvmaf writes, as far as it is read here."""

    frames: list[FrameScore]


def score_chunk(
    shop: Workshop,
    sha256: str,
    chunk: Chunk,
    recipe: Recipe,
    every: int = VMAF_EVERY,
    *,
    without_grain: bool = False,
) -> str:
    """Score every ``every``-th frame of an encoded chunk. Returns the result's key.

    ``without_grain`` compares it and the film without theirs.
    """
    seen = _seen(film_of(shop, sha256), without_grain=without_grain)
    key = shop.key("probe scores", sha256, chunk, recipe, every, *seen)
    if not shop.has(key):
        encoded = shop.path(chunk_key(shop, sha256, chunk, recipe), CHUNK)
        done = _score(
            *(shop, sha256, key, encoded, (chunk.start, chunk.end), chunk.start),
            every=every,
            look=recipe.look,
            without_grain=without_grain,
        )
        _tell("chunk_scored", key, done, chunk=chunk.index, frames=chunk.frames)
    return key


def rung_scores_key(
    shop: Workshop,
    sha256: str,
    rung: str,
    frames: tuple[int, int],
    every: int,
    *,
    without_grain: bool = False,
) -> str:
    seen = _seen(film_of(shop, sha256), without_grain=without_grain)
    return shop.key("scores of a rung", sha256, rung, frames, every, *seen)


def _seen(film: Film, *, without_grain: bool = False) -> list[str]:
    """How a film is looked at to be scored, where that is not as it always was."""
    lines = ["4K"] * measuring.seen_in_4k(film.master.picture)
    return [*lines, *["without grain"] * without_grain]


def score_rung(
    shop: Workshop,
    sha256: str,
    rung: str,
    frames: tuple[int, int],
    every: int = VMAF_EVERY,
    look: Look | None = None,
    *,
    without_grain: bool = False,
) -> str:
    """Score a stretch of a joined rung against the master. Returns the result's key.

    ``look`` is the rung's; without one it is what every device can show. ``without_grain``
    compares both without it.
    """
    key = rung_scores_key(shop, sha256, rung, frames, every, without_grain=without_grain)
    if not shop.has(key):
        joined = shop.path(rung, RUNG)
        done = _score(
            *(shop, sha256, key, joined, frames, 0),
            every=every,
            guards=True,
            look=look,
            without_grain=without_grain,
        )
        _tell("rung_scored", key, done, frames=frames[1] - frames[0])
    return key


def scores_of(shop: Workshop, key: str) -> Scores:
    return shop.load(key, "scores.json", Scores)


def score_itself(shop: Workshop, sha256: str, chunk: Chunk, every: int = VMAF_EVERY) -> str:
    """Score a chunk of the master against itself: where VMAF ends for it. Returns the key."""
    film, frames = film_of(shop, sha256), (chunk.start, chunk.end)
    key = shop.key("scores of itself", sha256, *frames, every, *told_apart(film), *_seen(film))
    if not shop.has(key):
        argv = measuring.ceiling_argv(shop.programs.ffmpeg, film, frames, _LOG, every=every)
        limits = encoding(film, chunk.frames)
        done = _run(shop, key, argv, limits, film.reads, chunk.start)
        _tell("master_scored", key, done, chunk=chunk.index)
    return key


def _tell(event: str, key: str, done: Finished, **what: int) -> None:
    cpu_s, wall_s = round(done.cpu_s, 2), round(done.wall_s, 2)
    structlog.get_logger().info(event, key=key, **what, cpu_s=cpu_s, wall_s=wall_s)


def _score(
    shop: Workshop,
    sha256: str,
    key: str,
    encoded: Path,
    frames: tuple[int, int],
    start: int,
    *,
    every: int,
    guards: bool = False,
    look: Look | None = None,
    without_grain: bool = False,
) -> Finished:
    film = film_of(shop, sha256)
    argv = measuring.vmaf_argv(
        shop.programs.ffmpeg,
        encoded,
        film,
        frames,
        start,
        _LOG,
        every=every,
        guards=guards,
        look=look,
        without_grain=grain_of(shop, sha256).sigma if without_grain else None,
    )
    limits = encoding(film, frames[1] - start)
    return _run(shop, key, argv, limits, [encoded, *film.reads], frames[0])


def _run(
    shop: Workshop, key: str, argv: list[str], limits: Bounds, reads: list[Path], first: int
) -> Finished:
    """Keep what libvmaf says; the first frame that it scores is ``first`` of the film."""
    with shop.making(key) as folder:
        done = run(argv, limits, reads=reads, folder=folder)
        log = msgspec.json.decode((folder / _LOG).read_bytes(), type=VmafLog)
        if not log.frames:
            raise ToolFailed("libvmaf scored no frame")
        (folder / _LOG).unlink()
        told = folder / measuring.PSNR_LOG
        psnr: list[float] = []
        if told.exists():
            of_frame = psnr_of(told.read_text())
            psnr = [of_frame[score.frame_num] for score in log.frames]
            told.unlink()
        metrics = [score.metrics for score in log.frames]
        scores = Scores(
            [first + score.frame_num for score in log.frames],
            [each.vmaf for each in metrics],
            [each.neg for each in metrics if each.neg is not None],
            [each.cambi for each in metrics if each.cambi is not None],
            [each.raw for each in metrics],
            psnr,
        )
        save(folder, "scores.json", scores)
    return done


def psnr_of(told: str) -> dict[int, float]:
    """The PSNR of luma by frame, counted from 0, as FFmpeg's filter ``psnr`` writes it.

    At most ``MOST_DB``, which stands for equal pictures.
    """
    found = _PSNR.findall(told)
    return {int(number) - 1: min(MOST_DB, float(value)) for number, value in found}
