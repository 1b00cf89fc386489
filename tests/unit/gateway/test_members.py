"""Members' own accounts over HTTP: what is passed on, and what is not."""

import pytest

from cuemark.contracts.identity.changing import ChangePassword, DeleteAccount
from cuemark.contracts.identity.joining import CompleteSignUp, SignUp
from cuemark.contracts.identity.logins import EndLogin, EndLogins
from cuemark.gateway.routes.devices import GRANT
from tests.unit.gateway.asking import Asker
from tests.unit.gateway.buying import subscribe
from tests.unit.gateway.neighbours import ANNA, ANNAS_SESSION, BEN, CODE, Town

FORM = {"content-type": "application/x-www-form-urlencoded"}
COOKIE = {"cookie": f"cuemark_login={BEN}", "origin": "http://127.0.0.1:8080"}
OWN = [
    ("PUT", "/api/v1/account/password", {"old_password": "x", "new_password": "y"}),
    ("PUT", "/api/v1/account/email", {"email": "a@b.c", "password": "x"}),
    ("DELETE", "/api/v1/account/logins", None),
    ("DELETE", "/api/v1/account/logins/lgn_other", None),
    ("POST", "/api/v1/account/deletion", {"password": "x"}),
    ("POST", "/api/v1/device-sign-in", {"user_code": "WDJB-MJHT", "allow": True}),
]


async def test_signing_up_passes_on_the_address_alone(ask: Asker, town: Town) -> None:
    body = {"email": "a@b.c", "role": "operator", "account_id": "acc_anna", "verified": True}
    answer = await ask("POST", "/api/v1/sign-up", json=body)
    assert (answer.status, answer.json()) == (202, {"delayed": False})
    (heard,) = town.people.heard
    assert isinstance(heard, SignUp)
    assert heard.email == "a@b.c"


async def test_fields_that_nobody_asked_for_give_no_role(ask: Asker, town: Town) -> None:
    body = {"code": CODE, "password": "x", "role": "operator", "login_id": "lgn_ben"}
    answer = await ask(
        "POST", "/api/v1/sign-up/complete", json=body, headers={"user-agent": "A television"}
    )
    assert answer.status == 201
    assert "cuemark_login=" in answer.header("set-cookie")
    (heard,) = town.people.heard
    assert isinstance(heard, CompleteSignUp)
    assert (heard.device, heard.profile_name) == ("A television", "")


async def test_a_browser_that_logs_in_anew_ends_the_login_that_it_had(
    ask: Asker, town: Town
) -> None:
    credentials = {"email": "anna@films.example", "password": "correct horse"}
    for path, body in (
        ("/api/v1/login", credentials),
        ("/api/v1/login/link", {"code": CODE}),
        ("/api/v1/sign-up/complete", {"code": CODE, "password": "x"}),
    ):
        town.people.ended.clear()
        answer = await ask("POST", path, json=body, headers=COOKIE)
        assert f"cuemark_login={BEN}" not in answer.header("set-cookie")
        assert town.people.ended == {BEN}


async def test_a_login_that_fails_leaves_the_one_there_is(ask: Asker, town: Town) -> None:
    wrong = {"email": "anna@films.example", "password": "guess"}
    assert (await ask("POST", "/api/v1/login", json=wrong, headers=COOKIE)).status == 401
    assert town.people.ended == set()


async def test_nobody_names_the_account_that_is_changed(ask: Asker, town: Town) -> None:
    for method, path, body in OWN:
        given = None if body is None else {**body, "account_id": "acc_anna"}
        answer = await ask(method, path, token=BEN, json=given)
        assert answer.status in (200, 202, 204), path
    assert {each.account_id for each in town.people.heard} == {"acc_ben"}  # type: ignore[attr-defined]


@pytest.mark.parametrize("headers", [{}, {"origin": "https://evil.example"}])
async def test_another_site_changes_nothing_with_a_members_cookie(
    ask: Asker, town: Town, headers: dict[str, str]
) -> None:
    for method, path, body in OWN:
        own = {"cookie": f"cuemark_login={BEN}"} | headers
        answer = await ask(method, path, headers=own, json=body)
        assert (answer.status, answer.code) == (403, "foreign_origin"), path
    assert town.people.heard == []


async def test_the_login_of_a_request_is_known_in_the_list_and_is_kept(
    ask: Asker, town: Town
) -> None:
    logins = (await ask("GET", "/api/v1/account/logins", token=ANNA)).json()["logins"]
    assert [(each["login_id"], each["is_this"]) for each in logins] == [
        ("lgn_anna", True),
        ("lgn_other", False),
    ]
    await ask("DELETE", "/api/v1/account/logins", token=ANNA)
    await ask("DELETE", "/api/v1/account/logins/lgn_other", token=ANNA)
    others, one = town.people.heard
    assert isinstance(others, EndLogins)
    assert isinstance(one, EndLogin)
    assert others.keep == "lgn_anna"
    assert one.login_id == "lgn_other"


async def test_a_new_password_keeps_the_login_that_set_it(ask: Asker, town: Town) -> None:
    body = {"old_password": "x", "new_password": "y"}
    assert (await ask("PUT", "/api/v1/account/password", token=ANNA, json=body)).status == 204
    (heard,) = town.people.heard
    assert isinstance(heard, ChangePassword)
    assert heard.token == ANNA


async def test_a_deletion_says_until_when_it_is_undone(ask: Asker, town: Town) -> None:
    answer = await ask("POST", "/api/v1/account/deletion", token=ANNA, json={"password": "x"})
    assert set(answer.json()) == {"erased_at"}
    assert isinstance(town.people.heard[0], DeleteAccount)


async def test_with_the_account_the_plan_ends_at_its_period(ask: Asker) -> None:
    assert (await subscribe(ask)).status < 300
    await ask("POST", "/api/v1/account/deletion", token=ANNA, json={"password": "x"})
    standing = (await ask("GET", "/api/v1/subscription", token=ANNA)).json()
    assert standing["state"] == "canceled"


async def test_a_code_that_is_spent_is_gone(ask: Asker) -> None:
    for path in ("password-reset/complete", "email/confirm", "email/restore", "sign-up/complete"):
        body = {"code": "spent", "password": "long enough"}
        answer = await ask("POST", f"/api/v1/{path}", json=body)
        assert (answer.status, answer.code) == (410, "code_spent")


async def test_a_device_asks_in_the_words_of_oauth(ask: Asker) -> None:
    answer = await ask(
        "POST", "/api/v1/device_authorization", headers=FORM, chunks=[b"device_name=A+television"]
    )
    assert answer.json() == {
        "device_code": CODE,
        "user_code": "WDJB-MJHT",
        "verification_uri": "http://127.0.0.1:8080/device",
        "verification_uri_complete": "http://127.0.0.1:8080/device?user_code=WDJB-MJHT",
        "expires_in": 900,
        "interval": 5,
    }
    body = f"grant_type={GRANT}&device_code=unknown".encode()
    answer = await ask("POST", "/api/v1/token", headers=FORM, chunks=[body])
    assert (answer.status, answer.json()["error"]) == (400, "authorization_pending")
    body = f"grant_type={GRANT}&device_code={CODE.replace('+', '%2B')}".encode()
    answer = await ask("POST", "/api/v1/token", headers=FORM, chunks=[body])
    assert answer.json() == {"access_token": ANNA, "token_type": "Bearer", "expires_in": 30 * 86400}
    assert not answer.header("set-cookie")
    assert answer.header("cache-control") == "no-store"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", "unsupported_grant_type"),
        (b"grant_type=password&username=a&password=b", "unsupported_grant_type"),
        (f"grant_type={GRANT}".encode(), "invalid_request"),
    ],
)
async def test_a_token_is_given_for_a_device_code_alone(
    ask: Asker, town: Town, body: bytes, error: str
) -> None:
    answer = await ask("POST", "/api/v1/token", headers=FORM, chunks=[body])
    assert (answer.status, answer.json()["error"]) == (400, error)
    assert town.people.heard == []


@pytest.mark.parametrize("body", [b"\xff\xfe", b"&".join(b"a%d=b" % n for n in range(99))])
async def test_a_form_that_cannot_be_read_is_malformed(ask: Asker, body: bytes) -> None:
    answer = await ask("POST", "/api/v1/token", headers=FORM, chunks=[body])
    assert (answer.status, answer.code) == (400, "malformed")


async def test_an_export_has_what_every_context_keeps_of_its_member_alone(ask: Asker) -> None:
    await ask("PUT", "/api/v1/my-list/ttl_film", token=ANNA)
    await ask("PUT", "/api/v1/ratings/ttl_film", token=ANNA, json={"rating": "love"})
    answer = await ask("GET", "/api/v1/account/export", token=ANNA)
    assert answer.header("content-disposition") == 'attachment; filename="account.json"'
    export = answer.json()
    assert export["account"]["email"] == "anna@films.example"
    assert [each["login_id"] for each in export["logins"]] == ["lgn_anna", "lgn_other"]
    assert [each["session_id"] for each in export["plays"]] == [ANNAS_SESSION] * 2
    assert {each["profile_id"] for each in export["watched"]} == {"prf_anna"}
    for kept, key, value in (
        ("viewings", "session_id", "ses_ttl_film"),
        ("my_list", "work_id", "ttl_film"),
        ("ratings", "rating", "love"),
    ):
        assert (export[kept][0]["profile_id"], export[kept][0][key]) == ("prf_anna", value)
    assert (export["subscription"], export["invoices"]) == (None, [])
    assert export["complete"] is True
    other = (await ask("GET", "/api/v1/account/export", token=BEN)).json()
    assert (other["watched"], other["plays"]) == ([], [])
    assert (other["viewings"], other["my_list"], other["ratings"]) == ([], [], [])


async def test_an_export_has_what_was_bought(ask: Asker) -> None:
    assert (await subscribe(ask)).status < 300
    export = (await ask("GET", "/api/v1/account/export", token=ANNA)).json()
    assert (export["subscription"]["plan_id"], export["subscription"]["state"]) == (
        "small",
        "active",
    )
    assert [each["total_minor"] for each in export["invoices"]] == [500]
    other = (await ask("GET", "/api/v1/account/export", token=BEN)).json()
    assert (other["subscription"], other["invoices"]) == (None, [])


async def test_there_is_no_export_with_a_hole(ask: Asker, town: Town) -> None:
    town.memory.away = True
    answer = await ask("GET", "/api/v1/account/export", token=ANNA)
    assert (answer.status, answer.code) == (503, "unavailable")
