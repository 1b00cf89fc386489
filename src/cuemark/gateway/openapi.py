"""This API as an OpenAPI 3.1 document, made from the handlers that serve it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from litestar import Litestar
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, Reference, SecurityScheme

from cuemark.contracts.billing import Billing
from cuemark.contracts.catalog import Catalog
from cuemark.contracts.encoding import Encoding
from cuemark.contracts.experiments import Experiments
from cuemark.contracts.fill import Fill
from cuemark.contracts.fraud import Fraud
from cuemark.contracts.functions import Functions
from cuemark.contracts.identity import Identity, NotLoggedIn
from cuemark.contracts.licensing import Licensing
from cuemark.contracts.playback import Playback
from cuemark.contracts.rights import Rights
from cuemark.contracts.search import Search
from cuemark.contracts.steering import NoAppliance, Steering, SteeringOver
from cuemark.contracts.telemetry import Telemetry
from cuemark.contracts.viewers import Viewers
from cuemark.gateway import access
from cuemark.gateway.account_views import OAuthErrorView
from cuemark.gateway.clearkey import ClearKeyRequest
from cuemark.gateway.errors import (
    Forbidden,
    ForeignOrigin,
    LetterNeeded,
    NotFound,
    ProofNeeded,
    StepUpNeeded,
    StorageFull,
    TooManyBytes,
    TooManyRequests,
    UploadBusy,
    WrongMediaType,
)
from cuemark.gateway.views import API, ErrorView
from cuemark.kit.errors import Refusal

_TYPED = re.compile(r":(str|int|path)\}")
_SCHEMAS = "#/components/schemas/"
_REFUSALS: dict[str, Sequence[type[Refusal]]] = {
    "service": (),
    "billing": (*Billing.refusals, ProofNeeded, TooManyRequests),
    "login": (*Identity.refusals, ProofNeeded, LetterNeeded),
    "rights": (*Rights.refusals, *Catalog.refusals),
    "members": (*Identity.refusals, *Viewers.refusals, *Playback.refusals),
    "profiles": Identity.refusals,
    "devices": Identity.refusals,
    "factors": Identity.refusals,
    "staff": Identity.refusals,
    "titles": (*Catalog.refusals, *Viewers.refusals),
    "works": (*Catalog.refusals, *Viewers.refusals),
    "viewing": (*Viewers.refusals, *Catalog.refusals),
    "plays": (
        *Playback.refusals,
        *Licensing.refusals,
        *Viewers.refusals,
        SteeringOver,
        NoAppliance,
    ),
    "uploads": (*Encoding.refusals, UploadBusy, StorageFull),
    "search": (*Search.refusals, *Steering.refusals),
    "jobs": (*Encoding.refusals, *Catalog.refusals),
    "marks": (*Encoding.refusals, *Playback.refusals),
    "experiments": Experiments.refusals,
    "fill": Fill.refusals,
    "fraud": (*Fraud.refusals, *Identity.refusals),
    "functions": Functions.refusals,
    "keys": Licensing.refusals,
    "operators": (*Identity.refusals, *Steering.refusals),
    "traffic": (*Telemetry.refusals, *Catalog.refusals),
}
"""What the contexts behind the routes of each tag may refuse."""


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
        [ErrorView, ClearKeyRequest, OAuthErrorView], ref_template=_SCHEMAS + "{name}"
    )
    document["components"]["schemas"] |= schemas
    _add_own_bodies(document["paths"])
    _add_own_answers(document["paths"])
    for method, path, handler in access.routes_of(described):
        operation = document["paths"].get(_TYPED.sub("}", path), {}).get(method.lower())
        if operation is None:
            continue
        public = access.access_of(handler) == "anyone"
        if public:
            operation["security"] = []
        limited = bool(access.limit_of(handler, method))
        proved = access.assurance_of(handler) != "any"
        _add_refusals(
            operation, public=public, writes=method != "GET", limited=limited, proved=proved
        )
    _add_oauth_errors(document["paths"])
    return msgspec.json.encode(document)


def _add_refusals(
    operation: dict[str, Any], *, public: bool, writes: bool, limited: bool, proved: bool
) -> None:
    """Each status with which this operation may refuse, and the codes of its errors."""
    codes: dict[int, set[str]] = {400: {"malformed", "bad_host"}, 503: {"unavailable"}}
    refusals: list[type[Refusal]] = [] if public else [NotLoggedIn, Forbidden]
    if limited:
        refusals.append(TooManyRequests)
    if proved:
        refusals.append(StepUpNeeded)
    if writes:
        refusals += [ForeignOrigin, TooManyBytes, WrongMediaType]
    if operation.get("parameters") or "requestBody" in operation:
        codes[422] = {"invalid"}
    if any(parameter["in"] == "path" for parameter in operation.get("parameters", [])):
        refusals.append(NotFound)
    for tag in operation.get("tags", []):
        refusals += _REFUSALS[tag]
    for refusal in refusals:
        codes.setdefault(refusal.status, set()).add(refusal.code)
    for status, names in sorted(codes.items()):
        stated = operation["responses"].get(str(status))
        answer = _of("application/json", "ErrorView")
        if stated and "content" in stated and status == 409:
            schemas = [stated["content"]["application/json"]["schema"], _ref("ErrorView")]
            answer["content"]["application/json"]["schema"] = {"anyOf": schemas}
        answer["description"] = "Refused: " + ", ".join(sorted(names))
        operation["responses"][str(status)] = answer


def _add_own_bodies(paths: dict[str, Any]) -> None:
    licence = paths[f"{API}/plays/{{session_id}}/licence"]["post"]
    licence["requestBody"] = _of("application/json", "ClearKeyRequest") | {"required": True}
    drm = paths[f"{API}/plays/{{session_id}}/licence/{{system}}"]["post"]
    drm["requestBody"] = {"content": {"application/octet-stream": {}}, "required": True}
    exchange = paths[f"{API}/speke/v2.0/copyProtection"]["post"]
    exchange["requestBody"] = {"content": {"application/xml": {}}, "required": True}
    for name, fields in (
        ("device_authorization", ["device_name"]),
        ("token", ["grant_type", "device_code"]),
    ):
        form = {"type": "object", "properties": {each: {"type": "string"} for each in fields}}
        content = {"application/x-www-form-urlencoded": {"schema": form}}
        paths[f"{API}/{name}"]["post"]["requestBody"] = {"content": content}
    upload = paths[f"{API}/uploads/{{upload_id}}"]["patch"]
    upload["requestBody"] = {"content": {"application/octet-stream": {}}, "required": True}
    upload["responses"]["409"] = _of("application/json", "Upload")


def _add_own_answers(paths: dict[str, Any]) -> None:
    work = paths[f"{API}/works/{{work_id}}/schema.jsonld"]["get"]["responses"]["200"]
    work["content"] = {"application/ld+json": {"schema": {"type": "object"}}}
    invoice = paths[f"{API}/invoices/{{invoice_id}}/{{form}}"]["get"]["responses"]["200"]
    invoice["content"]["application/pdf"] = {}
    paths[f"{API}/logout"]["post"]["responses"]["204"].pop("content", None)


def _add_oauth_errors(paths: dict[str, Any]) -> None:
    refused = paths[f"{API}/token"]["post"]["responses"]["400"]
    schemas = [_ref("OAuthErrorView"), _ref("ErrorView")]
    refused["content"]["application/json"]["schema"] = {"anyOf": schemas}


def _of(media_type: str, schema: str) -> dict[str, Any]:
    return {
        "description": schema,
        "content": {media_type: {"schema": _ref(schema)}},
    }


def _ref(schema: str) -> dict[str, str]:
    return {"$ref": _SCHEMAS + schema}
