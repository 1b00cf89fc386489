"""Routes from a router of somebody else's to what operators are told of a client."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.installation import Installation, wait_until
from tests.integration.edge.router import ITS_ASN, OUR_ASN, PORT, Router, router
from tests.unit.steering.test_atlas import write


def site(beside: Router) -> str:
    return f"""
workers = 0
functions = ""
atlas = ["countries.mmdb"]
[sites.appliance-2]
country = "JP"
[sites.appliance-1]
country = "DE"
capacity_kbps = 10_000_000
[sites.appliance-1.bgp]
asn = {OUR_ASN}
router_id = "{beside.here}"
[[sites.appliance-1.bgp.peers]]
address = "{beside.address}"
asn = {ITS_ASN}
local_address = "{beside.here}"
port = {PORT}
allow = ["8.8.0.0/16"]
"""


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Router]:
    with router(tmp_path_factory.mktemp("router"), 9) as made:
        yield made


@pytest.fixture(scope="module")
def routed(beside: Router, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder: Path = tmp_path_factory.mktemp("routed") / "data"
    folder.mkdir()
    (folder / "cuemark.toml").write_text(site(beside))
    write(folder / "countries.mmdb", {"9.8.0.0/16": {"country_code": "JP"}})
    installation = Installation(folder)
    installation.up()
    wait_until(
        lambda: all(ring for _, ring in rings(installation, "9.8.7.6")), 30, "appliances have told"
    )
    yield installation
    installation.down()


def rings(installation: Installation, address: str) -> list[tuple[str, int]]:
    told = installation.json("routes", "explain", address, "--json")
    return [(each["appliance_id"], each["ring"]) for each in told["candidates"]]


def test_operators_see_whom_a_clients_place_brings(routed: Installation) -> None:
    assert rings(routed, "9.8.7.6") == [("appliance-2", 1), ("appliance-1", 2)]
    said = routed.cli("routes", "explain", "9.8.7.6").stdout
    assert "in DE, the client in JP" in said


def test_operators_see_what_a_router_announces_and_whom_it_brings(
    routed: Installation, beside: Router
) -> None:
    def listed() -> Any:
        return routed.json("routes", "list", "--json")

    def explained(address: str) -> list[tuple[str, int]]:
        return rings(routed, address)

    beside.start(["8.8.8.0/24 blackhole", "9.9.9.0/24 blackhole"])
    wait_until(lambda: listed()["total"] == 1, 30, "the route is known")
    found = listed()
    assert found["routes"][0]["route"]["prefix"] == "8.8.8.0/24"

    def told() -> list[tuple[str, int, int]]:
        peers = listed()["peers"]["appliance-1"]
        return [(each["state"], each["routes"], each["refused"]) for each in peers]

    wait_until(lambda: told() == [("up", 1, 1)], 10, "the router's state is known, too")
    brought = [("appliance-1", 1), ("appliance-2", 2)]
    wait_until(lambda: explained("8.8.8.8") == brought, 10, "the route counts")
    assert {ring for _, ring in explained("9.9.9.9")} == {1}
    said = routed.cli("routes", "explain", "8.8.8.8").stdout
    assert f"route 8.8.8.0/24 of {beside.address}: local preference 100, AS path of 1" in said
    assert "up, 1 routes, 1 refused: 9.9.9.0/24 is not among" in routed.cli("routes", "list").stdout
    beside.kill()
    wait_until(lambda: listed()["total"] == 0, 10, "the route is gone")


def test_what_is_no_address_is_refused_with_a_sentence(routed: Installation) -> None:
    refused = routed.cli("routes", "explain", "8.8.8.0/24", expect=1)
    assert "'8.8.8.0/24' is no IP address." in refused.stderr
