"""Who may have which key, and how a key is kept."""

import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.licensing.model import keys as model
from cuemark.contexts.licensing.model.keys import LicenceSession, WrappedKey
from cuemark.contexts.licensing.model.master_keys import MasterKey, WrongMasterKey
from cuemark.contracts.ids import AccountId, PlaySessionId, VersionId
from cuemark.contracts.licensing import ContentKey, LicenceInvalid, LicenceKey, LicenceRefused

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OWNER = AccountId("acc_owner")


def session(closed: bool = False, ttl_s: float = 60) -> LicenceSession:
    return LicenceSession(
        PlaySessionId("play_1"), OWNER, VersionId("ver_1"), NOW + timedelta(seconds=ttl_s), closed
    )


def test_key_wrap_gives_the_published_vector() -> None:
    """RFC 3394, section 4.3: 128 bits of key data under a 256-bit key."""
    master = MasterKey(bytes(range(32)))
    wrapped = master.wrap(bytes.fromhex("00112233445566778899aabbccddeeff"))
    assert wrapped.hex() == "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7"


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=16, max_size=16))
def test_a_key_opens_under_its_own_master_key_only(secret: bytes, key: bytes) -> None:
    wrapped = MasterKey(secret).wrap(key)
    assert MasterKey(secret).unwrap(wrapped) == key
    other = bytes([secret[0] ^ 1]) + secret[1:]
    with pytest.raises(WrongMasterKey):
        MasterKey(other).unwrap(wrapped)


@given(st.integers(0, 24 * 8 - 1))
def test_one_changed_bit_of_a_stored_key_is_noticed(bit: int) -> None:
    wrapped = bytearray(MasterKey(bytes(32)).wrap(bytes(16)))
    wrapped[bit // 8] ^= 1 << bit % 8
    with pytest.raises(WrongMasterKey):
        MasterKey(bytes(32)).unwrap(bytes(wrapped))


def test_a_short_master_key_is_refused_without_being_shown() -> None:
    with pytest.raises(ValueError, match="has 5 bytes, not 32"):
        MasterKey(b"short")
    assert "secret" not in repr(MasterKey(b"secret" + bytes(26)))


def test_made_keys_differ_in_every_part() -> None:
    master = MasterKey(bytes(32))
    first, second = model.make_key("SD", master), model.make_key("SD", master)
    assert first.kid != second.kid
    assert first.iv != second.iv
    assert master.unwrap(first.wrapped) != master.unwrap(second.wrapped)
    assert [len(bytes.fromhex(part)) for part in (first.kid, first.iv)] == [16, 16]


def test_no_key_shows_in_a_repr() -> None:
    secret = "5ec2e700000000000000000000000000"
    shown = [
        repr(ContentKey(label="SD", kid="0" * 32, key=secret, iv="1" * 32)),
        repr([LicenceKey("0" * 32, secret)]),
        repr(WrappedKey("SD", "0" * 32, bytes.fromhex(secret), "1" * 32)),
    ]
    assert not any("5ec2e7" in text or "\\xc2\\xe7" in text for text in shown)


def test_the_owner_is_admitted_in_time() -> None:
    assert model.admit(session(), OWNER, "log_tv", NOW) == session()


def test_a_session_is_for_the_login_that_it_began_with() -> None:
    bound = replace(session(), login_id="log_tv")
    assert model.admit(bound, OWNER, "log_tv", NOW) == bound
    for other in ("", "log_phone", "log_t", "log_tv "):
        with pytest.raises(LicenceRefused, match="another device"):
            model.admit(bound, OWNER, other, NOW)
    with pytest.raises(LicenceRefused, match="no such playback session"):
        model.admit(bound, AccountId("acc_other"), "log_tv", NOW)


@pytest.mark.parametrize(
    ("found", "account", "reason"),
    [
        (None, OWNER, "no such playback session"),
        (session(), AccountId("acc_other"), "no such playback session"),
        (session(closed=True), AccountId("acc_other"), "no such playback session"),
        (session(closed=True), OWNER, "has ended"),
        (session(ttl_s=0), OWNER, "ran out"),
        (session(ttl_s=-1), OWNER, "ran out"),
    ],
)
def test_everyone_else_is_refused(
    found: LicenceSession | None, account: AccountId, reason: str
) -> None:
    with pytest.raises(LicenceRefused, match=reason):
        model.admit(found, account, "log_tv", NOW)


def test_one_foreign_kid_among_good_ones_refuses_all() -> None:
    keys = {"aa": WrappedKey("SD", "aa", b"", "")}
    assert model.choose(["aa"], keys) == [keys["aa"]]
    with pytest.raises(LicenceRefused):
        model.choose(["aa", "bb"], keys)


def test_kids_are_read_in_either_case_and_once_each() -> None:
    assert model.kids_of(["AB" * 16, "ab" * 16, "cd" * 16]) == ["ab" * 16, "cd" * 16]


@pytest.mark.parametrize(
    "kids", [[], [""], ["ab"], ["g" * 32], ["ab" * 16 + "\n"], [f"{n:032x}" for n in range(33)]]
)
def test_malformed_kids_are_invalid(kids: list[str]) -> None:
    with pytest.raises(LicenceInvalid):
        model.kids_of(kids)


@given(st.lists(st.text()))
def test_any_text_is_read_as_kids_or_refused(kids: list[str]) -> None:
    with contextlib.suppress(LicenceInvalid):
        assert all(len(bytes.fromhex(kid)) == 16 for kid in model.kids_of(kids))


@pytest.mark.parametrize("labels", [[], ["sd"], ["SD "], ["A" * 17], [f"L{n}" for n in range(17)]])
def test_malformed_labels_are_invalid(labels: list[str]) -> None:
    with pytest.raises(LicenceInvalid):
        model.labels_of(labels)


def test_labels_are_sorted_and_once_each() -> None:
    assert model.labels_of(["SD", "AUDIO", "SD"]) == ["AUDIO", "SD"]


@pytest.mark.parametrize("text", ["", "play_", "play_\0" + "0" * 25, "\0_" + "0" * 26])
def test_what_is_no_id_is_not_looked_up(text: str) -> None:
    assert not model.is_session_id(text)
    assert model.is_session_id("play_" + "0" * 26)
