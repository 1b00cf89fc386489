"""Changing the password and the mail address, and leaving; on a real PostgreSQL."""

import msgspec
import pytest

from cuemark.contracts import identity
from cuemark.contracts.identity import AccountExists, AccountInvalid, LoginGranted, WrongCredentials
from cuemark.contracts.identity.changing import (
    AccountDeleted,
    ChangeEmail,
    ChangePassword,
    ConfirmEmail,
    DeleteAccount,
    DescribeAccount,
    RestoreEmail,
    WrongPassword,
)
from cuemark.contracts.identity.joining import (
    CodeSpent,
    CompleteReset,
    RequestReset,
    TooManyTries,
)
from cuemark.kit.outbox import Cursor
from tests.integration.identity.house import EMAIL, PASSWORD, House

NEW_PASSWORD, NEW_EMAIL = "another good sentence", "ada@new.example"
DAY_S = 86400


@pytest.fixture
async def ada(house: House) -> LoginGranted:
    await house.create()
    return await house.login()


def password_of(ada: LoginGranted, old: str = PASSWORD) -> ChangePassword:
    return ChangePassword(
        account_id=ada.account.account_id,
        old_password=old,
        new_password=NEW_PASSWORD,
        token=ada.token,
    )


def email_of(ada: LoginGranted, email: str = NEW_EMAIL) -> ChangeEmail:
    return ChangeEmail(account_id=ada.account.account_id, password=PASSWORD, email=email)


async def test_a_new_password_ends_every_login_but_the_one_that_set_it(
    house: House, ada: LoginGranted
) -> None:
    other = await house.login()
    with pytest.raises(WrongPassword, match="not right"):
        await house.identity.change_password(password_of(ada, "a wrong guess"))
    assert await house.is_open(other.token)
    await house.identity.change_password(password_of(ada))
    assert await house.is_open(ada.token)
    assert not await house.is_open(other.token)
    assert await house.login(password=NEW_PASSWORD)
    assert (await house.letter()).subject == "Kino: your password was changed"


async def test_guesses_of_the_old_password_are_limited(house: House, ada: LoginGranted) -> None:
    for _ in range(10):
        with pytest.raises(WrongPassword):
            await house.identity.change_password(password_of(ada, "a wrong guess"))
    with pytest.raises(TooManyTries):
        await house.identity.change_password(password_of(ada))
    house.clock.advance(900)
    await house.identity.change_password(password_of(ada))


async def test_an_address_changes_when_its_mail_was_read_and_the_old_one_is_told(
    house: House, ada: LoginGranted
) -> None:
    await house.identity.change_email(email_of(ada))
    assert (await house.login()).account.email == EMAIL
    await house.identity.confirm_email(ConfirmEmail(code=(await house.letter(NEW_EMAIL)).code))
    assert (await house.login(NEW_EMAIL)).account.account_id == ada.account.account_id
    with pytest.raises(WrongCredentials):
        await house.login(EMAIL)
    told = await house.letter(EMAIL)
    assert told.subject == "Kino: your mail address was changed"
    assert NEW_EMAIL in told.plain


async def test_the_old_address_takes_it_back_for_a_week_and_throws_everybody_out(
    house: House, ada: LoginGranted
) -> None:
    await house.identity.change_email(email_of(ada))
    await house.identity.confirm_email(ConfirmEmail(code=(await house.letter(NEW_EMAIL)).code))
    thief = await house.login(NEW_EMAIL)
    back = (await house.letter(EMAIL)).code
    house.clock.advance(7 * DAY_S - 1)
    await house.identity.restore_email(RestoreEmail(code=back))
    assert not await house.is_open(thief.token)
    with pytest.raises(WrongCredentials):
        await house.login(EMAIL)
    code = (await house.letter(EMAIL)).code
    await house.identity.complete_reset(CompleteReset(code=code, password=NEW_PASSWORD))
    assert (await house.login(EMAIL, NEW_PASSWORD)).account.account_id == ada.account.account_id
    with pytest.raises(CodeSpent):
        await house.identity.restore_email(RestoreEmail(code=back))


async def test_taking_an_address_back_is_too_late_after_a_week(
    house: House, ada: LoginGranted
) -> None:
    await house.identity.change_email(email_of(ada))
    await house.identity.confirm_email(ConfirmEmail(code=(await house.letter(NEW_EMAIL)).code))
    house.clock.advance(7 * DAY_S)
    with pytest.raises(CodeSpent):
        await house.identity.restore_email(RestoreEmail(code=(await house.letter(EMAIL)).code))


async def test_an_address_of_another_account_is_told_nobody_and_taken_by_nobody(
    house: House, ada: LoginGranted
) -> None:
    await house.create(NEW_EMAIL)
    free = await house.identity.change_email(email_of(ada, "free@example.org"))
    assert await house.identity.change_email(email_of(ada)) == free
    letter = await house.letter(NEW_EMAIL)
    assert letter.subject == "Kino: this address has an account"
    assert letter.code == ""
    with pytest.raises(AccountInvalid, match="already"):
        await house.identity.change_email(email_of(ada, EMAIL))


async def test_an_address_that_was_taken_meanwhile_stays_with_who_has_it(
    house: House, ada: LoginGranted
) -> None:
    await house.identity.change_email(email_of(ada))
    code = (await house.letter(NEW_EMAIL)).code
    await house.create(NEW_EMAIL)
    with pytest.raises(AccountExists):
        await house.identity.confirm_email(ConfirmEmail(code=code))
    assert (await house.login()).account.email == EMAIL


async def test_a_letter_of_reset_to_an_address_that_was_left_is_worth_nothing(
    house: House, ada: LoginGranted
) -> None:
    await house.identity.request_reset(RequestReset(email=EMAIL))
    code = (await house.letter()).code
    await house.identity.change_email(email_of(ada))
    await house.identity.confirm_email(ConfirmEmail(code=(await house.letter(NEW_EMAIL)).code))
    with pytest.raises(CodeSpent):
        await house.identity.complete_reset(CompleteReset(code=code, password=NEW_PASSWORD))


async def test_an_account_is_erased_after_its_grace_and_the_log_is_told(
    house: House, ada: LoginGranted
) -> None:
    account_id = ada.account.account_id
    ask = DeleteAccount(account_id=account_id, password=PASSWORD)
    deletion = await house.identity.delete_account(ask)
    assert (deletion.erased_at - house.clock.now()).days == 14
    assert not await house.is_open(ada.token)
    assert (await house.letter()).subject == "Kino: your account will be deleted"
    house.clock.advance(14 * DAY_S - 1)
    assert await house.identity.erase_due() == 0
    house.clock.advance(1)
    assert await house.identity.erase_due() == 1
    assert await house.identity.erase_due() == 0
    for table in ("account", "profile", "login", "code", "login_link", "device"):
        assert await house.count(f"identity.{table}") == 0, table
    async with house.database.transaction() as transaction:
        entries = await house.log.read(transaction, [identity.TOPIC], Cursor())
    assert msgspec.json.decode(entries[-1].body, type=AccountDeleted) == AccountDeleted(
        account_id=account_id, profile_ids=[ada.account.profile_id]
    )
    assert await house.create()


async def test_who_logs_in_within_the_grace_keeps_the_account(
    house: House, ada: LoginGranted
) -> None:
    ask = DeleteAccount(account_id=ada.account.account_id, password=PASSWORD)
    await house.identity.delete_account(ask)
    await house.login()
    assert (await house.letter()).subject == "Kino: your account is kept"
    house.clock.advance(30 * DAY_S)
    assert await house.identity.erase_due() == 0
    assert await house.login()


async def test_an_account_is_not_deleted_without_its_password(
    house: House, ada: LoginGranted
) -> None:
    ask = DeleteAccount(account_id=ada.account.account_id, password="a wrong guess")
    with pytest.raises(WrongPassword):
        await house.identity.delete_account(ask)
    links_only = await house.create("links@example.org", None)
    with pytest.raises(WrongPassword, match="no password yet"):
        await house.identity.delete_account(
            DeleteAccount(account_id=links_only.account_id, password=PASSWORD)
        )
    assert await house.is_open(ada.token)


async def test_an_account_is_described_to_its_member(house: House, ada: LoginGranted) -> None:
    ask = DescribeAccount(account_id=ada.account.account_id)
    found = await house.identity.describe_account(ask)
    assert (found.email, found.has_password) == (EMAIL, True)
    assert [each.name for each in found.profiles] == ["ada"]
