"""Who is where in the lab: one namespace each, with a cable to the core or to a network's router.

    client-1 --- net-1 ---+--- core ---+--- hub      the install: control, database, origin
    client-2 --- net-2 ---+            +--- edge-1   an appliance, told routes by net-1
    client-3 --- net-1    |            +--- edge-2   ... and by net-2
    visitor  --- net-1

Clients and appliances are dealt out to the networks in turn. All addresses are private ones
(RFC 1918) that only the namespaces know.
"""

from dataclasses import dataclass

CORE, HUB, VISITOR = "core", "hub", "visitor"
MOST_EDGES, MOST_NETWORKS, MOST_CLIENTS = 32, 16, 64
ASN, FIRST_NETWORK_ASN = 64500, 64601
BGP_PORT, WEB_PORT, AGENT_PORT = 1790, 8080, 8081
CONTROL_PORT, ORIGIN_PORT = 9000, 9001


@dataclass(frozen=True)
class Place:
    """A namespace. Its cable leads to ``to``, which is ``gateway`` there; both are of a /30.

    ``network`` is the network that it belongs to, or that it is, from 1; 0 for none.
    """

    name: str
    address: str
    gateway: str
    to: str = CORE
    network: int = 0


@dataclass(frozen=True)
class Layout:
    edges: list[Place]
    networks: list[Place]
    clients: list[Place]

    @property
    def hub(self) -> Place:
        return Place(HUB, "10.77.0.2", "10.77.0.1")

    @property
    def places(self) -> list[Place]:
        """All but the core, each after what its cable leads to."""
        return [self.hub, *self.edges, *self.networks, *self.clients, self.visitor]

    @property
    def visitor(self) -> Place:
        """One who browses, in the first network."""
        return _client(VISITOR, len(self.clients), 1)

    def named(self, name: str) -> Place:
        return next(place for place in self.places if place.name == name)

    def edges_of(self, network: int) -> list[Place]:
        return [each for each in self.edges if each.network == network]


def prefix_of(network: int) -> str:
    """The addresses of a network's clients."""
    return f"10.{100 + network}.0.0/16"


def layout(edges: int, networks: int, clients: int) -> Layout:
    """Raises ``ValueError`` with one sentence where there is no room for so many."""
    for name, wanted, most in (
        ("appliances", edges, MOST_EDGES),
        ("networks", networks, MOST_NETWORKS),
        ("clients", clients, MOST_CLIENTS),
    ):
        if not 1 <= wanted <= most:
            raise ValueError(f"a lab has 1 to {most} {name}, not {wanted}")
    return Layout(
        [_on_core(f"edge-{n + 1}", 1, n, n % networks + 1) for n in range(edges)],
        [_on_core(f"net-{n + 1}", 2, n, n + 1) for n in range(networks)],
        [_client(f"client-{n + 1}", n, n % networks + 1) for n in range(clients)],
    )


def _on_core(name: str, subnet: int, number: int, network: int) -> Place:
    base = f"10.77.{subnet}."
    return Place(name, f"{base}{4 * number + 2}", f"{base}{4 * number + 1}", CORE, network)


def _client(name: str, number: int, network: int) -> Place:
    base = f"10.{100 + network}.{number + 1}."
    return Place(name, f"{base}2", f"{base}1", f"net-{network}", network)
