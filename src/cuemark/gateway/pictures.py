"""A picture of the objects as an answer."""

import asyncio
import hashlib

from litestar.response import Response

from cuemark.gateway.errors import NotFound
from cuemark.gateway.parts import AnyRequest, GatewayParts


async def picture(parts: GatewayParts, request: AnyRequest, key: str) -> Response[bytes]:
    """The JPEG under ``key``; 304 where the browser has it. Which one it is may depend on the
    language that was asked for."""
    tag = f'"{hashlib.sha256(key.encode()).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": "private, max-age=60", "vary": "accept-language"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    try:
        jpeg = await asyncio.to_thread(parts.objects.read, key)
    except FileNotFoundError as error:
        raise NotFound("The artwork of this title is not here.") from error
    return Response(jpeg, media_type="image/jpeg", headers=headers)
