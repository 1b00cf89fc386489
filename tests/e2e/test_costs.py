"""What the log and a report say of cost: `make bench` adds it up."""

import math
from pathlib import Path
from typing import Any

import pytest

from cuemark.contexts.encoding.model.effort import BUDGETS
from tests.e2e.conftest import FILM
from tests.e2e.installation import Installation, ffmpeg, wait_until

KINDS = {
    "inspect",
    "shots",
    "encode",
    "probe",
    "join",
    "ceiling",
    "score",
    "sound",
    "captions",
    "package",
    "validate",
}
MADE_S = 120.0


def whole(told: dict[str, Any], what: str) -> float:
    """What the stages of a report have of it, which its parts must have too."""
    parts = math.fsum(part[what] for part in told["costs"]["parts"])
    assert math.isclose(parts, math.fsum(stage[what] for stage in told["stages"]), rel_tol=1e-9)
    assert math.isclose(parts, told["costs"][what], rel_tol=1e-9)
    return parts


def kinds(told: dict[str, Any]) -> dict[str, float]:
    found: dict[str, float] = {}
    for part in told["costs"]["parts"]:
        found[part["kind"]] = found.get(part["kind"], 0.0) + part["cpu_s"]
    return found


def test_the_log_tells_what_every_stage_of_a_film_cost(running_cuemark: Installation) -> None:
    version_id = running_cuemark.ingested[FILM]["version_id"]
    told = running_cuemark.events("task_finished")
    tasks = [event for event in told if event["version_id"] == version_id]
    assert {event["kind"] for event in tasks} == KINDS
    assert all(event["cpu_s"] > 0 and event["wall_s"] > 0 for event in tasks)
    scores = [
        event
        for event in running_cuemark.events("chunk_scored") + running_cuemark.events("rung_scored")
        if event["trace_id"] == running_cuemark.ingested[FILM]["trace_id"]
    ]
    scored = [event for event in tasks if event["kind"] in ("probe", "score")]
    assert 0 < sum(each["cpu_s"] for each in scores) < sum(each["cpu_s"] for each in scored)
    published = running_cuemark.events("version_published")
    assert {"quick", "full"} <= {event["quality"] for event in published}


def test_a_report_tells_where_the_cpu_went_and_what_is_stored(
    running_cuemark: Installation, tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    told = running_cuemark.json("report", FILM, "--output", str(page))
    version_id = running_cuemark.ingested[FILM]["version_id"]
    assert told["version_id"] == version_id
    assert told["effort"] == "balanced"
    logged = math.fsum(
        event["cpu_s"]
        for event in running_cuemark.events("task_finished")
        if event["version_id"] == version_id
    )
    assert whole(told, "cpu_s") == pytest.approx(logged, rel=0.05), "the log's tasks, and planning"
    assert whole(told, "energy_wh") > 0
    assert whole(told, "written_bytes") > 0
    found = kinds(told)
    assert {"rung", "title", "other_version"} <= set(found)
    rungs = [part["name"] for part in told["costs"]["parts"] if part["kind"] == "rung"]
    stored = {part["name"]: part for part in told["costs"]["stored"]}
    assert set(rungs) == {name for name, part in stored.items() if part["kind"] == "rendition"}
    assert {part["kind"] for part in stored.values()} == {
        *("rendition", "audio", "captions", "thumbnails", "other", "master")
    }
    assert all(part["size_bytes"] > 0 for part in stored.values())
    folder = running_cuemark.folder / "objects" / "versions" / version_id
    on_disk = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    masterless = sum(each["size_bytes"] for name, each in stored.items() if name != "master")
    assert masterless == on_disk
    text = page.read_text()
    assert "Where the CPU went" in text
    assert "estimated, not measured" in text


def test_the_effort_of_a_job_outlives_its_workers_and_what_they_took_is_told(
    running_cuemark: Installation, tmp_path: Path
) -> None:
    master = tmp_path / "short.mp4"
    film = running_cuemark.masters[FILM]
    ffmpeg("-i", str(film), ["-t", "1", "-an", "-vf", "scale=320:-2", "-crf", "14"], str(master))
    name = "Made in spite of a kill"
    made = running_cuemark.ingest(master, name, wait=False, effort="fast")
    assert made["effort"] == "fast"

    def job() -> dict[str, Any]:
        jobs = running_cuemark.status()["jobs"]
        return next(each for each in jobs if each["version_id"] == made["version_id"])

    def probing() -> bool:
        return any(stage["stage"] == "probes" for stage in job()["stages"])

    wait_until(probing, MADE_S, "a probe is begun")
    for worker in ("worker-1", "worker-2"):
        running_cuemark.kill(worker)
    wait_until(lambda: job()["state"] == "done", MADE_S, "the title is made")
    told = running_cuemark.json("report", name, "--output", str(tmp_path / "report.html"))
    assert told["effort"] == job()["effort"] == "fast"
    whole(told, "cpu_s")
    assert "in_hand" not in kinds(told)
    probes = next(stage for stage in told["stages"] if stage["stage"] == "probes")
    assert probes["units"] == BUDGETS["fast"].probe_points < BUDGETS["balanced"].probe_points


def test_an_effort_that_is_none_is_refused_with_a_sentence(running_cuemark: Installation) -> None:
    film = str(running_cuemark.masters[FILM])
    said = running_cuemark.cli("ingest", film, "--title", "x", "--effort", "slow", expect=2).stderr
    assert "'slow' is not one of 'fast', 'balanced', 'best'" in said


def test_a_play_tells_what_of_its_start_was_the_control_plane(
    running_cuemark: Installation,
) -> None:
    report = running_cuemark.json("play", FILM, "--seconds", "0.5", "--from", "0")
    assert 0 < report["startup_control_ms"] < report["startup_ms"]
