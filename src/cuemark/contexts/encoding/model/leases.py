"""Which workers are lost: those whose beat stood still for a whole lease, as was seen.

A lease after Gray and Cheriton, "Leases" (SOSP 1989), without a clock that two machines share:
each beat counts on by one, and who judges measures by its own monotonic clock how long it has
looked at the same beat. While it could not look (the database was away, it was stopped itself) it
has seen nothing, and nobody is lost for that.
"""

from collections.abc import Mapping

LEASE_S = 10.0
LOOKS_S = 1.0
BLIND_S = 3.0
"""Between two looks further apart than this nothing was seen."""


class Watch:
    """What one judge has seen. Its clock is given in seconds and only ever goes forward."""

    def __init__(self, lease_s: float = LEASE_S) -> None:
        self._lease_s = lease_s
        self._looked_s: float | None = None
        self._seen: dict[str, tuple[int, float]] = {}

    def look(self, now_s: float, beats: Mapping[str, int]) -> list[str]:
        """Those of ``beats`` that are lost, where each has the number of its last beat.

        Whoever has work and was never heard has a number that stands still as well.
        """
        blind = self._looked_s is None or now_s - self._looked_s > BLIND_S
        self._looked_s = now_s
        before = {} if blind else self._seen
        self._seen = {
            name: before[name] if name in before and before[name][0] == beat else (beat, now_s)
            for name, beat in beats.items()
        }
        return [
            name for name, (_, since_s) in self._seen.items() if now_s - since_s >= self._lease_s
        ]
