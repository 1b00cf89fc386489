"""Signing in on a device without a keyboard (RFC 8628).

The two routes that the device asks take forms, or JSON as all others do, and answer in the words of
OAuth, so that any client of that protocol can use them.
"""

import math
from typing import Annotated
from urllib.parse import parse_qs, quote

import msgspec
from litestar import get, post
from litestar.params import JSONBody, QueryParameter
from litestar.response import Response

from cuemark.contracts.identity.devices import (
    AnswerDevice,
    AuthorizeDevice,
    LookUpDevice,
    PollDevice,
    WaitingDevice,
)
from cuemark.gateway.account_views import (
    DeviceAnswerBody,
    DeviceAuthorizationView,
    DeviceTokenView,
    OAuthErrorView,
)
from cuemark.gateway.errors import MalformedRequest
from cuemark.gateway.parts import AnyRequest, Parts
from cuemark.gateway.routes.login import device_of
from cuemark.gateway.views import API
from cuemark.kit.errors import UNREADABLE

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
MOST_FIELDS = 16

UserCode = Annotated[str, QueryParameter(max_length=40)]


@post(
    f"{API}/device_authorization",
    opt={"access": "anyone", "limit": "device", "body": "form"},
    status_code=200,
    tags=["devices"],
)
async def authorize_device(parts: Parts, request: AnyRequest) -> DeviceAuthorizationView:
    """`device_name` is what the owner is told; without one it is told by the `User-Agent`."""
    fields = await _fields(request)
    granted = await parts.identity.authorize_device(
        AuthorizeDevice(
            device=fields.get("device_name") or device_of(request),
            client_address=parts.client_of(request),
        )
    )
    page = f"{parts.base_url()}/device"
    lasts_s = (granted.expires_at - parts.clock.now()).total_seconds()
    return DeviceAuthorizationView(
        device_code=granted.device_code,
        user_code=granted.user_code,
        verification_uri=page,
        verification_uri_complete=f"{page}?user_code={quote(granted.user_code)}",
        expires_in=max(0, math.floor(lasts_s)),
        interval=granted.interval_s,
    )


@post(
    f"{API}/token",
    opt={"access": "anyone", "limit": "device", "body": "form"},
    status_code=200,
    tags=["devices"],
)
async def poll_device(
    parts: Parts, request: AnyRequest
) -> Response[DeviceTokenView] | Response[OAuthErrorView]:
    """`grant_type` is that of RFC 8628; `device_code` is the one of the authorization."""
    fields = await _fields(request)
    if fields.get("grant_type") != GRANT:
        return _error("unsupported_grant_type", f"The grant_type is {GRANT}.")
    if not fields.get("device_code"):
        return _error("invalid_request", "The device_code is missing.")
    polled = await parts.identity.poll_device(PollDevice(device_code=fields["device_code"]))
    if polled.state != "granted" or polled.expires_at is None:
        return _error(polled.state)
    lasts_s = (polled.expires_at - parts.clock.now()).total_seconds()
    return Response(DeviceTokenView(access_token=polled.token, expires_in=math.floor(lasts_s)))


@get(f"{API}/device-sign-in", opt={"access": "member"}, tags=["devices"])
async def look_up_device(
    parts: Parts, request: AnyRequest, user_code: UserCode = ""
) -> WaitingDevice:
    """What shows this code, for its owner to say whether it is theirs."""
    return await parts.identity.look_up_device(
        LookUpDevice(account_id=request.user.account_id, user_code=user_code)
    )


@post(
    f"{API}/device-sign-in",
    opt={"access": "member", "assurance": "second"},
    status_code=204,
    tags=["devices"],
)
async def answer_device(
    data: JSONBody[DeviceAnswerBody], parts: Parts, request: AnyRequest
) -> None:
    await parts.identity.answer_device(
        AnswerDevice(account_id=request.user.account_id, user_code=data.user_code, allow=data.allow)
    )


async def _fields(request: AnyRequest) -> dict[str, str]:
    """The fields of a form or of a JSON object; the first of several that are named alike."""
    body = await request.body()
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if media_type == "application/x-www-form-urlencoded":
            form = parse_qs(body.decode(), max_num_fields=MOST_FIELDS)
            return {name: values[0] for name, values in form.items()}
        return msgspec.json.decode(body, type=dict[str, str]) if body else {}
    except (*UNREADABLE, ValueError) as error:
        raise MalformedRequest("The body is neither a form nor JSON with texts.") from error


def _error(code: str, description: str = "") -> Response[OAuthErrorView]:
    return Response(OAuthErrorView(error=code, error_description=description), status_code=400)
