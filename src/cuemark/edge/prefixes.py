"""Which prefixes a router may announce: pure.

Whoever can announce a prefix decides where its clients fetch from. So a router is believed as far
as its list of networks goes, and no farther (RFC 7454, section 6).
"""

import ipaddress
from collections.abc import Sequence

from radix import Radix

from cuemark.contracts.steering.routes import Route
from cuemark.edge.bgp import PathFacts
from cuemark.edge.settings import PeerSettings

SHORTEST = {4: 8, 6: 16}
LONGEST_AS_PATH = 64
_WIDEST = (1 << 32) - 1

BOGONS = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
    *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15"),
    *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    *("2001::/32", "2001:db8::/32", "2002::/16", "3fff::/20"),
)
"""Of no client of a public network (RFC 6890, and the registries of IANA after it)."""
GLOBAL_IPV6 = "2000::/3"
"""All that is assigned of IPv6 (RFC 4291, section 2.4)."""


class Refused(Exception):
    """A prefix that does not count; says why in words for operators."""


class Policy:
    """What is believed of the router ``peer`` by the AS ``own_asn``."""

    def __init__(self, peer: PeerSettings, own_asn: int) -> None:
        self._peer = peer
        self._own_asn = own_asn
        self._allowed = _tree(peer.allow)
        self._longest = {4: peer.longest_ipv4, 6: peer.longest_ipv6}

    def complaint_about(self, facts: PathFacts) -> str:
        """Why no prefix of an announcement with such a path counts; empty where they may."""
        inside = self._peer.asn == self._own_asn
        if self._own_asn in facts.as_path:
            return f"the AS path has our own AS{self._own_asn}: a loop"
        if len(facts.as_path) > LONGEST_AS_PATH:
            return f"the AS path has {len(facts.as_path)} ASes, more than {LONGEST_AS_PATH}"
        if not inside and facts.as_path[:1] != (self._peer.asn,):
            return f"the AS path does not begin with AS{self._peer.asn}"
        if not 0 <= facts.med <= _WIDEST or not 0 <= (facts.local_preference or 0) <= _WIDEST:
            return "the MED or local preference has more than 32 bits"
        return ""

    def admit(self, prefix: str) -> None:
        """Raises ``Refused`` where a prefix does not count."""
        try:
            network = ipaddress.ip_network(prefix)
        except ValueError:
            raise Refused(f"{prefix[:60]!r} is no prefix") from None
        if str(network) != prefix or "%" in prefix:
            raise Refused(f"{prefix[:60]!r} is not written as prefixes are")
        if network.prefixlen < SHORTEST[network.version]:
            raise Refused(f"{prefix} is wider than /{SHORTEST[network.version]}")
        if network.prefixlen > self._longest[network.version]:
            raise Refused(f"{prefix} is longer than /{self._longest[network.version]}")
        if not self._peer.private and _is_bogon(prefix, network.version):
            raise Refused(f"{prefix} is of no public network")
        if self._allowed.search_best(prefix) is None:
            raise Refused(f"{prefix} is not among the networks that it may announce")

    def route(self, prefix: str, facts: PathFacts) -> Route:
        """The route of an admitted prefix."""
        preference = facts.local_preference
        return Route(
            prefix=prefix,
            peer=self._peer.address,
            local_preference=self._peer.local_preference if preference is None else preference,
            as_path_length=facts.hops,
            med=facts.med,
        )


def _tree(networks: Sequence[str]) -> Radix:
    tree = Radix()
    for network in networks:
        tree.add(network)
    return tree


_BOGONS = _tree(BOGONS)
_GLOBAL = _tree([GLOBAL_IPV6])


def _is_bogon(prefix: str, version: int) -> bool:
    if version == 6 and _GLOBAL.search_best(prefix) is None:
        return True
    return _BOGONS.search_best(prefix) is not None
