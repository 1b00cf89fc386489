"""The API is what its OpenAPI document says, to whoever asks and whatever is sent.

Requests are made up from the document by Schemathesis, some as it says and some not, for a control
plane where there is something to find: a film, somebody who has paid and watches it, their
household, staff. Of three requests one is made up, one names what there is, and one has a body that
is meant. No answer is an error of ours, every
answer has a status, a media type and a body that the document has, and none shows our inside.
"""

import asyncio
import copy
import re
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from litestar.di import Provide
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from cuemark.gateway.access import access_of, routes_of
from cuemark.gateway.app import HANDLERS, build_routes
from cuemark.gateway.openapi import openapi_document
from tests.integration.gateway.households import Town, opened_town
from tests.integration.gateway.listening import listening, url_of
from tests.unit.gateway.neighbours import Town as Neighbourhood
from tests.unit.gateway.test_access import BODIES

pytestmark = pytest.mark.asyncio(loop_scope="module")

EXAMPLES, REFUSED_EXAMPLES = 9, 2
"""Of an operation, where the role may call it and where it may not."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
LAST = ("/deletion", "/logout", "/log-out", "/account/", "/plays", "/cancel", "/profile", "/clock")
"""What ends or moves something that others are asked of: its turn comes when they had theirs."""

ABSENT = {
    "DELETE /api/v1/master-keys/{number}",
    "GET /api/v1/fill/titles/{title_id}",
    "GET /api/v1/fill/versions/{version_id}/tracks/{track_id}",
    "GET /api/v1/function-runs/{run_id}",
    "GET /api/v1/jobs/{version_id}",
    "GET /api/v1/jobs/{version_id}/events",
    "GET /api/v1/mark-searches/{search_id}",
    "GET /api/v1/media/{path}",
    "GET /api/v1/titles/{title_id}/artwork",
    "GET /api/v1/titles/{title_id}/artworks",
    "GET /api/v1/titles/{title_id}/artworks/{number}",
    "GET /api/v1/versions/{version_id}/report",
    "GET /api/v1/versions/{version_id}/report.json",
    "GET /api/v1/works/{work_id}/artwork",
    "POST /api/v1/function-runs/{run_id}/retry",
    "POST /api/v1/jobs/{version_id}/cancel",
    "POST /api/v1/jobs/{version_id}/retry",
    "POST /api/v1/rollouts/{rollout_id}",
    "PUT /api/v1/functions/{name}",
    "PUT /api/v1/jobs/{version_id}/priority",
    "PUT /api/v1/titles/{title_id}/artwork",
}
"""What the town has not: pictures, jobs and plans of fill, which an encode leaves; functions and
rollouts; a second master key."""


@dataclass
class Asking:
    """Requests of one role to a gateway that listens, and the statuses they got by operation."""

    url: str
    role: str
    token: str
    ids: Mapping[str, str]
    heard: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    faults: list[str] = field(default_factory=list)

    def everything(self) -> None:
        schema = schemathesis.openapi.from_dict(document())
        operations = []
        for result in schema.get_all_operations():
            assert isinstance(result, Ok)
            operations.append(result.ok())
        with requests.Session() as session:
            session.trust_env = False
            for operation in sorted(operations, key=turn_of):
                try:
                    self._ask(session, operation)
                except (FailureGroup, AssertionError) as fault:
                    self.faults.append(f"{operation.label}: {fault}")

    def _ask(self, session: requests.Session, operation: Any) -> None:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        cases = [operation.as_strategy()]
        if operation.path_parameters or operation.query or operation.body:
            cases.append(operation.as_strategy(GenerationMode.NEGATIVE))

        access = ACCESS[operation.label].split("_or_")
        may = "anyone" in access or self.role in access

        @settings(
            max_examples=EXAMPLES if may else REFUSED_EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=st.one_of(cases), how=st.sampled_from(["made up", "named", "meant"]))
        def ask(case: Case[Any], how: str) -> None:
            real = how != "made up"
            if how == "meant" and operation.label in MEANT:
                case.body = copy.deepcopy(MEANT[operation.label])
                case.media_type = "application/json"
            if real:
                name_what_there_is(case, self.ids)
            answer = case.call(base_url=self.url, session=session, headers=headers, timeout=30)
            case.validate_response(answer, checks=CHECKS)
            assert b"Traceback" not in answer.content
            assert b'File \\"' not in answer.content
            if may and real:
                self.heard[operation.label].append(answer.status_code)

        ask()


def accesses() -> dict[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        app = build_routes(Neighbourhood(Path(folder)).parts)
    return {label(method, path): access_of(handler) for method, path, handler in routes_of(app)}


def label(method: str, path: str) -> str:
    """What Schemathesis calls an operation."""
    return f"{method} {re.sub(r':[a-z]+}', '}', path)}"


ACCESS = accesses()
MEANT: dict[str, Any] = {label(*route): body for route, body in BODIES.items()}


def is_lost(heard: list[int]) -> bool:
    """Whether nobody found what was named. A body that is wrong is refused before that is told."""
    return 404 in heard and set(heard) <= {400, 404, 422}


def turn_of(operation: Any) -> tuple[bool, int, int, str]:
    methods = ["get", "put", "patch", "post", "delete"]
    method = operation.method.lower()
    ends = method != "get" and any(each in operation.path for each in LAST)
    return ends, methods.index(method), -operation.path.count("/"), operation.path


def name_what_there_is(case: Case[Any], ids: Mapping[str, str]) -> None:
    for each in (case.path_parameters, case.query, case.body):
        _name(each, ids)


def _name(said: Any, ids: Mapping[str, str]) -> None:
    if isinstance(said, dict):
        for key, value in said.items():
            if key in ids and isinstance(value, str):
                said[key] = ids[key]
            _name(value, ids)
    elif isinstance(said, list):
        for each in said:
            _name(each, ids)


def document() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        parts = Neighbourhood(Path(folder)).parts
        given = {"parts": Provide(lambda: parts, sync_to_thread=False)}
        described: dict[str, Any] = msgspec.json.decode(
            openapi_document("Cuemark", HANDLERS, given)
        )
        return described


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(
    module_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Town]:
    folder = tmp_path_factory.mktemp("any-request") / "data"
    async with opened_town(folder, module_database_url) as town:
        yield town


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ids(town: Town) -> Mapping[str, str]:
    """What there is, by the names that the document has for it."""
    upload = (await town.must("POST", "/uploads", {"name": "a.mov", "size_bytes": 3})).json()
    staff = (await town.must("GET", "/staff")).json()["staff"]
    names = [{"language": "en", "name": "Cai Lin"}]
    person = (await town.must("POST", "/people", {"names": names})).json()
    await town.must("PUT", "/terms/drama", {"vocabulary": "genre", "names": names})
    cells = {"layer": "player", "share_bp": 10, "cells": [{"name": "a"}, {"name": "b"}]}
    await town.must("PUT", "/experiments/buffer", cells)
    return dict(town.anna.ids) | {
        "title_id": town.film.title_id,
        "work_id": town.film.title_id,
        "version_id": town.film.version_id,
        "appliance_id": "appliance-1",
        "plan_id": "small",
        "upload_id": upload["upload_id"],
        "staff_id": staff[0]["staff_id"],
        "person_id": person["person_id"],
        "term_id": "drama",
        "experiment": "buffer",
    }


@pytest.mark.parametrize("role", ["nobody", "member", "operator"])
async def test_any_request_gets_a_documented_answer(
    town: Town, ids: Mapping[str, str], role: str
) -> None:
    texts = [{"language": "en", "name": "The film", "synopsis": "A keeper and the sea."}]
    title = town.film.title_id
    revision = (await town.must("GET", f"/works/{title}/details")).json()["revision"]
    details = {"texts": texts, "genres": ["drama"], "year": 2026}
    await town.must("PUT", f"/works/{title}/details", {"revision": revision, "details": details})
    await town.prove()
    token = {"nobody": "", "member": town.anna.token, "operator": town.operator}[role]
    port = town.install.ports.public
    asking = Asking(url_of(port), role, token, ids)
    await town.report()
    async with listening(town.composition.gateway, port):
        await asyncio.to_thread(asking.everything)
    assert asking.faults == []
    assert len(asking.heard) >= {"nobody": 20, "member": 85, "operator": 125}[role]
    lost = {name for name, heard in asking.heard.items() if "{" in name and is_lost(heard)}
    assert lost <= ABSENT, "requests that name what there is do not find it"
