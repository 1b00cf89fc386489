"""ffprobe's command lines."""

from pathlib import Path


def report_argv(ffprobe: Path, file: Path) -> list[str]:
    """Streams and container as JSON."""
    return [
        *[str(ffprobe), "-v", "error", "-show_streams", "-show_format"],
        *["-of", "json", str(file)],
    ]


def packets_argv(ffprobe: Path, file: Path, stream: int) -> list[str]:
    """Presentation time and flags of each packet of a stream, one line each."""
    return [
        *[str(ffprobe), "-v", "error", "-select_streams", str(stream)],
        *["-show_entries", "packet=pts,flags", "-of", "csv=p=0", str(file)],
    ]
