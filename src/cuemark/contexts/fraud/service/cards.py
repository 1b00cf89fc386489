"""Cards: counted in the database, since tests of cards take their time; told of by billing."""

import hashlib
from datetime import timedelta

import msgspec

from cuemark.contexts.fraud.model import cards as model
from cuemark.contexts.fraud.model import places
from cuemark.contexts.fraud.model.cards import CardJudgement, Given
from cuemark.contexts.fraud.model.challenges import Challenges
from cuemark.contexts.fraud.service.findings import Findings
from cuemark.contexts.fraud.store import cards as store
from cuemark.contracts.billing.events import PaymentDeclined, SubscriptionChanged
from cuemark.contracts.fraud import JudgeCard, NoteCard, Verdict
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database, Transaction
from cuemark.kit.outbox import Entry

FINDING_LASTS = timedelta(days=2)
KEPT = timedelta(days=7)


class Cards:
    def __init__(
        self, database: Database, clock: Clock, challenges: Challenges, findings: Findings
    ) -> None:
        self._database = database
        self._clock = clock
        self._challenges = challenges
        self._findings = findings

    async def judge(self, request: JudgeCard) -> Verdict:
        given, now = _given(request), self._clock.now()
        since = now - model.WINDOW
        async with self._database.transaction() as transaction:
            account = await store.counted(transaction, "account_id", given.account_id, since)
            login = await store.counted(transaction, "login", given.login, since)
            address = await store.counted(transaction, "address", given.address, since)
            network = await store.counted(transaction, "network", given.network, since)
            everyone = await store.everyone(transaction, since)
        judgement = model.judge(account, login, address, network, everyone, now)
        if judgement.step != "pass":
            self._keep(given, judgement)
        return self._verdict(given, judgement, request.answer)

    async def note(self, request: NoteCard) -> None:
        given = _given(request)
        card = hashlib.sha256(request.card.encode()).digest()
        async with self._database.transaction() as transaction:
            await store.add(transaction, given, card, self._clock.now())

    async def follow(self, transaction: Transaction, entry: Entry) -> None:
        """A card was declined when it was charged, or before the first charge."""
        if entry.kind == PaymentDeclined.__name__:
            declined = msgspec.json.decode(entry.body, type=PaymentDeclined)
            await store.decline(transaction, declined.account_id, self._clock.now())
        elif entry.kind == SubscriptionChanged.__name__:
            changed = msgspec.json.decode(entry.body, type=SubscriptionChanged)
            if changed.before == "incomplete" and changed.state == "ended":
                await store.decline(transaction, changed.account_id, self._clock.now())

    def _verdict(self, given: Given, judgement: CardJudgement, answer: str) -> Verdict:
        now = self._clock.now()
        subject = f"card {given.account_id}"
        if judgement.step == "proof":
            if answer and self._challenges.spend(answer, subject, now.timestamp()):
                return _said(judgement, step="pass", proven=True)
            challenge = self._challenges.new(subject, model.BITS, now.timestamp())
            return _said(judgement, challenge=challenge, bits=model.BITS)
        wait_s = model.WAIT_S if judgement.step == "slow" else 0.0
        return _said(judgement, until=judgement.until, wait_s=wait_s)

    def _keep(self, given: Given, judgement: CardJudgement) -> None:
        self._findings.found(
            "cards",
            given.account_id,
            judgement.step,
            judgement.score,
            judgement.reasons,
            FINDING_LASTS,
            given.account_id,
        )


def _said(judgement: CardJudgement, **more: object) -> Verdict:
    verdict = Verdict(step=judgement.step, score=judgement.score, reasons=list(judgement.reasons))
    return msgspec.structs.replace(verdict, **more)


def _given(request: JudgeCard | NoteCard) -> Given:
    return Given(
        request.account_id,
        request.login,
        places.address_of(request.client_address),
        places.network_of(request.client_address),
    )
