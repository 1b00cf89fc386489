"""How appliances are ranked.

Two choices by rendezvous hashing (Thaler and Ravishankar, 1998), of which the less loaded wins
(Mitzenmacher, 2001), place by place: loads even out without the herd that a stale minimum draws,
and a session keeps its appliances while loads are equal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import xxhash

from cuemark.contracts.ids import ApplianceId, PlaySessionId
from cuemark.contracts.steering import GONE_S, SILENCE_S

MAX_RANKED = 10


@dataclass(frozen=True)
class Appliance:
    """What an appliance last said of itself, and when that came in.

    ``draining`` is what operators say of it.
    """

    appliance_id: ApplianceId
    url: str
    healthy: bool
    in_flight: int
    last_report_at: datetime
    draining: bool = False

    def alive(self, now: datetime) -> bool:
        """Whether it has spoken within the last ``SILENCE_S``.

        A report from the future is from before the clock was set back: no sign of life either.
        """
        return abs(now - self.last_report_at) < timedelta(seconds=SILENCE_S)

    def gone(self, now: datetime) -> bool:
        """Whether it has been silent for so long that nobody should be sent there at all."""
        return now - self.last_report_at >= timedelta(seconds=GONE_S)


class Loads:
    """Requests in flight at each appliance, plus the sessions placed since its last report.

    The next report counts those sessions itself, so it takes the place of the local count.
    """

    def __init__(self) -> None:
        self._placed: dict[ApplianceId, tuple[datetime, int]] = {}

    def of(self, appliance: Appliance) -> int:
        return appliance.in_flight + self._since_report(appliance)

    def place(self, appliance: Appliance) -> None:
        """Count one more session on ``appliance``."""
        placed = self._since_report(appliance) + 1
        self._placed[appliance.appliance_id] = (appliance.last_report_at, placed)

    def _since_report(self, appliance: Appliance) -> int:
        reported_at, placed = self._placed.get(appliance.appliance_id, (None, 0))
        return placed if reported_at == appliance.last_report_at else 0


def rank(
    holders: Sequence[Appliance],
    loads: Loads,
    session_id: PlaySessionId,
    now: datetime,
    limit: int,
) -> list[Appliance]:
    """The best of the appliances that hold the version; the first is counted as chosen.

    Where every holder has fallen silent, those that did so lately rank all the same, as load
    balancers do past their panic threshold (Envoy): a client fails over by itself, and a refused
    play cannot.
    """
    healthy = [appliance for appliance in holders if appliance.healthy]
    able = [appliance for appliance in healthy if appliance.alive(now)]
    left = sorted(
        able or (appliance for appliance in healthy if not appliance.gone(now)),
        key=lambda appliance: _affinity(session_id, appliance.appliance_id),
        reverse=True,
    )
    ranked: list[Appliance] = []
    while left and len(ranked) < limit:
        ranked.append(min(left[:2], key=loads.of))
        left.remove(ranked[-1])
    if ranked:
        loads.place(ranked[0])
    return ranked


def _affinity(session_id: PlaySessionId, appliance_id: ApplianceId) -> int:
    return xxhash.xxh3_64_intdigest(f"{session_id}/{appliance_id}".encode())
