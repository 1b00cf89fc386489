"""Which of its appliances a running play is led to, and whose plays are believed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.steering.model import pathways
from cuemark.contexts.steering.model.pathways import PlayTokens
from cuemark.contexts.steering.model.ranking import Appliance
from cuemark.contracts.ids import ApplianceId, PlaySessionId, VersionId
from cuemark.contracts.steering import Rank, SteeringOver
from cuemark.contracts.steering.reports import SILENCE_S
from cuemark.kit.cat import TokenKey

NOW = datetime(2026, 1, 1, tzinfo=UTC)
A, B, C = ApplianceId("edge-a"), ApplianceId("edge-b"), ApplianceId("edge-c")
NEW, OLD = TokenKey("k2", b"2" * 32), TokenKey("k1", b"1" * 32)
RANK = Rank(
    session_id=PlaySessionId("play_1"),
    version_id=VersionId("ver_film"),
    expires_at=NOW + timedelta(hours=12),
)


def appliance(
    name: ApplianceId, *, healthy: bool = True, silent_s: float = 0.0, draining: bool = False
) -> Appliance:
    at = NOW - timedelta(seconds=silent_s)
    return Appliance(name, f"http://{name}.test", healthy, 0, at, draining)


def led(*holders: Appliance) -> tuple[list[ApplianceId], int]:
    found = pathways.steered([A, B, C], holders, NOW)
    return found.appliance_ids, found.ttl_s


def test_while_all_is_well_a_play_keeps_the_order_in_which_it_began() -> None:
    assert led(appliance(C), appliance(A), appliance(B)) == ([A, B, C], 20)


@pytest.mark.parametrize(
    "unfit",
    [
        [appliance(A, silent_s=SILENCE_S)],
        [appliance(A, healthy=False)],
        [appliance(A, draining=True)],
        [],
    ],
    ids=["silent", "sick", "draining", "without the version"],
)
def test_a_play_is_led_away_from_one_that_is_not_fit_and_asks_again_sooner(
    unfit: list[Appliance],
) -> None:
    assert led(*unfit, appliance(B), appliance(C)) == ([B, C], 10)


def test_one_that_drains_serves_where_nobody_else_is_fit() -> None:
    drains = appliance(A, draining=True)
    assert led(drains, appliance(B, silent_s=9), appliance(C, healthy=False))[0] == [A]


def test_where_nobody_is_fit_a_play_keeps_what_it_has() -> None:
    assert led(appliance(A, silent_s=9), appliance(B, silent_s=9)) == ([A, B, C], 20)


def test_an_appliance_that_the_play_does_not_know_is_not_named() -> None:
    assert led(appliance(ApplianceId("edge-z")), appliance(B))[0] == [B]


def test_new_plays_have_those_that_drain_behind_the_others() -> None:
    a, b = appliance(A, draining=True), appliance(B)
    assert pathways.parted([a, b], NOW) == ([b], [a])
    alone = [a, appliance(B, silent_s=9)]
    assert pathways.parted(alone, NOW) == (alone, [])


def test_a_token_says_what_was_ranked_and_survives_a_new_key() -> None:
    token = PlayTokens([OLD]).mint(RANK, [B, A])
    for keys in ([OLD], [NEW, OLD]):
        placed = PlayTokens(keys).read(token, NOW)
        assert (placed.session_id, placed.version_id) == ("play_1", "ver_film")
        assert placed.appliance_ids == [B, A]
    with pytest.raises(SteeringOver):
        PlayTokens([NEW]).read(token, NOW)


def test_a_token_ends_with_its_play() -> None:
    tokens = PlayTokens([NEW])
    token = tokens.mint(RANK, [A])
    tokens.read(token, NOW + timedelta(hours=12, seconds=-1))
    with pytest.raises(SteeringOver, match="past its time"):
        tokens.read(token, NOW + timedelta(hours=12))


@given(st.text(max_size=60) | st.text("abcdefgh-_.=", max_size=60))
def test_whatever_is_shown_is_no_token_of_ours(shown: str) -> None:
    with pytest.raises(SteeringOver):
        PlayTokens([NEW]).read(shown, NOW)


@given(st.integers(0, 10_000), st.integers(1, 127))
def test_no_token_with_a_wrong_character_is_read(at: int, by: int) -> None:
    tokens = PlayTokens([NEW])
    token = tokens.mint(RANK, [A, B])
    at %= len(token)
    altered = f"{token[:at]}{chr((ord(token[at]) + by) % 128)}{token[at + 1 :]}"
    try:
        assert tokens.read(altered, NOW).appliance_ids == [A, B]
        # The last character of base64 has bits that say nothing.
        assert at == len(token) - 1
    except SteeringOver:
        pass
