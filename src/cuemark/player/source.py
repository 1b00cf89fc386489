"""A file of the version, from whichever appliance delivers it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from urllib.parse import urljoin

import msgspec

from cuemark.kit.clock import Clock
from cuemark.player.appliances import Appliances
from cuemark.player.cmcd import Told
from cuemark.player.download import (
    DownloadAbandoned,
    Downloaded,
    Downloader,
    DownloadFailed,
    Progress,
    Watcher,
)
from cuemark.player.errors import MediaAway
from cuemark.player.manifest import Location
from cuemark.player.report import Move, Why
from cuemark.player.trials import Need

GIVE_UP_S = 30.0
_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 2.0

HEDGE_S = 0.2
SILENT_S = 1.0
"""How long an appliance that has begun may send nothing before the next one is asked, too."""

HEDGES_IN_STORE = 3.0
HEDGES_EARNED = 0.1

MOVES_KEPT = 200

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
    ``told`` is what each request tells of the session.
    """

    def __init__(
        self,
        appliances: Appliances,
        downloader: Downloader,
        clock: Clock,
        refresh: Refresh,
        told: Told | None = None,
    ) -> None:
        self.appliances = appliances
        self._downloader = downloader
        self._clock = clock
        self._refresh = refresh
        self._told = told or Told()
        self._hedges = HEDGES_IN_STORE
        self._begun_s = clock.monotonic_s()
        self.in_use = ""
        self._waits_since_s: float | None = None
        self._orders = 0
        self.moves: list[Move] = []
        self.hedged = 0
        self.wrong_digests = 0

    @property
    def failures(self) -> dict[str, int]:
        return dict(self.appliances.failures)

    @property
    def left(self) -> list[str]:
        """The appliances that served wrong bytes, in the order in which they were found out."""
        return list(self.appliances.left)

    async def fetch(
        self,
        path: str,
        watch: Watcher | None = None,
        *,
        digests: tuple[bytes, ...] = (),
        need: Need | None = None,
        told: Told | None = None,
    ) -> Delivery:
        """The file at ``path``; ``MediaAway`` when nobody gives it for ``GIVE_UP_S``.

        ``digests`` are how the SHA-256 of the file may begin. What differs is not delivered, and
        who served it is left. Where there are none nothing is known of the file. What is watched is
        a segment: of these, ``moves`` tells. What has a ``need`` may be asked of an appliance on
        trial. ``told`` is what the request tells of itself.
        """
        give_up_s = self._clock.monotonic_s() + GIVE_UP_S
        segment = watch is not None
        asked_s = self._clock.monotonic_s()
        if segment and self._waits_since_s is not None:
            asked_s = self._waits_since_s
        whole = _together(self._told, told)
        failed: set[str] = set()
        pause_s = _FIRST_PAUSE_S
        self._hedges = min(HEDGES_IN_STORE, self._hedges + HEDGES_EARNED)
        while True:
            order = self.appliances.in_order(self._clock.monotonic_s(), need)
            asked = _Asked(path, watch, digests, whole, on_trial=need is not None)
            round_ = _Round(self, self._downloader, self._clock, order, asked)
            try:
                delivery = await round_.run()
            except DownloadAbandoned:
                self._waits_since_s = asked_s
                raise
            failed |= round_.failed
            if delivery is not None:
                if segment:
                    self._note_move(delivery.appliance_id, asked_s, failed)
                return delivery
            if self._clock.monotonic_s() >= give_up_s:
                raise MediaAway(f"no appliance delivers {path} ({'; '.join(round_.reasons)})")
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            fresh = await self._refresh()
            if fresh:
                self.appliances.replace(fresh)

    def _note_move(self, to: str, asked_s: float, failed: set[str]) -> None:
        left, self.in_use = self.in_use, to
        self._waits_since_s = None
        if left in ("", to):
            return
        why = "failed" if left in failed else self._why(left, to)
        self._orders = self.appliances.orders
        if len(self.moves) >= MOVES_KEPT:
            return
        now_s = self._clock.monotonic_s()
        self.moves.append(
            Move(
                at_s=round(now_s - self._begun_s, 3),
                left=left,
                to=to,
                why=why,
                waited_s=round(now_s - asked_s, 3),
            )
        )

    def _why(self, left: str, to: str) -> Why:
        """Why a segment came from ``to``, though ``left`` did not fail."""
        if not self.appliances.listed(left):
            return "steered"
        if to == self.appliances.faster:
            return "faster"
        if to != self.appliances.home:
            return "tried"
        return "back" if self._orders == self.appliances.orders else "steered"

    def good(self, delivery: Delivery) -> None:
        """What this appliance delivered was right."""
        self.appliances.succeeded(delivery.appliance_id)

    def corrupt(self, delivery: Delivery) -> None:
        """What this appliance delivered was wrong: it is left."""
        self.appliances.corrupt(delivery.appliance_id)

    @property
    def appliance_count(self) -> int:
        return len(self.appliances)

    def another_stands(self) -> bool:
        """Whether more than one appliance is in good standing now."""
        return self.appliances.another_stands(self._clock.monotonic_s())

    def may_hedge(self) -> bool:
        """Whether another request for the same file is within the budget; it is then spent."""
        if self._hedges < 1:
            return False
        self._hedges -= 1
        self.hedged += 1
        return True

    def hedge_after_s(self) -> float:
        """How long an appliance may think before the next one is asked, too."""
        least_s = self.appliances.least_latency_s()
        return HEDGE_S if least_s is None else max(HEDGE_S, 2 * least_s)


def _together(session: Told, request: Told | None) -> Told:
    """What a request tells, with what all of them tell of the session."""
    if request is None:
        return session
    return msgspec.structs.replace(
        request, cid=session.cid, sf=session.sf, sid=session.sid, st=session.st
    )


class _Asked(msgspec.Struct, frozen=True):
    """A file, as ``Source.fetch`` has it."""

    path: str
    watch: Watcher | None
    digests: tuple[bytes, ...]
    told: Told
    on_trial: bool


class _Round:
    """One file, asked of each appliance at most once.

    The next one is asked when the one before has failed, or, a hedged request (Dean, Barroso:
    "The Tail at Scale", CACM 2013), when it has not begun to answer for a while: who begins first
    delivers, the other is let go before it has sent its file, and both have shown how quick they
    are. One that falls silent in the midst is hedged as well, and delivers where it goes on before
    the other begins. Hedges have a budget, so that slow appliances are not asked twice as much as
    quick ones.
    """

    def __init__(
        self,
        source: Source,
        downloader: Downloader,
        clock: Clock,
        order: Sequence[Location],
        asked: _Asked,
    ) -> None:
        self._source = source
        self._file = asked
        self._appliances = source.appliances
        self._downloader = downloader
        self._clock = clock
        self._unasked = list(order)
        self._asked: dict[asyncio.Task[Downloaded], tuple[Location, float]] = {}
        self._winner: str | None = None
        self._first_byte_s = 0.0
        self._received_bytes = 0
        self._heard_at_s = 0.0
        self.reasons: list[str] = []
        self.failed: set[str] = set()

    async def run(self) -> Delivery | None:
        """The file, or None once everyone has failed; ``DownloadAbandoned`` passes through."""
        try:
            while self._asked or self._unasked:
                if not self._asked:
                    self._ask()
                done, _ = await asyncio.wait(
                    self._asked, timeout=self._patience_s(), return_when=asyncio.FIRST_COMPLETED
                )
                if not done and self._too_silent() and self._source.may_hedge():
                    self._ask()
                for task in done:
                    delivery = self._ended(task)
                    if delivery is not None:
                        return delivery
        finally:
            await self._let_go(list(self._asked))
        return None

    def _patience_s(self) -> float | None:
        """How long to wait before it is asked whether the one that was asked is too silent."""
        until_s = self._silent_at_s()
        left_s = None if until_s is None else until_s - self._clock.monotonic_s()
        return left_s if left_s is None or left_s > 0 else HEDGE_S

    def _too_silent(self) -> bool:
        until_s = self._silent_at_s()
        return until_s is not None and until_s <= self._clock.monotonic_s()

    def _silent_at_s(self) -> float | None:
        """From when on the one that was asked is too silent; None where nobody else can be asked,
        or somebody else was."""
        if len(self._asked) != 1 or not self._unasked:
            return None
        if self._winner is not None:
            return self._heard_at_s + SILENT_S
        ((_, asked_s),) = self._asked.values()
        return asked_s + self._source.hedge_after_s()

    def _ask(self) -> None:
        location = self._unasked.pop(0)
        url = urljoin(location.base_url, self._file.path)

        def answered(latency_s: float) -> None:
            self._answered(location, latency_s)

        def watch(progress: Progress) -> bool:
            if self._winner != location.appliance_id:
                return True
            self._heard(location, progress.received_bytes)
            return self._file.watch is None or self._file.watch(progress)

        task = asyncio.create_task(self._downloader.fetch(url, watch, answered, self._file.told))
        self._asked[task] = location, self._clock.monotonic_s()

    def _answered(self, location: Location, latency_s: float) -> None:
        now_s = self._clock.monotonic_s()
        self._appliances.answered(location.appliance_id, latency_s)
        for task, (other, asked_s) in self._asked.items():
            if other is location:
                continue
            if other.appliance_id == self._winner:
                self.failed.add(other.appliance_id)
            else:
                self._appliances.answered(other.appliance_id, now_s - asked_s)
            if asked_s < self._asked_at_s(location):
                self._appliances.beaten(other.appliance_id, location.appliance_id, now_s)
            task.cancel()
        self._winner, self._first_byte_s = location.appliance_id, now_s
        self._received_bytes, self._heard_at_s = 0, now_s

    def _heard(self, location: Location, received_bytes: int) -> None:
        """So much has come of the file; more than before, and nobody else need send it."""
        if received_bytes <= self._received_bytes:
            return
        self._received_bytes, self._heard_at_s = received_bytes, self._clock.monotonic_s()
        for task, (other, _) in self._asked.items():
            if other is not location:
                task.cancel()

    def _asked_at_s(self, location: Location) -> float:
        return next(at_s for other, at_s in self._asked.values() if other is location)

    def _delivered(self, name: str, size_bytes: int, now_s: float) -> None:
        if self._file.on_trial:
            elapsed_s = now_s - self._first_byte_s
            self._appliances.delivered(name, size_bytes, elapsed_s, now_s)

    def _ended(self, task: asyncio.Task[Downloaded]) -> Delivery | None:
        location, _ = self._asked.pop(task)
        name, now_s = location.appliance_id, self._clock.monotonic_s()
        if task.cancelled():
            return None
        try:
            downloaded = task.result()
        except DownloadFailed as failure:
            self._appliances.failed(name, now_s)
            self.failed.add(name)
            self.reasons.append(f"{name}: {failure}")
        except DownloadAbandoned as abandoned:
            self._delivered(name, abandoned.received_bytes, now_s)
            raise
        else:
            self._delivered(name, len(downloaded.body), now_s)
            digests = self._file.digests
            if not digests or sha256(downloaded.body).digest().startswith(digests):
                return Delivery(downloaded.body, name, downloaded.elapsed_s)
            self._appliances.corrupt(name)
            self.failed.add(name)
            self._source.wrong_digests += 1
            self.reasons.append(f"{name}: it served other bytes than were published")
        if self._winner == name:
            self._winner = None
        return None

    async def _let_go(self, tasks: Sequence[asyncio.Task[Downloaded]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
