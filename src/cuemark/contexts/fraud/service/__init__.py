"""Fraud: verdicts go out, what came of them comes in, and findings are kept with their reasons."""

import asyncio
from datetime import timedelta

import msgspec
import structlog

from cuemark.contexts.fraud.model import sharing as model
from cuemark.contexts.fraud.service.cards import KEPT as CARDS_KEPT
from cuemark.contexts.fraud.service.cards import Cards
from cuemark.contexts.fraud.service.findings import Findings
from cuemark.contexts.fraud.service.logins import Logins
from cuemark.contexts.fraud.service.sharing import Sharing
from cuemark.contexts.fraud.store import cards as card_store
from cuemark.contexts.fraud.store import findings as finding_store
from cuemark.contexts.fraud.store import seen as seen_store
from cuemark.contracts.fraud import (
    ExplainAccount,
    Explanation,
    FindingPage,
    Forgive,
    Forgiven,
    Fraud,
    JudgeCard,
    JudgeLogin,
    ListFindings,
    NoteCard,
    Noted,
    NoteLogin,
    NotePlay,
    Verdict,
)
from cuemark.contracts.identity.changing import AccountDeleted
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database, Transaction
from cuemark.kit.errors import Unavailable
from cuemark.kit.outbox import Entry

WRITE_EVERY_S = 1.0
TIDY_EVERY = timedelta(hours=1)
FINDINGS_KEPT = timedelta(days=30)
"""After they have expired."""


class FraudService(Fraud):
    def __init__(
        self,
        database: Database,
        clock: Clock,
        logins: Logins,
        cards: Cards,
        sharing: Sharing,
        findings: Findings,
    ) -> None:
        self._database = database
        self._clock = clock
        self._logins = logins
        self._cards = cards
        self._sharing = sharing
        self._findings = findings

    async def judge_login(self, request: JudgeLogin) -> Verdict:
        return self._logins.judge(request)

    async def note_login(self, request: NoteLogin) -> Noted:
        return self._logins.note(request)

    async def judge_card(self, request: JudgeCard) -> Verdict:
        return await self._cards.judge(request)

    async def note_card(self, request: NoteCard) -> Noted:
        await self._cards.note(request)
        return Noted()

    async def note_play(self, request: NotePlay) -> Noted:
        self._sharing.note(request)
        return Noted()

    async def list_findings(self, request: ListFindings) -> FindingPage:
        return await self._findings.page(request)

    async def explain(self, request: ExplainAccount) -> Explanation:
        await self.flush()
        mail = self._logins.tag(request.email)
        async with self._database.transaction() as transaction:
            return Explanation(
                account_id=request.account_id,
                findings=await self._findings.of_account(transaction, request, mail),
                places=await seen_store.places(transaction, request.account_id),
            )

    async def forgive(self, request: Forgive) -> Forgiven:
        await self.flush()
        mail = self._logins.tag(request.email)
        if mail:
            self._logins.forget(mail)
        self._sharing.forget(request.account_id)
        async with self._database.transaction() as transaction:
            await card_store.forgive(transaction, request.account_id)
            await seen_store.erase(transaction, request.account_id)
            forgiven = await self._findings.forgive(transaction, request.account_id, mail)
        return Forgiven(forgiven=forgiven)

    async def follow(self, transaction: Transaction, entry: Entry) -> None:
        """What billing declined, and accounts that are no more. Idempotent."""
        if entry.kind != AccountDeleted.__name__:
            await self._cards.follow(transaction, entry)
            return
        account_id = msgspec.json.decode(entry.body, type=AccountDeleted).account_id
        self._sharing.forget(account_id)
        await card_store.erase(transaction, account_id)
        await seen_store.erase(transaction, account_id)
        await finding_store.erase(transaction, account_id)

    async def flush(self) -> None:
        await self._sharing.flush()
        await self._findings.flush()

    async def tidy(self) -> None:
        """Drop what says nothing any more."""
        now = self._clock.now()
        async with self._database.transaction() as transaction:
            await finding_store.drop_before(transaction, now - FINDINGS_KEPT)
            await card_store.drop_before(transaction, now - CARDS_KEPT)
            since = now.date() - timedelta(days=model.DAYS)
            await seen_store.drop_before(transaction, since)

    async def keep_writing(self, every_s: float = WRITE_EVERY_S) -> None:
        """Write for ever; a database that is away is waited for."""
        tidied_s = -TIDY_EVERY.total_seconds()
        while True:
            try:
                await self.flush()
                if self._clock.monotonic_s() - tidied_s >= TIDY_EVERY.total_seconds():
                    await self.tidy()
                    tidied_s = self._clock.monotonic_s()
            except Unavailable:
                structlog.get_logger().warning("fraud_waits")
            await asyncio.sleep(every_s)
