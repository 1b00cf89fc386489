"""Logging in and out."""

from litestar import post
from litestar.datastructures import Cookie
from litestar.params import JSONBody
from litestar.response import Response

from cuemark.contracts.identity import (
    Login,
    LoginBegun,
    LoginGranted,
    Logout,
    RedeemLoginLink,
    WrongCredentials,
)
from cuemark.gateway import badges
from cuemark.gateway.access import COOKIE, cookie_of, login_of
from cuemark.gateway.admission import Admission, admit_login
from cuemark.gateway.errors import LetterNeeded
from cuemark.gateway.factor_views import FactorAskedView, asked_view
from cuemark.gateway.origins import cookie_needs_tls
from cuemark.gateway.parts import AnyRequest, GatewayParts, Parts
from cuemark.gateway.views import API, LoginBody, RedeemBody
from cuemark.kit.errors import Unavailable

LONGEST_AGENT = 1000


@post(f"{API}/login", opt={"access": "anyone", "limit": "login"}, status_code=200, tags=["login"])
async def log_in(
    data: JSONBody[LoginBody], parts: Parts, request: AnyRequest
) -> Response[LoginGranted] | Response[FactorAskedView]:
    """A browser that was logged in gets another cookie, and the login of before ends. An account
    with a second factor gets a `challenge` instead, for `/login/factor`."""
    admission = await admit_login(parts, request, data.email, data.proof)
    try:
        begun = await parts.identity.begin_login(
            Login(
                email=data.email,
                password=data.password,
                device=device_of(request),
                client_address=parts.client_of(request),
                standing=admission.standing,
            )
        )
    except WrongCredentials:
        await admission.failed()
        raise
    await keep_if(admission, data.email, begun.granted, parts)
    return await _entered(begun, parts, request)


@post(
    f"{API}/login/link", opt={"access": "anyone", "limit": "code"}, status_code=200, tags=["login"]
)
async def redeem_link(
    data: JSONBody[RedeemBody], parts: Parts, request: AnyRequest
) -> Response[LoginGranted] | Response[FactorAskedView]:
    """The link takes the place of the password, and of nothing else."""
    begun = await parts.identity.begin_login_by_link(
        RedeemLoginLink(
            code=data.code, device=device_of(request), client_address=parts.client_of(request)
        )
    )
    return await _entered(begun, parts, request)


@post(f"{API}/logout", opt={"access": "member", "profile": "any"}, status_code=204, tags=["login"])
async def log_out(parts: Parts, request: AnyRequest) -> Response[None]:
    login = login_of(request.headers)
    if login is not None:
        await parts.identity.logout(Logout(token=login.token))
    response: Response[None] = Response(None)
    response.set_cookie(_cookie("", 0, parts, request))
    return response


async def keep_if(
    admission: Admission, email: str, granted: LoginGranted | None, parts: GatewayParts
) -> None:
    """End a login again that a letter is to open; ``LetterNeeded``."""
    try:
        await admission.passed(email, asked=granted is None)
    except LetterNeeded:
        if granted is not None:
            await parts.identity.logout(Logout(token=granted.token))
        raise


def device_of(request: AnyRequest) -> str:
    """What the device tells of itself."""
    return request.headers.get("user-agent", "")[:LONGEST_AGENT]


async def _entered(
    begun: LoginBegun, parts: GatewayParts, request: AnyRequest
) -> Response[LoginGranted] | Response[FactorAskedView]:
    if begun.asked is not None:
        return Response(asked_view(begun.asked, parts.clock))
    if begun.granted is None:
        raise Unavailable("a login was begun, and neither granted nor asked anything")
    return await let_in(begun.granted, parts, request)


async def let_in(
    granted: LoginGranted, parts: GatewayParts, request: AnyRequest
) -> Response[LoginGranted]:
    """The login with its cookies. A cookie that somebody else may know opens nothing once its
    browser has logged in anew."""
    before = login_of(request.headers)
    if before is not None and before.from_cookie:
        await parts.identity.logout(Logout(token=before.token))
    max_age_s = int((granted.expires_at - parts.clock.now()).total_seconds())
    response = Response(granted)
    response.set_cookie(_cookie(granted.token, max(0, max_age_s), parts, request))
    badge = parts.badges.read(cookie_of(request.headers, badges.COOKIE, ""))
    worn = parts.badges.renewed(badge, granted.account.email)
    lasts_s = int(badges.LASTS.total_seconds())
    response.set_cookie(_cookie(worn, lasts_s, parts, request, badges.COOKIE))
    return response


def _cookie(
    token: str, max_age_s: int, parts: GatewayParts, request: AnyRequest, name: str = COOKIE
) -> Cookie:
    return Cookie(
        name,
        value=token,
        max_age=max_age_s,
        httponly=True,
        samesite="lax",
        secure=cookie_needs_tls(request.scope["scheme"], request.headers["host"], parts.base_url()),
    )
