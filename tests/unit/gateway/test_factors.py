"""Second factors over HTTP: the two steps of a login, and what is passed on."""

from cuemark.contracts.identity.factors import GiveFactor, PasskeyAnswer, Prove
from cuemark.contracts.identity.passkeys import AddPasskey, LoginByPasskey
from tests.unit.gateway.asking import Asker
from tests.unit.gateway.neighbours import ANNA, BEN, CODE, PASSWORD, Town
from tests.unit.gateway.neighbours.factors import CHALLENGE, FACTOR_CODE

CREDENTIALS = {"email": "anna@films.example", "password": PASSWORD}
COOKIE = {"cookie": f"cuemark_login={BEN}", "origin": "http://127.0.0.1:8080"}
ANSWER = {
    "id": "Y3JlZA",
    "rawId": "Y3JlZA",
    "type": "public-key",
    "authenticatorAttachment": "platform",
    "clientExtensionResults": {},
    "response": {
        "clientDataJSON": "e30",
        "authenticatorData": "YXV0aA",
        "signature": "c2ln",
        "userHandle": None,
    },
}


async def test_a_login_of_two_steps_sets_its_cookie_after_the_second(
    ask: Asker, town: Town
) -> None:
    town.people.two_steps = True
    for path, body in (("/login", CREDENTIALS), ("/login/link", {"code": CODE})):
        town.people.ended.clear()
        first = await ask("POST", f"/api/v1{path}", json=body, headers=COOKIE)
        assert first.status == 200
        assert first.header("set-cookie") == ""
        assert ANNA not in first.body.decode()
        assert town.people.ended == set()
        asked = first.json()
        assert asked["kinds"] == ["totp", "passkey", "recovery"]
        assert asked["passkey"] == {
            "challenge": CHALLENGE,
            "rpId": "films.example",
            "allowCredentials": [
                {"id": "Y3JlZA", "transports": ["internal"], "type": "public-key"}
            ],
            "timeout": 300_000,
            "userVerification": "required",
        }
        second = {"challenge": asked["challenge"], "code": FACTOR_CODE}
        answer = await ask("POST", "/api/v1/login/factor", json=second, headers=COOKIE)
        assert f"cuemark_login={ANNA}" in answer.header("set-cookie")
        assert town.people.ended == {BEN}


async def test_a_wrong_code_sets_no_cookie_and_ends_nothing(ask: Asker, town: Town) -> None:
    body = {"challenge": CHALLENGE, "code": "000000"}
    answer = await ask("POST", "/api/v1/login/factor", json=body, headers=COOKIE)
    assert (answer.status, answer.code) == (403, "wrong_factor")
    assert answer.header("set-cookie") == ""
    late = {"challenge": "another", "code": FACTOR_CODE}
    answer = await ask("POST", "/api/v1/login/factor", json=late)
    assert (answer.status, answer.code) == (410, "challenge_spent")
    assert town.people.ended == set()


async def test_a_passkey_enters_with_what_the_browser_made(ask: Asker, town: Town) -> None:
    options = (await ask("POST", "/api/v1/login/passkey/options")).json()
    assert (options["rpId"], options["allowCredentials"]) == ("films.example", [])
    answer = await ask(
        "POST", "/api/v1/login/passkey", json={"passkey": ANSWER}, headers={"user-agent": "A phone"}
    )
    assert f"cuemark_login={ANNA}" in answer.header("set-cookie")
    heard = town.people.heard[-1]
    assert isinstance(heard, LoginByPasskey)
    assert heard.device == "A phone"
    assert heard.passkey == PasskeyAnswer(
        credential_id="Y3JlZA", client_data="e30", authenticator_data="YXV0aA", signature="c2ln"
    )


async def test_bytes_that_are_no_base64url_are_refused_at_the_door(ask: Asker, town: Town) -> None:
    wrongs: list[dict[str, object]] = [
        {"id": "a/b"},
        {"id": "a" * 16_385},
        {"response": {}},
        {"id": None},
    ]
    for wrong in wrongs:
        body = {"passkey": ANSWER | wrong}
        answer = await ask("POST", "/api/v1/login/passkey", json=body)
        assert (answer.status, answer.code) == (422, "invalid")
    assert town.people.heard == []


async def test_a_new_passkey_is_told_as_browsers_take_it(ask: Asker, town: Town) -> None:
    town.people.proved_at = town.clock.now()
    options = (await ask("POST", "/api/v1/account/passkeys/options", token=ANNA)).json()
    assert options == {
        "challenge": CHALLENGE,
        "rp": {"id": "films.example", "name": "Kino"},
        "user": {
            "id": "YWNjX2FubmE",
            "name": "anna@films.example",
            "displayName": "anna@films.example",
        },
        "pubKeyCredParams": [{"alg": each, "type": "public-key"} for each in (-7, -8, -257)],
        "excludeCredentials": [{"id": "Y3JlZA", "transports": ["internal"], "type": "public-key"}],
        "timeout": 300_000,
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "attestation": "none",
    }
    made = {
        "id": "Y3JlZA",
        "response": {
            "clientDataJSON": "e30",
            "attestationObject": "b2Jq",
            "transports": ["internal", "hybrid"],
        },
    }
    body = {"passkey": made, "name": "My phone", "account_id": "acc_ben", "level": 2}
    answer = await ask("POST", "/api/v1/account/passkeys", token=ANNA, json=body)
    assert answer.status == 201
    heard = town.people.heard[-1]
    assert isinstance(heard, AddPasskey)
    assert (heard.account_id, heard.login_id) == ("acc_anna", "lgn_anna")
    assert heard.passkey.transports == ["internal", "hybrid"]


async def test_an_apps_secret_comes_with_its_picture(ask: Asker, town: Town) -> None:
    town.people.proved_at = town.clock.now()
    view = (await ask("POST", "/api/v1/account/totp", token=ANNA)).json()
    assert view["secret"] == "JBSWY3DPEHPK3PXP"
    assert view["qr"].startswith("data:image/svg+xml")


async def test_a_proof_is_of_the_login_that_asks(ask: Asker, town: Town) -> None:
    town.people.two_steps = True
    assert (await ask("POST", "/api/v1/account/proof/options", token=BEN)).status == 200
    body = {"code": FACTOR_CODE, "login_id": "lgn_anna", "account_id": "acc_anna"}
    assert (await ask("POST", "/api/v1/account/proof", token=BEN, json=body)).status == 200
    heard = town.people.heard[-1]
    assert isinstance(heard, Prove)
    assert (heard.account_id, heard.login_id, heard.passkey) == ("acc_ben", "lgn_ben", None)


async def test_the_second_step_is_away_with_identity(ask: Asker, town: Town) -> None:
    town.people.away = True
    body = {"challenge": CHALLENGE, "code": FACTOR_CODE}
    answer = await ask("POST", "/api/v1/login/factor", json=body)
    assert (answer.status, answer.code) == (503, "unavailable")
    assert not any(isinstance(each, GiveFactor) for each in town.people.heard)
