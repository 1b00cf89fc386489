"""Master files on their way in."""

import msgspec

from cuemark.contracts.ids import AssetId, UploadId
from cuemark.kit.errors import Refusal


class UnknownUpload(Refusal):
    code = "unknown_upload"
    status = 404


class UploadIncomplete(Refusal):
    code = "upload_incomplete"
    status = 409


class UploadInvalid(Refusal):
    code = "upload_invalid"
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
