"""Steering: which appliances can serve a version to a session, the best first.

An appliance reports every half second. One that lacks the version never ranks; one that has been
silent for ``SILENCE_S`` is dead and ranks only where no living one has the version: when all went
silent at once, it is more likely that reports are late than that nobody serves.

The first report that says of a published version that an appliance holds it is told to the log as
``VersionPlaced``: from there on, viewers can have it.

    Refusal
    |-- UnknownAppliance   the report comes from an appliance that is not enrolled
    |-- ReportInvalid      a field of the report is not acceptable; says which
    `-- NetworkInvalid     what tokens shall be bound to is no prefix of addresses; says which
"""

from datetime import datetime
from typing import ClassVar, Protocol

import msgspec

from cuemark.contracts.ids import ApplianceId, PlaySessionId, VersionId
from cuemark.kit.errors import Refusal
from cuemark.kit.networks import NetworkInvalid

TOPIC = "steering"

REPORT_EVERY_S = 0.5
SILENCE_S = 1.5
GONE_S = 30.0
MAX_REVOKED = 50_000


class UnknownAppliance(Refusal):
    code = "unknown_appliance"
    status = 404


class ReportInvalid(Refusal):
    code = "report_invalid"
    status = 422


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What an appliance says of itself. ``url`` is where viewers reach it, ``http`` or ``https``.

    ``inventory_revision`` grows by one with each change of the set of versions; ``versions`` is
    sent when it changed or when steering asked for it, else it is None.
    """

    appliance_id: ApplianceId
    url: str
    healthy: bool
    in_flight: int
    inventory_revision: int
    versions: list[VersionId] | None = None


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


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What an appliance needs to serve without asking: token keys, published versions, the
    sessions that are over before their tokens are, and whom to ask for what it lacks before the
    origin, the ones to prefer first.

    Of the revoked, the newest ``MAX_REVOKED`` are told, each until its tokens end.
    """

    token_keys: list[SnapshotKey]
    versions: list[SnapshotVersion]
    cursor: str
    revoked: list[RevokedSession] = []
    revoked_cursor: str = ""
    sources: list[SnapshotSource] = []


class Rank(msgspec.Struct, frozen=True, kw_only=True):
    """``variants`` is the session's row of a marked version, which all its tokens carry.

    ``networks`` are prefixes of addresses, as ``192.0.2.0/24``, a few at most: the
    tokens open nothing to clients elsewhere. Without any, they open to clients everywhere.
    """

    session_id: PlaySessionId
    version_id: VersionId
    expires_at: datetime
    limit: int = 3
    variants: bytes = b""
    networks: list[str] = []


class RankedAppliance(msgspec.Struct, frozen=True, kw_only=True):
    """``media_url`` is the version's root on this appliance, token included, ending in ``/``."""

    appliance_id: ApplianceId
    media_url: str


class Ranking(msgspec.Struct, frozen=True, kw_only=True):
    appliances: list[RankedAppliance]


class ListAppliances(msgspec.Struct, frozen=True, kw_only=True):
    pass


class ApplianceState(msgspec.Struct, frozen=True, kw_only=True):
    appliance_id: ApplianceId
    url: str
    alive: bool
    healthy: bool
    in_flight: int
    versions: int
    last_report_at: datetime


class ApplianceList(msgspec.Struct, frozen=True, kw_only=True):
    appliances: list[ApplianceState]


class VersionPlaced(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """A version can be had from an appliance for the first time. Told once for each version."""

    version_id: VersionId
    placed_at: datetime


class Steering(Protocol):
    refusals: ClassVar[tuple[type[Refusal], ...]] = (
        UnknownAppliance,
        ReportInvalid,
        NetworkInvalid,
    )

    async def report(self, request: Report) -> ReportAccepted: ...

    async def get_snapshot(self, request: GetSnapshot) -> Snapshot: ...

    async def rank(self, request: Rank) -> Ranking: ...

    async def list_appliances(self, request: ListAppliances) -> ApplianceList: ...
