"""What is asked of somebody before a login's password or factor is checked or a card is taken, as
fraud says.

While fraud is away everybody passes: the limits of routes and the room for password checks remain.
"""

import contextlib
from dataclasses import dataclass

from cuemark.contracts.fraud import (
    By,
    JudgeCard,
    JudgeLogin,
    NoteCard,
    NoteLogin,
    NotePlay,
    Verdict,
)
from cuemark.contracts.identity import Standing
from cuemark.contracts.identity.factors import FindChallenge
from cuemark.gateway import badges
from cuemark.gateway.access import cookie_of
from cuemark.gateway.badges import Badge
from cuemark.gateway.errors import LetterNeeded, ProofNeeded, TooManyRequests
from cuemark.gateway.parts import AnyRequest, GatewayParts
from cuemark.kit.errors import Unavailable


@dataclass(frozen=True)
class Admission:
    """An attempt to log in that may go on."""

    parts: GatewayParts
    badge: Badge
    asked: JudgeLogin
    standing: Standing

    async def failed(self) -> None:
        """Tell that what was shown is wrong."""
        await self._note(self.asked.email, opened=False)

    async def passed(self, email: str, *, asked: bool = False) -> None:
        """Tell that what was shown is right; ``LetterNeeded`` where a letter is to say yes as well.

        ``asked``: a second factor is asked for, and no login is open yet.
        """
        if await self._note(email, opened=True, asked=asked):
            raise LetterNeeded(
                "This account is used in several homes, and this device is new: ask for a login "
                "link by mail."
            )

    async def _note(self, email: str, *, opened: bool, asked: bool = False) -> bool:
        with contextlib.suppress(Unavailable):
            noted = await self.parts.fraud.note_login(
                NoteLogin(
                    email=email,
                    client_address=self.asked.client_address,
                    device=_device(self.parts, self.badge, email),
                    proven=self.standing == "proven",
                    opened=opened,
                    by=self.asked.by,
                    asked=asked,
                )
            )
            return noted.letter
        return False


async def admit_login(
    parts: GatewayParts, request: AnyRequest, email: str, answer: str, by: By = "password"
) -> Admission:
    """Raises ``ProofNeeded``, ``LetterNeeded`` and ``TooManyRequests``."""
    badge = parts.badges.read(cookie_of(request.headers, badges.COOKIE, ""))
    device = _device(parts, badge, email)
    asked = JudgeLogin(
        email=email,
        client_address=parts.client_of(request),
        device=device,
        answer=answer,
        by=by,
    )
    try:
        verdict = await parts.fraud.judge_login(asked)
    except Unavailable:
        return Admission(parts, badge, asked, "known" if device else "unknown")
    await _heed(parts, verdict)
    if verdict.proven:
        return Admission(parts, badge, asked, "proven")
    known = device and not verdict.reasons
    return Admission(parts, badge, asked, "known" if known else "unknown")


async def admit_factor(
    parts: GatewayParts, request: AnyRequest, challenge: str, answer: str
) -> Admission:
    """Raises as ``admit_login`` does, and ``ChallengeSpent``."""
    found = await parts.identity.find_challenge(FindChallenge(challenge=challenge))
    return await admit_login(parts, request, found.email, answer, by="factor")


async def admit_card(parts: GatewayParts, request: AnyRequest, card: str, answer: str) -> None:
    """Raises as ``admit_login`` does. A card that is admitted counts as given."""
    address = parts.client_of(request)
    account_id, login = request.user.account_id, request.user.login_id
    with contextlib.suppress(Unavailable):
        verdict = await parts.fraud.judge_card(
            JudgeCard(account_id=account_id, login=login, client_address=address, answer=answer)
        )
        await _heed(parts, verdict)
        await parts.fraud.note_card(
            NoteCard(account_id=account_id, login=login, client_address=address, card=card)
        )


async def note_play(parts: GatewayParts, note: NotePlay) -> None:
    with contextlib.suppress(Unavailable):
        await parts.fraud.note_play(note)


def _device(parts: GatewayParts, badge: Badge, email: str) -> str:
    """The device, where it logged in with this mail address before."""
    return badge.device if parts.badges.knows(badge, email) else ""


async def _heed(parts: GatewayParts, verdict: Verdict) -> None:
    match verdict.step:
        case "slow":
            if not await parts.slowed.wait(verdict.wait_s):
                raise TooManyRequests("Many people wait here: try again in a moment.")
        case "proof":
            raise ProofNeeded(verdict.challenge, verdict.bits)
        case "letter":
            raise LetterNeeded(
                "Somebody has tried many passwords for this mail address: ask for a login link by "
                "mail."
            )
        case "wait":
            now = parts.clock.now()
            until = verdict.until or now
            raise TooManyRequests(
                f"Too many cards were given here: the next can be given after {until:%d %B, %H:%M} "
                "UTC.",
                max(1, int((until - now).total_seconds())),
            )
        case "pass" | "notice":
            pass
