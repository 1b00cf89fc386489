"""Admitting works, however many: the catalog is asked by the page."""

from collections.abc import Sequence

from cuemark.contracts.catalog import Catalog
from cuemark.contracts.catalog.works import AdmitWorks
from cuemark.contracts.ids import WorkId
from cuemark.kit.pages import MOST_ROWS


async def admitted(
    catalog: Catalog, work_ids: Sequence[WorkId], maturity: int | None, territory: str
) -> set[WorkId]:
    """Those of the works that are for a profile of ``maturity``: all of them where it has no bound,
    and then nobody is asked. ``Unavailable`` goes through to the caller."""
    if maturity is None:
        return set(work_ids)
    found: set[WorkId] = set()
    for first in range(0, len(work_ids), MOST_ROWS):
        some = [*work_ids[first : first + MOST_ROWS]]
        asked = AdmitWorks(work_ids=some, maturity=maturity, territory=territory)
        found.update((await catalog.admit_works(asked)).work_ids)
    return found
