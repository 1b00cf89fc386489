"""How an appliance answered in the last minute, so that a release can be held against another."""

import threading
from collections import deque
from collections.abc import Sequence

from cuemark.contracts.telemetry import Line
from cuemark.kit.clock import Clock

WINDOW_S = 60.0
_NOT_OURS = {404, 416, 499}
"""The client asked for what there is not, or left: no release can help it."""


class Answers:
    """Counts the lines of requests that were answered since it was made, on whichever thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since_s = clock.now().timestamp()
        self._counted: deque[tuple[int, int, int]] = deque()
        self._lock = threading.Lock()

    def count(self, lines: Sequence[Line]) -> None:
        """Of a log that is read on after a start, what another process answered is left out."""
        answered = [each.sc_status for each in lines if each.at_s >= self._since_s]
        failed = sum(status >= 400 and status not in _NOT_OURS for status in answered)
        if not answered:
            return
        at_s = int(self._clock.monotonic_s())
        with self._lock:
            so_far = (at_s, 0, 0)
            if self._counted and self._counted[-1][0] == at_s:
                so_far = self._counted.pop()
            self._counted.append((at_s, so_far[1] + len(answered), so_far[2] + failed))

    def last_minute(self) -> tuple[int, int]:
        """How many requests were answered, and how many of those failed."""
        with self._lock:
            while self._counted and self._clock.monotonic_s() - self._counted[0][0] > WINDOW_S:
                self._counted.popleft()
            return sum(each[1] for each in self._counted), sum(each[2] for each in self._counted)
