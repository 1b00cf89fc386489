"""Becoming a member by mail and getting back in, and what that tells to others: nothing."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace

import argon2
import pytest
from sqlalchemy import event

from cuemark.contexts.identity.model.credentials import Passwords
from cuemark.contexts.identity.service.factors import Factors
from cuemark.contexts.identity.service.logins import Logins
from cuemark.contracts.identity import (
    AccountInvalid,
    Login,
    LoginGranted,
    NotLoggedIn,
    WrongCredentials,
)
from cuemark.contracts.identity.joining import (
    CodeSpent,
    CompleteReset,
    CompleteSignUp,
    LetterUnderway,
    RequestReset,
    SignUp,
    SignUpClosed,
    TooManyTries,
)
from cuemark.kit.errors import Refusal
from tests.integration.identity.house import EMAIL, PASSWORD, House

NEW = "another good sentence"


async def refused(call: Awaitable[object]) -> object:
    try:
        return await call
    except Refusal as refusal:
        return type(refusal)


def reset(code: str, password: str = NEW) -> CompleteReset:
    return CompleteReset(code=code, password=password)


async def test_whoever_reads_the_mail_of_an_address_gets_its_account(house: House) -> None:
    assert await house.identity.sign_up(SignUp(email=" Ada@Example.org ")) == LetterUnderway()
    assert await house.count("identity.account") == 0
    letter = await house.letter()
    assert letter.subject == "Kino: confirm your mail address"
    assert f"https://films.example/join#code={letter.code}" in letter.plain
    granted = await house.identity.complete_sign_up(
        CompleteSignUp(code=letter.code, password=PASSWORD, profile_name="Ada")
    )
    assert (granted.account.email, granted.account.profile_name) == (EMAIL, "Ada")
    assert await house.is_open(granted.token)
    assert (await house.login()).account == granted.account


async def test_sign_up_is_closed_unless_it_is_opened(house: House) -> None:
    closed = House(house.database, is_open=False)
    with pytest.raises(SignUpClosed, match="ask whoever runs this service"):
        await closed.identity.sign_up(SignUp(email=EMAIL))
    assert await house.letters() == []


async def test_a_code_of_sign_up_is_good_once_and_a_day(house: House) -> None:
    await house.join()
    spent = (await house.letter()).code
    complete = CompleteSignUp(code=spent, password=PASSWORD)
    assert await refused(house.identity.complete_sign_up(complete)) is CodeSpent
    await house.identity.sign_up(SignUp(email="ben@example.org"))
    late = CompleteSignUp(code=(await house.letter("ben@example.org")).code, password=PASSWORD)
    house.clock.advance(86400)
    assert await refused(house.identity.complete_sign_up(late)) is CodeSpent
    for code in ("", "x", "é", "\0", "a" * 1_000_000):
        guess = CompleteSignUp(code=code, password=PASSWORD)
        assert await refused(house.identity.complete_sign_up(guess)) is CodeSpent


async def test_of_many_who_use_a_code_at_once_one_gets_in(house: House) -> None:
    await house.identity.sign_up(SignUp(email=EMAIL))
    complete = CompleteSignUp(code=(await house.letter()).code, password=PASSWORD)
    answers = await asyncio.gather(
        *(refused(house.identity.complete_sign_up(complete)) for _ in range(8))
    )
    assert sum(isinstance(answer, LoginGranted) for answer in answers) == 1
    assert answers.count(CodeSpent) == 7


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "8 to 1024"),
        ("password1", "Very many people"),
        ("Iloveyou", "Very many people"),
        (EMAIL, "must not be the mail address"),
    ],
)
async def test_a_password_that_guessers_try_first_is_refused_and_the_code_stays_good(
    house: House, password: str, why: str
) -> None:
    await house.identity.sign_up(SignUp(email=EMAIL))
    code = (await house.letter()).code
    with pytest.raises(AccountInvalid, match=why):
        await house.identity.complete_sign_up(CompleteSignUp(code=code, password=password))
    await house.identity.complete_sign_up(CompleteSignUp(code=code, password="aaaaaaa bbbb"))


async def test_signing_up_and_resetting_answer_alike_whether_there_is_an_account(
    house: House,
) -> None:
    await house.create()
    statements: list[list[str]] = []

    @event.listens_for(house.database._engine.sync_engine, "before_cursor_execute")
    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        statements[-1].append(statement)

    answers = []
    for ask in (
        house.identity.sign_up(SignUp(email=EMAIL)),
        house.identity.sign_up(SignUp(email="nobody@example.org")),
        house.identity.request_reset(RequestReset(email=EMAIL)),
        house.identity.request_reset(RequestReset(email="nobody@example.org")),
    ):
        statements.append([])
        answers.append(await ask)
    assert answers[0] == answers[1] == answers[2] == answers[3]
    assert statements[0] == statements[1], "signing up does other work for those who are members"
    assert statements[2] == statements[3], "resetting does other work for those who are members"
    assert len(statements[0]) > 5


async def test_who_has_an_account_is_told_so_by_mail_alone(house: House) -> None:
    await house.create()
    await house.identity.sign_up(SignUp(email=EMAIL))
    letter = await house.letter()
    assert letter.subject == "Kino: you have an account"
    assert letter.code == ""


async def test_nobody_is_written_to_who_has_no_account_to_reset(house: House) -> None:
    await house.identity.request_reset(RequestReset(email=EMAIL))
    assert await house.letters() == []


class Counting(Passwords):
    """Counts how often a password is held against a hash, or against none."""

    def __init__(self) -> None:
        super().__init__(argon2.profiles.CHEAPEST)
        self.against: list[str | None] = []

    def matches(self, password_hash: str | None, password: str) -> bool:
        self.against.append(password_hash)
        return super().matches(password_hash, password)


async def test_an_unknown_address_costs_a_login_the_same_hash(house: House) -> None:
    await house.create()
    passwords = Counting()
    parts = replace(house.identity._logins._parts, passwords=passwords)
    logins = Logins(parts, Factors(parts), b"")
    for email in (EMAIL, "nobody@example.org"):
        wrong = Login(email=email, password="wrong password")
        assert await refused(logins.login(wrong)) is WrongCredentials
    assert [each is None for each in passwords.against] == [False, True]


async def test_letters_to_one_address_are_limited_and_so_is_asking_from_one(house: House) -> None:
    for _ in range(3):
        await house.identity.request_reset(RequestReset(email=EMAIL))
    with pytest.raises(TooManyTries, match="Three letters"):
        await house.identity.sign_up(SignUp(email=EMAIL))
    house.clock.advance(3600)
    await house.identity.sign_up(SignUp(email=EMAIL))
    asks = [SignUp(email=f"a{n}@example.org", client_address=f"2001:db8::{n:x}") for n in range(31)]
    answers = [await refused(house.identity.sign_up(ask)) for ask in asks]
    assert answers.count(TooManyTries) == 1
    elsewhere = SignUp(email="b@example.org", client_address="2001:db8:1::1")
    assert await refused(house.identity.sign_up(elsewhere)) == LetterUnderway()


async def test_a_reset_ends_every_login_and_every_way_in_of_before(house: House) -> None:
    await house.create()
    tokens = [(await house.login()).token for _ in range(2)]
    await house.identity.request_reset(RequestReset(email=EMAIL))
    first = (await house.letter()).code
    await house.identity.request_reset(RequestReset(email=EMAIL))
    await house.identity.complete_reset(reset((await house.letter()).code))
    assert not any([await house.is_open(token) for token in tokens])
    assert await refused(house.login()) is WrongCredentials
    assert await refused(house.identity.complete_reset(reset(first))) is CodeSpent
    assert (await house.letter()).subject == "Kino: your password was changed"
    assert (await house.login(password=NEW)).account.email == EMAIL


async def test_a_reset_is_good_once_and_for_half_an_hour(house: House) -> None:
    await house.create()
    await house.identity.request_reset(RequestReset(email=EMAIL))
    late = reset((await house.letter()).code)
    house.clock.advance(1800)
    assert await refused(house.identity.complete_reset(late)) is CodeSpent
    await house.identity.request_reset(RequestReset(email=EMAIL))
    code = reset((await house.letter()).code)
    await house.identity.complete_reset(code)
    assert await refused(house.identity.complete_reset(code)) is CodeSpent


async def test_codes_open_nothing_but_what_they_were_sent_for(house: House) -> None:
    await house.create()
    await house.identity.request_reset(RequestReset(email=EMAIL))
    await house.identity.sign_up(SignUp(email="ben@example.org"))
    of_reset, of_sign_up = (await house.letter()).code, (await house.letter("ben@example.org")).code
    swapped = CompleteSignUp(code=of_reset, password=PASSWORD)
    assert await refused(house.identity.complete_sign_up(swapped)) is CodeSpent
    assert await refused(house.identity.complete_reset(reset(of_sign_up))) is CodeSpent
    assert not await house.is_open(of_reset)


@pytest.mark.parametrize(
    "email",
    [
        "ada@example.org\r\nBcc: eve@example.org",
        "ada@example.org\nBcc: eve",
        "ada@example.org,eve@example.org",
        "Ada <ada@example.org>",
        "ada@example.org\x00",
        "ada%0d%0aBcc:eve@example.org ",
    ],
)
async def test_no_letter_goes_to_an_address_with_a_header_in_it(house: House, email: str) -> None:
    answer = await refused(house.identity.sign_up(SignUp(email=email)))
    assert answer is AccountInvalid
    assert await house.letters() == []


async def test_a_login_that_began_before_a_reset_does_not_outlive_it(house: House) -> None:
    await house.create()
    await house.identity.request_reset(RequestReset(email=EMAIL))
    code = (await house.letter()).code
    logging_in = [asyncio.create_task(house.login()) for _ in range(5)]
    await house.identity.complete_reset(reset(code))
    for result in await asyncio.gather(*logging_in, return_exceptions=True):
        if isinstance(result, LoginGranted):
            assert not await house.is_open(result.token)
        else:
            assert isinstance(result, WrongCredentials | NotLoggedIn)


async def test_while_no_letter_can_be_sent_sign_up_waits_and_says_so(house: House) -> None:
    async with house.database.transaction() as transaction:
        await house.identity._logins._parts.post.close(transaction)
    assert await house.identity.sign_up(SignUp(email=EMAIL)) == LetterUnderway(delayed=True)
    assert len(await house.letters()) == 1
