"""What every caller may rely on of profiles, however identity is reached: each way once."""

from collections.abc import AsyncIterator

import argon2
import pytest

from cuemark.contexts.identity import wiring
from cuemark.contracts.identity import Account, Authenticate, CreateAccount, Identity, Login
from cuemark.contracts.identity.joining import TooManyTries
from cuemark.contracts.identity.profiles import (
    ChangeProfile,
    ChooseProfile,
    CreateProfile,
    DeleteProfile,
    LastProfile,
    ListProfiles,
    PasswordNeeded,
    PinNeeded,
    Profile,
    ProfileInvalid,
    TooManyProfiles,
    UnknownProfile,
    WrongPin,
)
from cuemark.contracts.ids import LoginId, ProfileId
from cuemark.kit import mail
from cuemark.kit.clock import ManualClock
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Log
from tests.contract.conftest import Reach
from tests.databases import opened

EMAIL, PASSWORD = "ada@example.org", "correct horse battery"


@pytest.fixture
async def identity(reach: Reach, database_url: str) -> AsyncIterator[Identity]:
    async with opened(database_url, wiring, mail) as database:
        clock = ManualClock()
        room = wiring.build(
            database,
            Log(clock),
            clock,
            Ids(clock),
            operator_token="operator",
            key=bytes(32),
            cost=argon2.profiles.CHEAPEST,
        )
        yield await reach(Identity, room.service)


@pytest.fixture
async def ada(identity: Identity) -> Account:
    return await identity.create_account(CreateAccount(email=EMAIL, password=PASSWORD))


async def login_id(identity: Identity) -> LoginId:
    token = (await identity.login(Login(email=EMAIL, password=PASSWORD))).token
    return (await identity.authenticate(Authenticate(token=token))).login_id


async def test_a_profile_is_told_as_it_was_made_and_changed(
    identity: Identity, ada: Account
) -> None:
    made = await identity.create_profile(
        CreateProfile(
            account_id=ada.account_id,
            by=ada.profile_id,
            name="Kim",
            color="red",
            avatar="star",
            language="de",
            sound_languages=["de", "en"],
            caption_languages=["en"],
            maturity=6,
            kids=True,
            pin="1234",
            autoplay=False,
        )
    )
    assert made == Profile(
        profile_id=made.profile_id,
        name="Kim",
        color="red",
        avatar="star",
        language="de",
        sound_languages=["de", "en"],
        caption_languages=["en"],
        maturity=6,
        kids=True,
        has_pin=True,
        autoplay=False,
    )
    changed = await identity.change_profile(
        ChangeProfile(
            account_id=ada.account_id,
            by=ada.profile_id,
            profile_id=made.profile_id,
            kids=False,
            maturity=None,
        )
    )
    assert (changed.kids, changed.maturity, changed.avatar) == (False, None, "star")
    listed = await identity.list_profiles(ListProfiles(account_id=ada.account_id))
    assert [each.profile_id for each in listed.profiles] == [ada.profile_id, made.profile_id]
    assert listed.profiles[1] == changed


async def test_every_refusal_comes_as_itself(identity: Identity, ada: Account) -> None:
    new = CreateProfile(account_id=ada.account_id, by=ada.profile_id, name="Kim")
    kim = await identity.create_profile(
        CreateProfile(account_id=ada.account_id, by=ada.profile_id, name="K", kids=True, pin="1234")
    )
    login = await login_id(identity)

    async def choose(profile_id: ProfileId, pin: str = "") -> Profile:
        return await identity.choose_profile(
            ChooseProfile(account_id=ada.account_id, login_id=login, profile_id=profile_id, pin=pin)
        )

    async def delete(profile_id: ProfileId) -> None:
        await identity.delete_profile(
            DeleteProfile(account_id=ada.account_id, by=ada.profile_id, profile_id=profile_id)
        )

    with pytest.raises(ProfileInvalid):
        await identity.create_profile(
            CreateProfile(account_id=ada.account_id, by=ada.profile_id, name=" ")
        )
    with pytest.raises(UnknownProfile):
        await choose(ProfileId("prf_none"))
    with pytest.raises(PinNeeded):
        await choose(kim.profile_id)
    for _ in range(5):
        with pytest.raises(WrongPin):
            await choose(kim.profile_id, "4321")
    with pytest.raises(TooManyTries):
        await choose(kim.profile_id, "1234")
    with pytest.raises(PasswordNeeded):
        await delete(kim.profile_id)
    with pytest.raises(LastProfile):
        await delete(ada.profile_id)
    for _ in range(3):
        await identity.create_profile(new)
    with pytest.raises(TooManyProfiles):
        await identity.create_profile(new)


async def test_a_login_is_put_on_a_profile(identity: Identity, ada: Account) -> None:
    kim = await identity.create_profile(
        CreateProfile(account_id=ada.account_id, by=ada.profile_id, name="K", kids=True, maturity=3)
    )
    token = (await identity.login(Login(email=EMAIL, password=PASSWORD))).token
    asking = await identity.authenticate(Authenticate(token=token))
    assert (asking.profile_id, asking.maturity) == ("", None)
    await identity.choose_profile(
        ChooseProfile(
            account_id=ada.account_id, login_id=asking.login_id, profile_id=kim.profile_id
        )
    )
    caller = await identity.authenticate(Authenticate(token=token))
    assert (caller.profile_id, caller.maturity, caller.kids) == (kim.profile_id, 3, True)
