"""How much an appliance sends to viewers: what the kernel counts for the workers of its nginx."""

import contextlib
from pathlib import Path

import psutil

from cuemark.edge.nginx import PID
from cuemark.kit.clock import Clock

AVERAGED_S = 5.0


class Meter:
    """Reads what nginx's workers have written: to connections, but for some lines of log."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._pid_file = folder / PID
        self._clock = clock
        self._before: dict[int, int] = {}
        self._before_s = 0.0
        self._kbps = 0.0

    def kbps(self) -> int:
        """The mean of about ``AVERAGED_S``; 0 where it cannot be read. Ask now and then."""
        written, now_s = self._written(), self._clock.monotonic_s()
        passed_s = now_s - self._before_s
        grown = sum(count - self._before.get(pid, count) for pid, count in written.items())
        if self._before_s and passed_s > 0:
            weight = min(1.0, passed_s / AVERAGED_S)
            self._kbps += weight * (max(0, grown) * 8 / 1000 / passed_s - self._kbps)
        self._before, self._before_s = written, now_s
        return round(self._kbps)

    def _written(self) -> dict[int, int]:
        """Bytes by worker."""
        with contextlib.suppress(OSError, ValueError, psutil.Error):
            master = psutil.Process(int(self._pid_file.read_text()))
            return {each.pid: each.io_counters().write_chars for each in master.children()}
        return {}
