"""Taking a backup: the database of one moment first, then the objects that it names.

Objects are written before the rows that name them, never changed and never removed, so whatever
a row of the dump names is on the disk. A backup is made in a folder with a leading dot and gets
its name when it is whole and on the disk.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from sqlalchemy import create_engine, text

from cuemark.app import folder_format, schemas
from cuemark.app.backup import manifest as form
from cuemark.app.backup.copying import (
    ObjectCopier,
    copy_private,
    copy_program,
    files_of,
    settle,
)
from cuemark.app.backup.manifest import ListedFile, Manifest
from cuemark.app.engines import dump, postgres
from cuemark.app.folder import DataFolder
from cuemark.app.settings import FILE_NAME as SETTINGS
from cuemark.kit.errors import OperatorError
from cuemark.kit.objects import fsync, write_private

UPGRADE_PREFIX = "before-upgrade-"
UPGRADES_KEPT = 3
_DRAFT = ".draft-"


class BackupFailed(OperatorError):
    """A backup could not be made. What there was before is untouched."""


Tell = Callable[[int, int], None]
"""Hears how many bytes of objects are done, and of how many."""


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that was made. ``new_bytes`` were read; the rest was in the backup before."""

    path: str
    files: int
    size_bytes: int
    new_bytes: int
    damaged: list[str]


def default_shelf(folder: DataFolder) -> Path:
    """Where backups go that are sent nowhere else."""
    return folder.root / "backups"


def backups_on(shelf: Path) -> list[Path]:
    """The backups of a shelf, the oldest first; those of the database alone left out."""
    found = [path.parent for path in shelf.glob(f"[0-9]*/{form.MANIFEST}")]
    return sorted(found)


def take(
    folder: DataFolder, database_url: str, shelf: Path, now: datetime, tell: Tell = lambda *_: None
) -> Taken:
    """Make a backup of an install, which may be in use; raises ``BackupFailed``."""
    with _drafting(shelf, _stamp(now)) as (draft, name):
        with _moment(database_url) as moment:
            (draft / form.DATABASE).touch(mode=0o600)
            dump.dump(database_url, draft / form.DATABASE, moment.snapshot)
        for path in sorted((folder.root / "secrets").glob("[!.]*")):
            copy_private(path, draft / form.SECRETS / path.name)
        if (folder.root / SETTINGS).exists():
            copy_private(folder.root / SETTINGS, draft / SETTINGS)
        for path in functions_in(folder.root / form.FUNCTIONS):
            copy_program(path, draft / form.FUNCTIONS / path.name)
        before = next(iter(backups_on(shelf)[-1:]), None)
        copier = ObjectCopier(
            folder.objects,
            draft / form.OBJECTS,
            before / form.OBJECTS if before else None,
            _listing_of(before),
        )
        entries, new_bytes = _bring_objects(copier, folder.objects, moment, draft, tell)
        damaged = [*moment.missing(folder.objects), *copier.damaged]
        made = msgspec.structs.replace(
            _described(folder, moment, draft, now),
            objects=True,
            object_files=len(entries),
            object_bytes=sum(entries.values()),
            damaged=damaged,
        )
        _finish(draft, made)
    return Taken(
        path=str(shelf / name),
        files=made.object_files,
        size_bytes=made.object_bytes + sum(each.size_bytes for each in made.files.values()),
        new_bytes=new_bytes,
        damaged=damaged,
    )


def take_database(folder: DataFolder, database_url: str, now: datetime) -> Path:
    """Keep the database as it stands before an upgrade; the backup's folder."""
    shelf = default_shelf(folder)
    with _drafting(shelf, UPGRADE_PREFIX + _stamp(now)) as (draft, name):
        with _moment(database_url) as moment:
            (draft / form.DATABASE).touch(mode=0o600)
            dump.dump(database_url, draft / form.DATABASE, moment.snapshot)
        _finish(draft, _described(folder, moment, draft, now))
    kept = form.to_keep((path.name for path in shelf.glob(f"{UPGRADE_PREFIX}*")), UPGRADES_KEPT)
    for old in (old for old, keep in kept.items() if not keep):
        shutil.rmtree(shelf / old)
    return shelf / name


def fingerprints_of(secrets: Path) -> dict[str, str]:
    """SHA-256 of each secret: tells whether two are the same, and nothing else."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(secrets.glob("[!.]*"))
    }


def functions_in(folder: Path) -> list[Path]:
    """The files of the functions, and the headers beside them."""
    return sorted(path for path in folder.glob("[!.]*") if path.is_file())


class _Moment(msgspec.Struct, frozen=True):
    """The database at one moment: who may read it again, and what it names."""

    snapshot: str
    revisions: Mapping[str, str]
    versions: set[str]
    keys: Sequence[str]

    def missing(self, objects: Path) -> list[str]:
        return [key for key in self.keys if not (objects / key).exists()]


@contextlib.contextmanager
def _moment(database_url: str) -> Iterator[_Moment]:
    """Hold one snapshot of the database while the block runs."""
    from cuemark.contexts.encoding import wiring as encoding
    from cuemark.contexts.licensing import wiring as licensing
    from cuemark.kit.database import standing

    engine = create_engine(database_url, isolation_level="REPEATABLE READ")
    try:
        with engine.connect() as connection:
            connection.execute(text("set transaction read only"))
            snapshot = connection.execute(text("select pg_export_snapshot()")).scalar_one()
            revisions = standing(connection, schemas.lines())
            yield _Moment(
                snapshot=snapshot,
                revisions=revisions,
                versions=set(map(str, licensing.versions_with_keys(connection))),
                keys=encoding.stored_objects(connection),
            )
    finally:
        engine.dispose()


def _stamp(now: datetime) -> str:
    return now.strftime("%Y-%m-%dT%H-%M-%SZ")


@contextlib.contextmanager
def _drafting(shelf: Path, stamp: str) -> Iterator[tuple[Path, str]]:
    """A folder to make a backup in, which gets its name when the block ends without error."""
    try:
        shelf.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(shelf, os.O_RDONLY)
    except OSError as error:
        raise BackupFailed(
            f"the folder {shelf} cannot be written ({error.strerror}): choose another"
        ) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupFailed(f"another backup to {shelf} is running: wait for it") from None
        for left in shelf.glob(f"{_DRAFT}*"):
            shutil.rmtree(left, ignore_errors=True)
        name = _unused(shelf, stamp)
        draft = shelf / f"{_DRAFT}{name}"
        try:
            draft.mkdir(mode=0o700)
            yield draft, name
            draft.rename(shelf / name)
            os.fsync(lock)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise BackupFailed(
                    f"the disk of {shelf} is full: make room, or choose another"
                ) from error
            raise BackupFailed(
                f"the backup failed at {error.filename}: {error.strerror}"
            ) from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    finally:
        os.close(lock)


def _unused(shelf: Path, stamp: str) -> str:
    names = [stamp, *(f"{stamp}-{number}" for number in range(2, 1000))]
    return next(name for name in names if not (shelf / name).exists())


def _listing_of(before: Path | None) -> Mapping[str, ListedFile]:
    if before is None:
        return {}
    return {entry.key: entry for entry in form.listed(before / form.LISTING)}


def _bring_objects(
    copier: ObjectCopier, objects: Path, moment: _Moment, draft: Path, tell: Tell
) -> tuple[dict[str, int], int]:
    """Copy the objects and list them; the size of each file, and how many bytes were read."""
    sizes = {key: (objects / key).stat().st_size for key in files_of(objects, moment.versions)}
    total, done = sum(sizes.values()), 0
    tell(0, total)
    (draft / form.OBJECTS).mkdir(mode=0o700)
    with (draft / form.LISTING).open("wb") as listing:
        for key, size in sizes.items():
            listing.write(msgspec.json.encode(copier.bring(key)) + b"\n")
            done += size
            tell(done, total)
        listing.flush()
        os.fsync(listing.fileno())
    return sizes, copier.read_bytes


def _described(folder: DataFolder, moment: _Moment, draft: Path, now: datetime) -> Manifest:
    beside = [path for path in draft.iterdir() if path.is_file()]
    beside += (draft / form.SECRETS).glob("*")
    beside += functions_in(draft / form.FUNCTIONS)
    ports = folder.kept_ports()
    return Manifest(
        release=folder_format.RELEASE,
        folder_format=folder_format.FORMAT,
        created_at=now,
        postgres_major=postgres.bundled_major(),
        revisions=dict(moment.revisions),
        files={path.relative_to(draft).as_posix(): form.sum_of(path) for path in sorted(beside)},
        fingerprints=fingerprints_of(folder.root / "secrets"),
        objects=False,
        ports=msgspec.Raw(msgspec.json.encode(ports)),
    )


def _finish(draft: Path, made: Manifest) -> None:
    """Write the manifest, which makes a backup of the draft, once all else is on the disk."""
    settle(draft)
    write_private(draft / form.MANIFEST, form.sealed(made))
    fsync(draft)
