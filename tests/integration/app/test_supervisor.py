"""The supervisor with real children."""

import asyncio
import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cuemark.app.readiness import at_once, http_answers, port_answers
from cuemark.app.supervisor import (
    ChildSpec,
    StartFailed,
    Supervisor,
    listen,
)
from cuemark.kit.process import group_alive

SERVER = """
import signal, socket, subprocess, sys, time
server = socket.create_server(("127.0.0.1", int(sys.argv[1])), reuse_port=True)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
while True:
    server.accept()[0].close()
"""


def server_spec(name: str, port: int) -> ChildSpec:
    argv = [sys.executable, "-c", SERVER, str(port)]
    return ChildSpec(name=name, argv=argv, ready=port_answers("127.0.0.1", port))


def wait_until(true: Callable[[], bool], limit_s: float) -> None:
    deadline_s = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < deadline_s, f"not so within {limit_s} s"
        time.sleep(0.02)


@pytest.fixture
def supervisor(tmp_path: Path) -> Supervisor:
    return Supervisor(tmp_path, tmp_path)


async def test_a_killed_child_serves_again_within_two_seconds(
    supervisor: Supervisor, free_port: int
) -> None:
    child = await supervisor.add(server_spec("server", free_port))
    first = child.group
    try:
        os.kill(first, signal.SIGKILL)
        killed_s = time.monotonic()
        while child.group == first or not await child.spec.ready():
            assert time.monotonic() - killed_s < 2
            await asyncio.sleep(0.02)
        assert not group_alive(first), "the orphan of the killed child lives on"
        assert child.starts == 2
    finally:
        await supervisor.stop()


async def test_what_a_killed_child_leaves_is_gone_before_the_next_and_after_the_last(
    supervisor: Supervisor, tmp_path: Path, free_port: int
) -> None:
    left = tmp_path / "child.pid"
    left.write_text("of one whose supervisor was killed with it")
    seen: list[bool] = []
    spec = replace(
        server_spec("server", free_port),
        leavings=[left],
        prepare=lambda: seen.append(left.exists()),
    )
    child = await supervisor.add(spec)
    assert seen == [False]
    left.write_text(str(child.group))
    os.kill(child.group, signal.SIGKILL)
    await supervisor.stop()
    assert not left.exists()


async def test_stopping_leaves_no_process_of_any_group(
    supervisor: Supervisor, free_ports: list[int]
) -> None:
    children = [
        await supervisor.add(server_spec(f"server-{n}", port)) for n, port in enumerate(free_ports)
    ]
    await supervisor.stop()
    assert [group_alive(child.group) for child in children] == [False] * len(children)


async def test_a_child_that_ends_while_starting_is_told_with_its_last_words(
    supervisor: Supervisor, free_port: int
) -> None:
    argv = [sys.executable, "-c", "import sys; sys.exit('no room on the shelf')"]
    spec = ChildSpec(name="broken", argv=argv, ready=port_answers("127.0.0.1", free_port))
    with pytest.raises(StartFailed, match="broken ended while starting: no room on the shelf"):
        await supervisor.add(spec)
    await supervisor.stop()


def test_children_die_with_a_supervisor_that_is_killed_and_the_next_clears_their_orphans(
    tmp_path: Path, free_port: int
) -> None:
    script = f"""
import asyncio, pathlib
from cuemark.app.supervisor import Supervisor
from tests.integration.app.test_supervisor import server_spec
async def main():
    supervisor = Supervisor(pathlib.Path({str(tmp_path)!r}), pathlib.Path({str(tmp_path)!r}))
    await supervisor.add(server_spec("server", {free_port}))
    await asyncio.sleep(300)
asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", script]) as parent:
        try:
            wait_until(lambda: asyncio.run(port_answers("127.0.0.1", free_port)()), 20)
        finally:
            parent.kill()
    (left,) = json.loads((tmp_path / "groups.json").read_bytes())
    group = left["group"]
    wait_until(lambda: not asyncio.run(port_answers("127.0.0.1", free_port)()), 2)
    assert group_alive(group), "the grandchild was to be left for the next supervisor"
    Supervisor(tmp_path, tmp_path).clear_leftovers()
    assert not group_alive(group)


async def test_a_child_that_is_killed_before_it_serves_is_started_again(
    supervisor: Supervisor, tmp_path: Path, free_port: int
) -> None:
    spec = server_spec("server", free_port)
    first = tmp_path / "first"
    once = (
        "import os, pathlib, signal, sys\n"
        f"first = pathlib.Path({str(first)!r})\n"
        "if not first.exists():\n"
        "    first.touch()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    argv = [sys.executable, "-c", once + SERVER, str(free_port)]
    child = await supervisor.add(ChildSpec(name="server", argv=argv, ready=spec.ready))
    try:
        assert child.starts == 2
    finally:
        await supervisor.stop()


WORK = """
import socket, sys, time
seen, port = sys.argv[1], int(sys.argv[2])
with open(seen, "a") as file:
    print("begun", file=file)
held = socket.create_connection(("127.0.0.1", port))
if len(open(seen).read().split()) > 1:
    print("done")
else:
    time.sleep(float(sys.argv[3]))
    sys.exit("the server went away")
"""


@pytest.mark.parametrize("after_s", [0.0, 0.5])
async def test_work_that_fails_while_what_it_needs_is_away_is_done_when_that_is_back(
    supervisor: Supervisor, tmp_path: Path, free_port: int, after_s: float
) -> None:
    server = await supervisor.add(server_spec("server", free_port))
    seen = tmp_path / "seen"
    argv = [sys.executable, "-c", WORK, str(seen), str(free_port), str(after_s)]
    spec = ChildSpec(name="work", argv=argv, ready=at_once)
    try:
        running = asyncio.create_task(supervisor.run(spec, server))
        while not seen.exists():
            await asyncio.sleep(0.01)
        os.kill(server.group, signal.SIGKILL)
        assert await running == "done"
        assert server.starts == 2
    finally:
        await supervisor.stop()


async def test_work_that_fails_by_itself_is_told_at_once(
    supervisor: Supervisor, tmp_path: Path, free_port: int
) -> None:
    server = await supervisor.add(server_spec("server", free_port))
    argv = [sys.executable, "-c", WORK, str(tmp_path / "seen"), str(free_port), "0"]
    try:
        with pytest.raises(StartFailed, match="the server went away"):
            await supervisor.run(ChildSpec(name="work", argv=argv, ready=at_once), server)
        assert (tmp_path / "seen").read_text() == "begun\n"
    finally:
        await supervisor.stop()


async def test_a_disk_that_is_full_costs_no_child(
    supervisor: Supervisor, tmp_path: Path, free_port: int
) -> None:
    """The config of a child cannot be written for a while, and it is started when it can."""
    full = tmp_path / "full"

    def prepare() -> None:
        if full.exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    spec = server_spec("server", free_port)
    child = await supervisor.add(
        ChildSpec(name="server", argv=spec.argv, ready=spec.ready, prepare=prepare)
    )
    try:
        full.touch()
        os.killpg(child.group, signal.SIGKILL)
        await asyncio.sleep(0.5)
        assert child.starts == 1
        full.unlink()
        deadline_s = time.monotonic() + 10
        while child.starts == 1 or not await spec.ready():
            assert time.monotonic() < deadline_s
            await asyncio.sleep(0.05)
    finally:
        await supervisor.stop()


HEIR = """
import socket, sys, time
listener = socket.socket(fileno=int(sys.argv[1]))
listener.setblocking(True)
while True:
    connection, _ = listener.accept()
    connection.recv(100)
    connection.sendall(b"HTTP/1.1 200 OK\\r\\ncontent-length: 0\\r\\n\\r\\n")
    connection.close()
"""


async def test_who_connects_while_the_child_is_away_is_answered_by_its_successor(
    supervisor: Supervisor, free_port: int
) -> None:
    listener = listen("127.0.0.1", free_port)
    child = await supervisor.add(
        ChildSpec(
            name="heir",
            argv=[sys.executable, "-c", HEIR, str(listener.fileno())],
            ready=http_answers("127.0.0.1", free_port),
            listeners=[listener],
        )
    )
    try:
        os.kill(child.group, signal.SIGKILL)
        await asyncio.to_thread(wait_until, lambda: not group_alive(child.group), 5)
        reader, writer = await asyncio.open_connection("127.0.0.1", free_port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert (await asyncio.wait_for(reader.read(12), 10)) == b"HTTP/1.1 200"
        writer.close()
    finally:
        await supervisor.stop()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", free_port)


async def test_a_queue_that_nobody_serves_is_no_service(free_port: int) -> None:
    with listen("127.0.0.1", free_port):
        assert await port_answers("127.0.0.1", free_port)()
        assert not await http_answers("127.0.0.1", free_port)()


async def test_a_port_that_is_taken_is_one_sentence(free_port: int) -> None:
    with listen("127.0.0.1", free_port):
        said = r"\(Address already in use\): end what does, or remove run/ports\.json"
        with pytest.raises(StartFailed, match=said):
            listen("127.0.0.1", free_port)
