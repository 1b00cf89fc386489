"""Searches for the mark of a film in copies that were found, and whose session they name."""

import structlog
from litestar import get, post
from litestar.params import FromPath, JSONBody

from cuemark.contracts.encoding.marks import FindMark, GetMarkSearch, MarkSearch
from cuemark.contracts.identity import GetAccounts
from cuemark.contracts.ids import AccountId, UploadId, VersionId
from cuemark.contracts.playback import NameSessions, Naming
from cuemark.gateway.parts import GatewayParts, Parts
from cuemark.gateway.views import API, MarkSearchBody, MarkSearchView, mark_search_view
from cuemark.kit.errors import Unavailable


@post(
    f"{API}/versions/{{version_id:str}}/mark-searches",
    opt={"access": "operator", "staff": "marks.search"},
    tags=["marks"],
)
async def find_mark(
    version_id: FromPath[str], data: JSONBody[MarkSearchBody], parts: Parts
) -> MarkSearchView:
    """Asked again for the same copy it is the same search."""
    search = await parts.encoding.find_mark(
        FindMark(version_id=VersionId(version_id), upload_id=UploadId(data.upload_id))
    )
    return await _with_names(parts, search)


@get(
    f"{API}/mark-searches/{{search_id:str}}",
    opt={"access": "operator", "staff": "marks.read"},
    tags=["marks"],
)
async def get_mark_search(search_id: FromPath[str], parts: Parts) -> MarkSearchView:
    """Once it is done it names sessions: those of now, so that it can be asked again later."""
    search = await parts.encoding.get_mark_search(GetMarkSearch(search_id=search_id))
    return await _with_names(parts, search)


async def _with_names(parts: GatewayParts, search: MarkSearch) -> MarkSearchView:
    if search.evidence is None:
        return mark_search_view(search, None, {})
    naming = await parts.playback.name_sessions(
        NameSessions(
            version_id=search.version_id,
            first_segment=search.evidence.first_segment,
            values=search.evidence.values,
        )
    )
    structlog.get_logger().info(
        "sessions_named",
        search_id=search.search_id,
        compared=naming.compared,
        session_ids=[each.session_id for each in naming.suspects if each.named],
    )
    return mark_search_view(search, naming, await _emails(parts, naming))


async def _emails(parts: GatewayParts, naming: Naming) -> dict[AccountId, str]:
    """The mail addresses of who is named; none while identity is away."""
    ids = [each.account_id for each in naming.suspects if each.account_id is not None]
    if not ids:
        return {}
    try:
        found = await parts.identity.get_accounts(GetAccounts(account_ids=ids))
    except Unavailable:
        return {}
    return {each.account_id: each.email for each in found.accounts}
