"""Whatever is sent, the API answers in its documented shape and never falls over."""

import asyncio
import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuemark.gateway.app import build_gateway
from tests.unit.gateway.asking import Answer, Asker
from tests.unit.gateway.neighbours import ANNA, OPERATOR, Town

FIELDS = [
    *("email", "password", "code", "title_id", "device", "position_s", "sequence", "name"),
    *("kind", "details", "texts", "parent_id", "number", "names", "vocabulary", "works"),
    *("rating", "region", "changes", "stamp", "profile_id"),
    *("revision", "credits", "genres", "dry_run"),
    *("size_bytes", "sha256", "upload_id", "captions", "language", "ttl_s", "create", "kids"),
]
HEADERS = [
    *("cookie", "authorization", "origin", "sec-fetch-site", "content-type", "accept"),
    *("content-length", "if-none-match", "traceparent", "range", "x-cuemark-passport"),
]
NONSENSE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["a@b.c", "ttl_film", "upl_0", "ABEiM0RVZneImaq7zN3u_w", "\x00"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6)
    ),
    max_leaves=12,
)
WRITES = [
    ("POST", "/api/v1/login", None),
    ("POST", "/api/v1/login/link", None),
    ("POST", "/api/v1/plays", ANNA),
    ("POST", "/api/v1/plays/ses_anna/licence", ANNA),
    ("PUT", "/api/v1/plays/ses_anna/progress", ANNA),
    ("POST", "/api/v1/accounts", OPERATOR),
    ("POST", "/api/v1/login-links", OPERATOR),
    ("POST", "/api/v1/titles", OPERATOR),
    ("POST", "/api/v1/works", OPERATOR),
    ("PUT", "/api/v1/works/ser_show/details", OPERATOR),
    ("PUT", "/api/v1/works/ser_show/place", OPERATOR),
    ("POST", "/api/v1/people", OPERATOR),
    ("PUT", "/api/v1/terms/drama", OPERATOR),
    ("POST", "/api/v1/metadata", OPERATOR),
    ("PUT", "/api/v1/ratings/ttl_film", ANNA),
    ("POST", "/api/v1/viewing/changes", OPERATOR),
    ("POST", "/api/v1/uploads", OPERATOR),
    ("POST", "/api/v1/titles/ttl_film/ingest", OPERATOR),
]


@pytest.fixture(scope="module")
def ask() -> Asker:
    folder = tempfile.TemporaryDirectory()
    town = Town(Path(folder.name))
    asker = Asker(build_gateway(town.parts))
    folder.cleanup()
    return asker


def assert_documented(answer: Answer) -> None:
    assert answer.status < 500
    if answer.status >= 400:
        assert answer.code
        assert len(answer.json()["error"]["message"].splitlines()) == 1


@pytest.mark.parametrize(("method", "path", "token"), WRITES)
@settings(max_examples=40, deadline=None)
@given(body=st.dictionaries(st.sampled_from(FIELDS), NONSENSE, max_size=8) | NONSENSE)
def test_any_json_is_answered(
    ask: Asker, method: str, path: str, token: str | None, body: object
) -> None:
    chunks = [msgspec.json.encode(body)]
    assert_documented(asyncio.run(ask(method, path, token=token, chunks=chunks)))


@settings(max_examples=150, deadline=None)
@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", ""]),
    path=st.lists(
        st.sampled_from(["titles", "plays", "uploads", "jobs", "artwork", "keys", "..", "", "."])
        | st.text(max_size=8),
        max_size=4,
    ),
    query=st.text(alphabet="aflimterk=&%0195+\x7f", max_size=20),
    token=st.sampled_from([None, ANNA, OPERATOR]),
)
def test_any_address_is_answered(
    ask: Asker, method: str, path: list[str], query: str, token: str | None
) -> None:
    target = "/api/v1/" + "/".join(part.replace("?", "") for part in path)
    answer = asyncio.run(ask(method, f"{target}?{query}", token=token))
    if method != "HEAD":
        assert_documented(answer)
    assert answer.status < 500


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(HEADERS), st.text(st.characters(max_codepoint=255), max_size=30)),
        max_size=5,
    )
)
def test_any_headers_are_answered(ask: Asker, headers: list[tuple[str, str]]) -> None:
    for method, path in (("GET", "/api/v1/me"), ("POST", "/api/v1/login")):
        assert_documented(asyncio.run(ask(method, path, headers=headers, chunks=[b"{}"])))
