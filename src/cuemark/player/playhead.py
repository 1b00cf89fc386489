"""Where the viewer is: presentation time, buffers, startup and stalls. Pure; time is passed in.

Presentation begins when ``START_S`` of every track is decoded: who begins late in a segment waits
for the next one too. It runs at the speed of the clock while every track is decoded at the
position, stops when one is not (a stall, dated to the moment at which the media ran out), and goes
on when ``RESUME_S`` of every track is there again.
"""

from collections import Counter, deque
from collections.abc import Sequence

import msgspec

from cuemark.player.manifest import Segment

START_S, RESUME_S = 0.5, 2.0
_EPSILON_S = 1e-6


class Decoded(msgspec.Struct, frozen=True, kw_only=True):
    """A segment that decoded without a fault. ``times_s`` are its frames' presentation times."""

    segment: Segment
    rung_id: str
    appliance_id: str
    size_bytes: int
    times_s: Sequence[float]


class Buffer:
    """The decoded segments of one track, by index; they may arrive out of order."""

    def __init__(self, first: int, last: int, start_s: float) -> None:
        self._arrived: dict[int, Decoded] = {}
        self._next = first
        self._last = last
        self._until_s = start_s
        self._coming: deque[Decoded] = deque()

    def add(self, index: int, decoded: Decoded) -> None:
        self._arrived[index] = decoded
        while self._next in self._arrived:
            ready = self._arrived.pop(self._next)
            self._until_s = ready.segment.end_s
            self._coming.append(ready)
            self._next += 1

    @property
    def complete(self) -> bool:
        return self._next > self._last

    @property
    def until_s(self) -> float:
        """How far the track can be presented; without bound once its last segment is there."""
        return float("inf") if self.complete else self._until_s

    def take(self, position_s: float) -> list[Decoded]:
        """The segments whose presentation has begun by ``position_s``, each once, in order."""
        taken = []
        while self._coming and self._coming[0].segment.start_s < position_s + _EPSILON_S:
            taken.append(self._coming.popleft())
        return taken


class Playhead:
    """Position and accounts of one play from ``start_s`` to ``end_s`` of the film."""

    def __init__(
        self, buffers: dict[str, Buffer], *, start_s: float, end_s: float, asked_at_s: float
    ) -> None:
        self._buffers = buffers
        self._start_s = start_s
        self._end_s = end_s
        self._asked_at_s = asked_at_s
        self._anchor_s: float | None = None
        self._anchor_position_s = start_s
        self._stalled_at_s: float | None = None
        self._pending: deque[float] = deque()
        self.position_s = start_s
        self.startup_s: float | None = None
        self.stalls = 0
        self.stalled_at_s: list[float] = []
        self.stalled_s = 0.0
        self.frames = 0
        self.presented: list[tuple[str, Decoded]] = []

    @property
    def ended(self) -> bool:
        return self.position_s >= self._end_s - _EPSILON_S

    @property
    def stalled(self) -> bool:
        return self._stalled_at_s is not None

    @property
    def played_s(self) -> float:
        return self.position_s - self._start_s

    @property
    def ready_until_s(self) -> float:
        """How far every track can be presented, at most to the end."""
        return min(self._end_s, *(buffer.until_s for buffer in self._buffers.values()))

    def advance(self, now_s: float) -> None:
        """Bring the position to what it is at ``now_s`` of the monotonic clock."""
        if self.ended:
            return
        if self._anchor_s is None and not self._may_begin(now_s):
            return
        assert self._anchor_s is not None
        ready_s = self.ready_until_s
        wanted_s = self._anchor_position_s + (now_s - self._anchor_s)
        if wanted_s > ready_s and ready_s < self._end_s - _EPSILON_S:
            self._stalled_at_s = self._anchor_s + (ready_s - self._anchor_position_s)
            self._anchor_s = None
            self.stalls += 1
            self.stalled_at_s.append(ready_s)
        self.position_s = max(self.position_s, min(wanted_s, ready_s))
        self._present()

    def stalled_for_s(self, now_s: float) -> float:
        """Time lost to stalls until now, one under way included."""
        running_s = now_s - self._stalled_at_s if self._stalled_at_s is not None else 0.0
        return self.stalled_s + running_s

    def _may_begin(self, now_s: float) -> bool:
        """Start, or start again after a stall, where enough is decoded."""
        ahead_s = self.ready_until_s - self.position_s
        at_end = self.ready_until_s >= self._end_s - _EPSILON_S
        needed_s = START_S if self.startup_s is None else RESUME_S
        if ahead_s < needed_s and not (at_end and ahead_s > 0):
            return False
        if self.startup_s is None:
            self.startup_s = now_s - self._asked_at_s
        if self._stalled_at_s is not None:
            self.stalled_s += now_s - self._stalled_at_s
            self._stalled_at_s = None
        self._anchor_s = now_s
        self._anchor_position_s = self.position_s
        return True

    def _present(self) -> None:
        for kind, buffer in self._buffers.items():
            for decoded in buffer.take(self.position_s):
                if decoded.segment.start_s < self._end_s - _EPSILON_S:
                    kept = msgspec.structs.replace(decoded, times_s=())
                    self.presented.append((kind, kept))
                    if kind == "video":
                        self._pending.extend(decoded.times_s)
        until_s = min(self.position_s, self._end_s - _EPSILON_S)
        while self._pending and self._pending[0] <= until_s:
            if self._pending.popleft() >= self._start_s - _EPSILON_S:
                self.frames += 1

    def seconds_of(self, decoded: Decoded) -> float:
        """How much of a presented segment the viewer has seen."""
        start_s = max(decoded.segment.start_s, self._start_s)
        return max(0.0, min(decoded.segment.end_s, self.position_s) - start_s)

    def appliances(self) -> list[str]:
        """The appliances whose segments were presented, in the order of their first."""
        return list(dict.fromkeys(decoded.appliance_id for _, decoded in self.presented))

    def segments_by_appliance(self) -> dict[str, int]:
        return dict(Counter(decoded.appliance_id for _, decoded in self.presented))
