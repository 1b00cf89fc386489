"""The second variants of marked renditions on their way into a version, beside the first ones.

Both are tracks of their own until they are encrypted: so each has IVs of its own in cenc, where two
pictures under one IV would give each other away. Then their segments lie together, and one init
segment is for both.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from cuemark.contexts.encoding.model.watermark import VARIANTS
from cuemark.contexts.encoding.stages.encrypting import Encrypted
from cuemark.contexts.encoding.stages.pictures import RUNG
from cuemark.contexts.encoding.stages.segments import segments_of
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.tools.packager import Stream
from cuemark.contexts.encoding.tools.run import ToolFailed


class Varied(Protocol):
    """A rung with the keys of its joined variants, none where it is not marked."""

    @property
    def variants(self) -> Sequence[str]: ...


def others(shop: Workshop, rungs: Sequence[Varied], tracks: Sequence[Stream]) -> dict[str, Stream]:
    """The streams of variant b, by the tracks of variant a, which begin ``tracks``."""
    return {
        stream.track_id: msgspec.structs.replace(
            stream, track_id=f"{stream.track_id}.b", source=shop.path(rung.variants[1], RUNG)
        )
        for rung, stream in zip(rungs, tracks, strict=False)
        if rung.variants
    }


def gather(folder: Path, others: Mapping[str, Stream], made: Encrypted) -> None:
    """Put the segments of both variants into the folder of the first.

    Raises ``ToolFailed`` where a player could not go from one to the other.
    """
    for name, stream in others.items():
        first, second = folder / name, folder / stream.track_id
        if made.keyed[name] != made.keyed[stream.track_id]:
            raise ToolFailed(f"the keys of the variants of {name} change at different segments")
        for each in made.keyed[name]:
            init, other = ((track / each.init).read_bytes() for track in (first, second))
            if init != other:
                raise ToolFailed(f"the variants of {name} need init segments of their own")
            (second / each.init).unlink()
        for variant, track in zip(VARIANTS, (first, second), strict=True):
            for path in segments_of(track):
                path.rename(first / f"{variant}{path.name}")
        second.rmdir()
