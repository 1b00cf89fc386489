"""Reading again what is stored: what is found, what is paced, and where it goes on."""

import asyncio
import random
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from blake3 import blake3

from cuemark.contracts.encoding.versions import IndexedFile, VersionIndex
from cuemark.contracts.ids import VersionId
from cuemark.edge.cache import FillTable
from cuemark.edge.filling import Filler
from cuemark.edge.neighbours import Neighbours
from cuemark.edge.scrub import Progress, Scrub
from cuemark.edge.store import Indexes, Store
from cuemark.edge.upstream import SourceAway, Upstream
from cuemark.kit.clock import ManualClock

VERSION = VersionId("ver_" + "0" * 26)
FILES = {f"v1/{number}.m4s": random.Random(number).randbytes(1000) for number in range(100)}
FAST_KBPS = 10_000_000


class Shelf(Upstream):
    """An origin in memory; it is away where it has not got a file."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    async def stream(self, path: str, offset: int) -> AsyncGenerator[bytes, None]:
        if path not in self.files:
            raise SourceAway("it has gone")
        yield self.files[path][offset:]


class House:
    """A store that holds all of ``FILES``, with what reads it again."""

    def __init__(self, folder: Path, rate_kbps: int = FAST_KBPS) -> None:
        self.folder = folder
        self.rate_kbps = rate_kbps
        self.clock = ManualClock()
        self.indexes = Indexes(folder)
        self.origin = Shelf({f"{VERSION}/{path}": body for path, body in FILES.items()})
        self.open()

    def open(self) -> None:
        self.store = Store(self.folder, 1 << 30)
        self.filler = Filler(
            FillTable(4, 100), Neighbours(self.origin, "a"), self.store, self.clock
        )
        self.scrub = Scrub(
            self.indexes,
            self.store,
            self.filler,
            self.clock,
            rate_kbps=self.rate_kbps,
            every_s=3600,
        )

    async def fill(self) -> None:
        files = {p: IndexedFile(blake3(b).hexdigest(), len(b)) for p, b in FILES.items()}
        index = VersionIndex(version_id=VERSION, files=files)
        self.indexes.add(index, msgspec.json.encode(index))
        for body in FILES.values():
            scratch = self.store.scratch()
            scratch.write_bytes(body)
            self.store.keep(scratch, blake3(body).hexdigest())
            self.store.enter(blake3(body).hexdigest(), len(body))
        await self.store.write_down()

    def path(self, path: str) -> Path:
        return self.store.path(blake3(FILES[path]).hexdigest())

    async def round(self) -> None:
        await self.scrub.step()
        while self.scrub.progress.running:
            await self.scrub.step()

    async def close(self) -> None:
        self.scrub.close()
        await self.filler.close()
        await self.store.close()


def flip(path: Path, at: int) -> None:
    body = bytearray(path.read_bytes())
    body[at] ^= 1 << at % 8
    path.write_bytes(bytes(body))


async def test_every_flipped_byte_is_found_and_gone_before_it_is_healed(tmp_path: Path) -> None:
    house = House(tmp_path)
    await house.fill()
    rng = random.Random(5)
    changed = [house.path(path) for path in rng.sample(sorted(FILES), 20)]
    for path in changed:
        flip(path, rng.randrange(1000))
    await house.round()
    assert house.scrub.progress.rotten == 20
    assert not any(path.exists() for path in changed)
    assert all(path.name not in house.store for path in changed)
    assert house.scrub.progress.files == 100
    await house.scrub.heal()
    async with asyncio.timeout(10):
        while not all(path.exists() for path in changed):
            await asyncio.sleep(0.01)
    await house.round()
    assert (house.scrub.progress.rotten, house.scrub.progress.healed) == (20, 20)
    assert [blake3(path.read_bytes()).hexdigest() for path in changed] == [p.name for p in changed]
    await house.close()


@pytest.mark.parametrize("damage", ["longer", "shorter", "link", "gone"])
async def test_other_damage_than_a_flipped_byte_is_found(tmp_path: Path, damage: str) -> None:
    house = House(tmp_path)
    await house.fill()
    path = house.path("v1/7.m4s")
    match damage:
        case "longer":
            path.write_bytes(path.read_bytes() + b"x")
        case "shorter":
            path.write_bytes(path.read_bytes()[:-1])
        case "link":
            path.unlink()
            path.symlink_to(house.path("v1/8.m4s"))
        case _:
            house.store.path(path.name).unlink()
    await house.round()
    assert path.name not in house.store
    assert not path.is_symlink()
    assert house.scrub.progress.rotten == (damage in ("longer", "shorter"))
    await house.close()


async def test_it_goes_on_after_a_restart_where_it_stopped(tmp_path: Path) -> None:
    house = House(tmp_path)
    await house.fill()
    await house.scrub.step()
    stopped_at = house.scrub.progress
    assert 0 < stopped_at.files < 100
    await house.close()
    house.open()
    assert house.scrub.progress == stopped_at
    await house.round()
    assert house.scrub.progress.files == 100
    await house.close()


async def test_what_cannot_be_healed_now_is_healed_later_and_after_a_restart(
    tmp_path: Path,
) -> None:
    house = House(tmp_path)
    await house.fill()
    name = house.path("v1/3.m4s").name
    flip(house.path("v1/3.m4s"), 500)
    body = house.origin.files.pop(f"{VERSION}/v1/3.m4s")
    await house.round()
    await house.scrub.heal()
    assert house.scrub.progress.to_heal == [name]
    await house.close()
    house.open()
    house.origin.files[f"{VERSION}/v1/3.m4s"] = body
    await house.scrub.heal()
    assert (house.scrub.progress.to_heal, house.scrub.progress.healed) == ([], 1)
    await house.close()


async def test_reading_keeps_to_its_rate(tmp_path: Path) -> None:
    house = House(tmp_path, rate_kbps=4000)
    await house.fill()
    begun_s = asyncio.get_running_loop().time()
    await house.scrub.step()
    read_bytes = house.scrub.progress.checked_bytes
    assert asyncio.get_running_loop().time() - begun_s >= read_bytes * 8 / 1000 / 4000
    await house.close()


def test_a_round_begins_when_the_one_before_is_long_past_or_lies_in_the_future() -> None:
    now = ManualClock().now()
    assert Progress().due(now, 3600)
    assert not Progress(began_at=now).due(now, 3600)
    assert Progress(began_at=now, running=True).due(now, 3600)
    assert Progress(began_at=now - timedelta(hours=1)).due(now, 3600)
    assert Progress(began_at=now + timedelta(hours=1)).due(now, 3600)
