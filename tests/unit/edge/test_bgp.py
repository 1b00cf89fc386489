"""What routers say, as ExaBGP tells it, and what of it counts."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contracts.steering.routes import MOST_ROUTES, Route
from cuemark.edge.bgp import LineInvalid, PathFacts, SessionDown, SessionUp, Update, heard
from cuemark.edge.prefixes import LONGEST_AS_PATH
from cuemark.edge.rib import REFUSED_BEYOND, PeerTable, Rib
from cuemark.edge.settings import BgpSettings, PeerSettings
from cuemark.edge.speaker import config_of

PEER = "192.0.2.1"
FACTS = PathFacts((64501,), 1)


def line(**neighbor: Any) -> bytes:
    kind = "state" if "state" in neighbor else "update"
    address = {"local": "192.0.2.2", "peer": PEER}
    said = {"exabgp": "5.0.0", "type": kind, "neighbor": {"address": address, **neighbor}}
    return json.dumps(said).encode()


def update(**parts: Any) -> bytes:
    return line(direction="receive", message={"update": parts})


def bgp(**settings: Any) -> BgpSettings:
    allowed = {"allow": ["198.0.0.0/8", "8.0.0.0/7", "2001:4860::/32"], **settings}
    peer = PeerSettings(address=PEER, asn=64501, local_address="192.0.2.2", **allowed)
    return BgpSettings(asn=64500, router_id="192.0.2.2", peers=[peer])


def session(**settings: Any) -> tuple[Rib, PeerTable]:
    rib = Rib(bgp(**settings))
    table = rib.tables[PEER]
    table.take(SessionUp())
    return rib, table


def test_lines_of_exabgp_are_read() -> None:
    path = {
        "0": {"element": "as-sequence", "value": [64501, 65010]},
        "1": {"element": "as-set", "value": [1, 2, 3]},
        "2": {"element": "as-confederation-sequence", "value": [9]},
    }
    attribute = {"origin": "igp", "as-path": path, "med": 7, "local-preference": 200}
    hops = {"192.0.2.1": [{"nlri": "8.8.8.0/24"}, {"nlri": "8.8.4.0/24"}]}
    assert heard(update(attribute=attribute, announce={"ipv4 unicast": hops})) == Update(
        [], ["8.8.8.0/24", "8.8.4.0/24"], PathFacts((64501, 65010, 1, 2, 3, 9), 3, 200, 7)
    )
    assert heard(update(withdraw={"ipv6 unicast": [{"nlri": "2001:4860::/32"}]})) == Update(
        ["2001:4860::/32"], []
    )
    assert heard(line(state="up")) == SessionUp()
    assert heard(line(state="down", reason="hold timer")) == SessionDown("hold timer")
    assert heard(line(state="connected")) is None
    assert heard(line(message={"eor": {"afi": "ipv4", "safi": "unicast"}})) is None
    assert heard(b'{"type": "notification", "notification": "shutdown"}') is None


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"type": 7}',
        b'{"type": "update", "neighbor": 7}',
        b"[" * 100_000,
        update(announce={"ipv4 unicast": {"192.0.2.1": ["8.8.8.0/24"]}}),
        update(announce={"ipv4 unicast": ["8.8.8.0/24"]}),
        update(attribute={"med": "7"}),
        update(withdraw={"ipv4 unicast": {"nlri": "8.8.8.0/24"}}),
    ],
)
def test_a_line_that_exabgp_does_not_write_is_refused(wrong: bytes) -> None:
    with pytest.raises(LineInvalid):
        heard(wrong)


@given(st.binary(max_size=300))
def test_no_line_does_anything_else(data: bytes) -> None:
    try:
        event = heard(data)
    except LineInvalid:
        return
    _, table = session()
    if event is not None:
        table.take(event)


def test_what_is_announced_counts_and_what_is_withdrawn_does_not() -> None:
    rib, table = session(local_preference=150)
    table.take(Update([], ["8.8.8.0/24", "2001:4860::/32"], PathFacts((64501, 1), 2, None, 9)))
    table.take(Update(["8.8.8.0/24", "9.9.9.0/24"], []))
    assert rib.all_routes() == [Route("2001:4860::/32", PEER, 150, 2, 9)]
    table.take(Update([], ["2001:4860::/32"], PathFacts((64501,), 1, 300)))
    assert rib.all_routes() == [Route("2001:4860::/32", PEER, 300, 1, 0)]
    assert (table.told().state, table.told().routes, table.told().refused) == ("up", 1, 0)


@pytest.mark.parametrize(
    ("prefix", "why"),
    [
        ("0.0.0.0/0", "wider than /8"),
        ("::/0", "wider than /16"),
        ("8.0.0.0/7", "wider than /8"),
        ("8.8.8.8/32", "longer than /24"),
        ("2001:4860:1:1::/64", "longer than /48"),
        ("11.0.0.0/16", "not among the networks that it may announce"),
        ("2001:4861::/32", "not among the networks that it may announce"),
        ("198.18.5.0/24", "of no public network"),
        ("198.51.100.0/24", "of no public network"),
        ("fd00::/32", "of no public network"),
        ("8.8.8.1/24", "is no prefix"),
        ("8.8.8.0/024", "is not written as prefixes are"),
        ("8.8.8.0", "is not written as prefixes are"),
        ("nonsense", "is no prefix"),
        ("fe80::%lo/48", "is not written as prefixes are"),
        ("8.8.8.0/24 " * 50, "is no prefix"),
    ],
)
def test_a_prefix_that_a_router_may_not_announce_is_refused_and_told(prefix: str, why: str) -> None:
    rib, table = session()
    table.take(Update([], ["9.9.9.0/24", prefix], FACTS))
    assert [route.prefix for route in rib.all_routes()] == ["9.9.9.0/24"]
    told = table.told()
    assert (told.refused, told.state) == (1, "up")
    assert why in told.complaint


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        (PathFacts((64501, 64500), 2), "a loop"),
        (PathFacts((64502,), 1), "does not begin with AS64501"),
        (PathFacts((), 0), "does not begin with AS64501"),
        (PathFacts((64501,) * (LONGEST_AS_PATH + 1), LONGEST_AS_PATH + 1), "more than 64"),
        (PathFacts((64501,), 1, None, 1 << 32), "more than 32 bits"),
        (PathFacts((64501,), 1, -1), "more than 32 bits"),
    ],
)
def test_a_path_that_cannot_be_takes_the_place_of_what_was_announced(
    facts: PathFacts, why: str
) -> None:
    rib, table = session()
    table.take(Update([], ["8.8.8.0/24", "8.8.4.0/24"], FACTS))
    table.take(Update([], ["8.8.8.0/24"], facts))
    assert [route.prefix for route in rib.all_routes()] == ["8.8.4.0/24"]
    assert why in table.told().complaint


def test_a_router_of_our_own_as_needs_no_path() -> None:
    peer = PeerSettings(address=PEER, asn=64500, local_address="192.0.2.2", allow=["8.0.0.0/7"])
    rib = Rib(BgpSettings(asn=64500, router_id="192.0.2.2", peers=[peer]))
    rib.tables[PEER].take(SessionUp())
    rib.tables[PEER].take(Update([], ["8.8.8.0/24"], PathFacts((), 0, 120)))
    assert rib.all_routes() == [Route("8.8.8.0/24", PEER, 120, 0, 0)]


def test_one_prefix_too_many_and_nothing_of_the_router_counts() -> None:
    rib, table = session(max_prefixes=3)
    table.take(Update([], ["8.8.8.0/24", "8.8.4.0/24", "8.8.5.0/24"], FACTS))
    table.take(Update([], ["8.8.8.0/24"], PathFacts((64501,), 1, None, 5)))
    assert len(rib.all_routes()) == 3
    table.take(Update([], ["8.8.6.0/24", "8.8.7.0/24"], FACTS))
    assert (table.held, rib.all_routes()) == (True, [])
    assert table.told().complaint == "it announced more than 3 prefixes"
    for event in (SessionDown(""), SessionUp(), Update([], ["8.8.8.0/24"], FACTS)):
        table.take(event)
    assert (table.held, rib.all_routes()) == (True, []), "until its time is over"
    table.lose("held for long enough")
    table.take(SessionUp())
    table.take(Update([], ["8.8.8.0/24"], FACTS))
    assert len(rib.all_routes()) == 1


def test_a_router_that_goes_on_announcing_what_it_may_not_is_held_too() -> None:
    _, table = session(max_prefixes=10)
    flood = [f"11.{n >> 8}.{n & 255}.0/24" for n in range(REFUSED_BEYOND + 100)]
    table.take(Update([], flood, FACTS))
    assert table.held
    assert table.told().refused == REFUSED_BEYOND + 11


def test_a_session_that_ends_takes_its_routes_in_one_change() -> None:
    rib, table = session()
    table.take(Update([], [f"8.8.{n}.0/24" for n in range(200)], FACTS))
    assert len(rib.changes.take()[2]) == 200
    table.take(SessionDown("hold timer expired"))
    table.take(Update([], ["8.8.8.0/24"], FACTS))
    assert rib.changes.take() == ([PEER], [], [])
    assert rib.all_routes() == []
    assert not rib.changes


def test_changes_come_in_bounded_batches_the_newest_of_each_alone() -> None:
    rib, table = session()
    prefixes = [f"8.{n >> 8}.{n & 255}.0/24" for n in range(MOST_ROUTES + 10)]
    table.take(Update([], prefixes, FACTS))
    table.take(Update(prefixes[:5], []))
    _, withdrawn, announced = rib.changes.take()
    assert len(withdrawn) + len(announced) == MOST_ROUTES
    _, more_withdrawn, more = rib.changes.take()
    assert len(withdrawn) + len(more_withdrawn) == 5
    assert {route.prefix for route in announced + more} == set(prefixes[5:])
    assert not rib.changes


def test_the_configuration_of_exabgp_names_one_router_and_listens_nowhere() -> None:
    settings = bgp(port=1790)
    text = config_of(settings, settings.peers[0])
    assert text.count("neighbor ") == 1
    assert "connect 1790;" in text
    assert "listen" not in text
    assert "static" not in text
