"""Ends plays whose login has ended: somebody logged out, or was logged out from elsewhere.

Identity tells of each login that ends, and the plays that began by it are stopped, as an operator
stops one: their tokens and licences open nothing more, and their streams are free. Where playback
is away meanwhile they go on until it is back and has read that. Without it nobody gets new licences
either way: the gateway knows no such login any more.

A play that is beginning while its login ends is there only after that was read. So logins that
have ended are looked for among the plays for ``KEPT_FOR``, which is longer than a start can take.
"""

import asyncio
from datetime import timedelta

import msgspec
import structlog

from cuemark.contexts.playback.store import logins
from cuemark.contracts.identity.changing import AccountDeleted
from cuemark.contracts.identity.logins import LoginEnded
from cuemark.contracts.ids import PlaySessionId
from cuemark.contracts.playback import Playback, StopPlay, UnknownPlay
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database, Transaction
from cuemark.kit.errors import Unavailable
from cuemark.kit.outbox import Entry

LOOK_EVERY_S = 1.0
AT_ONCE = 500
KEPT_FOR = timedelta(minutes=10)


class LoginsKeeper:
    """Follows what is told of logins, and stops the plays of those that have ended."""

    def __init__(
        self, database: Database, clock: Clock, playback: Playback, at_once: int = AT_ONCE
    ) -> None:
        self._database = database
        self._clock = clock
        self._playback = playback
        self._at_once = at_once

    async def take(self, transaction: Transaction, entry: Entry) -> None:
        if entry.kind == LoginEnded.__name__:
            ended = msgspec.json.decode(entry.body, type=LoginEnded)
            now = self._clock.now()
            await logins.note_ended(transaction, ended.account_id, ended.login_id, now)
        elif entry.kind == AccountDeleted.__name__:
            deleted = msgspec.json.decode(entry.body, type=AccountDeleted)
            await logins.forget_account(transaction, deleted.account_id)

    async def look(self) -> int:
        """Stop the plays whose login has ended; how many were. A login that is forgotten was looked
        for once at least, also where a clock was set on meanwhile."""
        now = self._clock.now()
        async with self._database.transaction() as transaction:
            late = await logins.noted_before(transaction, now - KEPT_FOR, self._at_once)
            theirs = await logins.going_on(transaction, now, self._at_once)
        for session_id in theirs:
            await self._stop(session_id)
        if late and len(theirs) < self._at_once:
            async with self._database.transaction() as transaction:
                await logins.forget_ended(transaction, late)
        return len(theirs)

    async def keep(self) -> None:
        """Look for ever; a database that is away is waited for."""
        while True:
            try:
                await self.look()
            except Unavailable:
                structlog.get_logger().warning("logins_keeper_waits")
            await asyncio.sleep(LOOK_EVERY_S)

    async def _stop(self, session_id: PlaySessionId) -> None:
        try:
            await self._playback.stop(StopPlay(session_id=session_id))
        except UnknownPlay:
            return
        structlog.get_logger().info("play_lost_its_login", session_id=session_id)
