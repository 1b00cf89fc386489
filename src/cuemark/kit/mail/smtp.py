"""Letters to an SMTP server (RFC 5321), by TLS from the first byte, by STARTTLS, or in the clear.

A server that answers 4yz asks to try that letter again, 5yz refuses it (section 4.2.1); what it
says of the connection, the login or our own address closes the way for all letters.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import aiosmtplib
import structlog

from cuemark.kit.mail.letter import Envelope, From, message
from cuemark.kit.mail.sender import Outcome, WayClosed

Security = Literal["tls", "starttls", "none"]
PATIENCE_S = 20.0


@dataclass(frozen=True)
class SmtpServer:
    """Where letters go; without a ``user`` nobody logs in there."""

    host: str
    port: int
    security: Security
    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"SmtpServer({self.host}:{self.port})"


class SmtpWay:
    """One connection for each batch of letters."""

    def __init__(self, server: SmtpServer, sender: From) -> None:
        self._server = server
        self._sender = sender

    async def send(self, envelopes: list[Envelope]) -> Mapping[str, Outcome]:
        outcomes: dict[str, Outcome] = {}
        client = self._client()
        try:
            async with client:
                for envelope in envelopes:
                    outcomes[envelope.letter_id] = await self._send_one(client, envelope)
        except (aiosmtplib.SMTPException, OSError) as error:
            # What the server has taken is sent, however the connection ended.
            if not outcomes:
                raise WayClosed(f"{self._server!r}: {type(error).__name__}") from error
        return outcomes

    def _client(self) -> aiosmtplib.SMTP:
        server = self._server
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user or None,
            password=server.password or None,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            local_hostname=self._sender.domain,
            timeout=PATIENCE_S,
        )

    async def _send_one(self, client: aiosmtplib.SMTP, envelope: Envelope) -> Outcome:
        try:
            await client.send_message(
                message(envelope, self._sender),
                sender=self._sender.email,
                recipients=[envelope.letter.recipient],
            )
        except aiosmtplib.SMTPRecipientsRefused as refused:
            return _outcome(envelope, refused.recipients[0].code)
        except aiosmtplib.SMTPDataError as refused:
            return _outcome(envelope, refused.code)
        return Outcome.SENT


def _outcome(envelope: Envelope, code: int) -> Outcome:
    structlog.get_logger().warning("smtp_refused", letter_id=envelope.letter_id, code=code)
    return Outcome.LATER if 400 <= code < 500 else Outcome.NEVER
