"""The profiles of an account: who views, up to which age a title may be for them, and a PIN.

The messages that change something name who does it by ``by``: the profile that their login is on.
"""

from datetime import datetime
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from cuemark.contracts.ids import AccountId, LoginId, ProfileId
from cuemark.kit.errors import Refusal

MOST_PROFILES = 5
"""Of an account."""
ADULT = 18
"""The highest age that a maturity level can be; without a level there is no bound at all."""
KIDS_AT_MOST = 12
"""The highest maturity level of a kids' profile."""

Color = Literal["red", "orange", "yellow", "green", "teal", "blue", "violet", "gray"]
Avatar = Literal["circle", "square", "triangle", "hexagon", "star", "moon", "wave", "leaf"]


class UnknownProfile(Refusal):
    code = "unknown_profile"
    status = 404


class ProfileInvalid(Refusal):
    code = "profile_invalid"
    status = 422


class TooManyProfiles(Refusal):
    code = "too_many_profiles"
    status = 409


class LastProfile(Refusal):
    code = "last_profile"
    status = 409


class PinNeeded(Refusal):
    code = "pin_needed"
    status = 403


class PasswordNeeded(Refusal):
    code = "password_needed"
    status = 403


class WrongPin(Refusal):
    code = "wrong_pin"
    status = 403


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """Titles are for it up to the age of ``maturity``, from 0 to 18; None: whatever their age.

    ``kids``: it has a page of its own, cannot change the account, and is left with a PIN or the
    account's password only. ``language`` is that of the page and of what is told of titles, the
    other two are preferred in films; all are BCP 47, the best first, and empty ones say nothing.
    """

    profile_id: ProfileId
    name: str
    color: Color = "blue"
    avatar: Avatar = "circle"
    language: str = ""
    sound_languages: list[str] = []
    caption_languages: list[str] = []
    maturity: int | None = None
    kids: bool = False
    has_pin: bool = False
    autoplay: bool = True


class ListProfiles(msgspec.Struct, frozen=True, kw_only=True):
    account_id: AccountId


class ProfileList(msgspec.Struct, frozen=True, kw_only=True):
    """The oldest first. ``most`` is how many the account may have."""

    profiles: list[Profile]
    most: int


class CreateProfile(msgspec.Struct, frozen=True, kw_only=True):
    """``pin`` is empty for none. The account's ``password`` is needed where ``by`` has a bound of
    its own."""

    account_id: AccountId
    by: ProfileId
    name: str
    color: Color = "blue"
    avatar: Avatar = "circle"
    language: str = ""
    sound_languages: list[str] = []
    caption_languages: list[str] = []
    maturity: int | None = None
    kids: bool = False
    pin: str = ""
    autoplay: bool = True
    password: str = ""


class ChangeProfile(msgspec.Struct, frozen=True, kw_only=True):
    """What is not set stays. An empty ``pin`` takes it away.

    The account's ``password`` is needed to change a PIN that there is, and where ``by`` has a bound
    of its own, for whatever guards: level, kids' mode and PIN.
    """

    account_id: AccountId
    by: ProfileId
    profile_id: ProfileId
    name: str | UnsetType = UNSET
    color: Color | UnsetType = UNSET
    avatar: Avatar | UnsetType = UNSET
    language: str | UnsetType = UNSET
    sound_languages: list[str] | UnsetType = UNSET
    caption_languages: list[str] | UnsetType = UNSET
    maturity: int | UnsetType | None = UNSET
    kids: bool | UnsetType = UNSET
    pin: str | UnsetType = UNSET
    autoplay: bool | UnsetType = UNSET
    password: str = ""


class DeleteProfile(msgspec.Struct, frozen=True, kw_only=True):
    """``password`` as in ``CreateProfile``. Logins that are on a kids' profile end with it; others
    ask anew who is watching."""

    account_id: AccountId
    by: ProfileId
    profile_id: ProfileId
    password: str = ""


class ChooseProfile(msgspec.Struct, frozen=True, kw_only=True):
    """Put a login on a profile: with its PIN where it has one, or the account's password.

    From a kids' profile on, one without a PIN takes the account's password, unless it is a kids'
    profile itself and of no higher level.
    """

    account_id: AccountId
    login_id: LoginId
    profile_id: ProfileId
    pin: str = ""
    password: str = ""


class MaturitySet(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What a profile may be shown is something else from now on."""

    account_id: AccountId
    profile_id: ProfileId
    maturity: int | None
    set_at: datetime


class ProfileDeleted(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """The profile is no more: whoever keeps something of it erases that."""

    account_id: AccountId
    profile_id: ProfileId
