"""What a caller may be shown where they are: what has its rights, and is for their profile.

Without rights nothing is shown, and without the catalog nothing to a profile that has a bound:
``Unavailable`` goes through to the caller.
"""

from collections.abc import Sequence

import msgspec

from cuemark.contracts.catalog import GetTitle
from cuemark.contracts.catalog.admitting import admitted
from cuemark.contracts.catalog.works import ListTitlesWithin, WorkSummary
from cuemark.contracts.ids import TitleId, WorkId
from cuemark.contracts.rights import Decide, Decision
from cuemark.contracts.steering import Locate
from cuemark.gateway.parts import AnyRequest, GatewayParts
from cuemark.gateway.plans import NO_PLAN, PlanOf
from cuemark.gateway.work_views import HOLDERS
from cuemark.kit.pages import MOST_ROWS


async def territory_of(parts: GatewayParts, request: AnyRequest) -> str:
    """Where a request comes from, as ISO 3166-1 alpha-2; empty where no database knows it."""
    located = await parts.steering.locate(Locate(client_address=parts.client_of(request)))
    return located.place.country


async def plan_of(parts: GatewayParts, request: AnyRequest) -> PlanOf:
    """What plan the caller is on."""
    account_id = request.user.account_id
    return await parts.plans.of(account_id) if account_id else NO_PLAN


async def rights_of(
    parts: GatewayParts, request: AnyRequest, title_ids: Sequence[TitleId]
) -> dict[TitleId, Decision]:
    """What a member has of each of these titles: nothing of what is above their profile's level."""
    if not title_ids:
        return {}
    territory = await territory_of(parts, request)
    plan = await plan_of(parts, request)
    found: dict[TitleId, Decision] = {}
    for first in range(0, len(title_ids), MOST_ROWS):
        asked = Decide(
            title_ids=[*title_ids[first : first + MOST_ROWS]],
            territory=territory,
            licence_types=[*plan.licence_types],
        )
        found |= {each.title_id: each for each in (await parts.rights.decide(asked)).decisions}
    works = [WorkId(each) for each in found]
    fit = await admitted(parts.catalog, works, request.user.maturity, territory)
    return {
        title_id: right
        if WorkId(title_id) in fit
        else msgspec.structs.replace(right, allowed=False, shown=False, may_go_on=False)
        for title_id, right in found.items()
    }


async def shown_works(
    parts: GatewayParts, request: AnyRequest, works: Sequence[WorkSummary]
) -> set[WorkId]:
    """Those of the works that the caller may be shown: titles by their rights, and what holds
    titles where one of them may be shown, and it is for the profile itself. Operators are shown
    all."""
    if request.user.role == "operator":
        return {each.work_id for each in works}
    holders = [each.work_id for each in works if each.kind in HOLDERS]
    within: dict[WorkId, list[TitleId]] = {
        each.work_id: [TitleId(each.work_id)] for each in works if each.kind not in HOLDERS
    }
    if holders:
        inside_them = await parts.catalog.list_titles_within(ListTitlesWithin(work_ids=holders))
        within |= inside_them.title_ids
    titles = list(dict.fromkeys(title for inside in within.values() for title in inside))
    rights = await rights_of(parts, request, titles)
    shown = {work for work, inside in within.items() if any(rights[each].shown for each in inside)}
    if request.user.maturity is None or not holders:
        return shown
    held = [each for each in holders if each in shown]
    territory = await territory_of(parts, request)
    fit = await admitted(parts.catalog, held, request.user.maturity, territory)
    return shown - (set(held) - fit)


async def first_picture(parts: GatewayParts, request: AnyRequest, work_id: WorkId) -> str:
    """The key of a picture for a work that holds others, of a title in it that the caller may be
    shown; empty where there is none."""
    asked = ListTitlesWithin(work_ids=[work_id])
    inside = (await parts.catalog.list_titles_within(asked)).title_ids.get(work_id, [])
    rights = await rights_of(parts, request, inside)
    for title_id in sorted(each for each in inside if rights[each].shown):
        title = await parts.catalog.get_title(GetTitle(title_id=title_id))
        if title.artwork_key:
            return title.artwork_key
    return ""
