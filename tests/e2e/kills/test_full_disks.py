"""A disk that fills at any stage: a sentence, nothing half published, and on when there is room."""

import json
import time
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.disks import Disk
from tests.e2e.installation import CommandFailed, wait_until
from tests.e2e.kills.conftest import Accepted, Powered, Undisturbed, made_in
from tests.e2e.kills.running import WatchedInstallation
from tests.e2e.kills.test_kills import assert_as_undisturbed

pytestmark = pytest.mark.slow

STAGES = ("inspect", "quick", "probes", "verify", "package")
HELD_S = 3.0


def stage_reached(installation: WatchedInstallation, version_id: str, stage: str) -> bool:
    """Whether a stage is planned, and the work before it with it."""
    job = installation.job(version_id)
    return job is not None and stage in {each["stage"] for each in job["stages"]}


def half_published(folder: Path) -> list[str]:
    """What lies under ``versions`` and is not whole."""
    found = []
    for version in (folder / "objects" / "versions").glob("*"):
        index = version / "index.json"
        files = json.loads(index.read_text())["files"] if index.exists() else {"index.json": {}}
        found += [f"{version.name}/{path}" for path in files if not (version / path).exists()]
    return found


def waits_for_room(job: dict[str, Any] | None) -> bool:
    return job is not None and "room on the disk" in job["waiting"]


def plays(installation: WatchedInstallation) -> bool:
    """Whether a play begins, which it may not before an appliance has learnt the version."""
    try:
        report = installation.json("play", "Killed anywhere", "--as=viewer@cuemark.example")
    except CommandFailed:
        return False
    assert report["decode_errors"] == 0
    return bool(report["quality"] == "full")


def hold_full(installation: WatchedInstallation, disk: Disk, version_id: str) -> None:
    """Fill the disk, see the job say so, and keep it full for a while; nothing is half done."""

    def waiting() -> bool:
        disk.fill()
        return waits_for_room(installation.job(version_id))

    wait_until(waiting, 60, "the job waits for room")
    until_s = time.monotonic() + HELD_S
    while time.monotonic() < until_s:
        disk.fill()
        time.sleep(0.2)
    job = installation.job(version_id)
    assert job is not None
    assert (job["state"], job["error"]) == ("running", "")
    assert half_published(installation.folder) == []
    shown = installation.cli("status").stdout
    assert "waiting for room on the disk" in " ".join(shown.split())
    disk.make_room()


def test_the_objects_disk_is_full_at_every_stage_and_the_title_is_made_all_the_same(
    accepted: Accepted, undisturbed: Undisturbed, powered: Powered
) -> None:
    installation, objects = powered.installation, powered.disk("objects")
    appliance = powered.disk("appliances/appliance-1")
    installation.start()
    installation.wait_serving()
    appliance.fill()
    for stage in STAGES:
        reached = partial(stage_reached, installation, accepted.version_id, stage)
        wait_until(reached, 120, f"{stage} is reached")
        hold_full(installation, objects, accepted.version_id)
    wait_until(
        lambda: (installation.job(accepted.version_id) or {}).get("state") == "done", 240, "done"
    )
    wait_until(partial(plays, installation), 30, "the other appliance serves the full version")
    appliance.make_room()
    wait_until(installation.filled, 60, "the appliance fills when there is room")
    assert_as_undisturbed(installation, undisturbed, 0)


def test_an_upload_to_a_full_disk_is_told_in_one_sentence_and_works_when_there_is_room(
    powered: Powered, tiny_film: Path
) -> None:
    installation, objects = powered.installation, powered.disk("objects")
    installation.start()
    installation.wait_serving()
    objects.fill()
    said = installation.cli("ingest", str(tiny_film), "--title", "Later", expect=1).stderr
    last = said.strip().splitlines()[-1]
    assert last.startswith(
        "cuemark: The disk is full: free some space and resume the upload (see `cuemark logs"
    )
    objects.make_room()
    installation.cli("ingest", str(tiny_film), "--title", "Later")


def test_the_databases_disk_is_full_and_the_title_is_made_all_the_same(
    accepted: Accepted, undisturbed: Undisturbed, powered: Powered
) -> None:
    installation, disk = powered.installation, powered.disk("postgres")
    installation.start()
    installation.wait_serving()
    wait_until(
        lambda: stage_reached(installation, accepted.version_id, "probes"), 120, "it is on its way"
    )
    disk.fill()
    with pytest.raises(psycopg.OperationalError):
        grow(installation)
    assert half_published(installation.folder) == []
    said = installation.cli("account", "create", "late@cuemark.example", expect=1).stderr
    assert len(said.strip().splitlines()) == 1
    disk.make_room()
    installation.wait_done(accepted.version_id)
    wait_until(lambda: no_title_open(installation), 30, "no workflow is left open")
    installation.stop()
    made = made_in(installation.folder)
    assert made == undisturbed.content


def grow(installation: WatchedInstallation) -> None:
    """Write rows until the database says that there is no room, or is away for want of it."""
    sql = (
        "create table if not exists ballast (bytes text); "
        "insert into ballast select repeat(md5(n::text), 60) from generate_series(1, 2000) n"
    )
    while True:
        installation.execute(sql)


def no_title_open(installation: WatchedInstallation) -> bool:
    return not installation.query(
        "select 1 from dbos.workflow_status where status in ('PENDING', 'ENQUEUED')"
    )
