"""The commands of works, people and metadata, on a real catalog behind a gateway that serves."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog
from click.testing import CliRunner, Result

from cuemark.app.cli.main import commands
from cuemark.contexts.catalog import wiring
from cuemark.contracts.catalog import CreateTitle
from cuemark.gateway.app import build_gateway
from cuemark.kit.clock import SystemClock
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Log
from tests.databases import opened
from tests.integration.gateway.listening import folder_of, free_port, listening, url_of
from tests.unit.gateway.neighbours import Town

Cuemark = Callable[..., Awaitable[Result]]


@pytest.fixture
async def cuemark(tmp_path: Path, database_url: str) -> AsyncIterator[Cuemark]:
    """Runs a command against a gateway with one title in its catalog.

    The gateway is in this process, so it writes no log where the command's output is looked at.
    """
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    port = free_port()
    folder = folder_of(tmp_path / "data", port)

    async with opened(database_url, wiring) as database:
        clock = SystemClock()
        room = wiring.build(database, Log(clock), clock, Ids(clock))
        await room.service.create_title(CreateTitle(name="Low Tide"))

        async def run(*argv: str) -> Result:
            given = [*argv, "--data", str(folder.root)]
            result = await asyncio.to_thread(CliRunner().invoke, commands, given)
            await room.followers[0].catch_up()
            return result

        await room.followers[0].catch_up()
        parts = replace(Town(tmp_path, url_of(port), clock).parts, catalog=room.service)
        async with listening(build_gateway(parts), port):
            yield run
    structlog.reset_defaults()


async def told(cuemark: Cuemark, *argv: str) -> Any:
    """What a command prints as JSON."""
    result = await cuemark(*argv, "--json")
    assert result.exit_code == 0, result.output
    return msgspec.json.decode(result.stdout)


async def test_a_series_is_made_told_of_and_shown(cuemark: Cuemark) -> None:
    series = await told(cuemark, "works", "create", "series", "The Harbour", "--language", "en")
    season = await told(
        cuemark, "works", "create", "season", "One", "--in", "The Harbour", "--number", "1"
    )
    placed = await told(
        cuemark, "works", "place", "Low Tide", "--in", season["work_id"], "--number", "1"
    )
    assert (placed["kind"], placed["number"]) == ("episode", 1)
    person = await told(cuemark, "people", "add", "Anna [x]", "ru=Анна", "--id", "imdb:nm0000122")
    await told(
        *(cuemark, "works", "edit", "Low Tide", "--language", "de", "--name", "Ebbe"),
        *("--year", "1984", "--rating", "fsk:12", "--credit", f"actor:{person['person_id']}:Eve"),
    )
    await told(cuemark, "works", "edit", series["work_id"], "--genre", "drama", "--country", "de")
    shown = await cuemark("works", "show", "Low Tide", "--language", "de", "--territory", "DE")
    assert "The Harbour > One > Ebbe" in shown.stdout
    assert "episode 1, 1984, DE, Drama, FSK 12, maturity level 3" in shown.stdout
    assert "actor: Anna [x] as Eve" in shown.stdout
    cleared = await told(cuemark, "works", "edit", series["work_id"], "--genre", "")
    assert cleared["details"]["genres"] == []
    listed = await told(cuemark, "works", "list", "--in", "The Harbour")
    assert [work["work_id"] for work in listed["works"]] == [season["work_id"]]
    (title,) = (await told(cuemark, "titles"))["titles"]
    assert (title["name"], title["series"]) == ("Low Tide", "The Harbour")
    assert "Low Tide" in (await cuemark("titles", "list")).stdout


async def test_what_was_changed_or_removed_comes_back(cuemark: Cuemark) -> None:
    series = await told(cuemark, "works", "create", "series", "The Harbour")
    await told(cuemark, "works", "edit", "The Harbour", "--name", "The Port")
    undone = await told(cuemark, "works", "undo", "The Port")
    assert undone["details"]["texts"][0]["name"] == "The Harbour"
    await told(cuemark, "works", "remove", "The Harbour")
    gone = await cuemark("works", "show", "The Harbour")
    assert (gone.exit_code, "no work is named" in gone.stderr) == (1, True)
    back = await told(cuemark, "works", "undo", series["work_id"])
    assert back["details"] == undone["details"]


async def test_genres_can_be_named_otherwise_and_removed(cuemark: Cuemark) -> None:
    await told(cuemark, "terms", "put", "theme", "heist", "Heist", "de=Raubzug")
    terms = (await told(cuemark, "terms", "list"))["terms"]
    assert terms[-1]["term_id"] == "heist"
    assert "Raubzug (de)" in (await cuemark("terms", "list")).stdout
    await told(cuemark, "terms", "remove", "heist")
    anna = await told(cuemark, "people", "add", "Anna")
    await told(cuemark, "people", "edit", anna["person_id"], "Anne")
    assert "Anne" in (await cuemark("people", "list", "ann")).stdout
    await told(cuemark, "people", "remove", anna["person_id"])
    assert (await told(cuemark, "people", "list"))["people"] == []


@pytest.mark.parametrize("name", ["all.json", "all.csv"])
async def test_what_was_exported_is_imported_without_a_change(
    cuemark: Cuemark, tmp_path: Path, name: str
) -> None:
    await told(cuemark, "works", "create", "series", 'The "Harbour", ä', "--language", "en")
    await told(cuemark, "works", "edit", "Low Tide", "--id", "house:a;b", "--genre", "drama")
    file = tmp_path / name
    assert (await cuemark("titles", "export", str(file))).exit_code == 0
    done = await told(cuemark, "titles", "import", str(file))
    assert (done["changed"], done["created"], done["fault_count"]) == (0, 0, 0)
    assert done["unchanged"] == (3 if name == "all.json" else 2)


async def test_a_file_with_faults_is_told_line_by_line_and_left_out(
    cuemark: Cuemark, tmp_path: Path
) -> None:
    table = tmp_path / "bad.csv"
    table.write_text(
        "id,kind,parent,number,language,name,year\n"
        "show,series,,,en,The Show,1984\n"
        "s1,season,show,1,en,One,12\n"
        "s2,season,show,1,xx-yy-zz,Two,\n"
    )
    refused = await cuemark("titles", "import", str(table))
    assert refused.exit_code == 1
    lines = refused.stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        *("line 3, year", "line 4, language", "line 4, number")
    ]
    assert "3 faults" in refused.stderr
    rows = tmp_path / "bad.json"
    rows.write_text('{"works": [{"id": "a", "kind": "film"}, {"id": 7}]}')
    refused = await cuemark("titles", "import", str(rows), "--dry-run")
    assert [line.partition(":")[0] for line in refused.stdout.splitlines()] == [
        *("works[0].kind", "works[1].id")
    ]
    rows.write_text("[")
    assert "no JSON" in (await cuemark("titles", "import", str(rows))).stdout
    assert (await told(cuemark, "works", "list", "--kind", "series"))["works"] == []
    good = tmp_path / "good.csv"
    good.write_text("id,kind,name\nshow,series,The Show\n")
    trial = await cuemark("titles", "import", str(good), "--dry-run")
    assert "It would create 1" in trial.stdout
    assert (await told(cuemark, "works", "list", "--kind", "series"))["works"] == []
    assert (await told(cuemark, "titles", "import", str(good)))["created"] == 1
