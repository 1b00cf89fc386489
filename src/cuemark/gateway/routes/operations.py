"""The pages of operations: what the people who run the install see in a browser.

They answer to the operator alone: by the cookie that a one-time link brought, which is of use
here only and changes nothing, or by the operator's token.
"""

from pathlib import Path

from litestar import get, post
from litestar.datastructures import Cookie
from litestar.params import FromPath, JSONBody
from litestar.response import Response

from cuemark.contracts.identity import Logout, RedeemOperatorLink
from cuemark.contracts.identity.staff import ListActs
from cuemark.contracts.ids import VersionId
from cuemark.gateway.access import OPERATOR_COOKIE, login_of
from cuemark.gateway.operations import pages
from cuemark.gateway.operations.html import Html
from cuemark.gateway.operations.reading import (
    read_overview,
    read_report,
    read_trace,
    report_answer,
)
from cuemark.gateway.origins import cookie_needs_tls
from cuemark.gateway.parts import AnyRequest, GatewayParts, Parts
from cuemark.gateway.routes.staff import Number
from cuemark.gateway.staff.acting import may
from cuemark.gateway.views import RedeemBody

_HERE = "/operations"
_STAFF = {"access": "operator", "cookie": OPERATOR_COOKIE}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_ASSETS = {
    f"{_HERE}/operations.css": "text/css",
    f"{_HERE}/operations.js": "text/javascript",
}


@get(
    _HERE,
    opt=_STAFF | {"staff": "operations.read"},
    media_type="text/html",
    include_in_schema=False,
)
async def get_operations(parts: Parts, request: AnyRequest) -> Response[str]:
    return _page(pages.overview(parts.service_name, await read_overview(parts, may(request))))


@get(
    f"{_HERE}/acts",
    opt=_STAFF | {"staff": "audit.read"},
    media_type="text/html",
    include_in_schema=False,
)
async def get_acts(parts: Parts, before: Number = 0) -> Response[str]:
    return _page(pages.acts(await parts.identity.list_acts(ListActs(before=before))))


@get(
    f"{_HERE}/versions/{{version_id:str}}",
    opt=_STAFF | {"staff": "reports.read"},
    media_type="text/html",
    include_in_schema=False,
)
async def get_version_report(version_id: FromPath[str], parts: Parts) -> Response[str]:
    return report_answer(await read_report(parts, VersionId(version_id)))


@get(
    f"{_HERE}/traces/{{trace_id:str}}",
    opt=_STAFF | {"staff": "traces.read"},
    media_type="text/html",
    include_in_schema=False,
)
async def get_trace(trace_id: FromPath[str], parts: Parts) -> Response[str]:
    return _page(pages.trace(parts.service_name, trace_id, await read_trace(parts, trace_id)))


@get(f"{_HERE}/login", opt={"access": "anyone"}, media_type="text/html", include_in_schema=False)
async def get_operator_login(parts: Parts) -> Response[str]:
    """The script takes the code from the address's fragment, which no server sees."""
    return _page(pages.login(parts.service_name))


@post(
    f"{_HERE}/login",
    opt={"access": "anyone", "limit": "code"},
    status_code=204,
    include_in_schema=False,
)
async def redeem_operator_link(
    data: JSONBody[RedeemBody], parts: Parts, request: AnyRequest
) -> Response[None]:
    granted = await parts.identity.redeem_operator_link(RedeemOperatorLink(code=data.code))
    lasts_s = int((granted.expires_at - parts.clock.now()).total_seconds())
    response: Response[None] = Response(None)
    response.set_cookie(_cookie(granted.token, max(0, lasts_s), parts, request))
    return response


@post(
    f"{_HERE}/logout", opt=_STAFF | {"staff": "self.read"}, status_code=204, include_in_schema=False
)
async def log_operator_out(parts: Parts, request: AnyRequest) -> Response[None]:
    login = login_of(request.headers, OPERATOR_COOKIE)
    if login is not None:
        await parts.identity.logout(Logout(token=login.token))
    response: Response[None] = Response(None)
    response.set_cookie(_cookie("", 0, parts, request))
    return response


@get([*_ASSETS], opt={"access": "anyone"}, include_in_schema=False)
async def get_operations_asset(request: AnyRequest) -> Response[bytes]:
    path = request.scope["path"]
    body = (Path(pages.__file__).parent / path.rpartition("/")[2]).read_bytes()
    headers = {"cache-control": "no-cache"}
    return Response(body, media_type=f"{_ASSETS[path]}; charset=utf-8", headers=headers)


def _page(page: Html) -> Response[str]:
    headers = {"content-security-policy": _POLICY}
    return Response(str(page), media_type="text/html; charset=utf-8", headers=headers)


def _cookie(token: str, max_age_s: int, parts: GatewayParts, request: AnyRequest) -> Cookie:
    return Cookie(
        OPERATOR_COOKIE,
        value=token,
        path=_HERE,
        max_age=max_age_s,
        httponly=True,
        samesite="strict",
        secure=cookie_needs_tls(request.scope["scheme"], request.headers["host"], parts.base_url()),
    )
