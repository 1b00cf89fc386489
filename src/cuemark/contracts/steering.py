"""Steering: which appliances can serve a version to a session, the best first.

An appliance reports every half second. One that does not know the version never ranks, and one that
holds it comes before those as near that would have to fetch it. One that has been silent for
``SILENCE_S`` is dead and ranks only where no living one knows the version: when all went silent at
once, it is more likely that reports are late than that nobody serves.

The first report that says of a published version that an appliance holds it is told to the log as
``VersionPlaced``: from there on, viewers can have it.

    Refusal
    |-- UnknownAppliance   no such appliance is enrolled, or it has never reported
    |-- ReportInvalid      a field of the report is not acceptable; says which
    |-- NetworkInvalid     what tokens shall be bound to is no prefix of addresses; says which
    |-- SteeringOver       the play is over or past its time, or the token is none of ours
    |-- NoAppliance        nobody serves the version of the play just now
    |-- RoutesInvalid      routes that an appliance announces are not acceptable; says which
    |-- AddressInvalid     what a route was asked for is no IP address
    |-- RolloutInvalid     a rollout cannot be started so; says why
    |-- RolloutUnderway    another rollout is going on, or this one is where that cannot be done
    |-- NoRollout          there is no such rollout, or none at all
    `-- PageInvalid        the limit of a list is not acceptable
"""

from datetime import datetime
from typing import ClassVar, Literal, Protocol

import msgspec

from cuemark.contracts.ids import ApplianceId, PlaySessionId, VersionId
from cuemark.kit.errors import Refusal
from cuemark.kit.networks import NetworkInvalid
from cuemark.kit.pages import PageInvalid

TOPIC = "steering"

REPORT_EVERY_S = 0.5
SILENCE_S = 1.5
GONE_S = 30.0
MAX_REVOKED = 50_000
MOST_ROUTES = 2000


class UnknownAppliance(Refusal):
    code = "unknown_appliance"
    status = 404


class ReportInvalid(Refusal):
    code = "report_invalid"
    status = 422


class SteeringOver(Refusal):
    code = "steering_over"
    status = 410


class NoAppliance(Refusal):
    code = "no_appliance"
    status = 503


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


class Rank(msgspec.Struct, frozen=True, kw_only=True):
    """``variants`` is the session's row of a marked version, which all its tokens carry.

    ``networks`` are prefixes of addresses, as ``192.0.2.0/24``, a few at most: the
    tokens open nothing to clients elsewhere. Without any, they open to clients everywhere.
    ``client_address`` is the viewer's IP address, by which near appliances come first; empty, or
    what is no address: all are as near. Steering keeps it nowhere.
    """

    session_id: PlaySessionId
    version_id: VersionId
    expires_at: datetime
    limit: int = 3
    variants: bytes = b""
    networks: list[str] = []
    client_address: str = ""


class RankedAppliance(msgspec.Struct, frozen=True, kw_only=True):
    """``media_url`` is the version's root on this appliance, token included, ending in ``/``."""

    appliance_id: ApplianceId
    media_url: str


class Ranking(msgspec.Struct, frozen=True, kw_only=True):
    """``steering_token`` is what ``Steer`` takes while the play runs, ``redirect_token`` what
    ``Redirect`` takes; they belong in no log. The second one opens the play's media.

    ``led_past``: an appliance that holds the version is nearer to the client than the first of
    these, and is silent, not healthy, full or draining.
    """

    appliances: list[RankedAppliance]
    steering_token: str = ""
    redirect_token: str = ""
    led_past: bool = False


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
    capacity_kbps: int = 0
    served_kbps: int = 0
    announced_only: bool = False
    place: "Place | None" = None
    peers: "list[BgpPeer]" = []
    routes: int = 0
    draining: bool = False
    region: str = ""
    software: Software | None = None


class ApplianceList(msgspec.Struct, frozen=True, kw_only=True):
    appliances: list[ApplianceState]


class VersionPlaced(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """A version can be had from an appliance for the first time. Told once for each version."""

    version_id: VersionId
    placed_at: datetime


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


PeerState = Literal["up", "down", "held"]


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


class ExplainRanking(msgspec.Struct, frozen=True, kw_only=True):
    """How would a client with this IP address be steered? Without a version, as if all held it.

    Raises ``AddressInvalid``.
    """

    address: str
    version_id: VersionId | None = None


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """An appliance as a client sees it. ``ring`` counts from 1: load decides between those of one
    ring alone; 0 is for one that gets no such client, and ``reason`` says why.

    ``route`` is the one that counts; ``km`` how far it is, where both places are known; ``load`` a
    share of its capacity, or what it has in flight where some capacity is not known.
    ``held_percent`` is how much it holds of what plays of the version take, as it told last; None
    where no version was named, or nothing is known.
    """

    appliance_id: ApplianceId
    ring: int
    reason: str
    route: Route | None = None
    km: float | None = None
    load: float = 0.0
    held_percent: int | None = None


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """The candidates of a client, those that get it first."""

    place: Place
    candidates: list[Candidate]


class Steer(msgspec.Struct, frozen=True, kw_only=True):
    """Where shall a running play fetch from? ``token`` is its ranking's ``steering_token``."""

    token: str


class Steered(msgspec.Struct, frozen=True, kw_only=True):
    """Of the appliances that the play began with, those that it shall use, the best first.

    Never empty: where none of them is fit, all of them. Ask again after ``ttl_s``.
    """

    appliance_ids: list[ApplianceId]
    ttl_s: int


class Redirect(msgspec.Struct, frozen=True, kw_only=True):
    """Where is the media of a running play now? ``token`` is its ranking's ``redirect_token``, and
    ``client_address`` is as in ``Rank``. Raises ``SteeringOver`` and ``NoAppliance``."""

    token: str
    client_address: str = ""


class Redirected(msgspec.Struct, frozen=True, kw_only=True):
    """``media_url`` is the version's root on the best appliance for this client now, with a media
    token, ending in ``/``. It holds for ``ttl_s``; then ask again."""

    session_id: PlaySessionId
    version_id: VersionId
    appliance_id: ApplianceId
    media_url: str
    ttl_s: int


class SetDraining(msgspec.Struct, frozen=True, kw_only=True):
    """A draining appliance gets no play while another one is fit, and running plays are led away
    from it. It serves whoever asks all the same."""

    appliance_id: ApplianceId
    draining: bool


class DrainingSet(msgspec.Struct, frozen=True, kw_only=True):
    pass


class RolloutInvalid(Refusal):
    code = "rollout_invalid"
    status = 422


class RolloutUnderway(Refusal):
    code = "rollout_underway"
    status = 409


class NoRollout(Refusal):
    code = "no_rollout"
    status = 404


class RolloutPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How a rollout goes. ``waves`` are how many appliances run the release after each wave, as a
    number or a share (``10%``), ascending; the last wave, all, goes without saying.

    A wave is over when all of it have been well for ``soak_s``. An appliance drains for ``drain_s``
    before it is told, and has to be back within ``deadline_s``. Of the appliances of a region and
    tier at most ``at_once_percent`` are out at a time, or one; and never the last one that is fit,
    unless ``allow_last``.
    """

    waves: list[str] = msgspec.field(default_factory=lambda: ["1", "10%", "50%"])
    soak_s: int = 600
    drain_s: int = 30
    deadline_s: int = 300
    at_once_percent: int = 25
    allow_last: bool = False


MemberPhase = Literal["waiting", "draining", "replacing", "updated", "failed"]
RolloutStanding = Literal["running", "paused", "halted", "done", "undone"]


class RolloutMember(msgspec.Struct, frozen=True, kw_only=True):
    """An appliance in a rollout. ``target`` is what it is to run, ``before`` what it ran when it
    was told, empty before that and where it ran the target anyway.

    It is in its phase ``since`` a time; ``unwell_since`` is there while it is silent or not
    healthy. ``attempt`` counts its orders; ``reason`` says why it failed.
    """

    appliance_id: ApplianceId
    target: str
    since: datetime
    phase: MemberPhase = "waiting"
    before: str = ""
    attempt: int = 0
    unwell_since: datetime | None = None
    reason: str = ""


class Rollout(msgspec.Struct, frozen=True, kw_only=True):
    """The updating of appliances to a release, wave by wave.

    ``undoes`` names the rollout that this one takes back; then ``release`` is empty, and each
    member's target is what it ran before. ``reason`` says why it is halted, or what it waits for.
    ``wave`` counts from 1; all of it are well since ``well_since``. ``looked_at`` is when it was
    last looked after: what nobody looks after does not get late.
    """

    rollout_id: str
    release: str
    policy: RolloutPolicy
    standing: RolloutStanding
    started_at: datetime
    looked_at: datetime
    members: list[RolloutMember]
    wave: int = 1
    well_since: datetime | None = None
    undoes: str = ""
    reason: str = ""


class StartRollout(msgspec.Struct, frozen=True, kw_only=True):
    """``release`` is as an appliance that runs it reports it.

    Raises ``RolloutInvalid``, and ``RolloutUnderway`` while another one runs.
    """

    release: str
    policy: RolloutPolicy = RolloutPolicy()


class GetRollout(msgspec.Struct, frozen=True, kw_only=True):
    """The last one. Raises ``NoRollout`` where there was none."""


RolloutChange = Literal["pause", "resume", "undo"]


class ChangeRollout(msgspec.Struct, frozen=True, kw_only=True):
    """``pause``: nobody else is told. ``resume``: go on, and try those that failed once more.
    ``undo``: each goes back to what it ran, by a rollout of its own, which is the answer.

    Raises ``NoRollout`` where the last one is another, and ``RolloutUnderway`` where it stands so
    that this cannot be done.
    """

    rollout_id: str
    change: RolloutChange


class Steering(Protocol):
    refusals: ClassVar[tuple[type[Refusal], ...]] = (
        UnknownAppliance,
        ReportInvalid,
        NetworkInvalid,
        RoutesInvalid,
        AddressInvalid,
        PageInvalid,
        SteeringOver,
        NoAppliance,
        RolloutInvalid,
        RolloutUnderway,
        NoRollout,
    )

    async def report(self, request: Report) -> ReportAccepted: ...

    async def get_snapshot(self, request: GetSnapshot) -> Snapshot: ...

    async def rank(self, request: Rank) -> Ranking: ...

    async def list_appliances(self, request: ListAppliances) -> ApplianceList: ...

    async def announce_routes(self, request: AnnounceRoutes) -> RoutesAccepted: ...

    async def list_routes(self, request: ListRoutes) -> RoutePage: ...

    async def explain_ranking(self, request: ExplainRanking) -> Explanation: ...

    async def steer(self, request: Steer) -> Steered: ...

    async def redirect(self, request: Redirect) -> Redirected: ...

    async def set_draining(self, request: SetDraining) -> DrainingSet: ...

    async def start_rollout(self, request: StartRollout) -> Rollout: ...

    async def get_rollout(self, request: GetRollout) -> Rollout: ...

    async def change_rollout(self, request: ChangeRollout) -> Rollout: ...
