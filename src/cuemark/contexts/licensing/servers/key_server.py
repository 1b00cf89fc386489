"""The key server that an install names: content keys by SPEKE v2.0."""

import asyncio
import importlib.metadata
import secrets
from collections.abc import Sequence

import structlog

from cuemark.contexts.licensing.model import cpix, speke
from cuemark.contexts.licensing.model.cpix import CpixInvalid
from cuemark.contexts.licensing.model.sealing import Recipient
from cuemark.contexts.licensing.model.speke import GivenKey
from cuemark.contexts.licensing.servers.asking import Asker, NoAnswer, Server
from cuemark.contracts.licensing import KeysNotGiven
from cuemark.contracts.protection import Scheme, System
from cuemark.kit.clock import Clock

WITHIN_S = 6.0
AGENT = f"cuemark/{importlib.metadata.version('cuemark')}"


class KeyServer:
    """Asks ``server`` for keys. It may be ours or anybody's: its answers are not trusted.

    With ``sealed`` the keys must come encrypted for the one question that asks for them.
    """

    def __init__(self, asker: Asker, server: Server, clock: Clock, *, sealed: bool) -> None:
        self._asker = asker
        self._server = server
        self._clock = clock
        self._sealed = sealed

    async def keys(
        self,
        content_id: str,
        labels: Sequence[str],
        scheme: Scheme,
        named: Sequence[System],
        period: int | None = None,
    ) -> list[GivenKey]:
        """A key for each label, with a fresh id; ``period`` is as in ``speke.request_of``.

        Raises ``KeysNotGiven``.
        """
        kids = {label: secrets.token_hex(16) for label in labels}
        request = speke.request_of(content_id, kids, scheme, named, period)
        # To make an RSA key takes a while.
        recipient = await asyncio.to_thread(Recipient, self._clock.now()) if self._sealed else None
        headers = {
            "content-type": speke.MEDIA_TYPE,
            "accept": speke.MEDIA_TYPE,
            speke.VERSION_HEADER: speke.VERSION,
            speke.AGENT_HEADER: AGENT,
        }
        try:
            answer = await self._asker.post(
                self._server,
                cpix.write(request, recipient),
                headers,
                within_s=WITHIN_S,
                limit_bytes=cpix.MAX_BYTES,
            )
        except NoAnswer as error:
            raise _not_given(f"the key server {error}", content_id) from error
        try:
            document = cpix.read(answer.body, recipient)
            return speke.given_keys(document, content_id, kids, named, period or 0)
        except CpixInvalid as error:
            text = f"the answer of the key server cannot be used: {error}"
            raise _not_given(text, content_id) from error


def _not_given(text: str, content_id: str) -> KeysNotGiven:
    structlog.get_logger().warning("keys_not_given", content_id=content_id, why=text)
    return KeysNotGiven(text)
