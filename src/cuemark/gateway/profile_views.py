"""What the API takes and gives about profiles. What a body does not name is not looked at."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from cuemark.contracts.identity.profiles import ADULT, Avatar, Color, Profile
from cuemark.gateway.views import Line, Secret, View

Age = Annotated[int, Meta(ge=0, le=ADULT)]
Pin = Annotated[str, Meta(max_length=4, pattern=r"^([0-9]{4})?\Z")]
Tag = Annotated[str, Meta(max_length=35)]
Tags = Annotated[list[Tag], Meta(max_length=8)]


class ProfileListView(View, frozen=True):
    """``current`` is the one that this login is on, empty where nobody has said so yet; ``most`` is
    how many there may be."""

    profiles: list[Profile]
    current: str
    most: int


class NewProfileBody(View, frozen=True):
    """``pin`` is four digits, or empty for none; ``password`` is the account's."""

    name: Line
    color: Color = "blue"
    avatar: Avatar = "circle"
    language: Tag = ""
    sound_languages: Tags = msgspec.field(default_factory=list)
    caption_languages: Tags = msgspec.field(default_factory=list)
    maturity: Age | None = None
    kids: bool = False
    pin: Pin = ""
    autoplay: bool = True
    password: Secret = ""


class ProfileBody(View, frozen=True):
    """What is left out stays as it is; an empty ``pin`` takes the PIN away, and ``null`` the
    level."""

    name: Line | UnsetType = UNSET
    color: Color | UnsetType = UNSET
    avatar: Avatar | UnsetType = UNSET
    language: Tag | UnsetType = UNSET
    sound_languages: Tags | UnsetType = UNSET
    caption_languages: Tags | UnsetType = UNSET
    maturity: Age | UnsetType | None = UNSET
    kids: bool | UnsetType = UNSET
    pin: Pin | UnsetType = UNSET
    autoplay: bool | UnsetType = UNSET
    password: Secret = ""


class ProfileDeletionBody(View, frozen=True):
    password: Secret = ""


class ProfileChoiceBody(View, frozen=True):
    """``pin`` is the profile's; ``password``, the account's, stands for it."""

    profile_id: Line
    pin: Pin = ""
    password: Secret = ""
