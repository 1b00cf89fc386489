"""A file of the version, from whichever appliance delivers it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urljoin

import msgspec

from cuemark.kit.clock import Clock
from cuemark.player.appliances import Appliances
from cuemark.player.download import Downloader, DownloadFailed, Watcher
from cuemark.player.errors import MediaAway
from cuemark.player.manifest import Location

GIVE_UP_S = 30.0
_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 2.0

Refresh = Callable[[], Awaitable[Sequence[Location]]]


class Delivery(msgspec.Struct, frozen=True):
    """``elapsed_s`` is of the attempt that succeeded; failed ones before it do not count."""

    body: bytes
    appliance_id: str
    elapsed_s: float


class Source:
    """Asks one appliance after the other, pauses, and asks again until a viewer would leave.

    When all have failed once, ``refresh`` asks the service for the ranking of now: tokens run
    out and appliances come and go, but while one delivers, nothing is asked of the service.
    """

    def __init__(
        self, appliances: Appliances, downloader: Downloader, clock: Clock, refresh: Refresh
    ) -> None:
        self._appliances = appliances
        self._downloader = downloader
        self._clock = clock
        self._refresh = refresh

    @property
    def failures(self) -> dict[str, int]:
        return dict(self._appliances.failures)

    async def fetch(self, path: str, watch: Watcher | None = None) -> Delivery:
        """The file at ``path``; ``MediaAway`` when nobody gives it for ``GIVE_UP_S``."""
        give_up_s = self._clock.monotonic_s() + GIVE_UP_S
        pause_s = _FIRST_PAUSE_S
        while True:
            reasons = []
            for location in self._appliances.in_order(self._clock.monotonic_s()):
                url = urljoin(location.base_url, path)
                try:
                    downloaded = await self._downloader.fetch(url, watch)
                except DownloadFailed as failure:
                    self._appliances.failed(location.appliance_id, self._clock.monotonic_s())
                    reasons.append(f"{location.appliance_id}: {failure}")
                    continue
                return Delivery(downloaded.body, location.appliance_id, downloaded.elapsed_s)
            if self._clock.monotonic_s() >= give_up_s:
                raise MediaAway(f"no appliance delivers {path} ({'; '.join(reasons)})")
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            fresh = await self._refresh()
            if fresh:
                self._appliances.replace(fresh)

    def good(self, delivery: Delivery) -> None:
        """What this appliance delivered was right."""
        self._appliances.succeeded(delivery.appliance_id)

    def corrupt(self, delivery: Delivery) -> None:
        """What this appliance delivered was wrong: leave it for a while."""
        now_s = self._clock.monotonic_s()
        self._appliances.failed(delivery.appliance_id, now_s, corrupt=True)

    @property
    def appliance_count(self) -> int:
        return len(self._appliances)
