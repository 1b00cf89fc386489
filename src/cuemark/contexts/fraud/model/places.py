"""Where an address is, as coarse as it is asked."""

import ipaddress


def address_of(text: str) -> str:
    """Who counts as one client: an IPv4 address, or the 64 bits that a home has of IPv6."""
    return _prefix(text, 32, 64)


def network_of(text: str) -> str:
    """Whose neighbors one client has: 24 bits of IPv4, 48 of IPv6."""
    return _prefix(text, 24, 48)


def _prefix(text: str, bits_4: int, bits_6: int) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ""
    bits = bits_4 if address.version == 4 else bits_6
    return str(ipaddress.ip_network((address, bits), strict=False))
