"""FFmpeg's command lines. Frames are named by their number in the film, never by time.

Every encode and every comparison starts from the canonical picture: progressive, upright, cut
to even sides, 8 bits 4:2:0 of standard range, and frame N stamped N ticks of one frame each.
Without that stamp libvmaf pairs frames by rounded times and misaligns them.

A master comes from a stranger: only containers of film are opened (a playlist would name other
files), only as a file, and no picture larger than any film's is decoded.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import msgspec

from cuemark.contexts.encoding.model.bounds import MAX_PIXELS
from cuemark.contexts.encoding.model.chunks import Chunk
from cuemark.contexts.encoding.model.master import Master, Picture
from cuemark.contexts.encoding.model.shots import THUMB_HEIGHT, THUMB_WIDTH
from cuemark.contexts.encoding.model.thumbnails import Tiling
from cuemark.contexts.encoding.tools.encoders import encoder_flags
from cuemark.contracts.encoding import Codec

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
_PICTURES = ["-max_pixels", str(MAX_PIXELS)]
QUIET = ["-nostdin", "-hide_banner", "-v", "error", "-y"]
BITEXACT = ["-fflags", "+bitexact", "-map_metadata", "-1", "-map_chapters", "-1"]
_ONE_JPEG = ["-frames:v", "1", "-update", "1", "-q:v", "3", *BITEXACT]
_MODELS = "version=vmaf_v0.6.1|version=vmaf_v0.6.1\\\\:name=raw\\\\:disable_clip=true"
_GUARDS = "|version=vmaf_v0.6.1neg\\\\:name=neg:feature=name=cambi"


class Recipe(msgspec.Struct, frozen=True, omit_defaults=True):
    """An encoder's settings of one output. One thread, so that a chunk's bytes repeat.

    ``turns`` are frames of a chunk, shots' first ones, from which on another crf holds. Without
    them, and without a codec, a recipe is written as it was before there were any: its results are
    found again.
    """

    width: int
    height: int
    crf: float
    preset: str
    turns: tuple[tuple[int, float], ...] = ()
    codec: Codec = "h264"


class Film(msgspec.Struct, frozen=True):
    """The file that encodes read, with what is known of its frames."""

    path: Path
    master: Master


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
    tile = (
        f"select='{picked}',{field}scale={tiling.tile_width}:{tiling.tile_height}:flags=bicubic,"
        f"{_standard_range(film.master.high_range)}scale=out_color_matrix=bt601:out_range=pc,"
        f"format=yuv420p,setsar=1,tile={tiling.columns}x{tiling.rows}:color=black"
    )
    graph = (
        f"[0:{film.master.video_stream}]{_even(film, 0)}split[frames][tiles];"
        f"[frames]{luma}[luma];[tiles]{tile}[sheets]"
    )
    return [
        *[str(ffmpeg), *QUIET, "-filter_complex_threads", "1", "-threads", "1"],
        *[*FILM, *_PICTURES, "-i", str(film.path), "-filter_complex", graph],
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
        *["-filter_threads", "1", "-threads", "1", *FILM, *_PICTURES, *seek(film, frame)],
        *["-i", str(film.path), "-map", f"0:{film.master.video_stream}", "-an", "-sn", "-dn"],
        *["-frames:v", str(frames), "-vf", "idet", "-f", "null", "-"],
    ]


def chunk_argv(
    ffmpeg: Path, film: Film, chunk: Chunk, outputs: Sequence[tuple[Recipe, Path]]
) -> list[str]:
    """Encode one chunk in several recipes from one decoding."""
    picture = film.master.picture
    labels = [f"[v{number}]" for number in range(len(outputs))]
    split = f",split={len(outputs)}" if len(outputs) > 1 else ""
    whole = canonical(film, chunk.start)
    graph = [f"[0:{film.master.video_stream}]{whole}{split}{''.join(labels)}"]
    arguments: list[str] = []
    for number, (recipe, path) in enumerate(outputs):
        graph.append(f"{labels[number]}{_scaled(picture, recipe.width, recipe.height)}[o{number}]")
        arguments += ["-map", f"[o{number}]", "-frames:v", str(chunk.frames)]
        arguments += encoder_flags(recipe.codec, recipe.crf, recipe.preset, picture, chunk.idrs)
        arguments += [*BITEXACT, "-video_track_timescale", str(timescale(picture)[0]), str(path)]
    return [
        *[str(ffmpeg), *QUIET, "-filter_complex_threads", "1", "-threads", "1"],
        *[*FILM, *_PICTURES, *seek(film, chunk.start), "-i", str(film.path)],
        *["-filter_complex", ";".join(graph), *arguments],
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


def seek(film: Film, frame: int) -> list[str]:
    """Input options with which decoding yields ``frame`` first: a quarter frame before its time.

    FFmpeg rounds the time to the container's ticks, and some containers have one tick a frame:
    half a frame before would then round to the frame before.
    """
    shown = film.master.shown_at(frame)
    if shown == 0:
        return []
    before_s, at_s = film.master.pts_s[shown - 1 : shown + 1]
    return ["-seek_timestamp", "1", "-ss", f"{at_s - (at_s - before_s) / 4:.6f}"]


def canonical(film: Film, start: int) -> str:
    """The filters that make the canonical picture, where decoding begins with frame ``start``."""
    picture, master = film.master.picture, film.master
    fields = f"bwdif=mode=send_frame:parity={master.interlaced}:deint=all," * bool(
        master.interlaced
    )
    size = f"{picture.width}:{picture.height}"
    fit = f"scale={size}:flags=bicubic" if picture.scaled else f"crop={size}:0:0"
    range_ = _standard_range(master.high_range)
    return f"{fields}{_even(film, start)}{fit},setsar=1,{range_}format=yuv420p,{_stamp(picture)}"


def _even(film: Film, start: int) -> str:
    """The filters that bring a film to a constant rate, from its frame ``start`` on.

    The times within one run are exact, but a run's first time is not, so that is set again. The
    last frame has no end where a container states none: it is shown once.
    """
    master, picture = film.master, film.master.picture
    if not master.shown:
        return ""
    at_s = master.pts_s[master.shown_at(start)] - master.pts_s[0]
    begin_s = start * picture.rate_den / picture.rate_num
    return (
        f"setpts=floor(PTS-STARTPTS+{at_s:.9f}/TB+0.5),"
        f"fps={picture.rate_num}/{picture.rate_den}:round=near:eof_action=pass:"
        f"start_time={begin_s:.9f},tpad=stop=1:stop_mode=clone,"
    )


def _standard_range(transfer: str) -> str:
    """From PQ or HLG in BT.2020 to BT.709, as Hable's curve does it (ITU-R BT.2100, BT.709)."""
    if not transfer:
        return ""
    return (
        f"zscale=transferin={transfer}:primariesin=bt2020:matrixin=2020_ncl:"
        "transfer=linear:npl=100,format=gbrpf32le,zscale=primaries=bt709,"
        "tonemap=hable:desat=0,zscale=transfer=bt709:matrix=bt709:range=limited,"
    )


def _stamp(picture: Picture) -> str:
    return f"settb={picture.rate_den}/{picture.rate_num},setpts=N"


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


def vmaf_argv(
    ffmpeg: Path,
    rung: Path,
    film: Film,
    frames: tuple[int, int],
    rung_start: int,
    log: str,
    *,
    every: int,
    guards: bool = False,
) -> list[str]:
    """Score frames ``frames`` of the film in ``rung``, whose first frame is ``rung_start``.

    The log has VMAF as ``vmaf`` and, not clipped to 0 and 100, as ``raw``. ``guards`` asks for
    VMAF NEG (``neg``) and CAMBI (``cambi``) beside it.

    The rung is scaled up to the canonical picture (the viewer's screen); ``log`` is a plain
    file name in the working folder. Every ``every``-th frame is scored.
    """
    picture = film.master.picture
    first, end = frames
    frame_s = picture.rate_den / picture.rate_num
    skip_s = (first - rung_start - 0.25) * frame_s
    into = ["-ss", f"{skip_s:.6f}"] if first > rung_start else []
    up = f"scale={picture.width}:{picture.height}:flags=bicubic,setsar=1,format=yuv420p"
    graph = (
        f"[0:v]{_stamp(picture)},trim=end_frame={end - first},{up}[d];"
        f"[1:{film.master.video_stream}]{canonical(film, first)},trim=end_frame={end - first}[r];"
        f"[d][r]{_libvmaf(log, every, _GUARDS if guards else '')}"
    )
    return [
        *[str(ffmpeg), *QUIET, "-filter_complex_threads", "1"],
        *["-threads", "1", *ONLY_FILES, *into, "-i", str(rung)],
        *["-threads", "1", *FILM, *_PICTURES, *seek(film, first), "-i", str(film.path)],
        *["-filter_complex", graph, "-f", "null", "-"],
    ]


def ceiling_argv(
    ffmpeg: Path, film: Film, frames: tuple[int, int], log: str, *, every: int
) -> list[str]:
    """Score frames ``frames`` of the film against themselves, as ``vmaf_argv`` scores a rung."""
    first, end = frames
    graph = (
        f"[0:{film.master.video_stream}]{canonical(film, first)},trim=end_frame={end - first},"
        f"split[d][r];[d][r]{_libvmaf(log, every)}"
    )
    return [
        *[str(ffmpeg), *QUIET, "-filter_complex_threads", "1", "-threads", "1"],
        *[*FILM, *_PICTURES, *seek(film, first), "-i", str(film.path)],
        *["-filter_complex", graph, "-f", "null", "-"],
    ]


def _libvmaf(log: str, every: int, guards: str = "") -> str:
    return (
        f"libvmaf=n_threads=1:n_subsample={every}:log_fmt=json:log_path={log}"
        f":model={_MODELS}{guards}"
    )


def artwork_argv(ffmpeg: Path, film: Film, frame: int, target: Path) -> list[str]:
    """One frame as a JPEG of at most ``ARTWORK_WIDTH``."""
    return _jpeg_argv(ffmpeg, film, frame, ARTWORK_WIDTH, target)


def master_frame_argv(ffmpeg: Path, film: Film, frame: int, target: Path) -> list[str]:
    """One frame of the canonical picture as a JPEG of at most ``EXHIBIT_WIDTH``."""
    return _jpeg_argv(ffmpeg, film, frame, EXHIBIT_WIDTH, target)


def rung_frame_argv(ffmpeg: Path, rung: Path, film: Film, frame: int, target: Path) -> list[str]:
    """The same frame of a joined rung, as the viewer's screen scales it up."""
    picture = film.master.picture
    frame_s = picture.rate_den / picture.rate_num
    into = ["-ss", f"{(frame - 0.25) * frame_s:.6f}"] if frame else []
    up = f"scale={picture.width}:{picture.height}:flags=bicubic,setsar=1"
    return [
        *[str(ffmpeg), *QUIET, "-filter_threads", "1", "-threads", "1"],
        *[*into, "-i", str(rung), "-map", "0:v:0"],
        *["-vf", f"{up},{_at_most(EXHIBIT_WIDTH)}", *_ONE_JPEG, str(target)],
    ]


def _jpeg_argv(ffmpeg: Path, film: Film, frame: int, width: int, target: Path) -> list[str]:
    chain = f"{canonical(film, frame)},{_at_most(width)}"
    return [
        *[str(ffmpeg), *QUIET, "-filter_threads", "1", "-threads", "1"],
        *[*FILM, *_PICTURES, *seek(film, frame), "-i", str(film.path)],
        *["-map", f"0:{film.master.video_stream}", "-vf", chain, *_ONE_JPEG, str(target)],
    ]


def _at_most(width: int) -> str:
    """Scaled down to ``width``, in the colors that a JPEG has (JFIF: ITU-R BT.601, full range)."""
    size = f"scale='min({width},iw)':-2:flags=lanczos"
    return f"{size}:out_color_matrix=bt601:out_range=pc,format=yuv420p"
