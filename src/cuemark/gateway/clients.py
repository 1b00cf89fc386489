"""Where a request comes from, also behind proxies that are trusted to say so."""

import ipaddress
from collections.abc import Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MOST_HOPS = 16


def client_address(peer: str, forwarded: str, trusted: Sequence[Network]) -> str:
    """The IP address of the client; empty where it cannot be told.

    ``forwarded`` is ``X-Forwarded-For``, to which each proxy adds on the right whom it heard. It is
    believed as far as trusted proxies wrote it: from the right, up to the first that is none.
    """
    address = _parsed(peer)
    hops = forwarded.split(",")[-MOST_HOPS:] if forwarded else []
    while address is not None and hops and _among(address, trusted):
        address = _parsed(hops.pop().strip())
    return "" if address is None else str(address)


def home_of(address: str) -> str:
    """Who counts as one client: an IPv4 address, or the 64 bits that a home has of IPv6."""
    if ":" not in address:
        return address
    return str(ipaddress.ip_network((address, 64), strict=False))


def _among(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, trusted: Sequence[Network]
) -> bool:
    return any(address.version == each.version and address in each for each in trusted)


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return address.ipv4_mapped or ipaddress.IPv6Address(int(address))
    return address
