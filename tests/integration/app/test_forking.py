"""Children of a real forkserver."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from cuemark.app import system
from cuemark.app.folder import DataFolder
from cuemark.app.forking import Forkserver
from cuemark.app.readiness import at_once, http_answers
from cuemark.app.settings import Settings
from cuemark.app.supervisor import (
    Child,
    ChildSpec,
    StartFailed,
    Supervisor,
    listen,
)
from cuemark.kit.forkserver import SINGLE_THREADED
from cuemark.kit.process import group_alive
from tests.integration.app.test_supervisor import wait_until

FORKED = "tests.integration.app.forked"


@pytest.fixture
async def supervisor(tmp_path: Path) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(tmp_path, tmp_path)
    yield supervisor
    await supervisor.stop()


@pytest.fixture
async def forkserver(supervisor: Supervisor) -> Forkserver:
    forkserver = Forkserver({FORKED: ["decimal"]})
    await supervisor.add(forkserver.spec())
    return forkserver


def spec_of(forkserver: Forkserver, name: str, *arguments: str) -> ChildSpec:
    argv = [FORKED, *arguments]
    return ChildSpec(name=name, argv=argv, ready=at_once, launch=forkserver.launch)


def child_of(supervisor: Supervisor, name: str) -> Child:
    return next(child for child in supervisor.children if child.spec.name == name)


async def test_a_child_runs_to_its_end_and_its_last_line_is_told(
    supervisor: Supervisor, forkserver: Forkserver
) -> None:
    said = await supervisor.run(spec_of(forkserver, "speaker", "say", "hello"))
    parent = child_of(supervisor, "forkserver").group
    assert said == f"hello {parent} 1"


async def test_what_an_earlier_run_left_unfinished_is_not_told(
    supervisor: Supervisor, forkserver: Forkserver, tmp_path: Path
) -> None:
    (tmp_path / "speaker.out").write_bytes(b"\0" * 20)
    said = await supervisor.run(spec_of(forkserver, "speaker", "say", "hello"))
    assert said.startswith("hello ")


async def test_a_sentence_is_told_as_it_is_and_a_trace_with_where_it_lies(
    supervisor: Supervisor, forkserver: Forkserver, tmp_path: Path
) -> None:
    with pytest.raises(StartFailed, match=r"^no room on the shelf$"):
        await supervisor.run(spec_of(forkserver, "refuser", "refuse"))
    with pytest.raises(StartFailed, match=r"^breaker failed: ValueError: broken \(see .*\)$"):
        await supervisor.run(spec_of(forkserver, "breaker", "break"))
    assert "Traceback" in (tmp_path / "breaker.out").read_text()


async def test_what_was_killed_is_run_again(
    supervisor: Supervisor, forkserver: Forkserver, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    assert await supervisor.run(spec_of(forkserver, "mortal", "die once", str(runs))) == "lived"
    assert runs.read_text() == ".."


async def test_a_child_is_a_process_of_its_own(
    supervisor: Supervisor, forkserver: Forkserver
) -> None:
    child = await supervisor.add(spec_of(forkserver, "sleeper", "sleep", "well"))
    process = psutil.Process(child.group)
    assert os.getpgid(child.group) == child.group
    wait_until(lambda: process.cmdline()[0] == "cuemark sleeper sleep well", 5)
    links = {os.readlink(f"/proc/{child.group}/fd/{number}") for number in (1, 2)}
    assert links == {str(child.output)}
    first = child.group
    os.kill(first, signal.SIGKILL)
    async with asyncio.timeout(5):
        while child.starts == 1:
            await asyncio.sleep(0.02)
    assert not group_alive(first)


async def test_an_inherited_socket_is_served(
    supervisor: Supervisor, forkserver: Forkserver, free_port: int
) -> None:
    with listen("127.0.0.1", free_port) as listener:
        spec = ChildSpec(
            name="heir",
            argv=[FORKED, "serve", str(listener.fileno())],
            ready=http_answers("127.0.0.1", free_port),
            ready_s=10,
            launch=forkserver.launch,
            listeners=[listener],
        )
        await supervisor.add(spec)
        assert await spec.ready()


async def test_children_die_with_the_forkserver_and_all_are_started_again(
    supervisor: Supervisor, forkserver: Forkserver
) -> None:
    sleeper = await supervisor.add(spec_of(forkserver, "sleeper", "sleep"))
    server = child_of(supervisor, "forkserver")
    first, of_server = sleeper.group, server.group
    os.kill(of_server, signal.SIGKILL)
    async with asyncio.timeout(10):
        while sleeper.starts == 1:
            await asyncio.sleep(0.02)
    assert not group_alive(first)
    assert server.group != of_server
    assert psutil.Process(sleeper.group).ppid() == server.group


async def test_a_forkserver_that_cannot_import_is_told_of(supervisor: Supervisor) -> None:
    forkserver = Forkserver({"tests.integration.app.absent": []})
    await supervisor.add(forkserver.spec())
    with pytest.raises(StartFailed, match=r"could not be started: the forkserver ended .*\.out"):
        await supervisor.add(
            ChildSpec(
                name="absent",
                argv=["tests.integration.app.absent"],
                ready=http_answers("127.0.0.1", 1),
                launch=forkserver.launch,
            )
        )
    with pytest.raises(StartFailed, match=r"^task could not be started: the forkserver ended"):
        await supervisor.run(
            ChildSpec(
                name="task",
                argv=["tests.integration.app.absent"],
                ready=at_once,
                launch=forkserver.launch,
            )
        )


def test_forkserver_and_children_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    script = f"""
import asyncio, pathlib
from cuemark.app.forking import Forkserver
from cuemark.app.supervisor import Supervisor
from tests.integration.app.test_forking import FORKED, spec_of
async def main():
    supervisor = Supervisor(pathlib.Path({str(tmp_path)!r}), pathlib.Path({str(tmp_path)!r}))
    forkserver = Forkserver({{FORKED: []}})
    await supervisor.add(forkserver.spec())
    await supervisor.add(spec_of(forkserver, "sleeper", "sleep"))
    await asyncio.sleep(300)
asyncio.run(main())
"""
    record = tmp_path / "groups.json"
    with subprocess.Popen([sys.executable, "-c", script]) as parent:
        try:
            wait_until(lambda: record.exists() and len(json.loads(record.read_bytes())) == 2, 20)
        finally:
            parent.kill()
    groups = [each["group"] for each in json.loads(record.read_bytes())]
    wait_until(lambda: not any(map(group_alive, groups)), 5)


def test_what_is_imported_before_forks_starts_no_thread(tmp_path: Path) -> None:
    """A lock that another thread holds at a fork is held for ever in the child."""
    folder = DataFolder(tmp_path)
    folder.prepare()
    plan = system.forkserver_for(system.install_on(folder, Settings())).plan
    assert set(plan) == {system.UPGRADE, system.CONTROL, system.WORKER, system.FUNCTIONS}
    modules = [name for module, before in plan.items() for name in (*before, module)]
    script = "import importlib, os, sys\n"
    script += "for name in sys.argv[1:]: importlib.import_module(name)\n"
    script += "print(len(os.listdir('/proc/self/task')))"
    done = subprocess.run(
        [sys.executable, "-c", script, *modules],
        env={**os.environ, **SINGLE_THREADED},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout.strip(), done.stderr) == ("1", "")
