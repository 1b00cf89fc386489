"""Running a program in a box (``cuemark.kit.box``), and watching what is in it.

    BoxFailed               how the program came to its end; the text is one sentence
    |-- BoxTimedOut         it ran past its time
    `-- BoxOverLimit        it wanted more than it was given

``python -m cuemark.kit.boxing`` prints, as JSON, which parts of a box this machine permits.
"""

import asyncio
import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from cuemark.kit import box
from cuemark.kit.errors import UNREADABLE
from cuemark.kit.process import kill_group

NICENESS = 10
OPEN_FILES = 256
FILES = 10_000
"""How many files and folders may be in a box."""
OUTPUT_FILES = 100
SPOKEN_BYTES = 16 << 20
"""A program that prints more is ended."""
TAIL_BYTES = 16 << 10
WATCH_S = 0.2
_ADDRESS_BYTES = 1 << 30
"""What a program may reserve without using it, besides its memory: stacks of threads, arenas."""
_TRUSTED = 2
"""The first two processes of a box are ours."""
_PART_BYTES = 1 << 16
_MNT_DETACH = 2
_PAGE_BYTES = resource.getpagesize()
_NETWORK_FILES = (
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/ssl",
    "/etc/pki",
    "/etc/ca-certificates",
    "/run/systemd/resolve",
)


class BoxFailed(Exception):
    """The program ended otherwise than with 0."""


class BoxTimedOut(BoxFailed):
    """The program and all that it started were ended because they ran past their time."""


class BoxOverLimit(BoxFailed):
    """The program and all that it started were ended because they went past a limit."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a program may take. ``memory_bytes`` and ``processes`` are those of all together."""

    wall_s: float
    memory_bytes: int
    disk_bytes: int
    processes: int
    network: bool


class Boxed(msgspec.Struct, frozen=True, kw_only=True):
    """What is run: ``argv`` begins with an absolute path; ``stdin`` is a file.

    ``folder`` is empty and ours: the box is made in it. ``readable`` are files and folders.
    """

    argv: Sequence[str]
    environment: Mapping[str, str]
    readable: Sequence[Path]
    folder: Path
    stdin: Path
    limits: Limits


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a program printed: the end of it, where it is long, and how much it was."""

    stdout: str
    stderr: str
    printed_bytes: int


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """What a program took. ``peak_bytes`` is the memory of its largest process."""

    wall_s: float
    cpu_s: float
    peak_bytes: int


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a program came to its end: ``failure`` is None where it ended with 0.

    ``output`` is the folder of what it left, which is there where it did not fail.
    """

    failure: BoxFailed | None
    said: Said
    spent: Spent
    output: Path


class _Ended(msgspec.Struct, frozen=True):
    """What the box's first process writes at the end."""

    code: int
    left_out: str
    cpu_s: float
    peak_bytes: int


async def run(boxed: Boxed) -> Outcome:
    """Run a program in a box, to its end or the end of its time; never raises what it did wrong.

    Cancelled, it ends the box and what is in it.
    """
    folder, limits = boxed.folder, boxed.limits
    scratch, kept, ended = folder / "scratch", folder / "kept", folder / "ended.json"
    scratch.mkdir(mode=0o700)
    spec = {
        "parent": os.getpid(),
        "argv": list(boxed.argv),
        "environment": dict(boxed.environment),
        "scratch": str(scratch),
        "kept": str(kept),
        "ended": str(ended),
        "readable": [
            *map(str, boxed.readable),
            *(_NETWORK_FILES if limits.network else ()),
        ],
        "network": limits.network,
        "niceness": NICENESS,
        "open_files": OPEN_FILES,
        "files": FILES,
        "output_files": OUTPUT_FILES,
        "processes": limits.processes,
        "disk_bytes": limits.disk_bytes,
        "address_bytes": limits.memory_bytes + _ADDRESS_BYTES,
        "cpu_s": max(1, round(limits.wall_s)) * (os.cpu_count() or 1),
    }
    began_s = time.monotonic()
    with boxed.stdin.open("rb") as stdin:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", box.__file__, json.dumps(spec)),
            stdin=stdin,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={},
            process_group=0,
        )
    tails = _Tails()
    failure: BoxFailed | None = None
    try:
        async with asyncio.timeout(limits.wall_s):
            await _attended(child, tails, limits)
    except TimeoutError:
        failure = BoxTimedOut(f"it ran longer than {limits.wall_s:g} s")
    except BoxFailed as error:
        failure = error
    finally:
        kill_group(child.pid)
        await asyncio.shield(_buried(child))
    told = _told(ended)
    if failure is None:
        failure = _verdict(told, limits)
    wall_s = time.monotonic() - began_s
    spent = Spent(
        wall_s=wall_s,
        cpu_s=told.cpu_s if told else 0.0,
        peak_bytes=told.peak_bytes if told else tails.peak_bytes,
    )
    return Outcome(failure=failure, said=tails.said(), spent=spent, output=kept)


class _Tails:
    """The last of what a program printed on each stream."""

    def __init__(self) -> None:
        self._tails = {"stdout": bytearray(), "stderr": bytearray()}
        self._printed = 0
        self.peak_bytes = 0

    def add(self, name: str, part: bytes) -> None:
        self._printed += len(part)
        self._tails[name] += part
        del self._tails[name][:-TAIL_BYTES]
        if self._printed > SPOKEN_BYTES:
            raise BoxOverLimit(f"it printed more than {SPOKEN_BYTES >> 20} MiB")

    def said(self) -> Said:
        found = {name: tail.decode(errors="replace") for name, tail in self._tails.items()}
        return Said(**found, printed_bytes=self._printed)


async def _attended(child: asyncio.subprocess.Process, tails: _Tails, limits: Limits) -> None:
    """Hear and watch a box until it ends; raises ``BoxOverLimit``."""
    streams = {"stdout": child.stdout, "stderr": child.stderr}

    async def hear(name: str, stream: asyncio.StreamReader) -> None:
        while part := await stream.read(_PART_BYTES):
            tails.add(name, part)

    async def watch() -> None:
        while child.returncode is None:
            processes, memory_bytes = await asyncio.to_thread(_inside, child.pid)
            tails.peak_bytes = max(tails.peak_bytes, memory_bytes)
            if processes > limits.processes:
                raise BoxOverLimit(f"it started more than {limits.processes} processes")
            if memory_bytes > limits.memory_bytes:
                raise BoxOverLimit(f"it used more than {limits.memory_bytes >> 20} MiB of memory")
            await asyncio.sleep(WATCH_S)

    try:
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(watch())
            hearing = [
                group.create_task(hear(name, stream))
                for name, stream in streams.items()
                if stream is not None
            ]
            group.create_task(_until_over(child, [watching, *hearing]))
    except* BoxFailed as found:
        raise found.exceptions[0] from None


async def _buried(child: asyncio.subprocess.Process) -> None:
    """Wait for a killed box; asyncio tells of an end only once the pipes were read empty."""
    for stream in (child.stdout, child.stderr):
        while stream is not None and await stream.read(_PART_BYTES):
            pass
    await child.wait()


async def _until_over(
    child: asyncio.subprocess.Process, others: Sequence["asyncio.Task[None]"]
) -> None:
    """When the box ends, what it printed is heard to its end, and nothing is left to watch."""
    watching, *hearing = others
    await child.wait()
    watching.cancel()
    await asyncio.gather(*hearing, return_exceptions=True)


def _verdict(told: _Ended | None, limits: Limits) -> BoxFailed | None:
    """What was wrong with a program that was not ended by us."""
    if told is None:
        return BoxFailed("its box was ended from outside")
    if told.left_out:
        return BoxOverLimit(told.left_out)
    if told.code == 0:
        return None
    if told.code > 128:
        with contextlib.suppress(ValueError):
            name = signal.Signals(told.code - 128).name
            if name == "SIGXFSZ":
                return BoxOverLimit(f"it wrote more than {limits.disk_bytes >> 20} MiB to a file")
            return BoxFailed(f"it ended with {told.code}, which says {name}")
    return BoxFailed(f"it ended with {told.code}")


def _told(path: Path) -> _Ended | None:
    with contextlib.suppress(OSError, *UNREADABLE):
        return msgspec.json.decode(path.read_bytes(), type=_Ended)
    return None


def _inside(outer: int) -> tuple[int, int]:
    """How many processes of the program are in a box, and their resident memory in bytes."""
    found = list(_descendants(outer))[_TRUSTED - 1 :]
    memory = 0
    for pid in found:
        with contextlib.suppress(OSError, IndexError, ValueError):
            memory += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES
    return len(found), memory


def _descendants(pid: int) -> Iterator[int]:
    """All below a process, a parent before its children; what ends meanwhile is left out."""
    waiting = [pid]
    while waiting:
        at = waiting.pop(0)
        for children in _children_files(at):
            with contextlib.suppress(OSError, ValueError):
                for child in map(int, children.read_text().split()):
                    waiting.append(child)
                    yield child


def _children_files(pid: int) -> list[Path]:
    """proc_pid_task_children(5), one for each thread, since a child is its thread's."""
    try:
        return [path / "children" for path in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        return []


class Holds(msgspec.Struct, frozen=True):
    """Which parts of a box this machine permits."""

    processes: bool
    network: bool
    disk: bool
    files: bool
    sockets: bool


def holds() -> Holds:
    """Try a box in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "cuemark.kit.boxing"], capture_output=True, timeout=20, check=False
    )
    try:
        return msgspec.json.decode(done.stdout.strip().splitlines()[-1], type=Holds)
    except (IndexError, *UNREADABLE):
        return Holds(False, False, False, False, False)


def main() -> None:
    import ctypes

    from cuemark.kit.confining import restrict_files, restrict_sockets

    with tempfile.TemporaryDirectory() as folder:
        permitted = box.separate(online=False)
        first = os.fork()
        if first == 0:
            libc = ctypes.CDLL(None, use_errno=True)
            disk = box.mount_scratch(libc, folder, 1 << 20, 10)
            files = restrict_files((), ())
            found = permitted | {"disk": disk, "files": files, "sockets": restrict_sockets()}
            print(json.dumps(found))
            sys.stdout.flush()
            os._exit(0)
        os.waitpid(first, 0)
        # This process is in the box's mount namespace: what is mounted there is its to take away.
        ctypes.CDLL(None).umount2(os.fsencode(folder), _MNT_DETACH)


if __name__ == "__main__":
    main()
