"""What appliances and control tell each other: reports, and the snapshot in return."""

import msgspec

from cuemark.contracts.ids import ApplianceId, PlaySessionId, VersionId
from cuemark.contracts.steering.routes import BgpPeer, Place
from cuemark.kit.errors import Refusal

REPORT_EVERY_S = 0.5
SILENCE_S = 1.5
GONE_S = 30.0
MAX_REVOKED = 50_000


class ReportInvalid(Refusal):
    code = "report_invalid"
    status = 422


class Software(msgspec.Struct, frozen=True, kw_only=True):
    """Which release of Cuemark an appliance runs, and how it does with it.

    ``can_update``: somebody keeps it who can replace it by another release. ``order_id`` is the
    last order of a rollout that it has acted on, and ``trouble`` says why it does not run what that
    order wanted; empty where it does. Of the last minute are ``answered`` the requests that it has
    answered, and ``failed`` those among them that no viewer got media by.
    """

    release: str
    can_update: bool = False
    order_id: str = ""
    trouble: str = ""
    answered: int = 0
    failed: int = 0


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What an appliance says of itself. ``url`` is where viewers reach it, ``http`` or ``https``.

    ``inventory_revision`` grows by one with each change of the set of versions; ``versions`` is
    sent when it changed or when steering asked for it, else it is None.

    ``capacity_kbps`` is what its line carries, 0 where nobody said; ``served_kbps`` what it sends
    now. ``announced_only`` says that it is for clients whose addresses its routes have, and for
    nobody else. ``peers`` are the routers that tell it routes. ``region`` is whose members it
    serves, empty for home.
    """

    appliance_id: ApplianceId
    url: str
    healthy: bool
    in_flight: int
    inventory_revision: int
    versions: list[VersionId] | None = None
    capacity_kbps: int = 0
    served_kbps: int = 0
    announced_only: bool = False
    place: "Place | None" = None
    peers: "list[BgpPeer]" = []
    region: str = ""
    software: Software | None = None


class ReportAccepted(msgspec.Struct, frozen=True, kw_only=True):
    send_inventory: bool


class GetSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """``after`` is the ``cursor`` of the snapshot before: only newer versions are listed.

    ``revoked_after`` is its ``revoked_cursor``: only sessions that were revoked since are listed.
    """

    appliance_id: ApplianceId
    after: str = ""
    revoked_after: str = ""


class SnapshotKey(msgspec.Struct, frozen=True):
    """``key`` is hex, derived for this appliance."""

    kid: str
    key: str

    def __repr__(self) -> str:
        return f"SnapshotKey(kid={self.kid!r}, key=hidden)"


class SnapshotVersion(msgspec.Struct, frozen=True):
    version_id: VersionId
    index_blake3: str


class SnapshotSource(msgspec.Struct, frozen=True, kw_only=True):
    """Another appliance to fetch from. The addresses are its root with a token, ending in ``/``:
    ``a_url`` gives variant a of marked segments and ``b_url`` variant b, and either all else.

    With ``held_only`` it is a peer, to be asked only for what it holds.
    """

    appliance_id: ApplianceId
    a_url: str
    b_url: str
    held_only: bool

    def __repr__(self) -> str:
        return f"SnapshotSource({self.appliance_id!r}, held_only={self.held_only}, tokens hidden)"


class RevokedSession(msgspec.Struct, frozen=True):
    """A playback session whose tokens open nothing any more. ``until_s`` is when they end."""

    session_id: PlaySessionId
    until_s: int


class ReleaseOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Run this release instead of yours. An order is acted on once, whatever comes of it."""

    order_id: str
    release: str


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What an appliance needs to serve without asking: token keys, published versions, the
    sessions that are over before their tokens are, and whom to ask for what it lacks before the
    origin, the ones to prefer first. ``order`` is there while a rollout wants it replaced.

    Of the revoked, the newest ``MAX_REVOKED`` are told, each until its tokens end.
    """

    token_keys: list[SnapshotKey]
    versions: list[SnapshotVersion]
    cursor: str
    revoked: list[RevokedSession] = []
    revoked_cursor: str = ""
    sources: list[SnapshotSource] = []
    order: ReleaseOrder | None = None
