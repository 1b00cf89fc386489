"""What all neighbours have, and whom and what they know."""

from dataclasses import dataclass

from cuemark.contracts.ids import TitleId
from cuemark.kit.clock import Clock
from cuemark.kit.errors import Unavailable

ANNA, BEN, OPERATOR = "token-anna", "token-ben", "token-operator"
FILM, DRAFT = TitleId("ttl_film"), TitleId("ttl_draft")


@dataclass
class Neighbour:
    """``away`` answers nothing; ``fault`` is raised as a bug would be."""

    clock: Clock
    away: bool = False
    fault: Exception | None = None

    def check(self) -> None:
        if self.away:
            raise Unavailable("switched off by the test")
        if self.fault:
            raise self.fault
