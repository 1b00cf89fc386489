"""The table of routes: which path an appliance has to a client, and what changes it."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.steering.model import routes
from cuemark.contexts.steering.model.routes import RouteTable
from cuemark.contracts.ids import ApplianceId
from cuemark.contracts.steering.routes import (
    MOST_ROUTES,
    AnnounceRoutes,
    Route,
    RoutesInvalid,
    WithdrawnRoute,
)

A, B = ApplianceId("edge-a"), ApplianceId("edge-b")
PEER, OTHER = "198.51.100.1", "198.51.100.2"


def batch(
    *announced: Route,
    appliance_id: ApplianceId = A,
    epoch: str = "one",
    revision: int = 1,
    complete: bool = True,
    withdrawn: tuple[tuple[str, str], ...] = (),
    dropped: tuple[str, ...] = (),
) -> AnnounceRoutes:
    return AnnounceRoutes(
        appliance_id=appliance_id,
        epoch=epoch,
        revision=revision,
        complete=complete,
        dropped=list(dropped),
        withdrawn=[WithdrawnRoute(*each) for each in withdrawn],
        announced=list(announced),
    )


def prefixes(table: RouteTable, address: str) -> dict[str, str]:
    packed = routes.packed_of(address)
    assert packed is not None
    return {name: path.route.prefix for name, path in table.paths(packed).items()}


def test_the_longest_prefix_counts_whatever_the_others_promise() -> None:
    table = RouteTable()
    table.apply(batch(Route("10.0.0.0/8", PEER, 900, 1, 0), Route("10.1.0.0/16", PEER, 100, 9, 50)))
    table.apply(batch(Route("10.1.2.0/24", PEER), appliance_id=B))
    assert prefixes(table, "10.1.2.3") == {A: "10.1.0.0/16", B: "10.1.2.0/24"}
    assert prefixes(table, "10.9.9.9") == {A: "10.0.0.0/8"}
    assert prefixes(table, "11.0.0.1") == {}


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (Route("10.0.0.0/8", PEER, 200, 9, 9), Route("10.0.0.0/8", OTHER, 100, 1, 0)),
        (Route("10.0.0.0/8", PEER, 100, 1, 9), Route("10.0.0.0/8", OTHER, 100, 2, 0)),
        (Route("10.0.0.0/8", PEER, 100, 1, 0), Route("10.0.0.0/8", OTHER, 100, 1, 1)),
    ],
)
def test_of_two_peers_the_better_path_counts(better: Route, worse: Route) -> None:
    for order in ((better, worse), (worse, better)):
        table = RouteTable()
        table.apply(batch(*order))
        (path,) = table.paths(bytes([10, 0, 0, 1])).values()
        assert path.route == better


def test_addresses_of_both_kinds_are_found_and_do_not_mix() -> None:
    table = RouteTable()
    table.apply(batch(Route("2001:db8::/32", PEER), Route("192.0.2.0/24", PEER)))
    assert prefixes(table, "2001:db8::1") == {A: "2001:db8::/32"}
    assert prefixes(table, "192.0.2.1") == {A: "192.0.2.0/24"}
    assert prefixes(table, "::ffff:192.0.2.1") == {A: "192.0.2.0/24"}
    assert prefixes(table, "::c000:201") == {}


def test_a_lost_session_takes_its_routes_at_once_and_no_others() -> None:
    table = RouteTable()
    table.apply(batch(Route("10.0.0.0/8", PEER), Route("10.0.0.0/8", OTHER, 50)))
    table.apply(batch(dropped=(PEER,), revision=2))
    (path,) = table.paths(bytes([10, 0, 0, 1])).values()
    assert path.route.peer == OTHER
    table.apply(batch(Route("10.0.0.0/8", PEER), revision=3))
    while table.sweep(1):
        pass
    (path,) = table.paths(bytes([10, 0, 0, 1])).values()
    assert path.route.peer == PEER, "what is cleared away is what was lost, not what came again"
    assert table.counts() == {A: 2}


def test_a_new_epoch_counts_once_it_is_complete_and_the_old_one_until_then() -> None:
    table = RouteTable()
    table.apply(batch(Route("10.0.0.0/8", PEER), Route("11.0.0.0/8", PEER)))
    table.apply(batch(Route("10.0.0.0/8", PEER), epoch="two", complete=False))
    assert prefixes(table, "11.0.0.1") == {A: "11.0.0.0/8"}
    table.apply(batch(Route("12.0.0.0/8", PEER), epoch="two", revision=2))
    assert prefixes(table, "11.0.0.1") == {}
    assert prefixes(table, "12.0.0.1") == {A: "12.0.0.0/8"}
    assert table.counts() == {A: 2}


def test_an_epoch_that_was_never_complete_leaves_nothing() -> None:
    table = RouteTable()
    table.apply(batch(Route("10.0.0.0/8", PEER), epoch="two", complete=False))
    table.apply(batch(Route("11.0.0.0/8", PEER), epoch="three"))
    while table.sweep(10):
        pass
    assert prefixes(table, "10.0.0.1") == {}
    assert table.counts() == {A: 1}


networks = st.builds(
    lambda bits, length: str(ipaddress.ip_network((bits << 24, length), strict=False)),
    st.integers(0, 3),
    st.integers(6, 9),
)
changes = st.one_of(
    st.tuples(st.just("announce"), networks, st.sampled_from([PEER, OTHER]), st.integers(0, 2)),
    st.tuples(st.just("withdraw"), networks, st.sampled_from([PEER, OTHER]), st.just(0)),
    st.tuples(st.just("drop"), st.just(""), st.sampled_from([PEER, OTHER]), st.just(0)),
    st.tuples(st.just("sweep"), st.just(""), st.just(""), st.integers(0, 3)),
)


@given(st.lists(changes, max_size=30), st.integers(0, (4 << 24) - 1))
def test_the_table_finds_what_a_list_of_all_routes_says(
    steps: list[tuple[str, str, str, int]], client: int
) -> None:
    table = RouteTable()
    held: dict[tuple[str, str], Route] = {}
    for revision, (what, prefix, peer, number) in enumerate(steps, start=1):
        if what == "announce":
            held[prefix, peer] = Route(prefix, peer, 100, number)
            table.apply(batch(held[prefix, peer], revision=revision))
        elif what == "withdraw":
            held.pop((prefix, peer), None)
            table.apply(batch(withdrawn=((prefix, peer),), revision=revision))
        elif what == "drop":
            held = {key: route for key, route in held.items() if key[1] != peer}
            table.apply(batch(dropped=(peer,), revision=revision))
        else:
            table.sweep(number)
    address = ipaddress.ip_address(client)
    costs = [
        (-network.prefixlen, route.as_path_length)
        for route in held.values()
        if address in (network := ipaddress.ip_network(route.prefix))
    ]
    found = table.paths(address.packed).get(A)
    assert (found and (found.cost[0], found.cost[2])) == (min(costs) if costs else None)
    assert sum(table.counts().values()) == len(held)
    listed = table.page(None, ("", "", ""), 100)
    assert {(each.route.prefix, each.route.peer) for each in listed} == set(held)


def test_pages_go_through_all_routes_once() -> None:
    table = RouteTable()
    for appliance_id in (B, A):
        table.apply(
            batch(
                *(Route(f"10.{n}.0.0/16", peer) for n in range(5) for peer in (OTHER, PEER)),
                appliance_id=appliance_id,
            )
        )
    found, after = [], ("", "", "")
    while page := table.page(None, after, 3):
        found += page
        after = (page[-1].appliance_id, page[-1].route.peer, page[-1].route.prefix)
    keys = [(each.appliance_id, each.route.peer, each.route.prefix) for each in found]
    assert keys == sorted(keys)
    assert len(set(keys)) == 20
    assert len(table.page(B, ("", "", ""), 100)) == 10


@pytest.mark.parametrize(
    "wrong",
    [
        batch(epoch=""),
        batch(epoch="a\0"),
        batch(revision=0),
        batch(Route("10.0.0.1/8", PEER)),
        batch(Route("10.0.0.0", PEER)),
        batch(Route("10.0.0.0/8\n", PEER)),
        batch(Route("010.0.0.0/8", PEER)),
        batch(Route("2001:DB8::/32", PEER)),
        batch(Route("fe80::%eth0/64", PEER)),
        batch(Route("10.0.0.0/8", "p" * 65)),
        batch(Route("10.0.0.0/8", PEER, -1)),
        batch(Route("10.0.0.0/8", PEER, 1, 256)),
        batch(Route("10.0.0.0/8", PEER, 1, 1, 1 << 32)),
        batch(withdrawn=(("10.0.0.0/33", PEER),)),
        batch(*[Route("10.0.0.0/8", PEER)] * (MOST_ROUTES + 1)),
    ],
)
def test_a_batch_that_cannot_be_is_refused(wrong: AnnounceRoutes) -> None:
    with pytest.raises(RoutesInvalid):
        routes.check_batch(wrong)


@pytest.mark.parametrize("text", ["", "nowhere", "1.2.3", "1.2.3.4/32", "fe80::1%lo", "1.2.3.4\0"])
def test_what_is_no_address_is_none(text: str) -> None:
    assert routes.packed_of(text) is None
