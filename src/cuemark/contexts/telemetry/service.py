"""Telemetry: batches of lines come in, sums and the lines themselves go out."""

import asyncio
from collections.abc import Collection
from datetime import timedelta
from itertools import groupby
from operator import attrgetter

import msgspec
import structlog

from cuemark.contexts.telemetry import model, store
from cuemark.contexts.telemetry.store import Piece, Row
from cuemark.contexts.telemetry.store.archive import Archive
from cuemark.contracts.ids import ApplianceId, VersionId
from cuemark.contracts.playback import PlayStarted
from cuemark.contracts.telemetry import (
    ApplianceTraffic,
    ApplianceUnknown,
    GetTraffic,
    LinePage,
    LinesInvalid,
    LinesTaken,
    ListLines,
    Share,
    TakeLines,
    Telemetry,
    ToldLine,
    Traffic,
    TrafficInvalid,
)
from cuemark.kit.bulkhead import Bulkhead, BulkheadFull, Place
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database, Transaction
from cuemark.kit.errors import NoRoom, Unavailable
from cuemark.kit.outbox import Entry
from cuemark.kit.pages import PageInvalid, checked_limit, cursor_of, keys_of

BUSY_S = 1.0
"""How long an appliance waits that comes while as many batches are in hand as there is room for."""
MOST_WAITING = 4
BATCHES_KEPT = timedelta(days=2)
"""How long a batch is known that may come twice, and a play that was led past an appliance."""
FORGET_EVERY_S = 3600.0
MOST_VERSIONS = 200
_MOST_PIECES = 20


class TelemetryService(Telemetry):
    """Sums in PostgreSQL, lines in ``archive``; both are kept for ``days``.

    Batches are unpacked and added up on one thread, one at a time; an appliance that finds it busy
    is told to wait. Only those of ``appliance_ids`` are listened to.
    """

    def __init__(
        self,
        database: Database,
        archive: Archive,
        clock: Clock,
        appliance_ids: Collection[ApplianceId],
        days: int,
        bulkhead: Bulkhead,
    ) -> None:
        self._database = database
        self._archive = archive
        self._clock = clock
        self._appliance_ids = frozenset(appliance_ids)
        self._days = days
        self._bulkhead = bulkhead

    async def take_lines(self, request: TakeLines) -> LinesTaken:
        if request.appliance_id not in self._appliance_ids:
            raise ApplianceUnknown(f"The appliance {request.appliance_id} is not enrolled here.")
        try:
            with self._bulkhead.place() as place:
                await self._take(request, place)
        except BulkheadFull:
            return LinesTaken(taken=False, wait_s=BUSY_S)
        except OSError as error:
            raise NoRoom(f"the lines cannot be written: {error.strerror}") from error
        return LinesTaken(taken=True)

    async def _take(self, batch: TakeLines, place: Place) -> None:
        lines = await place.run(lambda: model.lines_of(batch))
        now = self._clock.now()
        oldest = model.oldest_kept(now, self._days)
        async with self._database.transaction() as transaction:
            led_past = await store.led_past(transaction, {line.trace_id for line in lines})
        sums = await place.run(lambda: model.added(lines, led_past, now, oldest))
        if batch.lost_lines:
            minute_s = int(now.timestamp()) // 60 * 60
            lost = sums.setdefault(model.Key(minute_s, VersionId(""), "other", ""), model.Sum())
            lost.lost_lines = batch.lost_lines
        hour = model.hour_of(batch.last_at_s, now, oldest)
        file = self._archive.file_of(hour, batch.appliance_id)
        async with self._database.transaction() as transaction:
            await store.wait_for_turn(transaction)
            if await store.is_taken(transaction, batch):
                return
            await store.add_sums(transaction, batch.appliance_id, sums)
            end = await store.end_of(transaction, file)
            first_byte = await place.run(lambda: self._archive.append(file, end, batch.body))
            if first_byte < end:
                await store.lose_pieces(transaction, file, first_byte)
            await store.add_batch(transaction, batch, now, file, first_byte)

    async def get_traffic(self, request: GetTraffic) -> Traffic:
        now = self._clock.now()
        if request.since.tzinfo is None or request.since > now:
            raise TrafficInvalid("Ask from a time on that is past, with its zone.")
        if request.since < model.oldest_kept(now, self._days):
            raise TrafficInvalid(f"Sums are kept for {self._days} days: ask for fewer.")
        if len(request.version_ids) > MOST_VERSIONS:
            raise TrafficInvalid(f"Ask for {MOST_VERSIONS} versions at most.")
        since = request.since.replace(second=0, microsecond=0)
        async with self._database.transaction() as transaction:
            rows = await store.sums_since(
                transaction, since, request.appliance_id, request.version_ids
            )
        return Traffic(
            since=since,
            appliances=[
                _of_appliance(appliance_id, list(group))
                for appliance_id, group in groupby(rows, attrgetter("appliance_id"))
            ],
        )

    async def list_lines(self, request: ListLines) -> LinePage:
        limit = checked_limit(request.limit)
        after = _place_of(request.after)
        async with self._database.transaction() as transaction:
            if after is None:
                newest = await store.last_pieces(transaction, request.appliance_id, _MOST_PIECES)
                pieces = _enough(newest, limit)
                skipped = max(0, sum(piece.lines for piece in pieces) - limit)
            else:
                number, skipped = after
                pieces = await store.pieces_after(
                    transaction, number, request.appliance_id, _MOST_PIECES
                )
                if pieces and pieces[0].number > number:
                    skipped = 0
        found: list[ToldLine] = []
        cursor = request.after
        for piece in pieces:
            told = await self._told(piece)
            taken = told[skipped : skipped + limit - len(found)]
            found += taken
            cursor = cursor_of(str(piece.number), str(min(piece.lines, skipped + len(taken))))
            skipped = max(0, skipped - piece.lines)
            if len(found) >= limit:
                break
        return LinePage(lines=found, newest=cursor)

    async def _told(self, piece: Piece) -> list[ToldLine]:
        """The lines of a batch; none where its file is gone, or is not what was written."""
        read = self._archive.read
        body = await asyncio.to_thread(read, piece.file, piece.first_byte, piece.size_bytes)
        try:
            lines = await asyncio.to_thread(model.unpacked, body)
        except LinesInvalid:
            return []
        async with self._database.transaction() as transaction:
            led_past = await store.led_past(transaction, {line.trace_id for line in lines})
        return [
            ToldLine(
                appliance_id=piece.appliance_id,
                outcome=model.outcome_of(line, led_past=line.trace_id in led_past),
                line=line,
            )
            for line in lines
        ]

    async def take_play(self, transaction: Transaction, entry: Entry) -> None:
        """Handles an event of playback: whose ranking led past an appliance that was not fit."""
        if entry.kind == PlayStarted.__name__ and entry.trace_id:
            event = msgspec.json.decode(entry.body, type=PlayStarted)
            if event.led_past:
                await store.lead_past(transaction, entry.trace_id, entry.occurred_at)

    async def keep_bounded(self) -> None:
        """For ever: let go of what is older than it is kept."""
        while True:
            try:
                await self.forget()
            except (Unavailable, OSError) as error:
                structlog.get_logger().error("telemetry_not_bounded", reason=str(error))
            await asyncio.sleep(FORGET_EVERY_S)

    async def forget(self) -> None:
        """Let go of it once."""
        now = self._clock.now()
        oldest = model.oldest_kept(now, self._days)
        async with self._database.transaction() as transaction:
            await store.forget(transaction, oldest, now - BATCHES_KEPT)
        await asyncio.to_thread(self._archive.forget, oldest.date())


def _of_appliance(appliance_id: ApplianceId, rows: list[Row]) -> ApplianceTraffic:
    return ApplianceTraffic(
        appliance_id=appliance_id,
        shares=[
            Share(
                outcome=row.outcome,
                source=row.source,
                requests=row.requests,
                sent_bytes=row.sent_bytes,
                wait_p50_s=model.quantile_s(row.waits, 0.5),
                wait_p95_s=model.quantile_s(row.waits, 0.95),
            )
            for row in rows
            if row.requests
        ],
        told=sum(row.told for row in rows),
        starved=sum(row.starved for row in rows),
        lost_lines=sum(row.lost_lines for row in rows),
    )


def _enough(newest_first: list[Piece], limit: int) -> list[Piece]:
    """The last batches that have ``limit`` lines together, the oldest first."""
    chosen: list[Piece] = []
    for piece in newest_first:
        chosen.insert(0, piece)
        if sum(each.lines for each in chosen) >= limit:
            break
    return chosen


def _place_of(cursor: str) -> tuple[int, int] | None:
    """The number of a batch and how many of its lines were told; None for the empty cursor."""
    keys = keys_of(cursor, 2)
    if keys is None:
        return None
    if not all(key.isascii() and key.isdecimal() and len(key) <= 18 for key in keys):
        raise PageInvalid("The cursor is not one of this list.")
    return int(keys[0]), int(keys[1])
