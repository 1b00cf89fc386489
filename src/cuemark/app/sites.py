"""Where appliances stand, as the settings tell it."""

import ipaddress
from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from cuemark.contracts.steering.routes import Place
from cuemark.edge.settings import ApplianceSettings, BgpSettings, PeerSettings
from cuemark.kit.windows import place_of, window

Region = Annotated[str, Meta(pattern="^([a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?)?$")]
FillRate = Annotated[int, Meta(ge=0, le=100_000_000)]


class Site(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where an appliance stands.

    ``country`` is ISO 3166-1 alpha-2, ``asn`` the number of the network that it stands in, and
    ``capacity_kbps`` what its line carries. ``announced_only`` keeps clients away that none of its
    routes has. ``bgp`` lets routers tell it routes.
    """

    country: Annotated[str, Meta(pattern="^([A-Z]{2})?$")] = ""
    asn: Annotated[int, Meta(ge=0, le=(1 << 32) - 1)] = 0
    latitude: Annotated[float, Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Meta(ge=-180, le=180)] | None = None
    capacity_kbps: Annotated[int, Meta(ge=0, le=10_000_000_000)] = 0
    announced_only: bool = False
    bgp: BgpSettings | None = None
    region: Region = ""
    timezone: str = ""
    fill_window: str = ""
    fill_kbps: FillRate = 100_000

    @property
    def place(self) -> Place:
        return Place(
            country=self.country, asn=self.asn, latitude=self.latitude, longitude=self.longitude
        )


def at_site(settings: ApplianceSettings, site: Site) -> ApplianceSettings:
    """The settings of an appliance that stands there."""
    return msgspec.structs.replace(
        settings,
        capacity_kbps=site.capacity_kbps,
        announced_only=site.announced_only,
        place=site.place,
        bgp=site.bgp,
        region=site.region,
        timezone=site.timezone,
        fill_window=site.fill_window,
        fill_kbps=site.fill_kbps,
    )


def complaint_about_sites(sites: Mapping[str, Site]) -> str:
    """What is wrong with the sites; empty where nothing is."""
    for name, site in sites.items():
        if (site.latitude is None) != (site.longitude is None):
            return f"`sites.{name}` needs both latitude and longitude, or neither"
        if site.announced_only and site.bgp is None:
            return f"`sites.{name}.announced_only` needs routers under bgp: nobody announces routes"
        if wrong := _complaint_about_fill(site):
            return f"`sites.{name}.{wrong}"
        if site.bgp is not None and (wrong := _complaint_about_bgp(site.bgp)):
            return f"`sites.{name}.bgp`: {wrong}"
    return ""


def _complaint_about_fill(site: Site) -> str:
    """What is wrong with when an appliance is filled, from the name of the setting on and with its
    closing backquote; empty where nothing is."""
    for setting, read, text in (
        ("timezone", place_of, site.timezone),
        ("fill_window", window, site.fill_window),
    ):
        try:
            read(text)
        except ValueError as error:
            return f"{setting}`: {error}"
    return ""


def _complaint_about_bgp(bgp: BgpSettings) -> str:
    try:
        ipaddress.IPv4Address(bgp.router_id)
    except ValueError:
        return f"router_id is {bgp.router_id!r}: write an IPv4 address"
    addresses = [peer.address for peer in bgp.peers]
    if len(set(addresses)) < len(addresses):
        return "two peers have the same address"
    return next(filter(None, map(_complaint_about_peer, bgp.peers)), "")


def _complaint_about_peer(peer: PeerSettings) -> str:
    try:
        versions = {
            ipaddress.ip_address(address).version for address in (peer.address, peer.local_address)
        }
    except ValueError:
        return f"the peer {peer.address!r} and its local_address must be IP addresses"
    if len(versions) > 1:
        return f"the peer {peer.address} and its local_address are not of one kind"
    if not peer.allow:
        return f"the peer {peer.address} may announce nothing: write its networks under allow"
    for network in peer.allow:
        try:
            ipaddress.ip_network(network)
        except ValueError:
            return f"the peer {peer.address} allows {network!r}: write networks: 192.0.2.0/24"
    return ""
