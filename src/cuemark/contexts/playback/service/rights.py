"""Asks rights for a play: at its start, and while it runs."""

import structlog

from cuemark.contexts.playback.model.rights import sentence
from cuemark.contexts.playback.model.session import Session
from cuemark.contexts.playback.service.parts import RIGHTS, needed
from cuemark.contracts.catalog import Title
from cuemark.contracts.ids import TitleId
from cuemark.contracts.playback import NoRight
from cuemark.contracts.rights import Decide, Decision, Decisions, Rights
from cuemark.kit.errors import Unavailable


class RightToPlay:
    """Without rights nothing begins, and what runs goes on until the end that it began with."""

    def __init__(self, rights: Rights) -> None:
        self._rights = rights

    async def ask(self, title_id: TitleId, territory: str) -> Decisions:
        """What rights say of a play that would begin now; raises ``CannotPlayNow``."""
        asked = Decide(title_ids=[title_id], territory=territory)
        return await needed(RIGHTS, self._rights.decide(asked))

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


def allowed(title: Title, found: Decisions) -> Decision:
    """The right to begin a play; raises ``NoRight``."""
    (right,) = found.decisions
    if not right.allowed:
        raise NoRight(sentence(title.name, found.territory, right))
    return right
