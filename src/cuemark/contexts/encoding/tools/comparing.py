"""Command lines that bring a master and the tracks of a version to what can be compared.

A content key never stands in a command line: FFmpeg reads it from the list that it is given.
"""

from collections.abc import Sequence
from pathlib import Path

from cuemark.contexts.encoding.model import loudness, mixing
from cuemark.contexts.encoding.model.sound import Sound
from cuemark.contexts.encoding.model.validation.pictures import HEIGHT, WIDTH
from cuemark.contexts.encoding.model.validation.sound import RATE_HZ
from cuemark.contexts.encoding.tools import sounding
from cuemark.contexts.encoding.tools.canonical import Film, canonical, standard_range
from cuemark.contexts.encoding.tools.ffmpeg import FILM, ONLY_FILES, listed
from cuemark.contracts.encoding.versions import DynamicRange

_QUIET = ["-nostdin", "-hide_banner", "-nostats", "-y"]
TINY_BYTES = WIDTH * HEIGHT * 3 // 2
_TINY = f"scale={WIDTH}:{HEIGHT}:flags=area,format=yuv420p"
"""With luma as it is coded: made gray, it would change with what a track says of its colors."""
_RAW = ["-fps_mode", "passthrough", "-f", "rawvideo", "-"]
_MONO = f"aresample={RATE_HZ},aformat=sample_fmts=s16:channel_layouts=mono"


def track_list(files: Sequence[tuple[Path, str]]) -> str:
    """What FFmpeg's concat demuxer reads to decrypt the files of a track, each by its key (hex)."""
    lines = [f"{listed(file)}option decryption_key {key}\n" for file, key in files]
    return "".join(["ffconcat version 1.0\n", *lines])


def master_pictures_argv(ffmpeg: Path, film: Film) -> list[str]:
    """Every frame of the canonical picture in ``TINY_BYTES``, luma first, raw on stdout."""
    return [
        *[str(ffmpeg), *_QUIET, "-v", "error", "-filter_threads", "1", "-threads", "1"],
        *[*FILM, "-i", str(film.path), "-map", f"0:{film.master.video_stream}"],
        *["-an", "-sn", "-dn", "-vf", f"{canonical(film, 0)},{_TINY}", *_RAW],
    ]


def track_pictures_argv(
    ffmpeg: Path, listing: Path, film: Film, dynamic_range: DynamicRange = "sdr"
) -> list[str]:
    """Every frame of an encrypted rendition likewise, one of high range in standard range."""
    shown = "" if dynamic_range == "sdr" else standard_range(film, film.standard)
    return [
        *[str(ffmpeg), *_QUIET, "-v", "error", "-filter_threads", "1", "-threads", "1"],
        *[*ONLY_FILES, "-f", "concat", "-safe", "0", "-i", str(listing)],
        *["-map", "0:v:0", "-vf", f"{shown}{_TINY}", *_RAW],
    ]


def master_sounds_argv(ffmpeg: Path, film: Film, sounds: Sequence[tuple[Sound, Path]]) -> list[str]:
    """Each sound from the first frame on, mono and raw, from one reading of the film."""
    outputs = [
        argument
        for sound, target in sounds
        for argument in (
            *("-map", f"0:{sound.stream}", "-vn"),
            *("-af", f"{sounding.canonical(sound, 'stereo')},{_MONO}"),
            *("-f", "s16le", str(target)),
        )
    ]
    return [
        *[str(ffmpeg), *_QUIET, "-v", "error", "-threads", "1", *FILM, "-i", str(film.path)],
        *outputs,
    ]


def track_sound_argv(ffmpeg: Path, listing: Path, channels: int, target: Path) -> list[str]:
    """An encrypted sound track, mono and raw; its loudness goes to stderr."""
    stereo = mixing.mixing("5.1", "stereo") + "," if channels > 2 else ""
    chain = f"{loudness.measuring()},aformat=channel_layouts=5.1|stereo,{stereo}{_MONO}"
    return [
        *[str(ffmpeg), *_QUIET, "-v", "info", "-threads", "1"],
        *[*ONLY_FILES, "-f", "concat", "-safe", "0", "-i", str(listing)],
        *["-map", "0:a:0", "-vn", "-af", chain, "-f", "s16le", str(target)],
    ]
