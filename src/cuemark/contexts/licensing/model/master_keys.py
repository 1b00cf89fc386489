"""The master keys that content keys are stored under: one wraps, all that are there open.

A content key is stored under a master key with AES Key Wrap (RFC 3394), which also detects a
wrong master key or a changed row. A new master key takes the place of the one before: what is
stored under older ones is wrapped anew, and then they can go (NIST SP 800-57 part 1, 5.3.6).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from cuemark.contracts.licensing import MasterKeyInUse, UnknownMasterKey

MASTER_KEY_BYTES = 32
FIRST = 1
"""The number of the master key that an install begins with."""
SPREAD_S = 60
"""How long after a rotation some process may still wrap with the master key before."""


class WrongMasterKey(Exception):
    """A stored key does not open: another master key wrapped it, or its row was changed."""


class Master(Protocol):
    """A master key wherever it is. ``number`` counts them from ``FIRST``.

    ``wrap`` is AES Key Wrap (RFC 3394), so the same key gives the same bytes. Both methods may take
    a while, and raise ``OSError`` where the key is out of reach.
    """

    @property
    def number(self) -> int: ...

    @property
    def made_at(self) -> datetime | None: ...

    def wrap(self, key: bytes) -> bytes: ...

    def unwrap(self, wrapped: bytes) -> bytes:
        """The key inside ``wrapped``; raises ``WrongMasterKey``."""
        ...


@dataclass(frozen=True)
class MasterKey(Master):
    """One that this process knows: 32 bytes, so AES-256."""

    secret: bytes = field(repr=False)
    number: int = FIRST
    made_at: datetime | None = None

    def __post_init__(self) -> None:
        if len(self.secret) != MASTER_KEY_BYTES:
            raise ValueError(f"the master key has {len(self.secret)} bytes, not 32")

    def wrap(self, key: bytes) -> bytes:
        return aes_key_wrap(self.secret, key)

    def unwrap(self, wrapped: bytes) -> bytes:
        """The key inside ``wrapped``; raises ``WrongMasterKey``."""
        try:
            return aes_key_unwrap(self.secret, wrapped)
        except InvalidUnwrap as error:
            raise WrongMasterKey from error


@dataclass(frozen=True)
class Vault:
    """Where master keys are kept: ``load`` gives those that are there, ``make`` makes the one of a
    number unless it is there, ``destroy`` makes one be gone. All of them may raise ``OSError``."""

    load: Callable[[], Sequence[Master]]
    make: Callable[[int], None]
    destroy: Callable[[int], None]


class MasterKeys:
    """The master keys of an install at one time; at least one."""

    def __init__(self, keys: Sequence[Master]) -> None:
        if not keys:
            raise ValueError("there is no master key")
        self._by_number = {key.number: key for key in sorted(keys, key=lambda each: each.number)}
        self.newest = self._by_number[max(self._by_number)]

    def __contains__(self, number: int) -> bool:
        return number in self._by_number

    @property
    def all(self) -> list[Master]:
        """The newest last."""
        return list(self._by_number.values())

    @property
    def older(self) -> list[int]:
        return [number for number in self._by_number if number != self.newest.number]

    def unwrap(self, wrapped: bytes, number: int) -> bytes:
        """The key that was wrapped by the master key ``number``; raises ``WrongMasterKey``."""
        if number not in self._by_number:
            raise WrongMasterKey
        return self._by_number[number].unwrap(wrapped)

    def wraps(self, wrapped: bytes, number: int) -> list[bytes]:
        """How the key inside may stand anywhere: wrapped by each of the master keys."""
        key = self.unwrap(wrapped, number)
        return [each.wrap(key) for each in self.all]


def check_retirable(keys: MasterKeys, number: int, under: Mapping[int, int], now: datetime) -> None:
    """Raises ``UnknownMasterKey`` or ``MasterKeyInUse`` where a master key cannot go.

    ``under`` counts the content keys that are stored under each.
    """
    if number not in keys:
        raise UnknownMasterKey(f"There is no master key {number}.")
    if number == keys.newest.number:
        raise MasterKeyInUse(f"Master key {number} is the newest: rotate first.")
    if count := under.get(number, 0):
        raise MasterKeyInUse(
            f"{count} content keys are still stored under master key {number}: they are wrapped "
            "anew, try again in a moment."
        )
    made_at = next(each for each in keys.all if each.number > number).made_at
    if made_at is not None and now < made_at + timedelta(seconds=SPREAD_S):
        raise MasterKeyInUse(
            f"Master key {number} may still be used for a minute after the rotation: try again "
            "then."
        )
