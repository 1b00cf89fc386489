"""Telemetry in memory."""

from dataclasses import dataclass, field
from typing import ClassVar

from cuemark.contracts import telemetry
from cuemark.contracts.ids import ApplianceId, VersionId
from cuemark.kit.errors import Refusal
from tests.unit.gateway.neighbours.neighbour import Neighbour


@dataclass
class Scribe(Neighbour):
    refusals: ClassVar[tuple[type[Refusal], ...]] = telemetry.Telemetry.refusals
    for_appliances: ClassVar[frozenset[str]] = telemetry.Telemetry.for_appliances
    asked: list[telemetry.GetTraffic] = field(default_factory=list)

    async def take_lines(self, request: telemetry.TakeLines) -> telemetry.LinesTaken:
        self.check()
        return telemetry.LinesTaken(taken=True)

    async def get_traffic(self, request: telemetry.GetTraffic) -> telemetry.Traffic:
        self.check()
        self.asked.append(request)
        share = telemetry.Share(outcome="hit", source="", requests=3, sent_bytes=3000)
        told = telemetry.ApplianceTraffic(appliance_id=ApplianceId("edge-a"), shares=[share])
        return telemetry.Traffic(since=request.since, appliances=[told])

    async def list_lines(self, request: telemetry.ListLines) -> telemetry.LinePage:
        self.check()
        line = telemetry.Line(
            at_s=1.5, sc_status=200, version_id=VersionId("ver_film"), path="v1/1.m4s"
        )
        told = telemetry.ToldLine(appliance_id=ApplianceId("edge-a"), outcome="hit", line=line)
        return telemetry.LinePage(lines=[told][: request.limit], newest="next")
