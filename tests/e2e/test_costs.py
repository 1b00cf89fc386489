"""What the log and a report say of cost: `make bench` adds it up."""

from tests.e2e.conftest import FILM
from tests.e2e.installation import Installation

KINDS = {
    "inspect",
    "shots",
    "encode",
    "probe",
    "join",
    "score",
    "sound",
    "captions",
    "package",
    "validate",
}


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


def test_a_play_tells_what_of_its_start_was_the_control_plane(
    running_cuemark: Installation,
) -> None:
    report = running_cuemark.json("play", FILM, "--seconds", "0.5", "--from", "0")
    assert 0 < report["startup_control_ms"] < report["startup_ms"]
