"""FFmpeg's command lines. Frames are named by their number in the film, never by time.

Every encode starts from the canonical picture (``tools/canonical.py``).

A master comes from a stranger: only containers of film are opened (a playlist would name other
files), only as a file, and no picture larger than any film's is decoded.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import msgspec

from cuemark.contexts.encoding.model.bounds import MAX_PIXELS
from cuemark.contexts.encoding.model.chunks import Chunk
from cuemark.contexts.encoding.model.color import PLAIN, Look
from cuemark.contexts.encoding.model.master import Picture
from cuemark.contexts.encoding.model.shots import THUMB_HEIGHT, THUMB_WIDTH
from cuemark.contexts.encoding.model.thumbnails import Tiling
from cuemark.contexts.encoding.model.watermark import Mark
from cuemark.contexts.encoding.tools.canonical import (
    Film,
    canonical,
    even,
    high_range,
    pixel_format,
    seek,
    standard_range,
)
from cuemark.contexts.encoding.tools.encoders import encoder_flags
from cuemark.contracts.encoding.versions import Codec, DynamicRange

ARTWORK_WIDTH = 1280
EXHIBIT_WIDTH = 640
SHEET = "sheet-%d.jpg"
FILM_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,avi,mxf,flv,asf,ogg,nut,gxf,dv,ivf,"
    "h264,hevc,mpegvideo,m4v,av1,obu"
)
ONLY_FILES = ["-protocol_whitelist", "file,pipe"]
FILM = [*ONLY_FILES, "-format_whitelist", FILM_FORMATS]
"""Options of every input that a stranger made."""
PICTURES = ["-max_pixels", str(MAX_PIXELS)]
QUIET = ["-nostdin", "-hide_banner", "-v", "error", "-y"]
BITEXACT = ["-fflags", "+bitexact", "-map_metadata", "-1", "-map_chapters", "-1"]
_ONE_JPEG = ["-frames:v", "1", "-update", "1", "-q:v", "3", *BITEXACT]


class Recipe(msgspec.Struct, frozen=True, omit_defaults=True):
    """An encoder's settings of one output. One thread, so that a chunk's bytes repeat.

    ``turns`` are frames of a chunk, shots' first ones, from which on another crf holds. ``grain``
    is the level at which grain is synthesized. Without these, and without a codec, a look or a
    mark, a recipe is written as it was before there were any: its results are found again.
    """

    width: int
    height: int
    crf: float
    preset: str
    turns: tuple[tuple[int, float], ...] = ()
    codec: Codec = "h264"
    look: Look = PLAIN
    grain: int = 0
    mark: Mark | None = None


def timescale(picture: Picture) -> tuple[int, int]:
    """Ticks a second of our files, and ticks a frame: both whole at any rate."""
    times = 1 if picture.rate_num >= 10_000 else 1000
    return picture.rate_num * times, picture.rate_den * times


def survey_argv(ffmpeg: Path, film: Film, tiling: Tiling) -> list[str]:
    """Every frame as a small luma picture, raw on stdout, and the sheets of thumbnails as files.

    One decoding serves both. The sheets are ``SHEET`` in the working folder, counted from 1, in
    JFIF's colors (ITU-R BT.601, full range). Of a picture in fields one is shown: at this size its
    lines are enough.
    """
    luma = f"scale={THUMB_WIDTH}:{THUMB_HEIGHT}:flags=area,format=gray"
    picked = f"not(mod(n,{tiling.every_frames}))*lt(n,{film.master.frames})"
    field = "field=type=top," * bool(film.master.interlaced)
    standard = f"{high_range(film)}{standard_range(film, film.standard)}"
    tile = (
        f"select='{picked}',{field}scale={tiling.tile_width}:{tiling.tile_height}:flags=bicubic,"
        f"{standard}scale=out_color_matrix=bt601:out_range=pc,"
        f"format=yuv420p,setsar=1,tile={tiling.columns}x{tiling.rows}:color=black"
    )
    graph = (
        f"[0:{film.master.video_stream}]{even(film, 0)}split[frames][tiles];"
        f"[frames]{luma}[luma];[tiles]{tile}[sheets]"
    )
    return [
        *[str(ffmpeg), *QUIET, "-filter_complex_threads", "1", "-threads", "1"],
        *[*FILM, *PICTURES, "-i", str(film.path), "-filter_complex", graph],
        *["-map", "[luma]", "-fps_mode", "passthrough", "-f", "rawvideo", "-"],
        *["-map", "[sheets]", "-fps_mode", "passthrough", "-c:v", "mjpeg", "-q:v", "4"],
        *["-threads", "1", *BITEXACT, "-flags:v", "+bitexact", "-f", "image2", SHEET],
    ]


def index_argv(ffmpeg: Path, source: Path, stream: int, target: Path) -> list[str]:
    """Copy the film and its sounds into Matroska, which has the index that the source lacks.

    With what the file says of its sounds: their languages, and whom they are for.
    """
    return [
        *[str(ffmpeg), *QUIET, "-fflags", "+genpts", *FILM, "-i", str(source)],
        *["-map", f"0:{stream}", "-map", "0:a?", "-c", "copy"],
        *["-fflags", "+bitexact", "-map_chapters", "-1", str(target)],
    ]


def fields_argv(ffmpeg: Path, film: Film, frame: int, frames: int) -> list[str]:
    """Look for fields in some frames; what is found goes to stderr."""
    return [
        *[str(ffmpeg), "-nostdin", "-hide_banner", "-v", "info", "-nostats"],
        *["-filter_threads", "1", "-threads", "1", *FILM, *PICTURES, *seek(film, frame)],
        *["-i", str(film.path), "-map", f"0:{film.master.video_stream}", "-an", "-sn", "-dn"],
        *["-frames:v", str(frames), "-vf", "idet", "-f", "null", "-"],
    ]


def light_argv(ffmpeg: Path, film: Film) -> list[str]:
    """What the first frame says beside its picture, its light above all; it goes to stderr."""
    return [
        *[str(ffmpeg), "-nostdin", "-hide_banner", "-v", "info", "-nostats"],
        *["-filter_threads", "1", "-threads", "1", *FILM, *PICTURES, "-i", str(film.path)],
        *["-map", f"0:{film.master.video_stream}", "-an", "-sn", "-dn", "-frames:v", "1"],
        *["-vf", "trim=end_frame=1,showinfo=checksum=0", "-f", "null", "-"],
    ]


def excerpt_argv(
    ffmpeg: Path, film: Film, frame: int, frames: int, size: tuple[int, int]
) -> list[str]:
    """Luma of some frames of the canonical picture, raw on stdout in 10 bits, its middle alone.

    ``size`` is the width and the height of that.
    """
    middle = f"crop={size[0]}:{size[1]},format=yuv420p10le,extractplanes=y"
    return [
        *[str(ffmpeg), *QUIET, "-filter_threads", "1", "-threads", "1"],
        *[*FILM, *PICTURES, *seek(film, frame), "-i", str(film.path)],
        *["-map", f"0:{film.master.video_stream}", "-an", "-sn", "-dn"],
        *["-vf", f"{canonical(film, frame)},{middle}", "-frames:v", str(frames)],
        *["-fps_mode", "passthrough", "-f", "rawvideo", "-"],
    ]


def chunk_argv(
    ffmpeg: Path,
    film: Film,
    chunk: Chunk,
    outputs: Sequence[tuple[Recipe, Path]],
    plane: Path | None = None,
) -> list[str]:
    """Encode one chunk in several recipes of one look from one decoding.

    ``plane`` is the pattern of the recipes' mark, a raw picture of their size.
    """
    picture, look = film.master.picture, outputs[0][0].look
    labels = [f"[v{number}]" for number in range(len(outputs))]
    split = f",split={len(outputs)}" if len(outputs) > 1 else ""
    whole = canonical(film, chunk.start, look)
    graph = [f"[0:{film.master.video_stream}]{whole}{split}{''.join(labels)}"]
    arguments: list[str] = []
    for number, (recipe, path) in enumerate(outputs):
        scaled = _scaled(picture, recipe.width, recipe.height)
        if plane is not None:
            # The one picture of the pattern is repeated for as long as the film goes on.
            scaled += f"[u{number}];[u{number}][1:v]blend=all_mode=grainmerge"
        graph.append(f"{labels[number]}{scaled}[o{number}]")
        arguments += ["-map", f"[o{number}]", "-frames:v", str(chunk.frames)]
        arguments += encoder_flags(
            *(recipe.codec, recipe.crf, recipe.preset, film.master, chunk.idrs),
            recipe.look,
            recipe.grain,
        )
        arguments += [*BITEXACT, "-video_track_timescale", str(timescale(picture)[0]), str(path)]
    return [
        *[str(ffmpeg), *QUIET, "-filter_complex_threads", "1", "-threads", "1"],
        *[*FILM, *PICTURES, *seek(film, chunk.start), "-i", str(film.path)],
        *([] if plane is None else _pattern(outputs[0][0], plane)),
        *["-filter_complex", ";".join(graph), *arguments],
    ]


def _pattern(recipe: Recipe, plane: Path) -> list[str]:
    """The pattern of a mark as an input."""
    return [
        *[*ONLY_FILES, "-f", "rawvideo", "-pixel_format", pixel_format(recipe.look)],
        *["-video_size", f"{recipe.width}x{recipe.height}", "-i", str(plane)],
    ]


def pieces_of(chunk: Chunk, recipe: Recipe) -> list[tuple[Chunk, Recipe]]:
    """A chunk parted where its recipe turns to another crf.

    x264 has zones, but within one encode a key frame's quantizer follows from the frames before
    it, which are another shot's; and cut at a key frame anyway, a piece loses nothing.
    """
    bounds = [0, *(frame for frame, _ in recipe.turns), chunk.frames]
    crfs = [recipe.crf, *(crf for _, crf in recipe.turns)]
    return [
        (
            Chunk(
                number,
                chunk.start + first,
                chunk.start + end,
                [idr - first for idr in chunk.idrs if first <= idr < end],
            ),
            msgspec.structs.replace(recipe, crf=crf, turns=()),
        )
        for number, ((first, end), crf) in enumerate(zip(pairwise(bounds), crfs, strict=True))
    ]


def _scaled(picture: Picture, width: int, height: int) -> str:
    if (width, height) == (picture.width, picture.height):
        return "null"
    return f"scale={width}:{height}:flags=bicubic,setsar=1"


def listed(file: Path) -> str:
    """A line of the list that ``assemble_argv`` joins, quoted as ffmpeg's manual has it."""
    quoted = str(file).replace("'", "'\\''")
    return f"file '{quoted}'\n"


def assemble_argv(
    ffmpeg: Path, listing: Path, picture: Picture, reordered: int, target: Path
) -> list[str]:
    """Join chunks, their times put back on the grid of frames, from 0 without an edit list.

    ``reordered`` is how many frames decoding is ahead of what is shown.
    """
    scale, tick = timescale(picture)
    # Parts of a few frames are reordered less than others, so their own times would collide.
    dts = f"(N-{reordered})*{tick}"
    snap = f"setts=pts=round(PTS/{tick})*{tick}:dts={dts}:duration={tick}"
    return [
        *[str(ffmpeg), *QUIET, *ONLY_FILES, "-f", "concat", "-safe", "0", "-i", str(listing)],
        *["-map", "0:v:0", "-c", "copy", "-bsf:v", snap, *BITEXACT],
        *["-movflags", "+negative_cts_offsets", "-video_track_timescale", str(scale)],
        str(target),
    ]


def artwork_argv(ffmpeg: Path, film: Film, frame: int, target: Path) -> list[str]:
    """One frame as a JPEG of at most ``ARTWORK_WIDTH``."""
    return _jpeg_argv(ffmpeg, film, frame, ARTWORK_WIDTH, target)


def master_frame_argv(ffmpeg: Path, film: Film, frame: int, target: Path) -> list[str]:
    """One frame of the canonical picture as a JPEG of at most ``EXHIBIT_WIDTH``."""
    return _jpeg_argv(ffmpeg, film, frame, EXHIBIT_WIDTH, target)


def rung_frame_argv(
    ffmpeg: Path, rung: Path, film: Film, frame: int, target: Path, dynamic_range: DynamicRange
) -> list[str]:
    """The same frame of a joined rung, as the viewer's screen scales it up.

    One of high range is shown in standard range, as the film's own frame is.
    """
    picture = film.master.picture
    frame_s = picture.rate_den / picture.rate_num
    into = ["-ss", f"{(frame - 0.25) * frame_s:.6f}"] if frame else []
    up = f"scale={picture.width}:{picture.height}:flags=bicubic,setsar=1"
    if dynamic_range != "sdr":
        up += f",format=yuv420p10le,{standard_range(film, film.standard)}null"
    return [
        *[str(ffmpeg), *QUIET, "-filter_threads", "1", "-threads", "1"],
        *[*into, "-i", str(rung), "-map", "0:v:0"],
        *["-vf", f"{up},{_at_most(EXHIBIT_WIDTH)}", *_ONE_JPEG, str(target)],
    ]


def _jpeg_argv(ffmpeg: Path, film: Film, frame: int, width: int, target: Path) -> list[str]:
    chain = f"{canonical(film, frame)},{_at_most(width)}"
    return [
        *[str(ffmpeg), *QUIET, "-filter_threads", "1", "-threads", "1"],
        *[*FILM, *PICTURES, *seek(film, frame), "-i", str(film.path)],
        *["-map", f"0:{film.master.video_stream}", "-vf", chain, *_ONE_JPEG, str(target)],
    ]


def _at_most(width: int) -> str:
    """Scaled down to ``width``, in the colors that a JPEG has (JFIF: ITU-R BT.601, full range)."""
    size = f"scale='min({width},iw)':-2:flags=lanczos"
    return f"{size}:out_color_matrix=bt601:out_range=pc,format=yuv420p"
