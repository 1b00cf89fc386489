"""Who may call a route: denied unless the route says otherwise.

Each route declares ``opt={"access": ...}``, and one that operators may call, which of the actions
of staff it is: ``opt={"access": "operator", "staff": "noun.verb"}``. The gateway cannot be built
with a route that does not. A member's login is on a profile: a route that is for kids' profiles too
says ``"profile": "kids"``, and one that is for a login that has no profile yet, ``"profile":
"any"``; all others are for profiles of grown-ups. ``Authentication`` finds out who calls and mints
the passport; the guard
verifies the passport and compares it with what the route declares.

A route may ask for more than a login, by ``opt={"assurance": ...}``: ``fresh``, that its owner has
proved to be there within ``FRESH_S``, by the second factor where the account has one; ``second``,
the same of accounts that have one, and nothing of others, whose password the route asks for.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple, cast, get_args, overload

import msgspec
from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.datastructures import Headers, State
from litestar.handlers import BaseRouteHandler
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp, Guard, Receive, Scope, Send

from cuemark.contracts.identity import Authenticate, Caller, NotLoggedIn
from cuemark.contracts.identity.staff import ActBegun
from cuemark.gateway import badges
from cuemark.gateway.clients import home_of
from cuemark.gateway.errors import (
    Forbidden,
    ForeignOrigin,
    NotForKids,
    NotFound,
    ProfileNotChosen,
    StepUpNeeded,
    TooManyRequests,
    WrongMediaType,
)
from cuemark.gateway.limits import LIMITS
from cuemark.gateway.origins import is_foreign_write
from cuemark.gateway.parts import AnyRequest, GatewayParts
from cuemark.gateway.plans import NO_PLAN
from cuemark.gateway.staff.acting import StatusOf, begin_act, end_act
from cuemark.gateway.staff.actions import ACTIONS
from cuemark.gateway.views import ID_PATTERN
from cuemark.kit.clock import Clock
from cuemark.kit.passport import Passport, PassportOffice, PassportRejected, current_passport

Access = Literal["anyone", "member", "operator", "member_or_operator"]
Profiles = Literal["grown_up", "kids", "any"]
Assurance = Literal["any", "second", "fresh"]
FRESH_S = 600
"""For how long a proof is believed, where one is asked for."""
COOKIE = "cuemark_login"
OPERATOR_COOKIE = "cuemark_operator"
"""Opens the pages of operations, and no route that says nothing of it: nothing can be changed
with it, and a member's login in the same browser stays what it is."""

_ID = re.compile(ID_PATTERN)
_TOKEN = re.compile(r"[\x21-\x7e]{1,1024}")
_READS = frozenset({"GET", "HEAD"})


class RouteWithoutAccess(Exception):
    """A route does not declare who may call it, which action of staff it is, or asks for an
    assurance that there is not: a mistake that must not reach an install."""


class RouteWithoutLimit(Exception):
    """Anyone may write to a route, and it does not declare how often."""


class Login(NamedTuple):
    """The token that a request shows, and whether a browser sent it by itself."""

    token: str
    from_cookie: bool


def access_of(handler: BaseRouteHandler) -> Access:
    """What a route declares; raises ``RouteWithoutAccess``."""
    declared = handler.opt.get("access")
    if declared not in get_args(Access):
        raise RouteWithoutAccess(f"{handler} declares no access: give it opt={{'access': ...}}")
    return cast(Access, declared)


def limit_of(handler: BaseRouteHandler, method: str) -> str:
    """The limit that a route declares, or no name; raises ``RouteWithoutLimit`` where anyone may
    write and none is declared."""
    declared = str(handler.opt.get("limit", ""))
    if declared not in LIMITS and (
        declared or (method not in _READS and access_of(handler) == "anyone")
    ):
        raise RouteWithoutLimit(f"{handler} takes writes of anyone: give it opt={{'limit': ...}}")
    return declared


def profiles_of(handler: BaseRouteHandler) -> Profiles:
    """For which profiles of a member a route is; raises ``RouteWithoutAccess``."""
    declared = handler.opt.get("profile", "grown_up")
    if declared not in get_args(Profiles):
        raise RouteWithoutAccess(f"{handler} is for profiles that there are not: {declared}")
    return cast(Profiles, declared)


def assurance_of(handler: BaseRouteHandler) -> Assurance:
    """What a route asks for beyond a login; raises ``RouteWithoutAccess``."""
    declared = handler.opt.get("assurance", "any")
    if declared not in get_args(Assurance):
        raise RouteWithoutAccess(f"{handler} asks for an assurance that there is not: {declared}")
    return cast(Assurance, declared)


def action_of(handler: BaseRouteHandler) -> str:
    """Which action of staff a route is; empty where operators may not call it.

    Raises ``RouteWithoutAccess``.
    """
    declared = str(handler.opt.get("staff", ""))
    if "operator" not in access_of(handler).split("_or_"):
        if declared:
            raise RouteWithoutAccess(f"{handler} is an action of staff, who may not call it")
    elif declared not in ACTIONS:
        raise RouteWithoutAccess(
            f"{handler} is none of the actions of staff: give it opt={{'staff': 'noun.verb'}} "
            "and a sentence in gateway/staff/actions.py"
        )
    return declared


def routes_of(app: Litestar) -> Iterable[tuple[str, str, BaseRouteHandler]]:
    """Method, path and handler of each route, but for the framework's answers to OPTIONS."""
    for route in app.routes:
        if not isinstance(route, HTTPRoute):
            raise RouteWithoutAccess(f"{route.path} is no HTTP route, so nothing guards it")
        for method, (handler, _) in route.route_handler_map.items():
            if method != "OPTIONS":
                yield method, route.path, handler


def guard_with(office: PassportOffice, clock: Clock) -> Guard:
    """The guard of every route: a genuine passport of a role that the route admits, as sure of its
    bearer as the route asks."""

    async def guard(
        connection: ASGIConnection[BaseRouteHandler, Caller, str, State], handler: BaseRouteHandler
    ) -> None:
        access = access_of(handler)
        if access == "anyone":
            return
        try:
            passport = office.verify(connection.scope.get("auth") or "")
        except PassportRejected as error:
            raise NotLoggedIn("Log in first.") from error
        if passport.role not in access.split("_or_"):
            raise Forbidden(f"This is for a caller of another kind than {passport.role}.")
        if passport.role == "member":
            _check_profile(passport, profiles_of(handler))
        age_s = int(clock.now().timestamp()) - passport.proved_at_s
        if not is_assured(
            assurance_of(handler), passport.level, age_s, two_steps=connection.user.two_steps
        ):
            raise StepUpNeeded("Show once more that it is you, and then do this again.")

    return guard


def is_assured(asked: Assurance, level: int, age_s: int, *, two_steps: bool) -> bool:
    """Whether a login of this level, proved ``age_s`` ago, does for a route that asks for this."""
    if asked == "any" or (asked == "second" and not two_steps):
        return True
    return level >= (2 if two_steps else 1) and age_s <= FRESH_S


def login_of(headers: Headers, cookie: str = COOKIE) -> Login | None:
    """The login that a request shows: a bearer token before a cookie."""
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return Login(bearer.strip(), from_cookie=False)
    value = cookie_of(headers, cookie)
    return Login(value, from_cookie=True) if value is not None else None


@overload
def cookie_of(headers: Headers, cookie: str) -> str | None: ...
@overload
def cookie_of(headers: Headers, cookie: str, instead: str) -> str: ...
def cookie_of(headers: Headers, cookie: str, instead: str | None = None) -> str | None:
    """The value of a cookie, or what is to stand for one that was not sent."""
    for header in headers.getall("cookie", []):
        for pair in header.split(";"):
            name, _, value = pair.strip().partition("=")
            if name == cookie:
                return value
    return instead


class Authentication:
    """The filter behind routing: refuses foreign writes, finds the caller, mints the passport."""

    def __init__(self, app: ASGIApp, parts: GatewayParts) -> None:
        self._app = app
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handler = cast(BaseRouteHandler, scope["route_handler"])
        headers = Headers.from_scope(scope)
        access = access_of(handler)
        self._count(scope, handler, headers)
        login = login_of(headers, str(handler.opt.get("cookie", COOKIE)))
        _refuse_strange_ids(scope["path_params"])
        if scope.get("method") not in _READS:
            _refuse_foreign_write(headers, login, public=access == "anyone")
            _refuse_other_than_json(headers, str(handler.opt.get("body", "json")))
        if access == "anyone":
            await self._app(scope, receive, send)
            return
        passport, act = await self._admit(scope, login, handler)
        token = current_passport.set(passport)
        answer = StatusOf(send)
        try:
            await self._app(scope, receive, answer)
        finally:
            current_passport.reset(token)
            if act is not None and act.number and writes(scope, handler):
                await end_act(self._parts, scope, act, answer.status)

    def _count(self, scope: Scope, handler: BaseRouteHandler, headers: Headers) -> None:
        """A device that is known counts by itself, however many ask from its address."""
        name = limit_of(handler, str(scope.get("method")))
        if not name:
            return
        parts = self._parts
        badge = parts.badges.read(cookie_of(headers, badges.COOKIE, ""))
        who = badge.device or home_of(parts.client_of(AnyRequest(scope)))
        if again_s := parts.limiter.hit(name, who):
            raise TooManyRequests("That was asked for too often from here.", again_s)

    async def _admit(
        self, scope: Scope, login: Login | None, handler: BaseRouteHandler
    ) -> tuple[Passport, ActBegun | None]:
        """Whose passport the route runs under, and, of an operator, the act that it is."""
        if login is None or not _TOKEN.fullmatch(login.token):
            raise NotLoggedIn("Log in first.")
        asking = AnyRequest(scope)
        caller = await self._parts.identity.authenticate(
            Authenticate(token=login.token, client_address=self._parts.client_of(asking))
        )
        plan = await self._parts.plans.of(caller.account_id) if caller.account_id else NO_PLAN
        action = action_of(handler)
        act = None
        if caller.role == "operator" and action:
            act = await begin_act(
                self._parts, scope, login.token, action, writes=writes(scope, handler)
            )
            caller = msgspec.structs.replace(caller, staff_id=act.staff_id, staff_role=act.role)
        passport = Passport(
            subject=caller.account_id or caller.staff_id or caller.role,
            role=caller.role,
            profile_id=caller.profile_id,
            plan_id=plan.plan_id,
            device=caller.login_id,
            maturity=caller.maturity,
            kids=caller.kids,
            level=caller.level,
            proved_at_s=int(caller.proved_at.timestamp()) if caller.proved_at else 0,
            staff_id=caller.staff_id,
            staff_role=caller.staff_role,
        )
        scope["user"] = caller
        scope["auth"] = self._parts.office.mint(passport)
        scope["state"]["account_id"] = caller.account_id
        return passport, act


def writes(scope: Scope, handler: BaseRouteHandler) -> bool:
    """Whether a request may change something that is an act of its own: the parts of an upload are
    not, which was opened by one and is completed by another."""
    return scope.get("method") not in _READS and not handler.opt.get("part_of_act", False)


def _check_profile(passport: Passport, profiles: Profiles) -> None:
    if profiles == "any":
        return
    if not passport.profile_id:
        raise ProfileNotChosen("Say first who is watching.")
    if passport.kids and profiles != "kids":
        raise NotForKids("This is not for a kids' profile: ask somebody of this account.")


def _refuse_strange_ids(path_params: Mapping[str, object]) -> None:
    for name, value in path_params.items():
        if name != "path" and not _ID.match(str(value)):
            raise NotFound(f"There is no such {name.removesuffix('_id')}.")


def _refuse_foreign_write(headers: Headers, login: Login | None, *, public: bool) -> None:
    if login is not None and not login.from_cookie:
        return
    if is_foreign_write(
        host=headers.get("host", ""),
        origin=headers.get("origin"),
        fetch_site=headers.get("sec-fetch-site"),
        needs_proof=login is not None and not public,
    ):
        raise ForeignOrigin("A browser may change things here from our own page only.")


def _refuse_other_than_json(headers: Headers, body: str) -> None:
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if body == "json" and media_type not in ("", "application/json"):
        raise WrongMediaType("Send the body as application/json.")
