"""An appliance whose disk fills, by its own files or by those of others; and one that is killed."""

import os
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from tests.disks import Disk, mount_in_private
from tests.integration.edge.farm import Farm, farm, noise, until

MEGABYTE = 1_000_000
SIZE_MB = 32
PATHS = [f"v{number}/9.m4s" for number in range(40)]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Disk]:
    """The disk on which the appliance of a farm in ``tmp_path`` has its folder."""
    mount_in_private()
    disk = Disk(tmp_path / "small.img", tmp_path / "appliance")
    disk.format(SIZE_MB)
    disk.mount()
    yield disk
    disk.unmount()


def free_bytes(path: Path) -> int:
    disk = os.statvfs(path)
    return disk.f_bavail * disk.f_frsize


def settled(built: Farm) -> None:
    """Wait until what is being filled is in the store."""
    until(lambda: not list((built.root / "appliance" / "tmp").iterdir()))


def is_stored(built: Farm, body: bytes) -> bool:
    return blake3(body).hexdigest() in built.stored()


def start_again(built: Farm) -> dict[str, Any]:
    """Start the agent; what it found when it had gone through its store."""
    before = len(built.logged("store_gone_through"))
    built.start("agent")
    until(lambda: len(built.logged("store_gone_through")) > before)
    return built.logged("store_gone_through")[-1]


def test_a_disk_that_is_full_makes_room_and_no_viewer_notices(
    tmp_path: Path, small_disk: Disk
) -> None:
    files = {path: noise(MEGABYTE, number) for number, path in enumerate(PATHS)}
    with farm(tmp_path, files) as built:
        version_id = built.versions[0].version_id
        for path, body in files.items():
            reply = built.get(built.target(version_id, path))
            assert (reply.status, reply.body) == (200, body)
        settled(built)
        assert free_bytes(small_disk.at) >= (SIZE_MB << 20) // 20 - 2 * MEGABYTE
        assert 10 < len(built.stored()) < len(files)
        assert blake3(files[PATHS[-1]]).hexdigest() in built.stored()

        small_disk.fill()
        held = len(built.stored())
        reply = built.get(built.target(version_id, PATHS[0]))
        assert (reply.status, reply.body) == (200, files[PATHS[0]])
        settled(built)
        assert 0 < len(built.stored()) < held
        assert built.logged("room_made")
        assert not built.logged("fill_failed")


def test_where_others_leave_no_room_at_all_players_are_sent_on_and_it_mends_itself(
    tmp_path: Path, small_disk: Disk
) -> None:
    files = {path: noise(MEGABYTE, number) for number, path in enumerate(PATHS[:3])}
    with farm(tmp_path, files) as built:
        version_id = built.versions[0].version_id
        small_disk.fill()
        reply = built.get(built.target(version_id, PATHS[0]))
        assert reply.status == 503 or not reply.whole
        small_disk.make_room()
        reply = built.get(built.target(version_id, PATHS[0]))
        assert (reply.status, reply.body) == (200, files[PATHS[0]])


def test_what_viewers_use_stays_when_the_store_is_full(tmp_path: Path) -> None:
    files = {path: noise(100_000, number) for number, path in enumerate(PATHS)}
    with farm(tmp_path, files, store_limit_bytes=1_000_000) as built:
        version_id = built.versions[0].version_id
        popular = built.target(version_id, PATHS[0])
        until(lambda: built.get(popular).headers["cache-status"].endswith("hit"))
        for _ in range(3):
            assert built.get(popular).headers["cache-status"].endswith("hit")
        time.sleep(2.5)
        for path in PATHS[1:]:
            assert built.get(built.target(version_id, path)).status == 200
        settled(built)
        until(lambda: len(built.stored()) <= 10)
        assert built.get(popular).headers["cache-status"].endswith("hit")


def test_an_agent_that_is_killed_over_and_over_counts_what_is_there(tmp_path: Path) -> None:
    files = {path: noise(50_000, number) for number, path in enumerate(PATHS)}
    with farm(tmp_path, files) as built:
        version_id = built.versions[0].version_id
        for kill in range(4):
            of_this = PATHS[kill * 10 : kill * 10 + 10]
            for path in of_this:
                assert built.get(built.target(version_id, path)).status == 200
            until(partial(is_stored, built, files[of_this[-1]]))
            built.children["agent"].kill()
            next((tmp_path / "appliance" / "store").glob("*/*")).unlink()
            start_again(built)
        built.children["agent"].stop()
        last = start_again(built)
        assert built.logged("appliance_serves")[-1]["held_bytes"] == 50_000 * len(built.stored())
        assert (last["missing"], last["strange"]) == (0, 0)
