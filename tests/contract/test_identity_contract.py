"""What every caller of identity may rely on, however it is reached."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import argon2
import pytest

from cuemark.contexts.identity import wiring
from cuemark.contracts.identity import (
    Account,
    AccountExists,
    AccountInvalid,
    Authenticate,
    Caller,
    CreateAccount,
    GetAccounts,
    Identity,
    IssueLoginLink,
    IssueOperatorLink,
    Login,
    LoginGranted,
    LoginLink,
    Logout,
    NotLoggedIn,
    RedeemLoginLink,
    RedeemOperatorLink,
    WrongCredentials,
)
from cuemark.contracts.identity.logins import ListLogins
from cuemark.contracts.ids import AccountId, ProfileId
from cuemark.kit import mail
from cuemark.kit.clock import ManualClock
from cuemark.kit.errors import Refusal
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Log
from tests.contract.conftest import Reach
from tests.databases import opened

EMAIL, PASSWORD = "ada@example.org", "correct horse battery"
OPERATOR_TOKEN = "0f" * 32

T = TypeVar("T")


@dataclass(frozen=True)
class House:
    """Identity as its callers see it, with the clock behind it."""

    identity: Identity
    clock: ManualClock

    async def create(self, email: str = EMAIL, password: str | None = PASSWORD) -> Account:
        return await self.identity.create_account(CreateAccount(email=email, password=password))

    async def login(self, email: str = EMAIL, password: str = PASSWORD) -> LoginGranted:
        return await self.identity.login(Login(email=email, password=password))

    async def caller(self, token: str) -> Caller:
        return await self.identity.authenticate(Authenticate(token=token))

    async def link(self, *, email: str = EMAIL, create: bool = True, ttl_s: int = 60) -> LoginLink:
        return await self.identity.issue_login_link(
            IssueLoginLink(email=email, create=create, ttl_s=ttl_s)
        )

    async def redeem(self, code: str) -> LoginGranted:
        return await self.identity.redeem_login_link(RedeemLoginLink(code=code))


@pytest.fixture
async def house(reach: Reach, database_url: str) -> AsyncIterator[House]:
    async with opened(database_url, wiring, mail) as database:
        clock = ManualClock()
        room = wiring.build(
            database,
            Log(clock),
            clock,
            Ids(clock),
            operator_token=OPERATOR_TOKEN,
            key=bytes(32),
            cost=argon2.profiles.CHEAPEST,
        )
        yield House(await reach(Identity, room.service), clock)


async def test_accounts_are_found_by_their_ids(house: House) -> None:
    one, two = await house.create(), await house.create("eve@example.org")
    await house.create("bob@example.org")
    ids = [two.account_id, AccountId("acc_gone"), one.account_id]
    found = (await house.identity.get_accounts(GetAccounts(account_ids=ids))).accounts
    assert sorted(each.email for each in found) == ["ada@example.org", "eve@example.org"]
    assert {each.account_id: each for each in found}[one.account_id] == one
    assert (await house.identity.get_accounts(GetAccounts(account_ids=[]))).accounts == []
    with pytest.raises(AccountInvalid, match="200 accounts at most"):
        await house.identity.get_accounts(GetAccounts(account_ids=ids * 100))


async def refused(call: Awaitable[T]) -> type[Refusal] | T:
    try:
        return await call
    except Refusal as refusal:
        return type(refusal)


async def test_a_login_opens_what_its_token_names(house: House) -> None:
    account = await house.create()
    granted = await house.login()
    listed = ListLogins(account_id=account.account_id)
    assert granted.account == account
    assert granted.expires_at == house.clock.now() + timedelta(days=30)
    assert await house.caller(granted.token) == Caller(
        role="member",
        account_id=account.account_id,
        profile_id=account.profile_id,
        email=EMAIL,
        profile_name="ada",
        login_id=(await house.identity.list_logins(listed)).logins[0].login_id,
        level=1,
        proved_at=house.clock.now(),
    )


async def test_a_mail_address_is_one_account_however_it_is_written(house: House) -> None:
    account = await house.create("  Ada@Example.ORG ")
    assert account.email == EMAIL
    assert (await house.login("ADA@example.org")).account == account
    with pytest.raises(AccountExists, match=r"ada@example\.org"):
        await house.create("ada@EXAMPLE.org")


async def test_wrong_password_and_unknown_address_are_told_alike(house: House) -> None:
    await house.create()
    await house.create("links-only@example.org", None)
    sentences = set()
    for email, password in [
        (EMAIL, "wrong password"),
        ("nobody@example.org", PASSWORD),
        ("links-only@example.org", PASSWORD),
        ("no address", PASSWORD),
        ("' or true --@example.org", PASSWORD),
        (EMAIL, "short"),
        (EMAIL, "x" * 1_000_000),
        (EMAIL, PASSWORD + "\0"),
        ("a" * 1_000_000 + "@example.org", PASSWORD),
        ("аda@example.org", PASSWORD),
    ]:
        with pytest.raises(WrongCredentials) as refusal:
            await house.login(email, password)
        sentences.add(refusal.value.message)
    assert len(sentences) == 1


async def test_an_address_or_password_that_cannot_be_is_refused(house: House) -> None:
    for email in ("", "ada", "@", "ada@", "@example.org", "a b@c", "a@b@c", "ada@-x.org", "a\0@b"):
        with pytest.raises(AccountInvalid, match="form name@domain"):
            await house.create(email)
    for email in ("аda@example.org", "ada@ехample.org", "ａda@example.org", "ada@example．org"):
        with pytest.raises(AccountInvalid, match="outside ASCII"):
            await house.create(email)
    for password in ("", "seven77", "x" * 1025):
        with pytest.raises(AccountInvalid, match="8 to 1024"):
            await house.create(EMAIL, password)
    with pytest.raises(AccountInvalid, match="name"):
        await house.identity.create_account(CreateAccount(email=EMAIL, profile_name="a\0b"))
    with pytest.raises(WrongCredentials):
        await house.login()


async def test_logout_ends_this_login_at_once_and_no_other(house: House) -> None:
    await house.create()
    first, second = await house.login(), await house.login()
    assert (await house.caller(first.token)).email == (await house.caller(second.token)).email
    await house.identity.logout(Logout(token=first.token))
    with pytest.raises(NotLoggedIn):
        await house.caller(first.token)
    assert (await house.caller(second.token)).email == EMAIL
    await house.identity.logout(Logout(token=first.token))


async def test_a_token_names_its_own_account_whatever_others_do(house: House) -> None:
    await house.create()
    await house.create("eve@example.org")
    ada, eve = await house.login(), await house.login("eve@example.org")
    await house.identity.logout(Logout(token=eve.token))
    assert (await house.caller(ada.token)).account_id == ada.account.account_id
    assert ada.account.profile_id != eve.account.profile_id
    with pytest.raises(NotLoggedIn):
        await house.caller(eve.token)


async def test_a_login_lasts_thirty_days_from_its_last_use(house: House) -> None:
    await house.create()
    token = (await house.login()).token
    for _ in range(3):
        house.clock.advance(29 * 86400)
        assert (await house.caller(token)).email == EMAIL
    house.clock.advance(30 * 86400 + 1)
    with pytest.raises(NotLoggedIn):
        await house.caller(token)


async def test_text_that_is_no_token_is_not_logged_in(house: House) -> None:
    await house.create()
    token = (await house.login()).token
    for text in ("", "x", token[:-1], token + "x", token.swapcase(), "\0", "é", "a" * 1_000_000):
        with pytest.raises(NotLoggedIn):
            await house.caller(text)
        await house.identity.logout(Logout(token=text))
    assert (await house.caller(token)).email == EMAIL


async def test_the_operators_token_names_the_operator(house: House) -> None:
    operator = Caller(
        role="operator",
        account_id=AccountId(""),
        profile_id=ProfileId(""),
        staff_role="owner",
    )
    assert await house.caller(OPERATOR_TOKEN) == operator
    await house.identity.logout(Logout(token=OPERATOR_TOKEN))
    assert await house.caller(OPERATOR_TOKEN) == operator


async def test_a_link_opens_one_login_and_is_spent(house: House) -> None:
    link = await house.link()
    granted = await house.redeem(link.code)
    assert (await house.caller(granted.token)).email == EMAIL
    with pytest.raises(WrongCredentials, match="used already"):
        await house.redeem(link.code)


async def test_of_many_who_redeem_a_link_at_once_one_gets_in(house: House) -> None:
    link = await house.link()
    answers = await asyncio.gather(*(refused(house.redeem(link.code)) for _ in range(20)))
    assert sum(isinstance(answer, LoginGranted) for answer in answers) == 1
    assert answers.count(WrongCredentials) == 19


async def test_a_link_past_its_time_opens_nothing(house: House) -> None:
    link = await house.link(ttl_s=60)
    assert link.expires_at == house.clock.now() + timedelta(seconds=60)
    house.clock.advance(60)
    with pytest.raises(WrongCredentials):
        await house.redeem(link.code)


async def test_a_link_lasts_no_longer_than_a_week(house: House) -> None:
    for ttl_s, expected in [(10**12, timedelta(days=7)), (-5, timedelta(seconds=1))]:
        link = await house.link(ttl_s=ttl_s)
        assert link.expires_at == house.clock.now() + expected


async def test_a_link_for_nobody_is_made_only_with_an_account(house: House) -> None:
    with pytest.raises(AccountInvalid, match="create it first"):
        await house.link(create=False)
    first = await house.link(create=True)
    second = await house.link(create=True)
    third = await house.link(create=False)
    accounts = {
        (await house.redeem(link.code)).account.account_id for link in (first, second, third)
    }
    assert len(accounts) == 1


async def test_a_code_is_no_token_and_a_token_no_code(house: House) -> None:
    link = await house.link()
    with pytest.raises(NotLoggedIn):
        await house.caller(link.code)
    token = (await house.redeem(link.code)).token
    with pytest.raises(WrongCredentials):
        await house.redeem(token)
    for code in ("", "é", "\0", "a" * 1_000_000):
        with pytest.raises(WrongCredentials):
            await house.redeem(code)


async def test_an_operators_link_opens_one_login_that_ends_by_its_time(house: House) -> None:
    link = await house.identity.issue_operator_link(IssueOperatorLink(ttl_s=60))
    redeem = RedeemOperatorLink(code=link.code)
    granted = await house.identity.redeem_operator_link(redeem)
    with pytest.raises(WrongCredentials):
        await house.identity.redeem_operator_link(redeem)
    caller = await house.caller(granted.token)
    assert (caller.role, caller.account_id) == ("operator", "")
    house.clock.advance((granted.expires_at - house.clock.now()).total_seconds() - 1)
    assert (await house.caller(granted.token)).role == "operator"
    house.clock.advance(1)
    with pytest.raises(NotLoggedIn):
        await house.caller(granted.token)


async def test_an_operators_login_ends_with_its_logout(house: House) -> None:
    link = await house.identity.issue_operator_link(IssueOperatorLink())
    granted = await house.identity.redeem_operator_link(RedeemOperatorLink(code=link.code))
    assert (await house.caller(granted.token)).role == "operator"
    await house.identity.logout(Logout(token=granted.token))
    with pytest.raises(NotLoggedIn):
        await house.caller(granted.token)


async def test_members_links_and_operators_links_do_not_open_each_others_logins(
    house: House,
) -> None:
    operators = await house.identity.issue_operator_link(IssueOperatorLink(ttl_s=60))
    with pytest.raises(WrongCredentials):
        await house.redeem(operators.code)
    members = await house.link()
    with pytest.raises(WrongCredentials):
        await house.identity.redeem_operator_link(RedeemOperatorLink(code=members.code))
    house.clock.advance(60)
    with pytest.raises(WrongCredentials):
        await house.identity.redeem_operator_link(RedeemOperatorLink(code=operators.code))
