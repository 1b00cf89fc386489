"""The profiles of the caller's own account, and which one this login is on."""

import msgspec
from litestar import get, patch, post, put
from litestar.params import FromPath, JSONBody

from cuemark.contracts.identity.profiles import (
    ChangeProfile,
    ChooseProfile,
    CreateProfile,
    DeleteProfile,
    ListProfiles,
    Profile,
)
from cuemark.contracts.ids import ProfileId
from cuemark.gateway.parts import AnyRequest, Parts
from cuemark.gateway.profile_views import (
    NewProfileBody,
    ProfileBody,
    ProfileChoiceBody,
    ProfileDeletionBody,
    ProfileListView,
)
from cuemark.gateway.views import API

_PROFILES = f"{API}/profiles"
_PROFILE = f"{_PROFILES}/{{profile_id:str}}"


@get(_PROFILES, opt={"access": "member", "profile": "any"}, tags=["profiles"])
async def list_profiles(parts: Parts, request: AnyRequest) -> ProfileListView:
    found = await parts.identity.list_profiles(ListProfiles(account_id=request.user.account_id))
    return ProfileListView(
        profiles=found.profiles, current=request.user.profile_id, most=found.most
    )


@post(_PROFILES, opt={"access": "member"}, tags=["profiles"])
async def create_profile(
    data: JSONBody[NewProfileBody], parts: Parts, request: AnyRequest
) -> Profile:
    """A profile that has a bound of its own makes others with the account's password only."""
    return await parts.identity.create_profile(
        CreateProfile(
            account_id=request.user.account_id,
            by=request.user.profile_id,
            **msgspec.structs.asdict(data),
        )
    )


@patch(_PROFILE, opt={"access": "member"}, tags=["profiles"])
async def change_profile(
    profile_id: FromPath[str], data: JSONBody[ProfileBody], parts: Parts, request: AnyRequest
) -> Profile:
    """The account's password is needed to change a PIN that there is; and from a profile that has
    a bound, for levels, kids' mode and PINs."""
    return await parts.identity.change_profile(
        ChangeProfile(
            account_id=request.user.account_id,
            by=request.user.profile_id,
            profile_id=ProfileId(profile_id),
            **msgspec.structs.asdict(data),
        )
    )


@post(f"{_PROFILE}/deletion", opt={"access": "member"}, status_code=204, tags=["profiles"])
async def delete_profile(
    profile_id: FromPath[str],
    data: JSONBody[ProfileDeletionBody],
    parts: Parts,
    request: AnyRequest,
) -> None:
    """With all that is kept of it. The last that is no kids' profile stays."""
    await parts.identity.delete_profile(
        DeleteProfile(
            account_id=request.user.account_id,
            by=request.user.profile_id,
            profile_id=ProfileId(profile_id),
            password=data.password,
        )
    )


@put(f"{API}/profile", opt={"access": "member", "profile": "any"}, tags=["profiles"])
async def choose_profile(
    data: JSONBody[ProfileChoiceBody], parts: Parts, request: AnyRequest
) -> Profile:
    """Who is watching from now on, on this login. `pin_needed` and `password_needed` say what is
    to be shown."""
    return await parts.identity.choose_profile(
        ChooseProfile(
            account_id=request.user.account_id,
            login_id=request.user.login_id,
            profile_id=ProfileId(data.profile_id),
            pin=data.pin,
            password=data.password,
        )
    )
