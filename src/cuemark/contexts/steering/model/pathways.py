"""Where running plays fetch from: the pathways of Content Steering, one for each appliance.

A play keeps the order in which its appliances were ranked when it began. It is led away from one
that is not fit, and led back once that one is fit again: to move for less would cost a cold cache
each time and gain little, since what a play asks for is known when it is placed.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

import msgspec

from cuemark.contexts.steering.model.ranking import Appliance
from cuemark.contracts.ids import ApplianceId, PlaySessionId, VersionId
from cuemark.contracts.steering import Rank, Steered, SteeringOver
from cuemark.kit.cat import TokenKey, derive_key

SETTLED_TTL_S = 20
MOVED_TTL_S = 10
"""How long an answer holds while all is well, and while one of a play's appliances is not fit."""

MAX_TOKEN_CHARS = 2048
_SUBJECT = "where plays fetch from"


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """What a steering token says of a play: its appliances, as they were ranked."""

    session_id: PlaySessionId
    version_id: VersionId
    appliance_ids: list[ApplianceId]
    expires_at_s: int


class PlayTokens:
    """Writes and reads steering tokens.

    Form: base64url(JSON) ``.`` base64url(HMAC-SHA256 over the first part). ``masters`` are the
    token keys of the install, the current one first: of each a key of its own is derived.
    """

    def __init__(self, masters: Sequence[TokenKey]) -> None:
        self._keys = [derive_key(master, _SUBJECT).key for master in masters]

    def mint(self, request: Rank, appliance_ids: Sequence[ApplianceId]) -> str:
        placed = Placed(
            session_id=request.session_id,
            version_id=request.version_id,
            appliance_ids=list(appliance_ids),
            expires_at_s=int(request.expires_at.timestamp()),
        )
        body = _encode(msgspec.json.encode(placed))
        return f"{body}.{_encode(_sign(self._keys[0], body))}"

    def read(self, token: str, now: datetime) -> Placed:
        """What a genuine token says; raises ``SteeringOver`` for any other."""
        body, _, signature = token.partition(".")
        if (
            len(token) > MAX_TOKEN_CHARS
            or not token.isascii()
            or not self._genuine(body, signature)
        ):
            raise SteeringOver("This is not where a play of this service is steered.")
        placed = msgspec.json.decode(_decode(body), type=Placed)
        if placed.expires_at_s <= now.timestamp():
            raise SteeringOver("This play is past its time: start another one.")
        return placed

    def _genuine(self, body: str, signature: str) -> bool:
        try:
            shown = _decode(signature)
        except (ValueError, binascii.Error):
            return False
        return any(hmac.compare_digest(shown, _sign(key, body)) for key in self._keys)


def steered(
    appliance_ids: Sequence[ApplianceId], holders: Sequence[Appliance], now: datetime
) -> Steered:
    """Which of a play's appliances it shall use, of those that hold its version now.

    One that drains is used where nobody else is fit; where nobody is fit at all, the play keeps
    what it has: reports may be late, and a player finds out by itself who serves.
    """
    known = {each.appliance_id: each for each in holders}
    fit = [each for each in appliance_ids if each in known and _fit(known[each], now)]
    staying = [each for each in fit if not known[each].draining]
    left = staying or fit or list(appliance_ids)
    settled = len(left) == len(appliance_ids)
    return Steered(appliance_ids=left, ttl_s=SETTLED_TTL_S if settled else MOVED_TTL_S)


def parted(holders: Sequence[Appliance], now: datetime) -> tuple[list[Appliance], list[Appliance]]:
    """Those that may have a new play, and those that stand behind them because they drain.

    Where nobody else is fit, one that drains is as good as any.
    """
    staying = [each for each in holders if not each.draining]
    if not any(_fit(each, now) for each in staying):
        return list(holders), []
    return staying, [each for each in holders if each.draining]


def _fit(appliance: Appliance, now: datetime) -> bool:
    return appliance.healthy and appliance.alive(now)


def _sign(key: bytes, body: str) -> bytes:
    return hmac.new(key, body.encode(), hashlib.sha256).digest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
