"""Prefixes of addresses, as somebody writes them."""

import ipaddress
from collections.abc import Sequence

from cuemark.kit.errors import Refusal

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_NETWORKS = 4


class NetworkInvalid(Refusal):
    code = "network_invalid"
    status = 422


def networks_of(texts: Sequence[str]) -> tuple[Network, ...]:
    """The prefixes that are written as ``192.0.2.0/24`` or ``2001:db8::/32``; raises
    ``NetworkInvalid`` for what is none, and for more than ``MAX_NETWORKS``."""
    if len(texts) > MAX_NETWORKS:
        raise NetworkInvalid(f"{len(texts)} networks are more than {MAX_NETWORKS}")
    return tuple(_network(text) for text in texts)


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        raise NetworkInvalid(
            f"{text[:60]!r} is no network: write one as 192.0.2.0/24 or 2001:db8::/32"
        ) from None
