"""Which appliance to ask next: the manifest's order, bent by what this play has seen. Pure."""

from collections.abc import Sequence

import msgspec

from cuemark.player.manifest import Location
from cuemark.player.trials import Need, Pace, Trials

AWAY_S = 4.0
PENALTY_S = 60.0
"""How long a pathway that failed is left where the service steers: as Shaka Player has it."""

LONGEST_S = 120.0
_NEWEST = 0.4
_TYPICAL_BYTES = 100_000


class _Record(msgspec.Struct):
    """What an appliance was like. ``latency_s`` is an exponentially weighted mean."""

    samples: int = 0
    latency_s: float = 0.0
    latest_latency_s: float = 0.0
    in_a_row: int = 0
    until_s: float = 0.0


class Appliances:
    """The appliances of a play, the best first; times are seconds of the monotonic clock.

    One that fails is put last for a while that doubles with each failure in a row, and where the
    service steers is a minute at least. One that served wrong bytes is put last for the rest of
    the play. Among those in good standing the ranking of the service decides, unless a trial has
    found another one to be faster to this device.
    """

    def __init__(self, locations: Sequence[Location]) -> None:
        self._locations = list(locations)
        self._led: tuple[str, ...] | None = None
        self._records: dict[str, _Record] = {}
        self._trials = Trials()
        self._typical_bytes = float(_TYPICAL_BYTES)
        self.orders = 0
        self.failures: dict[str, int] = {}
        self.left: list[str] = []

    def __len__(self) -> int:
        return len(self._locations)

    @property
    def home(self) -> str:
        """The first of the ranking that was in good standing when one was last asked for."""
        return self._trials.home

    @property
    def faster(self) -> str:
        """The one that a trial found to be faster than that; empty for none."""
        return self._trials.faster

    def in_order(self, now_s: float, need: Need | None = None) -> list[Location]:
        """Every appliance once: the best first, then those soonest free, then those left.

        One that the service leads away from is asked only in need, but before one that failed.
        With a ``need``, one that is on trial may have the first place for this file.
        """
        free = [each for each in self._locations if self._free_at_s(each, now_s) == 0.0]
        rest = [each for each in self._locations if self._free_at_s(each, now_s) != 0.0]
        standing = [each for each in free if self.listed(each.appliance_id)]
        spare = [each for each in free if not self.listed(each.appliance_id)]
        rest.sort(key=lambda each: self._free_at_s(each, now_s))
        if standing:
            name = self._trials.first([each.appliance_id for each in standing], now_s, need)
            standing.sort(key=lambda each: each.appliance_id != name)
        return standing + spare + rest

    def another_stands(self, now_s: float) -> bool:
        """Whether more than one is in good standing."""
        return sum(self._free_at_s(each, now_s) == 0.0 for each in self._locations) > 1

    def steer(self, priority: Sequence[str]) -> None:
        """Take the service's order, the best first, for the manifest's; unknown names are none.

        ``orders`` counts those that said something else than the one before.
        """
        known = {each.appliance_id: each for each in self._locations}
        before = tuple(known) if self._led is None else self._led
        led = [known.pop(name) for name in priority if name in known]
        if led:
            self._led = tuple(each.appliance_id for each in led)
            self._locations = [*led, *known.values()]
            self.orders += self._led != before

    def listed(self, appliance_id: str) -> bool:
        """Whether the service has the play use this one."""
        return self._led is None or appliance_id in self._led

    def replace(self, locations: Sequence[Location]) -> None:
        """A fresher ranking, with fresh addresses; what was seen stays."""
        self._locations = list(locations)
        self.steer(self._led or ())

    def succeeded(self, appliance_id: str) -> None:
        record = self._record(appliance_id)
        record.in_a_row, record.until_s = 0, 0.0

    def failed(self, appliance_id: str, now_s: float) -> None:
        self.failures[appliance_id] = self.failures.get(appliance_id, 0) + 1
        record = self._record(appliance_id)
        least_s = 0.0 if self._led is None else PENALTY_S
        grown_s = AWAY_S * 2 ** min(record.in_a_row, 10)
        record.until_s = now_s + min(LONGEST_S, max(least_s, grown_s))
        record.in_a_row += 1

    def corrupt(self, appliance_id: str) -> None:
        """It served wrong bytes: it is left for the rest of the play."""
        self.failures[appliance_id] = self.failures.get(appliance_id, 0) + 1
        if appliance_id not in self.left:
            self.left.append(appliance_id)

    def answered(self, appliance_id: str, latency_s: float) -> None:
        """It began to deliver after ``latency_s``, or has not yet after that long."""
        record = self._record(appliance_id)
        weight = _NEWEST if record.samples else 1.0
        record.latency_s += weight * (latency_s - record.latency_s)
        record.latest_latency_s = latency_s
        record.samples += 1

    def beaten(self, appliance_id: str, by: str, now_s: float) -> None:
        """It had not begun when ``by``, which was asked for the same file later, did."""
        self._trials.beaten(appliance_id, by, now_s)

    def delivered(self, appliance_id: str, size_bytes: int, elapsed_s: float, now_s: float) -> None:
        """``size_bytes`` of what was asked for with a need came, to the end or not.

        ``elapsed_s`` is counted from the first byte.
        """
        if size_bytes < _TYPICAL_BYTES / 10:
            return
        self._typical_bytes += _NEWEST * (size_bytes - self._typical_bytes)
        pace = Pace(self._record(appliance_id).latest_latency_s, elapsed_s / size_bytes)
        self._trials.took(appliance_id, pace, self._typical_bytes, now_s)

    def least_latency_s(self) -> float | None:
        """The quickest first byte that an appliance of this play gives; None before any."""
        known = [each.latency_s for each in self._records.values() if each.samples]
        return min(known, default=None)

    def _record(self, appliance_id: str) -> _Record:
        return self._records.setdefault(appliance_id, _Record())

    def _free_at_s(self, location: Location, now_s: float) -> float:
        """0 in good standing; otherwise when it is free again, never where it was left."""
        if location.appliance_id in self.left:
            return float("inf")
        record = self._records.get(location.appliance_id)
        return record.until_s if record is not None and record.until_s > now_s else 0.0
