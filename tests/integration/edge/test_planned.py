"""The circle of fill: what an appliance served is told to control's fill, on a real database, which
plans by it, and the appliance fetches that and tells it as held."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from cuemark.contexts.fill import wiring
from cuemark.contracts.fill import Fill, GetManifest, Manifest
from cuemark.contracts.ids import VersionId
from cuemark.edge.access_log import Mark
from cuemark.edge.ledger import Ledger
from cuemark.edge.settings import ApplianceSettings
from cuemark.edge.telling import Telling
from cuemark.edge.tracks import Track
from cuemark.edge.uses import InHour
from cuemark.kit.clock import ManualClock
from cuemark.kit.link import local
from cuemark.kit.objects import Objects
from tests.contract.fill.house import NOW, A, House
from tests.databases import opened
from tests.integration.fill.test_days import as_it_is
from tests.unit.edge import test_ahead as appliance

MARK = Mark(inode=1, head="", at=0, written_ns=0)
PLAYS = 6


@pytest.fixture
async def control(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    async with opened(database_url, wiring) as database:
        yield House(as_it_is, database, ManualClock(NOW), Objects(tmp_path / "objects"))


class Told:
    """An appliance beside its control, which tells by hand."""

    def __init__(self, folder: Path, control: House, fill: Fill) -> None:
        self.control = control
        self.edge = appliance.House(folder, room=2.5, now=NOW)
        self.ledger = Ledger(folder)
        settings = ApplianceSettings(
            appliance_id=A,
            folder=str(folder),
            url="",
            bind="",
            port=1,
            agent_port=2,
            control_url="",
            passport_key="",
            origin_url="",
            origin_key="",
            region="oslo",
            timezone="Europe/Oslo",
            manifest_every_s=0.05,
            tell_every_s=0.05,
        )
        self.telling = Telling(
            settings,
            local(Fill, fill),
            self.edge.plan,
            self.ledger,
            self.edge.indexes,
            self.edge.store,
            self.edge.clock,
        )

    async def publish(self, number: int) -> VersionId:
        self.edge.publish(number, ("v1", "v2"))
        version_id = appliance.version(number)
        body = msgspec.json.encode(self.edge.indexes.get(version_id))
        name = version_id.removeprefix("ver_")
        return await self.control.publish(f"film{number}", name, index=body)

    def serve(self, version_id: VersionId, plays: float) -> None:
        """So many plays of the second rendition in each of the last six hours."""
        hour = int(NOW.timestamp()) // 3600
        count = int(plays * appliance.TRACK_BYTES)
        served = {InHour(hour - ago, Track(version_id, "v2")): count for ago in range(1, 7)}
        self.ledger.add(Counter(served), MARK, hour)

    def changed(self) -> None:
        self.edge.keeping.changed()
        self.edge.ahead.follow()


async def test_what_was_served_is_planned_fetched_and_told_as_held(
    control: House, tmp_path: Path
) -> None:
    folder = tmp_path / "edge"
    folder.mkdir()
    built = Told(folder, control, await control.reached(A))
    films = [await built.publish(number) for number in (1, 2, 3)]
    built.serve(films[1], PLAYS)
    built.serve(films[2], PLAYS / 6)
    assert await built.telling.tell_all_served() == ""
    telling = [
        asyncio.create_task(built.telling.tell_held()),
        asyncio.create_task(built.telling.follow_manifests(built.changed)),
    ]
    fill = await control.reached()

    async def planned() -> Manifest:
        await control.planned()
        await asyncio.sleep(0.1)
        return await fill.get_manifest(GetManifest(appliance_id=A))

    try:
        async with asyncio.timeout(60):
            while not (manifest := await planned()).fetch:
                pass
            best = manifest.fetch[0]
            assert (best.version_id, best.track_id) == (films[1], "v2")
            assert best.size_bytes == appliance.TRACK_BYTES
            wanted = {f"{each.version_id[-1]}/{each.track_id}" for each in manifest.fetch}
            whole = dict.fromkeys(wanted, appliance.SEGMENTS)
            await built.edge.work(lambda: built.edge.held() == whole)
            assert built.edge.ahead.state().trouble == ""
            while (manifest := await planned()).fetch:
                pass
        kept = {f"{each.version_id[-1]}/{each.track_id}" for each in manifest.keep}
        assert wanted <= kept, "it has what it is to have, and is to keep it"
    finally:
        for task in telling:
            task.cancel()
        await asyncio.gather(*telling, return_exceptions=True)
