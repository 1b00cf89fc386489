"""The stages of the picture: inspection, shots, chunk encodes, joined rungs, their scores."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import structlog

from cuemark.contexts.encoding.model import bounds, cadence, complexity, tone_mapping, watermark
from cuemark.contexts.encoding.model import shots as shot_rules
from cuemark.contexts.encoding.model.artwork import Survey, candidates, layouts
from cuemark.contexts.encoding.model.bounds import Bounds
from cuemark.contexts.encoding.model.chunks import Chunk
from cuemark.contexts.encoding.model.complexity import Complexity, Information
from cuemark.contexts.encoding.model.master import (
    Master,
    Probe,
    deinterlaced,
    fields_of,
    film_stream,
    frame_pts,
    is_seekable,
    lit,
    master_of,
)
from cuemark.contexts.encoding.model.shots import THUMB_HEIGHT, THUMB_WIDTH, FrameMeasures
from cuemark.contexts.encoding.model.thumbnails import Tiling, tiling
from cuemark.contexts.encoding.model.watermark import Mark
from cuemark.contexts.encoding.stages.workshop import Workshop, save
from cuemark.contexts.encoding.tools import ffmpeg, ffprobe
from cuemark.contexts.encoding.tools.canonical import Film
from cuemark.contexts.encoding.tools.decoding import sample_bytes
from cuemark.contexts.encoding.tools.encoders import FAMILIES
from cuemark.contexts.encoding.tools.ffmpeg import Recipe
from cuemark.contexts.encoding.tools.run import (
    ToolFailed,
    ToolOverLimit,
    read_frames,
    run,
)
from cuemark.contracts.encoding.artwork import ArtworkFrame
from cuemark.contracts.encoding.jobs import MasterRejected
from cuemark.contracts.encoding.versions import Codec
from cuemark.kit.errors import UNREADABLE

INDEXED, CUBE = "film.mkv", "standard.cube"
CHUNK, RUNG = "chunk.mp4", "rung.mp4"
ARTWORK = "artwork-%d.jpg"
STILL = 0.1
"""Mean difference of two frames, in levels of luma, in which nothing moves."""
FIELDS_LINES, FIELDS_RATE, FIELDS_FRAMES = 1088, 31, 200
"""Pictures with more lines or at a higher rate have no fields; how many frames are looked at."""


class MarkKeyDiffers(Exception):
    """The key at hand is not that of the mark which a recipe asks for."""


class Shots(msgspec.Struct, frozen=True):
    """``starts`` are first frames, and ``complexity`` is that of each shot. ``repeats_every`` is n
    where every nth frame repeats the one before, else 0. Beside it lie a picture of each artwork,
    counted from 1, and the sheets of thumbnails."""

    starts: list[int]
    artworks: list[ArtworkFrame]
    complexity: list[Complexity]
    repeats_every: int


def inspect(shop: Workshop, sha256: str) -> str:
    """Find out what the master is; raises ``MasterRejected``. Returns the result's key."""
    key = _inspect_key(shop, sha256)
    if shop.has(key):
        return key
    source = shop.master(sha256)
    with shop.making(key) as folder:
        try:
            master = _inspected(shop, source, folder)
        except ToolOverLimit as error:
            raise MasterRejected(f"the file cannot be read safely: {error}") from error
        except ToolFailed as error:
            raise MasterRejected("the file is no film that FFmpeg can read") from error
        save(folder, "master.json", master)
    return key


def _inspect_key(shop: Workshop, sha256: str) -> str:
    """Of an inspection that knows every sound of the film and its colors."""
    return shop.key("inspect", sha256, "sounds", "colors")


def _inspected(shop: Workshop, source: Path, folder: Path) -> Master:
    path, size_bytes = source, source.stat().st_size
    probe = _report(shop, source)
    if not is_seekable(probe):
        path = folder / INDEXED
        stream = film_stream(probe).index
        run(
            ffmpeg.index_argv(shop.programs.ffmpeg, source, stream, path),
            bounds.reading(size_bytes),
            reads=[source],
            folder=folder,
        )
        probe = _report(shop, path)
    video = film_stream(probe)
    packets = run(
        ffprobe.packets_argv(shop.programs.ffprobe, path, video.index),
        bounds.reading(size_bytes),
        reads=[path],
    )
    master = master_of(probe, frame_pts(packets.stdout.decode()))
    if master.color.dynamic_range != "sdr":
        master = _lit(shop, Film(path, master), folder)
    if video.height > FIELDS_LINES or master.picture.rate > FIELDS_RATE:
        return master
    film = Film(path, master)
    looked = run(
        ffmpeg.fields_argv(shop.programs.ffmpeg, film, master.frames // 4, FIELDS_FRAMES),
        decoding(film, FIELDS_FRAMES),
        reads=[path],
    )
    return deinterlaced(master, fields_of(looked.stderr, video))


def _lit(shop: Workshop, film: Film, folder: Path) -> Master:
    """Find out what an HDR film says of its light, and make the table that takes it away."""
    looked = run(
        ffmpeg.light_argv(shop.programs.ffmpeg, film), decoding(film, 1), reads=[film.path]
    )
    master = lit(film.master, looked.stderr)
    color = master.color
    (folder / CUBE).write_text(tone_mapping.cube(color.dynamic_range, color.peak_cd_m2))
    return master


def _report(shop: Workshop, path: Path) -> Probe:
    report = run(
        ffprobe.report_argv(shop.programs.ffprobe, path),
        bounds.reading(path.stat().st_size),
        reads=[path],
    )
    try:
        return msgspec.json.decode(report.stdout, type=Probe, strict=False)
    except UNREADABLE as error:
        raise ToolFailed(f"ffprobe's report cannot be read: {error}") from error


def decoding(film: Film, frames: int) -> Bounds:
    """The bounds of decoding so many frames of the film."""
    return bounds.decoding(_pixels(film), frames)


def encoding(film: Film, frames: int) -> Bounds:
    """The bounds of encoding or scoring so many frames of the film."""
    return bounds.encoding(_pixels(film), frames)


def _pixels(film: Film) -> int:
    """The larger of the decoded and the canonical picture."""
    picture = film.master.picture
    return max(film.master.pixels, picture.width * picture.height)


def film_of(shop: Workshop, sha256: str) -> Film:
    """The inspected film, as encodes read it."""
    key = _inspect_key(shop, sha256)
    indexed, cube = shop.path(key, INDEXED), shop.path(key, CUBE)
    path = indexed if indexed.exists() else shop.master(sha256)
    master = shop.load(key, "master.json", Master)
    return Film(path, master, cube if cube.exists() else None)


def tiling_of(film: Film) -> Tiling:
    """How the film's thumbnails are laid out."""
    picture = film.master.picture
    return tiling(picture.width, picture.height, film.master.frames, picture.rate)


def shots_key(shop: Workshop, sha256: str) -> str:
    """The key of what one look at every frame gives: shots and their complexity, cadence, artwork,
    thumbnails."""
    film = film_of(shop, sha256)
    return shop.key("shots", sha256, tiling_of(film), "complexity", "cadence", *told_apart(film))


def told_apart(film: Film) -> list[str]:
    """What beside a film's file the pictures of its standard look come from."""
    mapped = film.standard.tone_mapping
    return [mapped] if mapped else []


def sheets_of(shop: Workshop, sha256: str) -> list[Path]:
    """The sheets of the film's thumbnails, in order."""
    key = shots_key(shop, sha256)
    count = tiling_of(film_of(shop, sha256)).sheets
    return [shop.path(key, ffmpeg.SHEET % number) for number in range(1, count + 1)]


def find_shots(shop: Workshop, sha256: str) -> str:
    """Find the cuts, pick the artwork, make the thumbnails. Returns the result's key."""
    key = shots_key(shop, sha256)
    if shop.has(key):
        return key
    film = film_of(shop, sha256)
    with shop.making(key) as folder:
        survey, information = _survey(shop, film, folder)
        frames = len(survey.measures.differences)
        if frames < film.master.frames:
            raise MasterRejected(
                f"only {frames} of the film's {film.master.frames} frames can be decoded"
            )
        rate = float(film.master.picture.rate)
        differences = survey.measures.differences[: film.master.frames]
        starts = shot_rules.shot_starts(differences, rate)
        artworks = candidates(survey, starts, film.master.frames, rate)
        for number, each in enumerate(artworks, 1):
            target = folder / (ARTWORK % number)
            run(
                ffmpeg.artwork_argv(shop.programs.ffmpeg, film, each.frame, target),
                decoding(film, 1),
                reads=film.reads,
                folder=folder,
            )
        told = complexity.of_shots(information, starts, film.master.frames)
        repeats = cadence.repeats(np.asarray(differences) < STILL, rate)
        found = Shots(starts, artworks, told, repeats.period if repeats else 0)
        save(folder, "shots.json", found)
    return key


def shots_of(shop: Workshop, sha256: str) -> Shots:
    return shop.load(shots_key(shop, sha256), "shots.json", Shots)


def _survey(shop: Workshop, film: Film, folder: Path) -> tuple[Survey, Information]:
    """Measure every frame; the sheets of thumbnails fall into ``folder``."""
    whole, looks, told = FrameMeasures([], [], []), bytearray(), Information([], [])
    before = None
    argv = ffmpeg.survey_argv(shop.programs.ffmpeg, film, tiling_of(film))
    limits = decoding(film, film.master.frames)
    size = THUMB_WIDTH * THUMB_HEIGHT
    for block in read_frames(argv, size, limits, reads=film.reads, folder=folder):
        frames = np.frombuffer(block, np.uint8).reshape(-1, THUMB_HEIGHT, THUMB_WIDTH)
        part = shot_rules.measure(frames, before)
        whole.differences.extend(part.differences)
        whole.brightness.extend(part.brightness)
        whole.detail.extend(part.detail)
        told.extend(complexity.information(frames, before))
        looks += layouts(frames).tobytes()
        before = frames[-1]
    return Survey(whole, looks), told


def chunk_key(shop: Workshop, sha256: str, chunk: Chunk, recipe: Recipe) -> str:
    return shop.key("encoded chunk", sha256, chunk, recipe)


def encode_chunk(
    shop: Workshop, sha256: str, chunk: Chunk, recipe: Recipe, mark_key: bytes = b""
) -> str:
    """Encode one chunk in one recipe; ``mark_key`` is that of its mark. Returns the result's key.

    Raises ``MarkKeyDiffers``.
    """
    key = chunk_key(shop, sha256, chunk, recipe)
    if shop.has(key):
        return key
    film = film_of(shop, sha256)
    with contextlib.ExitStack() as stack:
        plane = None
        if recipe.mark is not None:
            plane = stack.enter_context(shop.scratch()) / "pattern.yuv"
            _write_plane(plane, recipe, recipe.mark, mark_key)
        folder = stack.enter_context(shop.making(key))
        cpu_s, wall_s = _encode_parts(shop, film, chunk, recipe, folder, plane)
    structlog.get_logger().info(
        "chunk_encoded",
        key=key,
        chunk=chunk.index,
        frames=chunk.frames,
        height=recipe.height,
        preset=recipe.preset,
        crf=recipe.crf,
        cpu_s=round(cpu_s, 2),
        wall_s=round(wall_s, 2),
    )
    return key


def _write_plane(path: Path, recipe: Recipe, mark: Mark, mark_key: bytes) -> None:
    if watermark.key_id(mark_key) != mark.key_id:
        raise MarkKeyDiffers("a chunk was to be marked with another key than that of its job")
    path.touch(mode=0o600)
    width, height = recipe.width, recipe.height
    path.write_bytes(watermark.plane(mark_key, width, height, mark.variant, recipe.look))


def _encode_parts(
    shop: Workshop, film: Film, chunk: Chunk, recipe: Recipe, folder: Path, plane: Path | None
) -> tuple[float, float]:
    """Encode a chunk, each piece of it for itself; CPU and wall time in seconds.

    One after the other: an encoder holds dozens of pictures until its run ends.
    """
    paths, cpu_s, wall_s = [], 0.0, 0.0
    for piece, each in ffmpeg.pieces_of(chunk, recipe):
        path = folder / (f"{piece.index}.mp4" if recipe.turns else CHUNK)
        argv = ffmpeg.chunk_argv(shop.programs.ffmpeg, film, piece, [(each, path)], plane)
        reads = film.reads if plane is None else [*film.reads, plane]
        done = run(argv, encoding(film, piece.frames), reads=reads, folder=folder)
        paths.append(path)
        cpu_s, wall_s = cpu_s + done.cpu_s, wall_s + done.wall_s
    if recipe.turns:
        _join(shop, film, recipe.codec, paths, folder, CHUNK)
        for path in paths:
            path.unlink()
    return cpu_s, wall_s


def _join(
    shop: Workshop, film: Film, codec: Codec, parts: Sequence[Path], folder: Path, name: str
) -> int:
    """Join encoded parts to the file ``name`` in ``folder``. Returns the size of the parts."""
    listing = folder / "parts.txt"
    listing.write_text("".join(ffmpeg.listed(part) for part in parts))
    size_bytes = sum(part.stat().st_size for part in parts)
    run(
        ffmpeg.assemble_argv(
            shop.programs.ffmpeg,
            listing,
            film.master.picture,
            FAMILIES[codec].reordered,
            folder / name,
        ),
        bounds.reading(size_bytes),
        reads=parts,
        folder=folder,
    )
    listing.unlink()
    return size_bytes


def chunk_bytes(shop: Workshop, key: str) -> int:
    """The size of an encoded chunk."""
    return shop.path(key, CHUNK).stat().st_size


def frame_bytes(shop: Workshop, key: str, chunk: Chunk) -> dict[int, int]:
    """The bytes of an encoded chunk's frames by their number in the film.

    They come in the order of decoding. As no frame refers across an IDR, those between two of
    them add up to what their frames have.
    """
    return dict(enumerate(sample_bytes(shop.path(key, CHUNK)), chunk.start))


def rung_frame_bytes(shop: Workshop, key: str) -> dict[int, int]:
    """The bytes of a joined rung's frames, as ``frame_bytes`` has a chunk's."""
    return dict(enumerate(sample_bytes(shop.path(key, RUNG))))


def rung_key(shop: Workshop, sha256: str, chunks: Sequence[str]) -> str:
    return shop.key("rung", sha256, chunks)


def join_rung(shop: Workshop, sha256: str, chunks: Sequence[str], codec: Codec = "h264") -> str:
    """Join encoded chunks (their keys) to a rung and count its frames. Returns its key."""
    key = rung_key(shop, sha256, chunks)
    if shop.has(key):
        return key
    film = film_of(shop, sha256)
    with shop.making(key) as folder:
        parts = [shop.path(each, CHUNK) for each in chunks]
        size_bytes = _join(shop, film, codec, parts, folder, RUNG)
        packets = run(
            ffprobe.packets_argv(shop.programs.ffprobe, folder / RUNG, 0),
            bounds.reading(size_bytes),
            reads=[folder / RUNG],
        )
        frames = len(frame_pts(packets.stdout.decode()))
        if frames != film.master.frames:
            raise ToolFailed(f"a rung has {frames} frames and the film {film.master.frames}")
    return key
