"""ffprobe's command lines. Files are opened as ``tools.ffmpeg`` opens a master."""

from pathlib import Path

from cuemark.contexts.encoding.model.bounds import MAX_PIXELS
from cuemark.contexts.encoding.tools.ffmpeg import FILM

_OPENED = ["-v", "error", *FILM, "-max_pixels", str(MAX_PIXELS)]


def report_argv(ffprobe: Path, file: Path) -> list[str]:
    """Streams and container as JSON."""
    return [
        *[str(ffprobe), *_OPENED, "-show_streams", "-show_format"],
        *["-of", "json", str(file)],
    ]


def packets_argv(ffprobe: Path, file: Path, stream: int) -> list[str]:
    """Presentation time and flags of each packet of a stream, one line each."""
    return [
        *[str(ffprobe), *_OPENED, "-select_streams", str(stream)],
        *["-show_entries", "packet=pts,flags", "-of", "csv=p=0", str(file)],
    ]
