"""Looking into copies for the mark of a version: the asking. The looking is a worker's."""

from collections.abc import Callable

import structlog
from sqlalchemy import Connection

from cuemark.contexts.encoding import store
from cuemark.contexts.encoding.model import fairness
from cuemark.contexts.encoding.model.fairness import Band, Urgency
from cuemark.contexts.encoding.store import UploadRow, marks, queue
from cuemark.contracts.encoding.marks import (
    FindMark,
    GetMarkSearch,
    MarkSearch,
    NotMarked,
    UnknownMarkSearch,
)
from cuemark.contracts.encoding.versions import UnknownVersion
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.tracing import current_trace_id

EnqueueSearch = Callable[[Connection, str, int], None]
"""Put the workflow of a search on the tasks' queue under a number, in the transaction of the
connection."""
ESTIMATE_S = 60.0


class MarkSearches:
    """Of one copy and version one search runs, or is done; each is a task among the titles'."""

    def __init__(self, database: Database, clock: Clock, ids: Ids, enqueue: EnqueueSearch) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._enqueue = enqueue

    async def find(self, request: FindMark, copy: UploadRow) -> MarkSearch:
        """Begin to look into a ``copy`` that is kept; the search, and what it has found so far."""
        search_id = self._ids.new("mks")
        async with self._database.transaction() as transaction:
            version = await store.find_version(transaction, request.version_id)
            if version is None:
                raise UnknownVersion(f"there is no version {request.version_id}")
            if not version.marked:
                raise NotMarked(
                    f"the version {request.version_id} is not marked, so a copy of it does not "
                    "tell who had it: ingest the film with a mark for the plays to come"
                )
            new = await marks.insert_search(
                *(transaction, search_id, version.version_id, copy.sha256),
                *(current_trace_id(), self._clock.now()),
            )
            if new:
                place = fairness.band_of("normal", Urgency.FULL)
                band = (await queue.bands(transaction)).get(place, Band())
                turn = fairness.charged(place, band, 0, ESTIMATE_S)
                await transaction.run_sync(self._enqueue, search_id, turn.number)
            found = await marks.find_search_of(transaction, version.version_id, copy.sha256)
        assert found is not None
        if new:
            structlog.get_logger().info(
                "mark_search_asked", search_id=search_id, version_id=version.version_id
            )
        return found

    async def get(self, request: GetMarkSearch) -> MarkSearch:
        async with self._database.transaction() as transaction:
            found = await marks.find_search(transaction, request.search_id)
        if found is None:
            raise UnknownMarkSearch(f"there is no search {request.search_id} for a mark")
        return found
