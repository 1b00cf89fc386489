"""The passport: genuine, in time, or rejected."""

import base64
import string

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.kit.clock import ManualClock
from cuemark.kit.passport import Passport, PassportOffice, PassportRejected

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


@given(st.data())
def test_no_character_can_be_changed(data: st.DataObject) -> None:
    office = PassportOffice(b"key", ManualClock())
    genuine = office.mint(ADA)
    at = data.draw(st.integers(0, len(genuine) - 2))
    other = data.draw(st.sampled_from(string.ascii_letters + string.digits + "-_"))
    if other != genuine[at]:
        with pytest.raises(PassportRejected):
            office.verify(genuine[:at] + other + genuine[at + 1 :])


@given(st.text(max_size=200))
def test_text_from_anywhere_is_rejected_in_peace(text: str) -> None:
    with pytest.raises(PassportRejected):
        PassportOffice(b"key", ManualClock()).verify(text)
