"""This API as an OpenAPI 3.1 document, made from the handlers that serve it."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from litestar import Litestar
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, Reference, SecurityScheme

from cuemark.gateway import access
from cuemark.gateway.clearkey import ClearKeyRequest
from cuemark.gateway.views import API, ErrorView

_SCHEMAS = "#/components/schemas/"


def openapi_document(
    title: str, handlers: Sequence[HTTPRouteHandler], dependencies: Mapping[str, Provide]
) -> bytes:
    """The document in JSON. The framework describes the handlers; what it cannot know (our
    errors, who may call, bodies that a handler reads by itself) is added to that.
    """
    schemes: dict[str, SecurityScheme | Reference] = {
        "cookie": SecurityScheme(type="apiKey", name=access.COOKIE, security_scheme_in="cookie"),
        "bearer": SecurityScheme(type="http", scheme="bearer"),
    }
    described = Litestar(
        handlers,
        openapi_config=OpenAPIConfig(
            title=title,
            version="1",
            components=Components(security_schemes=schemes),
            security=[{"cookie": []}, {"bearer": []}],
        ),
        logging_config=None,
        dependencies=dependencies,
    )
    document = described.openapi_schema.to_schema()
    _, schemas = msgspec.json.schema_components(
        [ErrorView, ClearKeyRequest], ref_template=_SCHEMAS + "{name}"
    )
    document["components"]["schemas"] |= schemas
    _add_own_bodies(document["paths"])
    for path_item in document["paths"].values():
        for operation in path_item.values():
            operation["responses"].pop("400", None)
            operation["responses"]["default"] = _of("application/json", "ErrorView")
    for method, path, handler in access.routes_of(described):
        operation = document["paths"].get(path.replace(":str}", "}"), {}).get(method.lower())
        if operation is not None and access.access_of(handler) == "anyone":
            operation["security"] = []
    return msgspec.json.encode(document)


def _add_own_bodies(paths: dict[str, Any]) -> None:
    licence = paths[f"{API}/plays/{{session_id}}/licence"]["post"]
    licence["requestBody"] = _of("application/json", "ClearKeyRequest") | {"required": True}
    upload = paths[f"{API}/uploads/{{upload_id}}"]["patch"]
    upload["requestBody"] = {"content": {"application/octet-stream": {}}, "required": True}
    upload["responses"]["409"] = _of("application/json", "Upload")


def _of(media_type: str, schema: str) -> dict[str, Any]:
    return {
        "description": schema,
        "content": {media_type: {"schema": {"$ref": _SCHEMAS + schema}}},
    }
