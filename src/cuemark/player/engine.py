"""The engine of one play: fetch ahead, decode, present in real time.

Three tasks share one ``Playhead``. The fetcher takes the track that is the shortest ahead and
asks ``abr`` for the rung; the decoder proves each segment on its own thread, and sends what fails
back to be fetched from another appliance; the presenter moves the position with the clock.
"""

import asyncio
from collections.abc import Callable

import msgspec

from cuemark.kit.clock import Clock
from cuemark.player import abr, cmcd
from cuemark.player.cmcd import Told
from cuemark.player.decode import Decoder, Kind
from cuemark.player.digests import Digests
from cuemark.player.download import DownloadAbandoned
from cuemark.player.errors import MediaUndecodable
from cuemark.player.keys import Keys
from cuemark.player.manifest import Manifest, Rung, Segment, Stretch
from cuemark.player.playhead import Buffer, Decoded, Playhead
from cuemark.player.source import Delivery, Source
from cuemark.player.trials import Need
from cuemark.player.watching import Around, Watching

TARGET_BUFFER_S = 30.0
TICK_S = 0.02
PROBE_MARGIN = 1.3
_UNDECODED = 2
_EPSILON_S = 1e-6


class Job(msgspec.Struct, frozen=True):
    """A segment to fetch; its rung is chosen when it is fetched."""

    kind: Kind
    index: int


class Fetched(msgspec.Struct, frozen=True):
    """A segment with the init segment and the key (hex) that it needs, undecoded."""

    job: Job
    rung: Rung
    segment: Segment
    init: Delivery
    media: Delivery
    key: str


class _Track:
    """What is to be fetched of one kind, and how far it has got."""

    def __init__(self, rungs: tuple[Rung, ...], start_s: float, end_s: float) -> None:
        self.rungs = rungs
        segments = rungs[0].segments
        last = len(segments) - 1
        self.next = next((i for i, each in enumerate(segments) if each.end_s > start_s), last)
        self.last = next((i for i, each in enumerate(segments) if each.end_s >= end_s), last)
        self.until_s = start_s
        self.buffer = Buffer(self.next, self.last, start_s)

    @property
    def fetched(self) -> bool:
        return self.next > self.last


class Engine:
    """Plays ``manifest`` from ``start_s`` to ``end_s``; ``keys`` opens its stretches.

    ``asked_at_s`` is the monotonic moment at which the viewer pressed play.
    """

    def __init__(
        self,
        manifest: Manifest,
        keys: Keys,
        source: Source,
        decoder: Decoder,
        clock: Clock,
        *,
        start_s: float,
        end_s: float,
        asked_at_s: float,
    ) -> None:
        self._keys = keys
        self._source = source
        self._decoder = decoder
        self._clock = clock
        self._tracks: dict[Kind, _Track] = {"video": _Track(manifest.video, start_s, end_s)}
        if manifest.audio:
            self._tracks["audio"] = _Track(manifest.audio[:1], start_s, end_s)
        self._meter = abr.ThroughputMeter()
        self._current: int | None = None
        self._inits: dict[str, Delivery] = {}
        self._digests: dict[str, Digests] = {}
        sound_kbps = manifest.audio[0].bandwidth_kbps if manifest.audio else 0.0
        self._need = Need(
            least_kbps=manifest.video[0].bandwidth_kbps + sound_kbps,
            most_kbps=PROBE_MARGIN * manifest.video[-1].bandwidth_kbps,
        )
        self._proven: set[str] = set()
        self._again: list[Job] = []
        self._attempts: dict[tuple[Kind, int], int] = {}
        self._undecoded: asyncio.Queue[Fetched] = asyncio.Queue(_UNDECODED)
        self._unproven = 0
        self._told_stalls = 0
        self.decode_errors = 0
        self.refetched = 0
        self.abandoned = 0
        buffers: dict[str, Buffer] = {kind: each.buffer for kind, each in self._tracks.items()}
        self.playhead = Playhead(buffers, start_s=start_s, end_s=end_s, asked_at_s=asked_at_s)

    @property
    def throughput_kbps(self) -> float | None:
        return self._meter.kbps

    async def run(self, tick: Callable[["Engine"], None]) -> None:
        """Play to the end; ``tick`` is called with each move of the position.

        Raises ``MediaAway`` or ``MediaUndecodable``; ``playhead`` then says how far it got.
        """
        work = [
            asyncio.create_task(self._fetch_all()),
            asyncio.create_task(self._decode_all()),
        ]
        try:
            while not self.playhead.ended:
                for task in work:
                    if task.done():
                        task.result()
                self.playhead.advance(self._clock.monotonic_s())
                tick(self)
                await asyncio.sleep(TICK_S)
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)

    async def _fetch_all(self) -> None:
        while True:
            job = self._next_job()
            if job is not None:
                self._unproven += 1
                fetched = await self._fetch(job)
                if fetched is not None:
                    await self._undecoded.put(fetched)
            elif self._unproven == 0 and all(track.fetched for track in self._tracks.values()):
                return
            else:
                await asyncio.sleep(TICK_S)

    def _next_job(self) -> Job | None:
        """What is to be fetched now, or None while enough is ahead."""
        if self._again:
            urgent = min(self._again, key=self._start_s)
            self._again.remove(urgent)
            return urgent
        unfetched = [
            (each.until_s, kind) for kind, each in self._tracks.items() if not each.fetched
        ]
        if not unfetched:
            return None
        until_s, kind = min(unfetched, key=lambda pair: pair[0])
        if until_s - self.playhead.position_s >= TARGET_BUFFER_S:
            return None
        track = self._tracks[kind]
        job = Job(kind, track.next)
        track.until_s = track.rungs[0].segments[track.next].end_s
        track.next += 1
        return job

    def _start_s(self, job: Job) -> float:
        return self._tracks[job.kind].rungs[0].segments[job.index].start_s

    async def _fetch(self, job: Job) -> Fetched | None:
        """The segment, or None where an earlier one that was rejected must come first."""
        rungs = self._tracks[job.kind].rungs
        at = self._choose(job)
        while True:
            rung = rungs[at]
            segment = rung.segments[job.index]
            digests = await self._digests_of(rung)
            stretch = rung.stretch(job.index)
            init = await self._init_of(stretch, digests)
            key = await self._keys.of(stretch)
            watching = self._watching(job, at)
            try:
                media = await self._source.fetch(
                    segment.path,
                    watching,
                    digests=digests.segment(job.index) if digests else (),
                    need=self._need if job.kind == "video" else None,
                    told=self._told(job, rung),
                )
            except DownloadAbandoned:
                self._meter.add(*watching.pace.latest)
                self.abandoned += 1
                if watching.lower is None:
                    self._unproven -= 1
                    self._again.append(job)
                    return None
                at = watching.lower
                continue
            self._meter.add(len(media.body), media.elapsed_s)
            if job.kind == "video":
                self._current = at
            return Fetched(job, rung, segment, init, media, key)

    async def _digests_of(self, rung: Rung) -> Digests | None:
        """The digests of a rendition; None where its version was published without."""
        if rung.digests is None:
            return None
        if rung.rung_id not in self._digests:
            seal = bytes.fromhex(rung.digests.sha256)
            listed = await self._source.fetch(rung.digests.path, digests=(seal,), told=Told(ot="o"))
            self._digests[rung.rung_id] = Digests(listed.body, rung)
        return self._digests[rung.rung_id]

    async def _init_of(self, stretch: Stretch, digests: Digests | None) -> Delivery:
        path = stretch.init_path
        if path not in self._inits:
            known = (digests.init(path),) if digests else ()
            self._inits[path] = await self._source.fetch(path, digests=known, told=Told(ot="i"))
        return self._inits[path]

    def _told(self, job: Job, rung: Rung) -> Told:
        """What the request for a segment tells its appliance: CMCD (CTA-5004)."""
        rungs, segment = self._tracks[job.kind].rungs, rung.segments[job.index]
        starved = self.playhead.stalls > self._told_stalls
        self._told_stalls = self.playhead.stalls
        following = rung.segments[job.index + 1].path if job.index + 1 < len(rung.segments) else ""
        return Told(
            bl=max(0, round(1000 * (segment.start_s - self.playhead.position_s))),
            br=round(rung.bandwidth_kbps),
            bs=starved,
            d=round(1000 * segment.duration_s),
            mtp=None if self._meter.kbps is None else round(self._meter.kbps),
            nor=cmcd.next_object(segment.path, following) if following else "",
            ot="v" if job.kind == "video" else "a",
            su=self.playhead.startup_s is None or self.playhead.stalled,
            tb=round(rungs[-1].bandwidth_kbps),
        )

    def _choose(self, job: Job) -> int:
        track = self._tracks[job.kind]
        if len(track.rungs) == 1:
            return 0
        segment = track.rungs[0].segments[job.index]
        audio = self._tracks.get("audio")
        return abr.choose(
            abr.Situation(
                ladder_kbps=[rung.bandwidth_kbps for rung in track.rungs],
                throughput_kbps=self._meter.kbps,
                latest_kbps=self._meter.latest_kbps,
                buffer_s=segment.start_s - self.playhead.position_s,
                segment_s=segment.duration_s,
                current=self._current,
                reserved_kbps=audio.rungs[0].bandwidth_kbps if audio else 0.0,
            )
        )

    def _watching(self, job: Job, at: int) -> Watching:
        rungs = self._tracks[job.kind].rungs
        segment = rungs[at].segments[job.index]

        def around() -> Around:
            return Around(
                left_s=segment.start_s - self.playhead.position_s,
                begun=self.playhead.startup_s is not None,
                usual_kbps=self._meter.kbps,
                superseded=any(self._start_s(other) < segment.start_s for other in self._again),
                elsewhere=self._source.another_stands(),
            )

        ladder_kbps = [each.bandwidth_kbps for each in rungs]
        return Watching(ladder_kbps, at, segment.duration_s, around)

    async def _decode_all(self) -> None:
        while True:
            fetched = await self._undecoded.get()
            rung, job = fetched.rung, fetched.job
            decoding = await self._decoder.decode(
                job.kind,
                fetched.init.body,
                fetched.media.body,
                fetched.key,
                fetched.segment,
            )
            self._unproven -= 1
            if decoding.errors:
                self.decode_errors += decoding.errors
                self._reject(fetched, decoding.reason)
                continue
            self._source.good(fetched.media)
            self._proven.add(rung.stretch(job.index).init_path)
            self._tracks[job.kind].buffer.add(
                job.index,
                Decoded(
                    segment=fetched.segment,
                    rung_id=rung.rung_id,
                    appliance_id=fetched.media.appliance_id,
                    size_bytes=len(fetched.media.body),
                    times_s=decoding.times_s,
                ),
            )

    def _reject(self, fetched: Fetched, reason: str) -> None:
        """Fetch it again elsewhere; give up once each appliance has had two chances."""
        job, rung = fetched.job, fetched.rung
        self._source.corrupt(fetched.media)
        init_path = rung.stretch(job.index).init_path
        if init_path not in self._proven:
            self._inits.pop(init_path, None)
            if fetched.init.appliance_id != fetched.media.appliance_id:
                self._source.corrupt(fetched.init)
        attempts = self._attempts.get((job.kind, job.index), 0) + 1
        self._attempts[job.kind, job.index] = attempts
        if attempts >= 2 * self._source.appliance_count:
            raise MediaUndecodable(
                f"{fetched.segment.path} does not decrypt or decode, whichever appliance is asked "
                f"({reason}): the licence's key or the file is wrong"
            )
        self.refetched += 1
        self._again.append(job)
