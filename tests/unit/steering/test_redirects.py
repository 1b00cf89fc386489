"""Where plays without Content Steering are sent, and whose redirects are believed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.steering.model import redirects
from cuemark.contexts.steering.model.pathways import PlayTokens
from cuemark.contexts.steering.model.ranking import Appliance
from cuemark.contexts.steering.model.redirects import RedirectTokens, Sent
from cuemark.contracts.ids import ApplianceId, PlaySessionId, VersionId
from cuemark.contracts.steering import Rank, SteeringOver
from cuemark.contracts.steering.reports import GONE_S, SILENCE_S
from cuemark.kit.cat import TokenKey

NOW = datetime(2026, 1, 1, tzinfo=UTC)
A, B, C = ApplianceId("edge-a"), ApplianceId("edge-b"), ApplianceId("edge-c")
NEW, OLD = TokenKey("k2", b"2" * 32), TokenKey("k1", b"1" * 32)
RANK = Rank(
    session_id=PlaySessionId("play_1"),
    version_id=VersionId("ver_film"),
    expires_at=NOW + timedelta(hours=12),
    variants=bytes(range(128)),
    networks=["192.0.2.0/24"],
)
SENT = RedirectTokens([NEW]).read(RedirectTokens([NEW]).mint(RANK, [B, A], NOW), NOW)


def appliance(
    name: ApplianceId,
    *,
    healthy: bool = True,
    silent_s: float = 0.0,
    draining: bool = False,
    in_flight: int = 0,
) -> Appliance:
    at = NOW - timedelta(seconds=silent_s)
    return Appliance(name, f"http://{name}.test", healthy, in_flight, at, draining)


def sent_to(*holders: Appliance, sent: Sent = SENT) -> ApplianceId | None:
    found = redirects.chosen(sent, holders, NOW)
    return found.appliance_id if found else None


def test_a_play_is_sent_to_the_first_of_its_own_that_is_fit_whatever_the_load() -> None:
    assert sent_to(appliance(A), appliance(B, in_flight=900), appliance(C)) == B


@pytest.mark.parametrize(
    "unfit",
    [
        [appliance(B, silent_s=SILENCE_S)],
        [appliance(B, healthy=False)],
        [appliance(B, draining=True)],
        [],
    ],
    ids=["silent", "sick", "draining", "without the version"],
)
def test_one_that_is_not_fit_is_left_for_the_next_of_its_own(unfit: list[Appliance]) -> None:
    assert sent_to(*unfit, appliance(C), appliance(A)) == A


def test_where_none_of_its_own_is_fit_any_other_that_holds_the_version_serves() -> None:
    assert sent_to(appliance(A, silent_s=9), appliance(B, draining=True), appliance(C)) == C


def test_one_that_drains_serves_where_nobody_else_is_fit() -> None:
    assert sent_to(appliance(A, draining=True), appliance(B, silent_s=9)) == A


def test_late_reports_stop_no_play_until_everybody_is_gone() -> None:
    assert sent_to(appliance(A, silent_s=9), appliance(B, silent_s=9)) == B
    assert sent_to(appliance(A, silent_s=GONE_S), appliance(B, healthy=False)) is None
    assert sent_to() is None


@given(st.lists(st.integers(0, 100), min_size=5, max_size=5))
def test_among_others_a_play_goes_to_the_same_one_while_loads_change(loads: list[int]) -> None:
    names = [ApplianceId(f"other-{number}") for number in range(5)]
    fleet = [appliance(n, in_flight=each) for n, each in zip(names, loads, strict=True)]
    assert sent_to(*fleet) == sent_to(*[appliance(name) for name in names])


def test_plays_that_lose_their_appliance_are_spread_over_the_others() -> None:
    fleet = [appliance(ApplianceId(f"other-{number}")) for number in range(5)]
    tokens = RedirectTokens([NEW])
    counted = dict.fromkeys((each.appliance_id for each in fleet), 0)
    for number in range(1000):
        rank = Rank(
            session_id=PlaySessionId(f"play_{number}"),
            version_id=VersionId("ver_film"),
            expires_at=RANK.expires_at,
        )
        sent = tokens.read(tokens.mint(rank, [A], NOW), NOW)
        found = sent_to(*fleet, sent=sent)
        assert found is not None
        counted[found] += 1
    assert max(counted.values()) < 1.25 * 200


def test_a_token_says_all_that_a_media_token_needs_and_survives_a_new_key() -> None:
    token = RedirectTokens([OLD]).mint(RANK, [B, A], NOW)
    for keys in ([OLD], [NEW, OLD]):
        sent = RedirectTokens(keys).read(token, NOW)
        assert sent.as_rank() == RANK
        assert (sent.appliance_ids, sent.issued_at) == ([B, A], NOW)
    with pytest.raises(SteeringOver):
        RedirectTokens([NEW]).read(token, NOW)


def test_a_token_ends_with_its_play() -> None:
    tokens = RedirectTokens([NEW])
    token = tokens.mint(RANK, [A], NOW)
    tokens.read(token, NOW + timedelta(hours=12, seconds=-1))
    with pytest.raises(SteeringOver, match="past its time"):
        tokens.read(token, NOW + timedelta(hours=12))


def test_what_only_steers_opens_no_media_and_the_other_way_round() -> None:
    with pytest.raises(SteeringOver):
        RedirectTokens([NEW]).read(PlayTokens([NEW]).mint(RANK, [A]), NOW)
    with pytest.raises(SteeringOver):
        PlayTokens([NEW]).read(RedirectTokens([NEW]).mint(RANK, [A], NOW), NOW)


@given(st.text(max_size=60) | st.text("abcdefgh-_.=", max_size=60))
def test_whatever_is_shown_is_no_token_of_ours(shown: str) -> None:
    with pytest.raises(SteeringOver):
        RedirectTokens([NEW]).read(shown, NOW)


def test_an_address_is_short_enough_for_old_devices() -> None:
    networks = ["2001:db8:1:2::/64"] * 4
    rank = Rank(
        session_id=PlaySessionId("play_" + "0" * 26),
        version_id=VersionId("ver_" + "0" * 26),
        expires_at=RANK.expires_at,
        variants=bytes(128),
        networks=networks,
    )
    token = RedirectTokens([NEW]).mint(rank, [ApplianceId("appliance-" + "9" * 54)] * 3, NOW)
    assert len(token) < 1000
