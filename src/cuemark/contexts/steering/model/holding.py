"""Who holds a film: what appliances told fill, as far as steering has heard of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cuemark.contracts.fill import ApplianceHeld, Held
from cuemark.contracts.ids import ApplianceId, VersionId
from cuemark.kit import rendezvous

LEAST_PERCENT = 25
"""Of what plays take: whoever has less does not hold a film. Beginnings are on every appliance, and
a viewer who left early leaves a piece."""
NEARLY_SHARE = 0.8
"""Of what the fullest of a ring has: whoever has less lacks what the fullest could serve."""


@dataclass(frozen=True)
class Film:
    """A version, ``percent`` of which is on each appliance that told, and the ``rooms`` of these
    in bytes."""

    key: int = 0
    percent: Mapping[ApplianceId, int] = field(default_factory=dict)
    rooms: Mapping[ApplianceId, int] = field(default_factory=dict)

    def told_by(self, ring: Iterable[ApplianceId]) -> bool:
        """Whether any of these has told what it holds, of this film or of others."""
        return any(each in self.rooms for each in ring)

    def held_by(self, ring: Iterable[ApplianceId]) -> frozenset[ApplianceId]:
        """Who of these holds the film, beside what the others have of it."""
        there = {each: self.percent.get(each, 0) for each in ring}
        least = max(LEAST_PERCENT, NEARLY_SHARE * max(there.values(), default=0))
        return frozenset(each for each, percent in there.items() if percent >= least)

    def order(self, ring: Iterable[ApplianceId]) -> list[ApplianceId]:
        """These in the order in which the film is theirs: that by which fill plans where it lies.
        Whoever told nothing is taken to have no room."""
        return rendezvous.order(self.key, {each: self.rooms.get(each) or 1 for each in ring})


UNTOLD = Film()
"""A film of which nobody told anything."""


class Stock:
    """What each appliance holds, by its last telling."""

    def __init__(self) -> None:
        self._told: dict[ApplianceId, ApplianceHeld] = {}
        self._rooms: dict[ApplianceId, int] = {}

    @property
    def revisions(self) -> dict[ApplianceId, int]:
        """Which telling of each appliance is known."""
        return {each: told.revision for each, told in self._told.items()}

    def apply(self, held: Held) -> None:
        """Take in what is new, and forget those of which nothing counts any more."""
        for told in held.news:
            self._told[told.appliance_id] = told
        for appliance_id in held.gone:
            self._told.pop(appliance_id, None)
        self._rooms = {each: told.storage_bytes for each, told in self._told.items()}

    def film(self, version_id: VersionId) -> Film:
        """Who holds a version, as it is known now."""
        percent = {each: told.percent.get(version_id, 0) for each, told in self._told.items()}
        return Film(rendezvous.key_of(version_id), percent, self._rooms)
