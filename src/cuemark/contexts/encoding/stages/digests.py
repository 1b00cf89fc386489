"""The list of a track's digests, by which a device knows wrong bytes (see ``Version``)."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

DIGEST_BYTES = 16


def write_digests(folder: Path, track_id: str, files: Sequence[Path]) -> None:
    """Write ``<track_id>.digests`` over the track's playlist and ``files``, in this order."""
    listed = [folder / f"{track_id}.m3u8", *files]
    digests = (sha256(path.read_bytes()).digest()[:DIGEST_BYTES] for path in listed)
    (folder / f"{track_id}.digests").write_bytes(b"".join(digests))


def digests_sha256(folder: Path, track_id: str) -> str:
    """What seals the list, in hex."""
    return sha256((folder / f"{track_id}.digests").read_bytes()).hexdigest()
