"""The list of a track's digests, by which a device knows wrong bytes (see ``Version``)."""

from collections.abc import Iterable
from hashlib import sha256
from itertools import chain
from pathlib import Path

DIGEST_BYTES = 16


def write_digests(folder: Path, track_id: str, parts: Iterable[bytes]) -> None:
    """Write ``<track_id>.digests`` over the track's playlist and ``parts``, in this order."""
    listed = chain([(folder / f"{track_id}.m3u8").read_bytes()], parts)
    digests = (sha256(part).digest()[:DIGEST_BYTES] for part in listed)
    (folder / f"{track_id}.digests").write_bytes(b"".join(digests))


def digests_sha256(folder: Path, track_id: str) -> str:
    """What seals the list, in hex."""
    return sha256((folder / f"{track_id}.digests").read_bytes()).hexdigest()
