"""What a caller may be shown where they are.

Without rights nothing is shown: ``Unavailable`` goes through to the caller.
"""

from collections.abc import Sequence

from cuemark.contracts.catalog.works import ListTitlesWithin, WorkSummary
from cuemark.contracts.ids import TitleId, WorkId
from cuemark.contracts.rights import Decide, Decision
from cuemark.contracts.steering import Locate
from cuemark.gateway.parts import AnyRequest, GatewayParts
from cuemark.gateway.work_views import HOLDERS
from cuemark.kit.pages import MOST_ROWS


async def territory_of(parts: GatewayParts, request: AnyRequest) -> str:
    """Where a request comes from, as ISO 3166-1 alpha-2; empty where no database knows it."""
    located = await parts.steering.locate(Locate(client_address=parts.client_of(request)))
    return located.place.country


async def rights_of(
    parts: GatewayParts, request: AnyRequest, title_ids: Sequence[TitleId]
) -> dict[TitleId, Decision]:
    """What a member has of each of these titles."""
    if not title_ids:
        return {}
    territory = await territory_of(parts, request)
    found: dict[TitleId, Decision] = {}
    for first in range(0, len(title_ids), MOST_ROWS):
        asked = Decide(title_ids=[*title_ids[first : first + MOST_ROWS]], territory=territory)
        found |= {each.title_id: each for each in (await parts.rights.decide(asked)).decisions}
    return found


async def shown_works(
    parts: GatewayParts, request: AnyRequest, works: Sequence[WorkSummary]
) -> set[WorkId]:
    """Those of the works that the caller may be shown: titles by their rights, and what holds
    titles where one of them may be shown. Operators are shown all."""
    if request.user.role == "operator":
        return {each.work_id for each in works}
    holders = [each.work_id for each in works if each.kind in HOLDERS]
    within: dict[WorkId, list[TitleId]] = {
        each.work_id: [TitleId(each.work_id)] for each in works if each.kind not in HOLDERS
    }
    if holders:
        held = await parts.catalog.list_titles_within(ListTitlesWithin(work_ids=holders))
        within |= held.title_ids
    titles = list(dict.fromkeys(title for inside in within.values() for title in inside))
    rights = await rights_of(parts, request, titles)
    return {work for work, inside in within.items() if any(rights[each].shown for each in inside)}
