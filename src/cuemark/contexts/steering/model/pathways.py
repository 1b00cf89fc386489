"""Where running plays fetch from: the pathways of Content Steering, one for each appliance.

A play keeps the order in which its appliances were ranked when it began. It is led away from one
that is not fit, and led back once that one is fit again: to move for less would cost a cold cache
each time and gain little, since what a play asks for is known when it is placed.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from cuemark.contexts.steering.model.ranking import Appliance
from cuemark.contexts.steering.model.seals import Seal
from cuemark.contracts.ids import ApplianceId, PlaySessionId, VersionId
from cuemark.contracts.steering import Rank, Steered, SteeringOver
from cuemark.kit.cat import TokenKey

SETTLED_TTL_S = 20
MOVED_TTL_S = 10
"""How long an answer holds while all is well, and while one of a play's appliances is not fit."""

_SUBJECT = "where plays fetch from"


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """What a steering token says of a play: its appliances, as they were ranked."""

    session_id: PlaySessionId
    version_id: VersionId
    appliance_ids: list[ApplianceId]
    expires_at_s: int


class PlayTokens:
    """Writes and reads steering tokens, sealed JSON. ``masters`` are as in ``Seal``."""

    def __init__(self, masters: Sequence[TokenKey]) -> None:
        self._seal = Seal(masters, _SUBJECT)

    def mint(self, request: Rank, appliance_ids: Sequence[ApplianceId]) -> str:
        placed = Placed(
            session_id=request.session_id,
            version_id=request.version_id,
            appliance_ids=list(appliance_ids),
            expires_at_s=int(request.expires_at.timestamp()),
        )
        return self._seal.sealed(msgspec.json.encode(placed))

    def read(self, token: str, now: datetime) -> Placed:
        """What a genuine token says; raises ``SteeringOver`` for any other."""
        said = self._seal.opened(token)
        if said is None:
            raise SteeringOver("This is not where a play of this service is steered.")
        placed = msgspec.json.decode(said, type=Placed)
        if placed.expires_at_s <= now.timestamp():
            raise SteeringOver("This play is past its time: start another one.")
        return placed


def steered(
    appliance_ids: Sequence[ApplianceId], knowing: Sequence[Appliance], now: datetime
) -> Steered:
    """Which of a play's appliances it shall use, of those that know its version now.

    One that drains is used where nobody else is fit; where nobody is fit at all, the play keeps
    what it has: reports may be late, and a player finds out by itself who serves.
    """
    known = {each.appliance_id: each for each in knowing}
    able = [each for each in appliance_ids if each in known and fit(known[each], now)]
    staying = [each for each in able if not known[each].draining]
    left = staying or able or list(appliance_ids)
    settled = len(left) == len(appliance_ids)
    return Steered(appliance_ids=left, ttl_s=SETTLED_TTL_S if settled else MOVED_TTL_S)


def parted(knowing: Sequence[Appliance], now: datetime) -> tuple[list[Appliance], list[Appliance]]:
    """Those that may have a new play, and those that stand behind them because they drain.

    Where nobody else is fit, one that drains is as good as any.
    """
    staying = [each for each in knowing if not each.draining]
    if not any(fit(each, now) for each in staying):
        return list(knowing), []
    return staying, [each for each in knowing if each.draining]


def fit(appliance: Appliance, now: datetime) -> bool:
    """Whether it can serve."""
    return appliance.healthy and appliance.alive(now)
