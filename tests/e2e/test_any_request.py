"""The API is what its OpenAPI document says, to whoever asks and whatever is sent.

Requests are made up from the document by Schemathesis, some as it says and some not. No answer
is an error of ours, every answer has a status, a media type and a body that the document has,
and none shows our inside.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.e2e.installation import Installation

EXAMPLES = 12
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def token_of(role: str, installation: Installation, session: requests.Session) -> str:
    if role == "nobody":
        return ""
    if role == "operator":
        return (installation.folder / "secrets" / "operator_token").read_text().strip()
    granted = session.post(
        f"{installation.api_url}/login/link", json={"code": installation.login_code()}, timeout=20
    )
    return str(granted.json()["token"])


@pytest.mark.parametrize("role", ["nobody", "member", "operator"])
def test_any_request_gets_a_documented_answer(
    empty_cuemark: Installation, session: requests.Session, role: str
) -> None:
    installation = empty_cuemark
    operator = {"Authorization": f"Bearer {token_of('operator', installation, session)}"}
    address = f"{installation.api_url}/openapi.json"
    document = session.get(address, headers=operator, timeout=20).json()
    schema = schemathesis.openapi.from_dict(document)
    token = token_of(role, installation, session)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    base_url = installation.api_url.removesuffix("/api/v1")
    asked = 0
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        if operation.path.endswith("/logout"):
            continue

        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def ask(case: Case[Any]) -> None:
            answer = case.call(base_url=base_url, session=session, headers=headers, timeout=30)
            case.validate_response(answer, checks=CHECKS)
            assert b"Traceback" not in answer.content
            assert b'File \\"' not in answer.content

        ask()
        asked += 1
    assert asked >= 24
    assert not installation.events("request_failed")
