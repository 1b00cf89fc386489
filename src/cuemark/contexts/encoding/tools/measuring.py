"""FFmpeg's command lines for quality: VMAF of an encode against the canonical picture.

VMAF was trained on pictures of standard range. An encode in PQ or HLG and its reference are both
brought to standard range by the table that the film's standard look is made by, and compared there;
what that hides, highlights above all, is measured beside it: the PSNR of luma in PQ or HLG codes.

Grain that players synthesize is other grain than the film's: sample by sample it is an error as
large as the grain itself, and VMAF counts it as one. So an encode whose grain is synthesized is
compared without it to the film without it.
"""

from pathlib import Path

from cuemark.contexts.encoding.model.color import Look
from cuemark.contexts.encoding.model.master import Picture
from cuemark.contexts.encoding.tools.canonical import (
    Film,
    canonical,
    pixel_format,
    seek,
    stamp,
    standard_range,
)
from cuemark.contexts.encoding.tools.ffmpeg import FILM, ONLY_FILES, PICTURES, QUIET

PSNR_LOG = "psnr.log"
SEEN_IN_4K_LINES = 1440
_MOST_TAKEN = 30.0


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
    look: Look | None = None,
    without_grain: float | None = None,
) -> list[str]:
    """Score frames ``frames`` of the film in ``rung``, whose first frame is ``rung_start``.

    The log has VMAF as ``vmaf`` and, not clipped to 0 and 100, as ``raw``. ``guards`` asks for
    VMAF NEG (``neg``) and CAMBI (``cambi``) beside it. Of a rung of high range ``PSNR_LOG`` has
    what FFmpeg's filter ``psnr`` says of each frame.

    The rung is scaled up to the canonical picture (the viewer's screen); ``log`` is a plain
    file name in the working folder. Every ``every``-th frame is scored. ``look`` is the rung's.
    ``without_grain`` is the sigma of the film's grain, where both are compared without it: what
    the decoder synthesizes is left out, and what the film has is taken away (``ungrained``).
    """
    picture = film.master.picture
    look = look or film.standard
    first, end = frames
    frame_s = picture.rate_den / picture.rate_num
    skip_s = (first - rung_start - 0.25) * frame_s
    into = ["-ss", f"{skip_s:.6f}"] if first > rung_start else []
    up = (
        f"scale={picture.width}:{picture.height}:flags=bicubic,setsar=1,format={pixel_format(look)}"
    )
    shown = f"{stamp(picture)},trim=end_frame={end - first},{up}"
    clean = f",{ungrained(without_grain)}" if without_grain else ""
    bare = [] if without_grain is None else ["-export_side_data", "film_grain"]
    wanted = f"{canonical(film, first, look)},trim=end_frame={end - first}{clean}"
    inputs = f"[0:v]{shown}[d];[1:{film.master.video_stream}]{wanted}[r];"
    scored = _libvmaf(picture, log, every, guards=guards)
    if look.dynamic_range == "sdr":
        graph, maps = f"{inputs}[d][r]{scored}", []
    else:
        down = standard_range(film, film.standard).rstrip(",")
        graph = (
            f"{inputs}[d]split[dh][d1];[r]split[rh][r1];[d1]{down}[d2];[r1]{down}[r2];"
            f"[d2][r2]{scored}[v];[dh][rh]psnr=stats_file={PSNR_LOG}[p]"
        )
        maps = ["-map", "[v]", "-map", "[p]"]
    return [
        *[str(ffmpeg), *QUIET, "-filter_complex_threads", "1"],
        *["-threads", "1", *bare, *ONLY_FILES, *into, "-i", str(rung)],
        *["-threads", "1", *FILM, *PICTURES, *seek(film, first), "-i", str(film.path)],
        *["-filter_complex", graph, *maps, "-f", "null", "-"],
    ]


def ungrained(sigma: float) -> str:
    """The filter that takes grain of this sigma (codes of 8 bits) away from luma.

    A Wiener filter in each picture for itself, so that a frame is the same wherever decoding began.
    It is ours, not the encoder's: an encode that took away more than grain measures less.
    """
    return f"fftdnoiz=sigma={min(sigma, _MOST_TAKEN):g}:planes=1"


def ceiling_argv(
    ffmpeg: Path, film: Film, frames: tuple[int, int], log: str, *, every: int
) -> list[str]:
    """Score frames ``frames`` of the film against themselves, as ``vmaf_argv`` scores a rung."""
    first, end = frames
    graph = (
        f"[0:{film.master.video_stream}]{canonical(film, first)},trim=end_frame={end - first},"
        f"split[d][r];[d][r]{_libvmaf(film.master.picture, log, every)}"
    )
    return [
        *[str(ffmpeg), *QUIET, "-filter_complex_threads", "1", "-threads", "1"],
        *[*FILM, *PICTURES, *seek(film, first), "-i", str(film.path)],
        *["-filter_complex", graph, "-f", "null", "-"],
    ]


def seen_in_4k(picture: Picture) -> bool:
    """Whether a picture is scored as seen from 1.5 of its heights, and not from three of them
    (Netflix libvmaf, ``models.md``)."""
    return min(picture.width, picture.height) > SEEN_IN_4K_LINES


def _libvmaf(picture: Picture, log: str, every: int, *, guards: bool = False) -> str:
    model = "vmaf_4k_v0.6.1" if seen_in_4k(picture) else "vmaf_v0.6.1"
    models = f"version={model}|version={model}\\\\:name=raw\\\\:disable_clip=true"
    if guards:
        models += f"|version={model}neg\\\\:name=neg:feature=name=cambi"
    return f"libvmaf=n_threads=1:n_subsample={every}:log_fmt=json:log_path={log}:model={models}"
