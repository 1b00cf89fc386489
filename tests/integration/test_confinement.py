"""A program that runs confined can fail, and nothing else. The programs here are real ones."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cuemark.contexts.encoding.model.bounds import Bounds
from cuemark.contexts.encoding.tools.run import (
    Finished,
    ToolFailed,
    ToolOverLimit,
    ToolTimedOut,
    read_frames,
    run,
)
from cuemark.kit.process import group_alive, launch_argv

BOUNDS = Bounds(cpu_s=20, wall_s=20, memory_bytes=1 << 30, file_bytes=1 << 20, stdout_bytes=1 << 20)
PYTHON = os.path.realpath(sys.executable)
ROOTS = [Path(sys.base_prefix), Path(sys.prefix)]


def held() -> dict[str, bool]:
    """Which parts of the confinement this machine permits."""
    done = subprocess.run(
        [sys.executable, "-m", "cuemark.kit.confinement"], capture_output=True, check=True
    )
    found: dict[str, bool] = json.loads(done.stdout)
    return found


HELD = held()
needs_network_namespace = pytest.mark.skipif(not HELD["network"], reason="not permitted here")
needs_landlock = pytest.mark.skipif(not HELD["files"], reason="not permitted here")


def python(code: str, bounds: Bounds = BOUNDS, folder: Path | None = None) -> Finished:
    """Run a program of a few lines as a tool."""
    return run([PYTHON, "-I", "-S", "-c", code], bounds, reads=ROOTS, folder=folder)


@needs_network_namespace
def test_it_connects_to_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            pass
        with pytest.raises(ToolFailed, match=r"unreachable|not permitted|denied") as caught:
            python(f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)")
        assert not isinstance(caught.value, ToolTimedOut)
        server.settimeout(0.1)
        server.accept()[0].close()
        with pytest.raises(TimeoutError):
            server.accept()


@needs_network_namespace
def test_it_is_an_ordinary_user() -> None:
    inside = os.getuid() or 1000
    assert python("import os; print(os.getuid())").stdout.split() == [b"%d" % inside]


@needs_network_namespace
@pytest.mark.skipif(os.getuid() != 0, reason="only root is dropped")
def test_a_child_that_drops_root_is_an_ordinary_user_who_owns_what_root_owns(
    tmp_path: Path,
) -> None:
    code = f"import os; print(os.getuid(), os.stat({str(tmp_path)!r}).st_uid)"
    argv = launch_argv([PYTHON, "-c", code], drop_root=True)
    assert subprocess.run(argv, capture_output=True, check=True).stdout.split() == [b"1000"] * 2


def test_it_connects_to_no_socket_in_the_file_system(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        with pytest.raises(ToolFailed, match="PermissionError"):
            python(f"import socket; socket.socket(socket.AF_UNIX).connect({str(path)!r})")


@needs_landlock
@pytest.mark.parametrize(
    "code",
    [
        "open('/etc/passwd').read()",
        "open('/proc/self/environ').read()",
        "import os; os.listdir('/')",
        "open('{secret}').read()",
        "open('{secret}', 'w').write('x')",
        "import os; os.unlink('{secret}')",
        "import os; os.symlink('{secret}', '{folder}/link')",
        "import os; os.execv('{copy}', ['x'])",
    ],
)
def test_it_sees_no_file_but_its_own(code: str, tmp_path: Path) -> None:
    secret, folder, copy = tmp_path / "secret", tmp_path / "folder", tmp_path / "copy"
    secret.write_text("held")
    folder.mkdir()
    copy.write_bytes(Path("/bin/true").read_bytes())
    copy.chmod(0o755)
    with pytest.raises(ToolFailed, match=r"[Pp]ermission"):
        python(code.format(secret=secret, folder=folder, copy=copy), folder=folder)
    assert secret.read_text() == "held"


@needs_landlock
def test_it_signals_nobody() -> None:
    bystander = subprocess.Popen(["sleep", "30"])
    try:
        with pytest.raises(ToolFailed, match="not permitted"):
            python(f"import os; os.kill({bystander.pid}, 9)")
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_it_works_in_its_folder(tmp_path: Path) -> None:
    python("import os; open('a', 'w').write('x'); os.rename('a', 'b')", folder=tmp_path)
    assert (tmp_path / "b").read_text() == "x"


def test_it_learns_nothing_from_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUEMARK_POSTGRES_URL", "postgresql://someone:secret@somewhere/cuemark")
    seen = json.loads(python("import os, json; print(json.dumps(dict(os.environ)))").stdout)
    assert set(seen) <= {"PATH", "LD_LIBRARY_PATH", "LANG", "LC_CTYPE", "MALLOC_ARENA_MAX"}


def test_it_takes_no_more_memory_than_the_work_needs() -> None:
    with pytest.raises(ToolOverLimit, match="1024 MiB of memory") as caught:
        python("b = bytearray(2 << 30)")
    assert caught.value.limit == "memory"


def test_it_takes_no_more_time_than_the_work_needs() -> None:
    bounds = Bounds(
        cpu_s=1, wall_s=20, memory_bytes=1 << 30, file_bytes=1 << 20, stdout_bytes=1 << 20
    )
    with pytest.raises(ToolOverLimit, match="1 s of CPU") as caught:
        python("while True: pass", bounds)
    assert caught.value.limit == "cpu"


def test_it_writes_no_file_without_end(tmp_path: Path) -> None:
    code = "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_DFL)\n"
    code += "with open('out', 'wb') as file:\n    while True: file.write(bytes(65536))"
    with pytest.raises(ToolOverLimit, match="a file of 1 MiB") as caught:
        python(code, folder=tmp_path)
    assert caught.value.limit == "file"
    assert (tmp_path / "out").stat().st_size <= 1 << 20


def test_it_prints_no_more_than_we_can_hold() -> None:
    with pytest.raises(ToolOverLimit, match="1 MiB of output") as caught:
        python("while True: print('x' * 65536)")
    assert caught.value.limit == "output"


def test_what_it_complains_about_is_kept_by_its_end() -> None:
    code = "import sys; sys.stderr.write('x' * 900_000 + '\\n\\033[2Jthe last words'); sys.exit(3)"
    with pytest.raises(ToolFailed, match=r"ended with 3: .*the last words") as caught:
        python(code)
    assert len(str(caught.value)) < 2000
    assert str(caught.value).isprintable()


def test_it_leaves_no_core(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match=f"{-signal.SIGABRT}"):
        python("import os; os.abort()", folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("silent", [True, False])
def test_one_that_hangs_is_ended_with_its_children(silent: bool, tmp_path: Path) -> None:
    mark = secrets.token_hex(8)
    bounds = Bounds(
        cpu_s=20, wall_s=1, memory_bytes=1 << 30, file_bytes=1 << 20, stdout_bytes=1 << 20
    )
    code = f"import os, time; mark = '{mark}'\n"
    code += "open('group', 'w').write(str(os.getpgrp())); os.fork()\n"
    code += "" if silent else "os.write(1, b'x' * 10)\n"
    code += "time.sleep(60)"
    began_s = time.monotonic()
    with pytest.raises(ToolTimedOut, match="longer than 1 s"):
        python(code, bounds, tmp_path)
    assert time.monotonic() - began_s < 10
    group = int((tmp_path / "group").read_text())
    deadline_s = time.monotonic() + 5
    while group_alive(group) and time.monotonic() < deadline_s:
        time.sleep(0.02)
    assert not group_alive(group)


def test_one_that_stops_giving_frames_is_ended() -> None:
    bounds = Bounds(
        cpu_s=20, wall_s=1, memory_bytes=1 << 30, file_bytes=1 << 20, stdout_bytes=1 << 20
    )
    code = (
        "import sys, time; sys.stdout.buffer.write(bytes(40)); sys.stdout.flush(); time.sleep(60)"
    )
    argv = [PYTHON, "-I", "-S", "-c", code]
    got: list[bytes] = []
    with pytest.raises(ToolTimedOut):
        got.extend(read_frames(argv, 16, bounds, reads=ROOTS, at_once=1))
    assert got == [bytes(16), bytes(16)]
