"""Billing under 10,000 schedules of faults, and what those schedules find of bugs put in by hand.

``python -m benches.billing FIRST COUNT`` runs schedules of the code that it finds, and prints as
JSON how many there were and the first that violated something.
"""

import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import structlog

from benches.failure import BenchFailed
from benches.figures import Figure, figure
from benches.stand import Stand
from cuemark.lab.billing import schedules

ABOUT = """
A schedule is 60 acts from a seed: members subscribe, change plans and cards, cancel, pause and come
back; operators refund; days and months pass; webhooks are lost, doubled and late; the sandbox
answers nothing though it has done what was asked, or declines; banks charge back; clocks jump; the
process dies between any two turns of its tasks. It runs the service itself and the sandbox's bank
itself, with a store in memory that passes the contract suite of PostgreSQL's, and no socket. At
every step what must hold is told from the bank and the invoices: at most one capture for an
invoice, paid stays paid, debits equal credits, what members owe is what is open, what is open to a
member is what was paid. At the end the ledger equals the bank.

A bug is a patch (`benches/bugs/billing/`), applied to a copy of the source; *schedules until found*
is how many ran until one violated something. A bug that none of 500 finds fails the bench.
"""

ROOT = Path(__file__).parents[1]
BUGS = Path(__file__).parent / "bugs" / "billing"
SCHEDULES, QUICK, PROCESSES = 10_000, 200, 2
MOST_FOR_A_BUG = 500


class Told(msgspec.Struct, frozen=True):
    """``seed`` and ``violation`` are of the first schedule that violated something, if one did."""

    schedules: int
    steps: int
    seed: int | None = None
    violation: str = ""


def measure(stand: Stand) -> list[Figure]:
    count = QUICK if stand.quick else SCHEDULES
    stand.tell(f"{count} schedules")
    begun_s = time.monotonic()
    each = count // PROCESSES
    running = [_begin(ROOT / "src", number * each, each) for number in range(PROCESSES)]
    told = [_told(process) for process in running]
    took_s = time.monotonic() - begun_s
    for found in told:
        if found.violation:
            raise BenchFailed(f"seed {found.seed}: {found.violation}")
    rows = [
        figure("billing: schedules, none violated", sum(found.schedules for found in told), ""),
        figure("billing: steps looked at", sum(found.steps for found in told), ""),
        figure("billing: schedules a second", count / took_s, "/s"),
    ]
    patches = bugs()
    for patch in patches:
        stand.tell(f"bugs: {patch.stem}")
        found = try_bug(patch, stand.scratch("billing"))
        if not found.violation:
            raise BenchFailed(f"no schedule of {found.schedules} finds {patch.stem}")
        name = f"billing: bug: {patch.stem.replace('-', ' ')}"
        rows.append(figure(name, found.schedules, "schedules until found"))
    return [*rows, figure("billing: bugs found of those put in", len(patches), f"/{len(patches)}")]


def bugs() -> Sequence[Path]:
    return sorted(BUGS.glob("*.patch"))


def try_bug(patch: Path, folder: Path, most: int = MOST_FOR_A_BUG) -> Told:
    """Schedules on a copy of the source with a bug in it, until one finds it."""
    source = patched(patch, folder / patch.stem)
    try:
        return _told(_begin(source, 0, most))
    finally:
        shutil.rmtree(folder / patch.stem)


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


def _begin(source: Path, first: int, count: int) -> "subprocess.Popen[bytes]":
    path = os.pathsep.join([str(source), str(ROOT)])
    return subprocess.Popen(
        [sys.executable, "-m", "benches.billing", str(first), str(count)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _told(process: "subprocess.Popen[bytes]") -> Told:
    out, error = process.communicate()
    if process.returncode:
        said = error.decode(errors="replace").strip().splitlines()
        raise BenchFailed(said[-1] if said else f"schedules ended with {process.returncode}")
    return msgspec.json.decode(out, type=Told)


def main(first: int, count: int) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    steps = 0
    for number, seed in enumerate(range(first, first + count), 1):
        found = schedules.run(seed)
        steps += found.steps
        if found.violation:
            told = Told(number, steps, seed, found.violation)
            break
    else:
        told = Told(count, steps)
    sys.stdout.buffer.write(msgspec.json.encode(told))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
