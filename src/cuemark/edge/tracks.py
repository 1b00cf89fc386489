"""Tracks of a version: the files whose paths begin alike, which are wanted and leave together."""

import re
from pathlib import PurePosixPath
from typing import NamedTuple

from cuemark.contracts.encoding.versions import VersionIndex, track_of
from cuemark.contracts.ids import VersionId

FIRST_SEGMENTS = 3
"""What every play of a version begins with."""
_SEGMENT = re.compile(r"[abx]?([0-9]+)\.(?:m4s|jpg)", re.ASCII)


class Track(NamedTuple):
    """One rendition, one sound, one language of captions, or the thumbnails."""

    version_id: VersionId
    track_id: str


def segment_of(path: str) -> int:
    """The number of a segment of media, in either variant, or of thumbnails; 0 for playlists,
    captions and inits."""
    found = _SEGMENT.fullmatch(PurePosixPath(path).name)
    return int(found[1]) if found else 0


def beginnings(index: VersionIndex) -> list[str]:
    """The paths that every play of a version begins with, the smallest files first."""
    paths = [path for path in index.files if segment_of(path) <= FIRST_SEGMENTS]
    return sorted(paths, key=lambda path: (segment_of(path), index.files[path].size_bytes, path))


def rest(index: VersionIndex) -> list[str]:
    """All other paths, in the order in which they are played."""
    paths = [path for path in index.files if segment_of(path) > FIRST_SEGMENTS]
    return sorted(paths, key=in_play)


def paths_of(index: VersionIndex, track_id: str) -> list[str]:
    """The paths of one track, in the order in which they are played."""
    return sorted((path for path in index.files if track_of(path) == track_id), key=in_play)


def in_play(path: str) -> tuple[int, str]:
    """What orders paths as they are played."""
    return segment_of(path), path
