"""What becomes known as a title is made."""

from datetime import datetime

import msgspec

from cuemark.contracts.encoding.jobs import Priority, Stage
from cuemark.contracts.encoding.versions import Quality
from cuemark.contracts.ids import AssetId, TitleId, UploadId, VersionId

TOPIC = "encoding"


class MasterLanded(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """An upload is complete and kept: a film, or a file of captions. ``sha256`` is hex."""

    asset_id: AssetId
    upload_id: UploadId
    name: str
    size_bytes: int
    sha256: str
    landed_at: datetime


class VersionPublished(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    version_id: VersionId
    title_id: TitleId
    quality: Quality
    duration_s: float
    artwork_key: str
    index_blake3: str
    published_at: datetime
    master_sha256: str = ""


class EncodingFailed(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    version_id: VersionId
    title_id: TitleId
    error: str


class JobProgressed(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """A stage came a tenth of its way further: ``done`` of ``total`` units, in ``percent``."""

    version_id: VersionId
    title_id: TitleId
    stage: Stage
    done: int
    total: int
    percent: int


class JobCanceled(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    version_id: VersionId
    title_id: TitleId
    by: str


class JobRetried(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    version_id: VersionId
    title_id: TitleId


class JobPrioritized(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    version_id: VersionId
    title_id: TitleId
    priority: Priority


class WorkerLost(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """A worker was silent for longer than its lease: what it had begun is begun again."""

    executor_id: str
    host: str
    given_back: int
