"""Ids: UUIDv7 (RFC 9562, section 5.7) written as ``kind_`` and 26 Crockford base-32 characters.

They sort by the time of their making within a kind, so an index on them stays compact.
"""

import random
import secrets

from cuemark.kit.clock import Clock

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


class Ids:
    """Makes ids. With a seeded ``rng`` and a manual clock they repeat."""

    def __init__(self, clock: Clock, rng: random.Random | None = None) -> None:
        self._clock = clock
        self._rng = rng

    def new(self, kind: str) -> str:
        """A fresh id such as ``ttl_01j9x...``; ``kind`` is two to six lower-case letters."""
        milliseconds = int(self._clock.now().timestamp() * 1000)
        bits = self._rng.getrandbits(74) if self._rng else secrets.randbits(74)
        value = (
            (milliseconds & ((1 << 48) - 1)) << 80
            | 0x7 << 76
            | (bits >> 62) << 64
            | 0b10 << 62
            | bits & ((1 << 62) - 1)
        )
        return f"{kind}_{_base32(value)}"


def _base32(value: int) -> str:
    return "".join(_ALPHABET[value >> shift & 31] for shift in range(125, -1, -5))


def is_id(text: str, kind: str) -> bool:
    """Whether ``text`` has the form of an id of this kind: safe in a path, a URL and a log."""
    prefix, _, rest = text.partition("_")
    return prefix == kind and len(rest) == 26 and all(c in _ALPHABET for c in rest)
