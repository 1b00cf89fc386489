"""Titles: what there is to watch, and where this viewer stopped."""

import asyncio

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
from cuemark.contracts.ids import TitleId
from cuemark.contracts.rights import Decision
from cuemark.gateway.errors import NotFound
from cuemark.gateway.languages import Language, ranges_of, told_in
from cuemark.gateway.parts import AnyRequest, GatewayParts, Parts
from cuemark.gateway.pictures import picture
from cuemark.gateway.positions import position, positions, watching
from cuemark.gateway.rights import rights_of
from cuemark.gateway.shown import published_title
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

CONTINUE_ROW = 24
MOST_PAGES = 5


@get(
    f"{API}/titles",
    opt={"access": "member_or_operator", "profile": "kids", "staff": "catalog.read"},
    tags=["titles"],
)
async def list_titles(
    parts: Parts,
    request: AnyRequest,
    after: Cursor = "",
    limit: Limit = 50,
    language: Language = "",
) -> Response[TitleListView]:
    """Operators also see the titles that nobody can watch yet; members those that they may be shown
    where they are. A page may have fewer than ``limit``, and others after it all the same."""
    (shown, next_cursor), begun = await asyncio.gather(
        _page(parts, request, after, limit, ranges_of(request, language)),
        positions(parts, request.user),
    )
    titles = [title_view(title, begun.get(title.title_id, 0.0), right) for title, right in shown]
    view = TitleListView(titles=titles, next_cursor=next_cursor)
    return Response(view, headers=told_in(title.language for title, _ in shown))


@get(
    f"{API}/titles/{{title_id:str}}",
    opt={"access": "member_or_operator", "profile": "kids", "staff": "catalog.read"},
    tags=["titles"],
)
async def get_title(
    title_id: FromPath[str], parts: Parts, request: AnyRequest, language: Language = ""
) -> Response[TitleView]:
    (title, right), position_s = await asyncio.gather(
        _visible_title(parts, request, TitleId(title_id), ranges_of(request, language)),
        position(parts, request.user, TitleId(title_id)),
    )
    return Response(title_view(title, position_s, right), headers=told_in([title.language]))


@get(
    f"{API}/titles/{{title_id:str}}/artwork",
    opt={"access": "member_or_operator", "profile": "kids", "staff": "catalog.read"},
    media_type="image/jpeg",
    tags=["titles"],
)
async def get_artwork(
    title_id: FromPath[str],
    parts: Parts,
    request: AnyRequest,
    plain: FromQuery[bool] = False,
    language: Language = "",
) -> Response[bytes]:
    """``plain`` is for whoever writes the name there anyway."""
    ranges = ranges_of(request, language)
    title, _ = await _visible_title(parts, request, TitleId(title_id), ranges)
    if not title.artwork_key:
        raise NotFound("This title has no artwork yet.")
    key = title.artwork_key if plain else await _shown_artwork(parts, title)
    return await picture(parts, request, key)


@get(f"{API}/continue-watching", opt={"access": "member", "profile": "kids"}, tags=["titles"])
async def list_continue_watching(
    parts: Parts, request: AnyRequest, language: Language = ""
) -> Response[WatchingView]:
    """The latest first. Without viewers the row falls back to an empty one."""
    watched = await watching(parts, request.user.profile_id, CONTINUE_ROW)
    ranges = ranges_of(request, language)
    titles = await asyncio.gather(
        *(published_title(parts, begun.title_id, ranges) for begun in watched)
    )
    begun = [
        (title, each.position_s)
        for title, each in zip(titles, watched, strict=True)
        if title is not None
    ]
    rights = await rights_of(parts, request, [title.title_id for title, _ in begun])
    shown = [
        title_view(title, position_s, rights[title.title_id])
        for title, position_s in begun
        if rights[title.title_id].shown
    ]
    languages = (title.language for title, _ in begun)
    return Response(WatchingView(titles=shown), headers=told_in(languages))


@post(f"{API}/titles", opt={"access": "operator", "staff": "catalog.write"}, tags=["titles"])
async def create_title(data: JSONBody[TitleBody], parts: Parts) -> TitleView:
    asked = CreateTitle(
        name=data.name, synopsis=data.synopsis, series=data.series, launch_at=data.launch_at
    )
    return title_view(await parts.catalog.create_title(asked))


@put(
    f"{API}/titles/{{title_id:str}}/launch",
    opt={"access": "operator", "staff": "catalog.launch"},
    tags=["titles"],
)
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
    parts: GatewayParts, request: AnyRequest, after: str, limit: int, ranges: list[str]
) -> tuple[list[tuple[Title, Decision | None]], str]:
    """What the caller may be shown of the list, and the cursor of the next page.

    A few pages are read where many titles are not for this territory, so that a member's page is
    seldom empty.
    """
    member = request.user.role == "member"
    shown: list[tuple[Title, Decision | None]] = []
    for _ in range(MOST_PAGES):
        page = await parts.catalog.list_titles(
            ListTitles(
                after=after,
                limit=limit - len(shown),
                published_only=member,
                languages=ranges,
            )
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
    parts: GatewayParts, request: AnyRequest, title_id: TitleId, ranges: list[str]
) -> tuple[Title, Decision | None]:
    """The title, and what a member has of it; raises ``UnknownTitle``."""
    if request.user.role == "operator":
        asked = GetTitle(title_id=title_id, languages=ranges)
        return await parts.catalog.get_title(asked), None
    title = await published_title(parts, title_id, ranges)
    if title is not None:
        right = (await rights_of(parts, request, [title.title_id]))[title.title_id]
        if right.shown:
            return title, right
    raise UnknownTitle("There is no such title.")
