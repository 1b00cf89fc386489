"""Credential stuffing: how much speaks against an attempt to log in, and what is asked of it.

Each attempt is scored from what failed lately: from its address, from its network, at its mail
address, and everywhere. Wrong second factors are counted apart from wrong passwords: only who knows
the password can guess at them, and the guesses of others must not weigh against the owner there. A
challenge that was given and not answered counts as a failure does, so that an attack which is held
off does not look like peace.
"""

import math
from typing import NamedTuple

from cuemark.contexts.fraud.model.fading import Fading
from cuemark.contracts.fraud import By, Reason, Step

MOST_KEYS = 65_536
LATELY_S, NOW_S, USUALLY_S = 600.0, 15.0, 21_600.0
"""Half-lives: of what an address or a mail did, of the rate now, and of the rate as it is."""

ALARM_PER_S, ALARM_TIMES = 1.0, 5.0
"""So many failures in a second are an attack, or so many times as many as usual."""

SLOW, PROOF, LETTER = 20, 40, 90
MAIL_ALONE = 48
"""A letter is asked for where so many points come of wrong passwords for the mail address."""
LONGEST_WAIT_S = 2.0
FEWEST_BITS, MOST_BITS = 14, 21
DEVICE_TRIES = 10.0
"""After so many failures a device that is known counts as one that is not, for a while."""


class Attempt(NamedTuple):
    """``mail`` is a tag that tells nobody which address it is, empty where a passkey has not said
    yet; ``device`` a known device's id."""

    mail: str
    address: str
    network: str
    device: str = ""
    by: By = "password"


class Judgement(NamedTuple):
    step: Step
    score: int
    reasons: tuple[Reason, ...]
    wait_s: float = 0.0
    bits: int = 0


KNOWN = Judgement("pass", 0, ())


class Stuffing:
    """What is remembered of failures, and the verdicts that come of it; times are monotonic."""

    def __init__(self) -> None:
        self._addresses = Fading(LATELY_S, MOST_KEYS)
        self._networks = Fading(LATELY_S, MOST_KEYS)
        self._mails = Fading(LATELY_S, MOST_KEYS)
        self._codes = Fading(LATELY_S, MOST_KEYS)
        self._devices = Fading(LATELY_S, MOST_KEYS)
        self._pairs = Fading(LATELY_S, MOST_KEYS)
        self._spread = Fading(LATELY_S, MOST_KEYS)
        self._now = Fading(NOW_S, 2)
        self._usually = Fading(USUALLY_S, 1)

    def is_trusted(self, attempt: Attempt, now_s: float) -> bool:
        """Whether a device that logged in with this mail before may be let through at once."""
        return bool(attempt.device) and self._devices.of(attempt.device, now_s) < DEVICE_TRIES

    def judge(self, attempt: Attempt, now_s: float, *, proven: bool) -> Judgement:
        """What is asked of an attempt; one that is ``proven`` has done the work of a challenge."""
        reasons = tuple(each for each in self._reasons(attempt, now_s) if each.points)
        score = min(100, sum(each.points for each in reasons))
        if _by_letter(reasons) and score >= LETTER:
            return Judgement("letter", score, reasons)
        if score < SLOW or proven:
            return Judgement("pass", score, reasons)
        if score < PROOF:
            wait_s = LONGEST_WAIT_S * (score - SLOW) / (PROOF - SLOW)
            return Judgement("slow", score, reasons, wait_s=max(0.25, wait_s))
        return Judgement("proof", score, reasons, bits=self._bits(score, now_s))

    def challenged(self, attempt: Attempt, now_s: float) -> None:
        """A challenge was given. It counts against where it went, until it is answered, and not
        against the mail address: nobody can shut a member out by asking alone."""
        self._count(attempt, now_s, 1.0)

    def answered(self, attempt: Attempt, now_s: float) -> None:
        self._count(attempt, now_s, -1.0)

    def failed(self, attempt: Attempt, now_s: float, *, proven: bool) -> None:
        """What was shown is wrong. Who solves puzzles and fails all the same makes them harder."""
        self._count(attempt, now_s, 1.0)
        if attempt.mail:
            tried = self._codes if attempt.by == "factor" else self._mails
            tried.add(attempt.mail, now_s)
        if attempt.device:
            self._devices.add(attempt.device, now_s)
        if proven:
            self._now.add("proven", now_s)
        pair = (attempt.address, attempt.mail)
        if attempt.mail and attempt.address and self._pairs.add(pair, now_s) < 1.5:
            self._spread.add(attempt.address, now_s)

    def _count(self, attempt: Attempt, now_s: float, weight: float) -> None:
        self._now.add("failures", now_s, weight)
        self._usually.add("failures", now_s, weight)
        if attempt.address:
            self._addresses.add(attempt.address, now_s, weight)
            self._networks.add(attempt.network, now_s, weight)

    def opened(self, attempt: Attempt) -> None:
        """Whoever is in has not guessed: what failed before was forgetting."""
        self._mails.forget(attempt.mail)
        self._codes.forget(attempt.mail)
        self._devices.forget(attempt.device)

    def _reasons(self, attempt: Attempt, now_s: float) -> tuple[Reason, ...]:
        failed = self._addresses.of(attempt.address, now_s)
        near = self._networks.of(attempt.network, now_s)
        spread = self._spread.of(attempt.address, now_s)
        return (
            self._of_mail(attempt, now_s),
            _reason("address", _points(failed, 4, 5, 60), f"{failed:.0f} failures from there"),
            _reason("network", _points(near, 12, 2, 40), f"{near:.0f} failures from around there"),
            _reason("spread", _points(spread, 4, 8, 50), f"{spread:.0f} mail addresses from there"),
            self._of_everyone(now_s),
        )

    def _of_mail(self, attempt: Attempt, now_s: float) -> Reason:
        if attempt.by == "factor":
            codes = self._codes.of(attempt.mail, now_s)
            return _reason("codes", _points(codes, 3, 9, 70), f"{codes:.0f} wrong second factors")
        tried = self._mails.of(attempt.mail, now_s)
        return _reason("mail", _points(tried, 4, 6, 70), f"{tried:.0f} failures at this address")

    def _of_everyone(self, now_s: float) -> Reason:
        rate = self._now.rate("failures", now_s)
        alarm = max(ALARM_PER_S, ALARM_TIMES * self._usually.rate("failures", now_s))
        points = 0
        if rate > alarm:
            points = 40 + min(20, int(5 * math.log2(rate / alarm)))
        return _reason("everyone", points, f"{rate:.0f} failures a second, {alarm:.0f} alarm")

    def _bits(self, score: int, now_s: float) -> int:
        dearer = max(0.0, math.log2(max(1.0, self._now.rate("proven", now_s))))
        return min(MOST_BITS, FEWEST_BITS + (score - PROOF) // 15 + math.ceil(dearer))


def _by_letter(reasons: tuple[Reason, ...]) -> bool:
    return any(each.code == "mail" and each.points >= MAIL_ALONE for each in reasons)


def _points(count: float, free: float, each: float, most: int) -> int:
    return min(most, int(max(0.0, count - free) * each))


def _reason(code: str, points: int, text: str) -> Reason:
    return Reason(code=code, points=points, text=text)
