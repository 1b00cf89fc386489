"""Codes on a real PostgreSQL: what is kept, and what several processes do with one code."""

import asyncio
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import text

from cuemark.contexts.identity.model.factors import (
    CHALLENGE_LASTS,
    SETUP_LASTS,
    TRIES_OF_A_CHALLENGE,
    SealBroken,
)
from cuemark.contexts.identity.service import IdentityService
from cuemark.contracts.identity import Authenticate, Login, WrongCredentials
from cuemark.contracts.identity.changing import DeleteAccount, DescribeAccount
from cuemark.contracts.identity.factors import (
    BeginTotp,
    ChallengeSpent,
    ConfirmTotp,
    FactorAsked,
    FactorMissing,
    GiveFactor,
    Prove,
    RenewRecoveryCodes,
    ResetFactors,
    WrongFactor,
)
from cuemark.contracts.identity.joining import CompleteReset, RequestReset, TooManyTries
from cuemark.contracts.ids import AccountId, LoginId
from tests.integration.identity.house import EMAIL, PASSWORD, House

STEP_S = 30
TABLES = ("totp", "recovery_code", "passkey", "challenge")


async def with_app(house: House) -> tuple[AccountId, pyotp.TOTP, list[str]]:
    account_id = (await house.create()).account_id
    begun = await house.identity.begin_totp(BeginTotp(account_id=account_id))
    app = pyotp.TOTP(begun.secret)
    confirm = ConfirmTotp(account_id=account_id, login_id=LoginId(""), code=now(house, app))
    codes = (await house.identity.confirm_totp(confirm)).codes
    house.clock.advance(STEP_S)
    return account_id, app, codes


def now(house: House, app: pyotp.TOTP, steps: int = 0) -> str:
    return app.at(house.clock.now() + timedelta(seconds=STEP_S * steps))


async def asked(house: House) -> FactorAsked:
    begun = await house.identity.begin_login(Login(email=EMAIL, password=PASSWORD))
    assert begun.asked is not None
    return begun.asked


async def give(service: IdentityService, challenge: str, code: str) -> object:
    """The token, or the kind of refusal."""
    try:
        return (await service.give_factor(GiveFactor(challenge=challenge, code=code))).token
    except (WrongFactor, ChallengeSpent, TooManyTries) as refusal:
        return type(refusal)


async def test_the_first_code_of_an_app_enters_nothing_afterwards(house: House) -> None:
    account_id = (await house.create()).account_id
    begun = await house.identity.begin_totp(BeginTotp(account_id=account_id))
    code = now(house, pyotp.TOTP(begun.secret))
    await house.identity.confirm_totp(
        ConfirmTotp(account_id=account_id, login_id=LoginId(""), code=code)
    )
    assert await give(house.identity, (await asked(house)).challenge, code) is WrongFactor


async def test_a_code_enters_once_however_many_processes_are_shown_it(house: House) -> None:
    _, app, _ = await with_app(house)
    processes = [house.built() for _ in range(6)]
    challenges = [(await asked(house)).challenge for _ in processes]
    code = now(house, app)
    answers = await asyncio.gather(
        *(give(process, each, code) for process, each in zip(processes, challenges, strict=True))
    )
    assert sum(isinstance(answer, str) for answer in answers) == 1
    assert answers.count(WrongFactor) == 5


async def test_a_challenge_enters_once_however_many_answers_it_gets(house: House) -> None:
    _, app, codes = await with_app(house)
    challenge = (await asked(house)).challenge
    right = [now(house, app), now(house, app, 1), codes[0], codes[1]]
    answers = await asyncio.gather(*(give(house.built(), challenge, code) for code in right))
    assert sum(isinstance(answer, str) for answer in answers) == 1
    assert answers.count(ChallengeSpent) == 3


async def test_a_code_that_was_used_before_a_restart_is_refused_after_it(house: House) -> None:
    _, app, codes = await with_app(house)
    code = now(house, app)
    assert isinstance(await give(house.identity, (await asked(house)).challenge, code), str)
    again = house.built()
    for used in (code, now(house, app, -1)):
        assert await give(again, (await asked(house)).challenge, used) is WrongFactor
    assert isinstance(await give(again, (await asked(house)).challenge, codes[0]), str)
    assert await give(house.built(), (await asked(house)).challenge, codes[0]) is WrongFactor


@pytest.mark.parametrize(("steps", "taken"), [(-2, False), (-1, True), (0, True), (1, True)])
async def test_clocks_may_be_half_a_minute_apart(house: House, steps: int, taken: bool) -> None:
    _, app, _ = await with_app(house)
    house.clock.advance(10 * STEP_S)
    code = now(house, app, steps)
    answer = await give(house.identity, (await asked(house)).challenge, code)
    assert isinstance(answer, str) is taken


async def test_a_proof_uses_up_its_code_too(house: House) -> None:
    account_id, app, _ = await with_app(house)
    code = now(house, app)
    granted = await house.identity.give_factor(
        GiveFactor(challenge=(await asked(house)).challenge, code=code)
    )
    login_id = (await house.identity.authenticate(Authenticate(token=granted.token))).login_id
    prove = Prove(account_id=account_id, login_id=login_id, code=code)
    with pytest.raises(WrongFactor):
        await house.identity.prove(prove)
    other = Prove(account_id=account_id, login_id=login_id, code=now(house, app, 1))
    assert (await house.identity.prove(other)).level == 2


async def test_guesses_end_and_nobody_is_kept_out_by_them(house: House) -> None:
    account_id, app, codes = await with_app(house)
    answers: list[object] = []
    while TooManyTries not in answers:
        challenge = (await asked(house)).challenge
        answers += [await give(house.identity, challenge, "000000") for _ in range(7)]
    wrong = answers.count(WrongFactor)
    assert wrong == 10
    assert answers[TRIES_OF_A_CHALLENGE] is ChallengeSpent
    letters = [each.subject for each in await house.letters(EMAIL)]
    assert letters.count("Kino: somebody tries codes of your account") == 1
    challenge = (await asked(house)).challenge
    assert await give(house.built(), challenge, now(house, app)) is TooManyTries
    assert isinstance(await give(house.built(), challenge, codes[0]), str)
    house.clock.advance(15 * 60)
    prove = Prove(account_id=account_id, login_id=LoginId("lgn_none"), code="000000")
    for _ in range(10):
        with pytest.raises(WrongFactor):
            await house.identity.prove(prove)
    house.clock.advance(15 * 60)
    for _ in range(9):
        with pytest.raises(WrongFactor):
            await house.identity.prove(prove)
    with pytest.raises(TooManyTries, match="today"):
        await house.identity.prove(prove)
    letters = [each.subject for each in await house.letters(EMAIL)]
    assert letters.count("Kino: somebody tries codes of your account") == 1
    house.clock.advance(86400)
    assert isinstance(await give(house.identity, (await asked(house)).challenge, codes[1]), str)
    assert isinstance(
        await give(house.identity, (await asked(house)).challenge, now(house, app)), str
    )


async def test_what_waits_for_an_answer_does_not_wait_for_ever(house: House) -> None:
    _, app, _ = await with_app(house)
    challenge = (await asked(house)).challenge
    house.clock.advance(CHALLENGE_LASTS.total_seconds())
    assert await give(house.identity, challenge, now(house, app)) is ChallengeSpent
    await asked(house)
    assert await house.count("identity.challenge") == 1


async def test_an_app_that_nobody_confirmed_in_time_is_begun_again(house: House) -> None:
    account_id = (await house.create()).account_id
    begun = await house.identity.begin_totp(BeginTotp(account_id=account_id))
    house.clock.advance(SETUP_LASTS.total_seconds() + 1)
    code = now(house, pyotp.TOTP(begun.secret))
    with pytest.raises(FactorMissing):
        await house.identity.confirm_totp(
            ConfirmTotp(account_id=account_id, login_id=LoginId(""), code=code)
        )


async def test_a_reset_by_mail_leaves_the_second_step_where_it_is(house: House) -> None:
    _, app, _ = await with_app(house)
    waiting = (await asked(house)).challenge
    await house.identity.request_reset(RequestReset(email=EMAIL))
    new = "a wholly other sentence"
    await house.identity.complete_reset(
        CompleteReset(code=(await house.letter()).code, password=new)
    )
    assert await give(house.identity, waiting, now(house, app)) is ChallengeSpent
    begun = await house.identity.begin_login(Login(email=EMAIL, password=new))
    assert begun.granted is None
    assert begun.asked is not None
    assert isinstance(await give(house.identity, begun.asked.challenge, now(house, app)), str)


async def test_a_wrong_password_tells_nothing_of_a_second_factor(house: House) -> None:
    await with_app(house)
    await house.create("ben@example.org")
    told = []
    for email in (EMAIL, "ben@example.org", "nobody@example.org"):
        with pytest.raises(WrongCredentials) as refused:
            await house.identity.begin_login(Login(email=email, password="wrong password"))
        told.append(str(refused.value))
    assert len(set(told)) == 1
    assert await house.count("identity.challenge") == 0


async def test_nothing_that_is_kept_makes_a_code(house: House) -> None:
    account_id, app, codes = await with_app(house)
    challenge = (await asked(house)).challenge
    async with house.database.transaction() as transaction:
        rows = [
            row[0]
            for table in TABLES
            for row in await transaction.execute(text(f"select t::text from identity.{table} t"))
        ]
    kept = "\n".join(rows)
    assert account_id in kept
    for secret in (app.secret, challenge, *codes, *(code.replace("-", "") for code in codes)):
        assert secret not in kept
        assert secret.encode().hex() not in kept
    house.key = b"k" * 32
    with pytest.raises(SealBroken):
        await give(house.built(), challenge, now(house, app))


async def test_a_secret_moved_to_another_account_does_not_open(house: House) -> None:
    account_id, app, _ = await with_app(house)
    other = await house.create("eve@example.org")
    async with house.database.transaction() as transaction:
        await transaction.execute(
            text("update identity.totp set account_id = :other"), {"other": other.account_id}
        )
    assert account_id != other.account_id
    prove = Prove(account_id=other.account_id, login_id=LoginId(""), code=now(house, app))
    with pytest.raises(SealBroken):
        await house.identity.prove(prove)


async def test_each_change_is_told_by_letter(house: House) -> None:
    account_id, app, codes = await with_app(house)
    assert "an authenticator app from now on" in (await house.letter()).plain
    await give(house.identity, (await asked(house)).challenge, codes[0])
    assert "9 are left" in (await house.letter()).plain
    await house.identity.renew_recovery_codes(RenewRecoveryCodes(account_id=account_id))
    assert "new recovery codes" in (await house.letter()).plain
    await house.identity.reset_factors(ResetFactors(email=EMAIL))
    assert "whoever runs this service" in (await house.letter()).plain
    for each in await house.letters(EMAIL):
        assert app.secret not in each.plain
        assert not any(code in each.plain for code in codes)


async def test_an_erased_account_leaves_no_factor(house: House) -> None:
    account_id, _, _ = await with_app(house)
    await asked(house)
    described = await house.identity.describe_account(DescribeAccount(account_id=account_id))
    assert described.factors is not None
    assert described.factors.totp_since is not None
    assert described.factors.recovery_codes_left == 10
    await house.identity.delete_account(DeleteAccount(account_id=account_id, password=PASSWORD))
    await asked(house)
    house.clock.advance(15 * 86400)
    assert await house.identity.erase_due() == 1
    assert [await house.count(f"identity.{table}") for table in TABLES] == [0, 0, 0, 0]


async def test_the_password_alone_keeps_no_account_that_is_to_be_erased(house: House) -> None:
    account_id, app, _ = await with_app(house)
    await house.identity.delete_account(DeleteAccount(account_id=account_id, password=PASSWORD))
    challenge = (await asked(house)).challenge
    assert await house.count("identity.account where erased_at is not null") == 1
    await give(house.identity, challenge, now(house, app))
    assert await house.count("identity.account where erased_at is not null") == 0
