"""FFmpeg's command line for looking at a whole film small, at another film's rate."""

from fractions import Fraction
from pathlib import Path

from cuemark.contexts.encoding.model.watermark import LOOK_HEIGHT, LOOK_WIDTH
from cuemark.contexts.encoding.tools.canonical import Film, canonical, seek
from cuemark.contexts.encoding.tools.ffmpeg import FILM, PICTURES, QUIET


def looks_argv(ffmpeg: Path, film: Film, rate: Fraction, first: int = 0) -> list[str]:
    """The luma of every frame at ``rate``, ``LOOK_HEIGHT`` by ``LOOK_WIDTH``, raw on stdout.

    Those from the film's own frame ``first`` on, where the rate is its own.
    """
    chain = (
        f"{canonical(film, first)},fps={rate.numerator}/{rate.denominator}:round=near,"
        f"scale={LOOK_WIDTH}:{LOOK_HEIGHT}:flags=area,format=gray"
    )
    return [
        *[str(ffmpeg), *QUIET, "-filter_threads", "1", "-threads", "1"],
        *[
            *FILM,
            *PICTURES,
            *seek(film, first),
            "-i",
            str(film.path),
            "-map",
            f"0:{film.master.video_stream}",
        ],
        *["-vf", chain, "-fps_mode", "passthrough", "-f", "rawvideo", "-"],
    ]
