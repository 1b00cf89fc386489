"""What is asked of somebody before a password is checked or a card is taken."""

import asyncio
from datetime import timedelta

import pytest

from cuemark.contracts.fraud import (
    JudgeCard,
    JudgeLogin,
    NoteCard,
    NoteLogin,
    NotePlay,
    Reason,
    Verdict,
)
from cuemark.contracts.identity import Login
from cuemark.contracts.identity.factors import GiveFactor
from cuemark.contracts.identity.passkeys import LoginByPasskey
from cuemark.gateway.slowed import Slowed
from tests.unit.gateway.asking import Answer, Asker
from tests.unit.gateway.buying import subscribe
from tests.unit.gateway.neighbours import ANNA, FILM, PASSWORD, Town
from tests.unit.gateway.neighbours.factors import CHALLENGE, FACTOR_CODE
from tests.unit.gateway.test_factors import ANSWER

EMAIL = "anna@films.example"
BODY = {"email": EMAIL, "password": PASSWORD}
WHY = [Reason(code="everyone", points=50, text="many failures")]
PROOF = Verdict(step="proof", score=50, reasons=WHY, challenge="c.d", bits=14)


def logins(town: Town) -> list[Login]:
    return [each for each in town.people.heard if isinstance(each, Login)]


def badge_of(answer: Answer) -> dict[str, str]:
    (worn,) = [
        value.partition(";")[0]
        for name, value in answer.headers
        if name == "set-cookie" and value.startswith("cuemark_device=")
    ]
    return {"cookie": worn}


async def test_a_login_is_judged_before_its_password_and_told_of_after(
    ask: Asker, town: Town
) -> None:
    await ask("POST", "/api/v1/login", json=BODY)
    await ask("POST", "/api/v1/login", json=BODY | {"password": "guess what"})
    kinds = [type(each) for each in town.watchman.heard]
    assert kinds == [JudgeLogin, NoteLogin, JudgeLogin, NoteLogin]
    noted = [each for each in town.watchman.heard if isinstance(each, NoteLogin)]
    assert [each.opened for each in noted] == [True, False]
    assert {each.client_address for each in noted} == {"127.0.0.1"}


async def test_who_is_to_prove_something_is_told_what_and_no_password_is_checked(
    ask: Asker, town: Town
) -> None:
    town.watchman.verdict = PROOF
    answer = await ask("POST", "/api/v1/login", json=BODY)
    assert (answer.status, answer.code) == (403, "proof_needed")
    assert answer.json()["proof"] == {"challenge": "c.d", "bits": 14}
    assert logins(town) == []


async def test_who_has_proven_it_is_checked_before_others(ask: Asker, town: Town) -> None:
    town.watchman.verdict = Verdict(step="pass", score=50, reasons=WHY, proven=True)
    assert (await ask("POST", "/api/v1/login", json=BODY | {"proof": "c.d:7"})).status == 200
    judged = town.watchman.heard[0]
    assert isinstance(judged, JudgeLogin)
    assert judged.answer == "c.d:7"
    assert [each.standing for each in logins(town)] == ["proven"]


async def test_a_device_that_logged_in_before_is_known_for_its_own_mail_alone(
    ask: Asker, town: Town
) -> None:
    first = await ask("POST", "/api/v1/login", json=BODY)
    again = await ask("POST", "/api/v1/login", json=BODY, headers=badge_of(first))
    other = {"email": "ben@films.example", "password": PASSWORD}
    await ask("POST", "/api/v1/login", json=other, headers=badge_of(again))
    assert [each.standing for each in logins(town)] == ["unknown", "known", "unknown"]
    judged = [each for each in town.watchman.heard if isinstance(each, JudgeLogin)]
    assert [bool(each.device) for each in judged] == [False, True, False]


async def test_a_known_device_of_which_something_is_said_waits_with_the_others(
    ask: Asker, town: Town
) -> None:
    badge = badge_of(await ask("POST", "/api/v1/login", json=BODY))
    town.watchman.verdict = Verdict(step="pass", score=10, reasons=WHY)
    await ask("POST", "/api/v1/login", json=BODY, headers=badge)
    assert logins(town)[-1].standing == "unknown"


async def test_the_badge_is_for_us_alone_and_no_script_reads_it(ask: Asker) -> None:
    answer = await ask("POST", "/api/v1/login", json=BODY)
    (cookie,) = [value for _, value in answer.headers if value.startswith("cuemark_device=")]
    attributes = {part.strip().lower() for part in cookie.split(";")}
    assert attributes >= {"httponly", "samesite=lax", f"max-age={400 * 86400}"}


async def test_where_a_letter_is_asked_for_the_way_to_it_is_open(ask: Asker, town: Town) -> None:
    town.watchman.verdict = Verdict(step="letter", score=95, reasons=WHY)
    answer = await ask("POST", "/api/v1/login", json=BODY)
    assert (answer.status, answer.code) == (403, "letter_needed")
    for email in (EMAIL, "nobody@films.example"):
        sent = await ask("POST", "/api/v1/login/letter", json={"email": email})
        assert (sent.status, sent.json()) == (202, {"delayed": False})


async def test_a_new_device_of_an_account_in_several_homes_comes_in_by_a_letter(
    ask: Asker, town: Town
) -> None:
    town.watchman.letter = True
    answer = await ask("POST", "/api/v1/login", json=BODY)
    assert (answer.status, answer.code) == (403, "letter_needed")
    assert not answer.header("set-cookie")
    assert ANNA in town.people.ended


async def test_a_letter_is_asked_for_before_the_second_factor_too(ask: Asker, town: Town) -> None:
    town.watchman.letter, town.people.two_steps = True, True
    answer = await ask("POST", "/api/v1/login", json=BODY)
    assert (answer.status, answer.code) == (403, "letter_needed")
    assert CHALLENGE not in answer.body.decode()


async def test_each_step_of_a_login_is_judged_before_it_and_told_of_after(
    ask: Asker, town: Town
) -> None:
    town.people.two_steps = True
    await ask("POST", "/api/v1/login", json=BODY)
    for code in ("000000", FACTOR_CODE):
        body = {"challenge": CHALLENGE, "code": code}
        await ask("POST", "/api/v1/login/factor", json=body)
    judged = [each for each in town.watchman.heard if isinstance(each, JudgeLogin)]
    noted = [each for each in town.watchman.heard if isinstance(each, NoteLogin)]
    assert [(each.email, each.by) for each in judged] == [
        (EMAIL, "password"),
        (EMAIL, "factor"),
        (EMAIL, "factor"),
    ]
    assert [(each.by, each.opened, each.asked) for each in noted] == [
        ("password", True, True),
        ("factor", False, False),
        ("factor", True, False),
    ]


async def test_a_passkey_is_judged_before_it_says_whose_it_is(ask: Asker, town: Town) -> None:
    wrong = ANSWER | {"id": "b3RoZXI"}
    for passkey in (wrong, ANSWER):
        await ask("POST", "/api/v1/login/passkey", json={"passkey": passkey})
    heard = [each for each in town.watchman.heard if isinstance(each, JudgeLogin | NoteLogin)]
    told = [(type(each), each.email, each.by) for each in heard]
    assert told == [
        (JudgeLogin, "", "passkey"),
        (NoteLogin, "", "passkey"),
        (JudgeLogin, "", "passkey"),
        (NoteLogin, EMAIL, "passkey"),
    ]
    assert [each.opened for each in heard if isinstance(each, NoteLogin)] == [False, True]


async def test_a_passkey_on_a_new_device_of_an_account_in_several_homes_needs_a_letter(
    ask: Asker, town: Town
) -> None:
    town.watchman.letter = True
    answer = await ask("POST", "/api/v1/login/passkey", json={"passkey": ANSWER})
    assert (answer.status, answer.code) == (403, "letter_needed")
    assert not answer.header("set-cookie")
    assert ANNA in town.people.ended


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/login/factor", {"challenge": CHALLENGE, "code": FACTOR_CODE}),
        ("/login/passkey", {"passkey": ANSWER}),
    ],
)
async def test_no_factor_is_checked_of_who_is_to_prove_something_first(
    ask: Asker, town: Town, path: str, body: dict[str, object]
) -> None:
    town.watchman.verdict = PROOF
    answer = await ask("POST", f"/api/v1{path}", json=body)
    assert (answer.status, answer.code) == (403, "proof_needed")
    assert not any(isinstance(each, GiveFactor | LoginByPasskey) for each in town.people.heard)
    town.watchman.verdict = Verdict(step="pass", proven=True)
    answer = await ask("POST", f"/api/v1{path}", json=body | {"proof": "c.d:7"})
    assert answer.status == 200
    judged = [each for each in town.watchman.heard if isinstance(each, JudgeLogin)]
    assert judged[-1].answer == "c.d:7"
    noted = [each for each in town.watchman.heard if isinstance(each, NoteLogin)]
    assert [each.proven for each in noted] == [True]


async def test_without_fraud_the_second_factor_and_passkeys_go_on(ask: Asker, town: Town) -> None:
    town.watchman.away = True
    body = {"challenge": CHALLENGE, "code": FACTOR_CODE}
    assert (await ask("POST", "/api/v1/login/factor", json=body)).status == 200
    assert (await ask("POST", "/api/v1/login/passkey", json={"passkey": ANSWER})).status == 200


async def test_who_is_slowed_gets_in_a_little_later(ask: Asker, town: Town) -> None:
    town.watchman.verdict = Verdict(step="slow", score=30, reasons=WHY, wait_s=0.05)
    loop = asyncio.get_running_loop()
    begun_s = loop.time()
    assert (await ask("POST", "/api/v1/login", json=BODY)).status == 200
    assert loop.time() - begun_s >= 0.05


async def test_only_so_many_wait_and_the_others_are_told_to_come_again() -> None:
    slowed = Slowed(most=2)
    waiting = [asyncio.create_task(slowed.wait(0.05)) for _ in range(2)]
    await asyncio.sleep(0)
    assert await slowed.wait(0.05) is False
    assert await asyncio.gather(*waiting) == [True, True]
    assert await slowed.wait(0) is True


async def test_without_fraud_logins_cards_and_plays_go_on(ask: Asker, town: Town) -> None:
    town.watchman.away = True
    assert (await ask("POST", "/api/v1/login", json=BODY)).status == 200
    assert (await ask("POST", "/api/v1/login", json=BODY | {"password": "no guess"})).status == 401
    assert (await subscribe(ask)).status == 201
    assert (await ask("POST", "/api/v1/plays", token=ANNA, json={"title_id": FILM})).status == 201
    assert (await ask("GET", "/api/v1/account/export", token=ANNA)).status == 503


async def test_without_fraud_a_flood_is_limited_all_the_same(ask: Asker, town: Town) -> None:
    town.watchman.away = True
    wrong = BODY | {"password": "no guess"}
    answers = [await ask("POST", "/api/v1/login", json=wrong) for _ in range(80)]
    assert [each.status for each in answers].count(429) == 20


async def test_a_card_is_judged_before_it_is_given_and_counts_as_given(
    ask: Asker, town: Town
) -> None:
    assert (await subscribe(ask, proof="c.d:7")).status == 201
    judged, noted = (each for each in town.watchman.heard if isinstance(each, JudgeCard | NoteCard))
    assert isinstance(judged, JudgeCard)
    assert isinstance(noted, NoteCard)
    assert (judged.account_id, judged.answer) == ("acc_anna", "c.d:7")
    assert (noted.login, noted.client_address) == ("lgn_anna", "127.0.0.1")


async def test_a_card_is_refused_until_a_time_that_is_told(ask: Asker, town: Town) -> None:
    until = town.clock.now() + timedelta(hours=1)
    town.watchman.verdict = Verdict(step="wait", score=70, reasons=WHY, until=until)
    answer = await subscribe(ask)
    assert (answer.status, answer.code) == (429, "too_many_requests")
    assert answer.header("retry-after") == "3600"
    assert "01:00 UTC" in answer.json()["error"]["message"]
    assert not any(isinstance(each, NoteCard) for each in town.watchman.heard)


async def test_a_play_is_told_of_once_it_has_begun(ask: Asker, town: Town) -> None:
    await ask("POST", "/api/v1/plays", token=ANNA, json={"title_id": "ttl_unknown"})
    assert town.watchman.heard == []
    await ask("POST", "/api/v1/plays", token=ANNA, json={"title_id": FILM})
    (note,) = town.watchman.heard
    assert isinstance(note, NotePlay)
    assert (note.account_id, note.login, note.email) == ("acc_anna", "lgn_anna", EMAIL)
    assert note.beside == ["lgn_phone"]


async def test_a_play_too_many_is_told_of_with_those_that_run(ask: Asker, town: Town) -> None:
    body = {"title_id": FILM, "device": "one too many"}
    assert (await ask("POST", "/api/v1/plays", token=ANNA, json=body)).status == 409
    (note,) = town.watchman.heard
    assert isinstance(note, NotePlay)
    assert (note.login, note.beside) == ("lgn_anna", ["lgn_tv"])
    town.watchman.away = True
    assert (await ask("POST", "/api/v1/plays", token=ANNA, json=body)).status == 409


@pytest.mark.parametrize("proof", ["x" * 701, "a b", "é", "a\n"])
async def test_what_cannot_be_a_proof_is_refused_as_a_field(ask: Asker, proof: str) -> None:
    answer = await ask("POST", "/api/v1/login", json=BODY | {"proof": proof})
    assert (answer.status, answer.code) == (422, "invalid")
