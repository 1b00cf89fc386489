"""One play as a device makes it: log in, start, manifest, licence, media, progress, end."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from cuemark.kit import tracing
from cuemark.kit.clock import Clock, SystemClock
from cuemark.player import captions, codecs, dash, digests, hls, sound
from cuemark.player.accounts import report_of
from cuemark.player.api import Api, Credential, Play, Title
from cuemark.player.appliances import Appliances
from cuemark.player.cmcd import Told
from cuemark.player.decode import Decoder
from cuemark.player.download import MAX_REDIRECTS, Downloader, DownloadFailed
from cuemark.player.engine import Engine
from cuemark.player.errors import (
    ApiAway,
    ApiRefused,
    ManifestInvalid,
    MediaAway,
    PlayerError,
    PositionInvalid,
)
from cuemark.player.keys import Keys, not_granted
from cuemark.player.line import Line
from cuemark.player.manifest import Caption, Location, Manifest
from cuemark.player.ranges import DynamicRange
from cuemark.player.report import Circumstances, Report
from cuemark.player.source import Source
from cuemark.player.steering import Steersman

PROGRESS_EVERY_S = 5.0
_SHORTEST_PLAY_S = 0.05


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What to play and how.

    ``title`` is an id or a name. ``audio`` names a sound as ``sound.chosen`` takes it; empty for
    the one that the film begins with. ``codec`` is ``h264``, ``hevc`` or ``av1``; empty for the
    newest that the film has in the ``dynamic_range`` of this device's screen. ``seconds`` None
    plays to the end. ``from_s`` None resumes where the member stopped. ``line`` caps what this
    device takes from appliances, from the moment at which it asks for the play. ``redirected`` is
    to play as a device that knows one address and no Content Steering: media by redirects alone.
    """

    api_url: str
    credential: Credential
    title: str
    seconds: float | None = None
    format: Literal["dash", "hls"] = "dash"
    from_s: float | None = None
    audio: str = ""
    codec: str = ""
    dynamic_range: DynamicRange = "sdr"
    line: Line | None = None
    device: str = "cuemark-player"
    redirected: bool = False


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """What a watcher sees of a play that runs."""

    title: str
    position_s: float
    end_s: float
    buffer_s: float
    rung: str
    appliance_id: str
    frames: int
    stalls: int
    stalled: bool


Watcher = Callable[[Moment], None]


async def play(
    options: Options,
    *,
    clock: Clock | None = None,
    watch: Watcher | None = None,
    decoder: Decoder | None = None,
) -> Report:
    """Play a title in real time and report. Raises ``PlayerError``, with a report once it began.

    ``decoder`` is one of the caller's own, for this play alone.
    """
    with tracing.trace(tracing.current_trace_id() or None):
        async with Api(options.api_url) as api:
            await api.log_in(options.credential)
            title = await api.find_title(options.title)
            return await _Session(options, api, title, clock or SystemClock(), watch, decoder).run()


class _Session:
    """From the start of the play to its end."""

    def __init__(
        self,
        options: Options,
        api: Api,
        title: Title,
        clock: Clock,
        watch: Watcher | None,
        decoder: Decoder | None,
    ) -> None:
        self._options = options
        self._api = api
        self._title = title
        self._clock = clock
        self._watch = watch
        self._decoder = decoder or Decoder()
        self._sequence = 0
        self._cues: dict[str, int] = {}
        self._sounds: list[str] = []
        self._sound = ""
        self._codec = ""

    async def run(self) -> Report:
        asked_at_s = self._clock.monotonic_s()
        started = await self._api.start_play(self._title.title_id, self._options.device)
        try:
            async with (
                Downloader(
                    self._clock,
                    self._options.line,
                    max_redirects=MAX_REDIRECTS if self._options.redirected else 0,
                ) as downloader,
                self._decoder as decoder,
            ):
                return await self._play(started, downloader, decoder, asked_at_s)
        finally:
            # A play that nobody ends expires; what the member watched counts all the same.
            with contextlib.suppress(ApiAway, ApiRefused):
                await self._api.end_play(started.session_id)

    async def _play(
        self, started: Play, downloader: Downloader, decoder: Decoder, asked_at_s: float
    ) -> Report:
        appliances = Appliances([])
        told = Told(
            cid=started.title_id,
            sf="d" if self._options.format == "dash" else "h",
            sid=tracing.current_trace_id(),
            st="v",
        )
        source = Source(
            appliances, downloader, self._clock, lambda: self._ranking(started, downloader), told
        )
        steersman = Steersman(appliances, downloader, self._options.format)
        manifest = await self._manifest(started, downloader, appliances, source)
        manifest, keys = await self._unlocked(started, manifest)
        start_s, end_s, resumed_s = self._span(started, manifest)
        circumstances = Circumstances(
            title_id=started.title_id,
            session_id=started.session_id,
            version_id=started.version_id,
            quality=self._title.quality,
            format=self._options.format,
            resumed_from_s=resumed_s,
            started_at_s=start_s,
            unlocked_after_s=self._clock.monotonic_s() - asked_at_s,
            trace_id=tracing.current_trace_id(),
            audio=self._sound,
            audios=self._sounds,
            codec=self._codec,
            dynamic_range=self._options.dynamic_range,
        )
        engine = Engine(
            manifest,
            keys,
            source,
            decoder,
            self._clock,
            start_s=start_s,
            end_s=end_s,
            asked_at_s=asked_at_s,
        )
        beside = [
            asyncio.create_task(self._report_progress(started, engine)),
            asyncio.create_task(self._count_cues(manifest, engine, source)),
            asyncio.create_task(
                steersman.follow(
                    manifest.steering_url, lambda: source.in_use, lambda: engine.throughput_kbps
                )
            ),
        ]
        error = ""
        try:
            await engine.run(lambda each: self._show(each, end_s))
        except PlayerError as failure:
            error = str(failure)
            failure.report = self._reported(
                engine, manifest, circumstances, source, steersman, error
            )
            raise
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await self._progress(started, engine)
        return self._reported(engine, manifest, circumstances, source, steersman, error)

    def _reported(
        self,
        engine: Engine,
        manifest: Manifest,
        circumstances: Circumstances,
        source: Source,
        steersman: Steersman,
        error: str,
    ) -> Report:
        return report_of(
            engine,
            manifest,
            circumstances,
            now_s=self._clock.monotonic_s(),
            caption_cues=self._cues,
            source=source,
            steering_answers=steersman.answers,
            error=error,
        )

    async def _manifest(
        self, started: Play, downloader: Downloader, appliances: Appliances, source: Source
    ) -> Manifest:
        described = await self._described(started, downloader)
        if self._options.format == "dash":
            manifest = dash.parse(described)
            appliances.replace(manifest.locations)
            kept = self._chosen([each.offered for each in manifest.audio])
            audio = tuple(each for each in manifest.audio if each.rung_id == kept)
            families = {each.rung_id: codecs.family_of(each.codecs) for each in manifest.video}
            wanted = self._options.dynamic_range
            range_ = codecs.range_chosen((each.dynamic_range for each in manifest.video), wanted)
            there = [each for each in manifest.video if each.dynamic_range == range_]
            offered = [families[each.rung_id] for each in there]
            self._codec = codecs.chosen(offered, self._options.codec)
            video = tuple(each for each in there if families[each.rung_id] == self._codec)
            return msgspec.structs.replace(manifest, audio=audio, video=video)
        multivariant = hls.parse_multivariant(described)
        multivariant = multivariant.with_sound(self._chosen(multivariant.sounds))
        multivariant = multivariant.with_range(
            codecs.range_chosen(multivariant.dynamic_ranges, self._options.dynamic_range)
        )
        self._codec = codecs.chosen(multivariant.codecs, self._options.codec)
        multivariant = multivariant.with_codec(self._codec)
        appliances.replace(multivariant.locations)
        playlists = {}
        for path in multivariant.paths:
            sealed = multivariant.digests.get(path)
            known: tuple[bytes, ...] = ()
            if sealed is not None:
                seal = bytes.fromhex(sealed.sha256)
                listed = await source.fetch(sealed.path, digests=(seal,))
                known = (digests.of_playlist(listed.body),)
            body = (await source.fetch(path, digests=known)).body
            playlists[path] = hls.parse_media(_text(body, path), multivariant.variables)
        return hls.assemble(multivariant, playlists)

    def _chosen(self, offered: Sequence[sound.Offered]) -> str:
        """The id of the sound track to play; empty where the film has none."""
        self._sounds = list(dict.fromkeys(each.name for each in offered))
        if not offered and not self._options.audio:
            return ""
        track = sound.chosen(offered, self._options.audio)
        self._sound = track.name
        return track.track_id

    async def _described(self, started: Play, downloader: Downloader) -> str:
        """The play's manifest; by redirects, as who has no login gets it."""
        in_dash = self._options.format == "dash"
        if not self._options.redirected:
            return await self._api.text(started.dash_url if in_dash else started.hls_url)
        path = started.redirected_dash_url if in_dash else started.redirected_hls_url
        if not path:
            raise ApiAway("this service is of an older release and redirects no play")
        try:
            found = await downloader.fetch(self._api.address(path))
        except DownloadFailed as failure:
            raise ApiAway(f"the service gives no manifest: {failure}") from failure
        return _text(found.body, "the manifest")

    async def _ranking(self, started: Play, downloader: Downloader) -> Sequence[Location]:
        """The appliances as the service ranks them now; none where it does not say."""
        try:
            described = await self._described(started, downloader)
            if self._options.format == "dash":
                return dash.parse(described).locations
            return hls.parse_multivariant(described).locations
        except (ApiAway, ApiRefused, ManifestInvalid):
            return []

    async def _unlocked(self, started: Play, manifest: Manifest) -> tuple[Manifest, Keys]:
        """The keys, and the manifest without the renditions whose keys were not granted."""
        keys = Keys(self._api, started.licence_url, self._clock)
        refusal = await keys.begin(manifest)
        video = tuple(rung for rung in manifest.video if keys.has(rung.first))
        if not video or not all(keys.has(rung.first) for rung in manifest.audio):
            raise refusal or not_granted()
        manifest = msgspec.structs.replace(manifest, video=video)
        keys.keep(manifest)
        return manifest, keys

    def _span(self, started: Play, manifest: Manifest) -> tuple[float, float, float]:
        """Start and end of this play in the film, and where it resumed, all in seconds."""
        asked_s = self._options.from_s
        resumed_s = started.resume_s if asked_s is None else 0.0
        start_s = resumed_s if asked_s is None else asked_s
        film_s = min(manifest.duration_s, manifest.video[0].segments[-1].end_s)
        if not 0 <= start_s <= film_s - _SHORTEST_PLAY_S:
            raise PositionInvalid(f"{start_s:g} s is outside of the film, which lasts {film_s:g} s")
        seconds = self._options.seconds
        end_s = film_s if seconds is None else min(film_s, start_s + max(seconds, _SHORTEST_PLAY_S))
        return start_s, end_s, resumed_s

    async def _report_progress(self, started: Play, engine: Engine) -> None:
        while True:
            await asyncio.sleep(PROGRESS_EVERY_S)
            await self._progress(started, engine)

    async def _progress(self, started: Play, engine: Engine) -> None:
        """Tell where the viewer is; a service that is away, or refuses, stops no film."""
        if engine.playhead.startup_s is None:
            return
        self._sequence += 1
        position_s = min(engine.playhead.position_s, started.duration_s)
        with contextlib.suppress(ApiAway, ApiRefused):
            await self._api.report_progress(
                started.progress_url, round(position_s, 3), self._sequence
            )

    async def _count_cues(self, manifest: Manifest, engine: Engine, source: Source) -> None:
        """Captions come after the first frame and stop no film."""
        while engine.playhead.startup_s is None:
            await asyncio.sleep(0.1)
        for caption in manifest.captions:
            with contextlib.suppress(MediaAway, ManifestInvalid):
                before = self._cues.get(caption.name, 0)
                self._cues[caption.name] = before + await _cues(caption, source)

    def _show(self, engine: Engine, end_s: float) -> None:
        if self._watch is None:
            return
        playhead = engine.playhead
        video = [decoded for kind, decoded in playhead.presented[-8:] if kind == "video"]
        self._watch(
            Moment(
                title=self._title.name,
                position_s=playhead.position_s,
                end_s=end_s,
                buffer_s=playhead.ready_until_s - playhead.position_s,
                rung=video[-1].rung_id if video else "",
                appliance_id=video[-1].appliance_id if video else "",
                frames=playhead.frames,
                stalls=playhead.stalls,
                stalled=playhead.stalled,
            )
        )


async def _cues(caption: Caption, source: Source) -> int:
    """The cues of a captions file, or of all that its playlist names."""
    body = (await source.fetch(caption.path, told=Told(ot="c"))).body
    text = _text(body, caption.path)
    if not text.startswith("#EXTM3U"):
        return captions.count_cues(text) or 0
    total = 0
    for segment in hls.parse_media(text, {}).segments:
        part = (await source.fetch(segment.path, told=Told(ot="c"))).body
        total += captions.count_cues(_text(part, segment.path)) or 0
    return total


def _text(body: bytes, path: str) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise ManifestInvalid(f"{path} is not text in UTF-8") from error
