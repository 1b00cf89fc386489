"""An operator's request as an act: asked of identity, and written down, before it is done.

Where identity or its log is away nothing is begun, so nothing is done. What came of an act is
written when it is answered; an entry that has begun and no more tells that this was not possible.
"""

import structlog
from litestar.types import Message, Scope, Send

from cuemark.contracts.identity.staff import ActBegun, BeginAct, EndAct
from cuemark.gateway.parts import AnyRequest, GatewayParts
from cuemark.gateway.views import API
from cuemark.kit.errors import Unavailable
from cuemark.kit.tracing import current_trace_id

_SUBJECT, _MAY = "act_subject", "staff_may"


class StatusOf:
    """Passes an answer on and remembers its status; 500 where there was none."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 500

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)


async def begin_act(
    parts: GatewayParts, scope: Scope, token: str, action: str, *, writes: bool
) -> ActBegun:
    """Raises ``NotAllowed``, ``NotLoggedIn`` and ``Unavailable``."""
    act = await parts.identity.begin_act(
        BeginAct(
            token=token,
            action=action,
            subject=scope["path"].removeprefix(API).strip("/"),
            writes=writes,
            client_address=parts.client_of(AnyRequest(scope)),
            trace_id=current_trace_id() or "",
        )
    )
    scope["state"][_MAY] = frozenset(act.allowed)
    return act


async def end_act(parts: GatewayParts, scope: Scope, act: ActBegun, status: int) -> None:
    subject = str(scope["state"].get(_SUBJECT, ""))
    try:
        await parts.identity.end_act(EndAct(number=act.number, status=status, subject=subject))
    except Unavailable:
        structlog.get_logger().error("act_without_end", number=act.number, status=status)


def name_subject(request: AnyRequest, subject: str) -> None:
    """Say to whom or what an act is done where the address does not."""
    path = request.scope["path"].removeprefix(API).strip("/")
    request.scope["state"][_SUBJECT] = f"{path} {subject}"


def may(request: AnyRequest) -> frozenset[str]:
    """Every action that the caller's role allows."""
    allowed: frozenset[str] = request.scope["state"].get(_MAY, frozenset())
    return allowed
