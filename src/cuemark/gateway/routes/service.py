"""The service itself: that it lives, its name, its API, and its page."""

import asyncio

from litestar import get
from litestar.response import Response

from cuemark.gateway.errors import NotFound
from cuemark.gateway.member_page import page_file
from cuemark.gateway.parts import AnyRequest, Parts
from cuemark.gateway.views import API, HealthView, MeView, ServiceView


@get(f"{API}/health", opt={"access": "anyone"}, tags=["service"])
async def get_health() -> HealthView:
    return HealthView()


@get(f"{API}/service", opt={"access": "anyone"}, tags=["service"])
async def get_service(parts: Parts) -> ServiceView:
    return ServiceView(name=parts.service_name, sign_up=parts.sign_up, payments=parts.payments)


@get(
    f"{API}/me",
    opt={"access": "member_or_operator", "profile": "any", "staff": "self.read"},
    tags=["service"],
)
async def get_me(request: AnyRequest) -> MeView:
    caller = request.user
    return MeView(
        role=caller.role,
        account_id=caller.account_id,
        email=caller.email,
        profile_name=caller.profile_name,
        profile_id=caller.profile_id,
        kids=caller.kids,
    )


@get(["/", "/{path:path}"], opt={"access": "anyone"}, include_in_schema=False)
async def get_page(parts: Parts, request: AnyRequest) -> Response[bytes]:
    path = request.scope["path"]
    if path == "/api" or path.startswith("/api/"):
        raise NotFound("There is nothing at this address.")
    codings = request.headers.get("accept-encoding", "").lower().replace(" ", "").split(",")
    takes_gzip = "gzip" in codings
    file = await asyncio.to_thread(page_file, parts.page_folder, path, takes_gzip=takes_gzip)
    if file is None:
        raise NotFound("The page has no such file.")
    return Response(
        file.body,
        status_code=file.status,
        media_type=file.headers["content-type"],
        headers=file.headers,
    )
