"""Versions to write manifests of."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from cuemark.contracts.encoding.versions import (
    AudioRole,
    AudioTrack,
    CaptionTrack,
    IFrames,
    Rendition,
    ThumbnailTrack,
    Timeline,
    Version,
)
from cuemark.contracts.ids import ApplianceId, TitleId, VersionId
from cuemark.contracts.steering import RankedAppliance

SD, HD, AUDIO = "5d" + "0" * 30, "8d" + "0" * 30, "a0" + "0" * 30


def rendition(name: str, width: int, height: int, bitrate_kbps: float, kid: str) -> Rendition:
    return Rendition(
        rendition_id=name,
        codec="h264",
        codec_string="avc1.64001f",
        width=width,
        height=height,
        bitrate_kbps=bitrate_kbps,
        peak_bitrate_kbps=bitrate_kbps * 1.5,
        vmaf_mean=90,
        vmaf_p5=80,
        vmaf_predicted=90,
        kid=kid,
        label="SD" if kid == SD else "HD",
    )


def audio_track(name: str = "a-en", language: str = "en", channels: int = 2) -> AudioTrack:
    return AudioTrack(
        track_id=name,
        codec_string="mp4a.40.2",
        language=language,
        channels=channels,
        sample_rate_hz=48000,
        bitrate_kbps=128,
        kid=AUDIO,
    )


def several_sounds() -> list[AudioTrack]:
    """English in surround, too, with a description; and French, a dub."""
    codecs = {"aac": "mp4a.40.2", "opus": "opus", "eac3": "ec-3"}
    sounds: list[tuple[str, str, AudioRole, str, list[str]]] = [
        ("a-en", "en", "main", "English", ["aac", "opus", "aac51", "eac3"]),
        ("a-fr", "fr", "dub", "Français", ["aac", "opus"]),
        ("a-en.description", "en", "description", "English (audio description)", ["aac", "opus"]),
    ]
    return [
        AudioTrack(
            track_id=name if kind == "aac" else f"{name}.{kind}",
            codec=kind.removesuffix("51"),
            codec_string=codecs[kind.removesuffix("51")],
            language=language,
            role=role,
            name=title,
            channels=6 if kind in ("aac51", "eac3") else 2,
            sample_rate_hz=48000,
            bitrate_kbps=320 if kind in ("aac51", "eac3") else 128,
            peak_bitrate_kbps=384 if kind in ("aac51", "eac3") else 130,
            kid=AUDIO,
        )
        for name, language, role, title, kinds in sounds
        for kind in kinds
    ]


def version(
    *,
    renditions: Sequence[Rendition] = (
        rendition("v360", 640, 360, 400.1, SD),
        rendition("v540", 960, 540, 900, SD),
        rendition("v720", 1280, 720, 1800, HD),
    ),
    audio: Sequence[AudioTrack] = (audio_track(),),
    captions: Sequence[CaptionTrack] = (
        CaptionTrack(track_id="t-en", language="en", path="t-en.vtt"),
        CaptionTrack(track_id="t-de", language="de", path="t-de.vtt"),
    ),
    video_timeline: Timeline = Timeline(  # noqa: B008
        timescale=24000, start=0, durations=[48048, 48048, 30030, 48048, 12012]
    ),
    audio_timeline: Timeline | None = Timeline(  # noqa: B008
        timescale=48000, start=0, durations=[96256, 95232, 60416, 96256, 24576]
    ),
    frame_rate: str = "24000/1001",
    thumbnails: ThumbnailTrack | None = None,
) -> Version:
    return Version(
        version_id=VersionId("ver_1"),
        title_id=TitleId("ttl_1"),
        quality="full",
        duration_s=sum(video_timeline.durations) / video_timeline.timescale,
        frame_rate=frame_rate,
        renditions=list(renditions),
        audio=list(audio),
        captions=list(captions),
        video_timeline=video_timeline,
        audio_timeline=audio_timeline if audio else None,
        scheme="cbcs",
        artwork_key="art/1.jpg",
        index_blake3="b3",
        published_at=datetime(2026, 1, 1, tzinfo=UTC),
        thumbnails=thumbnails,
    )


def thumbnail_track(digests_sha256: str = "") -> ThumbnailTrack:
    """Eight tiles of a film of 24000/1001, a second each."""
    return ThumbnailTrack(
        track_id="thumbnails",
        tile_width=320,
        tile_height=180,
        columns=3,
        rows=2,
        tiles=8,
        timescale=24000,
        tile_ticks=24024,
        bitrate_kbps=71.2,
        digests_sha256=digests_sha256,
    )


def with_iframes(plain: Version) -> Version:
    """The version with the I-frames of its first rendition."""
    first, *others = plain.renditions
    frames = IFrames(
        track_id=f"{first.rendition_id}.iframes",
        bitrate_kbps=80,
        peak_bitrate_kbps=120.5,
        digests_sha256="1f" * 32,
    )
    return msgspec.structs.replace(
        plain, renditions=[msgspec.structs.replace(first, iframes=frames), *others]
    )


def of_every_role() -> list[CaptionTrack]:
    return [
        CaptionTrack(track_id="t-en", language="en", path="t-en.vtt"),
        CaptionTrack(
            track_id="t-en.sdh",
            language="en",
            path="t-en.sdh.vtt",
            role="sdh",
            imsc_path="t-en.sdh.ttml",
        ),
        CaptionTrack(track_id="t-en.forced", language="en", path="t-en.forced.vtt", role="forced"),
    ]


def appliance(name: str) -> RankedAppliance:
    return RankedAppliance(
        appliance_id=ApplianceId(name), media_url=f"http://{name}.test:8081/t/TOKEN-{name}/ver_1/"
    )


RANKING = [appliance("edge-b"), appliance("edge-a")]
LICENCE_URL = "https://watch.test/api/v1/plays/play_1/licence"
