"""The tracks of a packaged version as they are read back, file by file.

Of a marked rendition each variant is a track by itself where its boxes are looked at. What is
watched is what sessions see: the variants in turn, beginning with either, so that every file is
decoded, and after one of the other variant.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from cuemark.contexts.encoding.model.boxes import BoxesInvalid
from cuemark.contexts.encoding.model.crypto_periods import Stretch
from cuemark.contexts.encoding.model.validation import structure
from cuemark.contexts.encoding.model.validation.findings import Finding, error
from cuemark.contexts.encoding.model.validation.samples import init_of
from cuemark.contexts.encoding.model.validation.structure import Begun, Segment, Track
from cuemark.contexts.encoding.stages.segments import segments_of
from cuemark.contracts.encoding.versions import Version


class TrackFiles(msgspec.Struct, frozen=True, kw_only=True):
    """A track, or a way through the variants of one: ``turns`` are those of its first segments,
    over and over; empty where it has no variants. ``name`` is how a sentence calls it."""

    name: str
    track_id: str
    pictures: bool
    turns: str = ""

    def segments(self, folder: Path) -> list[Path]:
        """Its media segments in their order, in the version's ``folder``."""
        here = folder / self.track_id
        ways = [segments_of(here, variant) for variant in self.turns or [""]]
        return [ways[number % len(ways)][number] for number in range(min(map(len, ways)))]


def tracks_of(version: Version) -> list[TrackFiles]:
    """Every track, and every variant by itself."""
    return [*_pictures(version, {"variant a of ": "a", "variant b of ": "b"}), *_sounds(version)]


def sessions_of(version: Version) -> list[TrackFiles]:
    """Every track as sessions get it: of a marked one two, which have no file in common."""
    ways = {"a, b, a and so on of ": "ab", "b, a, b and so on of ": "ba"}
    return [*_pictures(version, ways), *_sounds(version)]


def _pictures(version: Version, ways: Mapping[str, str]) -> list[TrackFiles]:
    return [
        TrackFiles(
            name=f"{way}{each.rendition_id}",
            track_id=each.rendition_id,
            pictures=True,
            turns=turns,
        )
        for each in version.renditions
        for way, turns in (ways.items() if version.marked else [("", "")])
    ]


def _sounds(version: Version) -> list[TrackFiles]:
    names = [each.track_id for each in version.audio]
    return [TrackFiles(name=name, track_id=name, pictures=False) for name in names]


def read(
    folder: Path, files: TrackFiles, stretches: Sequence[Stretch]
) -> tuple[Track | None, list[Finding]]:
    """A track as its boxes tell of it, or what is wrong with them."""
    segments: list[Segment] = []
    later: list[Begun] = []
    begins = {each.first: each.init for each in stretches}
    file = f"{files.track_id}/{stretches[0].init}"
    try:
        init = here = init_of((folder / file).read_bytes())
        for number, path in enumerate(files.segments(folder), 1):
            if number > 1 and number in begins:
                file = f"{files.track_id}/{begins[number]}"
                here = init_of((folder / file).read_bytes())
                later.append(Begun(number, here))
            file = f"{files.track_id}/{path.name}"
            segments.append(structure.segment_of(path.read_bytes(), here))
    except FileNotFoundError:
        return None, [error("structure", f"{file} is not there")]
    except BoxesInvalid as cause:
        return None, [error("structure", f"{file} is not as it must be: {cause}")]
    if not segments:
        return None, [error("structure", f"{files.name} has no segment")]
    track = Track(
        track_id=files.name, pictures=files.pictures, init=init, segments=segments, later=later
    )
    return track, []
