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
from cuemark.contracts.rights import Decision
from cuemark.contracts.viewers import GetResumePoint, ListWatching, Watching
from cuemark.gateway.entitling import rights_of
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
MOST_PAGES = 5


@get(f"{API}/titles", opt={"access": "member_or_operator"}, tags=["titles"])
async def list_titles(
    parts: Parts, request: AnyRequest, after: Cursor = "", limit: Limit = 50
) -> TitleListView:
    """Operators also see the titles that nobody can watch yet; members those that they may be shown
    where they are. A page may have fewer than ``limit``, and others after it all the same."""
    (shown, next_cursor), positions = await asyncio.gather(
        _page(parts, request, after, limit), _positions(parts, request.user)
    )
    titles = [
        title_view(title, positions.get(title.title_id, 0.0), right) for title, right in shown
    ]
    return TitleListView(titles=titles, next_cursor=next_cursor)


@get(f"{API}/titles/{{title_id:str}}", opt={"access": "member_or_operator"}, tags=["titles"])
async def get_title(title_id: FromPath[str], parts: Parts, request: AnyRequest) -> TitleView:
    (title, right), position_s = await asyncio.gather(
        _visible_title(parts, request, TitleId(title_id)),
        _position(parts, request.user, TitleId(title_id)),
    )
    return title_view(title, position_s, right)


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
    title, _ = await _visible_title(parts, request, TitleId(title_id))
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
    titles = await asyncio.gather(*(_published_title(parts, begun.title_id) for begun in watching))
    begun = [
        (title, each.position_s)
        for title, each in zip(titles, watching, strict=True)
        if title is not None
    ]
    rights = await rights_of(parts, request, [title.title_id for title, _ in begun])
    return WatchingView(
        titles=[
            title_view(title, position_s, rights[title.title_id])
            for title, position_s in begun
            if rights[title.title_id].shown
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


async def _page(
    parts: GatewayParts, request: AnyRequest, after: str, limit: int
) -> tuple[list[tuple[Title, Decision | None]], str]:
    """What the caller may be shown of the list, and the cursor of the next page.

    A few pages are read where many titles are not for this territory, so that a member's page is
    seldom empty.
    """
    member = request.user.role == "member"
    shown: list[tuple[Title, Decision | None]] = []
    for _ in range(MOST_PAGES):
        page = await parts.catalog.list_titles(
            ListTitles(after=after, limit=limit - len(shown), published_only=member)
        )
        after = page.next_cursor
        allowed: list[tuple[Title, Decision | None]]
        if member:
            rights = await rights_of(parts, request, [title.title_id for title in page.titles])
            found = [(title, rights[title.title_id]) for title in page.titles]
            allowed = [(title, right) for title, right in found if right.shown]
        else:
            allowed = [(title, None) for title in page.titles]
        shown += allowed
        if not after or len(allowed) == len(page.titles):
            break
    return shown, after


async def _visible_title(
    parts: GatewayParts, request: AnyRequest, title_id: TitleId
) -> tuple[Title, Decision | None]:
    """The title, and what a member has of it; raises ``UnknownTitle``."""
    if request.user.role == "operator":
        return await parts.catalog.get_title(GetTitle(title_id=title_id)), None
    title = await _published_title(parts, title_id)
    if title is not None:
        right = (await rights_of(parts, request, [title.title_id]))[title.title_id]
        if right.shown:
            return title, right
    raise UnknownTitle("There is no such title.")


async def _published_title(parts: GatewayParts, title_id: TitleId) -> Title | None:
    try:
        title = await parts.catalog.get_title(GetTitle(title_id=title_id))
    except UnknownTitle:
        return None
    return title if title.version_id is not None and title.launched else None


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
