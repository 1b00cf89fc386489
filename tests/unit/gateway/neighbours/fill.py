"""Fill in memory."""

from dataclasses import dataclass
from typing import ClassVar

from cuemark.contracts import fill
from cuemark.contracts.ids import ApplianceId, VersionId
from cuemark.kit.errors import Refusal
from tests.unit.gateway.neighbours.neighbour import FILM, Neighbour

A = ApplianceId("edge-a")
VERSION = VersionId("ver_film")


@dataclass
class Granary(Neighbour):
    made: int = 0
    refusals: ClassVar[tuple[type[Refusal], ...]] = fill.Fill.refusals
    for_appliances: ClassVar[frozenset[str]] = fill.Fill.for_appliances

    async def tell_served(self, request: fill.TellServed) -> fill.ServedTold:
        raise AssertionError("appliances tell the gateway nothing")

    async def tell_held(self, request: fill.TellHeld) -> fill.HeldTold:
        raise AssertionError("appliances tell the gateway nothing")

    async def get_manifest(self, request: fill.GetManifest) -> fill.Manifest:
        raise AssertionError("appliances get no manifests from the gateway")

    async def get_held(self, request: fill.GetHeld) -> fill.Held:
        raise AssertionError("the gateway steers nobody")

    async def make_plan(self, request: fill.MakePlan) -> fill.FillPlan:
        self.check()
        self.made += 1
        return await self.get_plan(fill.GetPlan())

    async def get_plan(self, request: fill.GetPlan) -> fill.FillPlan:
        self.check()
        appliance = fill.AppliancePlan(
            appliance_id=A,
            storage_bytes=10**12,
            held_bytes=0,
            wanted_bytes=10**9,
            fetch_bytes=10**9,
            fetches=1,
            told_at=self.clock.now(),
        )
        region = fill.RegionPlan(
            region="home",
            made_at=self.clock.now(),
            local_time="01:00",
            hours=24 + self.made,
            tracks=1,
            expected_plays=2.0,
            cutoff_plays=0.0,
            appliances=[appliance],
        )
        return fill.FillPlan(regions=[region])

    async def explain_track(self, request: fill.ExplainTrack) -> fill.TrackExplanation:
        self.check()
        if (request.version_id, request.track_id) != (VERSION, "v1"):
            raise fill.UnknownTrack("No published version has this track.")
        reason = fill.TrackReason(
            region="home",
            wanted=True,
            held=False,
            expected_plays=2.0,
            rank=1,
            of=1,
            cutoff_plays=0.0,
            title_plays=2.0,
            share=1.0,
            told="It is brought: 2.0 plays are expected.",
            on=[A],
            held_on=[],
        )
        return fill.TrackExplanation(
            version_id=VERSION, title_id=FILM, track_id="v1", size_bytes=10**9, regions=[reason]
        )

    async def explain_title(self, request: fill.ExplainTitle) -> fill.TitleExplanation:
        self.check()
        if request.title_id != FILM:
            raise fill.UnknownTrack("No version of this title is published.")
        track = await self.explain_track(fill.ExplainTrack(version_id=VERSION, track_id="v1"))
        return fill.TitleExplanation(title_id=FILM, version_id=VERSION, tracks=[track])
