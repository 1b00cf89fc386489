"""Takes letters from the table and sends them, for ever."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from enum import Enum, auto
from typing import Protocol

import structlog

from cuemark.kit.database import Database
from cuemark.kit.errors import Unavailable
from cuemark.kit.mail.letter import Envelope
from cuemark.kit.mail.post import Post

BATCH = 20
LEASE = timedelta(minutes=10)
FIRST_WAIT_S = 30.0
LONGEST_WAIT_S = 3600.0


class WayClosed(Exception):
    """No letter can be sent now, whoever it is for: the server is away or takes none of ours."""


class Outcome(Enum):
    SENT = auto()
    LATER = auto()
    """The recipient's side asks to try again."""
    NEVER = auto()
    """The recipient's side refuses it for good."""


class Way(Protocol):
    """How letters leave. Sending one twice must be the same mail twice."""

    async def send(self, envelopes: list[Envelope]) -> Mapping[str, Outcome]:
        """What became of each letter, by id. Those that are missing were not tried, since the way
        closed before; raises ``WayClosed`` where it was closed from the beginning."""
        ...


def wait_s(failures: int) -> float:
    """How long to wait after so many failures: 30 s, then twice as long each time, 1 h at most."""
    return min(FIRST_WAIT_S * 2.0 ** min(failures, 16), LONGEST_WAIT_S)


class Sender:
    """One sender; of several each takes letters of its own."""

    def __init__(self, database: Database, post: Post, way: Way) -> None:
        self._database = database
        self._post = post
        self._way = way
        self._closed_before = 0

    async def run(self, poll_s: float = 1.0) -> None:
        """Send for ever; a database that is away is waited for."""
        while True:
            try:
                while await self.send_due():
                    pass
            except Unavailable:
                structlog.get_logger().warning("mail_waits")
            await asyncio.sleep(poll_s)

    async def send_due(self) -> int:
        """Send up to ``BATCH`` letters whose turn it is; how many were sent."""
        async with self._database.transaction() as transaction:
            for letter_id in await self._post.drop_useless(transaction, BATCH):
                structlog.get_logger().warning("letter_too_late", letter_id=letter_id)
            taken = await self._post.take(transaction, BATCH, LEASE)
        if not taken:
            return 0
        try:
            outcomes = await self._way.send([envelope for envelope, _ in taken])
        except WayClosed as closed:
            await self._give_back([envelope.letter_id for envelope, _ in taken], str(closed))
            return 0
        sent = 0
        for envelope, failures in taken:
            outcome = outcomes.get(envelope.letter_id)
            if outcome is not None:
                sent += outcome is Outcome.SENT
                await self._settle(envelope.letter_id, outcome, failures)
        await self._note_open()
        if left := [each.letter_id for each, _ in taken if each.letter_id not in outcomes]:
            await self._give_back(left, "the connection broke")
        return sent

    async def _settle(self, letter_id: str, outcome: Outcome, failures: int) -> None:
        said = structlog.get_logger().bind(letter_id=letter_id)
        async with self._database.transaction() as transaction:
            if outcome is Outcome.LATER:
                wait = timedelta(seconds=wait_s(failures))
                await self._post.postpone(transaction, [letter_id], wait, failed=True)
                said.warning("letter_postponed", failures=failures + 1)
                return
            await self._post.drop(transaction, letter_id)
        if outcome is Outcome.SENT:
            said.info("letter_sent")
        else:
            said.warning("letter_refused")

    async def _note_open(self) -> None:
        self._closed_before = 0
        async with self._database.transaction() as transaction:
            if await self._post.open(transaction) is not None:
                structlog.get_logger().info("mail_open")

    async def _give_back(self, letter_ids: list[str], reason: str) -> None:
        """It is not the letters' fault: they wait, and nothing is counted against them."""
        wait = timedelta(seconds=wait_s(self._closed_before))
        self._closed_before += 1
        async with self._database.transaction() as transaction:
            await self._post.close(transaction)
            await self._post.postpone(transaction, letter_ids, wait, failed=False)
        structlog.get_logger().warning("mail_closed", reason=reason, letters=len(letter_ids))
