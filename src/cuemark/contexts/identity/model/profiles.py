"""What a profile may be, who may change it, and what a login shows to be put on one."""

import re
from collections.abc import Sequence
from typing import Literal

import langcodes
import msgspec
from langcodes.tag_parser import LanguageTagError
from msgspec import UNSET

from cuemark.contexts.identity.model.credentials import checked_profile_name
from cuemark.contracts.identity.profiles import (
    ADULT,
    KIDS_AT_MOST,
    MOST_PROFILES,
    ChangeProfile,
    CreateProfile,
    LastProfile,
    Profile,
    ProfileInvalid,
    TooManyProfiles,
    UnknownProfile,
)
from cuemark.contracts.ids import ProfileId

MOST_LANGUAGES = 8
_PIN = re.compile(r"[0-9]{4}", re.ASCII)
_TAG = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*", re.ASCII)
_LONGEST_TAG = 35
_KEPT = (
    *("name", "color", "avatar", "language", "sound_languages", "caption_languages"),
    *("maturity", "kids", "autoplay"),
)
"""The fields of a profile that whoever changes it may name."""
_GUARDS = ("maturity", "kids", "pin")

Proof = Literal["nothing", "pin", "password"]


def checked(profile: Profile) -> Profile:
    """The profile as it is kept; a kids' profile without a level gets the highest that it may have.

    Raises ``ProfileInvalid``.
    """
    if not profile.name.strip():
        raise ProfileInvalid("A profile needs a name.")
    maturity = profile.maturity
    if maturity is not None and not 0 <= maturity <= ADULT:
        raise ProfileInvalid(f"A maturity level is an age from 0 to {ADULT}, or none.")
    if profile.kids:
        maturity = KIDS_AT_MOST if maturity is None else maturity
        if maturity > KIDS_AT_MOST:
            raise ProfileInvalid(
                f"A kids' profile has a maturity level of {KIDS_AT_MOST} at the most."
            )
    return msgspec.structs.replace(
        profile,
        name=checked_profile_name(profile.name, ""),
        language=_language(profile.language) if profile.language else "",
        sound_languages=_languages(profile.sound_languages),
        caption_languages=_languages(profile.caption_languages),
        maturity=maturity,
    )


def checked_pin(pin: str) -> str:
    """A PIN that is to be kept; raises ``ProfileInvalid``."""
    if not _PIN.fullmatch(pin):
        raise ProfileInvalid("A PIN has four digits.")
    return pin


def created(request: CreateProfile, profile_id: ProfileId) -> Profile:
    """The profile that is asked for; raises ``ProfileInvalid``."""
    told = {name: getattr(request, name) for name in _KEPT}
    return checked(Profile(profile_id=profile_id, has_pin=bool(request.pin), **told))


def changed(profile: Profile, request: ChangeProfile) -> Profile:
    """The profile as it will be; raises ``ProfileInvalid``."""
    asked = {name: getattr(request, name) for name in _KEPT}
    told = {name: value for name, value in asked.items() if value is not UNSET}
    if request.pin is not UNSET:
        told["has_pin"] = bool(request.pin)
    return checked(msgspec.structs.replace(profile, **told))


def found(profiles: Sequence[Profile], profile_id: ProfileId) -> Profile:
    """The one of an account's profiles; raises ``UnknownProfile``."""
    for each in profiles:
        if each.profile_id == profile_id:
            return each
    raise UnknownProfile("This account has no such profile.")


def check_household(profiles: Sequence[Profile]) -> None:
    """Raises ``TooManyProfiles``, and ``LastProfile`` where nobody is left who could leave kids'
    mode."""
    if len(profiles) > MOST_PROFILES:
        raise TooManyProfiles(f"An account has {MOST_PROFILES} profiles at the most.")
    if all(each.kids for each in profiles):
        raise LastProfile("An account keeps one profile at least that is no kids' profile.")


def create_needs_password(by: Profile) -> bool:
    """Whoever is bound does not make profiles without the account's password."""
    return by.maturity is not None


def delete_needs_password(by: Profile, profile: Profile) -> bool:
    return by.maturity is not None or profile.has_pin


def change_needs_password(by: Profile, profile: Profile, request: ChangeProfile) -> bool:
    guarded = any(getattr(request, name) is not UNSET for name in _GUARDS)
    if guarded and by.maturity is not None:
        return True
    return profile.has_pin and request.pin is not UNSET


def to_enter(current: Profile | None, wanted: Profile) -> Proof:
    """What must be shown to put a login, which is on ``current``, on ``wanted``."""
    if current is not None and current.profile_id == wanted.profile_id:
        return "nothing"
    if wanted.has_pin:
        return "pin"
    if current is None or not current.kids:
        return "nothing"
    return "nothing" if wanted.kids and _level(wanted) <= _level(current) else "password"


def to_begin_with(profiles: Sequence[Profile]) -> ProfileId | None:
    """The profile of a login that begins: the only one, if it has no PIN; else one is asked for."""
    (first, *others) = profiles
    return None if others or first.has_pin else first.profile_id


def _level(profile: Profile) -> int:
    return ADULT + 1 if profile.maturity is None else profile.maturity


def _languages(tags: Sequence[str]) -> list[str]:
    if len(tags) > MOST_LANGUAGES:
        raise ProfileInvalid(f"A profile has {MOST_LANGUAGES} languages of a kind at the most.")
    return list(dict.fromkeys(_language(tag) for tag in tags))


def _language(tag: str) -> str:
    """The tag as it is written everywhere; raises ``ProfileInvalid``."""
    try:
        if len(tag) <= _LONGEST_TAG and _TAG.fullmatch(tag):
            written: str = langcodes.standardize_tag(tag)
            if langcodes.tag_is_valid(written) and _TAG.fullmatch(written):
                return written
    except LanguageTagError:
        pass
    raise ProfileInvalid(f"{tag[:_LONGEST_TAG]!r} is no language tag: write one such as pt-BR.")
