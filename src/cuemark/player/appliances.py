"""Which appliance to ask next: the manifest's order, bent by what this play has seen. Pure."""

from collections.abc import Sequence

import msgspec

from cuemark.player.manifest import Location

AWAY_S = 4.0
PENALTY_S = 60.0
"""How long a pathway that failed is left where the service steers: as Shaka Player has it."""

LONGEST_S = 120.0
PROBE_EVERY_S = 20.0
REMEMBERED_S = 60.0
MIN_SAMPLES = 2
CLEARLY = 1.5
NOTICED_S = 0.1
_NEWEST = 0.4
_TYPICAL_BYTES = 100_000


class _Record(msgspec.Struct):
    """What an appliance was like: exponentially weighted means of its deliveries."""

    samples: int = 0
    latency_s: float = 0.0
    s_per_byte: float = 0.0
    rated: bool = False
    seen_at_s: float = 0.0
    in_a_row: int = 0
    until_s: float = 0.0


class Appliances:
    """The appliances of a play, the best first; times are seconds of the monotonic clock.

    One that fails is put last for a while that doubles with each failure in a row, and where the
    service steers is a minute at least. One that served wrong bytes is put last for the rest of
    the play. Among those in good standing the ranking of the service decides, unless another has
    clearly been faster to this device.
    """

    def __init__(self, locations: Sequence[Location]) -> None:
        self._locations = list(locations)
        self._led: tuple[str, ...] | None = None
        self._records: dict[str, _Record] = {}
        self._probed_at_s: float | None = None
        self._typical_bytes = float(_TYPICAL_BYTES)
        self.failures: dict[str, int] = {}
        self.left: list[str] = []

    def __len__(self) -> int:
        return len(self._locations)

    def in_order(self, now_s: float, wanted_kbps: float = 0.0) -> list[Location]:
        """Every appliance once: the best first, then those soonest free, then those left.

        One that the service leads away from is asked only in need, but before one that failed.
        Where the first delivers less than ``wanted_kbps``, one that has not been tried of late
        takes its place from time to time: the line may not be what is slow.
        """
        free = [each for each in self._locations if self._free_at_s(each, now_s) == 0.0]
        rest = [each for each in self._locations if self._free_at_s(each, now_s) != 0.0]
        standing = [each for each in free if self.listed(each.appliance_id)]
        spare = [each for each in free if not self.listed(each.appliance_id)]
        rest.sort(key=lambda each: self._free_at_s(each, now_s))
        if standing:
            first = self._probe(standing, now_s, wanted_kbps) or self._fastest(standing, now_s)
            standing.remove(first)
            standing.insert(0, first)
        return standing + spare + rest

    def steer(self, priority: Sequence[str]) -> None:
        """Take the service's order, the best first, for the manifest's; unknown names are none."""
        known = {each.appliance_id: each for each in self._locations}
        led = [known.pop(name) for name in priority if name in known]
        if led:
            self._led = tuple(each.appliance_id for each in led)
            self._locations = [*led, *known.values()]

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

    def answered(self, appliance_id: str, latency_s: float, now_s: float) -> None:
        """It began to deliver after ``latency_s``, or has not yet after that long."""
        record = self._record(appliance_id)
        weight = _NEWEST if record.samples else 1.0
        record.latency_s += weight * (latency_s - record.latency_s)
        record.samples += 1
        record.seen_at_s = now_s

    def delivered(self, appliance_id: str, size_bytes: int, elapsed_s: float) -> None:
        """``size_bytes`` came within ``elapsed_s`` of its first byte, to the end or not."""
        if size_bytes < _TYPICAL_BYTES / 10:
            return
        record = self._record(appliance_id)
        weight = _NEWEST if record.rated else 1.0
        record.s_per_byte += weight * (elapsed_s / size_bytes - record.s_per_byte)
        record.rated = True
        self._typical_bytes += _NEWEST * (size_bytes - self._typical_bytes)

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

    def _expected_s(self, location: Location, now_s: float) -> float | None:
        """How long a usual segment would take; None where too little is known, or too old."""
        record = self._records.get(location.appliance_id)
        if record is None or record.samples < MIN_SAMPLES:
            return None
        if now_s - record.seen_at_s > REMEMBERED_S:
            return None
        return record.latency_s + record.s_per_byte * self._typical_bytes

    def _fastest(self, standing: Sequence[Location], now_s: float) -> Location:
        """The first of the ranking, or the fastest where that one is clearly slower."""
        first = standing[0]
        of_first = self._expected_s(first, now_s)
        if of_first is None:
            return first
        known = [(self._expected_s(each, now_s), each) for each in standing[1:]]
        better = [
            (seconds, each)
            for seconds, each in known
            if seconds is not None and of_first > CLEARLY * seconds + NOTICED_S
        ]
        return min(better, key=lambda pair: pair[0])[1] if better else first

    def _probe(
        self, standing: Sequence[Location], now_s: float, wanted_kbps: float
    ) -> Location | None:
        """One to try instead of the first, at most every ``PROBE_EVERY_S``."""
        first = self._records.get(self._fastest(standing, now_s).appliance_id)
        if first is None or not first.rated or wanted_kbps <= 0:
            return None
        if first.s_per_byte * 125 * wanted_kbps <= 1:
            return None
        if self._probed_at_s is not None and now_s - self._probed_at_s < PROBE_EVERY_S:
            return None
        for other in standing[1:]:
            record = self._records.get(other.appliance_id)
            if record is not first and (
                record is None or now_s - record.seen_at_s >= PROBE_EVERY_S or not record.rated
            ):
                self._probed_at_s = now_s
                return other
        return None
