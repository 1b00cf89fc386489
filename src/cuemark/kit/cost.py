"""What a piece of work costs: wall time, and CPU as the kernel accounts it."""

import contextlib
import resource
import time

import msgspec
import psutil


class Cost(msgspec.Struct, frozen=True):
    """Seconds of wall time and of CPU."""

    wall_s: float
    cpu_s: float

    def fields(self) -> dict[str, float]:
        """As fields of an event of the structured log."""
        return {"wall_s": round(self.wall_s, 3), "cpu_s": round(self.cpu_s, 3)}


FREE = Cost(0, 0)


class Meter:
    """Counts from its making: this thread, and every child of the process that ended meanwhile.

    One piece of work that runs children may be metered at a time in a process: the kernel
    (getrusage, ``RUSAGE_CHILDREN``) accounts a child to the process when it is waited for.
    """

    def __init__(self, *, children: bool = True) -> None:
        self._children = children
        self._wall_s = time.monotonic()
        self._cpu_s = self._used_s()

    @property
    def cost(self) -> Cost:
        """What was spent until now."""
        return Cost(time.monotonic() - self._wall_s, self._used_s() - self._cpu_s)

    def _used_s(self) -> float:
        used_s = time.thread_time()
        if self._children:
            usage = resource.getrusage(resource.RUSAGE_CHILDREN)
            used_s += usage.ru_utime + usage.ru_stime
        return used_s


def process_cpu_s() -> float:
    """CPU seconds of this process, of its children that were waited for, and of those that run.

    What a child's own children took is missing until it has waited for them and was waited for.
    """
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    used_s = time.process_time() + usage.ru_utime + usage.ru_stime
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            times = child.cpu_times()
            used_s += times.user + times.system
    return used_s
