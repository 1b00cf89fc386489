"""Logins listed and ended, and devices let in by a code; on a real PostgreSQL."""

import asyncio
from datetime import timedelta

import pytest

from cuemark.contexts.identity.service import REMEMBER_S
from cuemark.contracts.identity import (
    AccountInvalid,
    Authenticate,
    Login,
    LoginGranted,
    NotLoggedIn,
)
from cuemark.contracts.identity.devices import (
    AnswerDevice,
    AuthorizeDevice,
    DevicePolled,
    LookUpDevice,
    PollDevice,
    UserCodeUnknown,
)
from cuemark.contracts.identity.joining import TooManyTries
from cuemark.contracts.identity.logins import EndLogin, EndLogins, ListLogins, OpenLogin
from cuemark.contracts.ids import LoginId
from tests.integration.identity.house import EMAIL, PASSWORD, House

PHONE = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36"


@pytest.fixture
async def ada(house: House) -> LoginGranted:
    await house.create()
    return await house.login()


async def from_phone(house: House) -> LoginGranted:
    return await house.identity.login(
        Login(email=EMAIL, password=PASSWORD, device=PHONE, client_address="192.0.2.77")
    )


async def logins(house: House, ada: LoginGranted) -> list[OpenLogin]:
    ask = ListLogins(account_id=ada.account.account_id)
    return (await house.identity.list_logins(ask)).logins


async def test_a_login_is_listed_with_its_device_and_no_closer_than_its_network(
    house: House, ada: LoginGranted
) -> None:
    house.clock.advance(60)
    await from_phone(house)
    phone, first = await logins(house, ada)
    assert (phone.device, phone.network) == ("Chrome on Android", "192.0.2.0/24")
    assert (first.device, first.network) == ("An unknown device", "")
    assert phone.login_id != first.login_id


async def test_where_and_when_a_login_was_used_is_noted_by_the_hour(
    house: House, ada: LoginGranted
) -> None:
    phone = await from_phone(house)
    made_at = house.clock.now()
    use = Authenticate(token=phone.token, client_address="198.51.100.9")
    house.clock.advance(1800)
    await house.identity.authenticate(use)
    assert (await logins(house, ada))[0].seen_at == made_at
    house.clock.advance(1801)
    await house.identity.authenticate(use)
    seen = (await logins(house, ada))[0]
    assert (seen.network, seen.seen_at) == ("198.51.100.0/24", made_at + timedelta(seconds=3601))


async def test_a_login_that_is_ended_opens_nothing_here_at_once_and_elsewhere_in_a_second(
    house: House, ada: LoginGranted
) -> None:
    phone = await from_phone(house)
    elsewhere = house.built()
    ask = Authenticate(token=phone.token)
    caller = await house.identity.authenticate(ask)
    await elsewhere.authenticate(ask)
    end = EndLogin(account_id=ada.account.account_id, login_id=caller.login_id)
    assert (await house.identity.end_login(end)).ended == 1
    with pytest.raises(NotLoggedIn):
        await house.identity.authenticate(ask)
    await elsewhere.authenticate(ask)
    house.clock.advance(REMEMBER_S)
    with pytest.raises(NotLoggedIn):
        await elsewhere.authenticate(ask)
    assert await house.is_open(ada.token)


async def test_nobody_ends_the_login_of_another(house: House, ada: LoginGranted) -> None:
    await house.create("eve@example.org")
    eve = await house.login("eve@example.org")
    (login,) = await logins(house, ada)
    for login_id in (login.login_id, LoginId("lgn_none"), LoginId("")):
        end = EndLogin(account_id=eve.account.account_id, login_id=login_id)
        assert (await house.identity.end_login(end)).ended == 0
    assert await house.is_open(ada.token)


async def test_all_logins_end_but_the_one_that_is_kept(house: House, ada: LoginGranted) -> None:
    others = [await from_phone(house) for _ in range(3)]
    keep = (await house.identity.authenticate(Authenticate(token=ada.token))).login_id
    end = EndLogins(account_id=ada.account.account_id, keep=keep)
    assert (await house.identity.end_logins(end)).ended == 3
    assert await house.is_open(ada.token)
    assert not any([await house.is_open(each.token) for each in others])
    assert (await house.identity.end_logins(EndLogins(account_id=end.account_id))).ended == 1


async def test_each_login_has_a_token_of_its_own(house: House, ada: LoginGranted) -> None:
    tokens = {ada.token, *[(await house.login()).token for _ in range(3)]}
    assert len(tokens) == 4


class Tv:
    """A device without a keyboard."""

    def __init__(self, house: House) -> None:
        self.house = house

    async def ask(self) -> str:
        """Ask for a code; return what its screen shows."""
        self.asked = await self.house.identity.authorize_device(
            AuthorizeDevice(device="A television", client_address="192.0.2.77")
        )
        return self.asked.user_code

    async def poll(self, *, wait_s: float | None = None) -> DevicePolled:
        self.house.clock.advance(self.asked.interval_s if wait_s is None else wait_s)
        poll = PollDevice(device_code=self.asked.device_code)
        return await self.house.identity.poll_device(poll)


async def answer(house: House, ada: LoginGranted, code: str, *, allow: bool = True) -> None:
    ask = AnswerDevice(account_id=ada.account.account_id, user_code=code, allow=allow)
    await house.identity.answer_device(ask)


async def test_a_device_is_let_in_by_who_types_its_code(house: House, ada: LoginGranted) -> None:
    tv = Tv(house)
    code = await tv.ask()
    assert (await tv.poll()).state == "authorization_pending"
    typed = code.replace("-", " ").lower()
    ask = LookUpDevice(account_id=ada.account.account_id, user_code=typed)
    found = await house.identity.look_up_device(ask)
    assert (found.device, found.network) == ("A television", "192.0.2.0/24")
    await answer(house, ada, typed)
    granted = await tv.poll()
    assert granted.state == "granted"
    caller = await house.identity.authenticate(Authenticate(token=granted.token))
    assert caller.account_id == ada.account.account_id
    assert "A television" in [each.device for each in await logins(house, ada)]
    assert (await tv.poll()).state == "expired_token"


async def test_a_device_that_asks_too_often_is_slowed_down_for_good(
    house: House, ada: LoginGranted
) -> None:
    tv = Tv(house)
    code = await tv.ask()
    assert (await tv.poll(wait_s=0)).state == "authorization_pending"
    assert (await tv.poll(wait_s=4)).state == "slow_down"
    assert (await tv.poll(wait_s=9)).state == "slow_down"
    assert (await tv.poll(wait_s=15)).state == "authorization_pending"
    await answer(house, ada, code)
    assert (await tv.poll(wait_s=14)).state == "slow_down"
    assert (await tv.poll(wait_s=20)).state == "granted"


async def test_a_device_that_was_denied_or_came_late_is_told_so(
    house: House, ada: LoginGranted
) -> None:
    tv = Tv(house)
    await answer(house, ada, await tv.ask(), allow=False)
    assert (await tv.poll()).state == "access_denied"
    code = await tv.ask()
    house.clock.advance(900)
    with pytest.raises(UserCodeUnknown, match="15 minutes"):
        await answer(house, ada, code)
    assert (await tv.poll()).state == "expired_token"


async def test_of_many_polls_at_once_one_gets_the_token(house: House, ada: LoginGranted) -> None:
    tv = Tv(house)
    await answer(house, ada, await tv.ask())
    polls = await asyncio.gather(*(tv.poll(wait_s=0) for _ in range(10)))
    assert [each.state for each in polls].count("granted") == 1
    assert len([each.token for each in polls if each.token]) == 1


async def test_a_code_is_answered_once(house: House, ada: LoginGranted) -> None:
    await house.create("eve@example.org")
    eve = await house.login("eve@example.org")
    tv = Tv(house)
    code = await tv.ask()
    await answer(house, ada, code)
    with pytest.raises(UserCodeUnknown):
        await answer(house, eve, code)
    caller = await house.identity.authenticate(Authenticate(token=(await tv.poll()).token))
    assert caller.account_id == ada.account.account_id


async def test_a_device_that_was_let_in_does_not_outlive_what_ends_every_login(
    house: House, ada: LoginGranted
) -> None:
    tv = Tv(house)
    await answer(house, ada, await tv.ask())
    await house.identity.end_logins(EndLogins(account_id=ada.account.account_id))
    assert (await tv.poll()).state == "expired_token"


async def test_the_operator_ends_logins_by_the_address(house: House, ada: LoginGranted) -> None:
    await from_phone(house)
    assert (await house.identity.end_logins(EndLogins(email=" ADA@example.org"))).ended == 2
    assert not await house.is_open(ada.token)
    with pytest.raises(AccountInvalid, match="No account has"):
        await house.identity.end_logins(EndLogins(email="nobody@example.org"))


async def test_guesses_of_codes_are_limited(house: House, ada: LoginGranted) -> None:
    code = await Tv(house).ask()
    for guess in ("BBBB-BBBB", "nonsense!", "", "AAAA-AAAA", "1234-5678") * 2:
        with pytest.raises(UserCodeUnknown):
            await answer(house, ada, guess)
    with pytest.raises(TooManyTries):
        await answer(house, ada, code)
    house.clock.advance(900)
    await answer(house, ada, await Tv(house).ask())


async def test_codes_for_devices_are_limited_by_where_they_are_asked_for(house: House) -> None:
    tv = Tv(house)
    for _ in range(60):
        await tv.ask()
    with pytest.raises(TooManyTries):
        await tv.ask()


async def test_no_device_code_is_kept_and_none_is_a_token(house: House, ada: LoginGranted) -> None:
    tv = Tv(house)
    await answer(house, ada, await tv.ask())
    assert not await house.is_open(tv.asked.device_code)
    for code in ("", "é", "x" * 100_000):
        poll = PollDevice(device_code=code)
        assert (await house.identity.poll_device(poll)).state == "expired_token"
