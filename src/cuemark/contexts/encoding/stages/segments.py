"""The files of a packaged track: one for each segment, or one for each variant of it."""

from pathlib import Path

from cuemark.contexts.encoding.model.watermark import VARIANTS


def segments_of(folder: Path, variant: str = "") -> list[Path]:
    """The media segments in a track's folder, or those of one variant, in their order."""
    count = len(list(folder.glob(f"{variant}[0-9]*.m4s")))
    return [folder / f"{variant}{n}.m4s" for n in range(1, count + 1)]


def variants_of(folder: Path) -> list[list[Path]]:
    """Of each segment in a track's folder the files, one or those of both variants."""
    if plain := segments_of(folder):
        return [[path] for path in plain]
    of_each = [segments_of(folder, variant) for variant in VARIANTS]
    return [list(files) for files in zip(*of_each, strict=True)]


def most_bytes_of(folder: Path) -> list[int]:
    """The size of each segment in a track's folder, that of its larger variant."""
    return [max(path.stat().st_size for path in files) for files in variants_of(folder)]
