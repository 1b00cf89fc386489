"""What is published: renditions, tracks, keys and files of an immutable version."""

from datetime import datetime
from pathlib import PurePosixPath
from typing import Literal

import msgspec

from cuemark.contracts.ids import TitleId, VersionId
from cuemark.contracts.protection import KeySignal, Scheme
from cuemark.kit.errors import Refusal

Quality = Literal["quick", "full"]

CaptionRole = Literal["subtitles", "sdh", "forced"]
"""``subtitles`` say what is spoken, ``sdh`` also what is heard, for those who do not hear it, and
``forced`` what a viewer without captions must read: signs, and speech in another language."""

Codec = Literal["h264", "hevc", "av1"]
"""A family of codecs. Every version has H.264, which everything plays."""

DynamicRange = Literal["sdr", "hlg", "pq"]
"""How bright a picture can be: standard, or high by hybrid log-gamma or by the perceptual quantizer
of HDR10 (ITU-R BT.2100). Every version has ``sdr``, which everything shows."""

AudioRole = Literal["main", "dub", "description", "commentary", "clear"]
"""``main`` is the film's sound and ``dub`` that in another language than its own; ``description``
also tells what is to be seen, for those who do not see it, ``commentary`` is on the film, and of
``clear`` the speech is easier to hear."""


class UnknownVersion(Refusal):
    code = "unknown_version"
    status = 404


class IFrames(msgspec.Struct, frozen=True, kw_only=True):
    """The first frame of each segment of a rendition by itself, for fast forward and rewind.

    Each stands until the next one. Key, size and codec are those of the rendition.
    """

    track_id: str
    bitrate_kbps: float
    peak_bitrate_kbps: float
    digests_sha256: str


class Rendition(msgspec.Struct, frozen=True, kw_only=True):
    """One encoded video stream. VMAF is on the 0 to 100 scale, against the master.

    ``digests_sha256`` (hex) seals the list of digests, see ``Version``; empty where there is none.
    One rendition of a version has ``iframes``; none of an older release has.
    """

    rendition_id: str
    codec: str
    codec_string: str
    width: int
    height: int
    bitrate_kbps: float
    peak_bitrate_kbps: float
    vmaf_mean: float
    vmaf_p5: float
    vmaf_predicted: float | None
    kid: str
    label: str
    digests_sha256: str = ""
    iframes: IFrames | None = None
    dynamic_range: DynamicRange = "sdr"


class AudioTrack(msgspec.Struct, frozen=True, kw_only=True):
    """One rendition of a sound.

    Renditions of one sound have the same language, role and ``name``, which is for people to read
    and in the sound's own language; ``codec`` is ``aac``, ``opus`` or ``eac3``. In tracks of older
    releases these are not given.
    """

    track_id: str
    codec_string: str
    language: str
    channels: int
    sample_rate_hz: int
    bitrate_kbps: float
    kid: str
    digests_sha256: str = ""
    codec: str = ""
    role: AudioRole = "main"
    name: str = ""
    peak_bitrate_kbps: float = 0.0


class CaptionTrack(msgspec.Struct, frozen=True, kw_only=True):
    """``path`` is the WebVTT file, relative to the version's root on an appliance.

    ``imsc_path`` is the same as IMSC 1.1 text; versions of older releases have none.
    ``period_paths`` are WebVTT files of one crypto period each, with times from its beginning.
    """

    track_id: str
    language: str
    path: str
    role: CaptionRole = "subtitles"
    imsc_path: str = ""
    period_paths: list[str] = []


class ThumbnailTrack(msgspec.Struct, frozen=True, kw_only=True):
    """Small pictures of the film: JPEG sheets of ``columns`` by ``rows`` tiles (sizes in pixels).

    There are ``tiles`` of them, from left to right and then from top to bottom. Each stands for
    ``tile_ticks`` of ``1 / timescale`` seconds and shows the frame at the beginning of that.
    ``bitrate_kbps`` is the peak.
    """

    track_id: str
    tile_width: int
    tile_height: int
    columns: int
    rows: int
    tiles: int
    timescale: int
    tile_ticks: int
    bitrate_kbps: float
    digests_sha256: str = ""


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """Segment durations in ticks of ``1 / timescale`` seconds, in order, from ``start``."""

    timescale: int
    start: int
    durations: list[int]


class CryptoPeriod(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a version in which every label has a key of its own (``kids``, by label).

    It begins at ``start`` ticks of the video timeline, with the segment ``video`` of every
    rendition and, of the sounds of a codec string, the one in ``sounds``, all counted from 1. Those
    need the init segment ``init`` of their track.
    """

    start: int
    video: int
    sounds: dict[str, int]
    init: str
    kids: dict[str, str]


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """An immutable published set of renditions.

    On an appliance, under the version's root: ``<id>/init.mp4``, ``<id>/<n>.m4s`` with n from 1
    and the media playlist ``<id>.m3u8`` for each rendition and audio track, ``<id>.vtt``, its
    playlist ``<id>.m3u8`` and ``<id>.ttml`` for each caption track, and ``index.json`` (see
    ``VersionIndex``).
    Beside them ``<id>.digests`` for each rendition and audio track: the first 16 bytes of the
    SHA-256 of the playlist, the init segment and each segment, in this order (RFC 6920,
    sha-256-128). Versions of older releases have no digests.
    The I-frames of a rendition have an id of their own, and all of this but the init segment, which
    is that of the rendition.
    Thumbnails are ``<id>/<n>.jpg`` with n from 1, their playlist ``<id>.m3u8``, and
    ``<id>.digests`` of the playlist and of each sheet. Versions of older releases have none.
    Renditions stand in ascending order of bitrate. Every rendition has the ``video_timeline``.
    The renditions of one sound stand together in ``audio``, first the stereo AAC that everything
    plays; the sound that plays where a viewer asks for none comes first. ``audio_timelines`` are
    those of the audio tracks, by ``codec_string``; a track whose codec has none there has the
    ``audio_timeline``, as all of older releases do.
    ``signals`` are by key id. For each DRM system among them every rendition and audio track has
    one playlist more, ``<id>.<system>.m3u8``, which names its key to that system alone. Versions
    of older releases have none.
    A version whose keys change has ``periods``, the first one among them: there each track has an
    init segment for each period, whose digests stand at the end of the list, but that of the first
    one. The ``kid`` of renditions and audio tracks is that of the first period. One whose keys do
    not change has no ``periods``.
    A version that is ``marked`` has two variants of each segment of its renditions,
    ``<id>/a<n>.m4s`` and ``<id>/b<n>.m4s``; its manifests name ``<id>/x<n>.m4s``, for which an
    appliance gives the one that the session's token says. Both digests of a segment stand one after
    the other in ``<id>.digests``, that of a first. What has only I-frames is of variant a and has
    no other.
    """

    version_id: VersionId
    title_id: TitleId
    quality: Quality
    duration_s: float
    frame_rate: str
    renditions: list[Rendition]
    audio: list[AudioTrack]
    captions: list[CaptionTrack]
    video_timeline: Timeline
    audio_timeline: Timeline | None
    scheme: Scheme
    artwork_key: str
    index_blake3: str
    published_at: datetime
    thumbnails: ThumbnailTrack | None = None
    audio_timelines: dict[str, Timeline] = {}
    signals: dict[str, list[KeySignal]] = {}
    periods: list[CryptoPeriod] = []
    marked: bool = False


class IndexedFile(msgspec.Struct, frozen=True):
    blake3: str
    size_bytes: int


class VersionIndex(msgspec.Struct, frozen=True, kw_only=True):
    """``index.json`` of a version: each file's path under the root, with hash and size."""

    version_id: VersionId
    files: dict[str, IndexedFile]


def track_of(path: str) -> str:
    """The track that a file of a version is of: its folder, or its name without the ending."""
    first, slash, _ = path.partition("/")
    return first if slash else PurePosixPath(first).stem


class GetVersion(msgspec.Struct, frozen=True, kw_only=True):
    version_id: VersionId
