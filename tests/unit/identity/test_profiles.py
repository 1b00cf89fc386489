"""What a profile may be, who may change it, and what must be shown to enter one."""

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cuemark.contexts.identity.model import profiles
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
)
from cuemark.contracts.ids import AccountId, ProfileId

ACCOUNT = AccountId("acc_1")
BY = ProfileId("prf_by")

levels = st.none() | st.integers(0, ADULT)
some = st.builds(
    Profile,
    profile_id=st.integers(0, 9).map(lambda number: ProfileId(f"prf_{number}")),
    name=st.just("Somebody"),
    maturity=levels,
    kids=st.booleans(),
    has_pin=st.booleans(),
)


def valid(profile: Profile) -> Profile:
    """The profile, with the level that kids' mode allows."""
    if profile.kids and (profile.maturity is None or profile.maturity > KIDS_AT_MOST):
        return msgspec.structs.replace(profile, maturity=KIDS_AT_MOST)
    return profile


kept = some.map(valid)


@given(some)
def test_a_kids_profile_always_has_a_level_of_twelve_at_the_most(profile: Profile) -> None:
    try:
        checked = profiles.checked(profile)
    except ProfileInvalid:
        assert profile.kids
        assert profile.maturity is not None
        assert profile.maturity > KIDS_AT_MOST
    else:
        assert not checked.kids or (checked.maturity or 0) <= KIDS_AT_MOST
        assert checked.kids is profile.kids
        assert profiles.checked(checked) == checked


@pytest.mark.parametrize("maturity", [-1, 19, 10**9])
def test_a_level_is_an_age_up_to_eighteen(maturity: int) -> None:
    with pytest.raises(ProfileInvalid, match="0 to 18"):
        profiles.checked(Profile(profile_id=BY, name="A", maturity=maturity))


@pytest.mark.parametrize("pin", ["", "123", "12345", "12a4", "١٢٣٤", "1234\n", " 123"])
def test_a_pin_is_four_digits_and_nothing_else(pin: str) -> None:
    with pytest.raises(ProfileInvalid):
        profiles.checked_pin(pin)


@pytest.mark.parametrize("tag", ["", "x" * 36, "en_US", "e n", "qqqqqqqq-!", "12", "\0", "en-"])
def test_a_language_that_is_none_is_refused(tag: str) -> None:
    with pytest.raises(ProfileInvalid):
        profiles.checked(Profile(profile_id=BY, name="A", sound_languages=[tag]))


def test_languages_are_kept_as_they_are_written_everywhere() -> None:
    profile = Profile(
        profile_id=BY, name=" A ", language="PT-br", sound_languages=["eng", "en", "iw"]
    )
    checked = profiles.checked(profile)
    assert (checked.name, checked.language, checked.sound_languages) == ("A", "pt-BR", ["en", "he"])


@given(st.text(max_size=40))
def test_any_text_is_a_language_or_refused(text: str) -> None:
    try:
        checked = profiles.checked(Profile(profile_id=BY, name="A", language=text))
    except ProfileInvalid:
        return
    again = msgspec.structs.replace(checked, language=checked.language)
    assert profiles.checked(again).language == checked.language


@given(st.none() | kept, kept)
def test_nobody_leaves_kids_mode_or_passes_a_pin_without_showing_something(
    current: Profile | None, wanted: Profile
) -> None:
    proof = profiles.to_enter(current, wanted)
    if current is not None and current.profile_id == wanted.profile_id:
        assert proof == "nothing"
        return
    if wanted.has_pin:
        assert proof == "pin"
    if current is not None and current.kids and not wanted.kids:
        assert proof != "nothing"
    if proof == "nothing" and current is not None and current.kids:
        assert wanted.kids
        assert (wanted.maturity or 0) <= (current.maturity or 0)


@given(kept, kept, st.sampled_from(["maturity", "kids", "pin"]))
def test_whoever_is_bound_changes_no_guard_without_the_password(
    by: Profile, profile: Profile, field: str
) -> None:
    assume(by.maturity is not None)
    value: dict[str, object] = {"maturity": None, "kids": False, "pin": ""}
    asked = ChangeProfile(account_id=ACCOUNT, by=BY, profile_id=profile.profile_id)
    asked = msgspec.structs.replace(asked, **{field: value[field]})
    assert profiles.change_needs_password(by, profile, asked)
    assert profiles.create_needs_password(by)
    assert profiles.delete_needs_password(by, profile)


@given(kept, kept)
def test_a_pin_that_there_is_changes_with_the_password_only(by: Profile, profile: Profile) -> None:
    asked = ChangeProfile(account_id=ACCOUNT, by=BY, profile_id=profile.profile_id, pin="1234")
    assert profiles.change_needs_password(by, profile, asked) or not profile.has_pin


@given(kept)
def test_a_name_and_a_color_need_no_password(profile: Profile) -> None:
    asked = ChangeProfile(
        account_id=ACCOUNT, by=BY, profile_id=profile.profile_id, name="New", color="red"
    )
    assert not profiles.change_needs_password(profile, profile, asked)
    changed = profiles.changed(profile, asked)
    assert changed == msgspec.structs.replace(profile, name="New", color="red")


def test_what_is_not_named_in_a_change_stays() -> None:
    profile = Profile(profile_id=BY, name="Kim", maturity=6, kids=True, has_pin=True)
    asked = ChangeProfile(account_id=ACCOUNT, by=BY, profile_id=BY, autoplay=False)
    assert profiles.changed(profile, asked) == msgspec.structs.replace(profile, autoplay=False)


def test_a_level_can_be_taken_away() -> None:
    profile = Profile(profile_id=BY, name="Kim", maturity=6)
    asked = ChangeProfile(account_id=ACCOUNT, by=BY, profile_id=BY, maturity=None)
    assert profiles.changed(profile, asked).maturity is None


def test_kids_mode_takes_its_level_with_it() -> None:
    asked = CreateProfile(account_id=ACCOUNT, by=BY, name="Kim", kids=True)
    assert profiles.created(asked, BY).maturity == KIDS_AT_MOST


def test_a_household_has_a_bound_and_somebody_grown_up() -> None:
    one = Profile(profile_id=BY, name="A")
    kid = Profile(profile_id=BY, name="K", kids=True, maturity=6)
    profiles.check_household([kid] * (MOST_PROFILES - 1) + [one])
    with pytest.raises(TooManyProfiles):
        profiles.check_household([one] * (MOST_PROFILES + 1))
    with pytest.raises(LastProfile):
        profiles.check_household([kid, kid])
    with pytest.raises(LastProfile):
        profiles.check_household([])


@given(st.lists(kept, min_size=1, max_size=5))
def test_a_login_begins_on_the_only_profile_or_asks(household: list[Profile]) -> None:
    begins = profiles.to_begin_with(household)
    alone = len(household) == 1 and not household[0].has_pin
    assert begins == (household[0].profile_id if alone else None)
