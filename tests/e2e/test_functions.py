"""Functions in a whole installation, by the command line, as an operator uses them."""

import csv
import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from cuemark.kit.objects import sha256_of
from tests.e2e.conftest import FILM, FRAMES
from tests.e2e.installation import Installation, wait_until

SAMPLES = Path(__file__).parents[2] / "samples" / "functions"
HEADER = '# /// script\n# [tool.cuemark]\n# on = ["catalog.TitleCreated"]\n# backoff_s = 1\n# ///\n'
ECHO = HEADER + "import sys\nopen('output/event.json', 'w').write(sys.stdin.read())\n"
SLOW_AT_FIRST = HEADER + (
    "import json, sys, time\n"
    "attempt = json.load(sys.stdin)['attempt']\n"
    "print('attempt', attempt, flush=True)\n"
    "time.sleep(600 if attempt == 1 else 0)\n"
)
ALONE = {"CUEMARK_WORKERS": "0", "CUEMARK_APPLIANCES": "0"}


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation that encodes nothing and has one function."""
    installation = Installation(tmp_path_factory.mktemp("functions") / "data", ALONE)
    put(installation, "echo", ECHO)
    installation.up()
    wait_until(lambda: bool(installation.events("function_bound")), 30, "echo is bound")
    yield installation
    installation.down()


def put(installation: Installation, name: str, code: str) -> None:
    folder = installation.folder / "functions"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.py").write_text(code)


def make_title(installation: Installation, name: str) -> None:
    token = (installation.folder / "secrets" / "operator_token").read_text()
    headers = {"authorization": f"Bearer {token}"}
    answer = requests.post(
        f"{installation.api_url}/titles", json={"name": name}, headers=headers, timeout=10
    )
    assert answer.status_code == 201, answer.text


def runs(installation: Installation, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = installation.json("functions", "runs", *arguments)["runs"]
    return found


def all_done(installation: Installation, name: str, count: int) -> bool:
    return [run["state"] for run in runs(installation, name)] == ["done"] * count


def test_a_function_is_run_on_an_event_and_what_it_left_is_there(
    installation: Installation,
) -> None:
    make_title(installation, "A title")
    wait_until(lambda: all_done(installation, "echo", 1), 30, "echo ran")
    (run,) = runs(installation, "echo")
    told = json.loads((installation.folder / run["output"] / "event.json").read_text())
    assert told["event"]["body"]["name"] == "A title"
    assert told["event"]["id"] == run["event_id"]
    (line,) = [e for e in installation.events("function_ran") if e["run_id"] == run["run_id"]]
    assert line["trace_id"] == run["trace_id"]
    assert "attempt 1" in installation.cli("functions", "show", run["run_id"]).stdout
    (listed,) = installation.json("functions", "list")["functions"]
    assert (listed["name"], listed["state"], listed["done"]) == ("echo", "on", 1)


def test_a_function_is_run_again_after_its_process_was_killed_in_the_midst(
    installation: Installation,
) -> None:
    put(installation, "slow", SLOW_AT_FIRST)
    wait_until(
        lambda: any(e["function"] == "slow" for e in installation.events("function_bound")),
        30,
        "slow is bound",
    )
    make_title(installation, "Killed in the midst")

    def began() -> bool:
        found = runs(installation, "slow")
        return bool(found) and found[0]["state"] == "running" and found[0]["attempts"] == 1

    wait_until(began, 30, "slow runs")
    installation.kill("functions", signal.SIGKILL)
    wait_until(lambda: all_done(installation, "slow", 1), 60, "slow ran again")
    (run,) = runs(installation, "slow")
    attempts = installation.json("functions", "show", run["run_id"])["attempts"]
    assert [each["reason"] for each in attempts] == ["the process that ran it was killed", ""]
    assert attempts[1]["stdout"] == "attempt 2\n"
    (installation.folder / "functions" / "slow.py").unlink()


def test_a_function_is_tried_on_no_record(installation: Installation, tmp_path: Path) -> None:
    path = tmp_path / "tried.py"
    path.write_text(ECHO)
    earlier = len(runs(installation, "echo"))
    make_title(installation, "To try on")
    wait_until(lambda: all_done(installation, "echo", earlier + 1), 30, "echo ran")
    before = len(runs(installation))
    tried = installation.json("functions", "try", str(path), "--output", str(tmp_path / "left"))
    told = json.loads((tmp_path / "left" / "event.json").read_text())
    assert (told["event"]["id"], tried["failure"]) == (tried["event_id"], "")
    event = tmp_path / "event.json"
    event.write_text('{"kind": "catalog.TitleCreated", "body": {"title_id": "ttl_x"}}')
    path.write_text(HEADER + "raise SystemExit('no luck')\n")
    failed = installation.cli("functions", "try", str(path), "--event", str(event), expect=1)
    assert "no luck" in failed.stderr
    assert "tried failed: it ended with 1" in failed.stderr
    assert len(runs(installation)) == before
    path.write_text("print(1)\n")
    failed = installation.cli("functions", "check", str(path), expect=1)
    assert "has no header" in failed.stderr


def test_a_restored_installation_runs_nothing_again(
    installation: Installation, tmp_path: Path
) -> None:
    taken = installation.json("backup", str(tmp_path / "shelf"))
    before = runs(installation, "echo")
    installation.down()
    restored = Installation(tmp_path / "restored", ALONE)
    restored.cli("restore", taken["path"])
    assert (restored.folder / "functions" / "echo.py").read_text() == ECHO
    restored.up()
    try:
        make_title(restored, "After the restore")
        wait_until(lambda: all_done(restored, "echo", len(before) + 1), 30, "echo ran")
        assert [run["run_id"] for run in runs(restored, "echo")][1:] == [
            run["run_id"] for run in before
        ]
        assert [run["attempts"] for run in runs(restored, "echo")] == [1] * (len(before) + 1)
    finally:
        restored.down()
        shutil.rmtree(restored.folder)
        installation.up()


def test_the_samples_do_what_they_say(running_cuemark: Installation, tmp_path: Path) -> None:
    master = running_cuemark.masters[FILM]
    body = {"name": master.name, "sha256": sha256_of(master)}
    landed, published = tmp_path / "landed.json", tmp_path / "published.json"
    landed.write_text(json.dumps({"kind": "encoding.MasterLanded", "body": body}))
    made = {
        "version_id": running_cuemark.ingested[FILM]["version_id"],
        "title_id": running_cuemark.title_id(FILM),
        "quality": "full",
        "published_at": "2026-01-01T00:00:00Z",
    }
    published.write_text(json.dumps({"kind": "encoding.VersionPublished", "body": made}))
    events = {"shot-list": [published], "catalog-feed": [], "contact-sheet": [landed]}
    for name, event in events.items():
        sample, left = SAMPLES / f"{name}.py", tmp_path / name
        flags = ["--output", str(left), *(f"--event={each}" for each in event)]
        running_cuemark.cli("functions", "try", str(sample), *flags)
    (table,) = (tmp_path / "shot-list").glob("*.csv")
    with table.open(newline="") as file:
        shots = list(csv.DictReader(file))
    assert sum(int(shot["frames"]) for shot in shots) == FRAMES
    (edl,) = (tmp_path / "shot-list").glob("*.edl")
    assert len([line for line in edl.read_text().splitlines() if " AX " in line]) == len(shots)
    feed = json.loads((tmp_path / "catalog-feed" / "catalog.json").read_text())
    assert FILM in [title["name"] for title in feed["titles"]]
    (sheet,) = (tmp_path / "contact-sheet").glob("*.jpg")
    with Image.open(sheet) as picture:
        assert picture.size == (1600, 720)
