"""Content keys for other encryptors and licence servers, by SPEKE v2.0."""

import importlib.metadata

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Response

from cuemark.contracts.ids import VersionId
from cuemark.contracts.licensing import ExchangeKeys, KeyIdPage, ListKeyIds
from cuemark.gateway.parts import AnyRequest, Parts
from cuemark.gateway.views import API, Cursor, Limit

MEDIA_TYPE = "application/xml"
_HEADERS = {
    "cache-control": "no-store",
    "x-speke-version": "2.0",
    "x-speke-user-agent": f"cuemark/{importlib.metadata.version('cuemark')}",
}


@post(
    f"{API}/speke/v2.0/copyProtection",
    opt={"access": "operator", "staff": "keys.exchange", "body": "any"},
    status_code=200,
    media_type=MEDIA_TYPE,
    tags=["keys"],
)
async def exchange_keys(parts: Parts, request: AnyRequest) -> Response[bytes]:
    """A CPIX document that names keys, answered with the keys; new ones are made and kept."""
    exchanged = await parts.licensing.exchange_keys(ExchangeKeys(document=await request.body()))
    return Response(exchanged.document, media_type=MEDIA_TYPE, headers=_HEADERS)


@get(
    f"{API}/versions/{{version_id:str}}/key-ids",
    opt={"access": "operator", "staff": "key_ids.read"},
    tags=["keys"],
)
async def list_key_ids(
    version_id: FromPath[str], parts: Parts, after: Cursor = "", limit: Limit = 200
) -> KeyIdPage:
    """For a licence server, of a version with more keys than a header holds. They change only
    while the version is made."""
    return await parts.licensing.list_key_ids(
        ListKeyIds(version_id=VersionId(version_id), after=after, limit=limit)
    )
