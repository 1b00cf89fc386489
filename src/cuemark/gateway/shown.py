"""One work or title as a caller may be shown it where they are."""

import msgspec

from cuemark.contracts.catalog import GetTitle, Title, UnknownTitle
from cuemark.contracts.catalog.works import ShowWork, UnknownWork, WorkInFull
from cuemark.contracts.ids import TitleId, WorkId
from cuemark.gateway.languages import ranges_of
from cuemark.gateway.parts import AnyRequest, GatewayParts
from cuemark.gateway.rights import rights_of, shown_works


async def shown_work(
    parts: GatewayParts, request: AnyRequest, work_id: str, language: str, territory: str = ""
) -> WorkInFull:
    """Raises ``UnknownWork`` where the caller may not be shown it."""
    found = await parts.catalog.show_work(
        ShowWork(
            work_id=WorkId(work_id),
            languages=ranges_of(request, language),
            territory=territory,
            seen_only=request.user.role == "member",
        )
    )
    shown = await shown_works(parts, request, [found.work, *found.above])
    if found.work.work_id not in shown:
        raise UnknownWork("There is no such work.")
    above = [each for each in found.above if each.work_id in shown]
    found = msgspec.structs.replace(found, above=above)
    if request.user.role == "member" and found.next_title_id is not None:
        following = await rights_of(parts, request, [found.next_title_id])
        if not following[found.next_title_id].shown:
            return msgspec.structs.replace(found, next_title_id=None)
    return found


async def published_title(
    parts: GatewayParts, title_id: TitleId, ranges: list[str]
) -> Title | None:
    """The title, where members can know of it whatever their rights are."""
    try:
        asked = GetTitle(title_id=title_id, languages=ranges)
        title = await parts.catalog.get_title(asked)
    except UnknownTitle:
        return None
    return title if title.version_id is not None and title.launched else None
