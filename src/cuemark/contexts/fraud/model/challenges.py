"""Challenges that nobody has to remember: what is needed to judge an answer is in them, signed.

Form: base64url of JSON, ``.``, base64url of HMAC-SHA256. An answer is ``challenge:number``. What
was answered is remembered for as long as the challenge would be good, so that it opens one attempt.
"""

import base64
import hashlib
import hmac
import secrets
from collections import OrderedDict

import msgspec

from cuemark.kit import puzzle
from cuemark.kit.errors import UNREADABLE

LASTS_S = 120
MOST_SPENT = 200_000
LONGEST = 600


class Claims(msgspec.Struct, frozen=True, array_like=True):
    """``subject`` is who alone may answer it."""

    nonce: str
    subject: str
    bits: int
    expires_s: int


class Challenges:
    """Makes challenges and judges answers, with one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._spent: OrderedDict[str, int] = OrderedDict()

    def new(self, subject: str, bits: int, now_s: float) -> str:
        claims = Claims(secrets.token_urlsafe(12), subject, bits, int(now_s) + LASTS_S)
        body = _text(msgspec.json.encode(claims))
        return f"{body}.{_text(self._sign(body))}"

    def spend(self, answer: str, subject: str, now_s: float) -> bool:
        """Whether this answers a challenge of this subject, in time, for the first time."""
        challenge, _, number = answer.rpartition(":")
        claims = self._read(challenge)
        if (
            claims is None
            or claims.subject != subject
            or claims.expires_s < now_s
            or claims.nonce in self._spent
            or not puzzle.solves(challenge, number, claims.bits)
        ):
            return False
        self._spent[claims.nonce] = claims.expires_s
        self._tidy(now_s)
        return True

    def _read(self, challenge: str) -> Claims | None:
        body, _, signature = challenge.partition(".")
        if len(challenge) > LONGEST or not challenge.isascii():
            return None
        try:
            if not hmac.compare_digest(_bytes(signature), self._sign(body)):
                return None
            return msgspec.json.decode(_bytes(body), type=Claims)
        except (*UNREADABLE, ValueError):
            return None

    def _tidy(self, now_s: float) -> None:
        while self._spent:
            nonce, expires_s = next(iter(self._spent.items()))
            if expires_s >= now_s and len(self._spent) <= MOST_SPENT:
                return
            del self._spent[nonce]

    def _sign(self, body: str) -> bytes:
        return hmac.new(self._key, body.encode(), hashlib.sha256).digest()


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
