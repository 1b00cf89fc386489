"""What this machine says of an install that runs on it: processes, restarts, disk."""

import contextlib
import shutil
from pathlib import Path

import psutil

from cuemark.app import state
from cuemark.app.folder import DataFolder
from cuemark.gateway.machine import Machine, ProcessState


def machine_of(folder: DataFolder) -> Machine:
    """Read now. Takes milliseconds: call it in a thread."""
    disk = shutil.disk_usage(folder.root)
    phase = state.read(folder)
    running = phase.running if phase else None
    starts = running.starts if running else {}
    pids = running.pids if running else {}
    return Machine(
        doing=phase.doing if phase else "not supervised",
        started_at=running.started_at if running else None,
        processes=[
            _process(name, pid, max(0, starts.get(name, 1) - 1), frozenset(pids.values()))
            for name, pid in sorted(pids.items())
        ],
        disk_free_bytes=disk.free,
        disk_total_bytes=disk.total,
    )


def _process(name: str, pid: int, restarts: int, named: frozenset[int]) -> ProcessState:
    """``named`` are the processes that are told of by themselves, whoever started them."""
    alive, memory_bytes = False, 0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        alive = process.status() != psutil.STATUS_ZOMBIE
        memory_bytes = _pss_bytes(pid)
        for child in process.children():
            if child.pid not in named:
                memory_bytes += _pss_bytes(child.pid)
    return ProcessState(
        name=name, pid=pid, alive=alive, restarts=restarts, memory_bytes=memory_bytes
    )


def _pss_bytes(pid: int) -> int:
    """The proportional set size: pages that forked processes share count to each by its share."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) << 10
    return 0
