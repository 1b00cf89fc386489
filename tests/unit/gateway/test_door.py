"""What holds for every request: hosts, methods, headers, traces, the log, errors."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from cuemark.contracts.identity import TooManyLogins
from cuemark.gateway.app import build_gateway
from cuemark.gateway.origins import is_host
from tests.unit.gateway.asking import Asker
from tests.unit.gateway.neighbours import ANNA, FILM, OPERATOR, Town

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize("method", ["TRACE", "OPTIONS", "CONNECT", "PROPFIND", "get", "X\r\nY"])
async def test_strange_methods_reach_no_route(ask: Asker, town: Town, method: str) -> None:
    answer = await ask(method, "/api/v1/titles", token=OPERATOR)
    assert (answer.status, answer.code) == (405, "method_not_allowed")
    assert "GET" in answer.header("allow")
    assert town.people.shown == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/health"),
        ("PUT", "/api/v1/titles"),
        ("DELETE", "/api/v1/me"),
        ("POST", "/"),
        ("PATCH", "/assets/a.js"),
    ],
)
async def test_a_route_answers_its_own_methods_only(ask: Asker, method: str, path: str) -> None:
    answer = await ask(method, path, token=OPERATOR)
    assert (answer.status, answer.code) == (405, "method_not_allowed")


@pytest.mark.parametrize("path", ["/api", "/api/v1", "/api/v2/titles", "/api/v1/nothing"])
async def test_an_unknown_address_of_the_api_is_no_view_of_the_page(ask: Asker, path: str) -> None:
    answer = await ask("GET", path, token=OPERATOR)
    assert (answer.status, answer.code) == (404, "not_found")


async def test_head_answers_as_get_without_the_body(ask: Asker) -> None:
    full = await ask("GET", f"/api/v1/titles/{FILM}", token=ANNA)
    head = await ask("HEAD", f"/api/v1/titles/{FILM}", token=ANNA)
    assert (head.status, head.body) == (200, b"")
    assert head.header("content-length") == full.header("content-length") == str(len(full.body))
    assert (await ask("HEAD", "/api/v1/me")).status == 401


@pytest.mark.parametrize(
    "host",
    [
        "",
        "a b",
        "evil.example/path",
        "user@films.example",
        "films.example:80:80",
        "films.example\r\nx: y",
        'films.example"><x',
        "films.example?x",
        "[::1",
        "::1",
        "films.example:",
        "films.example:999999",
        "f\xefilms.example",
        "-films.example",
        "a" * 300,
    ],
)
async def test_a_host_that_is_no_host_is_refused(ask: Asker, town: Town, host: str) -> None:
    headers = {"host": host}
    answer = await ask("GET", "/api/v1/plays/ses_anna/manifest.mpd", token=ANNA, headers=headers)
    assert (answer.status, answer.code) == (400, "bad_host")
    assert town.theatre.licence_urls == []


async def test_two_hosts_are_refused(ask: Asker) -> None:
    hosts = [("host", "films.example"), ("host", "evil.example")]
    assert (await ask("GET", "/api/v1/health", headers=hosts)).code == "bad_host"


@given(st.text(max_size=40))
def test_a_host_has_no_character_that_could_end_it(text: str) -> None:
    if is_host(text):
        assert text.isascii()
        assert not set(text) & set(" /?#@\\\r\n\t\x00\"'<>,;%")


async def test_every_answer_carries_the_security_headers(ask: Asker) -> None:
    for method, path in [
        ("GET", "/api/v1/health"),
        ("GET", "/api/v1/me"),
        ("GET", "/"),
        ("GET", "/api/v1/nothing"),
        ("TRACE", "/"),
    ]:
        answer = await ask(method, path)
        policy = answer.header("content-security-policy")
        assert "frame-ancestors 'none'" in policy
        assert "script-src" not in policy
        assert "default-src 'self'" in policy
        assert answer.header("x-content-type-options") == "nosniff"
        assert answer.header("referrer-policy") == "no-referrer"
        assert answer.header("cache-control")
        assert not answer.header("access-control-allow-origin")


async def test_a_trace_is_honored_or_made(ask: Asker) -> None:
    headers = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
    given_one = await ask("GET", "/api/v1/health", headers=headers)
    assert given_one.header("traceresponse").startswith(f"00-{TRACE}-")
    for bad in ("", "00-zz", f"00-{'0' * 32}-b7ad6b7169203331-01", f"{TRACE}\r\nx: y"):
        answer = await ask("GET", "/api/v1/health", headers={"traceparent": bad})
        made = answer.header("traceresponse").split("-")[1]
        assert len(made) == 32
        assert made not in (TRACE, "0" * 32)


async def test_one_event_tells_of_each_request_and_keeps_the_secrets(ask: Asker) -> None:
    headers = {"cookie": "cuemark_login=cookie-secret", "traceparent": f"00-{TRACE}-{'b' * 16}-01"}
    with capture_logs() as events:
        await ask("GET", f"/api/v1/titles/{FILM}?code=query-secret", token=ANNA, headers=headers)
        await ask("POST", "/api/v1/login/link", json={"code": "body-secret"})
        await ask("GET", "/path-secret/x")
        await ask("GET", "/api/v1/path-secret")
        await ask("SECRET", "/")
    assert [event["event"] for event in events] == ["request"] * 5
    film, link, page, nothing, odd = events
    assert film["route"] == "/api/v1/titles/{title_id}"
    assert (film["method"], film["status"], film["account_id"]) == ("GET", 200, "acc_anna")
    assert film["trace_id"] == TRACE
    assert film["ms"] >= 0
    assert (link["status"], link["route"]) == (401, "/api/v1/login/link")
    assert (page["route"], nothing["route"], odd["method"]) == ("/{path}", "none", "other")
    assert "secret" not in str(events).lower()
    assert ANNA not in str(events)


async def test_a_part_that_is_away_is_503_with_retry_after(ask: Asker, town: Town) -> None:
    town.films.away = True
    answer = await ask("GET", "/api/v1/titles", token=ANNA)
    assert (answer.status, answer.code) == (503, "unavailable")
    assert int(answer.header("retry-after")) > 0


async def test_nobody_passes_while_identity_is_away(ask: Asker, town: Town) -> None:
    town.people.away = True
    assert (await ask("GET", "/api/v1/titles", token=ANNA)).status == 503
    assert (await ask("GET", "/api/v1/health")).status == 200


async def test_a_busy_service_says_when_to_come_back(ask: Asker, town: Town) -> None:
    town.people.fault = TooManyLogins("Too many people log in at once.")
    body = {"email": "anna@films.example", "password": "x"}
    answer = await ask("POST", "/api/v1/login", json=body)
    assert (answer.status, answer.code) == (429, "too_many_logins")
    assert int(answer.header("retry-after")) > 0


async def test_a_fault_is_logged_whole_and_told_by_its_trace_only(ask: Asker, town: Town) -> None:
    town.films.fault = ZeroDivisionError("inner detail")
    with capture_logs() as events:
        answer = await ask("GET", "/api/v1/titles", token=ANNA)
    assert (answer.status, answer.code) == (500, "internal")
    assert answer.header("traceresponse").split("-")[1] in answer.body.decode()
    assert "inner detail" not in answer.body.decode()
    assert "Traceback" not in answer.body.decode()
    failed, request = events
    assert failed["event"] == "request_failed"
    assert failed["exc_info"] is town.films.fault
    assert (request["event"], request["status"]) == ("request", 500)


async def test_a_fault_of_the_authentication_opens_nothing(ask: Asker, town: Town) -> None:
    town.people.fault = KeyError("token")
    assert (await ask("GET", "/api/v1/titles", token=ANNA)).code == "internal"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b'{"email": "\xed\xa0\x80"}',
        b"[" * 60_000,
    ],
)
async def test_what_is_no_json_is_400(ask: Asker, body: bytes) -> None:
    answer = await ask(
        "POST", "/api/v1/login", headers={"content-type": "application/json"}, chunks=[body]
    )
    assert (answer.status, answer.code) == (400, "malformed")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": "a@b.c"}, "password"),
        ({"email": 5, "password": "x"}, "email"),
        ({"email": "a\x00b", "password": "x"}, "email"),
        ({"email": "a\nb", "password": "x"}, "email"),
        ({"email": "a@b.c\n", "password": "x"}, "email"),
        ({"email": "a" * 301, "password": "x"}, "email"),
        ({"email": "a@b.c", "password": None}, "password"),
    ],
)
async def test_a_wrong_field_is_named_in_one_sentence(ask: Asker, body: object, field: str) -> None:
    answer = await ask("POST", "/api/v1/login", json=body)
    assert (answer.status, answer.code) == (422, "invalid")
    message = answer.json()["error"]["message"]
    assert field in message
    assert message.endswith(".")


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"7", b'"x"'])
async def test_a_body_that_is_no_object_is_422(ask: Asker, body: bytes) -> None:
    answer = await ask("POST", "/api/v1/login", chunks=[body])
    assert (answer.status, answer.code) == (422, "invalid")


async def test_unknown_fields_are_ignored(ask: Asker) -> None:
    body = {"name": "New", "synopsis": "", "later": {"x": 1}}
    assert (await ask("POST", "/api/v1/titles", token=OPERATOR, json=body)).status == 201


async def test_a_giant_body_is_refused_before_it_is_read(ask: Asker) -> None:
    def endless() -> list[bytes]:
        return [b'{"email": "'] + [b"a" * 16_384] * 8

    headers = {"content-type": "application/json"}
    answer = await ask("POST", "/api/v1/login", headers=headers, chunks=endless())
    assert (answer.status, answer.code) == (413, "too_many_bytes")
    headers["content-length"] = str(1 << 40)
    answer = await ask("POST", "/api/v1/login", headers=headers, chunks=[b"{}"])
    assert (answer.status, answer.code) == (413, "too_many_bytes")


@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x"],
)
async def test_json_routes_take_json_only(ask: Asker, media_type: str) -> None:
    answer = await ask(
        "POST", "/api/v1/login", headers={"content-type": media_type}, chunks=[b"{}"]
    )
    assert (answer.status, answer.code) == (415, "wrong_media_type")


@pytest.mark.parametrize(
    "title_id",
    [
        "%00",
        "a%00b",
        "..",
        "%2e%2e%2fme",
        "a%0ab",
        "ttl%27%3b--",
        "%F0%9F%8E%AC",
        "%C3%A9",
        "a" * 65,
    ],
)
async def test_an_id_that_is_none_reaches_no_context(ask: Asker, town: Town, title_id: str) -> None:
    town.films.fault = AssertionError("the catalog was asked")
    answer = await ask("GET", f"/api/v1/titles/{title_id}", token=ANNA)
    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "limit=-1", "after=%00"])
@pytest.mark.parametrize("what", ["titles", "jobs", "plays"])
async def test_a_page_has_bounds(ask: Asker, what: str, query: str) -> None:
    answer = await ask("GET", f"/api/v1/{what}?{query}", token=OPERATOR)
    assert (answer.status, answer.code) == (422, "invalid")
    assert query.partition("=")[0] in answer.json()["error"]["message"]


async def test_the_operator_reads_the_api_as_openapi(ask: Asker) -> None:
    answer = await ask("GET", "/api/v1/openapi.json", token=OPERATOR)
    document = answer.json()
    assert document["openapi"].startswith("3.1")
    titles = document["paths"]["/api/v1/titles"]
    assert set(titles) == {"get", "post"}
    assert {"bearer", "cookie"} <= set(document["components"]["securitySchemes"])
    assert "position_s" in document["components"]["schemas"]["TitleView"]["properties"]
    refused = titles["get"]["responses"]
    assert {"400", "401", "403", "404", "422", "503"} <= set(refused)
    assert all("ErrorView" in str(refused[status]) for status in refused if status != "200")
    assert "unavailable" in refused["503"]["description"]
    assert "429" in document["paths"]["/api/v1/login"]["post"]["responses"]
    upload = document["paths"]["/api/v1/uploads/{upload_id}"]["patch"]["responses"]
    assert {"Upload", "ErrorView"} <= set(str(upload["409"]).replace("'", "/").split("/"))
    assert {p["name"] for p in titles["get"]["parameters"]} == {"after", "language", "limit"}
    assert document["paths"]["/api/v1/login"]["post"]["security"] == []
    assert "security" not in titles["get"]
    refs = set(re.findall(rb"#/components/schemas/([A-Za-z_]+)", answer.body))
    assert {ref.decode() for ref in refs} <= set(document["components"]["schemas"])


async def test_a_message_of_another_kind_than_http_is_passed_on(town: Town) -> None:
    events = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent: list[str] = []

    async def receive() -> dict[str, object]:
        return events.pop(0)  # type: ignore[return-value]

    async def send(message: dict[str, object]) -> None:
        sent.append(str(message["type"]))

    await build_gateway(town.parts)({"type": "lifespan", "state": {}}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
