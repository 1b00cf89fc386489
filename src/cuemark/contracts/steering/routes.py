"""The routes that routers tell appliances, and where appliances stand."""

from typing import Literal

import msgspec

from cuemark.contracts.ids import ApplianceId
from cuemark.kit.errors import Refusal

MOST_ROUTES = 2000
PeerState = Literal["up", "down", "held"]


class RoutesInvalid(Refusal):
    code = "routes_invalid"
    status = 422


class AddressInvalid(Refusal):
    code = "address_invalid"
    status = 422


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where an appliance or a client is, as far as it is known.

    ``country`` is ISO 3166-1 alpha-2, empty where unknown; ``asn`` the number of its network, 0
    where unknown; latitude and longitude in degrees (WGS 84), both or neither.
    """

    country: str = ""
    asn: int = 0
    latitude: float | None = None
    longitude: float | None = None


class BgpPeer(msgspec.Struct, frozen=True, kw_only=True):
    """A router with which an appliance has a BGP session.

    ``held``: it announced more than it may, so nothing of it counts for a while. ``routes`` is how
    many of its routes count, ``refused`` how many prefixes were refused since the session began,
    and ``complaint`` says why the last one was.
    """

    address: str
    asn: int
    state: PeerState
    routes: int = 0
    refused: int = 0
    complaint: str = ""


class Route(msgspec.Struct, frozen=True):
    """A prefix whose clients an appliance is for, as the router ``peer`` announced it (RFC 4271).

    ``prefix`` is canonical: ``192.0.2.0/24``, ``2001:db8::/32``.
    """

    prefix: str
    peer: str
    local_preference: int = 100
    as_path_length: int = 0
    med: int = 0


class WithdrawnRoute(msgspec.Struct, frozen=True):
    prefix: str
    peer: str


class AnnounceRoutes(msgspec.Struct, frozen=True, kw_only=True):
    """What changed in the routes of an appliance; batches of up to ``MOST_ROUTES``.

    ``epoch`` names one telling of all its routes from the beginning, and ``revision`` counts its
    batches from 1. Until the batch that has ``complete`` came, the routes of the epoch before
    stand. In a batch the ``dropped`` peers lose all their routes first, then routes are
    ``withdrawn``, then others announced, which take the places of those with the same prefix and
    peer.
    """

    appliance_id: ApplianceId
    epoch: str
    revision: int
    complete: bool = True
    dropped: list[str] = []
    withdrawn: list[WithdrawnRoute] = []
    announced: list[Route] = []


class RoutesAccepted(msgspec.Struct, frozen=True, kw_only=True):
    """``send_all`` asks for a new epoch: what came before this batch is not known."""

    send_all: bool = False


class ListRoutes(msgspec.Struct, frozen=True, kw_only=True):
    """By appliance, then peer, then prefix; of one appliance where it is named. ``after`` is the
    ``next_cursor`` of the page before; ``limit`` 1 to 200."""

    appliance_id: ApplianceId | None = None
    after: str = ""
    limit: int = 50


class RouteState(msgspec.Struct, frozen=True, kw_only=True):
    appliance_id: ApplianceId
    route: Route


class RoutePage(msgspec.Struct, frozen=True, kw_only=True):
    """``total`` counts the routes of all appliances."""

    routes: list[RouteState]
    total: int
    next_cursor: str = ""
