"""Asks rights for a play: at its start, and while it runs."""

import structlog

from cuemark.contexts.playback.model.rights import sentence
from cuemark.contexts.playback.model.session import Session
from cuemark.contracts.catalog import Title
from cuemark.contracts.playback import CannotPlayNow, NoRight
from cuemark.contracts.rights import Decide, Decision, Rights
from cuemark.kit.errors import Unavailable


class RightToPlay:
    """Without rights nothing begins, and what runs goes on until the end that it began with."""

    def __init__(self, rights: Rights) -> None:
        self._rights = rights

    async def check_start(self, title: Title, territory: str) -> Decision:
        """The right to begin a play; raises ``NoRight`` and ``CannotPlayNow``."""
        asked = Decide(title_ids=[title.title_id], territory=territory)
        try:
            found = await self._rights.decide(asked)
        except Unavailable as away:
            raise not_now("What rights there are cannot be read", away) from away
        (right,) = found.decisions
        if not right.allowed:
            raise NoRight(sentence(title.name, found.territory, right))
        return right

    async def check_running(self, session: Session) -> None:
        """Raises ``NoRight`` where a running play may not go on."""
        asked = Decide(title_ids=[session.title_id], territory=session.territory)
        try:
            (right,) = (await self._rights.decide(asked)).decisions
        except Unavailable:
            structlog.get_logger().warning("right_not_asked", session_id=session.session_id)
            return
        if not right.may_go_on:
            raise NoRight("The right to play this title has ended.")


def not_now(what: str, away: Unavailable) -> CannotPlayNow:
    structlog.get_logger().warning("play_refused", reason=str(away))
    return CannotPlayNow(f"{what} just now: try again in a moment.")
