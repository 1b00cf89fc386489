"""Steering in memory."""

from dataclasses import dataclass, field
from typing import ClassVar

from cuemark.contracts import steering
from cuemark.contracts.ids import ApplianceId, PlaySessionId, VersionId
from cuemark.contracts.steering import reports, routes
from cuemark.contracts.steering.rollouts import (
    ChangeRollout,
    GetRollout,
    NoRollout,
    Rollout,
    RolloutInvalid,
    RolloutMember,
    RolloutPolicy,
    StartRollout,
)
from cuemark.kit.errors import Refusal
from cuemark.kit.pages import checked_limit
from tests.unit.gateway.neighbours.neighbour import Neighbour

ROUTE = routes.Route("192.0.2.0/24", "198.51.100.1", 100, 1, 0)
RELEASE = "0.2.0+abc"
PLAY_TOKEN = "eyJzZXNzaW9uIn0.c2ln"
REDIRECT_TOKEN = "k6RwbGF5.c2lnbmVk"
MEDIA_URL = "http://127.0.0.1:8081/t/token/ver_1/"


@dataclass
class Guide(Neighbour):
    draining: list[ApplianceId] = field(default_factory=list)
    clients: list[str] = field(default_factory=list)
    nobody_serves: bool = False
    country: str = "DE"
    rollouts: list[str] = field(default_factory=list)
    refusals: ClassVar[tuple[type[Refusal], ...]] = steering.Steering.refusals
    for_appliances: ClassVar[frozenset[str]] = steering.Steering.for_appliances

    async def report(self, request: reports.Report) -> reports.ReportAccepted:
        raise AssertionError("appliances do not report to the gateway")

    async def get_snapshot(self, request: reports.GetSnapshot) -> reports.Snapshot:
        raise AssertionError("appliances pull no snapshots from the gateway")

    async def rank(self, request: steering.Rank) -> steering.Ranking:
        raise AssertionError("the gateway ranks nothing")

    async def list_appliances(self, request: steering.ListAppliances) -> steering.ApplianceList:
        self.check()
        return steering.ApplianceList(
            appliances=[
                steering.ApplianceState(
                    appliance_id=ApplianceId("edge-a"),
                    url="http://127.0.0.1:8081",
                    alive=True,
                    healthy=True,
                    in_flight=0,
                    versions=1,
                    last_report_at=self.clock.now(),
                    routes=7,
                    software=reports.Software(release="0.2.0+abc", can_update=True),
                    peers=[
                        routes.BgpPeer(
                            address="198.51.100.1",
                            asn=64501,
                            state="held",
                            refused=3,
                            complaint="it announced more than <10> prefixes",
                        )
                    ],
                )
            ]
        )

    async def announce_routes(self, request: routes.AnnounceRoutes) -> routes.RoutesAccepted:
        raise AssertionError("appliances announce nothing to the gateway")

    async def list_routes(self, request: routes.ListRoutes) -> routes.RoutePage:
        self.check()
        checked_limit(request.limit)
        states = [routes.RouteState(appliance_id=ApplianceId("edge-a"), route=ROUTE)]
        return routes.RoutePage(routes=states, total=1)

    async def explain_ranking(self, request: steering.ExplainRanking) -> steering.Explanation:
        self.check()
        if request.address != "192.0.2.7":
            raise routes.AddressInvalid("That is no IP address.")
        candidate = steering.Candidate(
            appliance_id=ApplianceId("edge-a"), ring=1, reason="route 192.0.2.0/24", route=ROUTE
        )
        return steering.Explanation(
            place=routes.Place(country="DE", asn=64501), candidates=[candidate]
        )

    async def locate(self, request: steering.Locate) -> steering.Located:
        self.check()
        return steering.Located(place=routes.Place(country=self.country))

    async def steer(self, request: steering.Steer) -> steering.Steered:
        self.check()
        if request.token != PLAY_TOKEN:
            raise steering.SteeringOver("This play is past its time.")
        return steering.Steered(appliance_ids=[ApplianceId("edge-a")], ttl_s=10)

    async def redirect(self, request: steering.Redirect) -> steering.Redirected:
        self.check()
        self.clients.append(request.client_address)
        if request.token != REDIRECT_TOKEN:
            raise steering.SteeringOver("This play is past its time.")
        if self.nobody_serves:
            raise steering.NoAppliance("No appliance serves this title just now.")
        return steering.Redirected(
            session_id=PlaySessionId("ses_anna"),
            version_id=VersionId("ver_1"),
            appliance_id=ApplianceId("edge-a"),
            media_url=MEDIA_URL,
            ttl_s=2,
        )

    async def set_draining(self, request: steering.SetDraining) -> steering.DrainingSet:
        self.check()
        if request.appliance_id != "edge-a":
            raise steering.UnknownAppliance("There is no such appliance.")
        self.draining = [request.appliance_id] if request.draining else []
        return steering.DrainingSet()

    async def start_rollout(self, request: StartRollout) -> Rollout:
        self.check()
        if request.release != RELEASE:
            raise RolloutInvalid("That names no release.")
        self.rollouts.append("start")
        return self._rollout(request.policy)

    async def get_rollout(self, request: GetRollout) -> Rollout:
        self.check()
        return self._rollout(RolloutPolicy())

    async def change_rollout(self, request: ChangeRollout) -> Rollout:
        self.check()
        if request.rollout_id != "rol_1":
            raise NoRollout("That is not the last rollout.")
        self.rollouts.append(request.change)
        return self._rollout(RolloutPolicy())

    def _rollout(self, policy: RolloutPolicy) -> Rollout:
        now = self.clock.now()
        return Rollout(
            rollout_id="rol_1",
            release=RELEASE,
            policy=policy,
            standing="halted",
            started_at=now,
            looked_at=now,
            members=[
                RolloutMember(
                    appliance_id=ApplianceId("edge-a"), target=RELEASE, since=now, phase="failed"
                )
            ],
            reason="edge-a failed to run <0.2.0>",
        )
