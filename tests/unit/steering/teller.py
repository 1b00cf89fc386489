"""Fill, as far as steering asks it: what appliances hold."""

from typing import cast

from cuemark.contracts.fill import ApplianceHeld, Fill, GetHeld, Held
from cuemark.contracts.ids import ApplianceId, VersionId
from cuemark.kit.errors import Unavailable


def untold() -> Fill:
    """Fill, to which nobody told anything."""
    return cast(Fill, Teller())


class Teller:
    """``tell`` what an appliance holds; ``away``: it does not answer."""

    def __init__(self, at_once: int = 100) -> None:
        self._told: dict[ApplianceId, ApplianceHeld] = {}
        self._revision = 0
        self._at_once = at_once
        self.away = False
        self.asked = 0

    def tell(self, appliance_id: ApplianceId, percent: dict[VersionId, int]) -> None:
        self._revision += 1
        self._told[appliance_id] = ApplianceHeld(
            appliance_id=appliance_id,
            revision=self._revision,
            storage_bytes=10**12,
            percent=percent,
        )

    def forget(self, appliance_id: ApplianceId) -> None:
        del self._told[appliance_id]

    async def get_held(self, request: GetHeld) -> Held:
        self.asked += 1
        if self.away:
            raise Unavailable("fill does not answer")
        news = [
            told for name, told in self._told.items() if request.known.get(name) != told.revision
        ]
        return Held(
            news=news[: self._at_once],
            gone=[each for each in request.known if each not in self._told],
            more=len(news) > self._at_once,
        )
