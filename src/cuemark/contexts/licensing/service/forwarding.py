"""Challenges of DRM systems, taken to their licence servers with what a licence may be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from cuemark.contexts.licensing.model import keys as rules
from cuemark.contexts.licensing.model.dialects import Challenge, Dialect, NoLicence
from cuemark.contexts.licensing.model.keys import LicenceSession, WrappedKey
from cuemark.contexts.licensing.model.policy import Terms, policy_of
from cuemark.contexts.licensing.servers.asking import Asker, NoAnswer, Server
from cuemark.contexts.licensing.service.master_keys import Rotation
from cuemark.contracts.licensing import (
    ForwardChallenge,
    LicenceRefused,
    LicenceServerAway,
    ServerLicence,
)
from cuemark.contracts.protection import Demands, System
from cuemark.kit.clock import Clock

LICENCE_S = 8.0
MAX_LICENCE_BYTES = 256 << 10


@dataclass(frozen=True)
class LicenceServer:
    """Where the licences of a DRM system come from, and how it is spoken to."""

    server: Server
    dialect: Dialect


class Forwarding:
    """Asks the licence server of each system; ``terms`` hold for what it gives."""

    def __init__(
        self,
        asker: Asker,
        clock: Clock,
        masters: Rotation,
        servers: Mapping[System, LicenceServer],
        terms: Terms,
        demands: Demands,
    ) -> None:
        self._asker = asker
        self._clock = clock
        self._masters = masters
        self._servers = servers
        self._terms = terms
        self._demands = demands

    def server_of(self, system: System) -> LicenceServer:
        """Raises ``LicenceRefused``."""
        there = self._servers.get(system)
        if there is None:
            raise LicenceRefused(f"This service has no licence server for {system}.")
        return there

    async def licence(
        self, request: ForwardChallenge, session: LicenceSession, keys: Sequence[WrappedKey]
    ) -> ServerLicence:
        """For a session that was admitted; raises ``LicenceServerAway``."""
        there = self.server_of(request.system)
        allowed = rules.within(keys, session.robustness, self._demands)
        now = self._clock.now()
        policy = policy_of(self._terms, allowed, self._demands, ends_at=session.expires_at, now=now)
        opened = await self._masters.opened(allowed) if there.dialect.needs_keys else []
        challenge = Challenge(
            request.system, session.version_id, request.challenge, policy, opened, now
        )
        headers = {
            "content-type": rules.header_of(request.media_type) or "application/octet-stream"
        }
        if action := rules.header_of(request.soap_action):
            headers["soapaction"] = action
        try:
            question = there.dialect.ask(challenge)
            answer = await self._asker.post(
                there.server,
                question.body,
                {**headers, **question.headers},
                within_s=LICENCE_S,
                limit_bytes=MAX_LICENCE_BYTES,
            )
            if there.dialect.read is None:
                media_type = rules.header_of(answer.media_type)
                return ServerLicence(licence=answer.body, media_type=media_type)
            licence = there.dialect.read(answer.body)
            return ServerLicence(licence=licence, media_type="application/octet-stream")
        except (NoAnswer, NoLicence) as error:
            structlog.get_logger().warning(
                "licence_server_away",
                system=request.system,
                session_id=request.session_id,
                why=str(error),
            )
            raise LicenceServerAway(
                f"The licence server for {request.system} {error}: try again in a moment."
            ) from error
