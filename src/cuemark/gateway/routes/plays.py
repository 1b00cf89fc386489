"""Plays: a playback session of the caller's own account, from start to end."""

import contextlib
from typing import Literal

import msgspec
from litestar import delete, get, post, put
from litestar.background_tasks import BackgroundTask
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Response

from cuemark.contracts.fraud import NotePlay
from cuemark.contracts.ids import PlaySessionId, TitleId
from cuemark.contracts.licensing import ForwardChallenge, GetLicence, LicenceRefused
from cuemark.contracts.playback import EndPlay, GetManifest, GetPlay, StartPlay, UnknownPlay
from cuemark.contracts.playback.devices import ListDevices
from cuemark.contracts.playback.streams import StreamsHeld, TooManyStreams
from cuemark.contracts.protection import SYSTEM_IDS, System
from cuemark.contracts.viewers import RecordProgress
from cuemark.gateway.admission import note_play
from cuemark.gateway.clearkey import ClearKeyLicence, is_kid, kids_of, licence_view
from cuemark.gateway.errors import NotFound
from cuemark.gateway.origins import origin_of
from cuemark.gateway.parts import AnyRequest, GatewayParts, Parts
from cuemark.gateway.play_views import (
    PlayBody,
    PlayDevicesView,
    PlayView,
    device_view,
    play_view,
    said_by,
)
from cuemark.gateway.rights import territory_of
from cuemark.gateway.routes.steering import STEERING
from cuemark.gateway.views import API, ProgressBody
from cuemark.kit.errors import Unavailable

DASH = "application/dash+xml"
HLS = "application/vnd.apple.mpegurl"

_SESSION = f"{API}/plays/{{session_id:str}}"
_NO_STORE = {"cache-control": "no-store"}
_OF_LICENCES = frozenset({"text/xml", "application/xml", "application/json", "text/plain"})
"""What a licence may call itself: others must not make a browser show a page of ours."""


@post(f"{API}/plays", opt={"access": "member", "profile": "kids"}, tags=["plays"])
async def start_play(
    data: JSONBody[PlayBody], parts: Parts, request: AnyRequest
) -> Response[PlayView]:
    caller, address = request.user, parts.client_of(request)
    territory = await territory_of(parts, request)
    asked = StartPlay(
        account_id=caller.account_id,
        profile_id=caller.profile_id,
        title_id=TitleId(data.title_id),
        device=data.device,
        robustness=data.robustness,
        networks=data.networks,
        client_address=address,
        territory=territory,
        maturity=caller.maturity,
        login_id=caller.login_id,
        device_id=data.device_id,
        instead_of=PlaySessionId(data.instead_of) if data.instead_of else None,
        capabilities=said_by(data.capabilities),
    )
    note = NotePlay(
        account_id=caller.account_id,
        login=caller.login_id,
        client_address=address,
        territory=territory,
        email=caller.email,
    )
    try:
        play = await parts.playback.start(asked)
    except TooManyStreams as refused:
        if isinstance(refused.details, StreamsHeld):
            holding = {each.login_id for each in refused.details.plays if each.login_id}
            await note_play(parts, msgspec.structs.replace(note, beside=sorted(holding)))
        raise
    note = msgspec.structs.replace(note, beside=play.beside)
    return Response(play_view(play), background=BackgroundTask(note_play, parts, note))


@get(f"{API}/plays/devices", opt={"access": "member"}, tags=["plays"])
async def list_devices(parts: Parts, request: AnyRequest) -> PlayDevicesView:
    """The devices on which this account has played, the latest first."""
    found = await parts.playback.list_devices(ListDevices(account_id=request.user.account_id))
    return PlayDevicesView(devices=[device_view(each) for each in found.devices])


@get(
    f"{_SESSION}/manifest.mpd",
    opt={"access": "member", "profile": "kids"},
    media_type=DASH,
    tags=["plays"],
)
async def get_dash(session_id: FromPath[str], parts: Parts, request: AnyRequest) -> Response[str]:
    return await _manifest(parts, session_id, "dash", request)


@get(
    f"{_SESSION}/master.m3u8",
    opt={"access": "member", "profile": "kids"},
    media_type=HLS,
    tags=["plays"],
)
async def get_hls(
    session_id: FromPath[str],
    parts: Parts,
    request: AnyRequest,
    system: FromQuery[System | None] = None,
) -> Response[str]:
    """For players that take keys in the clear, or those of one DRM system."""
    return await _manifest(parts, session_id, "hls", request, system)


@post(
    f"{_SESSION}/licence",
    opt={"access": "member", "profile": "kids", "body": "any"},
    status_code=200,
    tags=["plays"],
)
async def get_licence(
    session_id: FromPath[str], parts: Parts, request: AnyRequest
) -> ClearKeyLicence:
    """A W3C ClearKey licence; the body's media type is free, since players differ in it."""
    await _goes_on(parts, session_id, request)
    licence = await parts.licensing.get_licence(
        GetLicence(
            session_id=PlaySessionId(session_id),
            account_id=request.user.account_id,
            kids=kids_of(await request.body()),
            maturity=request.user.maturity,
            login_id=request.user.login_id,
        )
    )
    return licence_view(licence)


@post(
    f"{_SESSION}/licence/{{system:str}}",
    opt={"access": "member", "profile": "kids", "body": "any"},
    status_code=200,
    media_type="application/octet-stream",
    tags=["plays"],
)
async def forward_challenge(
    session_id: FromPath[str], system: FromPath[str], parts: Parts, request: AnyRequest
) -> Response[bytes]:
    """The licence of a DRM system, from the licence server that the install names for it."""
    if system not in SYSTEM_IDS:
        raise NotFound("There is no such DRM system.")
    await _goes_on(parts, session_id, request)
    answer = await parts.licensing.forward_challenge(
        ForwardChallenge(
            session_id=PlaySessionId(session_id),
            account_id=request.user.account_id,
            system=system,
            challenge=await request.body(),
            media_type=request.headers.get("content-type", ""),
            soap_action=request.headers.get("soapaction", ""),
            maturity=request.user.maturity,
            login_id=request.user.login_id,
        )
    )
    named = answer.media_type.partition(";")[0].strip().lower()
    media_type = answer.media_type if named in _OF_LICENCES else "application/octet-stream"
    return Response(answer.licence, media_type=media_type, headers=_NO_STORE)


@get(
    f"{_SESSION}/keys/{{kid:str}}",
    opt={"access": "member", "profile": "kids"},
    media_type="application/octet-stream",
    tags=["plays"],
)
async def get_key(
    session_id: FromPath[str], kid: FromPath[str], parts: Parts, request: AnyRequest
) -> Response[bytes]:
    """One key, 16 bytes: what HLS players fetch for ``KEYFORMAT="identity"``."""
    if not is_kid(kid):
        raise NotFound("There is no such key.")
    await _goes_on(parts, session_id, request)
    licence = await parts.licensing.get_licence(
        GetLicence(
            session_id=PlaySessionId(session_id),
            account_id=request.user.account_id,
            kids=[kid.lower()],
            maturity=request.user.maturity,
            login_id=request.user.login_id,
        )
    )
    for key in licence.keys:
        if key.kid.lower() == kid.lower():
            content = bytes.fromhex(key.key)
            return Response(content, media_type="application/octet-stream", headers=_NO_STORE)
    raise LicenceRefused("This session may not have that key.")


@put(
    f"{_SESSION}/progress",
    opt={"access": "member", "profile": "kids"},
    status_code=204,
    tags=["plays"],
)
async def record_progress(
    session_id: FromPath[str], data: JSONBody[ProgressBody], parts: Parts, request: AnyRequest
) -> None:
    play = await parts.playback.get_play(
        GetPlay(session_id=PlaySessionId(session_id), account_id=request.user.account_id)
    )
    await parts.viewers.record_progress(
        RecordProgress(
            profile_id=play.profile_id,
            title_id=play.title_id,
            session_id=play.session_id,
            sequence=data.sequence,
            position_s=data.position_s,
            duration_s=play.duration_s,
        )
    )


@delete(_SESSION, opt={"access": "member", "profile": "kids"}, status_code=204, tags=["plays"])
async def end_play(session_id: FromPath[str], parts: Parts, request: AnyRequest) -> None:
    await parts.playback.end(
        EndPlay(session_id=PlaySessionId(session_id), account_id=request.user.account_id)
    )


async def _goes_on(parts: GatewayParts, session_id: str, request: AnyRequest) -> None:
    """Who asks for a licence plays: the play keeps its stream. Whether there is a licence is for
    licensing to say, which needs nobody for that."""
    play = GetPlay(session_id=PlaySessionId(session_id), account_id=request.user.account_id)
    with contextlib.suppress(UnknownPlay, Unavailable):
        await parts.playback.get_play(play)


async def _manifest(
    parts: GatewayParts,
    session_id: str,
    format_: Literal["dash", "hls"],
    request: AnyRequest,
    system: System | None = None,
) -> Response[str]:
    here = origin_of(request.scope["scheme"], request.headers["host"], parts.base_url())
    manifest = await parts.playback.get_manifest(
        GetManifest(
            session_id=PlaySessionId(session_id),
            account_id=request.user.account_id,
            format=format_,
            licence_url=f"{here}{API}/plays/{session_id}/licence",
            system=system,
            steering_url=f"{here}{STEERING}",
            maturity=request.user.maturity,
        )
    )
    media_type = DASH if format_ == "dash" else HLS
    return Response(manifest.text, media_type=media_type, headers=_NO_STORE)
