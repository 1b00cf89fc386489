"""A line for each request, from nginx and the agent to control, whatever control does meanwhile."""

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from cuemark.contexts.telemetry import model
from cuemark.contracts.telemetry import Line, TakeLines
from tests.integration.edge.farm import Farm, farm, noise, serving, until

FILES = {f"v1/{9 + number}.m4s": noise(40_000, number) for number in range(8)}
PATHS = list(FILES)
SHIPPED_S = 20.0


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    with farm(tmp_path_factory.mktemp("near"), FILES) as started:
        yield started


@pytest.fixture(scope="module")
def built(near: Farm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """An appliance that has ``near`` as a peer."""
    started = Farm(tmp_path_factory.mktemp("lines"), beside=near)
    started.sources = [near.as_source(held_only=True)]
    started.tell()
    with serving(started):
        yield started


def batches(built: Farm) -> list[TakeLines]:
    path = built.control_folder / "batches.jsonl"
    lines = path.read_bytes().splitlines() if path.exists() else []
    return [msgspec.json.decode(line, type=TakeLines) for line in lines]


def told(built: Farm) -> list[Line]:
    """What control was told of, in its order."""
    return [line for batch in batches(built) for line in model.lines_of(batch)]


def of(built: Farm, path: str) -> list[Line]:
    """The lines of a path, once there is one."""
    until(lambda: any(line.path == path for line in told(built)), SHIPPED_S)
    return [line for line in told(built) if line.path == path]


def outcome(line: Line) -> str:
    return model.outcome_of(line, led_past=False)


def test_each_way_to_an_answer_has_its_line(near: Farm, built: Farm) -> None:
    version_id = built.versions[0].version_id
    from_origin, from_peer, refused = PATHS[0], PATHS[1], PATHS[2]
    near.get(near.target(version_id, from_peer))
    until(lambda: (Path(near.appliance.folder) / "views" / version_id / from_peer).exists())
    asked = (
        f"{built.target(version_id, from_peer)}?CMCD=br%3D3200%2Cot%3Dv%2Cbs%2Cnor%3D%2211.m4s%22"
    )
    first = built.get(asked)
    until(lambda: (Path(built.appliance.folder) / "views" / version_id / from_peer).exists())
    second = built.get(asked)
    origin = built.get(
        built.target(version_id, from_origin),
        CMCD_Request="bl=900,su",
        CMCD_Session='sid="one play",st=v',
    )
    other = built.target(version_id, refused).replace("/t/", "/t/A")
    assert [first.status, second.status, origin.status] == [200, 200, 200]
    assert built.get(other).status == 401

    miss, hit = of(built, from_peer)
    assert (outcome(miss), miss.source, miss.source_name) == ("content", "peer", "appliance-1")
    assert miss.waited_s is not None
    assert (miss.sc_bytes, miss.cs_method, miss.version_id) == (40_000, "GET", version_id)
    assert (outcome(hit), hit.source, hit.waited_s) == ("hit", "", None)
    assert hit.cmcd is not None
    assert (hit.cmcd.br, hit.cmcd.ot, hit.cmcd.bs, hit.cmcd.nor) == (3200, "v", True, "11.m4s")
    assert hit.rtt_ms is not None
    (line,) = of(built, from_origin)
    assert (outcome(line), line.source, line.source_name) == ("content", "origin", "")
    assert line.cmcd is not None
    assert (line.cmcd.bl, line.cmcd.sid, line.cmcd.su) == (900, "one play", True)
    shut = [line for line in told(built) if line.sc_status == 401]
    assert [(outcome(line), line.refused, line.path) for line in shut] == [("refused", "token", "")]


def test_answers_tell_what_is_true_of_them_and_not_what_the_agent_told(built: Farm) -> None:
    version_id, path = built.versions[0].version_id, PATHS[3]
    answers = [built.get(built.target(version_id, path)) for _ in range(3)]
    for answer in answers:
        assert answer.headers["cmsd-static"] == "st=v"
        name, _, rtt = answer.headers["cmsd-dynamic"].partition(";rtt=")
        assert name == '"cuemark-appliance-2"'
        assert 0 <= int(rtt) < 1000
        assert not [header for header in answer.headers if header.startswith("x-fill")]
    assert "CMSD-Dynamic" in answers[0].headers["access-control-expose-headers"]


def test_no_cmcd_of_any_kind_breaks_a_line_or_brings_a_token_into_one(built: Farm) -> None:
    version_id, path = built.versions[0].version_id, PATHS[4]
    token = built.token(version_id)
    target = built.target(version_id, path)
    hostile = [
        '"},{"status":200',
        "\\x22\\",
        "br=1\tbl=2",
        "x" * 1025,
        f'cid="{token}"',
        f'nor="https%3A%2F%2Fa%2F{token}%2Fb"',
        "br=\xff\xfe",
    ]
    for text in hostile:
        assert built.get(target, CMCD_Session=text).status == 200
    for text in ("%22%7D", "%", "%zz", "a" * 2000, f"cid%3D%22{token}%22", "%00"):
        assert built.get(f"{target}?CMCD={text}").status == 200
    until(lambda: len([line for line in told(built) if line.path == path]) == 13, SHIPPED_S)
    assert all(line.cmcd is None or line.cmcd.cid == "" for line in of(built, path))
    assert not built.logged("log_lines_unreadable")
    kept = b"".join(msgspec.json.encode(line) for line in told(built)).decode()
    assert token[:40] not in kept
    assert token not in (Path(built.appliance.folder) / "logs" / "access.jsonl").read_text()


def test_with_control_away_lines_wait_and_none_is_lost_over_a_kill(built: Farm) -> None:
    version_id, path = built.versions[0].version_id, PATHS[5]
    target = built.target(version_id, path)
    spool = Path(built.appliance.folder) / "lines"
    built.children["control"].kill()
    for _ in range(3):
        built.get(target)
    until(lambda: len(list(spool.glob("*.batch"))) > 0, SHIPPED_S)
    built.children["agent"].kill()
    for _ in range(2):
        built.get(target)
    built.start("agent")
    (built.control_folder / "busy").touch()
    built.start("control")
    until(built.answers)
    built.get(target)
    (built.control_folder / "busy").unlink()
    until(lambda: len([line for line in told(built) if line.path == path]) >= 6, SHIPPED_S)
    until(lambda: not list(spool.glob("*.batch")), SHIPPED_S)
    assert len([line for line in told(built) if line.path == path]) == 6
    sent = [(batch.epoch, batch.sequence) for batch in batches(built)]
    assert len(sent) == len(set(sent))
    log = Path(built.appliance.folder) / "logs" / "access.jsonl"
    logged = [json.loads(line) for line in log.read_text().splitlines()]
    assert len([line for line in logged if line["path"] == path]) == 6
