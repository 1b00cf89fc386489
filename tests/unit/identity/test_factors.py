"""Codes of apps and recovery codes, and to whom passkeys are bound."""

import contextlib
from datetime import UTC, datetime, timedelta

import msgspec
import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.identity.model import passkeys
from cuemark.contexts.identity.model.factors import (
    RECOVERY_CODES,
    FactorKeys,
    SealBroken,
    new_recovery_codes,
    new_secret,
    recovery_code_of,
    step_of,
    steps_of,
    uri_of,
)
from cuemark.contracts.identity.factors import PasskeyAnswer, WrongFactor
from tests.authenticators import Authenticator, b64

AT = datetime(2026, 1, 1, tzinfo=UTC)
PARTY = passkeys.RelyingParty("films.example", "https://films.example", "Kino")
CHALLENGE = b64(bytes(32))


@pytest.mark.parametrize(
    ("at_s", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_the_standard(at_s: int, code: str) -> None:
    """RFC 6238, appendix B, for SHA-1, of which an app shows the last six digits."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    now = datetime.fromtimestamp(at_s, UTC)
    assert steps_of(secret, code, now) == [at_s // 30]
    assert steps_of(secret, f" {code[:3]} {code[3:]}\n", now) == [at_s // 30]


@given(st.integers(0, 2**33), st.integers(-4, 4))
def test_a_code_counts_for_its_step_and_the_ones_beside_it(at_s: int, apart: int) -> None:
    secret, now = new_secret(), datetime.fromtimestamp(at_s + 200, UTC)
    here = step_of(now)
    found = steps_of(secret, pyotp.TOTP(secret).generate_otp(here + apart), now)
    assert (here + apart in found) is (abs(apart) <= 1)
    assert found == sorted(found, reverse=True)


@given(st.text(max_size=80))
def test_what_is_no_code_is_none_and_nothing_falls_over_it(typed: str) -> None:
    steps = steps_of("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", typed, AT)
    assert not steps or "".join(typed.split()).isascii()
    plain = recovery_code_of(typed)
    assert plain == "" or recovery_code_of(plain) == plain


def test_recovery_codes_are_read_as_people_write_them() -> None:
    codes = new_recovery_codes()
    assert len({recovery_code_of(code) for code in codes}) == RECOVERY_CODES
    for code in codes:
        plain = recovery_code_of(code)
        assert len(plain) == 16
        sloppy = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
        assert recovery_code_of(f" {sloppy} ") == plain
        assert steps_of("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", code, AT) == []


@given(st.binary(min_size=32, max_size=32), st.text(max_size=20), st.binary(max_size=60))
def test_a_sealed_secret_opens_by_its_key_for_its_account_alone(
    key: bytes, account: str, other: bytes
) -> None:
    keys, secret = FactorKeys(key), new_secret()
    sealed = keys.seal(secret, account)
    assert keys.open(sealed, account) == secret
    assert secret.encode() not in sealed
    wrong = [
        (FactorKeys(key + b"x"), sealed, account),
        (keys, sealed, account + "x"),
        (keys, sealed[:-1], account),
        (keys, other, account),
    ]
    for opener, data, whose in wrong:
        with pytest.raises(SealBroken):
            opener.open(data, whose)
    code = recovery_code_of(new_recovery_codes()[0])
    assert keys.digest_of(code, account) != keys.digest_of(code, account + "x")
    assert keys.digest_of(code, account) != FactorKeys(key + b"x").digest_of(code, account)


def test_an_app_is_told_whose_it_is() -> None:
    uri = uri_of("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "ada@example.org", "Kino & Co")
    assert uri.startswith("otpauth://totp/Kino%20%26%20Co:ada%40example.org?secret=GEZ")
    assert uri.endswith("issuer=Kino%20%26%20Co")


@pytest.mark.parametrize(
    ("url", "party"),
    [
        ("https://films.example", ("films.example", "https://films.example")),
        ("https://Films.Example:443/", ("films.example", "https://films.example")),
        ("https://films.example:8443", ("films.example", "https://films.example:8443")),
        ("http://localhost:8080", ("localhost", "http://localhost:8080")),
        ("http://localhost:80", ("localhost", "http://localhost")),
        ("http://films.example", None),
        ("http://127.0.0.1:8080", None),
        ("https://192.0.2.1", None),
        ("https://[2001:db8::1]", None),
        ("", None),
    ],
)
def test_passkeys_are_bound_to_the_public_address(url: str, party: tuple[str, str] | None) -> None:
    found = passkeys.relying_party_of(url, "Kino")
    assert (found and found[:2]) == party


@given(st.sampled_from(PasskeyAnswer.__struct_fields__[1:6]), st.data())
def test_an_answer_with_a_part_that_is_not_its_own_is_wrong(name: str, data: st.DataObject) -> None:
    device = Authenticator()
    made = device.make(CHALLENGE)
    kept = passkeys.made(made, CHALLENGE, PARTY)
    right = device.answer(CHALLENGE)
    assert passkeys.checked(right, CHALLENGE, PARTY, kept.public_key) == 1
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_="
    text = data.draw(st.text(alphabet, max_size=300) | st.text(max_size=20))
    if name in ("client_data", "authenticator_data", "signature"):
        wrong = msgspec.structs.replace(right, **{name: text})
        with pytest.raises(WrongFactor):
            passkeys.checked(wrong, CHALLENGE, PARTY, kept.public_key)
    if name in ("client_data", "attestation"):
        wrong = msgspec.structs.replace(made, **{name: text})
        with pytest.raises(WrongFactor):
            passkeys.made(wrong, CHALLENGE, PARTY)


@given(st.integers(0, 400), st.integers(1, 255))
def test_no_bit_of_what_is_signed_can_be_another(at: int, flip: int) -> None:
    device = Authenticator(algorithm="eddsa")
    kept = passkeys.made(device.make(CHALLENGE), CHALLENGE, PARTY)
    right = device.answer(CHALLENGE)
    for name in ("authenticator_data", "signature"):
        whole = bytearray(passkeys.decoded(getattr(right, name)))
        whole[at % len(whole)] ^= flip
        wrong = msgspec.structs.replace(right, **{name: b64(bytes(whole))})
        with pytest.raises(WrongFactor):
            passkeys.checked(wrong, CHALLENGE, PARTY, kept.public_key)


@given(st.integers(0, 400), st.integers(1, 255))
def test_a_registration_with_a_bit_that_is_another_is_read_or_refused(at: int, flip: int) -> None:
    made = Authenticator().make(CHALLENGE)
    whole = bytearray(passkeys.decoded(made.attestation))
    whole[at % len(whole)] ^= flip
    wrong = msgspec.structs.replace(made, attestation=b64(bytes(whole)))
    with contextlib.suppress(WrongFactor):
        passkeys.made(wrong, CHALLENGE, PARTY)


def test_times_are_told_from_the_clock_that_is_given() -> None:
    secret = new_secret()
    code = pyotp.TOTP(secret).at(AT)
    assert steps_of(secret, code, AT) == [step_of(AT)]
    assert steps_of(secret, code, AT + timedelta(hours=1)) == []
