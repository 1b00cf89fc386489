"""Putting a backup back: everything is checked first, made beside, and moved in at the end.

What is restored is made in ``DATA/.restoring``. Then that folder becomes ``DATA/.moving-in``, and
what is in it takes its place (``cuemark.app.backup.moving_in``). What was in its place goes to
``DATA/replaced-<time>/`` and is never removed.
"""

import os
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec
from sqlalchemy import create_engine

from cuemark.app import folder_format, schemas
from cuemark.app import settings as settings_file
from cuemark.app.backup import manifest as form
from cuemark.app.backup.copying import copy_private, copy_program, link_or_copy, settle
from cuemark.app.backup.manifest import BackupInvalid, Manifest
from cuemark.app.backup.moving_in import MOVING, PLAN, Plan, finish
from cuemark.app.backup.taking import Tell, backups_on, fingerprints_of, functions_in
from cuemark.app.engines import dump, postgres
from cuemark.app.folder import DataFolder, Ports, port_is_free
from cuemark.app.settings import FILE_NAME as SETTINGS
from cuemark.app.settings import Settings
from cuemark.kit import outbox
from cuemark.kit.errors import OperatorError
from cuemark.kit.objects import BadKey, fsync, key_path, write_private

STAGE = ".restoring"
ENTRIES = (
    "postgres",
    "objects",
    "secrets",
    "functions",
    "results",
    "appliances",
    "origin",
    "logs",
    SETTINGS,
    folder_format.FILE_NAME,
)
"""What a data folder consists of, besides ``run/``, backups and what restores replaced."""
_OF_THE_DATABASE = ("postgres", "appliances", folder_format.FILE_NAME)
"""What goes with a database alone. A version made after its moment is made again under the same id
with other keys, so what the appliances keep of it must go."""
_HARMLESS = ("run", "backups", STAGE)
_REPLACED = "replaced-"


class RestoreRefused(OperatorError):
    """The folder is in use, or holds something that a restore would replace."""


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """``replaced`` is where what was there is now; empty where there was nothing."""

    path: str
    backup: str
    created_at: datetime
    release: str
    files: int
    replaced: str


def find(path: Path) -> Path:
    """The backup that is meant: ``path`` itself, or the newest in it; raises ``BackupInvalid``."""
    if (path / form.MANIFEST).exists():
        return path
    found = backups_on(path) if path.is_dir() else []
    if not found:
        raise BackupInvalid(
            f"{path} is no backup and holds none: name a folder that `cuemark backup` made"
        )
    return found[-1]


def verified(backup: Path, tell: Tell = lambda *_: None) -> Manifest:
    """Read a backup whole and compare every byte with its checksums; raises ``BackupInvalid``."""
    manifest = form.opened((backup / form.MANIFEST).read_bytes(), backup / form.MANIFEST)
    if manifest.folder_format > folder_format.FORMAT:
        raise BackupInvalid(
            f"{backup} is of a newer release, Cuemark {manifest.release}: restore it with that one"
        )
    schemas.check(manifest.revisions)
    for name, summed in manifest.files.items():
        _compare(backup / name, summed.size_bytes, summed.blake3)
    dump.check(backup / form.DATABASE)
    if fingerprints_of(backup / form.SECRETS) != manifest.fingerprints and manifest.objects:
        raise BackupInvalid(f"the secrets in {backup} are not those that it was made with")
    done = files = 0
    for entry in form.listed(backup / form.LISTING) if manifest.objects else ():
        try:
            path = key_path(backup / form.OBJECTS, entry.key)
        except BadKey as error:
            raise BackupInvalid(f"{backup} lists {entry.key!r}, which is no object") from error
        _compare(path, entry.size_bytes, entry.blake3)
        done, files = done + entry.size_bytes, files + 1
        tell(done, manifest.object_bytes)
    if (done, files) != (manifest.object_bytes, manifest.object_files):
        raise BackupInvalid(
            f"{backup} lists other objects than its manifest counts: it was altered"
        )
    return manifest


def _compare(path: Path, size_bytes: int, blake3: str) -> None:
    try:
        found = form.sum_of(path)
    except OSError as error:
        raise BackupInvalid(
            f"{path} cannot be read ({error.strerror}): the backup is torn"
        ) from error
    if (found.size_bytes, found.blake3) != (size_bytes, blake3):
        raise BackupInvalid(
            f"{path} does not match its checksum: the backup is torn or was altered"
        )


def check_target(folder: DataFolder, manifest: Manifest, *, force: bool) -> None:
    """Raise ``RestoreRefused`` where the folder holds what a restore would replace."""
    there = [path.name for path in folder.root.iterdir()] if folder.root.exists() else []
    occupied = sorted(
        name for name in there if name not in _HARMLESS and not name.startswith(_REPLACED)
    )
    if not manifest.objects:
        # A newer release may have made a secret more since.
        here = fingerprints_of(folder.root / "secrets")
        if not manifest.fingerprints.items() <= here.items():
            raise RestoreRefused(
                f"this backup has the database alone and goes back to the folder that it was made "
                f"of, and {folder.root} is another: name that one with --data"
            )
        occupied = [name for name in occupied if name == "postgres"]
    if occupied and not force:
        raise RestoreRefused(
            f"{folder.root} is not empty ({', '.join(occupied[:3])}): choose another folder with "
            "--data, or give --force to set aside what is there"
        )


def restore(
    folder: DataFolder,
    backup: Path,
    manifest: Manifest,
    now: datetime,
    tell: Tell = lambda *_: None,
    doing: Callable[[str], None] = lambda _: None,
) -> Restored:
    """Restore a verified backup into a folder that this process holds the lock of."""
    finish(folder)
    stage = folder.root / STAGE
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(mode=0o700)
    replaced = f"{_REPLACED}{now:%Y-%m-%dT%H-%M-%SZ}"
    if manifest.objects:
        doing("restoring the objects")
        _stage_objects(backup, stage, manifest, tell)
        for name in manifest.fingerprints:
            copy_private(backup / form.SECRETS / name, stage / "secrets" / name)
        for path in functions_in(backup / form.FUNCTIONS):
            copy_program(path, stage / form.FUNCTIONS / path.name)
        if (backup / SETTINGS).exists():
            copy_private(backup / SETTINGS, stage / SETTINGS)
    doing("restoring the database")
    _restore_database(folder, stage, backup)
    # Without a pipeline: the next start begins what was being encoded again, and finds what is
    # there. It must not trust folders that came about after the moment of the database.
    written = folder_format.Written(format=manifest.folder_format, release=manifest.release)
    write_private(stage / folder_format.FILE_NAME, msgspec.json.encode(written))
    leaving = ENTRIES if manifest.objects else _OF_THE_DATABASE
    plan = Plan(replaced, list(leaving), [path.name for path in stage.iterdir()])
    write_private(stage / PLAN, msgspec.json.encode(plan))
    settle(stage)
    os.sync()
    stage.rename(folder.root / MOVING)
    fsync(folder.root)
    finish(folder)
    if manifest.objects:
        _keep_ports(folder, manifest)
    return Restored(
        path=str(folder.root),
        backup=str(backup),
        created_at=manifest.created_at,
        release=manifest.release,
        files=manifest.object_files,
        replaced=str(folder.root / replaced) if (folder.root / replaced).exists() else "",
    )


def _stage_objects(backup: Path, stage: Path, manifest: Manifest, tell: Tell) -> None:
    here, there = os.stat(backup).st_dev, os.stat(stage).st_dev
    free = shutil.disk_usage(stage).free
    if here != there and free < manifest.object_bytes:
        raise RestoreRefused(
            f"{stage.parent} has {free / 1e9:.1f} GB free and the backup holds "
            f"{manifest.object_bytes / 1e9:.1f} GB of objects: make room"
        )
    (stage / "objects").mkdir(mode=0o700)
    done = 0
    for entry in form.listed(backup / form.LISTING):
        link_or_copy(backup / form.OBJECTS / entry.key, stage / "objects" / entry.key)
        done += entry.size_bytes
        tell(done, manifest.object_bytes)


def _restore_database(folder: DataFolder, stage: Path, backup: Path) -> None:
    chosen = _settings(folder, stage)
    if chosen.postgres_url:
        _fill(chosen.postgres_url, backup)
        return
    postgres.initialise(stage / "postgres")
    with postgres.server_for_now(stage / "postgres", folder.run / "restore.out") as sockets:
        postgres.create_database(sockets)
        _fill(postgres.url_of(sockets), backup)


def _settings(folder: DataFolder, stage: Path) -> Settings:
    """The settings under which the restored folder will run."""
    return settings_file.load(stage if (stage / SETTINGS).exists() else folder.root)


def _fill(url: str, backup: Path) -> None:
    from cuemark.contexts.functions import wiring as functions

    if schemas.found_in(url):
        raise RestoreRefused(
            "the database that `postgres_url` names holds an install already: make an empty one "
            "and give its URL in CUEMARK_POSTGRES_URL"
        )
    dump.load(url, backup / form.DATABASE)
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            outbox.resettle(connection)
            functions.set_aside(connection)
    finally:
        engine.dispose()


def _keep_ports(folder: DataFolder, manifest: Manifest) -> None:
    """Serve where the install served, if nobody else does now; else new ports are chosen."""
    ports = msgspec.json.decode(manifest.ports, type=Ports | None)
    bind = settings_file.load(folder.root).bind
    if ports is None:
        return
    outside, inside = [ports.public, *ports.appliances], [ports.internal, ports.origin]
    if all(port_is_free(bind, port) for port in outside) and all(
        port_is_free("127.0.0.1", port) for port in [*inside, *ports.agents]
    ):
        write_private(folder.run / "ports.json", msgspec.json.encode(ports))
