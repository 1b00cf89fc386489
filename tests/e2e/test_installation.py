"""The installation as its operator meets it: started, killed, stopped."""

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest

from cuemark.kit.process import group_alive
from tests.e2e.installation import Installation, wait_until


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    installation = Installation(tmp_path / "data")
    yield installation
    with contextlib.suppress(AssertionError):
        installation.down()


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def answers(url: str) -> bool:
    where = urlsplit(url)
    with contextlib.suppress(OSError):
        socket.create_connection((where.hostname, where.port), 1).close()
        return True
    return False


def test_up_says_where_everything_is_and_down_leaves_nothing(installation: Installation) -> None:
    running = installation.up()
    assert running["member_url"].startswith("http://127.0.0.1:")
    assert [appliance["id"] for appliance in running["appliances"]] == [
        "appliance-1",
        "appliance-2",
    ]
    assert {"postgres", "control", "origin", "worker-1", "worker-2", "supervisor"} <= set(
        running["pids"]
    )
    status = installation.status()
    assert {key: status[key] for key in running} == running
    assert (status["titles"], status["jobs"]) == ([], [])
    installation.down()
    assert [pid for pid in running["pids"].values() if alive(pid) or group_alive(pid)] == []
    assert not answers(running["member_url"])
    said = installation.cli("status", expect=3).stderr
    assert said.strip() == (
        f"cuemark: Cuemark does not run on {installation.folder}: start it with `cuemark up`"
    )


def test_a_second_up_on_the_folder_is_refused_with_one_sentence(
    installation: Installation,
) -> None:
    installation.up()
    said = installation.cli("up", "--detach", expect=1).stderr.strip()
    assert said.startswith(f"cuemark: Cuemark runs on {installation.folder} already")
    assert "\n" not in said


@pytest.mark.parametrize(
    "name",
    ["postgres", "control", "origin", "appliance-1", "appliance-1-agent", "worker-1", "functions"],
)
def test_a_killed_child_runs_again_within_two_seconds(
    shared_installation: Installation, name: str
) -> None:
    pid = shared_installation.status()["pids"][name]
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: serves_again(shared_installation, name), 15, f"{name} serves again")
    assert not alive(pid)
    (ended,) = events_of(shared_installation, "child_ended", name)
    (restarted,) = events_of(shared_installation, "child_restarted", name)
    assert seconds_between(ended["timestamp"], restarted["timestamp"]) < 2
    wait_until(lambda: serving(shared_installation), 10, "the API answers")


def test_a_killed_forkserver_takes_control_and_the_workers_with_it_and_all_serve_again(
    shared_installation: Installation,
) -> None:
    before = shared_installation.status()["pids"]
    os.kill(before["forkserver"], signal.SIGKILL)
    lost = ("forkserver", "control", "worker-1", "worker-2", "functions")
    wait_until(
        lambda: all(serves_again_as_another(shared_installation, before, name) for name in lost),
        30,
        "all serve again",
    )
    assert not any(alive(before[name]) for name in lost)
    after = shared_installation.status()["pids"]
    kept = set(before) - set(lost)
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}


def serves_again_as_another(installation: Installation, before: dict[str, int], name: str) -> bool:
    """Whether another process than before serves under the name, as the supervisor's log has it."""
    restarts = events_of(installation, "child_restarted", name)
    return bool(
        restarts
        and restarts[-1]["pid"] != before[name]
        and events_of(installation, "child_serves_again", name)[-1:]
        and serving(installation)
    )


@pytest.fixture(scope="module")
def shared_installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    installation = Installation(tmp_path_factory.mktemp("killed") / "data")
    installation.up()
    yield installation
    installation.down()


def events_of(installation: Installation, event: str, child: str) -> list[dict[str, Any]]:
    return [found for found in installation.events(event) if found["child"] == child]


def serves_again(installation: Installation, name: str) -> bool:
    return bool(events_of(installation, "child_serves_again", name))


def seconds_between(first: str, second: str) -> float:
    return (datetime.fromisoformat(second) - datetime.fromisoformat(first)).total_seconds()


def test_a_killed_supervisor_takes_all_with_it_and_up_again_loses_nothing(
    installation: Installation,
) -> None:
    before = installation.up()
    installation.cli("account", "create", "keeper@cuemark.example")
    os.kill(before["pids"]["supervisor"], signal.SIGKILL)
    wait_until(lambda: not answers(before["api_url"]), 5, "the control process is gone")
    children = {name: pid for name, pid in before["pids"].items() if name != "supervisor"}
    wait_until(lambda: not any(map(alive, children.values())), 10, "the children are gone")
    installation.cli("status", expect=3)
    half_made = installation.folder / "objects" / "tmp" / "half-made"
    half_made.mkdir()
    after = installation.up()
    assert not half_made.exists(), "what killed writers left is cleared away"
    assert after["member_url"] == before["member_url"], "ports are chosen once"
    said = installation.cli("account", "create", "keeper@cuemark.example", expect=1).stderr
    assert "has an account already" in said


def test_ctrl_c_stops_everything_in_order(installation: Installation, tmp_path: Path) -> None:
    with (tmp_path / "screen").open("w") as screen:
        with subprocess.Popen(installation.command("up"), stdout=screen, stderr=screen) as up:
            wait_until(lambda: serving(installation), 60, "it serves")
            pids, member_url = installation.status()["pids"], installation.member_url
            up.send_signal(signal.SIGINT)
            assert up.wait(30) == 0
    assert [name for name, pid in pids.items() if alive(pid) or group_alive(pid)] == []
    stopped = [event["child"] for event in installation.events("child_stopped")]
    assert stopped.index("control") < stopped.index("postgres")
    assert stopped[-2:] == ["postgres", "forkserver"]
    assert (tmp_path / "screen").read_text() == f"Cuemark serves at {member_url}\n"


def serving(installation: Installation) -> bool:
    done = subprocess.run(installation.command("status"), capture_output=True, check=False)
    return done.returncode == 0


def test_any_postgresql_will_do_by_its_url(tmp_path: Path, database_url: str) -> None:
    installation = Installation(tmp_path / "data", {"CUEMARK_POSTGRES_URL": database_url})
    running = installation.up()
    try:
        assert "postgres" not in running["pids"]
        installation.cli("account", "create", "elsewhere@cuemark.example")
        with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
            found = connection.execute("select count(*) from identity.account").fetchone()
        assert found == (1,)
    finally:
        installation.down()
    assert not (installation.folder / "postgres").exists()


def test_doctor_finds_the_machine_fit(installation: Installation) -> None:
    found = installation.json("doctor")
    assert found["healthy"], found
    assert {"PostgreSQL", "nginx", "FFmpeg", "disk", "ports"} <= {
        finding["check"] for finding in found["findings"]
    }


def test_secrets_are_in_no_command_line_and_no_log(installation: Installation) -> None:
    running = installation.up()
    installation.login_link()
    secrets = [path.read_text() for path in (installation.folder / "secrets").iterdir()]
    assert secrets
    for pid in running["pids"].values():
        shown = " ".join(psutil.Process(pid).cmdline())
        assert not [secret for secret in secrets if secret in shown]
    for log in (installation.folder / "logs").iterdir():
        assert not [secret for secret in secrets if secret in log.read_text(errors="replace")]
