"""Media tokens: what opens a path, and all that does not."""

import ipaddress
from datetime import UTC, datetime, timedelta

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.kit import cat
from tests.unit.edge.vectors import (
    AUDIENCE,
    CLIENT,
    KEYS,
    PATH,
    VARIANTS,
    VERSION,
    Vector,
    claims,
    decode,
    encode,
    genuine,
    vectors,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NOW_S = int(NOW.timestamp())
HELD = {key.kid: key.key for key in KEYS}


def verify(token: str, path: str = PATH, now: datetime = NOW) -> cat.Claims:
    return cat.verify(token, keys=HELD, audience=AUDIENCE, path=path, now=now, address=CLIENT)


@pytest.mark.parametrize("vector", list(vectors(NOW_S)), ids=lambda vector: str(vector.name))
def test_a_token_opens_its_path_only_if_it_is_genuine(vector: Vector) -> None:
    if vector.allowed:
        assert verify(vector.token, vector.path).audience == AUDIENCE
    else:
        with pytest.raises(cat.TokenRejected):
            verify(vector.token, vector.path)


def test_a_token_gives_back_the_claims_it_was_minted_for() -> None:
    assert verify(genuine(NOW_S)) == claims(NOW_S)


def test_a_token_holds_the_row_of_variants_as_etsi_has_it() -> None:
    held = claims(NOW_S, variants=VARIANTS)
    token = cat.mint(held, KEYS[0])
    assert verify(token) == held
    payload = cbor2.loads(cbor2.loads(decode(token)).value.value[2])
    assert (payload[300], payload[302], payload[304]) == (1, 16, VARIANTS)


def test_a_token_holds_networks_as_the_rfc_has_them() -> None:
    networks = tuple(map(ipaddress.ip_network, ("127.0.0.0/8", "2001:db8::/32", "0.0.0.0/0")))
    held = claims(NOW_S, networks=networks)
    token = cat.mint(held, KEYS[0])
    assert verify(token) == held
    payload = cbor2.loads(cbor2.loads(decode(token)).value.value[2])
    assert payload[311] == list(networks)


def test_a_bound_token_is_refused_where_nobody_knows_who_asks() -> None:
    bound = claims(NOW_S, networks=(ipaddress.ip_network("127.0.0.0/8"),))
    with pytest.raises(cat.TokenRejected, match="another network"):
        cat.verify(cat.mint(bound, KEYS[0]), keys=HELD, audience=AUDIENCE, path=PATH, now=NOW)


def test_a_token_ends_at_the_second_it_names() -> None:
    token = cat.mint(claims(NOW_S, expires_at_s=NOW_S + 10), KEYS[0])
    verify(token, now=NOW + timedelta(seconds=9))
    with pytest.raises(cat.TokenRejected, match="past its time"):
        verify(token, now=NOW + timedelta(seconds=10))


def test_a_token_of_one_version_opens_no_version_with_a_longer_name() -> None:
    with pytest.raises(cat.TokenRejected, match="does not cover"):
        verify(genuine(NOW_S), path=f"/{VERSION}0/v1/1.m4s")


def test_the_key_of_one_appliance_does_not_mint_for_another() -> None:
    master = cat.TokenKey("2026a", b"m" * 32)
    stolen = cat.derive_key(master, "appliance-2")
    held = {"2026a": cat.derive_key(master, AUDIENCE).key}
    with pytest.raises(cat.TokenRejected, match="forged"):
        cat.verify(
            cat.mint(claims(NOW_S), stolen), keys=held, audience=AUDIENCE, path=PATH, now=NOW
        )


@given(st.binary(max_size=300))
def test_bytes_at_random_are_refused_and_nothing_else(raw: bytes) -> None:
    with pytest.raises(cat.TokenRejected):
        verify(encode(raw))


@given(st.text(max_size=80))
def test_text_at_random_is_refused_and_nothing_else(token: str) -> None:
    with pytest.raises(cat.TokenRejected):
        verify(token)


@given(st.data())
def test_no_change_of_a_genuine_token_leaves_it_genuine(data: st.DataObject) -> None:
    raw = bytearray(decode(genuine(NOW_S)))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(cat.TokenRejected):
        verify(encode(bytes(raw)))


@given(st.text(st.characters(codec="ascii", exclude_categories=["C"]), max_size=30))
def test_no_refusal_tells_the_token(text: str) -> None:
    token = f"secret-part-{text}"
    with pytest.raises(cat.TokenRejected) as refusal:
        verify(token)
    assert "secret-part" not in str(refusal.value)
