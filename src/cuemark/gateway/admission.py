"""What is asked of somebody before a password is checked or a card is taken, as fraud says.

While fraud is away everybody passes: the limits of routes and the room for password checks remain.
"""

import contextlib
from dataclasses import dataclass

from cuemark.contracts.fraud import JudgeCard, JudgeLogin, NoteCard, NoteLogin, NotePlay, Verdict
from cuemark.contracts.identity import Standing
from cuemark.gateway import badges
from cuemark.gateway.access import cookie_of
from cuemark.gateway.errors import LetterNeeded, ProofNeeded, TooManyRequests
from cuemark.gateway.parts import AnyRequest, GatewayParts
from cuemark.kit.errors import Unavailable


@dataclass(frozen=True)
class Admission:
    """An attempt to log in that may go on."""

    parts: GatewayParts
    asked: JudgeLogin
    standing: Standing

    async def note(self, *, opened: bool) -> bool:
        """Tell what came of it; whether the login is to be opened by a letter instead."""
        with contextlib.suppress(Unavailable):
            noted = await self.parts.fraud.note_login(
                NoteLogin(
                    email=self.asked.email,
                    client_address=self.asked.client_address,
                    device=self.asked.device,
                    proven=self.standing == "proven",
                    opened=opened,
                )
            )
            return noted.letter
        return False


async def admit_login(
    parts: GatewayParts, request: AnyRequest, email: str, answer: str
) -> Admission:
    """Raises ``ProofNeeded``, ``LetterNeeded`` and ``TooManyRequests``."""
    badge = parts.badges.read(cookie_of(request.headers, badges.COOKIE, ""))
    known = parts.badges.knows(badge, email)
    asked = JudgeLogin(
        email=email,
        client_address=parts.client_of(request),
        device=badge.device if known else "",
        answer=answer,
    )
    try:
        verdict = await parts.fraud.judge_login(asked)
    except Unavailable:
        return Admission(parts, asked, "known" if known else "unknown")
    await _heed(parts, verdict)
    if verdict.proven:
        return Admission(parts, asked, "proven")
    return Admission(parts, asked, "known" if known and not verdict.reasons else "unknown")


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
