"""What processes use, as the kernel accounts it: a process with all that it started."""

import contextlib
from collections.abc import Collection, Iterator, Mapping

import psutil


def tree(pid: int, named: Collection[int] = ()) -> Iterator[psutil.Process]:
    """A process and its descendants that run now, without those trees that are ``named``."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        yield process
        for child in process.children():
            if child.pid not in named:
                yield from tree(child.pid, named)


def cpu_s(pid: int, named: Collection[int] = ()) -> float:
    """CPU that a tree has used: of those that run, and of those that ended and were waited for."""
    used_s = 0.0
    for process in tree(pid, named):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            used_s += times.user + times.system + times.children_user + times.children_system
    return used_s


def pss_bytes(pid: int, named: Collection[int] = ()) -> int:
    """The proportional set size of a tree: what is shared counts to each by its share."""
    total = 0
    for process in tree(pid, named):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            total += int(process.memory_full_info().pss)
    return total


def cpu_of_each(pids: Mapping[str, int]) -> dict[str, float]:
    """CPU seconds by name, of each tree without what has a name of its own."""
    return {name: cpu_s(pid, pids.values()) for name, pid in pids.items()}


def pss_of_each(pids: Mapping[str, int]) -> dict[str, int]:
    """Bytes by name, of each tree without what has a name of its own."""
    return {name: pss_bytes(pid, pids.values()) for name, pid in pids.items()}
