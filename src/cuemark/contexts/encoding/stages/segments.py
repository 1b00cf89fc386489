"""The files of a packaged track."""

from pathlib import Path


def segments_of(folder: Path) -> list[Path]:
    """The media segments in a track's folder, in their order."""
    return [folder / f"{n}.m4s" for n in range(1, len(list(folder.glob("*.m4s"))) + 1)]
