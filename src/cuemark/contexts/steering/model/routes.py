"""The table of routes: which appliances announce the network of a client, and how near it is.

A route is worth what BGP's decision process makes of it (RFC 4271, section 9.1), over all
appliances: the longest prefix, then the highest local preference, the shortest AS path, the lowest
MED. The MEDs of all networks are compared with one another, as routers do that are told to always
compare them.
"""

import heapq
import ipaddress
import socket
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from radix import Radix

from cuemark.contracts.ids import ApplianceId
from cuemark.contracts.steering.routes import (
    MOST_ROUTES,
    AddressInvalid,
    AnnounceRoutes,
    Route,
    RoutesInvalid,
    RouteState,
)

MAX_CHANGES = 4_000_000
"""Of one epoch; then all routes are asked for anew, and what came before is forgotten."""
_REVISIONS = range(1, 1 << 62)
_METRICS = range(1 << 32)
_LONGEST_AS_PATH = 255
_LONGEST_NAME = 64
_MAPPED = bytes(10) + b"\xff\xff"
"""Before an IPv4 address in IPv6 (RFC 4291, section 2.5.5.2)."""


@dataclass(frozen=True, slots=True)
class Path:
    """By which route an appliance has a client; the least ``cost`` is the best."""

    route: Route
    cost: tuple[int, int, int, int]


@dataclass(eq=False)
class _Source:
    """What one peer of an appliance announced in one epoch. It counts while it is ``live``."""

    appliance_id: ApplianceId
    peer: str
    live: bool
    routes: dict[str, Path] = field(default_factory=dict)


@dataclass
class _Telling:
    """All routes of an appliance since it told them from the beginning."""

    epoch: str
    sources: dict[str, _Source] = field(default_factory=dict)


class RouteTable:
    """The routes of all appliances, found by a client's address.

    What a peer loses at once is gone at once; ``sweep`` clears it away in pieces.
    """

    def __init__(self) -> None:
        self._tree = Radix()
        self._current: dict[ApplianceId, _Telling] = {}
        self._coming: dict[ApplianceId, _Telling] = {}
        self._dead: deque[_Source] = deque()

    def paths(self, address: bytes) -> Mapping[ApplianceId, Path]:
        """The best path of each appliance that has this client. ``address`` has 4 or 16 bytes."""
        found: dict[ApplianceId, Path] = {}
        node = self._tree.search_best(packed=address)
        while node is not None:
            for source, path in node.data["routes"].items():
                if source.live:
                    known = found.get(source.appliance_id)
                    if known is None or path.cost < known.cost:
                        found[source.appliance_id] = path
            node = node.parent
        return found

    def apply(self, batch: AnnounceRoutes) -> None:
        """Take what changed. The batches of an epoch come in their order."""
        telling = self._telling_of(batch.appliance_id, batch.epoch)
        live = telling is self._current.get(batch.appliance_id)
        for peer in batch.dropped:
            if source := telling.sources.pop(peer, None):
                self._bury(source)
        for gone in batch.withdrawn:
            source = telling.sources.get(gone.peer)
            if source and source.routes.pop(gone.prefix, None):
                self._unlink(source, gone.prefix)
        for route in batch.announced:
            source = telling.sources.get(route.peer)
            if source is None:
                source = _Source(batch.appliance_id, route.peer, live)
                telling.sources[route.peer] = source
            self._link(source, route)
        if batch.complete and not live:
            self.forget(batch.appliance_id)
            self._current[batch.appliance_id] = telling
            self._coming.pop(batch.appliance_id, None)
            for source in telling.sources.values():
                source.live = True

    def forget(self, appliance_id: ApplianceId) -> None:
        """Drop all that counts of an appliance."""
        if telling := self._current.pop(appliance_id, None):
            for source in telling.sources.values():
                self._bury(source)

    def sweep(self, most: int) -> bool:
        """Clear up to ``most`` dead routes away; whether any is left."""
        while self._dead and most:
            source = self._dead[0]
            while source.routes and most:
                self._unlink(source, source.routes.popitem()[0])
                most -= 1
            if not source.routes:
                self._dead.popleft()
        return bool(self._dead)

    def counts(self) -> Mapping[ApplianceId, int]:
        """How many routes of each appliance count."""
        return {
            appliance_id: sum(len(source.routes) for source in telling.sources.values())
            for appliance_id, telling in self._current.items()
        }

    def page(
        self, appliance_id: ApplianceId | None, after: tuple[str, ...], limit: int
    ) -> list[RouteState]:
        """Up to ``limit`` routes by appliance, peer and prefix, after the one with these keys."""
        page: list[RouteState] = []
        for source in self._sources():
            if appliance_id in (None, source.appliance_id) and len(page) < limit:
                key = (source.appliance_id, source.peer)
                if key < after[:2]:
                    continue
                last = after[2] if key == after[:2] else ""
                prefixes = (prefix for prefix in source.routes if prefix > last)
                page += [
                    RouteState(appliance_id=source.appliance_id, route=source.routes[prefix].route)
                    for prefix in heapq.nsmallest(limit - len(page), prefixes)
                ]
        return page

    def _sources(self) -> Iterator[_Source]:
        for _, telling in sorted(self._current.items()):
            for _, source in sorted(telling.sources.items()):
                yield source

    def _telling_of(self, appliance_id: ApplianceId, epoch: str) -> _Telling:
        current = self._current.get(appliance_id)
        if current and current.epoch == epoch:
            return current
        coming = self._coming.get(appliance_id)
        if coming is None or coming.epoch != epoch:
            for source in coming.sources.values() if coming else ():
                self._bury(source)
            coming = self._coming[appliance_id] = _Telling(epoch)
        return coming

    def _bury(self, source: _Source) -> None:
        source.live = False
        self._dead.append(source)

    def _link(self, source: _Source, route: Route) -> None:
        length = int(route.prefix.rpartition("/")[2])
        cost = (-length, -route.local_preference, route.as_path_length, route.med)
        path = source.routes[route.prefix] = Path(route, cost)
        node = self._tree.add(route.prefix)
        node.data.setdefault("routes", {})[source] = path

    def _unlink(self, source: _Source, prefix: str) -> None:
        node = self._tree.search_exact(prefix)
        del node.data["routes"][source]
        if not node.data["routes"]:
            self._tree.delete(prefix)


def check_batch(batch: AnnounceRoutes) -> None:
    """Raises ``RoutesInvalid`` where a batch could not be applied, or would be too much at once."""
    if not 0 < len(batch.epoch) <= _LONGEST_NAME or "\0" in batch.epoch:
        raise RoutesInvalid(f"epoch is {batch.epoch[:80]!r}: write 1 to {_LONGEST_NAME} characters")
    if batch.revision not in _REVISIONS:
        raise RoutesInvalid(f"revision is {batch.revision}: count from 1")
    changes = len(batch.dropped) + len(batch.withdrawn) + len(batch.announced)
    if changes > MOST_ROUTES:
        raise RoutesInvalid(f"{changes} changes came at once, more than {MOST_ROUTES}")
    for gone in batch.withdrawn:
        _check_names(gone.prefix, gone.peer)
    for route in batch.announced:
        _check_names(route.prefix, route.peer)
        if route.local_preference not in _METRICS or route.med not in _METRICS:
            raise RoutesInvalid(f"{route.prefix} has a preference or MED beyond 32 bits")
        if not 0 <= route.as_path_length <= _LONGEST_AS_PATH:
            raise RoutesInvalid(f"{route.prefix} has an AS path of {route.as_path_length}")


def _check_names(prefix: str, peer: str) -> None:
    try:
        network = ipaddress.ip_network(prefix)
        if str(network) != prefix or "%" in prefix:
            raise ValueError
    except ValueError:
        raise RoutesInvalid(f"{prefix[:80]!r} is no prefix such as 192.0.2.0/24") from None
    if len(peer) > _LONGEST_NAME:
        raise RoutesInvalid(f"the peer of {prefix} has a name of {len(peer)} characters")


def packed_of(address: str) -> bytes | None:
    """The 4 or 16 bytes of an IP address, 4 of one of IPv4 within IPv6; None for what is none."""
    try:
        if ":" not in address:
            return socket.inet_pton(socket.AF_INET, address)
        packed = socket.inet_pton(socket.AF_INET6, address)
    except (OSError, ValueError):
        return None
    return packed[12:] if packed.startswith(_MAPPED) else packed


def checked_address(address: str) -> bytes:
    """The bytes of an address; raises ``AddressInvalid``."""
    packed = packed_of(address)
    if packed is None:
        raise AddressInvalid(f"{address[:80]!r} is no IP address.")
    return packed
