"""The revoked sessions as a steering process knows them, so that no redirect is a read.

They are read from the database as appliances are told them: what is new since the last look, at
most ``LOOK_S`` ago.
"""

from cuemark.contexts.steering import store
from cuemark.contracts.ids import PlaySessionId
from cuemark.contracts.steering.reports import MAX_REVOKED
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database

LOOK_S = 0.2
AT_ONCE = 5000


class Revoking:
    """The newest ``MAX_REVOKED`` that were revoked."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._until_s: dict[PlaySessionId, int] = {}
        self._position = 0
        self._looked_s = float("-inf")

    async def has(self, session_id: PlaySessionId) -> bool:
        """Whether the session's tokens are to open nothing more."""
        now_s = self._clock.monotonic_s()
        if now_s - self._looked_s >= LOOK_S:
            await self._look()
            self._looked_s = now_s
        return session_id in self._until_s

    async def _look(self) -> None:
        async with self._database.transaction() as transaction:
            if self._position > await store.last_revoked(transaction):
                # The database is another one than before.
                self._position, self._until_s = 0, {}
            more = AT_ONCE
            while more == AT_ONCE:
                found, self._position = await store.revoked_after(
                    transaction, self._position, AT_ONCE
                )
                self._until_s.update((each.session_id, each.until_s) for each in found)
                more = len(found)
        if len(self._until_s) > MAX_REVOKED:
            now_s = self._clock.now().timestamp()
            self._until_s = {each: at for each, at in self._until_s.items() if at > now_s}
        while len(self._until_s) > MAX_REVOKED:
            del self._until_s[next(iter(self._until_s))]
