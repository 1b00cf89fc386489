"""Uploads: masters and captions on their way in, resumable."""

from typing import Annotated

import msgspec
from litestar import get, patch, post
from litestar.params import FromPath, HeaderParameter, JSONBody
from litestar.response import Response

from cuemark.contracts.encoding.uploads import CompleteUpload, GetUpload, OpenUpload, Upload
from cuemark.contracts.ids import UploadId
from cuemark.gateway import spool
from cuemark.gateway.parts import AnyRequest, GatewayParts, Parts
from cuemark.gateway.views import API, UploadBody

_UPLOAD = f"{API}/uploads/{{upload_id:str}}"

Offset = Annotated[int, HeaderParameter(name="Upload-Offset", ge=0, le=2**50)]


@post(f"{API}/uploads", opt={"access": "operator", "staff": "ingest.write"}, tags=["uploads"])
async def open_upload(data: JSONBody[UploadBody], parts: Parts) -> Upload:
    return await parts.encoding.open_upload(
        OpenUpload(name=data.name, size_bytes=data.size_bytes, sha256=data.sha256.lower())
    )


@get(_UPLOAD, opt={"access": "operator", "staff": "ingest.read"}, tags=["uploads"])
async def get_upload(upload_id: FromPath[str], parts: Parts) -> Upload:
    upload = await parts.encoding.get_upload(GetUpload(upload_id=UploadId(upload_id)))
    return _as_received(parts, upload)


@patch(
    _UPLOAD,
    opt={"access": "operator", "staff": "ingest.write", "body": "bytes", "part_of_act": True},
    request_max_body_size=None,
    responses={},
    tags=["uploads"],
)
async def append_bytes(
    upload_id: FromPath[str], offset: Offset, parts: Parts, request: AnyRequest
) -> Response[Upload]:
    """Streams the body to disk at ``Upload-Offset``, which must be how far the upload got."""
    upload = await parts.encoding.get_upload(GetUpload(upload_id=UploadId(upload_id)))
    if upload.asset_id is not None:
        return Response(upload, status_code=409)
    path = parts.objects.draft(upload.spool_key)
    try:
        await spool.append(
            path,
            offset=offset,
            size_bytes=upload.size_bytes,
            chunks=spool.chunks_of(request.receive),
        )
    except spool.WrongOffset:
        return Response(_as_received(parts, upload), status_code=409)
    return Response(_as_received(parts, upload))


@post(
    f"{_UPLOAD}/complete",
    opt={"access": "operator", "staff": "ingest.write"},
    status_code=200,
    tags=["uploads"],
)
async def complete_upload(upload_id: FromPath[str], parts: Parts) -> Upload:
    return await parts.encoding.complete_upload(CompleteUpload(upload_id=UploadId(upload_id)))


def _as_received(parts: GatewayParts, upload: Upload) -> Upload:
    """The upload with what is on disk now: the spool file is the truth until it is complete."""
    if upload.asset_id is not None:
        return upload
    on_disk = spool.received_bytes(parts.objects.draft(upload.spool_key))
    return msgspec.structs.replace(upload, received_bytes=on_disk)
