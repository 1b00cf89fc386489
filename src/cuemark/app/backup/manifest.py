"""What a backup is: a folder whose manifest names everything in it, with sizes and checksums.

<name>/manifest.json     written last; a folder without it is no backup
<name>/database.dump     the database, all of one moment
<name>/objects.jsonl     one line for each file below objects/
<name>/objects/          masters, results and versions that the database names
<name>/secrets/          the keys of the install, mode 0600
<name>/cuemark.toml      its settings, where it had any
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

import msgspec
from blake3 import blake3

from cuemark.kit.errors import UNREADABLE, OperatorError

FORMAT = 1
MANIFEST, DATABASE, LISTING = "manifest.json", "database.dump", "objects.jsonl"
OBJECTS, SECRETS, FUNCTIONS = "objects", "secrets", "functions"
_CHUNK_BYTES = 1 << 20


class BackupInvalid(OperatorError):
    """What was named is no backup, or one that is torn, altered or too new."""


class Summed(msgspec.Struct, frozen=True):
    """A file's size and BLAKE3 in hex."""

    size_bytes: int
    blake3: str


class ListedFile(msgspec.Struct, frozen=True):
    """A file below ``objects/``; ``key`` is its path there."""

    key: str
    size_bytes: int
    blake3: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds, and what it takes to restore it.

    ``files`` has the files beside the objects by their path in the backup. ``fingerprints`` are
    SHA-256 of the secrets. Without ``objects`` it is a backup of the database alone, which goes
    back to the folder that it came from. ``damaged`` has the keys of objects that were missing or
    did not match their checksum when the backup was made. ``checksum`` is the BLAKE3 of the
    manifest with an empty one.
    """

    format: int = FORMAT
    release: str
    folder_format: int
    created_at: datetime
    postgres_major: int
    revisions: dict[str, str]
    files: dict[str, Summed]
    fingerprints: dict[str, str]
    objects: bool
    object_files: int = 0
    object_bytes: int = 0
    damaged: list[str] = []
    ports: msgspec.Raw = msgspec.Raw(b"null")
    checksum: str = ""


def sealed(manifest: Manifest) -> bytes:
    """The manifest's bytes, its own checksum in them."""
    return msgspec.json.encode(msgspec.structs.replace(manifest, checksum=_checksum(manifest)))


def opened(data: bytes, where: Path) -> Manifest:
    """The manifest in ``data``; raises ``BackupInvalid``."""
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except UNREADABLE as error:
        raise BackupInvalid(f"{where} is torn or no backup's manifest: {error}") from error
    if manifest.format > FORMAT:
        raise BackupInvalid(
            f"{where} was made by Cuemark {manifest.release} in a format that this release does "
            "not know: restore it with that release, or a newer one"
        )
    if manifest.checksum != _checksum(manifest):
        raise BackupInvalid(f"{where} does not match its own checksum: it was altered")
    return manifest


def _checksum(manifest: Manifest) -> str:
    return blake3(msgspec.json.encode(msgspec.structs.replace(manifest, checksum=""))).hexdigest()


def sum_of(path: Path) -> Summed:
    """Size and BLAKE3 of a file."""
    digest, size = blake3(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
    return Summed(size, digest.hexdigest())


def listed(path: Path) -> Iterator[ListedFile]:
    """The lines of ``objects.jsonl``; raises ``BackupInvalid``."""
    decoder = msgspec.json.Decoder(ListedFile)
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                yield decoder.decode(line)
            except UNREADABLE as error:
                raise BackupInvalid(f"line {number} of {path} is torn: {error}") from error


def to_keep(names: Iterable[str], last: int) -> Mapping[str, bool]:
    """Which of the backups of these names to keep: the ``last`` newest. Names sort by time."""
    newest = set(sorted(names)[-last:]) if last else set()
    return {name: name in newest for name in names}
