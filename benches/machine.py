"""What the figures were measured on."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psutil


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """``load`` is the load average of the minute before the first bench."""

    date: str
    commit: str
    cpu: str
    cores: int
    memory_gb: float
    load: float

    def __str__(self) -> str:
        return (
            f"{self.date}, commit {self.commit}, {self.cpu}, {self.cores} cores, "
            f"{self.memory_gb:.0f} GB, load {self.load:.2f}"
        )


def this_machine(root: Path) -> Machine:
    """The machine now, and the commit of the work tree at ``root``."""
    return Machine(
        date=datetime.now(UTC).date().isoformat(),
        commit=_commit(root),
        cpu=_cpu_model(Path("/proc/cpuinfo").read_text()),
        cores=len(os.sched_getaffinity(0)),
        memory_gb=psutil.virtual_memory().total / 1e9,
        load=os.getloadavg()[0],
    )


def _cpu_model(cpuinfo: str) -> str:
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Model"):
            return value.strip()
    return os.uname().machine


def _commit(root: Path) -> str:
    def git(*arguments: str) -> str:
        argv = ["git", "-C", str(root), *arguments]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    commit = git("rev-parse", "--short", "HEAD") or "unknown"
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ":!docs/reference")
    return f"{commit} with changes" if changed else commit
