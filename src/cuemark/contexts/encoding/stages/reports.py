"""What is kept of a version's measurements, beside the version: appliances never see it.

``reports/<version_id>/`` has ``measures.json``, the list of what could be the title's artwork and,
for each rendition of a full version, its worst frame and the master's as small JPEGs. Control reads
it; keep heavy imports out.
"""

import contextlib
import re
from collections.abc import Mapping
from fractions import Fraction

import msgspec

from cuemark.contexts.encoding.model.report import Kept, Measures
from cuemark.contexts.encoding.model.validation.policy import Validation
from cuemark.contracts.encoding.artwork import ArtworkCandidate, ArtworkFrame
from cuemark.contracts.encoding.versions import Version, VersionIndex
from cuemark.contracts.ids import VersionId
from cuemark.kit.objects import Objects

MEASURES = "measures.json"
ARTWORKS = "artworks.json"
INDEX = "index.json"
_SEGMENT = re.compile(r"([A-Za-z0-9-]+)/[ab]?([0-9]+)\.m4s")


def folder_key(version_id: VersionId) -> str:
    return f"reports/{version_id}"


def validation_key(version_id: VersionId) -> str:
    """What validating the version found."""
    return f"{folder_key(version_id)}/validation.json"


def picture_names(rendition_id: str) -> tuple[str, str]:
    """The files of a rendition's worst frame: as encoded, and as the master has it."""
    return f"{rendition_id}-worst.jpg", f"{rendition_id}-master.jpg"


class KeptArtwork(msgspec.Struct, frozen=True):
    """A candidate of a title's artwork; ``key`` is of its JPEG in the object store."""

    key: str
    frame: ArtworkFrame


def kept_of(objects: Objects, version: Version) -> Kept:
    """What there is of a version's measurements; nothing is needed to be there."""
    folder = folder_key(version.version_id)
    measures = Measures()
    with contextlib.suppress(FileNotFoundError):
        measures = msgspec.json.decode(objects.read(f"{folder}/{MEASURES}"), type=Measures)
    pictures = {}
    for rendition in version.renditions:
        first, second = (f"{folder}/{name}" for name in picture_names(rendition.rendition_id))
        if objects.exists(first) and objects.exists(second):
            pictures[rendition.rendition_id] = (first, second)
    validation = Validation(checks=[], judged=[])
    with contextlib.suppress(FileNotFoundError):
        kept = objects.read(validation_key(version.version_id))
        validation = msgspec.json.decode(kept, type=Validation)
    files = _file_bytes(objects, version)
    return Kept(
        measures=measures,
        segment_bytes=_segment_bytes(files),
        file_bytes=files,
        pictures=pictures,
        artworks=_artworks(objects, version),
        validation=validation,
    )


def bring(objects: Objects, key: str) -> None:
    """Bring an object to this machine, and of a version what is kept beside it."""
    objects.bring(key)
    kind, _, name = key.partition("/")
    if kind != "versions":
        return
    version_id = VersionId(name)
    for beside in (folder_key(version_id), validation_key(version_id)):
        objects.bring(beside)
    with contextlib.suppress(FileNotFoundError):
        encoded = objects.read(f"{folder_key(version_id)}/{ARTWORKS}")
        for each in msgspec.json.decode(encoded, type=list[KeptArtwork]):
            objects.bring(each.key)


def _artworks(objects: Objects, version: Version) -> list[ArtworkCandidate]:
    try:
        encoded = objects.read(f"{folder_key(version.version_id)}/{ARTWORKS}")
    except FileNotFoundError:
        return []
    rate = float(Fraction(version.frame_rate))
    found = msgspec.json.decode(encoded, type=list[KeptArtwork])
    return [
        ArtworkCandidate(
            number=number,
            picture_key=each.key,
            at_s=round(each.frame.frame / rate, 3),
            frame=each.frame,
        )
        for number, each in enumerate(found, 1)
    ]


def _file_bytes(objects: Objects, version: Version) -> dict[str, int]:
    """The sizes of the version's files by their paths."""
    try:
        encoded = objects.read(f"versions/{version.version_id}/{INDEX}")
    except FileNotFoundError:
        return {}
    files = msgspec.json.decode(encoded, type=VersionIndex).files
    return {INDEX: len(encoded)} | {path: file.size_bytes for path, file in files.items()}


def _segment_bytes(files: Mapping[str, int]) -> dict[str, list[int]]:
    """The sizes of each track's segments, of each that of the larger variant."""
    sizes: dict[str, dict[int, int]] = {}
    for path, size_bytes in files.items():
        if match := _SEGMENT.fullmatch(path):
            of_track, number = sizes.setdefault(match[1], {}), int(match[2])
            of_track[number] = max(size_bytes, of_track.get(number, 0))
    return {track: [of[number] for number in sorted(of)] for track, of in sizes.items()}
