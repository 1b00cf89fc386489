"""Holds a play against the maturity of the profile that asks for it.

Without the catalog nothing is played by a profile that has a bound.
"""

from collections.abc import Sequence

from cuemark.contexts.playback.service.parts import LEVEL, needed
from cuemark.contracts.catalog import Catalog
from cuemark.contracts.catalog.admitting import admitted
from cuemark.contracts.ids import TitleId, WorkId
from cuemark.contracts.playback import CannotPlay, NotForProfile


class Levels:
    """A profile without a bound may play whatever there is, and nobody is asked."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    async def check_start(self, title_id: TitleId, maturity: int | None, territory: str) -> None:
        """Raises ``CannotPlay``, as for a title that there is not, and ``CannotPlayNow``."""
        if maturity is not None and not await self._admits(title_id, maturity, territory):
            raise CannotPlay("There is no such title.")

    async def check_running(self, title_id: TitleId, maturity: int | None, territory: str) -> None:
        """Raises ``NotForProfile`` and ``CannotPlayNow``."""
        if maturity is not None and not await self._admits(title_id, maturity, territory):
            raise NotForProfile("This title is not for this profile.")

    async def above(
        self, title_ids: Sequence[TitleId], maturity: int | None, territory: str
    ) -> set[TitleId]:
        """Those of the titles that are not for a profile of this maturity; ``Unavailable``."""
        works = [WorkId(each) for each in title_ids]
        fit = await admitted(self._catalog, works, maturity, territory)
        return set(title_ids) - {TitleId(each) for each in fit}

    async def _admits(self, title_id: TitleId, maturity: int, territory: str) -> bool:
        return not await needed(LEVEL, self.above([title_id], maturity, territory))
