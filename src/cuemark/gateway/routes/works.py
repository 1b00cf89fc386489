"""Works: what there is to watch and what it lies in, and how operators change that."""

import asyncio
from typing import Annotated

from litestar import delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.response import Response

from cuemark.contracts.catalog.works import (
    CreateWork,
    DescribeWork,
    GetWork,
    Kind,
    ListWorks,
    PlaceWork,
    RemoveWork,
    UndoWork,
    Work,
)
from cuemark.contracts.ids import PersonId, TermId, TitleId, WorkId
from cuemark.gateway.errors import NotFound
from cuemark.gateway.languages import Language, Territory, ranges_of, told_in
from cuemark.gateway.parts import AnyRequest, Parts
from cuemark.gateway.pictures import picture
from cuemark.gateway.positions import position, positions
from cuemark.gateway.rights import first_picture, shown_works
from cuemark.gateway.schema_org import MEDIA_TYPE, json_ld
from cuemark.gateway.shown import shown_work
from cuemark.gateway.views import API, Cursor, Limit
from cuemark.gateway.work_views import (
    HOLDERS,
    DetailsBody,
    PlaceBody,
    WorkBody,
    WorkListView,
    WorkView,
    summary_view,
    work_view,
)

DETAILS_BYTES = 1 << 20
Named = Annotated[str, QueryParameter(max_length=64, pattern=r"^[A-Za-z0-9_-]*\Z")]
_WORK = f"{API}/works/{{work_id:str}}"


@get(
    f"{API}/works",
    opt={"access": "member_or_operator", "profile": "kids", "staff": "catalog.read"},
    tags=["works"],
)
async def list_works(
    parts: Parts,
    request: AnyRequest,
    parent: Named = "",
    kind: FromQuery[Kind | None] = None,
    term: Named = "",
    person: Named = "",
    top: FromQuery[bool] = False,
    after: Cursor = "",
    limit: Limit = 50,
    language: Language = "",
) -> Response[WorkListView]:
    """What lies in ``parent``, in its order; without one all, the newest first. ``term`` is a genre
    or theme, and ``top`` leaves out what lies in another work. Operators see all, members what they
    may be shown where they are: a page may have fewer than ``limit``, and others after it."""
    asked = ListWorks(
        parent_id=WorkId(parent) if parent else None,
        kinds=[kind] if kind else [],
        term_id=TermId(term) if term else None,
        person_id=PersonId(person) if person else None,
        top=top,
        languages=ranges_of(request, language),
        seen_only=request.user.role == "member",
        after=after,
        limit=limit,
    )
    page, begun = await asyncio.gather(
        parts.catalog.list_works(asked), positions(parts, request.user)
    )
    shown = await shown_works(parts, request, page.works)
    works = [
        summary_view(each, begun.get(TitleId(each.work_id), 0.0))
        for each in page.works
        if each.work_id in shown
    ]
    view = WorkListView(works=works, next_cursor=page.next_cursor)
    return Response(view, headers=told_in(page.languages))


@get(
    _WORK,
    opt={"access": "member_or_operator", "profile": "kids", "staff": "catalog.read"},
    tags=["works"],
)
async def get_work(
    work_id: FromPath[str],
    parts: Parts,
    request: AnyRequest,
    language: Language = "",
    territory: Territory = "",
) -> Response[WorkView]:
    """For a reader in ``territory``, whose age rating is told."""
    shown = await shown_work(parts, request, work_id, language, territory)
    position_s = 0.0
    if shown.work.kind not in HOLDERS:
        position_s = await position(parts, request.user, TitleId(work_id))
    return Response(work_view(shown, position_s), headers=told_in(shown.languages))


@get(
    f"{_WORK}/schema.jsonld",
    opt={"access": "member_or_operator", "profile": "kids", "staff": "catalog.read"},
    media_type=MEDIA_TYPE,
    tags=["works"],
)
async def get_schema_org(
    work_id: FromPath[str], parts: Parts, request: AnyRequest, language: Language = ""
) -> Response[bytes]:
    """The work as schema.org tells it, in JSON-LD."""
    shown = await shown_work(parts, request, work_id, language)
    told = json_ld(shown, parts.base_url(), summary_view(shown.work).artwork_url)
    return Response(told, media_type=MEDIA_TYPE, headers=told_in(shown.languages))


@get(
    f"{_WORK}/artwork",
    opt={"access": "member_or_operator", "profile": "kids", "staff": "catalog.read"},
    media_type="image/jpeg",
    tags=["works"],
)
async def get_work_artwork(
    work_id: FromPath[str], parts: Parts, request: AnyRequest, language: Language = ""
) -> Response[bytes]:
    """Of a work that holds others: its own picture, or that of the first title in it."""
    shown = await shown_work(parts, request, work_id, language)
    key = shown.work.artwork_key
    if request.user.maturity is not None and not shown.work.artwork_own:
        key = await first_picture(parts, request, shown.work.work_id)
    if not key:
        raise NotFound("This work has no artwork yet.")
    return await picture(parts, request, key)


@get(f"{_WORK}/details", opt={"access": "operator", "staff": "catalog.read"}, tags=["works"])
async def get_details(work_id: FromPath[str], parts: Parts) -> Work:
    """All that is told of a work, in every language."""
    return await parts.catalog.get_work(GetWork(work_id=WorkId(work_id)))


@post(
    f"{API}/works",
    opt={"access": "operator", "staff": "catalog.write"},
    tags=["works"],
    request_max_body_size=DETAILS_BYTES,
)
async def create_work(data: JSONBody[WorkBody], parts: Parts) -> Work:
    """A franchise, a series or a season; what plays is created as a title."""
    return await parts.catalog.create_work(
        CreateWork(
            kind=data.kind,
            details=data.details,
            parent_id=WorkId(data.parent_id) if data.parent_id else None,
            number=data.number,
        )
    )


@put(
    f"{_WORK}/details",
    opt={"access": "operator", "staff": "catalog.write"},
    tags=["works"],
    request_max_body_size=DETAILS_BYTES,
)
async def describe_work(work_id: FromPath[str], data: JSONBody[DetailsBody], parts: Parts) -> Work:
    """In place of all that was told of it."""
    return await parts.catalog.describe_work(
        DescribeWork(work_id=WorkId(work_id), revision=data.revision, details=data.details)
    )


@put(f"{_WORK}/place", opt={"access": "operator", "staff": "catalog.write"}, tags=["works"])
async def place_work(work_id: FromPath[str], data: JSONBody[PlaceBody], parts: Parts) -> Work:
    return await parts.catalog.place_work(
        PlaceWork(
            work_id=WorkId(work_id),
            parent_id=WorkId(data.parent_id) if data.parent_id else None,
            number=data.number,
            kind=data.kind,
        )
    )


@delete(
    _WORK, status_code=200, opt={"access": "operator", "staff": "catalog.write"}, tags=["works"]
)
async def remove_work(work_id: FromPath[str], parts: Parts) -> Work:
    """The work as it was; ``undo`` brings it back."""
    return await parts.catalog.remove_work(RemoveWork(work_id=WorkId(work_id)))


@post(
    f"{_WORK}/undo",
    status_code=200,
    opt={"access": "operator", "staff": "catalog.write"},
    tags=["works"],
)
async def undo_work(work_id: FromPath[str], parts: Parts) -> Work:
    """As it was before its last change."""
    return await parts.catalog.undo_work(UndoWork(work_id=WorkId(work_id)))
