"""What an appliance tells control of fill, and what it does while control does not hear."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from blake3 import blake3

from cuemark.contracts.encoding.versions import IndexedFile, VersionIndex
from cuemark.contracts.fill import (
    ExplainTitle,
    ExplainTrack,
    Fill,
    FillInvalid,
    FillPlan,
    GetHeld,
    GetManifest,
    GetPlan,
    Held,
    HeldTold,
    MakePlan,
    Manifest,
    PlannedTrack,
    ServedTold,
    TellHeld,
    TellServed,
    TitleExplanation,
    TrackBytes,
    TrackExplanation,
    UnknownTrack,
)
from cuemark.contracts.ids import VersionId
from cuemark.edge import telling as module
from cuemark.edge.access_log import Mark
from cuemark.edge.ledger import Ledger
from cuemark.edge.plan import Plan
from cuemark.edge.settings import ApplianceSettings
from cuemark.edge.store import Indexes, Store
from cuemark.edge.telling import Telling
from cuemark.edge.tracks import Track
from cuemark.edge.uses import InHour
from cuemark.kit.clock import ManualClock
from cuemark.kit.errors import Refusal, Unavailable
from cuemark.kit.link import local

VERSION = VersionId("ver_" + "0" * 26)
HOUR = 490_000
MARK = Mark(inode=1, head="", at=0, written_ns=0)


class Control(Fill):
    """Control's side of fill, which keeps what it is told; with ``trouble`` it does not hear."""

    def __init__(self) -> None:
        self.served: list[TellServed] = []
        self.held: list[TellHeld] = []
        self.known: list[str] = []
        self.manifest = Manifest(manifest_id="")
        self.trouble: Exception | None = None
        self.refused_hour: datetime | None = None

    def _hear(self) -> None:
        if self.trouble:
            raise self.trouble

    async def tell_served(self, request: TellServed) -> ServedTold:
        self._hear()
        if request.hour == self.refused_hour:
            raise FillInvalid("This hour is too long ago.")
        self.served.append(request)
        return ServedTold()

    async def tell_held(self, request: TellHeld) -> HeldTold:
        self._hear()
        self.held.append(request)
        return HeldTold()

    async def get_manifest(self, request: GetManifest) -> Manifest:
        self.known.append(request.known)
        self._hear()
        if request.known == self.manifest.manifest_id:
            return Manifest(manifest_id=request.known, unchanged=True)
        return self.manifest

    async def get_held(self, request: GetHeld) -> Held:
        raise AssertionError("an appliance asks nothing about others")

    async def make_plan(self, request: MakePlan) -> FillPlan:
        return FillPlan(regions=[])

    async def get_plan(self, request: GetPlan) -> FillPlan:
        return FillPlan(regions=[])

    async def explain_track(self, request: ExplainTrack) -> TrackExplanation:
        raise UnknownTrack("No version has it.")

    async def explain_title(self, request: ExplainTitle) -> TitleExplanation:
        raise UnknownTrack("No title has it.")


class Office:
    """An appliance's side, with what it has to tell."""

    def __init__(self, folder: Path, **changes: str | int | float) -> None:
        (folder / "run").mkdir()
        self.settings = msgspec.structs.replace(
            ApplianceSettings(
                appliance_id="appliance-1",
                folder=str(folder),
                url="",
                bind="",
                port=1,
                agent_port=2,
                control_url="",
                passport_key="",
                origin_url="",
                origin_key="",
                manifest_every_s=0.02,
                tell_every_s=0.02,
            ),
            **changes,
        )
        self.control = Control()
        self.plan = Plan(folder)
        self.ledger = Ledger(folder)
        self.indexes = Indexes(folder)
        self.store = Store(folder, 1000)
        self.telling = Telling(
            self.settings,
            local(Fill, self.control),
            self.plan,
            self.ledger,
            self.indexes,
            self.store,
            ManualClock(),
        )

    def serve(self, hour: int = HOUR, **tracks: int) -> None:
        counted = {InHour(hour, Track(VERSION, name)): count for name, count in tracks.items()}
        self.ledger.add(Counter(counted), MARK, HOUR)

    def hold(self, *paths: str) -> None:
        """Know a version with these files, and hold them; ten bytes each."""
        files = {path: IndexedFile(blake3(path.encode()).hexdigest(), 10) for path in paths}
        index = VersionIndex(version_id=VERSION, files=files)
        self.indexes.add(index, msgspec.json.encode(index))
        for file in files.values():
            self.store.enter(file.blake3, 10)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


async def test_what_was_served_is_told_as_totals_of_its_hour(office: Office) -> None:
    office.serve(v1=5, v2=7)
    assert await office.telling.tell_all_served() == ""
    office.serve(v1=1)
    assert await office.telling.tell_all_served() == ""
    assert await office.telling.tell_all_served() == ""
    first, second = office.control.served
    assert (first.appliance_id, first.region) == ("appliance-1", "home")
    assert first.hour == datetime.fromtimestamp(HOUR * 3600, UTC)
    assert first.served == [TrackBytes(VERSION, "v1", 5), TrackBytes(VERSION, "v2", 7)]
    assert second.served == [TrackBytes(VERSION, "v1", 6)]


@pytest.mark.parametrize(
    "trouble", [Unavailable("away"), Refusal("there is no such method"), FillInvalid("no")]
)
async def test_what_control_did_not_hear_is_told_when_it_does(
    office: Office, trouble: Exception
) -> None:
    office.serve(HOUR - 1, v1=3)
    office.serve(v1=5)
    office.control.trouble = trouble
    assert await office.telling.tell_all_served() == str(trouble)
    office.control.trouble = None
    assert await office.telling.tell_all_served() == ""
    assert [each.served[0].of_bytes for each in office.control.served] == [3, 5]


async def test_an_hour_that_is_refused_holds_up_no_other(office: Office) -> None:
    office.serve(HOUR - 1, v1=3)
    office.serve(v1=5)
    office.control.refused_hour = datetime.fromtimestamp((HOUR - 1) * 3600, UTC)
    assert await office.telling.tell_all_served() == "This hour is too long ago."
    assert [each.served[0].of_bytes for each in office.control.served] == [5]


async def test_many_tracks_are_told_in_parts(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_TRACKS", 2)
    monkeypatch.setattr("cuemark.edge.ledger.MOST_TRACKS", 2)
    office.serve(v1=1, v2=2, v3=3)
    assert await office.telling.tell_all_served() == ""
    assert [len(each.served) for each in office.control.served] == [2, 1]
    office.hold("v1/1.m4s", "v2/1.m4s", "v3/1.m4s")
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        telling = group.create_task(office.telling.tell_held())
        while len(office.control.held) < 2:
            await asyncio.sleep(0.01)
        telling.cancel()
    assert [(each.part, each.parts, len(each.held)) for each in office.control.held] == [
        (1, 2, 2),
        (2, 2, 1),
    ]


async def test_what_is_held_is_told_with_what_the_appliance_is_and_again_when_it_changes(
    tmp_path: Path,
) -> None:
    office = Office(tmp_path, region="north", timezone="Europe/Oslo", capacity_kbps=7)
    office.hold("v1/1.m4s", "v1/2.m4s", "en.vtt")
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        telling = group.create_task(office.telling.tell_held())
        while not office.control.held:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert len(office.control.held) == 1, "nothing has changed"
        office.store.drop(blake3(b"v1/2.m4s").hexdigest())
        while len(office.control.held) < 2:
            await asyncio.sleep(0.01)
        telling.cancel()
    first, second = office.control.held
    assert (first.region, first.timezone, first.capacity_kbps) == ("north", "Europe/Oslo", 7)
    assert first.storage_bytes == 980
    assert first.held == [TrackBytes(VERSION, "en", 10), TrackBytes(VERSION, "v1", 20)]
    assert second.held == [TrackBytes(VERSION, "en", 10), TrackBytes(VERSION, "v1", 10)]


async def test_manifests_are_followed_and_the_last_one_holds_while_control_is_away(
    office: Office,
) -> None:
    changes = []
    office.control.trouble = Unavailable("away")
    office.control.manifest = Manifest(
        manifest_id="m1", fetch=[PlannedTrack(VERSION, "v1", 10, 1.0)]
    )
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        telling = group.create_task(
            office.telling.follow_manifests(
                lambda: changes.append(office.plan.manifest.manifest_id)
            )
        )
        while len(office.control.known) < 3:
            await asyncio.sleep(0.01)
        assert changes == []
        office.control.trouble = None
        while not changes:
            await asyncio.sleep(0.01)
        office.control.trouble = Refusal("there is no such method")
        seen = len(office.control.known)
        while len(office.control.known) < seen + 3:
            await asyncio.sleep(0.01)
        telling.cancel()
    assert changes == ["m1"]
    assert office.plan.manifest == office.control.manifest
    assert office.control.known[-1] == "m1"
