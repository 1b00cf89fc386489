"""The tracks of a version: what each is, and what it takes."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from cuemark.contracts.encoding.versions import Version, VersionIndex, track_of

LINES = (144, 240, 360, 480, 540, 720, 1080, 1440, 2160, 4320)
"""Of the classes of rungs, as of a picture of 16:9 that is as wide."""
COMPANION = "companion"
"""What comes with every play, whichever rendition and sound it has: captions, thumbnails,
I-frames, and the playlists for one DRM system."""
KINDS_S = (900.0, 4500.0)
"""Clips, episodes and films are watched at other hours, and are told apart by how long they are:
up to a quarter of an hour, up to an hour and a quarter, and longer."""


@dataclass(frozen=True)
class Facts:
    """``sort`` is the class of the track: the same of any title, such as ``video/h264/sdr/720`` or
    ``sound/aac/2/en/main``."""

    track_id: str
    sort: str
    size_bytes: int


def facts_of(version: Version, index: VersionIndex) -> list[Facts]:
    """All tracks of a version, by id. A track without a byte is none."""
    sizes: dict[str, int] = {}
    for path, file in index.files.items():
        track_id = track_of(path)
        sizes[track_id] = sizes.get(track_id, 0) + file.size_bytes
    sorts = dict(_sorts(version))
    return [
        Facts(track_id, sorts.get(track_id, COMPANION), size)
        for track_id, size in sorted(sizes.items())
        if size > 0
    ]


def kind_of(duration_s: float) -> int:
    """0 for clips, 1 for episodes, 2 for films."""
    return sum(duration_s > limit_s for limit_s in KINDS_S)


def _sorts(version: Version) -> Iterator[tuple[str, str]]:
    for each in version.renditions:
        lines = max(each.height, each.width * 9 / 16, 1)
        rung = min(LINES, key=lambda line: abs(math.log(line / lines)))
        yield each.rendition_id, f"video/{each.codec}/{each.dynamic_range}/{rung}"
    for sound in version.audio:
        codec = sound.codec or sound.codec_string
        sort = f"sound/{codec}/{sound.channels}/{sound.language}/{sound.role}"
        yield sound.track_id, sort


def likeness(one: Facts, other: Facts) -> float:
    """How unlike two tracks of a title are, of which one follows the other: 0 for the same.

    What is alike in the first parts of its class is nearer than anything that is not, and then what
    takes as many bytes.
    """
    parts, others = one.sort.split("/"), other.sort.split("/")
    if parts[0] != others[0]:
        return math.inf
    alike = sum(a == b for a, b in zip(parts, others, strict=False))
    return 100.0 * (5 - alike) + abs(math.log(one.size_bytes / other.size_bytes))
