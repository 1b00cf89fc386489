"""The rights of titles, as operators set them."""

from datetime import datetime
from typing import Annotated

from litestar import get, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from cuemark.contracts.catalog import GetTitle
from cuemark.contracts.ids import TitleId
from cuemark.contracts.rights import (
    Decide,
    Decision,
    GetRights,
    LicenceType,
    ListRights,
    RightsPage,
    RightsWereSet,
    SetRights,
    TitleRights,
    TitleWindows,
    UndoRights,
)
from cuemark.gateway.parts import GatewayParts, Parts
from cuemark.gateway.views import API, Cursor, Limit, RightsBody

MOST_BYTES = 32 << 20
Territory = Annotated[str, QueryParameter(pattern="^([A-Z]{2})?\\Z")]
_RIGHTS = f"{API}/titles/{{title_id:str}}/rights"


@get(f"{API}/rights", opt={"access": "operator", "staff": "rights.read"}, tags=["rights"])
async def list_rights(parts: Parts, after: Cursor = "", limit: Limit = 50) -> RightsPage:
    """The titles that have rights recorded, by their ids."""
    return await parts.rights.list_rights(ListRights(after=after, limit=limit))


@put(
    f"{API}/rights",
    opt={"access": "operator", "staff": "rights.write"},
    tags=["rights"],
    request_max_body_size=MOST_BYTES,
)
async def set_all_rights(data: JSONBody[SetRights], parts: Parts) -> RightsWereSet:
    """Of many titles: all of them, or none."""
    return await parts.rights.set_rights(data)


@get(_RIGHTS, opt={"access": "operator", "staff": "rights.read"}, tags=["rights"])
async def get_rights(title_id: FromPath[str], parts: Parts) -> TitleRights:
    await _known(parts, title_id)
    return await parts.rights.get_rights(GetRights(title_id=TitleId(title_id)))


@put(
    _RIGHTS,
    opt={"access": "operator", "staff": "rights.write"},
    tags=["rights"],
    request_max_body_size=MOST_BYTES,
)
async def set_rights(
    title_id: FromPath[str], data: JSONBody[RightsBody], parts: Parts
) -> TitleRights:
    """All windows of a title; those that it had are kept, to go back to."""
    await _known(parts, title_id)
    windows = TitleWindows(title_id=TitleId(title_id), windows=data.windows)
    await parts.rights.set_rights(SetRights(sets=[windows]))
    return await parts.rights.get_rights(GetRights(title_id=TitleId(title_id)))


@post(
    f"{_RIGHTS}/undo",
    opt={"access": "operator", "staff": "rights.write"},
    status_code=200,
    tags=["rights"],
)
async def undo_rights(title_id: FromPath[str], parts: Parts) -> TitleRights:
    """Back to the windows that the present ones replaced."""
    await _known(parts, title_id)
    return await parts.rights.undo_rights(UndoRights(title_id=TitleId(title_id)))


@get(f"{_RIGHTS}/decision", opt={"access": "operator", "staff": "rights.read"}, tags=["rights"])
async def decide(
    title_id: FromPath[str],
    parts: Parts,
    territory: Territory = "",
    licence_type: FromQuery[LicenceType | None] = None,
    at: FromQuery[datetime | None] = None,
) -> Decision:
    """What members in a territory have of a title, now or at a moment."""
    await _known(parts, title_id)
    asked = Decide(
        title_ids=[TitleId(title_id)],
        territory=territory,
        licence_types=[licence_type] if licence_type else [],
        at=at,
    )
    return (await parts.rights.decide(asked)).decisions[0]


async def _known(parts: GatewayParts, title_id: str) -> None:
    """Raises ``UnknownTitle`` where there is no such title."""
    await parts.catalog.get_title(GetTitle(title_id=TitleId(title_id)))
