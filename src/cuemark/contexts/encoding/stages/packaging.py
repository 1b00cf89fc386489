"""The stage that makes a version: CMAF segments, encrypted, decrypted again, and indexed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from blake3 import blake3

from cuemark.contexts.encoding.model import (
    bounds,
    boxes,
    codec_strings,
    loudness,
    playlists,
    protection,
)
from cuemark.contexts.encoding.model.iframes import chosen
from cuemark.contexts.encoding.model.names import captions_id, captions_name
from cuemark.contexts.encoding.model.sound import Named, SoundRecipe
from cuemark.contexts.encoding.stages import artworks, thumbnails, trick_play
from cuemark.contexts.encoding.stages.digests import digests_sha256, write_digests
from cuemark.contexts.encoding.stages.measuring import Measured
from cuemark.contexts.encoding.stages.pictures import RUNG, film_of
from cuemark.contexts.encoding.stages.segments import segments_of
from cuemark.contexts.encoding.stages.sounds import file_of
from cuemark.contexts.encoding.stages.tracks import CAPTIONS, FINDINGS, IMSC, CaptionFindings
from cuemark.contexts.encoding.stages.workshop import Workshop, save
from cuemark.contexts.encoding.tools import packager
from cuemark.contexts.encoding.tools.decoding import Content, Kind, content_of
from cuemark.contexts.encoding.tools.packager import Stream
from cuemark.contexts.encoding.tools.run import ToolFailed, run
from cuemark.contracts.encoding import (
    AudioTrack,
    CaptionRole,
    CaptionTrack,
    Codec,
    IndexedFile,
    Quality,
    Rendition,
    Timeline,
    Version,
    VersionIndex,
)
from cuemark.contracts.ids import TitleId, VersionId
from cuemark.contracts.licensing import ContentKey
from cuemark.contracts.protection import Scheme

MOST_NOTES = 20


class RungToPackage(msgspec.Struct, frozen=True, kw_only=True):
    """A joined rung (the key of its result) with what it measured."""

    key: str
    width: int
    height: int
    vmaf_mean: float
    vmaf_p5: float
    vmaf_predicted: float | None
    codec: Codec = "h264"

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
    each sound what everything plays. An order of an older release has no ``measured``."""

    version_id: VersionId
    title_id: TitleId
    quality: Quality
    sha256: str
    rungs: list[RungToPackage]
    sounds: list[SoundToPackage]
    captions: list[CaptionsToPackage]
    measured: Measured | None = None

    @property
    def labels(self) -> list[str]:
        found = {rung.label for rung in self.rungs} | ({protection.AUDIO} if self.sounds else set())
        return sorted(found)


def package(
    shop: Workshop,
    order: Order,
    keys: Sequence[ContentKey],
    now: datetime,
    *,
    scheme: Scheme = "cbcs",
    with_thumbnails: bool = True,
) -> Version:
    """Make the version's folder at ``versions/<version_id>``, encrypted, and describe it."""
    by_label = {key.label: key for key in keys}
    tracks = _tracks(shop, order)
    with shop.making(f"versions/{order.version_id}") as folder:
        for label in order.labels:
            streams = [stream for stream in tracks if stream.label == label]
            for together, first_iv in packager.runs(streams, scheme):
                _package_streams(shop, folder, together, by_label[label], scheme, first_iv)
        timelines = {stream.track_id: _timeline(folder / stream.track_id) for stream in tracks}
        video = [timelines[stream.track_id] for stream in tracks if stream.kind == "video"]
        if any(timeline != video[0] for timeline in video):
            raise ToolFailed("the segments of the renditions do not align")
        sounds = _sound_timelines(order, timelines)
        contents = {}
        for stream in tracks:
            key = by_label[stream.label]
            track = folder / stream.track_id
            contents[stream.track_id] = _check_round_trip(shop, track, stream, key)
            for name, text in playlists.media_playlists(
                stream.track_id, timelines[stream.track_id], key, scheme
            ).items():
                (folder / name).write_text(text)
            files = [track / "init.mp4", *segments_of(track)]
            write_digests(folder, stream.track_id, (path.read_bytes() for path in files))
        version = _described(shop, order, folder, tracks, timelines, by_label, scheme, now)
        version = msgspec.structs.replace(
            version,
            renditions=_with_iframes(shop, folder, version, contents, by_label),
            audio_timelines=sounds,
        )
        for source, captions in zip(order.captions, version.captions, strict=True):
            for name, path in ((CAPTIONS, captions.path), (IMSC, captions.imsc_path)):
                (folder / path).write_bytes(shop.path(source.key, name).read_bytes())
            (folder / f"{captions.track_id}.m3u8").write_text(
                playlists.captions_playlist(captions.track_id, version.duration_s)
            )
        if with_thumbnails:
            made = thumbnails.add(shop, order.sha256, folder)
            version = msgspec.structs.replace(version, thumbnails=made)
        pictured = artworks.store(shop, order.sha256)
        return msgspec.structs.replace(
            version, artwork_key=pictured[0].key, index_blake3=_write_index(folder, order)
        )


def _tracks(shop: Workshop, order: Order) -> list[Stream]:
    names: dict[str, int] = {}
    streams = []
    for rung in order.rungs:
        name = f"v{rung.height}" if rung.codec == "h264" else f"{rung.codec}-{rung.height}"
        names[name] = names.get(name, 0) + 1
        track_id = name if names[name] == 1 else f"{name}-{names[name]}"
        streams.append(Stream(track_id, shop.path(rung.key, RUNG), "video", rung.label))
    for each in order.sounds:
        source = shop.path(each.key, file_of(each.recipe))
        streams.append(Stream(each.track_id, source, "audio", protection.AUDIO))
    return streams


def _with_iframes(
    shop: Workshop,
    folder: Path,
    version: Version,
    contents: Mapping[str, Content],
    keys: dict[str, ContentKey],
) -> list[Rendition]:
    """The renditions, one of each codec with its first frames beside it, which decrypt to its
    samples: ``contents`` has those of each track."""
    renditions = version.renditions
    made = {}
    for codec in dict.fromkeys(each.codec for each in renditions):
        one = chosen([each for each in renditions if each.codec == codec])
        key = keys[one.label]
        found = trick_play.add(folder, one, version.video_timeline, key, version.scheme)
        init = folder / one.rendition_id / "init.mp4"
        files = [init, *segments_of(folder / found.track_id)]
        frames = _decrypted(shop, files, "video", key).samples
        whole = set(contents[one.rendition_id].samples)
        if len(frames) != len(version.video_timeline.durations) or not set(frames) <= whole:
            raise ToolFailed(f"{found.track_id} does not decrypt to frames of {one.rendition_id}")
        made[one.rendition_id] = found
    return [
        msgspec.structs.replace(each, iframes=made.get(each.rendition_id)) for each in renditions
    ]


def _sound_timelines(order: Order, timelines: dict[str, Timeline]) -> dict[str, Timeline]:
    """The timeline of each codec. Tracks of one codec share it, being equally long."""
    found: dict[str, Timeline] = {}
    for each in order.sounds:
        timeline = timelines[each.track_id]
        if found.setdefault(each.recipe.codec_string, timeline) != timeline:
            raise ToolFailed("the segments of the sounds do not align")
    return found


def _package_streams(
    shop: Workshop,
    folder: Path,
    streams: Sequence[Stream],
    key: ContentKey,
    scheme: Scheme,
    first_iv: str,
) -> None:
    with shop.objects.scratch() as private:
        flags = private / "keys.flags"
        flags.touch(mode=0o600)
        flags.write_text(packager.key_flags(key, first_iv))
        sources = [stream.source for stream in streams]
        run(
            packager.package_argv(shop.programs.packager, streams, flags, scheme),
            bounds.reading(sum(source.stat().st_size for source in sources)),
            reads=[*sources, flags],
            folder=folder,
        )
    (folder / "packager.mpd").unlink()
    for stream in streams:
        init = folder / stream.track_id / "init.mp4"
        init.write_bytes(boxes.timeless(init.read_bytes()))


def _timeline(folder: Path) -> Timeline:
    init = (folder / "init.mp4").read_bytes()
    trex = boxes.default_duration(init)
    spans = [boxes.segment_span(path.read_bytes(), trex) for path in segments_of(folder)]
    at = spans[0][0]
    for start, duration in spans:
        if start != at:
            raise ToolFailed(f"there is a gap before a segment of {folder.name}")
        at += duration
    return Timeline(
        timescale=boxes.timescale(init), start=spans[0][0], durations=[d for _, d in spans]
    )


def _check_round_trip(shop: Workshop, folder: Path, stream: Stream, key: ContentKey) -> Content:
    """Decrypt what was encrypted and compare every sample; refuse a difference."""
    parts = [folder / "init.mp4", *segments_of(folder)]
    content = content_of(stream.source, stream.kind)
    if _decrypted(shop, parts, stream.kind, key) != content:
        raise ToolFailed(f"{stream.track_id} does not decrypt to what was encrypted")
    return content


def _decrypted(shop: Workshop, parts: Sequence[Path], kind: Kind, key: ContentKey) -> Content:
    with shop.objects.scratch() as private:
        whole = private / "whole.mp4"
        with whole.open("wb") as file:
            for part in parts:
                file.write(part.read_bytes())
        return content_of(whole, kind, key.key)


def _described(
    shop: Workshop,
    order: Order,
    folder: Path,
    tracks: Sequence[Stream],
    timelines: dict[str, Timeline],
    keys: dict[str, ContentKey],
    scheme: Scheme,
    now: datetime,
) -> Version:
    renditions, audio = [], []
    rungs, sounds = iter(order.rungs), iter(order.sounds)
    for stream in tracks:
        sizes = [path.stat().st_size for path in segments_of(folder / stream.track_id)]
        mean_kbps, peak_kbps = playlists.bitrates_kbps(sizes, timelines[stream.track_id])
        if stream.kind == "audio":
            made = next(sounds)
            audio.append(
                AudioTrack(
                    track_id=stream.track_id,
                    codec=made.recipe.codec,
                    codec_string=made.recipe.codec_string,
                    language=made.sound.sound.language,
                    role=made.sound.sound.role,
                    name=made.sound.name,
                    channels=made.recipe.channels,
                    sample_rate_hz=loudness.SAMPLE_RATE_HZ,
                    bitrate_kbps=round(mean_kbps, 1),
                    peak_bitrate_kbps=round(peak_kbps, 1),
                    kid=keys[stream.label].kid,
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
                kid=keys[stream.label].kid,
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
        signals={keys[label].kid: keys[label].signals for label in order.labels},
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
