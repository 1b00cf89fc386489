"""Logging in: the cookie and its flags, and writes that other origins start."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.gateway.app import build_gateway
from cuemark.gateway.origins import (
    cookie_needs_tls,
    is_foreign_write,
    is_this_machine,
    origin_of,
)
from tests.unit.gateway.asking import Answer, Asker
from tests.unit.gateway.neighbours import ANNA, CODE, OPERATOR, OPERATOR_CODE, PASSWORD, Town

CREDENTIALS = {"email": "anna@films.example", "password": PASSWORD}
COOKIE = {"cookie": f"theme=dark; cuemark_login={ANNA}; x=y"}


def attributes(answer: Answer) -> set[str]:
    return {part.strip().lower() for part in answer.header("set-cookie").split(";")}


async def test_login_answers_with_the_token_and_the_cookie(ask: Asker) -> None:
    answer = await ask("POST", "/api/v1/login", json=CREDENTIALS)
    assert answer.status == 200
    assert answer.json()["token"] == ANNA
    assert answer.json()["account"]["email"] == "anna@films.example"
    assert attributes(answer) >= {
        f"cuemark_login={ANNA}",
        "httponly",
        "samesite=lax",
        "path=/",
        f"max-age={int(timedelta(days=30).total_seconds())}",
    }
    assert not any(part.startswith("domain") for part in attributes(answer))


@pytest.mark.parametrize(
    ("host", "public", "secure"),
    [
        ("127.0.0.1:8080", "http://127.0.0.1:8080", False),
        ("localhost:8080", "http://127.0.0.1:8080", False),
        ("[::1]:8080", "http://127.0.0.1:8080", False),
        ("192.168.1.5:8080", "http://192.168.1.5:8080", True),
        ("films.example", "https://films.example", True),
        ("localhost.evil.example", "http://127.0.0.1:8080", True),
        ("localhost", "https://localhost", True),
    ],
)
@pytest.mark.parametrize(
    ("path", "body"),
    [("/api/v1/login", CREDENTIALS), ("/operations/login", {"code": OPERATOR_CODE})],
)
async def test_a_cookie_needs_tls_but_on_this_machine(
    tmp_path: Path, host: str, public: str, secure: bool, path: str, body: dict[str, str]
) -> None:
    ask = Asker(build_gateway(Town(tmp_path, public).parts), host)
    answer = await ask("POST", path, json=body)
    assert ("secure" in attributes(answer)) is secure


def test_a_connection_with_tls_gives_no_cookie_to_one_without() -> None:
    assert cookie_needs_tls("https", "localhost:8443", "http://127.0.0.1:8080")
    assert not cookie_needs_tls("http", "localhost:8080", "https://films.example")
    assert cookie_needs_tls("http", "films.example", "https://films.example")


async def test_a_link_is_redeemed_for_the_same(ask: Asker) -> None:
    answer = await ask("POST", "/api/v1/login/link", json={"code": CODE})
    assert f"cuemark_login={ANNA}" in attributes(answer)


async def test_wrong_credentials_set_no_cookie(ask: Asker) -> None:
    answer = await ask("POST", "/api/v1/login", json=CREDENTIALS | {"password": "guess"})
    assert (answer.status, answer.code) == (401, "wrong_credentials")
    assert not answer.header("set-cookie")


async def test_logout_ends_the_session_and_the_cookie(ask: Asker) -> None:
    headers = COOKIE | {"origin": "http://127.0.0.1:8080"}
    answer = await ask("POST", "/api/v1/logout", headers=headers)
    assert answer.status == 204
    assert attributes(answer) >= {"max-age=0", "httponly"}
    assert (await ask("GET", "/api/v1/me", headers=COOKIE)).status == 401


async def test_a_login_link_is_a_url_of_the_page_with_the_code_in_its_fragment(
    tmp_path: Path,
) -> None:
    town = Town(tmp_path, public_base_url=lambda: "https://films.example/")
    answer = await Asker(build_gateway(town.parts))(
        "POST", "/api/v1/login-links", token=OPERATOR, json={"email": "a@b.c", "create": True}
    )
    assert answer.status == 201
    assert answer.json()["url"] == (
        "https://films.example/login#code=code%2Fwith%20strange%2Bsigns"
    )
    assert answer.json()["code"] == CODE


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null"},
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:8081"},
        {"origin": "http://127.0.0.1:8080.evil.example"},
        {"origin": "http://evil@127.0.0.1:8080"},
        {"origin": "file://127.0.0.1:8080"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site", "origin": "http://127.0.0.1:8080"},
        {"sec-fetch-site": "same-origin", "origin": "http://evil.example"},
    ],
)
async def test_a_write_with_the_cookie_from_elsewhere_is_refused(
    ask: Asker, town: Town, headers: dict[str, str]
) -> None:
    for method, path, body in (
        ("POST", "/api/v1/logout", None),
        ("PUT", "/api/v1/plays/ses_anna/progress", {"position_s": 1, "sequence": 1}),
        ("DELETE", "/api/v1/plays/ses_anna", None),
        ("POST", "/api/v1/plays/ses_anna/licence", None),
    ):
        answer = await ask(method, path, headers=COOKIE | headers, json=body)
        assert (answer.status, answer.code) == (403, "foreign_origin"), (method, path)
    assert town.people.shown == []


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://127.0.0.1:8080"},
        {"sec-fetch-site": "same-origin"},
        {"origin": "http://127.0.0.1:8080", "sec-fetch-site": "same-origin"},
    ],
)
async def test_a_write_from_our_own_page_is_taken(ask: Asker, headers: dict[str, str]) -> None:
    body = {"position_s": 1, "sequence": 1}
    path = "/api/v1/plays/ses_anna/progress"
    assert (await ask("PUT", path, headers=COOKIE | headers, json=body)).status == 204


async def test_another_site_cannot_log_its_visitors_in(ask: Asker) -> None:
    headers = {"origin": "https://evil.example"}
    answer = await ask("POST", "/api/v1/login", headers=headers, json=CREDENTIALS)
    assert (answer.status, answer.code) == (403, "foreign_origin")
    assert not answer.header("set-cookie")


async def test_an_old_cookie_does_not_keep_anyone_from_logging_in(ask: Asker) -> None:
    headers = {"cookie": "cuemark_login=stale"}
    assert (await ask("POST", "/api/v1/login", headers=headers, json=CREDENTIALS)).status == 200


async def test_reads_with_the_cookie_need_no_origin(ask: Asker) -> None:
    answer = await ask("GET", "/api/v1/me", headers=COOKIE)
    assert answer.json() == {
        "role": "member",
        "account_id": "acc_anna",
        "email": "anna@films.example",
        "profile_name": "Anna",
        "profile_id": "prf_anna",
        "kids": False,
    }


def test_default_ports_make_no_other_origin() -> None:
    for origin, host in (
        ("https://films.example", "films.example:443"),
        ("http://films.example:80", "FILMS.example"),
    ):
        assert not is_foreign_write(host=host, origin=origin, fetch_site=None, needs_proof=True)
    assert is_foreign_write(
        host="films.example:443", origin="http://films.example", fetch_site=None, needs_proof=False
    )


@given(st.text(max_size=30))
def test_only_our_own_host_is_our_own_origin(host: str) -> None:
    foreign = is_foreign_write(
        host="films.example", origin=f"https://{host}", fetch_site=None, needs_proof=True
    )
    assert foreign or host.lower() in ("films.example", "films.example:443")


def test_the_scheme_is_that_of_the_public_url_where_a_proxy_ends_tls() -> None:
    public = "https://films.example"
    assert origin_of("http", "films.example", public) == "https://films.example"
    assert origin_of("http", "10.0.0.5:8080", public) == "http://10.0.0.5:8080"


def test_this_machine_is_loopback_only() -> None:
    assert is_this_machine("127.8.8.8:1")
    assert is_this_machine("[::1]")
    assert not is_this_machine("[2001:db8::1]:80")
    assert not is_this_machine("127.0.0.1.evil.example")
