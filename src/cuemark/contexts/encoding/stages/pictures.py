"""The stages of the picture: inspection, shots, chunk encodes, joined rungs, their scores."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import structlog

from cuemark.contexts.encoding.model import shots as shot_rules
from cuemark.contexts.encoding.model.chunks import Chunk
from cuemark.contexts.encoding.model.gate import Scores
from cuemark.contexts.encoding.model.master import (
    Master,
    Probe,
    film_stream,
    frame_pts,
    master_of,
)
from cuemark.contexts.encoding.model.shots import THUMB_HEIGHT, THUMB_WIDTH, FrameMeasures
from cuemark.contexts.encoding.stages.workshop import Workshop, save
from cuemark.contexts.encoding.tools import ffmpeg, ffprobe
from cuemark.contexts.encoding.tools.ffmpeg import Film, Recipe
from cuemark.contexts.encoding.tools.run import Finished, ToolFailed, read_frames, run
from cuemark.contracts.encoding import MasterRejected

INDEXED = "film.mkv"
RUNG = "rung.mp4"


class Shots(msgspec.Struct, frozen=True):
    """``starts`` are first frames; the artwork lies beside as ``artwork.jpg``."""

    starts: list[int]
    artwork_frame: int


class FrameMetrics(msgspec.Struct, frozen=True):
    vmaf: float


class FrameScore(msgspec.Struct, frozen=True, rename="camel"):
    frame_num: int
    metrics: FrameMetrics


class VmafLog(msgspec.Struct, frozen=True):
    """What libvmaf writes, as far as it is read here."""

    frames: list[FrameScore]


def inspect(shop: Workshop, sha256: str) -> str:
    """Find out what the master is; raises ``MasterRejected``. Returns the result's key."""
    key = shop.key("inspect", sha256)
    if shop.has(key):
        return key
    source = shop.master(sha256)
    with shop.making(key) as folder:
        try:
            master = _probe(shop, source)
            if not master.seekable:
                indexed = folder / INDEXED
                run(ffmpeg.index_argv(shop.programs.ffmpeg, source, indexed))
                master = _probe(shop, indexed)
        except ToolFailed as error:
            raise MasterRejected("the file is no film that FFmpeg can read") from error
        save(folder, "master.json", master)
    return key


def _probe(shop: Workshop, path: Path) -> Master:
    report = run(ffprobe.report_argv(shop.programs.ffprobe, path), timeout_s=120)
    probe = msgspec.json.decode(report.stdout, type=Probe, strict=False)
    stream = film_stream(probe).index
    packets = run(ffprobe.packets_argv(shop.programs.ffprobe, path, stream), timeout_s=1200)
    return master_of(probe, frame_pts(packets.stdout.decode()))


def film_of(shop: Workshop, sha256: str) -> Film:
    """The inspected film, as encodes read it."""
    key = shop.key("inspect", sha256)
    indexed = shop.path(key, INDEXED)
    path = indexed if indexed.exists() else shop.master(sha256)
    return Film(path, shop.load(key, "master.json", Master))


def find_shots(shop: Workshop, sha256: str) -> str:
    """Find the cuts and pick the artwork. Returns the result's key."""
    key = shop.key("shots", sha256)
    if shop.has(key):
        return key
    film = film_of(shop, sha256)
    with shop.making(key) as folder:
        measures = _measure(shop, film)
        frames = len(measures.differences)
        if frames < film.master.frames:
            raise MasterRejected(
                f"only {frames} of the film's {film.master.frames} frames can be decoded"
            )
        rate = float(film.master.picture.rate)
        starts = shot_rules.shot_starts(measures.differences[: film.master.frames], rate)
        artwork = min(shot_rules.artwork_frame(measures, starts), film.master.frames - 1)
        run(
            ffmpeg.artwork_argv(shop.programs.ffmpeg, film, artwork, folder / "artwork.jpg"),
            timeout_s=300,
        )
        save(folder, "shots.json", Shots(starts, artwork))
    return key


def shots_of(shop: Workshop, sha256: str) -> Shots:
    return shop.load(shop.key("shots", sha256), "shots.json", Shots)


def _measure(shop: Workshop, film: Film) -> FrameMeasures:
    whole = FrameMeasures([], [], [])
    before = None
    argv = ffmpeg.thumbs_argv(shop.programs.ffmpeg, film)
    for block in read_frames(argv, THUMB_WIDTH * THUMB_HEIGHT):
        frames = np.frombuffer(block, np.uint8).reshape(-1, THUMB_HEIGHT, THUMB_WIDTH)
        part = shot_rules.measure(frames, before)
        whole.differences.extend(part.differences)
        whole.brightness.extend(part.brightness)
        whole.detail.extend(part.detail)
        before = frames[-1]
    return whole


def chunk_key(shop: Workshop, sha256: str, chunk: Chunk, recipe: Recipe) -> str:
    return shop.key("chunk", sha256, chunk, recipe)


def encode_chunk(shop: Workshop, sha256: str, chunk: Chunk, recipe: Recipe) -> str:
    """Encode one chunk in one recipe. Returns the result's key."""
    key = chunk_key(shop, sha256, chunk, recipe)
    if shop.has(key):
        return key
    film = film_of(shop, sha256)
    with shop.making(key) as folder:
        argv = ffmpeg.chunk_argv(
            shop.programs.ffmpeg, film, chunk, [(recipe, folder / "chunk.mp4")]
        )
        done = run(argv)
    structlog.get_logger().info(
        "chunk_encoded",
        key=key,
        chunk=chunk.index,
        frames=chunk.frames,
        height=recipe.height,
        preset=recipe.preset,
        crf=recipe.crf,
        cpu_s=round(done.cpu_s, 2),
        wall_s=round(done.wall_s, 2),
    )
    return key


def chunk_bytes(shop: Workshop, sha256: str, chunk: Chunk, recipe: Recipe) -> int:
    """The size of an encoded chunk."""
    return shop.path(chunk_key(shop, sha256, chunk, recipe), "chunk.mp4").stat().st_size


def score_chunk(shop: Workshop, sha256: str, chunk: Chunk, recipe: Recipe) -> str:
    """Score an encoded chunk against the master. Returns the result's key."""
    key = shop.key("chunk scores", sha256, chunk, recipe)
    if not shop.has(key):
        encoded = shop.path(chunk_key(shop, sha256, chunk, recipe), "chunk.mp4")
        done = _score(shop, sha256, key, encoded, (chunk.start, chunk.end), chunk.start)
        structlog.get_logger().info(
            "chunk_scored",
            key=key,
            chunk=chunk.index,
            frames=chunk.frames,
            cpu_s=round(done.cpu_s, 2),
            wall_s=round(done.wall_s, 2),
        )
    return key


def rung_key(shop: Workshop, sha256: str, recipe: Recipe, chunks: Sequence[Chunk]) -> str:
    return shop.key("rung", sha256, recipe, chunks)


def join_rung(shop: Workshop, sha256: str, recipe: Recipe, chunks: Sequence[Chunk]) -> str:
    """Join a rung's chunks and count its frames. Returns the result's key."""
    key = rung_key(shop, sha256, recipe, chunks)
    if shop.has(key):
        return key
    film = film_of(shop, sha256)
    with shop.making(key) as folder:
        parts = [shop.path(chunk_key(shop, sha256, chunk, recipe), "chunk.mp4") for chunk in chunks]
        listing = folder / "chunks.txt"
        listing.write_text("".join(ffmpeg.listed(part) for part in parts))
        run(ffmpeg.assemble_argv(shop.programs.ffmpeg, listing, film.master.picture, folder / RUNG))
        listing.unlink()
        packets = run(ffprobe.packets_argv(shop.programs.ffprobe, folder / RUNG, 0))
        frames = len(frame_pts(packets.stdout.decode()))
        if frames != film.master.frames:
            raise ToolFailed(f"a rung has {frames} frames and the film {film.master.frames}")
    return key


def score_rung(shop: Workshop, sha256: str, rung: str, frames: tuple[int, int]) -> str:
    """Score a stretch of a joined rung against the master. Returns the result's key."""
    key = shop.key("rung scores", sha256, rung, frames)
    if not shop.has(key):
        done = _score(shop, sha256, key, shop.path(rung, RUNG), frames, 0)
        structlog.get_logger().info(
            "rung_scored",
            key=key,
            frames=frames[1] - frames[0],
            cpu_s=round(done.cpu_s, 2),
            wall_s=round(done.wall_s, 2),
        )
    return key


def scores_of(shop: Workshop, key: str) -> Scores:
    return shop.load(key, "scores.json", Scores)


def _score(
    shop: Workshop, sha256: str, key: str, encoded: Path, frames: tuple[int, int], start: int
) -> Finished:
    film = film_of(shop, sha256)
    with shop.making(key) as folder:
        argv = ffmpeg.vmaf_argv(shop.programs.ffmpeg, encoded, film, frames, start, "vmaf.json")
        done = run(argv, cwd=folder)
        log = msgspec.json.decode((folder / "vmaf.json").read_bytes(), type=VmafLog)
        if not log.frames:
            raise ToolFailed("libvmaf scored no frame")
        (folder / "vmaf.json").unlink()
        scores = Scores(
            [frames[0] + score.frame_num for score in log.frames],
            [score.metrics.vmaf for score in log.frames],
        )
        save(folder, "scores.json", scores)
    return done
