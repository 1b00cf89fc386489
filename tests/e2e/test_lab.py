"""``cuemark lab cdn``: the whole network on this machine, watched, broken and taken down."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.installation import ffmpeg

SECONDS, LINE_KBPS = 18, 120
ZONE_DIES_S, CONTROL_DIES_S = 3, 11
"""What players have fetched ahead is to be little when an appliance dies."""

VISIT_S = 3
"""A visit that began so long before the control plane died had come to its end."""


def test_plays_outlive_a_whole_zone_and_then_the_whole_control_plane(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("namespaces need root")
    film, picture = tmp_path / "film.mp4", tmp_path / "lab.html"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=6:duration=40", str(film))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "cuemark.app.cli", "lab", "cdn", "--json"),
            *("--appliances=3", "--networks=2", "--clients=2", f"--seconds={SECONDS}"),
            f"--line-kbps={LINE_KBPS}",
            *(f"--fault=kill:edge-{each}@{ZONE_DIES_S}" for each in (1, 3)),
            *("--browse", f"--fault=kill:hub@{CONTROL_DIES_S}"),
            *(f"--film={film}", f"--picture={picture}"),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.strip().splitlines()[-1])
    assert [viewer["error"] for viewer in found["viewers"]] == ["", ""]
    for viewer in found["viewers"]:
        assert viewer["played_s"] == pytest.approx(SECONDS, abs=0.5)
    # Client 1 is of the first network, whose appliances are 1 and 3.
    first, second = found["viewers"]
    assert first["spans"][0]["appliance_id"] in {"edge-1", "edge-3"}
    assert first["spans"][-1]["appliance_id"] == "edge-2"
    assert {span["appliance_id"] for span in second["spans"]} == {"edge-2"}
    browsing_goes_on_without_the_zone(found)
    assert picture.read_text().startswith("<!doctype html>")
    left = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True)
    assert "cuelab" not in left.stdout
    assert list(tmp_path.glob("cuemark-lab-*")) == []


def browsing_goes_on_without_the_zone(found: Any) -> None:
    """Of who is in the first network, whose appliances are dead: pages come, and plays begin."""
    died_s, control_died_s = found["faults"][0]["at_s"], found["faults"][2]["at_s"]
    went = [each for each in found["visits"] if each["at_s"] < control_died_s - VISIT_S]
    before = [each for each in went if each["at_s"] < died_s - VISIT_S]
    after = [each for each in went if each["at_s"] > died_s]
    last = [each for each in found["visits"] if each["at_s"] > control_died_s]
    assert before
    assert len(after) >= 2
    assert [each["error"] for each in went] == [""] * len(went)
    assert {each["appliance_id"] for each in before} <= {"edge-1", "edge-3"}
    assert {each["appliance_id"] for each in after} == {"edge-2"}
    assert last
    assert "" not in {each["error"] for each in last}, "the control plane is dead indeed"
