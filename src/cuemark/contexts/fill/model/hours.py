"""What an appliance served in an hour, by the numbers of tracks."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from cuemark.contexts.fill.model.catalog import Ints


@dataclass(frozen=True)
class Counts:
    """Of the track ``tracks[n]`` ``of_bytes[n]``."""

    tracks: Ints
    of_bytes: Ints

    @classmethod
    def read(cls, tracks: bytes, of_bytes: bytes) -> Self:
        """From numbers of 32 bits and bytes of 64, little-endian."""
        return cls(
            np.frombuffer(tracks, dtype="<i4").astype(np.int64),
            np.frombuffer(of_bytes, dtype="<i8").astype(np.int64),
        )


def merged(one: Counts, other: Counts) -> Counts:
    """Of each track the greater count, by number: in any order, and as often as it was told."""
    tracks, place = np.unique(np.concatenate([one.tracks, other.tracks]), return_inverse=True)
    of_bytes = np.zeros(len(tracks), dtype=np.int64)
    np.maximum.at(of_bytes, place, np.concatenate([one.of_bytes, other.of_bytes]))
    return Counts(tracks, of_bytes)
