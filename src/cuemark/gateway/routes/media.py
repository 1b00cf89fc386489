"""A play's media at one address, for clients that know no Content Steering and have no login.

Each request for media is sent on to the appliance that serves the play now. Playlists of HLS are
answered here: players resolve what one names against the address at which they found it (RFC 3986
section 5.1.3), so one that came from an appliance would keep them there.
"""

import asyncio
import re
from typing import Literal

from litestar import get
from litestar.params import FromPath, FromQuery
from litestar.response import Response

from cuemark.contracts.playback import GetRedirectedManifest
from cuemark.contracts.protection import System
from cuemark.contracts.steering import NoAppliance, Redirect, Redirected, SteeringOver
from cuemark.gateway.errors import RETRY_AFTER_S, NotFound, answer_refusal
from cuemark.gateway.origins import origin_of
from cuemark.gateway.parts import AnyRequest, GatewayParts, Parts
from cuemark.gateway.routes.plays import DASH, HLS
from cuemark.gateway.views import API, DASH_FILE, HLS_FILE, MEDIA, ErrorView

_NAME = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}"
_FILE = re.compile(rf"(?:{_NAME}/){{0,3}}{_NAME}")
_OPEN = {"access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin"}
"""Players ask from pages of any origin, without a login: the token in the address is the right."""
_PLAYLIST_S = 3600
_QUERY = re.compile(r"[A-Za-z0-9._~%!$&'()*+,;=:@/?-]{1,2000}")
"""RFC 3986 section 3.4: what players say of themselves (CMCD) is for the appliance's log."""


def _refused(
    request: AnyRequest, refusal: SteeringOver | NoAppliance | NotFound
) -> Response[ErrorView] | Response[str]:
    """As everywhere, for a page of any origin to read."""
    answer = answer_refusal(request, refusal)
    answer.headers.update(_OPEN)
    if refusal.status == 503:
        answer.headers["retry-after"] = str(RETRY_AFTER_S)
    return answer


@get(
    f"{MEDIA}/{{path:path}}",
    opt={"access": "anyone"},
    tags=["plays"],
    exception_handlers={SteeringOver: _refused, NoAppliance: _refused, NotFound: _refused},
)
async def get_media(
    path: FromPath[str],
    parts: Parts,
    request: AnyRequest,
    system: FromQuery[System | None] = None,
) -> Response[str] | Response[bytes]:
    """``path`` is a play's redirect token and a file: a manifest, a playlist, or one of an
    appliance, to which the answer is 302."""
    token, _, file = path.removeprefix("/").partition("/")
    if not _FILE.fullmatch(file):
        raise NotFound("There is no such file in a play.")
    sent = await parts.steering.redirect(
        Redirect(token=token, client_address=parts.client_of(request))
    )
    if file == DASH_FILE:
        return await _manifest(parts, request, sent, token, "dash", None)
    if file == HLS_FILE:
        return await _manifest(parts, request, sent, token, "hls", system)
    if file.endswith(".m3u8"):
        return await _playlist(parts, sent, file)
    query = request.scope["query_string"].decode("latin-1")
    asked = f"?{query}" if _QUERY.fullmatch(query) else ""
    kept = {"cache-control": f"private, max-age={sent.ttl_s}"}
    location = {"location": f"{sent.media_url}{file}{asked}"}
    return Response("", status_code=302, headers={**location, **kept, **_OPEN})


async def _manifest(
    parts: GatewayParts,
    request: AnyRequest,
    sent: Redirected,
    token: str,
    format_: Literal["dash", "hls"],
    system: System | None,
) -> Response[str]:
    here = origin_of(request.scope["scheme"], request.headers["host"], parts.base_url())
    manifest = await parts.playback.get_redirected_manifest(
        GetRedirectedManifest(
            session_id=sent.session_id,
            format=format_,
            media_url=f"{here}{MEDIA}/{token}/",
            licence_url=f"{here}{API}/plays/{sent.session_id}/licence",
            system=system,
        )
    )
    kept = {"cache-control": "no-store"}
    media_type = DASH if format_ == "dash" else HLS
    return Response(manifest.text, media_type=media_type, headers={**kept, **_OPEN})


async def _playlist(parts: GatewayParts, sent: Redirected, file: str) -> Response[bytes]:
    key = f"versions/{sent.version_id}/{file}"
    try:
        text = await asyncio.to_thread(parts.objects.read, key)
    except FileNotFoundError as error:
        raise NotFound("There is no such playlist in this version.") from error
    kept = {"cache-control": f"private, max-age={_PLAYLIST_S}"}
    return Response(text, media_type=HLS, headers={**kept, **_OPEN})
