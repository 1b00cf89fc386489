"""Attempts to log in: judged from memory alone, before a password is looked at."""

import hashlib
import hmac
from datetime import timedelta

from cuemark.contexts.fraud.model import places
from cuemark.contexts.fraud.model.approvals import Approvals
from cuemark.contexts.fraud.model.challenges import Challenges
from cuemark.contexts.fraud.model.stuffing import KNOWN, Attempt, Judgement, Stuffing
from cuemark.contexts.fraud.service.findings import EVERYONE, Findings
from cuemark.contracts.fraud import JudgeLogin, Noted, NoteLogin, Verdict
from cuemark.kit.clock import Clock

FINDING_LASTS = timedelta(hours=6)
LONGEST_MAIL = 254


class Logins:
    def __init__(
        self,
        stuffing: Stuffing,
        challenges: Challenges,
        findings: Findings,
        approvals: Approvals,
        key: bytes,
        clock: Clock,
    ) -> None:
        self._stuffing = stuffing
        self._challenges = challenges
        self._findings = findings
        self._approvals = approvals
        self._key = key
        self._clock = clock

    def judge(self, request: JudgeLogin) -> Verdict:
        now_s = self._clock.monotonic_s()
        attempt = self._attempt(request)
        if self._stuffing.is_trusted(attempt, now_s):
            return _verdict(KNOWN)
        proven = bool(request.answer) and self._challenges.spend(
            request.answer, _subject(attempt), self._clock.now().timestamp()
        )
        if proven:
            self._stuffing.answered(attempt, now_s)
        judgement = self._stuffing.judge(attempt, now_s, proven=proven)
        if judgement.step != "pass":
            self._keep(attempt, judgement)
        if judgement.step != "proof":
            return _verdict(judgement, proven=proven)
        self._stuffing.challenged(attempt, now_s)
        challenge = self._challenges.new(
            _subject(attempt), judgement.bits, self._clock.now().timestamp()
        )
        return _verdict(judgement, challenge=challenge)

    def note(self, request: NoteLogin) -> Noted:
        attempt = self._attempt(request)
        if not request.opened:
            self._stuffing.failed(attempt, self._clock.monotonic_s(), proven=request.proven)
            return Noted()
        if not request.asked:
            self._stuffing.opened(attempt)
        if request.by == "factor":
            # The first step was held to it, or came by a letter.
            return Noted()
        asked = self._approvals.are_asked(attempt.mail, self._clock.now())
        return Noted(letter=asked and not request.device)

    def forget(self, mail: str) -> None:
        self._approvals.forget(mail)
        self._stuffing.opened(Attempt(mail, "", ""))

    def tag(self, email: str) -> str:
        """What a mail address is called here: nobody without the key tells which it is."""
        if not email:
            return ""
        said = email[: LONGEST_MAIL * 2].strip(" \t\r\n").lower().encode()
        return "mail_" + hmac.new(self._key, said, hashlib.sha256).hexdigest()[:24]

    def _attempt(self, request: JudgeLogin | NoteLogin) -> Attempt:
        return Attempt(
            self.tag(request.email),
            places.address_of(request.client_address),
            places.network_of(request.client_address),
            request.device,
            request.by,
        )

    def _keep(self, attempt: Attempt, judgement: Judgement) -> None:
        """Under what speaks most against it; an attack from everywhere is one finding."""
        first = max(judgement.reasons, key=lambda each: each.points).code
        subject = {
            "mail": attempt.mail,
            "codes": attempt.mail,
            "everyone": EVERYONE,
            "network": attempt.network,
        }.get(first, attempt.address)
        self._findings.found(
            "stuffing", subject, judgement.step, judgement.score, judgement.reasons, FINDING_LASTS
        )


def _subject(attempt: Attempt) -> str:
    """Who alone may answer a challenge: a telephone changes its address, and its mail seldom."""
    return f"login {attempt.mail}"


def _verdict(judgement: Judgement, *, proven: bool = False, challenge: str = "") -> Verdict:
    return Verdict(
        step=judgement.step,
        score=judgement.score,
        reasons=list(judgement.reasons),
        proven=proven,
        wait_s=judgement.wait_s,
        challenge=challenge,
        bits=judgement.bits,
    )
