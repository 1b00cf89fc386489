"""A control process of the tests' own: Steering, Telemetry, and Fill where a test wants it.

They are behind the real internal application.

What it answers it reads from a file at each call, and each report goes to another, so that a
test can change the one and see the other while it runs as a child.
"""

import argparse
import asyncio
from pathlib import Path

import msgspec
from granian.constants import Interfaces
from granian.server.embed import Server

from cuemark.contracts.fill import (
    ExplainTitle,
    ExplainTrack,
    Fill,
    FillPlan,
    GetHeld,
    GetManifest,
    GetPlan,
    Held,
    HeldTold,
    MakePlan,
    Manifest,
    ServedTold,
    TellHeld,
    TellServed,
    TitleExplanation,
    TrackExplanation,
    UnknownTrack,
)
from cuemark.contracts.steering import (
    ApplianceList,
    DrainingSet,
    ExplainRanking,
    Explanation,
    ListAppliances,
    Locate,
    Located,
    Rank,
    Ranking,
    Redirect,
    Redirected,
    SetDraining,
    Steer,
    Steered,
    Steering,
    SteeringOver,
)
from cuemark.contracts.steering.reports import GetSnapshot, Report, ReportAccepted, Snapshot
from cuemark.contracts.steering.rollouts import (
    ChangeRollout,
    GetRollout,
    NoRollout,
    Rollout,
    StartRollout,
)
from cuemark.contracts.steering.routes import (
    AnnounceRoutes,
    ListRoutes,
    Place,
    RoutePage,
    RoutesAccepted,
)
from cuemark.contracts.telemetry import (
    GetTraffic,
    LinePage,
    LinesTaken,
    ListLines,
    TakeLines,
    Telemetry,
    Traffic,
)
from cuemark.kit.clock import SystemClock
from cuemark.kit.link import InternalApp, serve
from cuemark.kit.passport import PassportOffice


class FileSteering(Steering):
    """Answers with the snapshot in ``folder``; keeps the reports there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known = -1

    async def report(self, request: Report) -> ReportAccepted:
        with (self._folder / "reports.jsonl").open("ab") as file:
            file.write(msgspec.json.encode(request) + b"\n")
        if request.versions is not None:
            self._known = request.inventory_revision
        return ReportAccepted(send_inventory=request.inventory_revision != self._known)

    async def get_snapshot(self, request: GetSnapshot) -> Snapshot:
        whole = msgspec.json.decode((self._folder / "snapshot.json").read_bytes(), type=Snapshot)
        after = int(request.after or "0")
        return Snapshot(
            token_keys=whole.token_keys,
            versions=whole.versions[after:],
            cursor=str(len(whole.versions)),
            sources=whole.sources,
            revoked=whole.revoked[int(request.revoked_after or "0") :],
            revoked_cursor=str(len(whole.revoked)),
            order=whole.order,
        )

    async def rank(self, request: Rank) -> Ranking:
        return Ranking(appliances=[])

    async def list_appliances(self, request: ListAppliances) -> ApplianceList:
        return ApplianceList(appliances=[])

    async def announce_routes(self, request: AnnounceRoutes) -> RoutesAccepted:
        return RoutesAccepted()

    async def list_routes(self, request: ListRoutes) -> RoutePage:
        return RoutePage(routes=[], total=0)

    async def explain_ranking(self, request: ExplainRanking) -> Explanation:
        return Explanation(place=Place(), candidates=[])

    async def locate(self, request: Locate) -> Located:
        raise AssertionError("appliances ask where nobody is")

    async def steer(self, request: Steer) -> Steered:
        raise SteeringOver("No play is steered here.")

    async def redirect(self, request: Redirect) -> Redirected:
        raise SteeringOver("No play is redirected here.")

    async def set_draining(self, request: SetDraining) -> DrainingSet:
        return DrainingSet()

    async def start_rollout(self, request: StartRollout) -> Rollout:
        raise NoRollout("No rollout is made here.")

    async def get_rollout(self, request: GetRollout) -> Rollout:
        raise NoRollout("No rollout is made here.")

    async def change_rollout(self, request: ChangeRollout) -> Rollout:
        raise NoRollout("No rollout is made here.")


class FileFill(Fill):
    """Answers with the manifest in ``folder``; keeps there what it is told."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _keep(self, name: str, told: TellServed | TellHeld) -> None:
        with (self._folder / name).open("ab") as file:
            file.write(msgspec.json.encode(told) + b"\n")

    async def tell_served(self, request: TellServed) -> ServedTold:
        self._keep("served.jsonl", request)
        return ServedTold()

    async def tell_held(self, request: TellHeld) -> HeldTold:
        self._keep("held.jsonl", request)
        return HeldTold()

    async def get_manifest(self, request: GetManifest) -> Manifest:
        body = (self._folder / "manifest.json").read_bytes()
        manifest = msgspec.json.decode(body, type=Manifest)
        if manifest.manifest_id == request.known:
            return Manifest(manifest_id=request.known, unchanged=True)
        return manifest

    async def get_held(self, request: GetHeld) -> Held:
        return Held()

    async def make_plan(self, request: MakePlan) -> FillPlan:
        return FillPlan(regions=[])

    async def get_plan(self, request: GetPlan) -> FillPlan:
        return FillPlan(regions=[])

    async def explain_track(self, request: ExplainTrack) -> TrackExplanation:
        raise UnknownTrack("No version has such a track.")

    async def explain_title(self, request: ExplainTitle) -> TitleExplanation:
        raise UnknownTrack("No title has such a version.")


class FileTelemetry(Telemetry):
    """Keeps the batches in ``folder``, unless a file ``busy`` is there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def take_lines(self, request: TakeLines) -> LinesTaken:
        if (self._folder / "busy").exists():
            return LinesTaken(taken=False, wait_s=0.1)
        with (self._folder / "batches.jsonl").open("ab") as file:
            file.write(msgspec.json.encode(request) + b"\n")
        return LinesTaken(taken=True)

    async def get_traffic(self, request: GetTraffic) -> Traffic:
        return Traffic(since=request.since, appliances=[])

    async def list_lines(self, request: ListLines) -> LinePage:
        return LinePage(lines=[])


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--passport-key", required=True)
    parser.add_argument("--fill", action="store_true", help="have the room of fill, too")
    options = parser.parse_args()
    office = PassportOffice(bytes.fromhex(options.passport_key), SystemClock())
    routes = [
        serve(Steering, FileSteering(options.folder)),
        serve(Telemetry, FileTelemetry(options.folder)),
    ]
    if options.fill:
        routes.append(serve(Fill, FileFill(options.folder)))
    app = InternalApp(routes, office)
    server = Server(app, port=options.port, interface=Interfaces.ASGI, log_enabled=False)
    await server.serve()


if __name__ == "__main__":
    asyncio.run(main())
