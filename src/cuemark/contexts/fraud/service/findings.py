"""Findings are kept beside the answer, never before it: a flood costs the database next to nothing.

A finding of the same subject that asks for no more than the one before is not kept again while that
one holds.
"""

from collections import OrderedDict, deque
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from cuemark.contexts.fraud.store import findings as store
from cuemark.contracts.fraud import (
    ExplainAccount,
    Finding,
    FindingPage,
    Kind,
    ListFindings,
    Reason,
    Step,
)
from cuemark.contracts.ids import AccountId
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database, Transaction
from cuemark.kit.ids import Ids
from cuemark.kit.pages import MOST_ROWS, PageInvalid, checked_limit, cursor_of, keys_of

FINDING = "fnd"
EVERYONE = "everyone"
NOBODY = AccountId("")
STEPS: tuple[Step, ...] = ("pass", "notice", "slow", "proof", "letter", "wait")
"""Each asks for more than the one before."""

MOST_QUEUED, MOST_REMEMBERED = 1000, 20_000


class Findings:
    def __init__(self, database: Database, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._queue: deque[Finding] = deque()
        self._held: OrderedDict[tuple[Kind, str], tuple[int, datetime]] = OrderedDict()
        self._lost = 0

    def found(
        self,
        kind: Kind,
        subject: str,
        step: Step,
        score: int,
        reasons: Sequence[Reason],
        lasts: timedelta,
        account_id: AccountId = NOBODY,
    ) -> bool:
        """Keep a finding soon; False where one that asks for as much holds already."""
        now, rank = self._clock.now(), STEPS.index(step)
        held, until = self._held.get((kind, subject), (-1, now))
        if held >= rank and until > now:
            return False
        self._held[kind, subject] = (rank, now + lasts)
        self._held.move_to_end((kind, subject))
        if len(self._held) > MOST_REMEMBERED:
            self._held.popitem(last=False)
        if len(self._queue) >= MOST_QUEUED:
            self._lost += 1
            return True
        self._queue.append(
            Finding(
                finding_id=self._ids.new(FINDING),
                kind=kind,
                subject=subject,
                account_id=account_id,
                step=step,
                score=score,
                reasons=list(reasons),
                found_at=now,
                expires_at=now + lasts,
            )
        )
        return True

    async def flush(self) -> None:
        """Write what waits; it waits on where the database is away."""
        waiting = list(self._queue)
        if waiting:
            async with self._database.transaction() as transaction:
                await store.add(transaction, waiting)
            for _ in waiting:
                self._queue.popleft()
            for each in waiting:
                structlog.get_logger().info(
                    "fraud_found",
                    kind=each.kind,
                    subject=each.subject,
                    account_id=each.account_id,
                    step=each.step,
                    score=each.score,
                    reasons=[reason.code for reason in each.reasons],
                )
        if self._lost:
            structlog.get_logger().warning("fraud_findings_lost", count=self._lost)
            self._lost = 0

    async def page(self, request: ListFindings) -> FindingPage:
        limit = checked_limit(request.limit)
        before = _before(request.after)
        await self.flush()
        async with self._database.transaction() as transaction:
            found = await store.holding(
                transaction, request.kind, before, self._clock.now(), limit + 1
            )
        page = found[:limit]
        if len(page) == len(found):
            return FindingPage(findings=page)
        cursor = cursor_of(page[-1].found_at.isoformat(), page[-1].finding_id)
        return FindingPage(findings=page, next_cursor=cursor)

    async def of_account(
        self, transaction: Transaction, request: ExplainAccount, mail: str
    ) -> list[Finding]:
        return await store.of_account(transaction, request.account_id, mail, MOST_ROWS)

    async def forgive(self, transaction: Transaction, account_id: AccountId, mail: str) -> int:
        for kind, subject in list(self._held):
            if subject in (account_id, mail):
                del self._held[kind, subject]
        return await store.forgive(transaction, account_id, mail, self._clock.now())


def _before(cursor: str) -> tuple[datetime, str] | None:
    keys = keys_of(cursor, 2)
    if keys is None:
        return None
    try:
        found_at = datetime.fromisoformat(keys[0])
    except ValueError as error:
        raise PageInvalid("The cursor is not one of this list.") from error
    if found_at.tzinfo is None:
        raise PageInvalid("The cursor is not one of this list.")
    return found_at, keys[1]
