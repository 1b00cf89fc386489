"""A program in a box can fail, with all that it starts, and nothing else. The programs are real."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from cuemark.kit import boxing
from cuemark.kit.boxing import Boxed, BoxFailed, BoxOverLimit, BoxTimedOut, Limits, Outcome

HOLDS = boxing.holds()
needs_namespaces = pytest.mark.skipif(
    not (HOLDS.processes and HOLDS.disk), reason="not permitted here"
)
needs_landlock = pytest.mark.skipif(not HOLDS.files, reason="not permitted here")
PYTHON = os.path.realpath(sys.executable)
MIB = 1 << 20


@dataclass(frozen=True)
class Box:
    """Runs programs of a few lines, each in a box of its own."""

    folder: Path
    numbers: list[int] = field(default_factory=list)

    def boxed(
        self,
        code: str,
        *,
        wall_s: float = 20,
        memory: int = 256 * MIB,
        disk: int = 4 * MIB,
        processes: int = 16,
        network: bool = False,
    ) -> Boxed:
        self.numbers.append(1)
        here = self.folder / str(len(self.numbers))
        (here / "box").mkdir(parents=True)
        (here / "program.py").write_text(code)
        (here / "stdin").write_text('{"told": 1}')
        return Boxed(
            argv=[PYTHON, "-I", "-S", str(here / "program.py")],
            environment={},
            readable=[here / "program.py", Path(sys.prefix), Path(sys.base_prefix)],
            folder=here / "box",
            stdin=here / "stdin",
            limits=Limits(
                wall_s=wall_s,
                memory_bytes=memory,
                disk_bytes=disk,
                processes=processes,
                network=network,
            ),
        )

    async def run(self, code: str, **limits: float) -> Outcome:
        return await boxing.run(self.boxed(code, **limits))  # type: ignore[arg-type]


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def left_of(folder: Path) -> list[psutil.Process]:
    """What still runs of the boxes in a folder; zombies are dead."""
    return [
        process
        for process in psutil.process_iter(["cmdline", "status"])
        if str(folder) in " ".join(process.info["cmdline"] or [])
        and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


def program_of(process: psutil.Process) -> str:
    return str([*(process.info["cmdline"] or []), "", "", "", ""][3])


async def test_it_hears_its_event_and_leaves_files(box: Box) -> None:
    outcome = await box.run(
        "import os, sys\nos.makedirs('output/a')\n"
        "open('output/a/x.txt', 'w').write(sys.stdin.read())\nprint('well')"
    )
    assert outcome.failure is None
    assert outcome.said.stdout == "well\n"
    assert (outcome.output / "a" / "x.txt").read_text() == '{"told": 1}'
    assert outcome.spent.cpu_s > 0


@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        ("import sys; sys.exit(3)", BoxFailed, "it ended with 3"),
        ("import os; os._exit(137)", BoxFailed, "it ended with 137, which says SIGKILL"),
        ("import os; os.kill(os.getpid(), 9)", BoxFailed, "it ended with 137"),
        ("import os\nwhile True: os.write(1, b'x' * 65536)", BoxOverLimit, "printed more than 16"),
        ("import os\nwhile True: os.write(2, b'x' * 65536)", BoxOverLimit, "printed more than 16"),
        ("import os; os.symlink('/etc/passwd', 'output/x')", BoxOverLimit, "neither a file nor"),
        ("import os; os.mkfifo('output/x')", BoxOverLimit, "neither a file nor"),
        ("open('output/a b', 'w')", BoxOverLimit, "has a name with other than"),
        (
            "for n in range(200): open(f'output/{n}', 'w')",
            BoxOverLimit,
            "more files than a function may leave",
        ),
        ("import os; os.makedirs('output/a/b/c/d/e/f')", BoxOverLimit, "more than 4 deep"),
    ],
)
async def test_what_it_does_wrong_is_told(
    box: Box, code: str, kind: type[BoxFailed], says: str
) -> None:
    outcome = await box.run(code)
    assert isinstance(outcome.failure, kind), outcome
    assert says in str(outcome.failure)


async def test_it_is_ended_when_its_time_is_over(box: Box) -> None:
    began_s = time.monotonic()
    outcome = await box.run(
        "import signal, time\nsignal.signal(15, signal.SIG_IGN)\ntime.sleep(1000)", wall_s=1.5
    )
    assert isinstance(outcome.failure, BoxTimedOut)
    assert time.monotonic() - began_s < 15
    assert left_of(box.folder) == []


@needs_namespaces
async def test_a_fork_bomb_is_ended_with_all_its_processes(box: Box) -> None:
    outcome = await box.run(
        "import os\nwhile True:\n  try:\n    os.fork() or os.setsid()\n  except OSError: pass",
        wall_s=15,
    )
    assert isinstance(outcome.failure, BoxFailed)
    assert left_of(box.folder) == []


@needs_namespaces
async def test_what_it_started_ends_with_it(box: Box) -> None:
    outcome = await box.run(
        "import os, time\nif os.fork() == 0:\n  os.setsid()\n  if os.fork(): os._exit(0)\n"
        "  os.close(1); os.close(2); time.sleep(1000)"
    )
    assert outcome.failure is None
    assert left_of(box.folder) == []


async def test_it_does_not_get_more_memory_than_it_may(box: Box) -> None:
    outcome = await box.run(
        "x = []\nwhile True: x.append(bytearray(b'1') * (1 << 20))", memory=64 * MIB
    )
    assert isinstance(outcome.failure, BoxFailed)
    assert outcome.spent.peak_bytes < 1200 * MIB


@needs_namespaces
async def test_it_fills_no_disk_but_its_own(box: Box) -> None:
    """Also by files that nobody can see any more, which a count of folders would miss."""
    outcome = await box.run(
        "import os\nheld = []\nwhile True:\n"
        "  held.append(open('x', 'wb')); os.unlink('x'); held[-1].write(b'1' * (1 << 20))"
    )
    assert isinstance(outcome.failure, BoxFailed)
    assert "No space left on device" in outcome.said.stderr
    outcome = await box.run("n = 0\nwhile True: open(f'f{n}', 'w'); n += 1")
    assert "No space left on device" in outcome.said.stderr


@needs_landlock
async def test_it_reads_and_writes_only_what_it_was_given(box: Box) -> None:
    for code in (
        "open('/etc/passwd').read()",
        "open('../ended.json', 'w').write('{}')",
        "import os; os.listdir('/')",
        f"open({str(box.folder / 'elsewhere')!r}, 'w')",
    ):
        outcome = await box.run(code)
        assert isinstance(outcome.failure, BoxFailed), code
        assert "PermissionError" in outcome.said.stderr, code


@pytest.mark.skipif(not HOLDS.sockets, reason="not permitted here")
async def test_it_reaches_no_socket_of_another_program(box: Box, tmp_path: Path) -> None:
    """Those of databases and container engines are files, which Landlock lets be connected to."""
    path = tmp_path / "socket"
    connect = f"s.connect({str(path)!r})"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        outcome = await box.run(f"import socket\ns = socket.socket(socket.AF_UNIX)\n{connect}")
        assert "PermissionError" in outcome.said.stderr
        outcome = await box.run(
            "import socket\na, b = socket.socketpair(); a.send(b'x'); b.recv(1)"
        )
        assert outcome.failure is None


@pytest.mark.skipif(not HOLDS.network, reason="not permitted here")
async def test_it_reaches_the_network_only_where_it_may(box: Box) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = f"import socket; socket.create_connection(('127.0.0.1', {server.getsockname()[1]}))"
        assert (await box.run(code)).failure is not None
        assert (await box.run(code, network=True)).failure is None


async def test_it_dies_with_who_runs_it(box: Box, tmp_path: Path) -> None:
    """A parent that is killed cannot end it: the kernel does."""
    boxed = box.boxed("import time\ntime.sleep(1000)", wall_s=600)
    code = f"from pathlib import PosixPath\nfrom cuemark.kit.boxing import *\nB = {boxed!r}\n"
    with subprocess.Popen([sys.executable, "-c", f"{code}asyncio.run(run(B))"]) as parent:
        until_s = time.monotonic() + 20
        while not [each for each in left_of(tmp_path) if program_of(each).endswith("program.py")]:
            assert time.monotonic() < until_s
            await asyncio.sleep(0.05)
        parent.kill()
    while left_of(tmp_path):
        assert time.monotonic() < until_s
        await asyncio.sleep(0.05)
