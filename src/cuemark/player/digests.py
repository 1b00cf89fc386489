"""The digests of a rendition's files: by them a device knows bytes that are not the film's. Pure.

The manifest, which comes from the service, names the SHA-256 of a list; the list, which any
appliance may deliver, has one digest for each file, sha-256-128 of RFC 6920: the first 16 bytes
of its SHA-256. They stand in the order playlist, init segment, segment 1, segment 2, and so on;
where keys change, the init segments of later periods follow. Of marked pictures each segment has
two, one for each variant: either is the film's, and which of them this play gets it need not know.
"""

from cuemark.player.errors import ManifestInvalid
from cuemark.player.manifest import Rung

DIGEST_BYTES = 16
_PLAYLIST, _INIT, _FIRST_SEGMENT = 0, 1, 2


class Digests:
    """The digests of one rendition, read from its list."""

    def __init__(self, listed: bytes, rung: Rung) -> None:
        of_segments, odd_bytes = divmod(len(listed), DIGEST_BYTES)
        of_segments -= _FIRST_SEGMENT + len(rung.later)
        self._variants, odd = divmod(of_segments, len(rung.segments))
        if self._variants not in (1, 2) or odd or odd_bytes:
            raise ManifestInvalid(f"{rung.rung_id} has another number of digests than of files")
        self._listed = listed
        self._inits = {rung.first.init_path: _INIT} | {
            each.init_path: _FIRST_SEGMENT + of_segments + place
            for place, each in enumerate(rung.later)
        }

    def init(self, path: str) -> bytes:
        """The digest of the init segment at ``path``, one of the rendition's."""
        return self._at(self._inits[path])

    def segment(self, index: int) -> tuple[bytes, ...]:
        """The digests of the segment at ``index``, from 0: one, or one for each variant."""
        first = _FIRST_SEGMENT + index * self._variants
        return tuple(self._at(first + variant) for variant in range(self._variants))

    def _at(self, place: int) -> bytes:
        return self._listed[place * DIGEST_BYTES : (place + 1) * DIGEST_BYTES]


def of_playlist(listed: bytes) -> bytes:
    """The digest of the media playlist, of which the number of segments is learned."""
    return listed[:DIGEST_BYTES]
