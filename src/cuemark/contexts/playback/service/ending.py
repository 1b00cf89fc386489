"""Ends plays whose right was taken away or shortened while they run.

A play begins with an end that its right allows, so nothing has to be done where rights stay as they
were. Where they are changed, each play of the title is told its new end, and at that it is stopped,
as an operator stops one: its tokens and its licences open nothing more.

A play that is beginning while they are changed has asked before and is there only after: for each
that has begun it is asked again.
"""

import asyncio
from datetime import datetime

import msgspec
import structlog

from cuemark.contexts.playback import store
from cuemark.contexts.playback.model.rights import Asked
from cuemark.contexts.playback.store import rights
from cuemark.contracts.ids import PlaySessionId
from cuemark.contracts.playback import Playback, PlayStarted, StopPlay, UnknownPlay
from cuemark.contracts.rights import Decision, Rights, RightsSet
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database, Transaction
from cuemark.kit.errors import Unavailable
from cuemark.kit.outbox import Entry

LOOK_EVERY_S = 1.0
AT_ONCE = 500


class RightsKeeper:
    """Follows what is told of rights, and stops plays that have none any more."""

    def __init__(
        self, database: Database, clock: Clock, rights: Rights, playback: Playback
    ) -> None:
        self._database = database
        self._clock = clock
        self._rights = rights
        self._playback = playback

    async def take(self, transaction: Transaction, entry: Entry) -> None:
        """Tell the plays of a title, or one that has begun, the new end of their right. Raises
        ``Unavailable``: then the follower tries again."""
        if entry.kind == RightsSet.__name__:
            title_id = msgspec.json.decode(entry.body, type=RightsSet).title_id
            now = self._clock.now()
            for asked in await rights.asked_of(transaction, title_id, now):
                right_ends_at = _end(await self._right(asked), now)
                await rights.set_end(transaction, asked, now, right_ends_at)
        elif entry.kind == PlayStarted.__name__:
            started = msgspec.json.decode(entry.body, type=PlayStarted)
            await self._ask_again(transaction, started.session_id)

    async def _ask_again(self, transaction: Transaction, session_id: PlaySessionId) -> None:
        now = self._clock.now()
        session = await store.running(self._database, session_id, None, now)
        if session is None:
            return
        ends_at = _end(await self._right(session.right_asked), now)
        if ends_at is not None and ends_at < session.expires_at:
            await rights.set_end_of(transaction, session_id, ends_at)

    async def look(self) -> int:
        """Stop the plays whose right is over; how many were."""
        async with self._database.transaction() as transaction:
            over = await rights.ended(transaction, self._clock.now(), AT_ONCE)
        for session_id in over:
            await self._stop(session_id)
        return len(over)

    async def keep(self) -> None:
        """Look for ever; a database that is away is waited for."""
        while True:
            try:
                await self.look()
            except Unavailable:
                structlog.get_logger().warning("rights_keeper_waits")
            await asyncio.sleep(LOOK_EVERY_S)

    async def _right(self, asked: Asked) -> Decision:
        return (await self._rights.decide(asked.question)).decisions[0]

    async def _stop(self, session_id: PlaySessionId) -> None:
        try:
            await self._playback.stop(StopPlay(session_id=session_id))
        except UnknownPlay:
            return
        structlog.get_logger().info("play_lost_its_right", session_id=session_id)


def _end(right: Decision, now: datetime) -> datetime | None:
    return right.ends_at if right.may_go_on else now
