"""One attempt at a function: what it is given, and the box that it runs in."""

import os
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from cuemark.contexts.functions.tools.shelf import Code
from cuemark.kit import boxing
from cuemark.kit.boxing import Boxed, Limits, Outcome


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """An event as a function is told of it. ``id`` is the same at each attempt."""

    id: str
    kind: str
    key: str
    occurred_at: datetime
    trace_id: str
    body: msgspec.Raw


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What a function finds beside its event: documents by name, and paths of what exists."""

    documents: Mapping[str, bytes]
    paths: Mapping[str, Path]


class _Told(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON on the standard input of a function: see docs/reference/functions.md."""

    event: Happened
    function: str
    run_id: str
    attempt: int
    reads: dict[str, str]
    tools: dict[str, str]
    output: str = "output"


async def attempt(
    code: Code,
    event: Happened,
    run_id: str,
    number: int,
    given: Given,
    tools: Mapping[str, Path],
    folder: Path,
) -> Outcome:
    """Run a function on an event in a box in ``folder``, which is empty and ours."""
    header = code.bound.header
    beside = folder / "given"
    beside.mkdir(mode=0o700)
    program = beside / code.file_name
    program.write_bytes(code.code)
    program.chmod(0o500)
    reads = {name: str(path) for name, path in given.paths.items()}
    for name, document in given.documents.items():
        path = beside / f"{name}.json"
        path.write_bytes(document)
        reads[name] = str(path)
    told = _Told(
        event=event,
        function=code.name,
        run_id=run_id,
        attempt=number,
        reads=reads,
        tools={name: str(path) for name, path in tools.items()},
    )
    stdin = beside / "event.json"
    stdin.write_bytes(msgspec.json.encode(told))
    box = folder / "box"
    box.mkdir(mode=0o700)
    return await boxing.run(
        Boxed(
            argv=_argv(code, program),
            environment=_environment(header.environment, box / "scratch"),
            readable=[beside, *given.paths.values(), *tools.values(), *_python()],
            folder=box,
            stdin=stdin,
            limits=Limits(
                wall_s=header.timeout_s,
                memory_bytes=header.memory_mb << 20,
                disk_bytes=header.disk_mb << 20,
                processes=header.processes,
                network=header.network,
            ),
        )
    )


def _argv(code: Code, program: Path) -> list[str]:
    """Isolated, Python reads no module of the folder that it runs in, and nothing of the user."""
    return [sys.executable, "-I", str(program)] if code.is_python else [str(program)]


def _python() -> list[Path]:
    """What Python is read from, with the packages that are installed beside us."""
    prefixes = {Path(sys.prefix), Path(sys.base_prefix)}
    return [*prefixes, *(Path(os.path.realpath(each)) for each in prefixes)]


def _environment(own: Mapping[str, str], scratch: Path) -> dict[str, str]:
    # glibc reserves 64 MB of address space for each arena: see ``confining.environment``.
    ours = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "LANG": "C.UTF-8",
        "MALLOC_ARENA_MAX": "2",
    }
    return {**ours, **own}
