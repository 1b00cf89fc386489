"""Command lines that bring a master and the tracks of a version to what can be compared.

A content key never stands in a command line: FFmpeg reads it from the list that it is given.
"""

from pathlib import Path

from cuemark.contexts.encoding.model.master import Sound
from cuemark.contexts.encoding.model.validation.pictures import HEIGHT, WIDTH
from cuemark.contexts.encoding.model.validation.sound import RATE_HZ
from cuemark.contexts.encoding.tools.ffmpeg import FILM, Film, canonical, listed, stereo

_QUIET = ["-nostdin", "-hide_banner", "-nostats", "-y"]
TINY_BYTES = WIDTH * HEIGHT * 3 // 2
_TINY = f"scale={WIDTH}:{HEIGHT}:flags=area,format=yuv420p"
"""With luma as it is coded: made gray, it would change with what a track says of its colors."""
_RAW = ["-fps_mode", "passthrough", "-f", "rawvideo", "-"]
_MONO = f"aresample={RATE_HZ},aformat=sample_fmts=s16:channel_layouts=mono"
_ONLY_FILES = ["-protocol_whitelist", "file,pipe"]


def track_list(track: Path, key: str) -> str:
    """What FFmpeg's concat demuxer reads to decrypt a track with ``key`` (hex)."""
    return f"ffconcat version 1.0\n{listed(track)}option decryption_key {key}\n"


def master_pictures_argv(ffmpeg: Path, film: Film) -> list[str]:
    """Every frame of the canonical picture in ``TINY_BYTES``, luma first, raw on stdout."""
    return [
        *[str(ffmpeg), *_QUIET, "-v", "error", "-filter_threads", "1", "-threads", "1"],
        *[*FILM, "-i", str(film.path), "-map", f"0:{film.master.video_stream}"],
        *["-an", "-sn", "-dn", "-vf", f"{canonical(film, 0)},{_TINY}", *_RAW],
    ]


def track_pictures_argv(ffmpeg: Path, listing: Path) -> list[str]:
    """Every frame of an encrypted rendition likewise."""
    return [
        *[str(ffmpeg), *_QUIET, "-v", "error", "-filter_threads", "1", "-threads", "1"],
        *[*_ONLY_FILES, "-f", "concat", "-safe", "0", "-i", str(listing)],
        *["-map", "0:v:0", "-vf", _TINY, *_RAW],
    ]


def master_sound_argv(ffmpeg: Path, film: Film, sound: Sound, target: Path) -> list[str]:
    """The sound from the first frame on, mono and raw."""
    return [
        *[str(ffmpeg), *_QUIET, "-v", "error", "-threads", "1", *FILM, "-i", str(film.path)],
        *["-map", f"0:{sound.stream}", "-vn", "-af", f"{stereo(sound)},{_MONO}"],
        *["-f", "s16le", str(target)],
    ]


def track_sound_argv(ffmpeg: Path, listing: Path, target: Path) -> list[str]:
    """An encrypted sound track, mono and raw; its loudness goes to stderr."""
    chain = f"ebur128=peak=true:framelog=quiet,{_MONO}"
    return [
        *[str(ffmpeg), *_QUIET, "-v", "info", "-threads", "1"],
        *[*_ONLY_FILES, "-f", "concat", "-safe", "0", "-i", str(listing)],
        *["-map", "0:a:0", "-vn", "-af", chain, "-f", "s16le", str(target)],
    ]
