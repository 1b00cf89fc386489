"""A household on a real PostgreSQL: profiles, PINs, kids' mode, and which one a login is on."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from cuemark.contracts.identity import (
    TOPIC,
    Account,
    Authenticate,
    Caller,
    Login,
    LoginGranted,
    NotLoggedIn,
)
from cuemark.contracts.identity.changing import DescribeAccount, WrongPassword
from cuemark.contracts.identity.devices import AnswerDevice, AuthorizeDevice, PollDevice
from cuemark.contracts.identity.joining import TooManyTries
from cuemark.contracts.identity.profiles import (
    MOST_PROFILES,
    ChangeProfile,
    ChooseProfile,
    CreateProfile,
    DeleteProfile,
    LastProfile,
    ListProfiles,
    MaturitySet,
    PasswordNeeded,
    PinNeeded,
    Profile,
    ProfileDeleted,
    TooManyProfiles,
    UnknownProfile,
    WrongPin,
)
from cuemark.contracts.ids import LoginId, ProfileId
from cuemark.kit.outbox import Cursor
from tests.integration.identity.house import EMAIL, PASSWORD, House

PIN = "2580"


class Home:
    """An account with what a test does in it: ``own`` is the profile that it was made with."""

    def __init__(self, house: House, account: Account) -> None:
        self.house = house
        self.account = account
        self.own = account.profile_id

    async def add(self, name: str = "Kim", **fields: object) -> Profile:
        asked = CreateProfile(account_id=self.account.account_id, by=self.own, name=name)
        return await self.house.identity.create_profile(msgspec.structs.replace(asked, **fields))

    async def change(self, profile_id: ProfileId, **fields: object) -> Profile:
        asked = ChangeProfile(
            account_id=self.account.account_id, by=self.own, profile_id=profile_id
        )
        return await self.house.identity.change_profile(msgspec.structs.replace(asked, **fields))

    async def delete(self, profile_id: ProfileId, password: str = "") -> None:
        asked = DeleteProfile(
            account_id=self.account.account_id,
            by=self.own,
            profile_id=profile_id,
            password=password,
        )
        await self.house.identity.delete_profile(asked)

    async def names(self) -> list[str]:
        asked = ListProfiles(account_id=self.account.account_id)
        return [each.name for each in (await self.house.identity.list_profiles(asked)).profiles]

    async def log_in(self, email: str = EMAIL) -> LoginGranted:
        return await self.house.identity.login(Login(email=email, password=PASSWORD))

    async def caller(self, token: str) -> Caller:
        return await self.house.identity.authenticate(Authenticate(token=token))

    async def choose(
        self, token: str, profile_id: ProfileId, pin: str = "", password: str = ""
    ) -> Caller:
        caller = await self.caller(token)
        await self.house.identity.choose_profile(
            ChooseProfile(
                account_id=self.account.account_id,
                login_id=caller.login_id,
                profile_id=profile_id,
                pin=pin,
                password=password,
            )
        )
        return await self.caller(token)

    async def told(self, kind: type[msgspec.Struct]) -> list[msgspec.Struct]:
        async with self.house.database.transaction() as transaction:
            entries = await self.house.log.read(transaction, [TOPIC], Cursor(), 100)
        return [
            msgspec.json.decode(each.body, type=kind)
            for each in entries
            if each.kind == kind.__name__
        ]


@pytest.fixture
async def home(house: House) -> Home:
    return Home(house, await house.create())


async def test_a_login_of_an_account_with_one_profile_begins_on_it(home: Home) -> None:
    caller = await home.caller((await home.log_in()).token)
    assert (caller.profile_id, caller.maturity, caller.kids) == (home.own, None, False)


async def test_a_login_of_a_household_asks_who_is_watching_and_remembers_it(home: Home) -> None:
    kim = await home.add(maturity=6, kids=True, language="de")
    token = (await home.log_in()).token
    assert (await home.caller(token)).profile_id == ""
    caller = await home.choose(token, kim.profile_id)
    assert (caller.profile_name, caller.maturity, caller.kids) == ("Kim", 6, True)
    assert caller.language == "de"
    home.house.clock.advance(3600)
    other_process = home.house.built()
    again = await other_process.authenticate(Authenticate(token=token))
    assert again.profile_id == kim.profile_id


async def test_a_television_that_was_let_in_asks_who_is_watching(home: Home) -> None:
    await home.add()
    device = await home.house.identity.authorize_device(AuthorizeDevice(device="A television"))
    answer = AnswerDevice(
        account_id=home.account.account_id, user_code=device.user_code, allow=True
    )
    await home.house.identity.answer_device(answer)
    polled = await home.house.identity.poll_device(PollDevice(device_code=device.device_code))
    assert (await home.caller(polled.token)).profile_id == ""


async def test_a_login_of_the_release_before_is_on_the_only_profile(home: Home) -> None:
    token = (await home.log_in()).token
    await home.house.run("update identity.login set profile_id = null")
    assert (await home.house.built().authenticate(Authenticate(token=token))).profile_id == home.own
    await home.add()
    fresh = home.house.built()
    assert (await fresh.authenticate(Authenticate(token=token))).profile_id == ""


async def test_an_account_has_so_many_profiles_and_no_more(home: Home) -> None:
    for number in range(MOST_PROFILES - 1):
        await home.add(f"P{number}")
    with pytest.raises(TooManyProfiles):
        await home.add("One more")
    assert len(await home.names()) == MOST_PROFILES


async def test_two_who_make_the_last_profile_at_once_make_one(home: Home) -> None:
    for number in range(MOST_PROFILES - 2):
        await home.add(f"P{number}")
    made = await asyncio.gather(home.add("A"), home.add("B"), return_exceptions=True)
    assert sorted(type(each).__name__ for each in made) == ["Profile", "TooManyProfiles"]


async def test_a_profile_with_a_pin_is_entered_with_it_each_time(home: Home) -> None:
    kim = await home.add(maturity=6)
    await home.change(home.own, pin=PIN)
    token = (await home.log_in()).token
    with pytest.raises(PinNeeded):
        await home.choose(token, home.own)
    with pytest.raises(WrongPin):
        await home.choose(token, home.own, pin="0000")
    assert (await home.caller(token)).profile_id == ""
    assert (await home.choose(token, home.own, pin=PIN)).maturity is None
    await home.choose(token, kim.profile_id)
    with pytest.raises(PinNeeded):
        await home.choose(token, home.own)
    assert (await home.caller(token)).profile_id == kim.profile_id


async def test_a_pin_of_another_profile_opens_nothing(home: Home) -> None:
    kim = await home.add(pin="1111")
    await home.change(home.own, pin=PIN)
    token = (await home.log_in()).token
    with pytest.raises(WrongPin):
        await home.choose(token, home.own, pin="1111")
    with pytest.raises(WrongPin):
        await home.choose(token, kim.profile_id, pin=PIN)


async def test_guessing_a_pin_is_stopped_and_the_sentence_says_how_long(home: Home) -> None:
    await home.change(home.own, pin=PIN)
    token = (await home.log_in()).token
    for _ in range(5):
        with pytest.raises(WrongPin):
            await home.choose(token, home.own, pin="0000")
    home.house.clock.advance(60)
    with pytest.raises(TooManyTries, match="in 14 minutes"):
        await home.choose(token, home.own, pin=PIN)
    assert (await home.choose(token, home.own, password=PASSWORD)).profile_id == home.own


async def test_guessing_a_pin_is_stopped_for_the_day_too(home: Home) -> None:
    await home.change(home.own, pin=PIN)
    token = (await home.log_in()).token
    for _ in range(4):
        for _ in range(5):
            with pytest.raises(WrongPin):
                await home.choose(token, home.own, pin="0000")
        home.house.clock.advance(timedelta(minutes=16).total_seconds())
    with pytest.raises(TooManyTries, match="today"):
        await home.choose(token, home.own, pin=PIN)
    home.house.clock.advance(timedelta(hours=24).total_seconds())
    assert (await home.choose(token, home.own, pin=PIN)).profile_id == home.own


async def test_a_right_pin_forgets_the_wrong_ones(home: Home) -> None:
    sam = await home.add("Sam")
    await home.change(home.own, pin=PIN)
    token = (await home.log_in()).token
    for _ in range(3):
        for _ in range(4):
            with pytest.raises(WrongPin):
                await home.choose(token, home.own, pin="9999")
        await home.choose(token, home.own, pin=PIN)
        await home.choose(token, sam.profile_id)


async def test_kids_mode_is_left_with_the_password_or_a_pin(home: Home) -> None:
    kim = await home.add(maturity=6, kids=True)
    token = (await home.log_in()).token
    await home.choose(token, kim.profile_id)
    with pytest.raises(PasswordNeeded):
        await home.choose(token, home.own)
    with pytest.raises(PasswordNeeded):
        await home.choose(token, home.own, pin="1234")
    with pytest.raises(WrongPassword):
        await home.choose(token, home.own, password="not this one")
    assert (await home.caller(token)).kids
    assert not (await home.choose(token, home.own, password=PASSWORD)).kids
    await home.change(home.own, pin=PIN)
    await home.choose(token, kim.profile_id)
    assert not (await home.choose(token, home.own, pin=PIN)).kids


async def test_a_kids_profile_goes_to_another_of_no_higher_level_freely(home: Home) -> None:
    small = await home.add("Small", maturity=3, kids=True)
    big = await home.add("Big", maturity=9, kids=True)
    token = (await home.log_in()).token
    await home.choose(token, big.profile_id)
    assert (await home.choose(token, small.profile_id)).maturity == 3
    with pytest.raises(PasswordNeeded):
        await home.choose(token, big.profile_id)


async def test_a_profile_of_another_household_is_unknown(home: Home) -> None:
    stranger = await home.house.create("eve@example.org")
    token = (await home.log_in()).token
    with pytest.raises(UnknownProfile):
        await home.choose(token, stranger.profile_id)
    with pytest.raises(UnknownProfile):
        await home.change(stranger.profile_id, name="Mine", maturity=None)
    with pytest.raises(UnknownProfile):
        await home.delete(stranger.profile_id)
    with pytest.raises(UnknownProfile):
        await home.add(by=stranger.profile_id)


async def test_a_login_of_another_household_is_not_put_on_a_profile(home: Home) -> None:
    await home.house.create("eve@example.org")
    eve = await home.caller((await home.log_in("eve@example.org")).token)
    with pytest.raises(NotLoggedIn):
        await home.house.identity.choose_profile(
            ChooseProfile(
                account_id=home.account.account_id, login_id=eve.login_id, profile_id=home.own
            )
        )
    with pytest.raises(NotLoggedIn):
        await home.house.identity.choose_profile(
            ChooseProfile(
                account_id=home.account.account_id, login_id=LoginId(""), profile_id=home.own
            )
        )


async def test_a_bound_profile_lifts_no_bound(home: Home) -> None:
    teen = await home.add("Teen", maturity=12)
    for fields in ({"maturity": None}, {"maturity": 18}, {"kids": False}, {"pin": "1234"}):
        with pytest.raises(PasswordNeeded):
            await home.change(teen.profile_id, by=teen.profile_id, **fields)
    with pytest.raises(PasswordNeeded):
        await home.add("A way out", by=teen.profile_id)
    with pytest.raises(WrongPassword):
        await home.change(teen.profile_id, by=teen.profile_id, maturity=None, password="a guess")
    renamed = await home.change(teen.profile_id, by=teen.profile_id, name="Cool", color="red")
    assert (renamed.name, renamed.maturity) == ("Cool", 12)
    lifted = await home.change(teen.profile_id, by=teen.profile_id, maturity=16, password=PASSWORD)
    assert lifted.maturity == 16


async def test_a_pin_is_changed_and_forgotten_with_the_password(home: Home) -> None:
    kim = await home.add(pin=PIN)
    assert kim.has_pin
    for pin in ("1234", ""):
        with pytest.raises(PasswordNeeded):
            await home.change(kim.profile_id, pin=pin)
    with pytest.raises(PasswordNeeded):
        await home.delete(kim.profile_id)
    freed = await home.change(kim.profile_id, pin="", password=PASSWORD)
    assert not freed.has_pin
    token = (await home.log_in()).token
    assert (await home.choose(token, kim.profile_id)).profile_id == kim.profile_id


async def test_a_pin_is_kept_as_a_slow_hash_only(home: Home) -> None:
    await home.change(home.own, pin=PIN)
    (kept,) = await home.house.run("select pin_hash from identity.profile")
    assert kept.startswith("$argon2id$")
    assert PIN not in kept


async def test_a_change_of_level_holds_at_once_and_is_told(home: Home) -> None:
    kim = await home.add(maturity=12)
    token = (await home.log_in()).token
    await home.choose(token, kim.profile_id)
    await home.change(kim.profile_id, maturity=6)
    await home.change(kim.profile_id, maturity=6, name="Kimi")
    assert (await home.caller(token)).maturity == 6
    (told,) = await home.told(MaturitySet)
    assert isinstance(told, MaturitySet)
    assert (told.profile_id, told.maturity) == (kim.profile_id, 6)


async def test_a_profile_that_goes_is_told_and_its_logins_ask_anew(home: Home) -> None:
    kim, sam = await home.add(), await home.add("Sam")
    token = (await home.log_in()).token
    await home.choose(token, kim.profile_id)
    await home.delete(kim.profile_id)
    assert (await home.caller(token)).profile_id == ""
    assert kim.name not in await home.names()
    (told,) = await home.told(ProfileDeleted)
    assert isinstance(told, ProfileDeleted)
    assert told.profile_id == kim.profile_id
    await home.delete(sam.profile_id)
    with pytest.raises(UnknownProfile):
        await home.delete(sam.profile_id)


async def test_logins_of_a_kids_profile_end_with_it(home: Home) -> None:
    """Else the question who is watching would be answered by a child."""
    kim = await home.add(kids=True, maturity=6)
    token = (await home.log_in()).token
    await home.choose(token, kim.profile_id)
    await home.delete(kim.profile_id)
    with pytest.raises(NotLoggedIn):
        await home.caller(token)


async def test_the_last_grown_up_stays(home: Home) -> None:
    kim = await home.add(kids=True, maturity=6)
    with pytest.raises(LastProfile):
        await home.delete(home.own)
    with pytest.raises(LastProfile):
        await home.change(home.own, kids=True)
    await home.delete(kim.profile_id)
    with pytest.raises(LastProfile):
        await home.delete(home.own)


async def test_the_first_profile_may_go_and_the_account_stays_whole(home: Home) -> None:
    sam = await home.add("Sam")
    await home.delete(home.own, PASSWORD)
    granted = await home.log_in()
    assert granted.account.profile_id == sam.profile_id
    assert (await home.caller(granted.token)).profile_id == sam.profile_id


async def test_an_account_is_told_with_all_its_profiles(home: Home) -> None:
    await home.add(maturity=6, kids=True, sound_languages=["de"], pin=PIN)
    asked = DescribeAccount(account_id=home.account.account_id)
    own, kim = (await home.house.identity.describe_account(asked)).profiles
    assert own.profile_id == home.own
    assert (kim.name, kim.maturity, kim.kids, kim.has_pin) == ("Kim", 6, True, True)
    assert PIN not in str(kim)
