"""Fraud in memory: it says what a test wants, and keeps what it was asked."""

from dataclasses import dataclass, field
from typing import ClassVar

import msgspec

from cuemark.contracts import fraud
from cuemark.contracts.fraud import Noted, Verdict
from cuemark.kit.errors import Refusal
from tests.unit.gateway.neighbours.neighbour import Neighbour


@dataclass
class Watchman(Neighbour):
    refusals: ClassVar[tuple[type[Refusal], ...]] = fraud.Fraud.refusals
    verdict: Verdict = field(default_factory=lambda: Verdict(step="pass"))
    letter: bool = False
    findings: list[fraud.Finding] = field(default_factory=list)
    heard: list[msgspec.Struct] = field(default_factory=list)

    async def judge_login(self, request: fraud.JudgeLogin) -> Verdict:
        self._hear(request)
        return self.verdict

    async def note_login(self, request: fraud.NoteLogin) -> Noted:
        self._hear(request)
        return Noted(letter=self.letter and request.opened)

    async def judge_card(self, request: fraud.JudgeCard) -> Verdict:
        self._hear(request)
        return self.verdict

    async def note_card(self, request: fraud.NoteCard) -> Noted:
        return self._hear(request)

    async def note_play(self, request: fraud.NotePlay) -> Noted:
        return self._hear(request)

    async def list_findings(self, request: fraud.ListFindings) -> fraud.FindingPage:
        self._hear(request)
        return fraud.FindingPage(findings=self.findings[: request.limit])

    async def explain(self, request: fraud.ExplainAccount) -> fraud.Explanation:
        self._hear(request)
        return fraud.Explanation(account_id=request.account_id, findings=self.findings)

    async def forgive(self, request: fraud.Forgive) -> fraud.Forgiven:
        self._hear(request)
        return fraud.Forgiven(forgiven=len(self.findings))

    def _hear(self, request: msgspec.Struct) -> Noted:
        self.check()
        self.heard.append(request)
        return Noted()
