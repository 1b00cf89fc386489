"""Sharing: plays are noted in memory, written together, and judged when something new was seen."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import structlog

from cuemark.contexts.fraud.model import letters, places
from cuemark.contexts.fraud.model import sharing as model
from cuemark.contexts.fraud.model.approvals import Approvals
from cuemark.contexts.fraud.service.findings import Findings
from cuemark.contexts.fraud.store import seen as store
from cuemark.contexts.fraud.store.seen import Sight
from cuemark.contracts.fraud import NotePlay
from cuemark.contracts.ids import AccountId
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.mail.letter import LetterInvalid
from cuemark.kit.mail.post import Post

FINDING_LASTS = timedelta(days=model.DAYS)
APPROVED_FOR = timedelta(days=3)
"""For so long new devices come in by a letter; each day that looks alike sets it anew."""
MOST_WAITING = 20_000
MOST_BESIDE = 20

Key = tuple[AccountId, date, str, str]


class Sharing:
    """``tag`` is what a mail address is called in ``approvals``; ``signed_by`` is in whose name
    letters are written, and where their links lead."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        findings: Findings,
        post: Post,
        approvals: Approvals,
        tag: Callable[[str], str],
        signed_by: tuple[str, str],
    ) -> None:
        self._database = database
        self._clock = clock
        self._findings = findings
        self._post = post
        self._approvals = approvals
        self._tag = tag
        self._signed_by = signed_by
        self._waiting: dict[Key, Sight] = {}
        self._emails: dict[AccountId, str] = {}
        self._judged: dict[AccountId, date] = {}

    def note(self, request: NotePlay) -> None:
        now = self._clock.now()
        network = places.network_of(request.client_address)
        key = (request.account_id, now.date(), request.login, network)
        if key not in self._waiting and len(self._waiting) >= MOST_WAITING:
            return
        sight = Sight(
            request.account_id,
            request.login,
            network,
            request.territory,
            now,
            frozenset(request.beside[:MOST_BESIDE]),
        )
        before = self._waiting.get(key, sight)
        self._waiting[key] = sight._replace(beside=before.beside | sight.beside)
        self._emails[request.account_id] = request.email

    async def flush(self) -> None:
        """Write what was noted, and judge each of its accounts once a day."""
        waiting, self._waiting = self._waiting, {}
        emails, self._emails = self._emails, {}
        if not waiting:
            return
        try:
            async with self._database.transaction() as transaction:
                await store.add(transaction, list(waiting.values()))
        except BaseException:
            self._waiting = waiting | self._waiting
            self._emails = emails | self._emails
            raise
        now = self._clock.now()
        if len(self._judged) > MOST_WAITING:
            self._judged.clear()
        for account_id, email in emails.items():
            if self._judged.get(account_id) != now.date():
                await self._judge(account_id, email, now)
                self._judged[account_id] = now.date()

    def forget(self, account_id: AccountId) -> None:
        self._judged.pop(account_id, None)
        for key in [key for key in self._waiting if key[0] == account_id]:
            del self._waiting[key]

    async def _judge(self, account_id: AccountId, email: str, now: datetime) -> None:
        since = now.date() - timedelta(days=model.DAYS)
        async with self._database.transaction() as transaction:
            seen = await store.of_account(transaction, account_id, since)
        judgement = model.judge(seen, now.date())
        if judgement.step == "pass":
            return
        if judgement.step == "letter" and email:
            self._approvals.ask(self._tag(email), now + APPROVED_FOR)
        new = self._findings.found(
            "sharing",
            account_id,
            judgement.step,
            judgement.score,
            judgement.reasons,
            FINDING_LASTS,
            account_id,
        )
        if new and email:
            await self._tell(email)

    async def _tell(self, email: str) -> None:
        try:
            letter = letters.shared(*self._signed_by, email)
        except LetterInvalid:
            structlog.get_logger().warning("notice_undeliverable")
            return
        async with self._database.transaction() as transaction:
            await self._post.put(transaction, letter, useless_after=letters.NOTICE_LASTS)
