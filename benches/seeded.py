"""Seeded schedules of faults in processes of their own: of the code as it is, and with a bug in it
that was put in by hand.

A bench of such schedules is a module that runs them: ``python -m benches.NAME FIRST COUNT ...``
prints, as ``Told``, what became of them.
"""

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import msgspec
import structlog

from benches.failure import BenchFailed

ROOT = Path(__file__).parents[1]
BUGS = Path(__file__).parent / "bugs"
PROCESSES = 2

Running = subprocess.Popen[bytes]


class Told(msgspec.Struct, frozen=True):
    """``seed`` and ``violation`` are of the first schedule that violated something, if one did."""

    schedules: int
    steps: int
    seed: int | None = None
    violation: str = ""


def bugs(of: str) -> Sequence[Path]:
    return sorted((BUGS / of).glob("*.patch"))


def patched(patch: Path, folder: Path) -> Path:
    """The ``src`` of a copy with the patch applied; raises ``BenchFailed``."""
    caches = shutil.ignore_patterns("__pycache__", "page")
    shutil.copytree(ROOT / "src", folder / "src", ignore=caches)
    applied = subprocess.run(
        ["git", "apply", str(patch)], cwd=folder, capture_output=True, text=True, check=False
    )
    if applied.returncode:
        raise BenchFailed(f"{patch.name} does not fit any more: {applied.stderr.strip()}")
    return folder / "src"


def begin(module: str, first: int, count: int, *more: str, source: Path = ROOT / "src") -> Running:
    path = os.pathsep.join([str(source), str(ROOT)])
    return subprocess.Popen(
        [sys.executable, "-m", module, str(first), str(count), *more],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def told(process: Running) -> Told:
    """Raises ``BenchFailed``."""
    out, error = process.communicate()
    if process.returncode:
        said = error.decode(errors="replace").strip().splitlines()
        raise BenchFailed(said[-1] if said else f"schedules ended with {process.returncode}")
    return msgspec.json.decode(out, type=Told)


def none_violated(running: Sequence[Running]) -> list[Told]:
    """What all of them told; raises ``BenchFailed`` as soon as one violated something."""
    found = []
    with ThreadPoolExecutor(len(running)) as pool:
        try:
            for done in as_completed([pool.submit(told, each) for each in running]):
                each = done.result()
                if each.violation:
                    raise BenchFailed(f"seed {each.seed}: {each.violation}")
                found.append(each)
        finally:
            for process in running:
                process.kill()
    return found


def try_bug(module: str, patch: Path, folder: Path, most: int, *more: str) -> Told:
    """Schedules on a copy of the source with a bug in it, until one finds it."""
    source = patched(patch, folder / patch.stem)
    try:
        return told(begin(module, 0, most, *more, source=source))
    finally:
        shutil.rmtree(folder / patch.stem)


def until_violated(first: int, count: int, run: Callable[[int], tuple[int, str]]) -> None:
    """Run schedules, each of which gives its steps and what it violated, and print ``Told``."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    found = Told(count, 0)
    for number, seed in enumerate(range(first, first + count), 1):
        steps, violation = run(seed)
        found = msgspec.structs.replace(found, steps=found.steps + steps)
        if violation:
            found = Told(number, found.steps, seed, violation)
            break
    sys.stdout.buffer.write(msgspec.json.encode(found))
