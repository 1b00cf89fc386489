"""Works for an index: many in a few queries."""

from typing import cast

from cuemark.contexts.catalog.model import gathering
from cuemark.contexts.catalog.model.cursors import time_of
from cuemark.contexts.catalog.store import names
from cuemark.contexts.catalog.store import works as store
from cuemark.contracts.catalog.gathering import GatheredWorks, GatherWorks
from cuemark.contracts.catalog.works import Work
from cuemark.contracts.ids import PersonId, TermId, WorkId
from cuemark.kit.database import Database
from cuemark.kit.pages import checked_limit, cursor_of, keys_of


class Gathering:
    """What an index is built from."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def gather(self, request: GatherWorks) -> GatheredWorks:
        limit = checked_limit(request.limit)
        next_cursor = ""
        async with self._database.transaction() as transaction:
            if request.work_ids:
                checked_limit(len(request.work_ids))
                page = list((await store.works(transaction, request.work_ids)).values())
            else:
                keys = keys_of(request.after, 2)
                after = (time_of(keys[0]), keys[1]) if keys else None
                found = await store.in_order_of_creation(transaction, after, limit + 1)
                page = [work for _, work in found[:limit]]
                if len(found) > limit:
                    made, last = found[limit - 1]
                    next_cursor = cursor_of(made.isoformat(), last.work_id)
            known: dict[WorkId, Work] = {each.work_id: each for each in page}
            while missing := {
                each.parent_id
                for each in known.values()
                if each.parent_id is not None and each.parent_id not in known
            }:
                above = await store.works(transaction, missing)
                if not above:
                    break
                known |= above
            works = [gathering.gathered(each, known) for each in page]
            people, terms = gathering.named(works)
            credited = await names.people(transaction, cast(set[PersonId], people))
            used = await names.terms(transaction, cast(set[TermId], terms))
        return GatheredWorks(
            works=works,
            people=list(credited.values()),
            terms=list(used.values()),
            next_cursor=next_cursor,
        )
