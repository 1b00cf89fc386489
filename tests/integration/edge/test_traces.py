"""One trace through appliance, agent and origin, and logs that are bounded while they are used."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cuemark.app.folder import DataFolder
from cuemark.app.log_keeping import bound
from cuemark.kit.log_file import older
from tests.integration.edge.farm import Farm, farm, noise, until

TRACES = {
    "traceparent": "4bf92f3577b34da6a3ce929d0e0e4731",
    "CMCD": "4bf92f3577b34da6a3ce929d0e0e4732",
    "CMCD with more keys": "4bf92f3577b34da6a3ce929d0e0e4733",
}
FILES = {f"v1/{9 + number}.m4s": noise(50_000, number) for number in range(len(TRACES) + 2)}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    with farm(tmp_path_factory.mktemp("traces"), FILES) as started:
        yield started


def lines_of(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def traced(path: Path, trace_id: str) -> list[str]:
    """The media paths of the lines that a log has of a trace."""
    return [
        str(line.get("path", "")) for line in lines_of(path) if line.get("trace_id") == trace_id
    ]


def logs_of(built: Farm) -> tuple[Path, Path, Path]:
    appliance = built.root / "appliance" / "logs" / "access.jsonl"
    return appliance, built.root / "agent.jsonl", built.root / "origin" / "logs" / "access.jsonl"


@pytest.mark.parametrize("sent", list(TRACES))
def test_a_viewers_trace_reaches_the_origin(built: Farm, sent: str) -> None:
    trace_id, path = TRACES[sent], list(FILES)[list(TRACES).index(sent)]
    version_id = built.versions[0].version_id
    target = built.target(version_id, path)
    if sent == "traceparent":
        reply = built.get(target, traceparent=f"00-{trace_id}-00f067aa0ba902b7-01")
    else:
        more = "bl%3D2000%2C" if "more" in sent else ""
        reply = built.get(f"{target}?CMCD={more}sid%3D%22{trace_id}%22")
    assert reply.body == FILES[path]
    until(lambda: all(traced(log, trace_id) for log in logs_of(built)))
    appliance, agent, origin = (traced(log, trace_id) for log in logs_of(built))
    assert appliance == origin == [path]
    assert agent == [f"{version_id}/{path}"]


def test_what_is_no_trace_id_is_not_taken_into_the_log(built: Farm) -> None:
    path = list(FILES)[-2]
    for session in ("%22%7D%0A", "a" * 31, "G" * 32):
        target = built.target(built.versions[0].version_id, path)
        built.get(f"{target}?CMCD=sid%3D%22{session}%22")

    def told() -> list[dict[str, object]]:
        return [line for line in lines_of(logs_of(built)[0]) if line["path"] == path]

    until(lambda: len(told()) == 3)
    assert {line["trace_id"] for line in told()} == {""}


def test_an_access_log_is_rotated_under_a_running_nginx_and_no_line_is_lost(
    built: Farm, tmp_path: Path
) -> None:
    """The farm's folders stand where an install has them, by links."""
    data = DataFolder(tmp_path / "data")
    (data.root / "appliances").mkdir(parents=True)
    data.logs.mkdir()
    (data.root / "appliances" / "appliance-1").symlink_to(built.root / "appliance")
    (data.root / "origin").symlink_to(built.root / "origin")
    (data.logs / "child.out").write_bytes(b"x" * 5000)
    path = list(FILES)[-1]
    target = built.target(built.versions[0].version_id, path)
    log = data.root / "appliances" / "appliance-1" / "logs" / "access.jsonl"

    def told(file: Path) -> int:
        return sum(line["path"] == path for line in lines_of(file))

    for _ in range(5):
        built.get(target)
    until(lambda: told(log) == 5)
    bound(data, {"appliance-1": built.children["nginx"].process.pid}, 100, 1000)
    asked = 5

    def goes_to_the_new_log() -> bool:
        nonlocal asked
        built.get(target)
        asked += 1
        return told(log) > 0

    until(goes_to_the_new_log)
    until(lambda: told(log) + told(older(log, 1)) == asked)
    assert (data.logs / "child.out").stat().st_size == 0
    assert older(data.logs / "child.out", 1).stat().st_size == 1000
