"""Search: what the caller may be shown where they are, by whatever they remember of it."""

import asyncio
from typing import Annotated

from litestar import get, post
from litestar.params import FromPath, QueryParameter
from litestar.response import Response

from cuemark.contracts.ids import WorkId
from cuemark.contracts.search import (
    LONGEST_TEXT,
    MOST_WATCHED,
    FindLike,
    GetIndex,
    Index,
    Rebuild,
    SearchFor,
    Viewpoint,
)
from cuemark.gateway.languages import Language, ranges_of
from cuemark.gateway.parts import AnyRequest, GatewayParts, Parts
from cuemark.gateway.positions import watching
from cuemark.gateway.rights import plan_of, territory_of
from cuemark.gateway.search_views import SearchView, search_view
from cuemark.gateway.views import API, Cursor, Limit
from cuemark.kit.pages import MOST_ROWS

SUGGESTED = 8
Text = Annotated[str, QueryParameter(max_length=LONGEST_TEXT, pattern=r"^[^\x00]*\Z")]
_INDEX = f"{API}/search/index"


@get(
    f"{API}/search",
    opt={"access": "member_or_operator", "profile": "kids", "staff": "catalog.read"},
    tags=["search"],
)
async def search(
    parts: Parts,
    request: AnyRequest,
    text: Text = "",
    after: Cursor = "",
    limit: Limit = 24,
    language: Language = "",
) -> Response[SearchView]:
    """Works, people, genres and themes, the best first. Operators find all, members what they may
    be shown where they are."""
    viewpoint, begun = await _viewpoint(parts, request, language)
    asked = SearchFor(text=text, viewpoint=viewpoint, limit=limit, after=after)
    return _answer(search_view(await parts.search.search(asked), begun))


@get(
    f"{API}/search/suggestions",
    opt={"access": "member_or_operator", "profile": "kids", "staff": "catalog.read"},
    tags=["search"],
)
async def suggest(
    parts: Parts, request: AnyRequest, text: Text = "", language: Language = ""
) -> Response[SearchView]:
    """A few hits while somebody types: the last word may be the beginning of one."""
    viewpoint, begun = await _viewpoint(parts, request, language)
    asked = SearchFor(text=text, viewpoint=viewpoint, limit=SUGGESTED)
    return _answer(search_view(await parts.search.suggest(asked), begun))


@get(
    f"{API}/works/{{work_id:str}}/like",
    opt={"access": "member_or_operator", "profile": "kids", "staff": "catalog.read"},
    tags=["search"],
)
async def find_like(
    work_id: FromPath[str],
    parts: Parts,
    request: AnyRequest,
    after: Cursor = "",
    limit: Limit = 24,
    language: Language = "",
) -> Response[SearchView]:
    """What is like a work by its genres, themes and people, the likest first."""
    viewpoint, begun = await _viewpoint(parts, request, language)
    asked = FindLike(work_id=WorkId(work_id), viewpoint=viewpoint, limit=limit, after=after)
    return _answer(search_view(await parts.search.like(asked), begun))


@get(_INDEX, opt={"access": "operator", "staff": "search.read"}, tags=["search"])
async def get_index(parts: Parts) -> Index:
    """Which index is searched, and how far the one is that is built."""
    return await parts.search.get_index(GetIndex())


@post(
    _INDEX, opt={"access": "operator", "staff": "search.rebuild"}, status_code=200, tags=["search"]
)
async def rebuild_index(parts: Parts) -> Index:
    """Build a new index; the one that is searched stays until the new one is whole."""
    return await parts.search.rebuild(Rebuild())


async def _viewpoint(
    parts: GatewayParts, request: AnyRequest, language: str
) -> tuple[Viewpoint, dict[str, float]]:
    """Who asks and from where, and where they stopped in what they watched."""
    languages = ranges_of(request, language)
    if request.user.role != "member":
        return Viewpoint(languages=languages, seen_only=False), {}
    territory, plan, watched = await asyncio.gather(
        territory_of(parts, request),
        plan_of(parts, request),
        watching(parts, request.user.profile_id, MOST_ROWS),
    )
    viewpoint = Viewpoint(
        languages=languages,
        territory=territory,
        maturity=request.user.maturity,
        licence_types=[*plan.licence_types],
        watched=[each.title_id for each in watched[:MOST_WATCHED]],
    )
    return viewpoint, {each.title_id: each.position_s for each in watched}


def _answer(view: SearchView) -> Response[SearchView]:
    return Response(view, headers={"vary": "accept-language"})
