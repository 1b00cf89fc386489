"""Days of two regions with a premiere each day: plans from what was told, and the commands."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest
from click.testing import CliRunner

from cuemark.app.cli.main import commands
from cuemark.contexts.fill import wiring
from cuemark.contracts.fill import GetManifest
from cuemark.contracts.ids import ApplianceId, VersionId
from cuemark.gateway.app import build_gateway
from cuemark.kit.clock import ManualClock, SystemClock
from cuemark.kit.objects import Objects
from tests.contract.fill.house import FILM_BYTES, STORE, A, B, House
from tests.databases import opened
from tests.integration.gateway.listening import folder_of, free_port, listening, url_of
from tests.unit.gateway.neighbours import Town

T = TypeVar("T")
MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)
DAYS, OLD, H_S = 4, 10, 3600
OF_REGION = {A: ("oslo", "Europe/Oslo"), B: ("delhi", "Asia/Kolkata")}


async def as_it_is(contract: type[T], service: T, subject: str = "") -> T:
    return service


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    async with opened(database_url, wiring) as database:
        yield House(as_it_is, database, ManualClock(MIDNIGHT), Objects(tmp_path / "objects"))


async def hold(house: House) -> None:
    for appliance_id, (region, timezone) in OF_REGION.items():
        room = 4 * FILM_BYTES
        await house.held(appliance_id, region=region, timezone=timezone, storage_bytes=room)
    await house.held(STORE, region="oslo", storage_bytes=8 * FILM_BYTES)


async def a_day(
    house: House, films: list[VersionId], premieres: list[VersionId]
) -> dict[ApplianceId, dict[VersionId, float]]:
    """What each region watches in a day, told hour by hour: each likes other films, and the newest
    premiere above all."""
    whole: dict[ApplianceId, dict[VersionId, float]] = {A: {}, B: {}}
    for _ in range(24):
        house.clock.advance(H_S)
        for number, (appliance_id, (region, _)) in enumerate(OF_REGION.items()):
            plays = {film: 2.0 if n % 5 == number else 0.04 for n, film in enumerate(films)}
            plays |= {film: 6.0 * 0.5**age for age, film in enumerate(reversed(premieres))}
            await house.served(appliance_id, plays, region=region)
            for film, count in plays.items():
                whole[appliance_id][film] = whole[appliance_id].get(film, 0.0) + count
    return whole


async def wanted(house: House, appliance_id: ApplianceId) -> set[tuple[VersionId, str]]:
    fill = await house.reached(appliance_id)
    told = await fill.get_manifest(GetManifest(appliance_id=appliance_id))
    return {(each.version_id, each.track_id) for each in told.keep}


async def watched_for(house: House, days: int) -> tuple[list[VersionId], VersionId]:
    """The old films, and a premiere of which nothing was played."""
    films = [
        await house.publish("film" if n == 0 else f"old{n}", f"old{n}", days_ago=40)
        for n in range(OLD)
    ]
    premieres: list[VersionId] = []
    for day in range(days):
        premieres.append(await house.publish(f"new{day}", f"new{day}", days_ago=0))
        await a_day(house, films, premieres)
    await hold(house)
    last = await house.publish("last", "last", days_ago=0)
    await house.planned()
    return films, last


async def test_each_region_is_to_have_what_it_watches_and_what_is_new(house: House) -> None:
    films, last = await watched_for(house, DAYS)
    plan = await house.planned()
    assert [(each.region, each.tier) for each in plan.regions] == [
        ("delhi", "edge"),
        ("oslo", "edge"),
        ("oslo", "storage"),
    ]
    assert [each.hours for each in plan.regions] == [24 * DAYS] * 3
    in_oslo, in_delhi = await wanted(house, A), await wanted(house, B)
    assert (films[0], "v2") in in_oslo - in_delhi
    assert (films[1], "v2") in in_delhi - in_oslo
    assert (last, "v2") in in_oslo & in_delhi
    assert (films[2], "v2") not in in_oslo | in_delhi
    assert {(films[0], "v2"), (films[1], "v2"), (last, "v2")} <= await wanted(house, STORE)
    watched = await a_day(house, films, [last])
    for appliance_id, there in ((A, in_oslo), (B, in_delhi)):
        plays = watched[appliance_id]
        of_bytes = sum(plays.values())
        foreseen = sum(count for film, count in plays.items() if (film, "v2") in there)
        assert foreseen > 0.9 * of_bytes


async def test_the_commands_tell_the_plan_and_its_reasons(house: House, tmp_path: Path) -> None:
    await watched_for(house, 2)
    port = free_port()
    folder = folder_of(tmp_path / "data", port)
    parts = replace(Town(tmp_path, url_of(port), SystemClock()).parts, fill=house.room.service)

    async def said(*argv: str) -> str:
        run = await asyncio.to_thread(
            CliRunner().invoke, commands, ["fill", *argv, "--data", str(folder.root)]
        )
        assert run.exit_code == 0, run.output
        return run.stdout

    async with listening(build_gateway(parts), port):
        plan = await said("plan", "--now")
        assert f"delhi: planned {house.clock.now():%Y-%m-%d %H:%M} UTC, 06:00 there" in plan
        assert "oslo, storage tier: planned" in plan
        assert "from 48 hours of demand" in plan
        assert '"trouble":""' in await said("plan", "--json")
        tracks = await said("explain", "ttl_film")
        assert "Version ver_old0:" in tracks
        assert "oslo (storage)" in tracks
        told = await said("explain", "ttl_film", "v2")
        assert "Track v2 of ver_old0, 1.6 GB" in told
        assert "oslo: It is brought: " in told
        assert "delhi: It is not brought: " in told
        assert "To be on: edge-a. On: none." in told
