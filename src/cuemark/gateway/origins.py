"""Whose request this is, told from ``Host``, ``Origin`` and ``Sec-Fetch-Site``.

A browser sends ``Origin`` with every write (Fetch standard, section 3.2) and, in secure
contexts, ``Sec-Fetch-Site`` (Fetch Metadata). Neither can be set by a page's script.
"""

import ipaddress
import re
from urllib.parse import urlsplit

_HOST = re.compile(
    r"(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?"
)
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def is_host(text: str) -> bool:
    """Whether ``text`` is a host with an optional port and nothing else."""
    return _HOST.fullmatch(text) is not None


def is_this_machine(host: str) -> bool:
    """Whether a browser that uses this host is on the machine itself (a secure context)."""
    name = host.rpartition("]")[0].lstrip("[") if host.startswith("[") else host.split(":")[0]
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def origin_of(scheme: str, host: str, public_base_url: str) -> str:
    """The origin under which the client reached us, such as ``https://films.example``.

    Behind a proxy that ends TLS the connection's own scheme is wrong; where the host is that of
    the public base URL, the scheme is too.
    """
    public = urlsplit(public_base_url)
    return f"{public.scheme if public.netloc.lower() == host.lower() else scheme}://{host}"


def cookie_needs_tls(scheme: str, host: str, public_base_url: str) -> bool:
    """Whether a cookie must be ``Secure``: yes, but for a browser on this machine without TLS."""
    plain = origin_of(scheme, host, public_base_url).startswith("http:")
    return not (plain and is_this_machine(host))


def is_foreign_write(
    *, host: str, origin: str | None, fetch_site: str | None, needs_proof: bool
) -> bool:
    """Whether a write was started by a page of another origin.

    With ``needs_proof`` a write that tells neither header is foreign too: the login came by
    itself, as a cookie does, so its sender must show that it is our page.
    """
    if fetch_site is not None and fetch_site not in ("same-origin", "none"):
        return True
    if origin is not None:
        return not _same_host(origin, host)
    return needs_proof and fetch_site is None


def _same_host(origin: str, host: str) -> bool:
    scheme, separator, origin_host = origin.partition("://")
    default_port = _DEFAULT_PORTS.get(scheme)
    if not separator or default_port is None:
        return False
    return origin_host.lower().removesuffix(default_port) == host.lower().removesuffix(default_port)
