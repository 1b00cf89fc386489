"""Master keys in use: which are there, the next one, and what is stored under those before."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

import structlog

from cuemark.contexts.licensing import store
from cuemark.contexts.licensing.model.keys import WrappedKey
from cuemark.contexts.licensing.model.master_keys import (
    Master,
    MasterKeys,
    Vault,
    WrongMasterKey,
    check_retirable,
)
from cuemark.contracts.licensing import MasterKeyList, MasterKeyState
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.errors import Unavailable

T = TypeVar("T")

LOOK_S = 5.0
"""How often a process looks whether another one has made a master key."""
WRAPPED_AT_ONCE = 500


class Rotation:
    """Content keys are wrapped by the newest master key of ``vault``; ``keep`` is to run for ever
    in each process, and ``look`` to have run before anything else."""

    def __init__(self, database: Database, vault: Vault, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._keys = self._loaded()
        self._away = ""

    async def made(self, make: Callable[[Master], list[WrappedKey]]) -> list[WrappedKey]:
        """What ``make`` makes with the newest master key; raises ``Unavailable``."""
        return await _aside(lambda: make(self._keys.newest))

    async def opened(self, keys: Sequence[WrappedKey]) -> list[bytes]:
        """The content keys themselves; raises ``Unavailable``, with what is to be done."""
        return await _aside(lambda: [self._open(key) for key in keys])

    async def wraps(self, keys: Sequence[WrappedKey]) -> list[bytes]:
        """How the same content keys may be stored in other rows; raises ``Unavailable``."""
        return await _aside(
            lambda: [one for key in keys for one in self._of(key).wraps(key.wrapped, key.master)]
        )

    async def listed(self) -> MasterKeyList:
        keys = self._keys = await asyncio.to_thread(self._loaded)
        async with self._database.transaction() as transaction:
            under = await store.counted_by_master(transaction)
        there = {key.number: key for key in keys.all}
        states = [
            MasterKeyState(
                number=number,
                content_keys=under.get(number, 0),
                wraps=number == keys.newest.number,
                there=number in there,
                made_at=there[number].made_at if number in there else None,
            )
            for number in sorted({*there, *under}, reverse=True)
        ]
        return MasterKeyList(keys=states)

    async def rotate(self) -> MasterKeyList:
        number = (await asyncio.to_thread(self._loaded)).newest.number + 1
        await asyncio.to_thread(self._make, number)
        structlog.get_logger().info("master_key_rotated", number=number)
        return await self.listed()

    async def retire(self, number: int) -> MasterKeyList:
        """Raises ``UnknownMasterKey`` or ``MasterKeyInUse``."""
        keys = await asyncio.to_thread(self._loaded)
        async with self._database.transaction() as transaction:
            under = await store.counted_by_master(transaction)
        check_retirable(keys, number, under, self._clock.now())
        await asyncio.to_thread(self._destroy, number)
        structlog.get_logger().info("master_key_retired", number=number)
        return await self.listed()

    async def keep(self) -> None:
        """For ever: know the newest master key, and wrap anew what older ones have wrapped."""
        while True:
            try:
                self._keys = await asyncio.to_thread(self._loaded)
                while await self.wrap_some():
                    pass
                self._away = ""
            except Unavailable as away:
                if str(away) != self._away:
                    self._away = str(away)
                    structlog.get_logger().warning("master_keys_not_kept", why=self._away)
            await asyncio.sleep(LOOK_S)

    async def wrap_some(self) -> int:
        """Wrap some keys anew; how many, 0 where none is under an older master key any more.

        What does not open is left as it is: nothing could open it afterwards either.
        """
        keys = self._keys
        if not keys.older:
            return 0
        async with self._database.transaction() as transaction:
            found = await store.wrapped_by(transaction, keys.older, WRAPPED_AT_ONCE)
            anew = await _aside(lambda: _wrapped_anew(keys, found))
            if anew:
                await store.wrap_anew(transaction, keys.newest.number, anew)
        return len(anew)

    def _open(self, key: WrappedKey) -> bytes:
        try:
            return self._of(key).unwrap(key.wrapped, key.master)
        except WrongMasterKey as error:
            structlog.get_logger().error("content_key_does_not_open", kid=key.kid)
            raise Unavailable(
                "the content keys were stored under another master key: put back the one that "
                "this database was made with"
            ) from error

    def _of(self, key: WrappedKey) -> MasterKeys:
        """The master keys, looked for again where the one of this key is not known yet."""
        if key.master not in self._keys:
            self._keys = self._loaded()
        return self._keys

    def _loaded(self) -> MasterKeys:
        try:
            return MasterKeys(self._vault.load())
        except (OSError, ValueError) as error:
            raise Unavailable(f"the master keys cannot be read: {error}") from error

    def _make(self, number: int) -> None:
        try:
            self._vault.make(number)
        except OSError as error:
            raise Unavailable(f"the new master key cannot be kept: {error}") from error

    def _destroy(self, number: int) -> None:
        try:
            self._vault.destroy(number)
        except OSError as error:
            raise Unavailable(f"master key {number} cannot be removed: {error}") from error


def _wrapped_anew(
    keys: MasterKeys, found: Sequence[tuple[str, int, bytes]]
) -> list[tuple[str, bytes]]:
    anew = []
    for kid, number, wrapped in found:
        try:
            anew.append((kid, keys.newest.wrap(keys.unwrap(wrapped, number))))
        except WrongMasterKey:
            structlog.get_logger().error("content_key_does_not_open", kid=kid)
    return anew


async def _aside(work: Callable[[], T]) -> T:
    """Off the loop, since a master key may be in a box on the network."""
    try:
        return await asyncio.to_thread(work)
    except OSError as error:
        raise Unavailable(f"the master keys are out of reach: {error}") from error
