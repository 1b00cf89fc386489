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
from typing import ClassVar, Protocol

import msgspec

from cuemark.contracts.ids import ApplianceId, PlaySessionId, VersionId
from cuemark.contracts.steering.reports import (
    GetSnapshot,
    Report,
    ReportAccepted,
    ReportInvalid,
    Snapshot,
    Software,
)
from cuemark.contracts.steering.rollouts import (
    ChangeRollout,
    GetRollout,
    NoRollout,
    Rollout,
    RolloutInvalid,
    RolloutUnderway,
    StartRollout,
)
from cuemark.contracts.steering.routes import (
    AddressInvalid,
    AnnounceRoutes,
    BgpPeer,
    ListRoutes,
    Place,
    Route,
    RoutePage,
    RoutesAccepted,
    RoutesInvalid,
)
from cuemark.kit.errors import Refusal
from cuemark.kit.networks import NetworkInvalid
from cuemark.kit.pages import PageInvalid

TOPIC = "steering"


class UnknownAppliance(Refusal):
    code = "unknown_appliance"
    status = 404


class SteeringOver(Refusal):
    code = "steering_over"
    status = 410


class NoAppliance(Refusal):
    code = "no_appliance"
    status = 503


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


class Locate(msgspec.Struct, frozen=True, kw_only=True):
    """Where is this IP address? What is none, or is in no database, is nowhere."""

    client_address: str


class Located(msgspec.Struct, frozen=True, kw_only=True):
    """``place.country`` is ISO 3166-1 alpha-2; empty where it is not known."""

    place: Place


class SetDraining(msgspec.Struct, frozen=True, kw_only=True):
    """A draining appliance gets no play while another one is fit, and running plays are led away
    from it. It serves whoever asks all the same."""

    appliance_id: ApplianceId
    draining: bool


class DrainingSet(msgspec.Struct, frozen=True, kw_only=True):
    pass


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
    for_appliances: ClassVar[frozenset[str]] = frozenset(
        {"report", "get_snapshot", "announce_routes"}
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

    async def locate(self, request: Locate) -> Located: ...

    async def set_draining(self, request: SetDraining) -> DrainingSet: ...

    async def start_rollout(self, request: StartRollout) -> Rollout: ...

    async def get_rollout(self, request: GetRollout) -> Rollout: ...

    async def change_rollout(self, request: ChangeRollout) -> Rollout: ...
