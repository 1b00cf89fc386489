"""Where this viewer stopped, in lists and in one title. Without viewers: at the beginning."""

import structlog

from cuemark.contracts.identity import Caller
from cuemark.contracts.ids import ProfileId, TitleId
from cuemark.contracts.viewers import GetResumePoint, ListWatching, Watching
from cuemark.gateway.parts import GatewayParts
from cuemark.kit.errors import Unavailable
from cuemark.kit.pages import MOST_ROWS


async def positions(parts: GatewayParts, caller: Caller) -> dict[TitleId, float]:
    """Where the viewer stopped, for the titles that were begun and not ended."""
    if caller.role != "member":
        return {}
    begun_titles = await watching(parts, caller.profile_id, MOST_ROWS)
    return {begun.title_id: begun.position_s for begun in begun_titles}


async def watching(parts: GatewayParts, profile_id: ProfileId, limit: int) -> list[Watching]:
    try:
        page = await parts.viewers.list_watching(ListWatching(profile_id=profile_id, limit=limit))
    except Unavailable:
        structlog.get_logger().warning("positions_fell_back")
        return []
    return page.titles


async def position(parts: GatewayParts, caller: Caller, title_id: TitleId) -> float:
    """Where the viewer stopped; 0 without viewers."""
    if caller.role != "member":
        return 0.0
    request = GetResumePoint(profile_id=caller.profile_id, title_id=title_id)
    try:
        return (await parts.viewers.get_resume_point(request)).position_s
    except Unavailable:
        structlog.get_logger().warning("positions_fell_back")
        return 0.0
