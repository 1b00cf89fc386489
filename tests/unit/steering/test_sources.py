"""Whom an appliance may ask before the origin."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.steering.model.ranking import Appliance
from cuemark.contexts.steering.model.sources import (
    MAX_PEERS,
    SOURCE_TOKEN_RENEWED_S,
    SourceTable,
)
from cuemark.contexts.steering.model.tokens import Keyring
from cuemark.contracts.ids import ApplianceId
from cuemark.contracts.steering.reports import SILENCE_S
from cuemark.kit import cat
from tests.unit.steering.test_ranking import NOW, appliance

KEYRING = Keyring(
    [ApplianceId(name) for name in ("edge-a", "edge-b", "edge-c", "deep-x", "deep-y")],
    [cat.TokenKey("k2", b"2" * 32), cat.TokenKey("k1", b"1" * 32)],
)
DEEP = [ApplianceId("deep-x"), ApplianceId("deep-y")]
FLEET = [appliance(name) for name in ("edge-a", "edge-b", "edge-c", "deep-x", "deep-y")]


def asked_by(name: str, fleet: list[Appliance], now: datetime = NOW) -> dict[str, bool]:
    found = SourceTable(DEEP, KEYRING).sources_for(ApplianceId(name), fleet, now)
    return {each.appliance_id: each.held_only for each in found}


def test_one_of_the_edge_asks_its_peers_for_what_they_hold_and_then_the_storage_tier() -> None:
    asked = asked_by("edge-a", FLEET)
    assert set(list(asked)[:2]) == {"edge-b", "edge-c"}
    assert asked == {"edge-b": True, "edge-c": True, "deep-x": False, "deep-y": False}


def test_the_storage_tier_asks_nobody_to_fetch_for_it() -> None:
    assert asked_by("deep-x", FLEET) == {"deep-y": True}


def test_the_dead_the_sick_and_the_unknown_are_nobodys_source() -> None:
    fleet = [
        appliance("edge-a"),
        appliance("edge-b", silent_s=SILENCE_S),
        appliance("edge-c", healthy=False),
        appliance("edge-who"),
    ]
    assert asked_by("edge-a", fleet) == {}


def test_sources_are_bounded_and_spread_over_a_large_fleet() -> None:
    names = [ApplianceId(f"edge-{number}") for number in range(100)]
    ring = Keyring(names, [cat.TokenKey("k", b"k" * 32)])
    fleet = [appliance(name) for name in names]
    asked: Counter[str] = Counter()
    table = SourceTable([], ring)
    for name in names:
        found = table.sources_for(name, fleet, NOW)
        assert len(found) == MAX_PEERS
        asked.update(each.appliance_id for each in found)
    assert max(asked.values()) <= 4 * MAX_PEERS


def test_the_tokens_of_a_source_open_either_variant_there_and_nowhere_else() -> None:
    (source,) = SourceTable(DEEP, KEYRING).sources_for(ApplianceId("deep-x"), FLEET, NOW)
    keys = {key.kid: key.key for key in KEYRING.all_of(ApplianceId("deep-y"))}
    for url, variants in ((source.a_url, b"\x00"), (source.b_url, b"\xff")):
        root, _, token = url.removesuffix("/").rpartition("/")
        assert root == "http://deep-y.test/t"
        claims = cat.verify(token, keys=keys, audience="deep-y", path="/ver_1/x", now=NOW)
        assert (claims.subject, claims.variants) == ("deep-x", variants)
        with pytest.raises(cat.TokenRejected):
            cat.verify(token, keys=keys, audience="deep-x", path="/ver_1/x", now=NOW)


def test_a_snapshot_changes_with_the_tokens_only_now_and_then() -> None:
    seen = set()
    table = SourceTable(DEEP, KEYRING)
    for second in range(0, SOURCE_TOKEN_RENEWED_S, 7):
        now = NOW + timedelta(seconds=second)
        fleet = [appliance("edge-b", silent_s=-second)]
        (source,) = table.sources_for(ApplianceId("edge-a"), fleet, now)
        seen.add(source.a_url)
    assert len(seen) == 1


def at(seconds: float, *gone: str, moved: str = "") -> tuple[list[Appliance], datetime]:
    """The fleet after a while, all of it speaking but for those that are ``gone``."""
    now = NOW + timedelta(seconds=seconds)
    fleet = [
        replace(
            each,
            last_report_at=NOW - timedelta(hours=1) if each.appliance_id in gone else now,
            url=moved if moved and each.appliance_id == "edge-b" else each.url,
        )
        for each in FLEET
    ]
    return fleet, now


@given(
    st.lists(
        st.tuples(
            st.floats(0, 3 * SOURCE_TOKEN_RENEWED_S),
            st.sets(st.sampled_from([each.appliance_id for each in FLEET])),
            st.sampled_from(["", "http://moved.test"]),
            st.sampled_from([each.appliance_id for each in FLEET]),
        ),
        max_size=12,
    )
)
def test_what_was_made_before_is_what_would_be_made_now(
    asked: list[tuple[float, set[ApplianceId], str, ApplianceId]],
) -> None:
    table = SourceTable(DEEP, KEYRING)
    for seconds, gone, moved, name in asked:
        fleet, now = at(seconds, *gone, moved=moved)
        fresh = SourceTable(DEEP, KEYRING).sources_for(name, fleet, now)
        assert table.sources_for(name, fleet[::-1], now) == fresh


def test_tokens_are_made_once_while_nothing_changes() -> None:
    table = SourceTable(DEEP, KEYRING)
    edge = ApplianceId("edge-a")
    first = table.sources_for(edge, *at(0))
    assert table.sources_for(edge, *at(1)) is first
    assert table.sources_for(edge, *at(2, "edge-c")) is not first
    assert table.sources_for(edge, *at(SOURCE_TOKEN_RENEWED_S)) != first
