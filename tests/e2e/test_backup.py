"""Backups: taken while plays run, killed, damaged, and put back elsewhere."""

import contextlib
import shutil
import signal
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cuemark.app.backup.restoring import find, verified
from cuemark.kit.errors import OperatorError
from tests.e2e.folders.packed import FRAME_RATE, film
from tests.e2e.installation import Installation, wait_until
from tests.e2e.test_upgrade import played, played_in_full, unfinished

SECONDS, MEANWHILE_S = 8, 12
FRAMES = SECONDS * FRAME_RATE
DRAFTS = ".draft-*"


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    installation = Installation(tmp_path_factory.mktemp("backed-up") / "data")
    installation.up()
    yield installation
    with contextlib.suppress(AssertionError):
        installation.down()


@pytest.fixture(scope="module")
def backup(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup taken while a title played and another was being encoded.

    "Before" is whole in it, "Meanwhile" half made, "After" came later.
    """
    films = tmp_path_factory.mktemp("films")
    installation.ingest(film(films / "before.mp4", 0, SECONDS), "Before", effort="fast")
    wait_until(lambda: bool(played(installation, "Before")), 60, "it plays")
    installation.ingest(film(films / "meanwhile.mp4", 1, MEANWHILE_S), "Meanwhile", wait=False)
    reports: list[Any] = []
    watchers = [
        threading.Thread(target=lambda n=n: reports.append(watched(installation, n)))
        for n in range(3)
    ]
    for watcher in watchers:
        watcher.start()
    shelf = tmp_path_factory.mktemp("shelf")
    wait_until(lambda: being_encoded(installation), 60, "it is being encoded")
    taken = installation.json("backup", str(shelf))
    assert unfinished(installation), "the title was done before the backup was"
    for watcher in watchers:
        watcher.join(60)
    assert [(each["frames"], each["stalls"], each["decode_errors"]) for each in reports] == [
        (FRAMES, 0, 0)
    ] * 3
    assert taken["damaged"] == []
    installation.ingest(film(films / "after.mp4", 2, 2), "After", effort="fast")
    return Path(taken["path"])


def watched(installation: Installation, number: int) -> Any:
    member = f"--as=watcher-{number}@cuemark.example"
    return installation.json("play", "Before", "--from=0", member)


def being_encoded(installation: Installation) -> bool:
    """Whether of some title some chunks are encoded and others not."""
    return any(
        stage["stage"] == "quick" and stage["done"] > 0
        for job in installation.status()["jobs"]
        if job["state"] == "running"
        for stage in job["stages"]
    )


def test_what_a_backup_holds_is_read_by_its_owner_alone(backup: Path) -> None:
    assert stat.S_IMODE(backup.stat().st_mode) == 0o700
    private = [*(backup / "secrets").iterdir(), backup / "database.dump"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}
    assert {"master_key", "operator_token"} <= {path.name for path in private}


def test_a_restored_install_plays_what_was_there_and_goes_on_with_what_was_not(
    installation: Installation, backup: Path, tmp_path: Path
) -> None:
    restored = Installation(tmp_path / "data")
    restored.json("restore", str(backup))
    after = installation.title_id("After")
    versions = {path.name for path in (restored.folder / "objects" / "versions").iterdir()}
    job = next(job for job in installation.status()["jobs"] if job["title_id"] == after)
    assert job["version_id"] not in versions, "half of a later title came along"
    restored.up()
    try:
        assert {title["name"] for title in restored.json("titles")["titles"]} == {
            "Before",
            "Meanwhile",
        }
        assert played(restored, "Before")["frames"] == FRAMES
        wait_until(lambda: not unfinished(restored), 120, "the job is over")
        assert [job["error"] for job in restored.status()["jobs"]] == ["", ""]
        report = played_in_full(restored, "Meanwhile")
        assert (report["frames"], report["decode_errors"]) == (MEANWHILE_S * FRAME_RATE, 0)
        assert report["quality"] == "full"
    finally:
        restored.down()


def test_the_next_backup_reads_only_what_is_new(installation: Installation, backup: Path) -> None:
    wait_until(lambda: not unfinished(installation), 120, "nothing is being encoded")
    first = installation.json("backup", str(backup.parent))
    second = installation.json("backup", str(backup.parent))
    assert 0 < first["new_bytes"] < first["size_bytes"]
    assert second["new_bytes"] == 0
    assert Path(second["path"]) > Path(first["path"]) > backup
    kept = Path(second["path"]) / "objects" / "masters"
    assert {path.stat().st_nlink >= 3 for path in kept.iterdir()} == {True}


def test_a_killed_backup_leaves_nothing_that_looks_whole(
    installation: Installation, backup: Path, tmp_path: Path
) -> None:
    shelf = tmp_path / "shelf"
    with subprocess.Popen(installation.command("backup", str(shelf))) as taking:
        wait_until(lambda: bool(list(shelf.glob(DRAFTS))), 30, "the backup is being made")
        taking.send_signal(signal.SIGKILL)
    assert list(shelf.glob("[!.]*")) == []
    said = installation.cli("restore", str(shelf), expect=1).stderr.strip()
    assert said.startswith(f"cuemark: {shelf} is no backup and holds none")
    installation.json("backup", str(shelf))
    assert list(shelf.glob(DRAFTS)) == []
    assert len(list(shelf.iterdir())) == 1


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("spoil", [truncate, flip, Path.unlink])
@pytest.mark.parametrize(
    "name", ["manifest.json", "database.dump", "objects.jsonl", "objects/masters/*", "secrets/*"]
)
def test_a_spoiled_backup_is_found_out(backup: Path, tmp_path: Path, name: str, spoil: Any) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(backup, copy)
    verified(copy)
    spoil(sorted(copy.glob(name))[0])
    with pytest.raises(OperatorError) as refused:
        verified(find(copy))
    assert "\n" not in str(refused.value)
    assert str(copy) in str(refused.value)


def test_a_spoiled_backup_is_refused_before_anything_is_touched(
    backup: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(backup, copy)
    flip(copy / "database.dump")
    target = Installation(tmp_path / "data")
    said = target.cli("restore", str(copy), expect=1).stderr.strip()
    assert said == (
        f"cuemark: {copy}/database.dump does not match its checksum: "
        "the backup is torn or was altered"
    )
    assert not target.folder.exists()


def test_a_folder_in_use_is_not_restored_into(installation: Installation, backup: Path) -> None:
    said = installation.cli("restore", str(backup), "--force", expect=1).stderr.strip()
    assert said == (
        f"cuemark: Cuemark runs on {installation.folder}: end it with `cuemark down` first"
    )


def test_force_sets_aside_what_was_there(backup: Path, tmp_path: Path) -> None:
    target = Installation(tmp_path / "data")
    target.json("restore", str(backup))
    (target.folder / "objects" / "mine").write_text("of the first life")
    said = target.cli("restore", str(backup), expect=1).stderr
    assert "is not empty" in said
    replaced = target.json("restore", str(backup), "--force")["replaced"]
    assert (Path(replaced) / "objects" / "mine").read_text() == "of the first life"
    assert not (target.folder / "objects" / "mine").exists()


def test_an_install_that_is_down_can_be_backed_up(backup: Path, tmp_path: Path) -> None:
    target = Installation(tmp_path / "data")
    target.json("restore", str(backup))
    again = target.json("backup")
    assert Path(again["path"]).parent == target.folder / "backups"
    assert target.json("restore", again["path"], "--check")["whole"]
