"""Seeing what goes on: traces through every process, status, the report, the page of operations."""

import json
import re
import shutil
import time
from pathlib import Path
from typing import Any

from tests.e2e.conftest import FILM
from tests.e2e.installation import Installation, wait_until


def story(installation: Installation, trace_id: str) -> list[dict[str, Any]]:
    """The lines of a trace; nginx writes its own within a second."""
    time.sleep(1.5)
    said = installation.cli("logs", "--trace", trace_id, "--json").stdout
    return [json.loads(line) for line in said.splitlines()]


def holds_all(installation: Installation) -> bool:
    """Whether each appliance has told that it serves the film's quick and full version."""
    states = installation.status()["appliance_states"]
    return all(state["alive"] and state["versions"] >= 2 for state in states)


def test_one_play_is_followed_through_every_process(running_cuemark: Installation) -> None:
    wait_until(lambda: holds_all(running_cuemark), 30, "the appliances hold the film")
    for folder in (running_cuemark.folder / "appliances").glob("*/store/*"):
        shutil.rmtree(folder)
    report = running_cuemark.json(
        "play", FILM, "--from=0", "--seconds=1", "--as=followed@cuemark.example"
    )
    lines = story(running_cuemark, report["trace_id"])
    begun = [line["began_at"] for line in lines]
    assert begun == sorted(begun)
    first = {line["process"]: at for at, line in reversed(list(enumerate(lines)))}
    appliance = report["appliances"][0]
    assert first["control:all"] < first[appliance] < first["origin"]
    assert f"{appliance}-agent" in first
    paths = [line["fields"].get("path") for line in lines if line["process"] == appliance]
    assert any(str(path).endswith("/1.m4s") for path in paths)
    routes = [line["fields"].get("route") for line in lines]
    assert routes.index("/api/v1/plays") < routes.index("/api/v1/plays/{session_id}/manifest.mpd")


def test_an_ingest_is_followed_from_the_upload_to_each_chunk(running_cuemark: Installation) -> None:
    trace_id = running_cuemark.ingested[FILM]["trace_id"]
    lines = story(running_cuemark, trace_id)
    routes = [line["fields"].get("route") for line in lines if line["process"] == "control:all"]
    assert routes.index("/api/v1/uploads") < routes.index("/api/v1/titles/{title_id}/ingest")
    work = [line for line in lines if line["process"].startswith("worker-")]
    kinds = {line["fields"].get("kind") for line in work if line["event"] == "task_finished"}
    assert {"inspect", "shots", "encode", "probe", "join", "score", "package", "validate"} <= kinds
    assert any(line["event"] == "chunk_encoded" for line in work)


def test_logs_are_told_for_people_and_refuse_what_is_no_trace(
    running_cuemark: Installation,
) -> None:
    said = running_cuemark.cli("logs", "--lines=5", "--since=1h").stdout.splitlines()
    assert len(said) == 5
    assert all(re.match(r"\d\d:\d\d:\d\d\.\d{3}  \S+", line) for line in said)
    assert "no trace" in running_cuemark.cli("logs", "--trace=abc", expect=2).stderr
    assert "neither" in running_cuemark.cli("logs", "--since=soon", expect=2).stderr


def test_the_report_of_a_title_is_one_file_with_its_measurements(
    running_cuemark: Installation, tmp_path: Path
) -> None:
    target = tmp_path / "report.html"
    told = running_cuemark.json("report", FILM, f"--output={target}")
    ingested = running_cuemark.ingested[FILM]
    assert (told["version_id"], told["path"]) == (ingested["version_id"], str(target))
    page = target.read_text()
    for heading in ("Ladder", "Rate and quality", "VMAF over time", "Worst frames", "Cost"):
        assert f"<h2>{heading}</h2>" in page
    artworks = running_cuemark.json("artwork", FILM)["artworks"]
    assert page.count("data:image/jpeg;base64,") == 2 * len(ingested["renditions"]) + len(artworks)
    for rendition in ingested["renditions"]:
        assert f"{rendition['vmaf_mean']:.1f}" in page
    assert not re.search(r"""(src|href)=["'](?!data:)""", page)
    assert "no title" in running_cuemark.cli("report", "Nothing", expect=1).stderr


def test_status_tells_plays_and_errors_with_their_trace(running_cuemark: Installation) -> None:
    status = running_cuemark.status()
    assert {"member_url", "pids", "titles", "jobs", "appliance_states"} <= set(status)
    killed = running_cuemark.kill("worker-2")
    wait_until(
        lambda: running_cuemark.status()["pids"]["worker-2"] != killed, 20, "the worker is back"
    )
    status = running_cuemark.status()
    assert status["starts"]["worker-2"] >= 2
    assert any("worker-2 ended by itself" in error["message"] for error in status["errors"])
    running_cuemark.cli("ingest", __file__, "--title", "No film", "--wait", expect=1)
    error = next(
        each for each in running_cuemark.status()["errors"] if each["event"] == "job_failed"
    )
    assert re.fullmatch("[0-9a-f]{32}", error["trace_id"])
    said = running_cuemark.cli("status").stdout
    assert "worker-2 (" in said
    assert error["trace_id"] in said
