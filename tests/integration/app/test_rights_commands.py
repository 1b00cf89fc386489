"""``cuemark rights`` against a gateway with the real catalog and the real rights."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cuemark.app.cli.main import commands
from cuemark.contexts.catalog import wiring as catalog_wiring
from cuemark.contexts.rights import wiring
from cuemark.contexts.rights.wiring import read_sheet, write_sheet
from cuemark.contracts.catalog import Catalog, CreateTitle
from cuemark.contracts.ids import TitleId
from cuemark.gateway.app import build_gateway
from cuemark.kit.clock import SystemClock
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Log
from tests.databases import opened
from tests.integration.gateway.listening import folder_of, free_port, listening
from tests.unit.gateway.neighbours import Town


@dataclass(frozen=True)
class House:
    catalog: Catalog
    view: Any
    folder: Path

    async def title(self, name: str) -> TitleId:
        made = await self.catalog.create_title(CreateTitle(name=name))
        await self.view.catch_up()
        return made.title_id

    async def cli(self, *arguments: str, exits: int = 0) -> Result:
        argv = ["rights", arguments[0], "--data", str(self.folder), *arguments[1:]]
        done = await asyncio.to_thread(CliRunner().invoke, commands, argv)
        assert done.exit_code == exits, (done.output, done.exception)
        return done

    async def json(self, *arguments: str, exits: int = 0) -> Any:
        done = await self.cli(*arguments, "--json", exits=exits)
        return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    town, clock, port = Town(tmp_path / "town"), SystemClock(), free_port()
    async with opened(database_url, catalog_wiring, wiring) as database:
        log = Log(clock)
        catalog = catalog_wiring.build(database, log, clock, Ids(clock))
        rights = wiring.build(database, log, clock, wiring.Terms())
        parts = replace(town.parts, catalog=catalog.service, rights=rights.service)
        folder = folder_of(tmp_path / "data", port)
        async with listening(build_gateway(parts), port):
            yield House(catalog.service, catalog.followers[0], folder.root)


async def test_rights_are_set_told_asked_for_and_given_back(house: House) -> None:
    await house.title("Sintel")
    assert "No rights are recorded" in (await house.cli("show", "Sintel")).output
    window = ["--territory=DE", "--territory=AT", "--start=2030-05-01", "--end=2030-08-01"]
    told = (await house.cli("set", "Sintel", *window)).output
    assert "DE, AT" in told
    assert "2030-05-01 local" in told
    asked = await house.cli("ask", "Sintel", "--territory=DE", "--at=2030-07-31T21:59")
    told = "It plays: a window holds, until 2030-07-31 22:00 UTC."
    assert asked.output.splitlines()[-1] == told
    asked = await house.cli("ask", "Sintel", "--territory=FR")
    told = "It does not play: no window has this territory."
    assert asked.output.splitlines()[-1] == told
    none = await house.cli("set", "Sintel", "--none")
    assert "it plays nowhere" in none.output
    assert (await house.json("undo", "Sintel"))["number"] == 1
    zoned = ["--territory=WW", "--except=US", "--start=2030-05-01T20:00-05:00", "--licence=EST"]
    found = await house.json("set", "Sintel", *zoned)
    assert found["windows"][0]["start"] == {"wall": "2030-05-01T20:00:00", "zone": "-05:00"}
    assert found["windows"][0]["excluding"] == ["US"]


async def test_what_is_no_window_is_refused_with_one_sentence(house: House) -> None:
    await house.title("Sintel")
    for argv, said in (
        ([], "give one of --file, --territory and --none"),
        (["--none", "--territory=DE"], "give one of"),
        (["--territory=DE", "--start=soon"], "is no time such as"),
    ):
        assert said in (await house.cli("set", "Sintel", *argv, exits=2)).output
    for argv, said in (
        (["--territory=XX"], "names the territory 'XX'"),
        (["--territory=DE", "--start=2030-05-02", "--end=2030-05-01"], "does not end after"),
        (["--territory=DE", "--start=2030-05-02", "--zone=Berlin"], "has the zone 'Berlin'"),
    ):
        assert said in (await house.cli("set", "Sintel", *argv, exits=1)).output
    await house.cli("undo", "Sintel", exits=1)
    assert "'Nobody'" in (await house.cli("show", "Nobody", exits=1)).output


async def test_windows_of_a_file_are_those_that_show_prints(house: House, tmp_path: Path) -> None:
    await house.title("Sintel")
    await house.title("Other")
    await house.cli("set", "Sintel", "--territory=DE", "--announce=2030-01-01")
    file = tmp_path / "windows.json"
    found = await house.json("show", "Sintel")
    file.write_text(json.dumps(found))
    copied = await house.json("set", "Other", f"--file={file}")
    assert copied["windows"] == found["windows"]
    file.write_text('{"windows": [{"window_id": 1}]}')
    assert (
        "cannot be read as windows"
        in (await house.cli("set", "Other", f"--file={file}", exits=1)).output
    )


@pytest.mark.parametrize("suffix", [".xlsx", ".xml"])
async def test_avails_go_out_and_come_back(house: House, tmp_path: Path, suffix: str) -> None:
    await house.title("Sintel")
    await house.title("=Other")
    await house.cli("set", "Sintel", "--territory=DE", "--territory=FR", "--end=2030-08-01")
    await house.cli("set", "=Other", "--territory=WW", "--except=US", "--zone=Asia/Tokyo")
    kept = [await house.json("show", name) for name in ("Sintel", "=Other")]
    file = tmp_path / f"avails{suffix}"
    assert (await house.json("export", f"--to={file}"))["rows"] == 3
    same = await house.json("import", str(file))
    assert (same["titles"], same["changed"], same["set"]) == (2, 0, True)
    for name in ("Sintel", "=Other"):
        await house.cli("set", name, "--none")
    dry = await house.json("import", str(file), "--dry-run")
    assert (dry["titles"], dry["set"]) == (2, False)
    assert (await house.json("show", "Sintel"))["windows"] == []
    assert (await house.json("import", str(file)))["changed"] == 2
    back = [await house.json("show", name) for name in ("Sintel", "=Other")]
    assert [each["windows"] for each in back] == [each["windows"] for each in kept]


async def test_with_a_fault_nothing_is_set_unless_part_of_it_shall_be(
    house: House, tmp_path: Path
) -> None:
    sintel, file, ids = await house.title("Sintel"), tmp_path / "a.xlsx", tmp_path / "ids.csv"
    row = {"ContentID": "THEIRS", "Territory": "DE", "LicenseType": "SVOD"}
    row |= {"Start": "2030-05-01", "End": "Open", "AvailID": "a1"}
    file.write_bytes(write_sheet([row, row | {"ContentID": "NONE", "Territory": "Germany"}]))
    assert len(read_sheet(file.read_bytes())) == 2
    ids.write_text(f"THEIRS,{sintel}\n")
    refused = await house.cli("import", str(file), f"--ids={ids}", exits=1)
    assert "Avails!L4" in refused.output
    assert "has 1 fault, so nothing was set" in refused.output
    assert (await house.json("show", "Sintel"))["number"] == 0
    part = await house.json("import", str(file), f"--ids={ids}", "--partial")
    assert (part["changed"], len(part["faults"])) == (1, 1)
    assert (await house.json("show", "Sintel"))["number"] == 1
    file.write_bytes(b"PK no spreadsheet")
    said = (await house.cli("import", str(file), exits=1)).output
    assert "cannot be read as a spreadsheet" in said
    assert "Traceback" not in said
