"""What processes use, as the kernel accounts it: a process with all that it started."""

import contextlib
from collections.abc import Iterator, Mapping

import psutil

SUPERVISOR = "supervisor"


def tree(pid: int) -> Iterator[psutil.Process]:
    """A process and its descendants that run now."""
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        yield root
        yield from root.children(recursive=True)


def cpu_s(pid: int) -> float:
    """CPU that a tree has used: of those that run, and of those that ended and were waited for."""
    used_s = 0.0
    for process in tree(pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            used_s += times.user + times.system + times.children_user + times.children_system
    return used_s


def pss_bytes(pid: int) -> int:
    """The proportional set size of a tree: what is shared counts to each by its share."""
    total = 0
    for process in tree(pid):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            total += int(process.memory_full_info().pss)
    return total


def cpu_of_each(pids: Mapping[str, int]) -> dict[str, float]:
    """CPU seconds by name; of the supervisor its own, since its children have names."""
    used_s = {name: cpu_s(pid) for name, pid in pids.items() if name != SUPERVISOR}
    if SUPERVISOR in pids:
        times = psutil.Process(pids[SUPERVISOR]).cpu_times()
        used_s[SUPERVISOR] = times.user + times.system
    return used_s


def pss_of_each(pids: Mapping[str, int]) -> dict[str, int]:
    """Bytes by name; of the supervisor its own, since its children have names."""
    used = {name: pss_bytes(pid) for name, pid in pids.items() if name != SUPERVISOR}
    if SUPERVISOR in pids:
        used[SUPERVISOR] = int(psutil.Process(pids[SUPERVISOR]).memory_full_info().pss)
    return used
