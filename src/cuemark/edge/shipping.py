"""Lines to control: read out of nginx's log, kept in the spool, sent batch by batch.

With control away the spool grows to its bound; where control is busy it says how long to wait. Each
pause is drawn between once and twice its length, so that appliances do not come back all at once.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog

from cuemark.contracts.ids import ApplianceId
from cuemark.contracts.telemetry import MOST_LINES, Line, LinesInvalid, LinesTaken, TakeLines
from cuemark.edge import lines
from cuemark.edge.access_log import AccessLog
from cuemark.edge.in_step import InStep
from cuemark.edge.spool import Batch, Spool
from cuemark.kit.deadline import deadline
from cuemark.kit.errors import Refusal, Unavailable

GATHER_S = 5.0
"""How long lines are gathered: a batch has those of as long, or as many as it may have."""
LOOK_S = 1.0
CALL_S = 10.0
AWAY_S = 2.0
REFUSED_S = 30.0
MOST_WAIT_S = 60.0
WHAT = "take_lines"
T = TypeVar("T")


class Shipping:
    """Sends what ``log`` brings by way of ``spool``. ``take`` is telemetry's ``take_lines``, and
    ``count`` is shown every line on its way."""

    def __init__(
        self,
        appliance_id: ApplianceId,
        log: AccessLog,
        spool: Spool,
        take: Callable[[TakeLines], Awaitable[LinesTaken]],
        count: Callable[[Sequence[Line]], None],
    ) -> None:
        self._appliance_id = appliance_id
        self._log = log
        self._spool = spool
        self._take = take
        self._count = count
        self._again = False
        self._turn = asyncio.Lock()
        self._in_step = InStep()

    async def gather(self) -> None:
        """For ever: bring what nginx has logged into the spool."""
        try:
            while True:
                try:
                    while await self._apart(self.gather_some):
                        pass
                    self._in_step.note("access_log", "")
                except OSError as error:
                    self._again = True
                    self._in_step.note("access_log", str(error))
                await asyncio.sleep(GATHER_S)
        finally:
            self._log.close()

    def gather_some(self) -> bool:
        """Keep the next piece of the log as a batch; False at its end. Raises ``OSError``."""
        if self._again:
            # What was read and not kept is read again: the place was not noted.
            self._log.go_to(self._spool.read_to)
            self._again = False
        raw = self._log.read(MOST_LINES)
        if not raw:
            return False
        found, bad = lines.read(raw)
        if bad:
            structlog.get_logger().warning("log_lines_unreadable", lines=bad)
        self._spool.put(found, self._log.mark)
        self._count(found)
        return True

    async def ship(self) -> None:
        """For ever: send the oldest batch, and the next once it is taken."""
        while True:
            try:
                batch = await self._apart(self._spool.oldest)
                pause_s = LOOK_S if batch is None else await self._send(batch)
            except OSError as error:
                self._in_step.note("spool", str(error))
                pause_s = REFUSED_S
            if pause_s:
                await asyncio.sleep(pause_s * (1 + secrets.randbelow(1000) / 1000))

    async def _send(self, batch: Batch) -> float:
        """Send a batch; for how long to wait before the next, 0 where it was taken."""
        head = batch.head
        request = TakeLines(
            appliance_id=self._appliance_id,
            epoch=head.epoch,
            sequence=head.sequence,
            count=head.count,
            first_at_s=head.first_at_s,
            last_at_s=head.last_at_s,
            body=batch.body,
            lost_lines=head.lost_lines,
        )
        try:
            with deadline(CALL_S):
                answer = await self._take(request)
        except Unavailable as away:
            self._in_step.note(WHAT, str(away))
            return AWAY_S
        except LinesInvalid as refused:
            # It would be refused for ever, and those behind it would wait for as long.
            structlog.get_logger().error("batch_refused", reason=str(refused), lines=head.count)
            await self._apart(lambda: self._spool.drop(batch.name))
            return 0.0
        except Refusal as refused:
            self._in_step.note(WHAT, str(refused))
            return REFUSED_S
        self._in_step.note(WHAT, "")
        if not answer.taken:
            return min(max(answer.wait_s, 0.1), MOST_WAIT_S)
        await self._apart(lambda: self._spool.drop(batch.name))
        return 0.0

    async def _apart(self, work: Callable[[], T]) -> T:
        """The result of work on the disk, done on a thread, one piece at a time."""
        async with self._turn:
            return await asyncio.to_thread(work)
