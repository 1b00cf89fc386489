"""The chain of the log of acts: each entry is bound to all before it, and the last one is sealed.

An entry's digest is HMAC-SHA256, under a key that the database does not have, over the digest
before and the entry. Who may write to the table but lacks the key can therefore change, add, remove
or reorder nothing without that entry, or the next, failing its digest. The head, kept beside the
table, is sealed by the same key, so that entries cannot be cut off at the end either. What a chain
cannot show is that table and head were put back to an older state together: for that, a digest is
noted elsewhere.
"""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from cuemark.contracts.identity.staff import Act

BEGINNING = bytes(32)
"""What stands before the first entry."""


class Head(NamedTuple):
    """The last entry of the log; ``seal`` is over the other two."""

    number: int
    digest: bytes
    seal: bytes


class Fault(NamedTuple):
    number: int
    sentence: str


def digest_of(key: bytes, before: bytes, act: Act) -> bytes:
    """The digest of an entry; what the entry itself says of its digest does not count."""
    told = [
        value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
        for name in act.__struct_fields__
        if name != "digest"
        for value in [getattr(act, name)]
    ]
    return _mac(key, b"act", before + msgspec.json.encode(told))


def sealed(key: bytes, number: int, digest: bytes) -> Head:
    return Head(number, digest, _mac(key, b"head", number.to_bytes(8, "big") + digest))


class Checker:
    """Reads the log from its beginning, in pieces, and keeps the first fault."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._digest = BEGINNING
        self.read = 0
        self.fault: Fault | None = None

    @property
    def head(self) -> bytes:
        return self._digest

    def take(self, acts: Iterable[Act]) -> None:
        for act in acts:
            if self.fault:
                return
            if act.number != self.read + 1:
                self.fault = Fault(self.read + 1, "This entry is missing.")
                return
            digest = digest_of(self._key, self._digest, act)
            if digest.hex() != act.digest:
                self.fault = Fault(
                    act.number, "This entry is not what was written, or not where it was written."
                )
                return
            self._digest, self.read = digest, act.number

    def finish(self, head: Head | None) -> None:
        """Hold what was read against the head, which was read when nothing came after that."""
        if self.fault:
            return
        if head is None:
            self.fault = Fault(1, "The head of the log is missing.")
        elif not hmac.compare_digest(sealed(self._key, head.number, head.digest).seal, head.seal):
            self.fault = Fault(head.number, "The head of the log is not what was written.")
        elif self.read < head.number:
            self.fault = Fault(self.read + 1, "The log was cut off before this entry.")
        elif self.read > head.number or self._digest != head.digest:
            self.fault = Fault(head.number, "The head of the log is that of another one.")


def _mac(key: bytes, purpose: bytes, body: bytes) -> bytes:
    return hmac.new(key, purpose + b"\0" + body, hashlib.sha256).digest()
