"""Badges: a signed cookie by which a device is known that logged in before.

It opens nothing. It says with which mail addresses the device logged in, as tags that tell nobody
which these are, so that their owner is let in first while a service is under attack.

Form: base64url of JSON, ``.``, base64url of HMAC-SHA256.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import timedelta

import msgspec

from cuemark.kit.clock import Clock
from cuemark.kit.errors import UNREADABLE

COOKIE = "cuemark_device"
LASTS = timedelta(days=400)
MOST_MAILS = 8
_LONGEST = 1000


class Badge(msgspec.Struct, frozen=True, array_like=True):
    """``mails`` are tags, the latest last."""

    device: str
    expires_s: int
    mails: tuple[str, ...] = ()


NOBODY = Badge("", 0)


class Badges:
    """Makes and reads badges with one key of the install."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._key = key
        self._clock = clock

    def read(self, text: str) -> Badge:
        """The badge in a cookie; ``NOBODY`` where it is none of ours, or past its time."""
        body, _, signature = text.partition(".")
        if not signature or len(text) > _LONGEST or not text.isascii():
            return NOBODY
        try:
            if not hmac.compare_digest(_bytes(signature), self._sign(body)):
                return NOBODY
            badge = msgspec.json.decode(_bytes(body), type=Badge)
        except (*UNREADABLE, ValueError):
            return NOBODY
        return badge if badge.expires_s > self._clock.now().timestamp() else NOBODY

    def knows(self, badge: Badge, email: str) -> bool:
        """Whether the device logged in with this mail address before."""
        return self._tag(email) in badge.mails

    def renewed(self, badge: Badge, email: str) -> str:
        """The cookie of a device that has just logged in with this mail address."""
        tag = self._tag(email)
        mails = (*(each for each in badge.mails if each != tag), tag)[-MOST_MAILS:]
        expires_s = int((self._clock.now() + LASTS).timestamp())
        worn = Badge(badge.device or secrets.token_urlsafe(12), expires_s, mails)
        body = _text(msgspec.json.encode(worn))
        return f"{body}.{_text(self._sign(body))}"

    def _tag(self, email: str) -> str:
        said = b"mail " + email.strip(" \t\r\n").lower().encode(errors="replace")
        return hmac.new(self._key, said, hashlib.sha256).hexdigest()[:16]

    def _sign(self, body: str) -> bytes:
        return hmac.new(self._key, b"badge " + body.encode(), hashlib.sha256).digest()


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
