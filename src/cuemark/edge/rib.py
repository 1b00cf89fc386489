"""The routes that an appliance has from its routers, and what changed in them: pure.

What a router announces passes its policy; more than it may announce, and nothing of it counts for
``HOLD_S``, as routers do with a peer past its maximum of prefixes (RFC 4486).
"""

from collections.abc import Mapping

from cuemark.contracts.steering.routes import MOST_ROUTES, BgpPeer, PeerState, Route, WithdrawnRoute
from cuemark.edge.bgp import SessionDown, SessionUp, Update
from cuemark.edge.prefixes import Policy, Refused
from cuemark.edge.settings import BgpSettings, PeerSettings

HOLD_S = 300.0
REFUSED_BEYOND = 1000
"""How many more prefixes than it may announce a router may have refused in one session."""
MAX_COMPLAINT_CHARS = 160


class Changes:
    """What is to be told of routes, the newest of each alone."""

    def __init__(self) -> None:
        self.dropped: set[str] = set()
        self._routes: dict[str, dict[str, Route | None]] = {}

    def __bool__(self) -> bool:
        return bool(self.dropped) or any(self._routes.values())

    def note(self, peer: str, prefix: str, route: Route | None) -> None:
        self._routes.setdefault(peer, {})[prefix] = route

    def drop(self, peer: str) -> None:
        self._routes.pop(peer, None)
        self.dropped.add(peer)

    def clear(self) -> None:
        self.dropped.clear()
        self._routes.clear()

    def take(self, most: int = MOST_ROUTES) -> tuple[list[str], list[WithdrawnRoute], list[Route]]:
        """Up to ``most`` of them, taken out: dropped peers first, then what came after."""
        dropped = sorted(self.dropped)[:most]
        self.dropped.difference_update(dropped)
        withdrawn: list[WithdrawnRoute] = []
        announced: list[Route] = []
        left = most - len(dropped)
        for peer, routes in self._routes.items():
            if peer in self.dropped:
                continue
            while routes and left:
                prefix, route = routes.popitem()
                left -= 1
                if route is None:
                    withdrawn.append(WithdrawnRoute(prefix, peer))
                else:
                    announced.append(route)
        return dropped, withdrawn, announced


class PeerTable:
    """What one router announced in its session that is up now."""

    def __init__(self, peer: PeerSettings, own_asn: int, changes: Changes) -> None:
        self.peer = peer
        self.routes: dict[str, Route] = {}
        self._policy = Policy(peer, own_asn)
        self._changes = changes
        self._state: PeerState = "down"
        self._refused = 0
        self._complaint = ""

    @property
    def held(self) -> bool:
        """Whether it announced too much; its session is to be ended, for ``HOLD_S``."""
        return self._state == "held"

    def take(self, event: SessionUp | SessionDown | Update) -> None:
        if self.held:
            return
        match event:
            case SessionUp():
                self._begin()
            case SessionDown(reason):
                self.lose(f"the session ended: {reason}" if reason else "the session ended")
            case Update() if self._state == "up":
                for prefix in event.withdrawn:
                    self._withdraw(prefix)
                self._announce(event)

    def lose(self, complaint: str) -> None:
        """The session is over, and no route of it counts."""
        self._drop()
        self._state = "down"
        self._complaint = complaint[:MAX_COMPLAINT_CHARS]

    def told(self) -> BgpPeer:
        """As operators see it."""
        return BgpPeer(
            address=self.peer.address,
            asn=self.peer.asn,
            state=self._state,
            routes=len(self.routes),
            refused=self._refused,
            complaint=self._complaint,
        )

    def _begin(self) -> None:
        self._drop()
        self._state, self._refused, self._complaint = "up", 0, ""

    def _drop(self) -> None:
        if self.routes:
            self.routes.clear()
            self._changes.drop(self.peer.address)

    def _withdraw(self, prefix: str) -> None:
        if self.routes.pop(prefix, None) is not None:
            self._changes.note(self.peer.address, prefix, None)

    def _announce(self, update: Update) -> None:
        against = self._policy.complaint_about(update.facts) if update.announced else ""
        for prefix in update.announced:
            try:
                if against:
                    raise Refused(f"{prefix[:60]}: {against}")
                self._policy.admit(prefix)
            except Refused as refused:
                # It stands for what was announced before, which is no longer so.
                self._withdraw(prefix)
                self._refuse(str(refused))
            else:
                self._admit(prefix, self._policy.route(prefix, update.facts))
            if self.held:
                return

    def _admit(self, prefix: str, route: Route) -> None:
        if prefix not in self.routes and len(self.routes) >= self.peer.max_prefixes:
            self._hold(f"it announced more than {self.peer.max_prefixes} prefixes")
        elif self.routes.get(prefix) != route:
            self.routes[prefix] = route
            self._changes.note(self.peer.address, prefix, route)

    def _refuse(self, complaint: str) -> None:
        self._refused += 1
        self._complaint = complaint[:MAX_COMPLAINT_CHARS]
        if self._refused > self.peer.max_prefixes + REFUSED_BEYOND:
            self._hold(f"{self._refused} prefixes were refused; the last: {complaint}")

    def _hold(self, complaint: str) -> None:
        self._drop()
        self._state = "held"
        self._complaint = complaint[:MAX_COMPLAINT_CHARS]


class Rib:
    """All routers of an appliance, by address, and what is to be told of their routes."""

    def __init__(self, bgp: BgpSettings | None) -> None:
        self.changes = Changes()
        self.tables: Mapping[str, PeerTable] = (
            {peer.address: PeerTable(peer, bgp.asn, self.changes) for peer in bgp.peers}
            if bgp
            else {}
        )

    def all_routes(self) -> list[Route]:
        return [route for table in self.tables.values() for route in table.routes.values()]

    def told(self) -> list[BgpPeer]:
        return [table.told() for table in self.tables.values()]
