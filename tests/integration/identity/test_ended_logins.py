"""Each way in which a login ends is told to whoever keeps something that goes on by it."""

from collections.abc import Awaitable, Callable

import msgspec
import pyotp
import pytest

from cuemark.contexts.identity.store.logins import MOST_LOGINS
from cuemark.contracts.identity import TOPIC, Authenticate, Logout
from cuemark.contracts.identity.changing import (
    ChangeEmail,
    ChangePassword,
    ConfirmEmail,
    DeleteAccount,
    RestoreEmail,
)
from cuemark.contracts.identity.factors import BeginTotp, ConfirmTotp, ResetFactors
from cuemark.contracts.identity.joining import CompleteReset, RequestReset
from cuemark.contracts.identity.logins import EndLogin, EndLogins, ListLogins, LoginEnded
from cuemark.contracts.identity.profiles import ChooseProfile, CreateProfile, DeleteProfile
from cuemark.contracts.ids import AccountId, LoginId
from cuemark.kit.outbox import Cursor
from tests.integration.identity.house import EMAIL, PASSWORD, House

NEW_PASSWORD, NEW_EMAIL = "another good sentence", "ada@new.example"


class Ada:
    """An account with two logins, of which ``phone`` does what is done."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.tokens: dict[LoginId, str] = {}

    async def settle(self) -> None:
        self.account = await self.house.create()
        self.phone, self.tv = await self.log_in(), await self.log_in()

    @property
    def account_id(self) -> AccountId:
        return self.account.account_id

    async def log_in(self) -> LoginId:
        token = (await self.house.login()).token
        login_id = (await self.house.identity.authenticate(Authenticate(token=token))).login_id
        self.tokens[login_id] = token
        return login_id

    async def open(self) -> set[LoginId]:
        asked = ListLogins(account_id=self.account_id)
        return {each.login_id for each in (await self.house.identity.list_logins(asked)).logins}

    async def told(self) -> list[LoginId]:
        async with self.house.database.transaction() as transaction:
            entries = await self.house.log.read(transaction, [TOPIC], Cursor(), 1000)
        ended = [
            msgspec.json.decode(each.body, type=LoginEnded)
            for each in entries
            if each.kind == LoginEnded.__name__
        ]
        assert {each.account_id for each in ended} <= {self.account_id}
        return [each.login_id for each in ended]


async def logs_out(ada: Ada) -> set[LoginId]:
    await ada.house.identity.logout(Logout(token=ada.tokens[ada.phone]))
    return {ada.phone}


async def ends_one(ada: Ada) -> set[LoginId]:
    await ada.house.identity.end_login(EndLogin(account_id=ada.account_id, login_id=ada.tv))
    return {ada.tv}


async def ends_all_others(ada: Ada) -> set[LoginId]:
    await ada.house.identity.end_logins(EndLogins(account_id=ada.account_id, keep=ada.phone))
    return {ada.tv}


async def is_logged_out_by_staff(ada: Ada) -> set[LoginId]:
    await ada.house.identity.end_logins(EndLogins(email=EMAIL))
    return {ada.phone, ada.tv}


async def changes_the_password(ada: Ada) -> set[LoginId]:
    await ada.house.identity.change_password(
        ChangePassword(
            account_id=ada.account_id,
            old_password=PASSWORD,
            new_password=NEW_PASSWORD,
            token=ada.tokens[ada.phone],
        )
    )
    return {ada.tv}


async def forgets_the_password(ada: Ada) -> set[LoginId]:
    await ada.house.identity.request_reset(RequestReset(email=EMAIL))
    code = (await ada.house.letter()).code
    await ada.house.identity.complete_reset(CompleteReset(code=code, password=NEW_PASSWORD))
    return {ada.phone, ada.tv}


async def takes_the_address_back(ada: Ada) -> set[LoginId]:
    asked = ChangeEmail(account_id=ada.account_id, password=PASSWORD, email=NEW_EMAIL)
    await ada.house.identity.change_email(asked)
    confirmed = (await ada.house.letter(NEW_EMAIL)).code
    await ada.house.identity.confirm_email(ConfirmEmail(code=confirmed))
    assert await ada.told() == []
    back = (await ada.house.letter(EMAIL)).code
    await ada.house.identity.restore_email(RestoreEmail(code=back))
    return {ada.phone, ada.tv}


async def has_the_factors_reset(ada: Ada) -> set[LoginId]:
    begun = await ada.house.identity.begin_totp(BeginTotp(account_id=ada.account_id))
    code = pyotp.TOTP(begun.secret).at(ada.house.clock.now())
    confirm = ConfirmTotp(account_id=ada.account_id, login_id=ada.phone, code=code)
    await ada.house.identity.confirm_totp(confirm)
    assert await ada.told() == []
    await ada.house.identity.reset_factors(ResetFactors(email=EMAIL))
    return {ada.phone, ada.tv}


async def leaves(ada: Ada) -> set[LoginId]:
    asked = DeleteAccount(account_id=ada.account_id, password=PASSWORD)
    await ada.house.identity.delete_account(asked)
    return {ada.phone, ada.tv}


async def deletes_the_kids_profile_of_the_tv(ada: Ada) -> set[LoginId]:
    own = ada.account.profile_id
    kim = await ada.house.identity.create_profile(
        CreateProfile(account_id=ada.account_id, by=own, name="Kim", kids=True, maturity=6)
    )
    chosen = ChooseProfile(
        account_id=ada.account_id, login_id=ada.tv, profile_id=kim.profile_id, pin="", password=""
    )
    await ada.house.identity.choose_profile(chosen)
    await ada.house.identity.delete_profile(
        DeleteProfile(account_id=ada.account_id, by=own, profile_id=kim.profile_id, password="")
    )
    return {ada.tv}


async def logs_in_on_too_many_devices(ada: Ada) -> set[LoginId]:
    for _ in range(MOST_LOGINS - 1):
        ada.house.clock.advance(1)
        await ada.log_in()
    return set(ada.tokens) - await ada.open()


WAYS = [
    logs_out,
    ends_one,
    ends_all_others,
    is_logged_out_by_staff,
    changes_the_password,
    forgets_the_password,
    takes_the_address_back,
    has_the_factors_reset,
    leaves,
    deletes_the_kids_profile_of_the_tv,
    logs_in_on_too_many_devices,
]


@pytest.fixture
async def ada(house: House) -> Ada:
    ada = Ada(house)
    await ada.settle()
    return ada


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_a_login_that_ends_is_told_and_no_other(
    ada: Ada, way: Callable[[Ada], Awaitable[set[LoginId]]]
) -> None:
    ended = await way(ada)
    assert ended
    assert sorted(await ada.told()) == sorted(ended)
    assert await ada.open() == set(ada.tokens) - ended


async def test_what_ends_no_login_tells_of_none(ada: Ada) -> None:
    await ada.house.identity.logout(Logout(token="A" * 43))
    await ada.house.identity.logout(Logout(token="operator"))
    other = AccountId("acc_other")
    await ada.house.identity.end_login(EndLogin(account_id=other, login_id=ada.tv))
    await ada.house.identity.end_logins(EndLogins(account_id=other))
    assert await ada.told() == []
    await logs_out(ada)
    await logs_out(ada)
    assert await ada.told() == [ada.phone]
