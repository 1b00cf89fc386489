"""Verdicts on tokens, remembered for a moment."""

from datetime import datetime
from typing import NamedTuple

from cuemark.contracts.identity import Caller
from cuemark.contracts.ids import AccountId, StaffId
from cuemark.kit.clock import Clock

REMEMBER_S = 1.0
MOST_REMEMBERED = 4096


class _Known(NamedTuple):
    caller: Caller
    until_s: float
    expires_at: datetime


class Remembered:
    """Tokens that were authenticated a moment ago: at most ``MOST_REMEMBERED``, oldest out first.

    ``ended`` counts what ended logins. Who read a login from the database keeps it only where
    nothing ended meanwhile, since it may be that very login which has.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[bytes, _Known] = {}
        self.ended = 0

    def caller(self, token_sha256: bytes) -> Caller | None:
        known = self._known.get(token_sha256)
        if known is None:
            return None
        if known.until_s <= self._clock.monotonic_s() or known.expires_at <= self._clock.now():
            del self._known[token_sha256]
            return None
        return known.caller

    def keep(self, token_sha256: bytes, caller: Caller, expires_at: datetime) -> None:
        self._known.pop(token_sha256, None)
        while len(self._known) >= MOST_REMEMBERED:
            del self._known[next(iter(self._known))]
        until_s = self._clock.monotonic_s() + REMEMBER_S
        self._known[token_sha256] = _Known(caller, until_s, expires_at)

    def end(self, token_sha256: bytes) -> None:
        self.ended += 1
        self._known.pop(token_sha256, None)

    def end_staff(self, staff_id: StaffId) -> None:
        """Forget every token of one of staff."""
        self.ended += 1
        gone = [key for key, known in self._known.items() if known.caller.staff_id == staff_id]
        for key in gone:
            del self._known[key]

    def end_all(self, account_id: AccountId) -> None:
        """Forget every token of an account: some of its logins have ended, or it has changed."""
        self.ended += 1
        gone = [key for key, known in self._known.items() if known.caller.account_id == account_id]
        for key in gone:
            del self._known[key]
