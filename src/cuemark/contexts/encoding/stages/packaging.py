"""The stage that makes a version: CMAF segments, encrypted, decrypted again, and indexed."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from blake3 import blake3

from cuemark.contexts.encoding.model import (
    codec_strings,
    crypto_periods,
    loudness,
    playlists,
    protection,
)
from cuemark.contexts.encoding.model.color import PLAIN, Look
from cuemark.contexts.encoding.model.iframes import chosen
from cuemark.contexts.encoding.model.names import captions_id, captions_name
from cuemark.contexts.encoding.model.sound import Named, SoundRecipe
from cuemark.contexts.encoding.stages import artworks, thumbnails, trick_play, variants
from cuemark.contexts.encoding.stages.captions_in_periods import captions_of_periods
from cuemark.contexts.encoding.stages.digests import digests_sha256, write_digests
from cuemark.contexts.encoding.stages.encrypting import Encrypted, KeysFor, decrypted, encrypt
from cuemark.contexts.encoding.stages.measuring import Measured
from cuemark.contexts.encoding.stages.pictures import RUNG, film_of
from cuemark.contexts.encoding.stages.segments import most_bytes_of, segments_of
from cuemark.contexts.encoding.stages.sounds import file_of
from cuemark.contexts.encoding.stages.tracks import CAPTIONS, FINDINGS, IMSC, CaptionFindings
from cuemark.contexts.encoding.stages.workshop import Workshop, save
from cuemark.contexts.encoding.tools.packager import Stream
from cuemark.contexts.encoding.tools.run import ToolFailed
from cuemark.contracts.encoding.versions import (
    AudioTrack,
    CaptionRole,
    CaptionTrack,
    Codec,
    CryptoPeriod,
    IndexedFile,
    Quality,
    Rendition,
    Timeline,
    Version,
    VersionIndex,
)
from cuemark.contracts.ids import TitleId, VersionId
from cuemark.contracts.protection import Scheme

MOST_NOTES = 20


class RungToPackage(msgspec.Struct, frozen=True, kw_only=True):
    """A joined rung (the key of its result) with what it measured.

    A marked one has its two ``variants`` (their keys, that of a first), of which ``key`` is the one
    that measured less.
    """

    key: str
    width: int
    height: int
    vmaf_mean: float
    vmaf_p5: float
    vmaf_predicted: float | None
    codec: Codec = "h264"
    look: Look = PLAIN
    variants: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return protection.picture_label(self.width, self.height)


class SoundToPackage(msgspec.Struct, frozen=True, kw_only=True):
    """An encoded rendition of a sound (the key of its result)."""

    sound: Named
    recipe: SoundRecipe
    key: str

    @property
    def track_id(self) -> str:
        """That of the sound, of which no other part begins with a codec's name."""
        name = self.recipe.name
        return f"{self.sound.track_id}.{name}" if name else self.sound.track_id


class CaptionsToPackage(msgspec.Struct, frozen=True):
    """Converted captions (the key of their result)."""

    language: str
    key: str
    role: CaptionRole = "subtitles"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """All that a version is made of. Rungs ascend by rate; the default sound comes first, and of
    each sound what everything plays. An order of an older release has no ``measured``. No key is
    used for longer than ``crypto_period_s``; with 0 one is for the whole film."""

    version_id: VersionId
    title_id: TitleId
    quality: Quality
    sha256: str
    rungs: list[RungToPackage]
    sounds: list[SoundToPackage]
    captions: list[CaptionsToPackage]
    measured: Measured | None = None
    crypto_period_s: float = 0

    @property
    def marked(self) -> bool:
        return any(rung.variants for rung in self.rungs)

    @property
    def labels(self) -> list[str]:
        found = {rung.label for rung in self.rungs} | ({protection.AUDIO} if self.sounds else set())
        return sorted(found)


def package(
    shop: Workshop,
    order: Order,
    keys_for: KeysFor,
    now: datetime,
    *,
    scheme: Scheme = "cbcs",
    with_thumbnails: bool = True,
) -> Version:
    """Make the version's folder at ``versions/<version_id>``, encrypted, and describe it."""
    tracks = sources_of(shop, order)
    with shop.making(f"versions/{order.version_id}") as folder:
        others = variants.others(shop, order.rungs, tracks)
        made = encrypt(
            shop, folder, [*tracks, *others.values()], keys_for, scheme, order.crypto_period_s
        )
        timelines = made.timelines
        video = [
            timelines[stream.track_id]
            for stream in (*tracks, *others.values())
            if stream.kind == "video"
        ]
        if any(timeline != video[0] for timeline in video):
            raise ToolFailed("the segments of the renditions do not align")
        variants.gather(folder, others, made)
        sounds = _sound_timelines(order, timelines)
        for stream in tracks:
            name = stream.track_id
            keyed = made.keyed[name]
            for file, text in playlists.media_playlists(
                name, timelines[name], keyed, scheme, marked=name in others
            ).items():
                (folder / file).write_text(text)
            write_digests(folder, name, trick_play.listed(folder, name, name, keyed))
        version = _described(shop, order, folder, tracks, made, scheme, now)
        version = msgspec.structs.replace(
            version,
            renditions=_with_iframes(shop, folder, version, made),
            audio_timelines=sounds,
            marked=order.marked,
            periods=_periods(order, made, video[0]),
        )
        version = msgspec.structs.replace(version, captions=_captions(shop, order, folder, version))
        if with_thumbnails:
            found = thumbnails.add(shop, order.sha256, folder)
            version = msgspec.structs.replace(version, thumbnails=found)
        pictured = artworks.store(shop, order.sha256)
        return msgspec.structs.replace(
            version, artwork_key=pictured[0].key, index_blake3=_write_index(folder, order)
        )


def _captions(shop: Workshop, order: Order, folder: Path, version: Version) -> list[CaptionTrack]:
    """Put the captions into the folder; what their tracks are now."""
    made = []
    for source, track in zip(order.captions, version.captions, strict=True):
        for name, path in ((CAPTIONS, track.path), (IMSC, track.imsc_path)):
            (folder / path).write_bytes(shop.path(source.key, name).read_bytes())
        (folder / f"{track.track_id}.m3u8").write_text(
            playlists.captions_playlist(track.track_id, version.duration_s)
        )
        made.append(captions_of_periods(folder, track, version))
    return made


def _periods(order: Order, made: Encrypted, video: Timeline) -> list[CryptoPeriod]:
    """The crypto periods; none where one key is for the whole film."""
    if not order.crypto_period_s:
        return []
    picture = next(keyed for name, keyed in made.keyed.items() if made.timelines[name] == video)
    starts = crypto_periods.starts_of(video, [each.first - 1 for each in picture])
    return [
        CryptoPeriod(
            start=starts[number],
            video=each.first,
            sounds={
                sound.recipe.codec_string: made.keyed[sound.track_id][number].first
                for sound in order.sounds
            },
            init=each.init,
            kids={label: key.kid for (of, label), key in made.keys.items() if of == number},
        )
        for number, each in enumerate(picture)
    ]


def sources_of(shop: Workshop, order: Order) -> list[Stream]:
    """The tracks of a version by their ids, and the files in the clear that each is made of."""
    names: dict[str, int] = {}
    streams = []
    color = film_of(shop, order.sha256).master.color
    for rung in order.rungs:
        kind = "" if rung.look.dynamic_range == "sdr" else f"-{rung.look.dynamic_range}"
        name = f"v{rung.height}" if rung.codec == "h264" else f"{rung.codec}{kind}-{rung.height}"
        names[name] = names.get(name, 0) + 1
        track_id = name if names[name] == 1 else f"{name}-{names[name]}"
        light = None if rung.look.dynamic_range == "sdr" else color.boxes()
        source = shop.path(rung.variants[0] if rung.variants else rung.key, RUNG)
        streams.append(Stream(track_id, source, "video", rung.label, light))
    for each in order.sounds:
        source = shop.path(each.key, file_of(each.recipe))
        streams.append(Stream(each.track_id, source, "audio", protection.AUDIO))
    return streams


def _with_iframes(
    shop: Workshop, folder: Path, version: Version, made: Encrypted
) -> list[Rendition]:
    """The renditions, one of each codec and range with its first frames beside it, which decrypt
    to its samples."""
    renditions = version.renditions
    found = {}
    for kind in dict.fromkeys((each.codec, each.dynamic_range) for each in renditions):
        one = chosen([each for each in renditions if (each.codec, each.dynamic_range) == kind])
        name, keyed = one.rendition_id, made.keyed[one.rendition_id]
        frames = trick_play.add(folder, one, version.video_timeline, keyed, version.scheme)
        segments = segments_of(folder / frames.track_id)
        whole = set(made.contents[name].samples)
        for each, end in zip(keyed, [*(next_.first for next_ in keyed[1:]), None], strict=True):
            few = segments[each.first - 1 : None if end is None else end - 1]
            files = [folder / name / each.init, *few]
            samples = decrypted(shop, files, "video", each.key).samples
            if len(samples) != len(few) or not set(samples) <= whole:
                raise ToolFailed(f"{frames.track_id} does not decrypt to frames of {name}")
        found[name] = frames
    return [
        msgspec.structs.replace(each, iframes=found.get(each.rendition_id)) for each in renditions
    ]


def _sound_timelines(order: Order, timelines: dict[str, Timeline]) -> dict[str, Timeline]:
    """The timeline of each codec. Tracks of one codec share it, being equally long."""
    found: dict[str, Timeline] = {}
    for each in order.sounds:
        timeline = timelines[each.track_id]
        if found.setdefault(each.recipe.codec_string, timeline) != timeline:
            raise ToolFailed("the segments of the sounds do not align")
    return found


def _described(
    shop: Workshop,
    order: Order,
    folder: Path,
    tracks: Sequence[Stream],
    made: Encrypted,
    scheme: Scheme,
    now: datetime,
) -> Version:
    renditions, audio = [], []
    timelines, keyed = made.timelines, made.keyed
    rungs, sounds = iter(order.rungs), iter(order.sounds)
    for stream in tracks:
        sizes = most_bytes_of(folder / stream.track_id)
        mean_kbps, peak_kbps = playlists.bitrates_kbps(sizes, timelines[stream.track_id])
        if stream.kind == "audio":
            heard = next(sounds)
            audio.append(
                AudioTrack(
                    track_id=stream.track_id,
                    codec=heard.recipe.codec,
                    codec_string=heard.recipe.codec_string,
                    language=heard.sound.sound.language,
                    role=heard.sound.sound.role,
                    name=heard.sound.name,
                    channels=heard.recipe.channels,
                    sample_rate_hz=loudness.SAMPLE_RATE_HZ,
                    bitrate_kbps=round(mean_kbps, 1),
                    peak_bitrate_kbps=round(peak_kbps, 1),
                    kid=keyed[stream.track_id][0].key.kid,
                    digests_sha256=digests_sha256(folder, stream.track_id),
                )
            )
            continue
        rung = next(rungs)
        init = (folder / stream.track_id / "init.mp4").read_bytes()
        renditions.append(
            Rendition(
                rendition_id=stream.track_id,
                codec=rung.codec,
                dynamic_range=rung.look.dynamic_range,
                codec_string=codec_strings.of_video(init),
                width=rung.width,
                height=rung.height,
                bitrate_kbps=round(mean_kbps, 1),
                peak_bitrate_kbps=round(peak_kbps, 1),
                vmaf_mean=round(rung.vmaf_mean, 2),
                vmaf_p5=round(rung.vmaf_p5, 2),
                vmaf_predicted=None
                if rung.vmaf_predicted is None
                else round(rung.vmaf_predicted, 2),
                kid=keyed[stream.track_id][0].key.kid,
                label=stream.label,
                digests_sha256=digests_sha256(folder, stream.track_id),
            )
        )
    picture = film_of(shop, order.sha256).master.picture
    video_timeline = timelines[renditions[0].rendition_id]
    return Version(
        version_id=order.version_id,
        title_id=order.title_id,
        quality=order.quality,
        duration_s=sum(video_timeline.durations) / video_timeline.timescale,
        frame_rate=f"{picture.rate_num}/{picture.rate_den}",
        renditions=renditions,
        audio=audio,
        captions=[_caption_track(captions) for captions in order.captions],
        video_timeline=video_timeline,
        audio_timeline=timelines[audio[0].track_id] if audio else None,
        scheme=scheme,
        artwork_key="",
        index_blake3="",
        published_at=now,
        signals={
            key.kid: key.signals for (_, label), key in made.keys.items() if label in order.labels
        },
    )


def _caption_track(captions: CaptionsToPackage) -> CaptionTrack:
    track_id = captions_id(captions.language, captions.role)
    return CaptionTrack(
        track_id=track_id,
        language=captions.language,
        path=f"{track_id}.vtt",
        role=captions.role,
        imsc_path=f"{track_id}.ttml",
    )


def caption_notes(shop: Workshop, captions: Sequence[CaptionsToPackage]) -> list[str]:
    """What is odd about the captions, a sentence each without its full stop; bounded."""
    notes = [
        f"captions in {captions_name(each.language, each.role)}: {warning}"
        for each in captions
        for warning in shop.load(each.key, FINDINGS, CaptionFindings).warnings
    ]
    left = len(notes) - MOST_NOTES
    return notes if left <= 0 else [*notes[:MOST_NOTES], f"{left} more of this kind on captions"]


def _write_index(folder: Path, order: Order) -> str:
    """Write ``index.json`` over every file of the version; its own hash."""
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            name = path.relative_to(folder).as_posix()
            files[name] = IndexedFile(blake3(data).hexdigest(), len(data))
    save(folder, "index.json", VersionIndex(version_id=order.version_id, files=files))
    return blake3((folder / "index.json").read_bytes()).hexdigest()
