"""An appliance under a plan: what it counts, what it fetches, and what goes wrong on the way."""

import os
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cuemark.contracts.fill import Manifest, PlannedTrack
from cuemark.contracts.ids import VersionId
from cuemark.kit.log_file import rotate
from tests.disks import Disk, mount_in_private
from tests.integration.edge.farm import Farm, noise, serving, until

SIZE = 100_000
PATHS = [f"{track}/{segment}.m4s" for track in ("v1", "v2") for segment in range(4, 10)]
FILES = {path: noise(SIZE, number) for number, path in enumerate(PATHS)}


def talking(root: Path, *, fill: bool = True, **options: Any) -> Farm:
    """A farm whose appliance speaks with control of fill more often than others do."""
    return Farm(root, fill=fill, manifest_every_s=0.5, tell_every_s=1.0, **options)


def planned(built: Farm, track_id: str, plays: float, version: int = 0) -> PlannedTrack:
    return PlannedTrack(built.versions[version].version_id, track_id, 6 * SIZE, plays)


def held_of(built: Farm, track_id: str) -> int:
    """What control was told last of a track's bytes in the appliance's store."""
    told = built.told_held()
    held = told[-1].held if told else []
    return sum(each.of_bytes for each in held if each.track_id == track_id)


def view_all(built: Farm, times: int = 1) -> None:
    version_id = built.versions[0].version_id
    for _ in range(times):
        for path, body in FILES.items():
            assert built.get(built.target(version_id, path)).body == body


def rotate_log(built: Farm) -> None:
    """As the supervisor of an install does it."""
    rotate(built.root / "appliance" / "logs" / "access.jsonl")
    pid = int((built.root / "appliance" / "run" / "nginx.pid").read_text())
    os.kill(pid, signal.SIGUSR1)


def test_every_byte_to_clients_is_told_once_over_rotations_and_kills(tmp_path: Path) -> None:
    with serving(talking(tmp_path), FILES) as built:
        view_all(built)
        rotate_log(built)
        view_all(built)
        version_id = built.versions[0].version_id
        part = built.get(built.target(version_id, PATHS[0]), Range="bytes=0-99")
        assert (part.status, len(part.body)) == (206, 100)
        peer = built.get(built.target(version_id, PATHS[0]), User_Agent="cuemark/appliance-9")
        assert peer.status == 200
        until(lambda: built.told_served().get("v1", 0) > 0, 20)
        built.children["agent"].kill()
        assert built.get(built.target(version_id, PATHS[-1])).status == 200
        rotate_log(built)
        built.start("agent")
        until(lambda: built.told_served() == {"v1": 12 * SIZE + 100, "v2": 13 * SIZE}, 20)
        assert built.health().skipped_bytes == 0


def test_what_the_plan_wants_is_fetched_and_told_as_held(tmp_path: Path) -> None:
    built = talking(tmp_path, region="north", timezone="Europe/Oslo")
    built.publish(FILES)
    built.plan(Manifest(manifest_id="m1", fetch=[planned(built, "v2", 3.0)]))
    with serving(built):
        until(lambda: held_of(built, "v2") == 6 * SIZE)
        told = built.told_held()[-1]
        assert (told.region, told.timezone, told.parts) == ("north", "Europe/Oslo", 1)
        assert told.storage_bytes == (1 << 30) * 49 // 50
        assert held_of(built, "v1") == 0
        state = built.health().fill
        assert (state.manifest_id, state.tracks_left, state.trouble) == ("m1", 0, "")
        built.children["origin"].kill()
        version_id = built.versions[0].version_id
        for path in PATHS[6:]:
            assert built.get(built.target(version_id, path)).body == FILES[path]
        built.plan(Manifest(manifest_id="m2", fetch=[planned(built, "v1", 3.0)]))
        until(lambda: built.health().fill.manifest_id == "m2")
        until(lambda: "does not answer" in built.health().fill.trouble)
        built.start("origin")
        until(lambda: held_of(built, "v1") == 6 * SIZE)


def test_a_plan_waits_for_the_window(tmp_path: Path) -> None:
    opens_at = datetime.now(UTC) + timedelta(hours=2)
    window = f"{opens_at:%H:%M}-{opens_at + timedelta(hours=1):%H:%M}"
    built = talking(tmp_path, fill_window=window)
    built.publish(FILES)
    built.plan(Manifest(manifest_id="m1", fetch=[planned(built, "v2", 3.0)]))
    with serving(built):
        until(lambda: built.health().fill.manifest_id == "m1")
        time.sleep(1)
        assert (built.stored(), built.health().fill.window_open) == (set(), False)


def test_a_plan_keeps_to_its_rate(tmp_path: Path) -> None:
    built = talking(tmp_path, fill_kbps=1600)
    built.publish(FILES)
    built.plan(Manifest(manifest_id="m1", fetch=[planned(built, "v2", 3.0)]))
    with serving(built):
        until(lambda: bool(built.stored()))
        begun_s = time.monotonic()
        until(lambda: len(built.stored()) == 6, 20)
        took_s = time.monotonic() - begun_s
        # All six take 3 s at that rate, of which the first second may come at once.
        assert took_s > 1


def test_with_control_away_it_goes_on_under_the_last_manifest(tmp_path: Path) -> None:
    built = talking(tmp_path)
    built.publish(FILES)
    built.plan(Manifest(manifest_id="m1", fetch=[planned(built, "v2", 3.0)]))
    with serving(built):
        until(lambda: held_of(built, "v2") == 6 * SIZE)
        built.plan(Manifest(manifest_id="m2", fetch=[planned(built, "v1", 3.0)]))
        built.children["origin"].kill()
        until(lambda: built.health().fill.manifest_id == "m2")
        for child in ("control", "agent"):
            built.children[child].kill()
        built.start("agent")
        built.start("origin")
        until(lambda: len(built.stored()) == len(PATHS))
        view_all(built)
        built.start("control")
        until(lambda: held_of(built, "v1") == 6 * SIZE, 20)
        until(lambda: built.told_served() == {"v1": 6 * SIZE, "v2": 6 * SIZE}, 20)


def test_a_control_plane_without_fill_changes_nothing_and_is_told_of_once(tmp_path: Path) -> None:
    with serving(talking(tmp_path, fill=False, background_kbps=1_000_000), FILES) as built:
        until(lambda: len(built.stored()) == len(PATHS))
        view_all(built)
        until(lambda: len(built.logged("out_of_step")) >= 3, 20)
        away = [line["what"] for line in built.logged("out_of_step")]
        assert sorted(away) == ["get_manifest", "tell_held", "tell_served"]
        assert built.health().fill.manifest_id == ""


def test_a_manifest_with_names_that_are_none_harms_nothing(tmp_path: Path) -> None:
    built = talking(tmp_path)
    built.publish(FILES)
    version_id = built.versions[0].version_id
    wrong = [
        PlannedTrack(version_id, "../../..", 1, 9.0),
        PlannedTrack(version_id, "v1", -(1 << 62), 9.0),
        PlannedTrack(version_id, "v3", 1, 9.0),
        PlannedTrack(VersionId("../../../etc"), "v1", 1, 9.0),
        PlannedTrack(VersionId("ver_" + "9" * 26), "v1", 1, 9.0),
    ]
    good = planned(built, "v2", 3.0)
    built.plan(Manifest(manifest_id="m" * 5000, fetch=[*wrong, good], keep=wrong))
    with serving(built):
        until(lambda: held_of(built, "v2") == 6 * SIZE)
        state = built.health().fill
        assert (state.tracks_left, state.left_bytes) == (1, 1), "of a version that is not known"
        view_all(built)


def test_a_full_disk_ends_fill_and_no_viewer_notices(tmp_path: Path) -> None:
    mount_in_private()
    disk = Disk(tmp_path / "small.img", tmp_path / "appliance")
    disk.format(32)
    disk.mount()
    try:
        files = {f"v{number}/9.m4s": noise(1_000_000, number) for number in range(40)}
        built = talking(tmp_path)
        version_id = built.publish(files)
        fetch = [
            PlannedTrack(version_id, path.partition("/")[0], 1_000_000, 100.0 - number)
            for number, path in enumerate(files)
        ]
        built.plan(Manifest(manifest_id="m1", fetch=fetch))
        with serving(built):
            until(lambda: "no room" in built.health().fill.trouble, 20)
            held = len(built.stored())
            assert 10 < held < 40
            assert held_of(built, "v0") in (0, 1_000_000)
            last = "v39/9.m4s"
            assert built.get(built.target(version_id, last)).body == files[last]
            best = built.get(built.target(version_id, "v0/9.m4s"))
            assert best.headers["cache-status"].endswith("hit"), "the best are the last to leave"
            disk.fill()
            assert built.get(built.target(version_id, "v38/9.m4s")).body == files["v38/9.m4s"]
    finally:
        disk.unmount()


def test_a_file_that_the_origin_lacks_is_passed_over(tmp_path: Path) -> None:
    built = talking(tmp_path)
    version_id = built.publish(FILES)
    (built.objects / "versions" / version_id / PATHS[7]).unlink()
    built.plan(Manifest(manifest_id="m1", fetch=[planned(built, "v2", 3.0)]))
    with serving(built):
        until(lambda: held_of(built, "v2") == 5 * SIZE)
        assert built.health().fill.tracks_left == 0
