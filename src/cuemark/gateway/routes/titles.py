"""Titles: what there is to watch, and where this viewer stopped."""

import asyncio
import hashlib

import structlog
from litestar import get, post, put
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Response

from cuemark.contracts.catalog import (
    CreateTitle,
    GetTitle,
    ListTitles,
    SetLaunch,
    Title,
    UnknownTitle,
)
from cuemark.contracts.encoding.artwork import CardImpossible, DrawTitleCard
from cuemark.contracts.identity import Caller
from cuemark.contracts.ids import ProfileId, TitleId
from cuemark.contracts.viewers import GetResumePoint, ListWatching, Watching
from cuemark.gateway.errors import NotFound
from cuemark.gateway.parts import AnyRequest, GatewayParts, Parts
from cuemark.gateway.views import (
    API,
    Cursor,
    LaunchBody,
    Limit,
    TitleBody,
    TitleListView,
    TitleView,
    WatchingView,
    title_view,
)
from cuemark.kit.errors import Unavailable
from cuemark.kit.pages import MOST_ROWS

CONTINUE_ROW = 24


@get(f"{API}/titles", opt={"access": "member_or_operator"}, tags=["titles"])
async def list_titles(
    parts: Parts, request: AnyRequest, after: Cursor = "", limit: Limit = 50
) -> TitleListView:
    """Operators also see the titles that nobody can watch yet."""
    caller = request.user
    published_only = caller.role == "member"
    page, positions = await asyncio.gather(
        parts.catalog.list_titles(
            ListTitles(after=after, limit=limit, published_only=published_only)
        ),
        _positions(parts, caller),
    )
    titles = [title_view(title, positions.get(title.title_id, 0.0)) for title in page.titles]
    return TitleListView(titles=titles, next_cursor=page.next_cursor)


@get(f"{API}/titles/{{title_id:str}}", opt={"access": "member_or_operator"}, tags=["titles"])
async def get_title(title_id: FromPath[str], parts: Parts, request: AnyRequest) -> TitleView:
    title, position_s = await asyncio.gather(
        _visible_title(parts, request.user, TitleId(title_id)),
        _position(parts, request.user, TitleId(title_id)),
    )
    return title_view(title, position_s)


@get(
    f"{API}/titles/{{title_id:str}}/artwork",
    opt={"access": "member_or_operator"},
    media_type="image/jpeg",
    tags=["titles"],
)
async def get_artwork(
    title_id: FromPath[str], parts: Parts, request: AnyRequest, plain: FromQuery[bool] = False
) -> Response[bytes]:
    """``plain`` is for whoever writes the name there anyway."""
    title = await _visible_title(parts, request.user, TitleId(title_id))
    if not title.artwork_key:
        raise NotFound("This title has no artwork yet.")
    key = title.artwork_key if plain else await _shown_artwork(parts, title)
    tag = f'"{hashlib.sha256(key.encode()).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": "private, max-age=60"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    try:
        jpeg = await asyncio.to_thread(parts.objects.read, key)
    except FileNotFoundError as error:
        raise NotFound("This title's artwork is not here.") from error
    return Response(jpeg, media_type="image/jpeg", headers=headers)


@get(f"{API}/continue-watching", opt={"access": "member"}, tags=["titles"])
async def list_continue_watching(parts: Parts, request: AnyRequest) -> WatchingView:
    """The latest first. Without viewers the row falls back to an empty one."""
    watching = await _watching(parts, request.user.profile_id, CONTINUE_ROW)
    titles = await asyncio.gather(
        *(_published_title(parts, request.user, begun.title_id) for begun in watching)
    )
    return WatchingView(
        titles=[
            title_view(title, begun.position_s)
            for title, begun in zip(titles, watching, strict=True)
            if title is not None
        ]
    )


@post(f"{API}/titles", opt={"access": "operator"}, tags=["titles"])
async def create_title(data: JSONBody[TitleBody], parts: Parts) -> TitleView:
    asked = CreateTitle(
        name=data.name, synopsis=data.synopsis, series=data.series, launch_at=data.launch_at
    )
    return title_view(await parts.catalog.create_title(asked))


@put(f"{API}/titles/{{title_id:str}}/launch", opt={"access": "operator"}, tags=["titles"])
async def set_launch(
    title_id: FromPath[str], data: JSONBody[LaunchBody], parts: Parts
) -> TitleView:
    """When members may see a title; appliances have it before that."""
    asked = SetLaunch(title_id=TitleId(title_id), launch_at=data.launch_at)
    return title_view(await parts.catalog.set_launch(asked))


async def _shown_artwork(parts: GatewayParts, title: Title) -> str:
    """The key of the picture that stands for a title; without its name where that cannot be."""
    if not title.artwork_with_name:
        return title.artwork_key
    card = DrawTitleCard(picture_key=title.artwork_key, name=title.name)
    try:
        return (await parts.encoding.draw_title_card(card)).picture_key
    except (CardImpossible, Unavailable) as error:
        structlog.get_logger().warning(
            "title_card_fell_back", title_id=title.title_id, reason=str(error)
        )
        return title.artwork_key


async def _visible_title(parts: GatewayParts, caller: Caller, title_id: TitleId) -> Title:
    title = await parts.catalog.get_title(GetTitle(title_id=title_id))
    if caller.role != "operator" and (title.version_id is None or not title.launched):
        raise UnknownTitle("There is no such title.")
    return title


async def _published_title(parts: GatewayParts, caller: Caller, title_id: TitleId) -> Title | None:
    try:
        return await _visible_title(parts, caller, title_id)
    except UnknownTitle:
        return None


async def _positions(parts: GatewayParts, caller: Caller) -> dict[TitleId, float]:
    """Where the viewer stopped, for the titles that were begun and not ended."""
    if caller.role != "member":
        return {}
    watching = await _watching(parts, caller.profile_id, MOST_ROWS)
    return {begun.title_id: begun.position_s for begun in watching}


async def _watching(parts: GatewayParts, profile_id: ProfileId, limit: int) -> list[Watching]:
    try:
        page = await parts.viewers.list_watching(ListWatching(profile_id=profile_id, limit=limit))
    except Unavailable:
        structlog.get_logger().warning("positions_fell_back")
        return []
    return page.titles


async def _position(parts: GatewayParts, caller: Caller, title_id: TitleId) -> float:
    """Where the viewer stopped; 0 without viewers."""
    if caller.role != "member":
        return 0.0
    request = GetResumePoint(profile_id=caller.profile_id, title_id=title_id)
    try:
        return (await parts.viewers.get_resume_point(request)).position_s
    except Unavailable:
        structlog.get_logger().warning("positions_fell_back")
        return 0.0
