"""Ids: UUIDv7 (RFC 9562, section 5.7) written as ``kind_`` and 26 Crockford base-32 characters.

They sort by the time of their making within a kind, so an index on them stays compact.
"""

import hashlib
import random
import secrets
import threading
from datetime import UTC, datetime, timedelta

from cuemark.kit.clock import Clock

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_BITS, _STEP = 74, (1 << 48) - 1
"""Of an id, how many bits are random; the next one of its millisecond is larger by up to this."""


class Ids:
    """Makes ids, ascending (RFC 9562, section 6.2, method 2) as long as the clock is.

    With a seeded ``rng`` and a manual clock they repeat.
    """

    def __init__(self, clock: Clock, rng: random.Random | None = None) -> None:
        self._clock = clock
        self._rng: random.Random = rng or secrets.SystemRandom()
        self._lock = threading.Lock()
        self._last = (-1, 0)

    def new(self, kind: str) -> str:
        """A fresh id such as ``ttl_01j9x...``; ``kind`` is two to six lower-case letters."""
        with self._lock:
            at = self._clock.now()
            milliseconds, bits = _milliseconds(at), self._rng.getrandbits(_BITS)
            before, bits_before = self._last
            if milliseconds == before:
                ascending = bits_before + 1 + (bits & _STEP)
                bits = ascending if ascending >> _BITS == 0 else bits
            self._last = milliseconds, bits
        return _written(kind, at, bits)


def id_of_content(kind: str, at: datetime, content: bytes) -> str:
    """The one id of what came about at a time and has this content, wherever it is asked for."""
    digest = int.from_bytes(hashlib.sha256(content).digest()[:10], "big")
    return _written(kind, at, digest & ((1 << _BITS) - 1))


def time_of_id(text: str) -> datetime:
    """The millisecond in which what has this id came about; ``text`` has passed ``is_id``."""
    value = 0
    for letter in text.partition("_")[2]:
        value = value << 5 | _ALPHABET.index(letter)
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=value >> 80 & ((1 << 48) - 1))


def _written(kind: str, at: datetime, bits: int) -> str:
    milliseconds = _milliseconds(at)
    value = (
        (milliseconds & ((1 << 48) - 1)) << 80
        | 0x7 << 76
        | (bits >> 62) << 64
        | 0b10 << 62
        | bits & ((1 << 62) - 1)
    )
    return f"{kind}_{_base32(value)}"


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _base32(value: int) -> str:
    return "".join(_ALPHABET[value >> shift & 31] for shift in range(125, -1, -5))


def is_id(text: str, kind: str) -> bool:
    """Whether ``text`` has the form of an id of this kind: safe in a path, a URL and a log."""
    prefix, _, rest = text.partition("_")
    return prefix == kind and len(rest) == 26 and all(c in _ALPHABET for c in rest)
