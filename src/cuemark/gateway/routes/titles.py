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
from cuemark.contracts.identity import Caller
from cuemark.contracts.ids import TitleId
from cuemark.gateway.errors import NotFound
from cuemark.gateway.languages import Language, ranges_of, told_in
from cuemark.gateway.parts import AnyRequest, GatewayParts, Parts
from cuemark.gateway.pictures import picture
from cuemark.gateway.positions import position, positions, watching
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


@get(f"{API}/titles", opt={"access": "member_or_operator"}, tags=["titles"])
async def list_titles(
    parts: Parts,
    request: AnyRequest,
    after: Cursor = "",
    limit: Limit = 50,
    language: Language = "",
) -> Response[TitleListView]:
    """Operators also see the titles that nobody can watch yet."""
    caller = request.user
    published_only = caller.role == "member"
    page, begun = await asyncio.gather(
        parts.catalog.list_titles(
            ListTitles(
                after=after,
                limit=limit,
                published_only=published_only,
                languages=ranges_of(request, language),
            )
        ),
        positions(parts, caller),
    )
    titles = [title_view(title, begun.get(title.title_id, 0.0)) for title in page.titles]
    view = TitleListView(titles=titles, next_cursor=page.next_cursor)
    return Response(view, headers=told_in(each.language for each in page.titles))


@get(f"{API}/titles/{{title_id:str}}", opt={"access": "member_or_operator"}, tags=["titles"])
async def get_title(
    title_id: FromPath[str], parts: Parts, request: AnyRequest, language: Language = ""
) -> Response[TitleView]:
    title, position_s = await asyncio.gather(
        _visible_title(parts, request.user, TitleId(title_id), ranges_of(request, language)),
        position(parts, request.user, TitleId(title_id)),
    )
    return Response(title_view(title, position_s), headers=told_in([title.language]))


@get(
    f"{API}/titles/{{title_id:str}}/artwork",
    opt={"access": "member_or_operator"},
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
    title = await _visible_title(parts, request.user, TitleId(title_id), ranges)
    if not title.artwork_key:
        raise NotFound("This title has no artwork yet.")
    key = title.artwork_key if plain else await _shown_artwork(parts, title)
    return await picture(parts, request, key)


@get(f"{API}/continue-watching", opt={"access": "member"}, tags=["titles"])
async def list_continue_watching(
    parts: Parts, request: AnyRequest, language: Language = ""
) -> Response[WatchingView]:
    """The latest first. Without viewers the row falls back to an empty one."""
    begun_titles = await watching(parts, request.user.profile_id, CONTINUE_ROW)
    titles = await asyncio.gather(
        *(
            _published_title(parts, request.user, begun.title_id, ranges_of(request, language))
            for begun in begun_titles
        )
    )
    view = WatchingView(
        titles=[
            title_view(title, begun.position_s)
            for title, begun in zip(titles, begun_titles, strict=True)
            if title is not None
        ]
    )
    return Response(view, headers=told_in(each.language for each in titles if each is not None))


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


async def _visible_title(
    parts: GatewayParts, caller: Caller, title_id: TitleId, ranges: list[str]
) -> Title:
    title = await parts.catalog.get_title(GetTitle(title_id=title_id, languages=ranges))
    if caller.role != "operator" and (title.version_id is None or not title.launched):
        raise UnknownTitle("There is no such title.")
    return title


async def _published_title(
    parts: GatewayParts, caller: Caller, title_id: TitleId, ranges: list[str]
) -> Title | None:
    try:
        return await _visible_title(parts, caller, title_id, ranges)
    except UnknownTitle:
        return None
