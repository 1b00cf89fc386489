"""What the token of an address allows, and where a snapshot goes on from."""

from datetime import UTC, datetime, timedelta

import pytest

from cuemark.contexts.steering.model import snapshots, tokens
from cuemark.contexts.steering.model.tokens import Keyring
from cuemark.contracts.ids import ApplianceId, PlaySessionId, VersionId
from cuemark.contracts.steering import Rank
from cuemark.kit import cat
from tests.unit.steering.test_ranking import appliance

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_address_opens_this_version_for_this_session_at_this_appliance_only() -> None:
    keyring = Keyring([ApplianceId("a"), ApplianceId("b")], [cat.TokenKey("k1", b"1" * 32)])
    request = Rank(
        session_id=PlaySessionId("play_1"),
        version_id=VersionId("ver_1"),
        expires_at=NOW + timedelta(hours=12),
    )
    key = keyring.current_of(ApplianceId("a"))
    address = tokens.media_address(appliance("a"), request, key, NOW)
    base, token, rest = address.media_url.partition("/t/")[0], *_split(address.media_url)
    assert (base, rest) == ("http://a.test", "ver_1/")

    def verify(audience: str, path: str, at: datetime = NOW) -> cat.Claims:
        keys = {k.kid: k.key for k in keyring.all_of(ApplianceId(audience))}
        return cat.verify(token, keys=keys, audience=audience, path=path, now=at)

    claims = verify("a", "/ver_1/v360/1.m4s")
    assert (claims.subject, claims.path_prefix) == ("play_1", "/ver_1/")
    for audience, path, at in (
        ("b", "/ver_1/v360/1.m4s", NOW),
        ("a", "/ver_2/v360/1.m4s", NOW),
        ("a", "/ver_11/v360/1.m4s", NOW),
        ("a", "/ver_1/v360/1.m4s", NOW + timedelta(hours=12)),
    ):
        with pytest.raises(cat.TokenRejected):
            verify(audience, path, at)


def _split(media_url: str) -> tuple[str, str]:
    token, _, rest = media_url.partition("/t/")[2].partition("/")
    return token, rest


def test_tokens_of_the_older_key_are_still_accepted_and_new_ones_use_the_current() -> None:
    old, new = cat.TokenKey("k1", b"1" * 32), cat.TokenKey("k2", b"2" * 32)
    edge = ApplianceId("a")
    before, after = Keyring([edge], [old]), Keyring([edge], [new, old])
    assert before.current_of(edge) in after.all_of(edge)
    assert after.current_of(edge).kid == "k2"
    assert "1111" not in repr(before.current_of(edge))


@pytest.mark.parametrize(
    "masters", [[], [cat.TokenKey("k", b"1" * 32), cat.TokenKey("k", b"2" * 32)]]
)
def test_a_keyring_needs_keys_with_ids_of_their_own(masters: list[cat.TokenKey]) -> None:
    with pytest.raises(ValueError, match="kid of its own"):
        Keyring([ApplianceId("a")], masters)


@pytest.mark.parametrize(
    ("cursor", "position"),
    [("", 0), ("17", 17), ("-1", 0), ("1.5", 0), ("9" * 19, 0), ("²", 0), ("٣", 0), ("1\n", 0)],
)
def test_a_cursor_that_is_not_ours_starts_again(cursor: str, position: int) -> None:
    assert snapshots.position_of(cursor) == position
