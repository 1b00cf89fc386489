"""Getting in by a letter, where a password alone does not do."""

import asyncio
import time

import pytest

from cuemark.contracts.identity import RedeemLoginLink, WrongCredentials
from cuemark.contracts.identity.joining import LetterUnderway, RequestLoginLetter, TooManyTries
from tests.integration.identity.house import EMAIL, House

NOBODY = "nobody@example.org"


async def test_the_link_of_a_letter_opens_one_login(house: House) -> None:
    account = await house.create()
    await house.identity.request_login_letter(RequestLoginLetter(email=EMAIL))
    letter = await house.letter()
    assert "https://films.example/login#code=" in letter.plain
    granted = await house.identity.redeem_login_link(RedeemLoginLink(code=letter.code))
    assert granted.account == account
    with pytest.raises(WrongCredentials):
        await house.identity.redeem_login_link(RedeemLoginLink(code=letter.code))


async def test_a_late_link_opens_nothing(house: House) -> None:
    await house.create()
    await house.identity.request_login_letter(RequestLoginLetter(email=EMAIL))
    code = (await house.letter()).code
    house.clock.advance(30 * 60)
    with pytest.raises(WrongCredentials):
        await house.identity.redeem_login_link(RedeemLoginLink(code=code))


async def test_nobody_learns_whether_an_address_has_an_account(house: House) -> None:
    await house.create()
    answers = [
        await house.identity.request_login_letter(RequestLoginLetter(email=email))
        for email in (EMAIL, NOBODY)
    ]
    assert answers == [LetterUnderway(), LetterUnderway()]
    assert await house.letters(NOBODY) == []
    for email in (EMAIL, NOBODY):
        for _ in range(2):
            await house.identity.request_login_letter(RequestLoginLetter(email=email))
        with pytest.raises(TooManyTries):
            await house.identity.request_login_letter(RequestLoginLetter(email=email))


async def test_it_takes_as_long_for_an_address_without_an_account(house: House) -> None:
    took_s: dict[bool, list[float]] = {True: [], False: []}
    for number in range(30):
        email = f"member{number}@example.org"
        await house.create(email, None)
        for there, to in ((True, email), (False, f"nobody{number}@example.org")):
            begun_s = time.perf_counter()
            await house.identity.request_login_letter(RequestLoginLetter(email=to))
            took_s[there].append(time.perf_counter() - begun_s)
            await asyncio.sleep(0)
    middle = {there: sorted(each)[len(each) // 2] for there, each in took_s.items()}
    assert 0.5 < middle[True] / middle[False] < 2.0
