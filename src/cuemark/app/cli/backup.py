"""``cuemark backup`` and ``cuemark restore``."""

import contextlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from cuemark.app import folder_format, settings, state
from cuemark.app.backup import moving_in, restoring, taking
from cuemark.app.backup.manifest import MANIFEST, opened
from cuemark.app.backup.taking import Tell, default_shelf
from cuemark.app.cli.failure import Failure
from cuemark.app.cli.output import console, plain, print_json
from cuemark.app.engines import postgres
from cuemark.app.folder import DataFolder
from cuemark.app.lock import folder_lock
from cuemark.app.settings import Settings
from cuemark.app.supervisor import Supervisor

LOWEST_PRIORITY = 19


@click.command()
@click.argument("shelf", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option("--json", "as_json", is_flag=True)
def backup(folder: DataFolder, shelf: Path | None, as_json: bool) -> None:
    """Write a backup into SHELF, a folder of backups: DATA/backups unless given.

    Plays and encodes go on meanwhile. A backup holds the secrets of the install.
    """
    os.nice(LOWEST_PRIORITY)
    chosen = settings.load(folder.root)
    folder_format.check(folder)
    shelf = (shelf or default_shelf(folder)).resolve()
    if not (folder.root / "secrets").exists():
        raise Failure(f"{folder.root} is no data folder: name one with --data")
    with _database(folder, chosen) as url, _bar("backup") as tell:
        taken = taking.take(folder, url, shelf, datetime.now(UTC), tell)
    if as_json:
        print_json(taken)
    else:
        plain.print(
            f"{taken.path}: {taken.files} objects, {_amount(taken.size_bytes)}, of which "
            f"{_amount(taken.new_bytes)} are new.",
            soft_wrap=True,
        )
        plain.print(
            "It holds the secrets of this install and its members' addresses: whoever can read "
            "it can open every film. Keep it as safe as the data folder.",
            soft_wrap=True,
        )
    if taken.damaged:
        raise Failure(
            f"{len(taken.damaged)} of the objects are missing or damaged in {folder.objects}, and "
            f"so they are in this backup ({', '.join(taken.damaged[:3])}): an earlier backup may "
            "have them whole"
        )


@click.command()
@click.argument("source", metavar="BACKUP", type=click.Path(path_type=Path, exists=True))
@click.option("--check", is_flag=True, help="Only read the backup and compare its checksums.")
@click.option("--force", is_flag=True, help="Set aside what the data folder holds.")
@click.option("--json", "as_json", is_flag=True)
def restore(folder: DataFolder, source: Path, check: bool, force: bool, as_json: bool) -> None:
    """Put BACKUP, or the newest backup in that folder, into an empty data folder."""
    found = restoring.find(source.resolve())
    if check:
        with _bar("check") as tell:
            manifest = restoring.verified(found, tell)
        if as_json:
            print_json({"backup": str(found), "whole": True, "files": manifest.object_files})
        else:
            plain.print(f"{found} is whole: {manifest.object_files} objects.", soft_wrap=True)
        return
    if state.read(folder) is not None:
        raise Failure(f"Cuemark runs on {folder.root}: end it with `cuemark down` first")
    restoring.check_target(
        folder, opened((found / MANIFEST).read_bytes(), found / MANIFEST), force=force
    )
    with _bar("check") as tell:
        manifest = restoring.verified(found, tell)
    folder.run.mkdir(mode=0o700, parents=True, exist_ok=True)
    with folder_lock(folder), _bar("restore") as tell:
        restoring.check_target(folder, manifest, force=force)
        restored = restoring.restore(folder, found, manifest, datetime.now(UTC), tell)
    if as_json:
        print_json(restored)
        return
    plain.print(
        f"{folder.root} is as it was on {restored.created_at:%Y-%m-%d at %H:%M:%S} UTC: "
        "start it with `cuemark up`.",
        soft_wrap=True,
    )
    if restored.replaced:
        plain.print(f"What was there is in {restored.replaced}.", soft_wrap=True)


@contextlib.contextmanager
def _database(folder: DataFolder, chosen: Settings) -> Iterator[str]:
    """The URL of the install's database; of an install that is down it runs meanwhile."""
    phase = state.read(folder)
    if phase is not None and phase.running is None:
        raise Failure(f"Cuemark is {phase.doing} on {folder.root}: try again when it serves")
    if chosen.postgres_url:
        yield chosen.postgres_url
    elif phase is not None:
        yield postgres.url_of(folder.run)
    else:
        folder.prepare()
        with folder_lock(folder):
            Supervisor(folder.run, folder.logs).clear_leftovers()
            moving_in.finish(folder)
            with postgres.server_for_now(folder.postgres, folder.logs / "backup.out") as sockets:
                yield postgres.url_of(sockets)


@contextlib.contextmanager
def _bar(what: str) -> Iterator[Tell]:
    columns = (
        TextColumn("{task.description:<9}"),
        BarColumn(bar_width=32),
        TextColumn("{task.fields[amount]:<20}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(what, total=None, amount="")

        def tell(done: int, total: int) -> None:
            amount = f"{_amount(done)} of {_amount(total)}"
            progress.update(task, completed=done, total=total, amount=amount)

        yield tell


def _amount(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes > 1e9 else f"{size_bytes / 1e6:.1f} MB"
