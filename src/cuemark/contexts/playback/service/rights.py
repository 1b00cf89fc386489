"""Asks rights for a play: at its start, and while it runs."""

import structlog

from cuemark.contexts.playback.model.rights import Asked, sentence
from cuemark.contexts.playback.model.session import Session
from cuemark.contexts.playback.service.parts import RIGHTS, needed
from cuemark.contracts.catalog import Title
from cuemark.contracts.playback import NoRight
from cuemark.contracts.rights import Decision, Decisions, Rights
from cuemark.kit.errors import Unavailable


class RightToPlay:
    """Without rights nothing begins, and what runs goes on until the end that it began with."""

    def __init__(self, rights: Rights) -> None:
        self._rights = rights

    async def ask(self, asked: Asked) -> Decisions:
        """What rights say of a play that would begin now; raises ``CannotPlayNow``."""
        return await needed(RIGHTS, self._rights.decide(asked.question))

    async def check_running(self, session: Session) -> None:
        """Raises ``NoRight`` where a running play may not go on."""
        try:
            (right,) = (await self._rights.decide(session.right_asked.question)).decisions
        except Unavailable:
            structlog.get_logger().warning("right_not_asked", session_id=session.session_id)
            return
        if not right.may_go_on:
            raise NoRight("The right to play this title has ended.")


def allowed(title: Title, found: Decisions) -> Decision:
    """The right to begin a play; raises ``NoRight``."""
    (right,) = found.decisions
    if not right.allowed:
        raise NoRight(sentence(title.name, found.territory, right))
    return right
