"""Steering in memory."""

from dataclasses import dataclass, field
from typing import ClassVar

from cuemark.contracts import steering
from cuemark.contracts.ids import ApplianceId
from cuemark.kit.errors import Refusal
from tests.unit.gateway.neighbours.neighbour import Neighbour

PLAY_TOKEN = "eyJzZXNzaW9uIn0.c2ln"


@dataclass
class Guide(Neighbour):
    draining: list[ApplianceId] = field(default_factory=list)
    refusals: ClassVar[tuple[type[Refusal], ...]] = steering.Steering.refusals

    async def report(self, request: steering.Report) -> steering.ReportAccepted:
        raise AssertionError("appliances do not report to the gateway")

    async def get_snapshot(self, request: steering.GetSnapshot) -> steering.Snapshot:
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
                )
            ]
        )

    async def steer(self, request: steering.Steer) -> steering.Steered:
        self.check()
        if request.token != PLAY_TOKEN:
            raise steering.SteeringOver("This play is past its time.")
        return steering.Steered(appliance_ids=[ApplianceId("edge-a")], ttl_s=10)

    async def set_draining(self, request: steering.SetDraining) -> steering.DrainingSet:
        self.check()
        if request.appliance_id != "edge-a":
            raise steering.UnknownAppliance("There is no such appliance.")
        self.draining = [request.appliance_id] if request.draining else []
        return steering.DrainingSet()
