"""Which addresses, passwords and names are taken, and how passwords are kept."""

import time

import argon2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.identity.model import credentials as model
from cuemark.contracts.identity import AccountInvalid

NOTICEABLE = argon2.Parameters(
    argon2.Type.ID, 19, salt_len=16, hash_len=32, time_cost=2, memory_cost=8192, parallelism=1
)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Ada@Example.org", "ada@example.org"),
        (" ada@example.org\n", "ada@example.org"),
        ("first.last+films@mail.example.org", "first.last+films@mail.example.org"),
        ("o'brien@example.org", "o'brien@example.org"),
        ("demo@localhost", "demo@localhost"),
        ("ada@xn--mller-kva.example", "ada@xn--mller-kva.example"),
        ("a" * 64 + "@example.org", "a" * 64 + "@example.org"),
    ],
)
def test_an_address_is_kept_in_one_form(written: str, kept: str) -> None:
    assert model.checked_email(written) == kept


@pytest.mark.parametrize(
    "written",
    [
        "",
        "@",
        "ada",
        "ada@",
        "@example.org",
        "ada@@example.org",
        "ada lovelace@example.org",
        ".ada@example.org",
        "ada..l@example.org",
        "ada@example..org",
        "ada@-example.org",
        "ada@example-.org",
        '"ada"@example.org',
        "ada@[127.0.0.1]",
        "ada@example.org\nbcc: all@example.org",
        "ada\0@example.org",
        "a" * 65 + "@example.org",
        "ada@" + "a." * 200 + "org",
        "ada@" + "a" * 64 + ".org",
    ],
)
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(AccountInvalid, match=r"^The mail address .*\.$"):
        model.checked_email(written)


@pytest.mark.parametrize(
    "lookalike",
    [
        "\u0430da@example.org",
        "ada@ex\u0430mple.org",
        "\uff41da@example.org",
        "ada@example\u3002org",
        "m\u0131ke@example.org",
        "\u212aate@example.org",
        "stra\u00dfe@example.org",
        "ad\u200ba@example.org",
        "a\u0301da@example.org",
    ],
)
def test_an_address_that_only_looks_like_another_is_refused(lookalike: str) -> None:
    with pytest.raises(AccountInvalid, match="outside ASCII"):
        model.checked_email(lookalike)


@given(st.text(max_size=80) | st.from_regex(r"[a-zA-Z.+]{1,9}@[a-zA-Z.-]{1,9}", fullmatch=True))
def test_an_accepted_address_is_ascii_in_lower_case_and_stays_as_it_is(written: str) -> None:
    try:
        kept = model.checked_email(written)
    except AccountInvalid:
        return
    assert kept == kept.lower()
    assert kept.isascii()
    assert model.checked_email(kept) == kept


def test_a_giant_address_is_refused_in_no_time() -> None:
    began = time.perf_counter()
    for giant in ("a" * 10**6 + "@b", "a@" + "b." * 10**6, "a@b" + "-" * 10**6, "." * 10**6):
        with pytest.raises(AccountInvalid):
            model.checked_email(giant)
    assert time.perf_counter() - began < 0.5


@pytest.mark.parametrize(
    "password", ["", "seven77", "x" * 1025, "control\x07character", "\ud800" * 9]
)
def test_a_password_that_cannot_be_typed_or_is_of_no_length_is_refused(password: str) -> None:
    with pytest.raises(AccountInvalid, match=r"password"):
        model.checked_password(password)


def test_a_password_is_the_same_from_every_keyboard() -> None:
    assert model.checked_password("cafe\u0301 au lait") == model.checked_password(
        "caf\u00e9 au lait"
    )
    assert model.checked_password("x" * 1024) == "x" * 1024
    assert (
        model.checked_password("p\u00e4ssw\u00f6rd \U0001f3ac") == "p\u00e4ssw\u00f6rd \U0001f3ac"
    )


def test_a_profile_without_a_name_has_the_local_part() -> None:
    assert model.checked_profile_name("", "ada@example.org") == "ada"
    assert model.checked_profile_name("  Ada ", "x@example.org") == "Ada"
    for bad in ("x" * 65, "a\0b", "a\nb", "\ud800"):
        with pytest.raises(AccountInvalid, match="profile"):
            model.checked_profile_name(bad, "ada@example.org")


def test_a_password_matches_its_own_hash_and_no_other() -> None:
    passwords = model.Passwords(argon2.profiles.CHEAPEST)
    first, second = passwords.hash("correct horse"), passwords.hash("correct horse")
    assert first != second
    assert first.startswith("$argon2id$")
    assert passwords.matches(first, "correct horse")
    assert not passwords.matches(first, "correct hors")
    assert not passwords.matches(None, "correct horse")
    assert not passwords.matches("not a hash", "correct horse")


def test_a_hash_of_another_cost_is_stale() -> None:
    cheap, dear = model.Passwords(argon2.profiles.CHEAPEST), model.Passwords(NOTICEABLE)
    old = cheap.hash("correct horse")
    assert not cheap.is_stale(old)
    assert dear.is_stale(old)
    assert dear.matches(old, "correct horse")


def test_the_default_cost_is_the_second_option_of_rfc_9106() -> None:
    assert "$argon2id$v=19$m=65536,t=3,p=4$" in model.Passwords().hash("correct horse")


def test_an_address_that_nobody_has_takes_as_long_as_a_wrong_password() -> None:
    passwords = model.Passwords(NOTICEABLE)
    somebodys = passwords.hash("correct horse")

    def fastest_s(password_hash: str | None) -> float:
        times = []
        for _ in range(7):
            began = time.process_time()
            assert not passwords.matches(password_hash, "wrong horse")
            times.append(time.process_time() - began)
        return min(times)

    assert 0.5 < fastest_s(None) / fastest_s(somebodys) < 2


@pytest.mark.parametrize(
    ("text", "can_be"), [("", False), ("a" * 512, True), ("a" * 513, False), ("é", False)]
)
def test_only_text_of_some_length_is_looked_up(text: str, can_be: bool) -> None:
    assert model.is_token(text) is can_be


def test_tokens_hold_256_bits() -> None:
    tokens = {model.new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert {len(token) for token in tokens} == {43}
