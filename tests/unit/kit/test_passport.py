"""The passport: genuine, in time, or rejected."""

import base64
import hmac
import string
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.kit.clock import ManualClock
from cuemark.kit.passport import (
    Passport,
    PassportOffice,
    PassportRejected,
    Role,
    appliance_key,
)

ADA = Passport(subject="acc_ada", role="member", profile_id="prf_ada")


def test_a_minted_passport_says_who_calls() -> None:
    office = PassportOffice(b"key", ManualClock())
    passport = office.verify(office.mint(ADA))
    assert (passport.subject, passport.role, passport.profile_id) == (
        "acc_ada",
        "member",
        "prf_ada",
    )


def test_a_passport_ends_after_its_time() -> None:
    clock = ManualClock()
    office = PassportOffice(b"key", clock, ttl_s=60)
    text = office.mint(ADA)
    clock.advance(60)
    assert office.verify(text)
    clock.advance(1)
    with pytest.raises(PassportRejected, match="past its time"):
        office.verify(text)


def test_a_passport_of_another_office_is_rejected() -> None:
    clock = ManualClock()
    with pytest.raises(PassportRejected):
        PassportOffice(b"key", clock).verify(PassportOffice(b"other key", clock).mint(ADA))


def test_claims_that_were_changed_are_rejected() -> None:
    office = PassportOffice(b"key", ManualClock())
    body, _, signature = office.mint(ADA).partition(".")
    operator = msgspec.structs.replace(ADA, role="operator", expires_at_s=2**40)
    forged = base64.urlsafe_b64encode(msgspec.json.encode(operator)).rstrip(b"=").decode()
    for text in (f"{forged}.{signature}", f"{forged}.", forged, f"{body}.", f".{signature}"):
        with pytest.raises(PassportRejected):
            office.verify(text)


def test_an_appliance_signs_that_it_is_itself_and_nothing_else() -> None:
    clock = ManualClock()
    install = PassportOffice(b"key", clock)
    oslo = PassportOffice(appliance_key(b"key", "oslo"), clock)
    told = install.verify(oslo.mint(Passport(subject="oslo", role="appliance")))
    assert (told.subject, told.role) == ("oslo", "appliance")
    others = [Passport(subject="bergen", role="appliance"), Passport(subject="", role="appliance")]
    others += [Passport(subject="oslo", role=each) for each in get_args(Role) if each != told.role]
    for claimed in others:
        with pytest.raises(PassportRejected, match="not one of ours"):
            install.verify(oslo.mint(claimed))


def test_appliances_verify_nothing_of_one_another_or_of_the_install() -> None:
    clock = ManualClock()
    oslo = PassportOffice(appliance_key(b"key", "oslo"), clock)
    for office in (
        PassportOffice(b"key", clock),
        PassportOffice(appliance_key(b"key", "bergen"), clock),
    ):
        for role in get_args(Role):
            with pytest.raises(PassportRejected):
                oslo.verify(office.mint(Passport(subject="bergen", role=role)))


def test_what_an_install_signs_of_an_appliance_is_genuine() -> None:
    """Files that were written before appliances had keys of their own have the install's."""
    office = PassportOffice(b"key", ManualClock())
    assert office.verify(office.mint(Passport(subject="oslo", role="appliance"))).subject == "oslo"


@given(st.data())
def test_no_character_can_be_changed(data: st.DataObject) -> None:
    office = PassportOffice(b"key", ManualClock())
    genuine = office.mint(ADA)
    at = data.draw(st.integers(0, len(genuine) - 2))
    other = data.draw(st.sampled_from(string.ascii_letters + string.digits + "-_"))
    if other != genuine[at]:
        with pytest.raises(PassportRejected):
            office.verify(genuine[:at] + other + genuine[at + 1 :])


_TEXTS = st.text(max_size=30)
PASSPORTS = st.builds(
    Passport,
    subject=_TEXTS,
    role=st.sampled_from(get_args(Role)),
    profile_id=_TEXTS,
    device=_TEXTS,
    maturity=st.none() | st.integers(0, 18),
    kids=st.booleans(),
    level=st.sampled_from([1, 2]),
    proved_at_s=st.integers(0, 2**40),
    staff_id=_TEXTS,
    staff_role=_TEXTS,
)


@given(PASSPORTS)
def test_a_passport_arrives_as_it_was_minted(passport: Passport) -> None:
    office = PassportOffice(b"key", ManualClock())
    arrived = office.verify(office.mint(passport))
    assert msgspec.structs.replace(arrived, expires_at_s=0) == passport


OPTIONAL = sorted({each.name for each in msgspec.structs.fields(Passport)} - {"subject", "role"})


NEWER = st.text(max_size=30).filter(lambda name: not hasattr(Passport, name))


@given(PASSPORTS, st.sets(st.sampled_from(OPTIONAL)), st.dictionaries(NEWER, st.integers()))
def test_a_passport_of_another_release_is_read_by_what_both_know(
    passport: Passport, unknown_there: set[str], unknown_here: dict[str, int]
) -> None:
    """One that tells no time of its end is past it."""
    clock = ManualClock()
    office = PassportOffice(b"key", clock)
    claims = msgspec.to_builtins(office.verify(office.mint(passport)))
    told = {name: claim for name, claim in claims.items() if name not in unknown_there}
    text = signed(b"key", {**unknown_here, **told})
    if "expires_at_s" in unknown_there:
        with pytest.raises(PassportRejected, match="past its time"):
            office.verify(text)
        return
    arrived = office.verify(text)
    for name in told:
        assert getattr(arrived, name) == claims[name]
    fresh = Passport(subject="", role="member")
    for name in unknown_there:
        assert getattr(arrived, name) == getattr(fresh, name)


def signed(key: bytes, claims: dict[str, object]) -> str:
    """A passport as any release writes it, made here without the office."""
    body = base64.urlsafe_b64encode(msgspec.json.encode(claims)).rstrip(b"=")
    signature = base64.urlsafe_b64encode(hmac.digest(key, body, "sha256")).rstrip(b"=")
    return f"{body.decode()}.{signature.decode()}"


@given(st.text(max_size=200))
def test_text_from_anywhere_is_rejected_in_peace(text: str) -> None:
    with pytest.raises(PassportRejected):
        PassportOffice(b"key", ManualClock()).verify(text)
