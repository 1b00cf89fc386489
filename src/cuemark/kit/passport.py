"""The passport: a signed, short-lived identity that travels inside, minted at the gateway.

Form: base64url(JSON claims) ``.`` base64url(HMAC-SHA256 over the first part).

The processes of an install share a key. An appliance has one of its own, derived from that one and
its name: it signs that it is this appliance, and nothing else.
"""

import base64
import hashlib
import hmac
from contextvars import ContextVar
from datetime import timedelta
from typing import Literal

import msgspec

from cuemark.kit.clock import Clock
from cuemark.kit.errors import UNREADABLE

HEADER = "x-cuemark-passport"
Role = Literal["member", "operator", "service", "appliance"]


class Passport(msgspec.Struct, frozen=True, kw_only=True):
    """Who calls: ``subject`` is an account id for members, a process name for services, and of an
    appliance its id.

    ``maturity`` is the age up to which titles are for the profile, None for any; ``kids`` says that
    it may look and play, and nothing else.

    ``level`` is how sure it is that this is who it says (1 by a password or a link, 2 by a second
    factor), and ``proved_at_s`` when that was proved last; 0: never.

    ``plan_id`` is of the plan that the account was on lately, empty where it has none: by it things
    are shown, and nothing is opened.

    ``device`` is the login by which a member asks, of which each device has its own.

    Of an operator ``staff_role`` is the role, and ``staff_id`` empty for the owner.

    Every claim but the first two has a default, and unknown ones are ignored: while an install is
    upgraded, either release reads the passports of the other.
    """

    subject: str
    role: Role
    profile_id: str = ""
    plan_id: str = ""
    device: str = ""
    maturity: int | None = None
    kids: bool = False
    level: int = 1
    proved_at_s: int = 0
    staff_id: str = ""
    staff_role: str = ""
    expires_at_s: int = 0


class PassportRejected(Exception):
    """Forged, malformed or past its time."""


current_passport: ContextVar[Passport | None] = ContextVar("current_passport", default=None)


def appliance_key(key: bytes, appliance_id: str) -> bytes:
    """With what an appliance signs where its install has ``key``; 32 bytes.

    Nothing of ``key`` follows from it (NIST SP 800-108, HMAC as the function that derives).
    """
    return hmac.new(key, f"appliance:{appliance_id}".encode(), hashlib.sha256).digest()


class PassportOffice:
    """Mints with one key, and verifies what was signed with it, or by an appliance that has its own
    of it."""

    def __init__(self, key: bytes, clock: Clock, ttl_s: int = 60) -> None:
        self._key = key
        self._clock = clock
        self._ttl_s = ttl_s

    def mint(self, passport: Passport) -> str:
        expires_at = self._clock.now() + timedelta(seconds=self._ttl_s)
        claims = msgspec.structs.replace(passport, expires_at_s=int(expires_at.timestamp()))
        body = _encode(msgspec.json.encode(claims))
        return f"{body}.{_encode(_signed(self._key, body))}"

    def verify(self, text: str) -> Passport:
        body, _, signature = text.partition(".")
        try:
            genuine = hmac.compare_digest(_decode(signature), _signed(self._key, body))
            passport = msgspec.json.decode(_decode(body), type=Passport)
            if not genuine and passport.role == "appliance":
                own = appliance_key(self._key, passport.subject)
                genuine = hmac.compare_digest(_decode(signature), _signed(own, body))
        except (*UNREADABLE, ValueError):
            genuine = False
        if not genuine:
            raise PassportRejected("the passport is not one of ours")
        if passport.expires_at_s < self._clock.now().timestamp():
            raise PassportRejected("the passport is past its time")
        return passport


def _signed(key: bytes, body: str) -> bytes:
    return hmac.new(key, body.encode(), hashlib.sha256).digest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
