"""Which appliance to ask next: the manifest's order, less those in quarantine. Pure."""

from collections.abc import Sequence

from cuemark.player.manifest import Location

AWAY_S = 4.0
CORRUPT_S = 30.0
LONGEST_S = 120.0


class Appliances:
    """The appliances of a play, the best first; times are seconds of the monotonic clock.

    An appliance that fails is left for a while that doubles with each failure in a row; one that
    served wrong bytes is left for longer than one that was away.
    """

    def __init__(self, locations: Sequence[Location]) -> None:
        self._locations = list(locations)
        self._until_s: dict[str, float] = {}
        self._in_a_row: dict[str, int] = {}
        self.failures: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._locations)

    def in_order(self, now_s: float) -> list[Location]:
        """Every appliance once: those in good standing by rank, then those soonest free."""

        def place(location: Location) -> float:
            until_s = self._until_s.get(location.appliance_id, 0.0)
            return until_s if until_s > now_s else 0.0

        return sorted(self._locations, key=place)

    def replace(self, locations: Sequence[Location]) -> None:
        """A fresher ranking, with fresh addresses; quarantines stay."""
        self._locations = list(locations)

    def succeeded(self, appliance_id: str) -> None:
        self._in_a_row.pop(appliance_id, None)
        self._until_s.pop(appliance_id, None)

    def failed(self, appliance_id: str, now_s: float, *, corrupt: bool = False) -> None:
        self.failures[appliance_id] = self.failures.get(appliance_id, 0) + 1
        row = self._in_a_row.get(appliance_id, 0)
        self._in_a_row[appliance_id] = row + 1
        lasts_s = (CORRUPT_S if corrupt else AWAY_S) * 2 ** min(row, 10)
        self._until_s[appliance_id] = now_s + min(LONGEST_S, lasts_s)
