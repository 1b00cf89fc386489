"""What an appliance and control tell each other about fill: what was served and is held, and what
is wanted. With control away, or without the room of fill, all waits and the last manifest holds.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime

from cuemark.contracts.encoding.versions import track_of
from cuemark.contracts.fill import (
    HOME,
    MOST_TRACKS,
    Fill,
    GetManifest,
    TellHeld,
    TellServed,
    TrackBytes,
)
from cuemark.contracts.ids import ApplianceId
from cuemark.edge.in_step import InStep
from cuemark.edge.ledger import Ledger
from cuemark.edge.plan import Plan
from cuemark.edge.settings import ApplianceSettings
from cuemark.edge.store import Indexes, Store
from cuemark.edge.tracks import Track
from cuemark.edge.uses import HOUR_S
from cuemark.kit.clock import Clock
from cuemark.kit.deadline import deadline
from cuemark.kit.errors import UNREADABLE, Refusal, Unavailable

HELD_AGAIN_S = 600.0
COUNT_SHARE = 20
"""Counting what is held may take one part of so many of the time."""
CALL_S = 10.0
UTC_NAME = "UTC"


class Telling:
    """Keeps ``fill``, which is control's, in step with an appliance."""

    def __init__(
        self,
        settings: ApplianceSettings,
        fill: Fill,
        plan: Plan,
        ledger: Ledger,
        indexes: Indexes,
        store: Store,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._appliance_id = ApplianceId(settings.appliance_id)
        self._region = settings.region or HOME
        self._fill = fill
        self._plan = plan
        self._ledger = ledger
        self._indexes = indexes
        self._store = store
        self._clock = clock
        self._in_step = InStep()
        self._held_told: list[TrackBytes] | None = None
        self._held_told_s = float("-inf")

    async def follow_manifests(self, changed: Callable[[], None]) -> None:
        """For ever: learn what is wanted; ``changed`` is called when that is another manifest."""
        while True:
            known = self._plan.manifest.manifest_id
            request = GetManifest(appliance_id=self._appliance_id, known=known)
            try:
                with deadline(CALL_S):
                    news = await self._fill.get_manifest(request)
                self._in_step.note("get_manifest", "")
                if self._plan.take(news):
                    changed()
            except (Unavailable, Refusal) as error:
                self._in_step.note("get_manifest", str(error))
            await asyncio.sleep(self._settings.manifest_every_s)

    async def tell_served(self) -> None:
        """For ever: the totals of each hour, as they grow."""
        while True:
            await asyncio.sleep(self._settings.tell_every_s)
            self._in_step.note("tell_served", await self.tell_all_served())

    async def tell_all_served(self) -> str:
        """Tell what is not told, the oldest hour first; what was the trouble, empty for none.

        What is refused waits for the next time, and holds up nothing else.
        """
        trouble = ""
        try:
            for hour in await asyncio.to_thread(self._ledger.untold_hours):
                after: Track | None = None
                while part := await asyncio.to_thread(self._ledger.untold, hour, after):
                    after = Track(part[-1].version_id, part[-1].track_id)
                    try:
                        await self._tell_part(hour, part)
                    except Refusal as refused:
                        trouble = str(refused)
        except (Unavailable, sqlite3.Error) as error:
            trouble = str(error)
        return trouble

    async def _tell_part(self, hour: int, part: list[TrackBytes]) -> None:
        request = TellServed(
            appliance_id=self._appliance_id,
            region=self._region,
            hour=datetime.fromtimestamp(hour * HOUR_S, UTC),
            served=part,
        )
        with deadline(CALL_S):
            await self._fill.tell_served(request)
        await asyncio.to_thread(self._ledger.tell, hour, part)

    async def tell_held(self) -> None:
        """For ever: what is held, when it has changed, and now and then anyway."""
        while True:
            begun_s = self._clock.monotonic_s()
            try:
                held = await asyncio.to_thread(held_by_track, self._indexes, self._store)
                took_s = self._clock.monotonic_s() - begun_s
                due = begun_s - self._held_told_s >= HELD_AGAIN_S
                if due or held != self._held_told:
                    await self._tell_all_held(held)
                    self._held_told, self._held_told_s = held, begun_s
                self._in_step.note("tell_held", "")
            except (Unavailable, Refusal, OSError, *UNREADABLE) as error:
                took_s = self._clock.monotonic_s() - begun_s
                self._in_step.note("tell_held", str(error))
            await asyncio.sleep(max(self._settings.tell_every_s, COUNT_SHARE * took_s))

    async def _tell_all_held(self, held: list[TrackBytes]) -> None:
        parts = [held[at : at + MOST_TRACKS] for at in range(0, len(held), MOST_TRACKS)] or [[]]
        storage_bytes = max(1, self._store.planned_bytes)
        for number, part in enumerate(parts, start=1):
            request = TellHeld(
                appliance_id=self._appliance_id,
                region=self._region,
                timezone=self._settings.timezone or UTC_NAME,
                storage_bytes=storage_bytes,
                capacity_kbps=self._settings.capacity_kbps,
                held=part,
                part=number,
                parts=len(parts),
            )
            with deadline(CALL_S):
                await self._fill.tell_held(request)


def held_by_track(indexes: Indexes, store: Store) -> list[TrackBytes]:
    """The bytes of each track that are held, of those of which any are. For a thread: it reads
    every index, and looks up each file of it."""
    found: list[TrackBytes] = []
    for version_id in sorted(indexes.version_ids):
        index = indexes.read(version_id)
        sums: dict[str, int] = {}
        for path, file in index.files.items() if index else ():
            if file.blake3 in store:
                track_id = track_of(path)
                sums[track_id] = sums.get(track_id, 0) + file.size_bytes
        found += [TrackBytes(version_id, *each) for each in sorted(sums.items())]
    return found
