"""Steering in memory."""

from dataclasses import dataclass
from typing import ClassVar

from cuemark.contracts import steering
from cuemark.contracts.ids import ApplianceId
from cuemark.kit.errors import Refusal
from tests.unit.gateway.neighbours.neighbour import Neighbour


@dataclass
class Guide(Neighbour):
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
