"""Which of what was found may be shown to who asks.

It is asked for each page, of the catalog and of rights: what the index knows of versions and
launches only spares asking. Without either nothing is shown: ``Unavailable``.
"""

from collections.abc import Sequence

from cuemark.contexts.search.model.entries import HOLDERS
from cuemark.contracts.catalog import Catalog
from cuemark.contracts.catalog.admitting import admitted
from cuemark.contracts.catalog.works import ListTitlesWithin, ListWorks, WorkSummary
from cuemark.contracts.ids import TitleId, WorkId
from cuemark.contracts.rights import Decide, Rights
from cuemark.contracts.search import Viewpoint
from cuemark.kit.pages import MOST_ROWS

FIRST_WITHIN = 8
"""How many titles of a series are asked for first; the others only where none of these is shown."""


class Showing:
    """What a viewpoint is shown."""

    def __init__(self, catalog: Catalog, rights: Rights) -> None:
        self._catalog = catalog
        self._rights = rights

    async def shown(
        self, viewpoint: Viewpoint, work_ids: Sequence[WorkId]
    ) -> dict[WorkId, WorkSummary]:
        """Those of the works that are shown, in the reader's language."""
        found: dict[WorkId, WorkSummary] = {}
        for first in range(0, len(work_ids), MOST_ROWS):
            asked = ListWorks(
                work_ids=list(work_ids[first : first + MOST_ROWS]),
                languages=viewpoint.languages,
                seen_only=viewpoint.seen_only,
                limit=MOST_ROWS,
            )
            found |= {each.work_id: each for each in (await self._catalog.list_works(asked)).works}
        if not viewpoint.seen_only or not found:
            return found
        within = await self._within([*found.values()])
        shown: set[TitleId] = set()
        for begin, end in ((0, FIRST_WITHIN), (FIRST_WITHIN, None)):
            open_ones = [each for each in within.values() if not shown.intersection(each)]
            asked_for = list(dict.fromkeys(one for each in open_ones for one in each[begin:end]))
            shown |= await self._allowed(viewpoint, asked_for)
        held = [each for each, titles in within.items() if shown.intersection(titles)]
        holders = [each for each in held if found[each].kind in HOLDERS]
        fit = await self._fit(viewpoint, holders)
        return {each: found[each] for each in held if each not in holders or each in fit}

    async def _within(self, works: Sequence[WorkSummary]) -> dict[WorkId, list[TitleId]]:
        """The titles by which it is decided whether a work is shown."""
        holders = [each.work_id for each in works if each.kind in HOLDERS]
        within = {
            each.work_id: [TitleId(each.work_id)] for each in works if each.kind not in HOLDERS
        }
        if holders:
            asked = ListTitlesWithin(work_ids=holders)
            within |= (await self._catalog.list_titles_within(asked)).title_ids
        return within

    async def _allowed(self, viewpoint: Viewpoint, title_ids: Sequence[TitleId]) -> set[TitleId]:
        """What rights show of titles, as far as it is for the profile."""
        allowed: list[TitleId] = []
        for first in range(0, len(title_ids), MOST_ROWS):
            asked = Decide(
                title_ids=list(title_ids[first : first + MOST_ROWS]),
                territory=viewpoint.territory,
                licence_types=viewpoint.licence_types,
            )
            decided = (await self._rights.decide(asked)).decisions
            allowed += [each.title_id for each in decided if each.shown]
        fit = await self._fit(viewpoint, [WorkId(each) for each in allowed])
        return {each for each in allowed if WorkId(each) in fit}

    async def _fit(self, viewpoint: Viewpoint, work_ids: Sequence[WorkId]) -> set[WorkId]:
        return await admitted(self._catalog, work_ids, viewpoint.maturity, viewpoint.territory)
