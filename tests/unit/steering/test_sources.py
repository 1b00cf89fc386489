"""Whom an appliance may ask before the origin."""

from collections import Counter
from datetime import datetime, timedelta

import pytest

from cuemark.contexts.steering.model.ranking import Appliance
from cuemark.contexts.steering.model.sources import (
    MAX_PEERS,
    SOURCE_TOKEN_RENEWED_S,
    sources_for,
)
from cuemark.contexts.steering.model.tokens import Keyring
from cuemark.contracts.ids import ApplianceId
from cuemark.contracts.steering import SILENCE_S
from cuemark.kit import cat
from tests.unit.steering.test_ranking import NOW, appliance

KEYRING = Keyring(
    [ApplianceId(name) for name in ("edge-a", "edge-b", "edge-c", "deep-x", "deep-y")],
    [cat.TokenKey("k2", b"2" * 32), cat.TokenKey("k1", b"1" * 32)],
)
DEEP = [ApplianceId("deep-x"), ApplianceId("deep-y")]
FLEET = [appliance(name) for name in ("edge-a", "edge-b", "edge-c", "deep-x", "deep-y")]


def asked_by(name: str, fleet: list[Appliance], now: datetime = NOW) -> dict[str, bool]:
    found = sources_for(ApplianceId(name), fleet, DEEP, KEYRING, now)
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
    for name in names:
        found = sources_for(name, fleet, [], ring, NOW)
        assert len(found) == MAX_PEERS
        asked.update(each.appliance_id for each in found)
    assert max(asked.values()) <= 4 * MAX_PEERS


def test_the_tokens_of_a_source_open_either_variant_there_and_nowhere_else() -> None:
    (source,) = sources_for(ApplianceId("deep-x"), FLEET, DEEP, KEYRING, NOW)
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
    for second in range(0, SOURCE_TOKEN_RENEWED_S, 7):
        now = NOW + timedelta(seconds=second)
        fleet = [appliance("edge-b", silent_s=-second)]
        (source,) = sources_for(ApplianceId("edge-a"), fleet, DEEP, KEYRING, now)
        seen.add(source.a_url)
    assert len(seen) == 1
