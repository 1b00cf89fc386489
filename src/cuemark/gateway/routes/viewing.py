"""What a profile watched, keeps for later and thinks of it; and that of a region, for others.

Whose it is comes from the login, never from the request. Works that the caller may not be shown
where they are stay away from the lists: a page may have fewer than ``limit``, and others after it.
"""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import structlog
from litestar import delete, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Response

from cuemark.contracts.catalog.works import ShowWork, UnknownWork, WorkInFull
from cuemark.contracts.ids import TitleId, WorkId
from cuemark.contracts.viewers.exchange import (
    MOST_CHANGES,
    Applied,
    ApplyChanges,
    ChangesPage,
    ExportChanges,
)
from cuemark.contracts.viewers.history import ClearHistory, ListHistory, RemoveFromHistory
from cuemark.contracts.viewers.lists import (
    AddToMyList,
    DescribeStanding,
    ListMyList,
    ListRatings,
    MyListPage,
    Rate,
    RemoveFromMyList,
    RemoveRating,
)
from cuemark.gateway.languages import Language, ranges_of, told_in
from cuemark.gateway.parts import AnyRequest, GatewayParts, Parts
from cuemark.gateway.positions import positions
from cuemark.gateway.rights import rights_of, shown_works
from cuemark.gateway.shown import published_title, shown_work
from cuemark.gateway.viewing_views import (
    HistoryEntryView,
    HistoryView,
    ListedView,
    MyListView,
    RatedView,
    RatingBody,
    RatingListView,
    StandingListView,
)
from cuemark.gateway.views import API, Cursor, Limit, title_view
from cuemark.gateway.work_views import WorkSummaryView, summary_view
from cuemark.kit.errors import Unavailable

CHANGES_BYTES = 4 << 20
Changes = Annotated[int, QueryParameter(ge=1, le=MOST_CHANGES)]
Ids = Annotated[
    str,
    QueryParameter(max_length=200 * 65, pattern=r"^[A-Za-z0-9_-]{1,64}(,[A-Za-z0-9_-]{1,64})*\Z"),
]
_LISTED = f"{API}/my-list/{{work_id:str}}"
_RATED = f"{API}/ratings/{{work_id:str}}"


@get(f"{API}/history", opt={"access": "member", "profile": "kids"}, tags=["viewing"])
async def list_history(
    parts: Parts,
    request: AnyRequest,
    after: Cursor = "",
    limit: Limit = 50,
    language: Language = "",
) -> Response[HistoryView]:
    """The latest first, each play that was more than a glance."""
    asked = ListHistory(profile_id=request.user.profile_id, after=after, limit=limit)
    page, begun = await asyncio.gather(
        parts.viewers.list_history(asked), positions(parts, request.user)
    )
    ranges = ranges_of(request, language)
    ids = list(dict.fromkeys(each.title_id for each in page.viewings))
    found = await asyncio.gather(*(published_title(parts, each, ranges) for each in ids))
    rights = await rights_of(parts, request, [each.title_id for each in found if each])
    titles = {
        title.title_id: title_view(title, begun.get(title.title_id, 0.0), rights[title.title_id])
        for title in found
        if title and rights[title.title_id].shown
    }
    viewings = [
        HistoryEntryView(
            title=titles[each.title_id], position_s=each.position_s, watched_at=each.watched_at
        )
        for each in page.viewings
        if each.title_id in titles
    ]
    view = HistoryView(viewings=viewings, next_cursor=page.next_cursor)
    return Response(view, headers=told_in(title.language for title in found if title))


@delete(f"{API}/history", opt={"access": "member"}, status_code=204, tags=["viewing"])
async def clear_history(parts: Parts, request: AnyRequest) -> None:
    await parts.viewers.clear_history(ClearHistory(profile_id=request.user.profile_id))


@delete(
    f"{API}/history/{{title_id:str}}", opt={"access": "member"}, status_code=204, tags=["viewing"]
)
async def remove_from_history(title_id: FromPath[str], parts: Parts, request: AnyRequest) -> None:
    """All viewings of a title, and where it stopped."""
    await parts.viewers.remove_from_history(
        RemoveFromHistory(profile_id=request.user.profile_id, title_id=TitleId(title_id))
    )


@get(f"{API}/my-list", opt={"access": "member", "profile": "kids"}, tags=["viewing"])
async def list_my_list(
    parts: Parts,
    request: AnyRequest,
    after: Cursor = "",
    limit: Limit = 50,
    language: Language = "",
) -> Response[MyListView]:
    """What was added last comes first. Without viewers the list falls back to an empty one."""
    asked = ListMyList(profile_id=request.user.profile_id, after=after, limit=limit)
    try:
        page = await parts.viewers.list_my_list(asked)
    except Unavailable:
        structlog.get_logger().warning("my_list_fell_back")
        page = MyListPage(works=[])
    works, headers = await _shown(parts, request, [each.work_id for each in page.works], language)
    listed = [
        ListedView(work=works[each.work_id], added_at=each.added_at)
        for each in page.works
        if each.work_id in works
    ]
    return Response(MyListView(works=listed, next_cursor=page.next_cursor), headers=headers)


@put(_LISTED, opt={"access": "member", "profile": "kids"}, status_code=204, tags=["viewing"])
async def add_to_my_list(work_id: FromPath[str], parts: Parts, request: AnyRequest) -> None:
    await shown_work(parts, request, work_id, "")
    asked = AddToMyList(profile_id=request.user.profile_id, work_id=WorkId(work_id))
    await parts.viewers.add_to_my_list(asked)


@delete(_LISTED, opt={"access": "member", "profile": "kids"}, status_code=204, tags=["viewing"])
async def remove_from_my_list(work_id: FromPath[str], parts: Parts, request: AnyRequest) -> None:
    asked = RemoveFromMyList(profile_id=request.user.profile_id, work_id=WorkId(work_id))
    await parts.viewers.remove_from_my_list(asked)


@get(f"{API}/ratings", opt={"access": "member", "profile": "kids"}, tags=["viewing"])
async def list_ratings(
    parts: Parts,
    request: AnyRequest,
    after: Cursor = "",
    limit: Limit = 50,
    language: Language = "",
) -> Response[RatingListView]:
    """What was rated last comes first."""
    asked = ListRatings(profile_id=request.user.profile_id, after=after, limit=limit)
    page = await parts.viewers.list_ratings(asked)
    works, headers = await _shown(parts, request, [each.work_id for each in page.works], language)
    rated = [
        RatedView(work=works[each.work_id], rating=each.rating, rated_at=each.rated_at)
        for each in page.works
        if each.work_id in works
    ]
    return Response(RatingListView(works=rated, next_cursor=page.next_cursor), headers=headers)


@put(_RATED, opt={"access": "member", "profile": "kids"}, status_code=204, tags=["viewing"])
async def rate(
    work_id: FromPath[str], data: JSONBody[RatingBody], parts: Parts, request: AnyRequest
) -> None:
    await shown_work(parts, request, work_id, "")
    profile_id = request.user.profile_id
    asked = Rate(profile_id=profile_id, work_id=WorkId(work_id), rating=data.rating)
    await parts.viewers.rate(asked)


@delete(_RATED, opt={"access": "member", "profile": "kids"}, status_code=204, tags=["viewing"])
async def remove_rating(work_id: FromPath[str], parts: Parts, request: AnyRequest) -> None:
    asked = RemoveRating(profile_id=request.user.profile_id, work_id=WorkId(work_id))
    await parts.viewers.remove_rating(asked)


@get(f"{API}/standing", opt={"access": "member", "profile": "kids"}, tags=["viewing"])
async def describe_standing(work_ids: Ids, parts: Parts, request: AnyRequest) -> StandingListView:
    """Whether works are on the list, and how they are rated; of up to 200 ids with commas between
    them. Without viewers nothing is told."""
    ids = [WorkId(each) for each in work_ids.split(",")]
    asked = DescribeStanding(profile_id=request.user.profile_id, work_ids=ids)
    try:
        return StandingListView(standings=(await parts.viewers.describe_standing(asked)).standings)
    except Unavailable:
        structlog.get_logger().warning("standing_fell_back")
        return StandingListView(standings=[])


@get(
    f"{API}/viewing/changes",
    opt={"access": "operator", "staff": "viewing.export"},
    tags=["viewing"],
)
async def export_changes(
    parts: Parts, after: Cursor = "", limit: Changes = MOST_CHANGES
) -> ChangesPage:
    """What changed after a cursor, for the other regions."""
    return await parts.viewers.export_changes(ExportChanges(after=after, limit=limit))


@post(
    f"{API}/viewing/changes",
    opt={"access": "operator", "staff": "viewing.apply"},
    status_code=200,
    tags=["viewing"],
    request_max_body_size=CHANGES_BYTES,
)
async def apply_changes(data: JSONBody[ApplyChanges], parts: Parts) -> Applied:
    """What another region has exported: all of it, or nothing where the answer has faults."""
    return await parts.viewers.apply_changes(data)


async def _shown(
    parts: GatewayParts, request: AnyRequest, ids: Sequence[WorkId], language: str
) -> tuple[dict[WorkId, WorkSummaryView], dict[str, str]]:
    """Those of the works that the caller may be shown, and the headers for their language."""
    ranges = ranges_of(request, language)
    asked = asyncio.gather(*(_work(parts, each, ranges) for each in ids))
    works, begun = await asyncio.gather(asked, positions(parts, request.user))
    found = [each for each in works if each is not None]
    shown = await shown_works(parts, request, [each.work for each in found])
    views = {
        each.work.work_id: summary_view(each.work, begun.get(TitleId(each.work.work_id), 0.0))
        for each in found
        if each.work.work_id in shown
    }
    return views, told_in(tag for each in found for tag in each.languages)


async def _work(parts: GatewayParts, work_id: WorkId, ranges: list[str]) -> WorkInFull | None:
    try:
        return await parts.catalog.show_work(ShowWork(work_id=work_id, languages=ranges))
    except UnknownWork:
        return None
