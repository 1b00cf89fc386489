"""Where clients that know no Content Steering are sent: each request for media, to one appliance.

A play keeps to the appliances that it began with, in their order, while one of them is fit. Where
none is, it is sent to any other that knows its version, first to one that holds
it: what a manifest cannot name later, a
redirect can.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from cuemark.contexts.steering.model import pathways, ranking
from cuemark.contexts.steering.model.holding import UNTOLD, Film
from cuemark.contexts.steering.model.ranking import ANYBODY, Appliance, Client
from cuemark.contexts.steering.model.seals import Seal
from cuemark.contracts.ids import ApplianceId, PlaySessionId, VersionId
from cuemark.contracts.steering import Rank, SteeringOver
from cuemark.kit.cat import TokenKey

REDIRECT_TTL_S = 2
"""How long a client may keep an answer. With the silence after which an appliance is dead and what
steering remembers, one that died is left within 5 s."""

_SUBJECT = "where plays are sent"


class Sent(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What a redirect token says of a play: all that a media token needs, and its appliances."""

    session_id: PlaySessionId
    version_id: VersionId
    appliance_ids: list[ApplianceId]
    issued_at_s: int
    expires_at_s: int
    variants: bytes
    networks: list[str]

    @property
    def issued_at(self) -> datetime:
        """When the play began: with it, its media token for an appliance is always the same."""
        return datetime.fromtimestamp(self.issued_at_s, UTC)

    def as_rank(self) -> Rank:
        """What was asked for when the play was ranked."""
        return Rank(
            session_id=self.session_id,
            version_id=self.version_id,
            expires_at=datetime.fromtimestamp(self.expires_at_s, UTC),
            variants=self.variants,
            networks=self.networks,
        )


class RedirectTokens:
    """Writes and reads redirect tokens, sealed MessagePack. ``masters`` are as in ``Seal``."""

    def __init__(self, masters: Sequence[TokenKey]) -> None:
        self._seal = Seal(masters, _SUBJECT)

    def mint(self, request: Rank, appliance_ids: Sequence[ApplianceId], now: datetime) -> str:
        sent = Sent(
            session_id=request.session_id,
            version_id=request.version_id,
            appliance_ids=list(appliance_ids),
            issued_at_s=int(now.timestamp()),
            expires_at_s=int(request.expires_at.timestamp()),
            variants=request.variants,
            networks=request.networks,
        )
        return self._seal.sealed(msgspec.msgpack.encode(sent))

    def read(self, token: str, now: datetime) -> Sent:
        """What a genuine token says; raises ``SteeringOver`` for any other."""
        said = self._seal.opened(token)
        if said is None:
            raise SteeringOver("There is no play of this service at this address.")
        sent = msgspec.msgpack.decode(said, type=Sent)
        if sent.expires_at_s <= now.timestamp():
            raise SteeringOver("This play is past its time: start another one.")
        return sent


def chosen(
    sent: Sent,
    knowing: Sequence[Appliance],
    now: datetime,
    client: Client = ANYBODY,
    film: Film = UNTOLD,
) -> Appliance | None:
    """Who serves a play now, of those that know its version; None where nobody does.

    One that drains serves where nobody else is fit, and one whose report is late where nobody is.
    Load moves no play: it would begin on a cold cache each time.
    """
    able = [each for each in knowing if pathways.fit(each, now)]
    staying = [each for each in able if not each.draining]
    late = [each for each in knowing if each.healthy and not each.gone(now)]
    for candidates in (staying, able, late):
        known = {each.appliance_id: each for each in candidates}
        for appliance_id in sent.appliance_ids:
            if appliance_id in known:
                return known[appliance_id]
        found = ranking.settled(candidates, sent.session_id, now, client, film)
        if found is not None:
            return found
    return None
