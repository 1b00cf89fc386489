"""Encoding: from a master file to an immutable published version.

Bytes never pass this contract: an upload is written to the object store under ``spool_key`` by
whoever receives it, and named here by its id.

    Refusal
    |-- UnknownUpload     no upload has this id
    |-- UploadIncomplete  fewer or other bytes arrived than were announced
    |-- UploadInvalid     the announced name, size or kind is not acceptable; says why
    |-- MasterRejected    the file is no film that can be encoded; says why
    |-- UnknownVersion    no version, or no job, has this id
    |-- CardImpossible    a name cannot be set in type, or its picture is not here; says why
    `-- PageInvalid       the limit of a list is not acceptable
"""

from datetime import datetime
from typing import Annotated, ClassVar, Literal, Protocol

import msgspec
from msgspec import Meta

from cuemark.contracts.ids import AssetId, TitleId, UploadId, VersionId
from cuemark.contracts.protection import KeySignal, Scheme
from cuemark.kit.errors import Refusal
from cuemark.kit.pages import PageInvalid

TOPIC = "encoding"

Quality = Literal["quick", "full"]
CaptionRole = Literal["subtitles", "sdh", "forced"]
"""``subtitles`` say what is spoken, ``sdh`` also what is heard, for those who do not hear it, and
``forced`` what a viewer without captions must read: signs, and speech in another language."""
Effort = Literal["fast", "balanced", "best"]
"""What a title may cost: ``best`` gives fewer bits for the same quality and takes more CPU than
``balanced``, and ``fast`` the other way around."""
Codec = Literal["h264", "hevc", "av1"]
"""A family of codecs. Every version has H.264, which everything plays."""
AudioRole = Literal["main", "dub", "description", "commentary", "clear"]
"""``main`` is the film's sound and ``dub`` that in another language than its own; ``description``
also tells what is to be seen, for those who do not see it, ``commentary`` is on the film, and of
``clear`` the speech is easier to hear."""
Stage = Literal[
    "inspect",
    "shots",
    "quick",
    "probes",
    "ladder",
    "encode",
    "verify",
    "audio",
    "captions",
    "package",
    "publish",
]
Check = Literal[
    "structure",
    "protection",
    "continuity",
    "idr",
    "trick_play",
    "alignment",
    "manifests",
    "bandwidth",
    "decrypt",
    "frames",
    "duration",
    "black",
    "freeze",
    "picture",
    "color",
    "interlace",
    "cadence",
    "photosensitivity",
    "av_offset",
    "mute",
    "loudness",
    "clipping",
    "caption_language",
]
"""What a version is held to before it is published."""
Severity = Literal["error", "warning"]
"""An ``error`` is what a version has and its master has not; a ``warning`` is the master's own, or
a matter of taste."""
Action = Literal["block", "warn", "ignore"]
"""``block``: the version is not published. ``warn``: its report says so. ``ignore``: nothing."""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an install does about the errors and the warnings of one check; None for the default."""

    error: Action | None = None
    warning: Action | None = None


PolicyChanges = dict[Check, Action | Rule]
"""By check; an action alone is for its errors."""


class EnergyModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How watt-hours are estimated from CPU seconds and bytes; nothing is measured.

    ``core_w`` is what a busy core draws, ``stored_tb_w`` what 10^12 stored bytes draw, and ``pue``
    what the building draws for each watt of the machine (power usage effectiveness). The values
    that hold without a setting are those of Cloud Carbon Footprint's methodology: the mean maximum
    of a vCPU, SSDs, and the PUE of a large data center (cloudcarbonfootprint.org, "Methodology").
    """

    core_w: Annotated[float, Meta(ge=0, le=1000)] = 3.5
    pue: Annotated[float, Meta(ge=1, le=10)] = 1.135
    stored_tb_w: Annotated[float, Meta(ge=0, le=1000)] = 1.2


class UnknownUpload(Refusal):
    code = "unknown_upload"
    status = 404


class UploadIncomplete(Refusal):
    code = "upload_incomplete"
    status = 409


class UploadInvalid(Refusal):
    code = "upload_invalid"
    status = 422


class MasterRejected(Refusal):
    code = "master_rejected"
    status = 422


class UnknownVersion(Refusal):
    code = "unknown_version"
    status = 404


class CardImpossible(Refusal):
    code = "card_impossible"
    status = 422


class OpenUpload(msgspec.Struct, frozen=True, kw_only=True):
    """``sha256`` (hex), where given, must match what arrives."""

    name: str
    size_bytes: int
    sha256: str = ""


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """``received_bytes`` is how far it got: where a broken upload resumes."""

    upload_id: UploadId
    name: str
    size_bytes: int
    received_bytes: int
    spool_key: str
    asset_id: AssetId | None = None


class GetUpload(msgspec.Struct, frozen=True, kw_only=True):
    upload_id: UploadId


class CompleteUpload(msgspec.Struct, frozen=True, kw_only=True):
    upload_id: UploadId


class CaptionSource(msgspec.Struct, frozen=True, kw_only=True):
    """``language`` is BCP 47; the upload is SRT, WebVTT or TTML.

    A title has one for each language and role.
    """

    language: str
    upload_id: UploadId
    role: CaptionRole = "subtitles"


class Ingest(msgspec.Struct, frozen=True, kw_only=True):
    """Without an ``effort`` or ``codecs`` they are those that the install has set.

    ``codecs`` are what the full version is made in; H.264 is among them whether named or not.
    """

    title_id: TitleId
    upload_id: UploadId
    captions: list[CaptionSource] = []
    effort: Effort | None = None
    codecs: list[Codec] | None = None


class GetJob(msgspec.Struct, frozen=True, kw_only=True):
    version_id: VersionId


class ListJobs(msgspec.Struct, frozen=True, kw_only=True):
    """The newest first. ``after`` is the ``next_cursor`` of the page before; ``limit`` 1 to 200."""

    after: str = ""
    limit: int = 50


class StageProgress(msgspec.Struct, frozen=True, kw_only=True):
    """``done`` of ``total`` units of work; a stage that is not planned yet has no entry."""

    stage: Stage
    done: int
    total: int


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
    """

    track_id: str
    language: str
    path: str
    role: CaptionRole = "subtitles"
    imsc_path: str = ""


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


class ArtworkFrame(msgspec.Struct, frozen=True, kw_only=True):
    """A frame that could stand for the film.

    ``sharpness`` is the mean response of a Laplacian in levels of luma, of the frame at 128 by 72;
    ``brightness`` the mean luma, 0 to 1.
    """

    frame: int
    sharpness: float
    brightness: float


class ArtworkCandidate(msgspec.Struct, frozen=True, kw_only=True):
    """``picture_key`` is of a JPEG in the object store; ``number`` counts from 1, the best one."""

    number: int
    picture_key: str
    at_s: float
    frame: ArtworkFrame


class DrawTitleCard(msgspec.Struct, frozen=True, kw_only=True):
    """``picture_key`` is of a candidate's picture; ``name`` is what is set in type over it."""

    picture_key: str
    name: str


class TitleCard(msgspec.Struct, frozen=True, kw_only=True):
    """``picture_key`` is of a JPEG in the object store; another name or picture has another one."""

    picture_key: str


class IndexedFile(msgspec.Struct, frozen=True):
    blake3: str
    size_bytes: int


class VersionIndex(msgspec.Struct, frozen=True, kw_only=True):
    """``index.json`` of a version: each file's path under the root, with hash and size."""

    version_id: VersionId
    files: dict[str, IndexedFile]


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """The making of a title's versions from one master.

    ``version_id`` names the full version and, with it, the job. ``watchable_s`` and ``good_s``
    are the seconds from ingest to the quick and the full version's publication. ``trace_id`` is
    that of the request which asked for it, and of all that was done for it. ``notes`` are
    sentences on what was done to the film that its owner may not expect. ``waiting`` says what
    keeps a running job from going on; it goes on by itself. ``codecs`` are what the full version is
    made in.
    """

    version_id: VersionId
    title_id: TitleId
    state: Literal["waiting", "running", "done", "failed"]
    quick_version_id: VersionId | None
    stages: list[StageProgress]
    created_at: datetime
    watchable_s: float | None = None
    good_s: float | None = None
    error: str = ""
    trace_id: str = ""
    notes: list[str] = []
    waiting: str = ""
    effort: Effort = "balanced"
    codecs: list[Codec] = []


class JobPage(msgspec.Struct, frozen=True, kw_only=True):
    jobs: list[Job]
    next_cursor: str = ""


class GetVersion(msgspec.Struct, frozen=True, kw_only=True):
    version_id: VersionId


class GetReport(msgspec.Struct, frozen=True, kw_only=True):
    version_id: VersionId


class EncodePoint(msgspec.Struct, frozen=True, kw_only=True):
    """An encode of the film at one place: measured, where it is a probe, else predicted.

    ``crf`` is on the scale of the codec's own encoder.
    """

    height: int
    crf: float
    rate_kbps: float
    vmaf: float
    codec: Codec = "h264"


class ShotReport(msgspec.Struct, frozen=True, kw_only=True):
    """A shot of a rendition: its first frame, the crf it was encoded with, and its mean VMAF as
    measured and as predicted from probes; none where no frame was scored or no probe saw it."""

    start: int
    crf: float
    vmaf: float | None
    vmaf_predicted: float | None


class RenditionReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one rendition measured. VMAF is on the 0 to 100 scale.

    ``frames`` ascend; ``vmaf_mean`` and ``vmaf_least`` are those of the scored frames from each
    of them up to the next one. The picture keys are of JPEGs in the object store, of the worst
    frame and of the master's; empty where they were not kept. A quick version has no ``shots``.
    VMAF NEG leaves out what sharpening and contrast gain; CAMBI tells of banding, from 0 (none)
    on, about 5 being annoying (Netflix libvmaf, ``cambi.md``).
    """

    rendition_id: str
    frames: list[int]
    vmaf_mean: list[float]
    vmaf_least: list[float]
    worst_frame: int
    segment_bytes: list[int]
    picture_key: str = ""
    master_picture_key: str = ""
    shots: list[ShotReport] = []
    vmaf_neg_mean: float | None = None
    cambi_mean: float | None = None


class StageTime(msgspec.Struct, frozen=True, kw_only=True):
    """``wall_s`` and ``cpu_s`` add up the stage's units, and the attempts at them that ended with
    no result; ``lost_cpu_s`` is the CPU of those alone. ``elapsed_s`` is from the first unit's
    beginning to the last one's end, other titles' work between them included. ``written_bytes``
    are those of the stage's results. ``energy_wh`` is an estimate."""

    stage: Stage
    units: int
    wall_s: float
    cpu_s: float
    elapsed_s: float
    lost_cpu_s: float = 0.0
    written_bytes: int = 0
    energy_wh: float = 0.0


class CostPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part of what a job cost. ``energy_wh`` is an estimate.

    ``kind`` says what it went into: a ``rung`` of the version (``name`` is the rendition's),
    the ``title`` as a whole (probes, sound, packaging), the ``other_version`` of the job (``name``
    is its quality), ``thrown_away`` (``name`` says what: a rung that was encoded anew or dropped,
    or attempts that ended with no result), or ``in_hand``: an attempt that still runs.
    """

    kind: str
    name: str
    stage: Stage
    cpu_s: float
    written_bytes: int
    energy_wh: float


class StoredPart(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored of a version: ``kind`` is ``rendition``, ``audio``, ``captions``,
    ``thumbnails``, ``other`` (the index) or ``master``, the file that it was made from.

    ``energy_wh_per_year`` is an estimate for one copy.
    """

    kind: str
    name: str
    size_bytes: int
    energy_wh_per_year: float


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """What a version cost, with the other version of its job. Watt-hours are estimates by
    ``model``.

    The ``parts`` add up to ``cpu_s``, ``written_bytes`` and ``energy_wh``. ``title_jobs`` are all
    jobs of the title until now, this one among them, and ``title_cpu_s`` is what all of them cost.
    """

    model: EnergyModel
    cpu_s: float
    written_bytes: int
    energy_wh: float
    parts: list[CostPart]
    stored: list[StoredPart]
    title_jobs: int
    title_cpu_s: float
    title_energy_wh: float


class ValidationFinding(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found in a version before it was published, in a sentence.

    ``check`` and ``severity`` are words of ``Check`` and ``Severity``; ``action`` is what the
    policy of the install did about it.
    """

    check: str
    severity: str
    action: str
    text: str


class VersionReport(msgspec.Struct, frozen=True, kw_only=True):
    """How a version came about and what it measures.

    ``shots`` are first frames. A quick version, and one that was made before measurements were
    kept, has no probes; ``findings`` are sentences. ``artworks`` are what can stand for the title.
    ``checks`` names the checks that the version passed through, and ``validation`` has what they
    found. A version of an older release has none of these three.
    ``effort`` is what was chosen for its job, and ``costs`` what that took.
    """

    version: Version
    trace_id: str
    probes: list[EncodePoint]
    hull: list[EncodePoint]
    planned: list[EncodePoint]
    shots: list[int]
    renditions: list[RenditionReport]
    stages: list[StageTime]
    findings: list[str]
    artworks: list[ArtworkCandidate] = []
    checks: list[str] = []
    validation: list[ValidationFinding] = []
    effort: Effort = "balanced"
    costs: Costs | None = None


class VersionPublished(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    version_id: VersionId
    title_id: TitleId
    quality: Quality
    duration_s: float
    artwork_key: str
    index_blake3: str
    published_at: datetime


class EncodingFailed(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    version_id: VersionId
    title_id: TitleId
    error: str


class Encoding(Protocol):
    refusals: ClassVar[tuple[type[Refusal], ...]] = (
        UnknownUpload,
        UploadIncomplete,
        UploadInvalid,
        MasterRejected,
        UnknownVersion,
        CardImpossible,
        PageInvalid,
    )

    async def open_upload(self, request: OpenUpload) -> Upload: ...

    async def get_upload(self, request: GetUpload) -> Upload: ...

    async def complete_upload(self, request: CompleteUpload) -> Upload: ...

    async def ingest(self, request: Ingest) -> Job: ...

    async def get_job(self, request: GetJob) -> Job: ...

    async def list_jobs(self, request: ListJobs) -> JobPage: ...

    async def get_version(self, request: GetVersion) -> Version: ...

    async def get_report(self, request: GetReport) -> VersionReport: ...

    async def draw_title_card(self, request: DrawTitleCard) -> TitleCard: ...
