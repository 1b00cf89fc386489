"""The digests of a rendition's files: by them a device knows bytes that are not the film's. Pure.

The manifest, which comes from the service, names the SHA-256 of a list; the list, which any
appliance may deliver, has one digest for each file, sha-256-128 of RFC 6920: the first 16 bytes
of its SHA-256. They stand in the order playlist, init segment, segment 1, segment 2, and so on.
"""

from cuemark.player.errors import ManifestInvalid
from cuemark.player.manifest import Rung

DIGEST_BYTES = 16
_PLAYLIST, _INIT, _FIRST_SEGMENT = 0, 1, 2


class Digests:
    """The digests of one rendition, read from its list."""

    def __init__(self, listed: bytes, rung: Rung) -> None:
        if len(listed) != DIGEST_BYTES * (_FIRST_SEGMENT + len(rung.segments)):
            raise ManifestInvalid(f"{rung.rung_id} has another number of digests than of files")
        self._listed = listed

    @property
    def init(self) -> bytes:
        return self._at(_INIT)

    def segment(self, index: int) -> bytes:
        """The digest of the segment at ``index``, from 0."""
        return self._at(_FIRST_SEGMENT + index)

    def _at(self, place: int) -> bytes:
        return self._listed[place * DIGEST_BYTES : (place + 1) * DIGEST_BYTES]


def of_playlist(listed: bytes) -> bytes:
    """The digest of the media playlist, of which the number of segments is learned."""
    return listed[:DIGEST_BYTES]
