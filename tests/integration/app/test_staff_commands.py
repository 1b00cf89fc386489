"""``cuemark staff`` and ``cuemark audit`` against a gateway with the real identity."""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import argon2
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from cuemark.app.cli.main import commands
from cuemark.contexts.identity import wiring
from cuemark.gateway.app import build_gateway
from cuemark.gateway.staff.actions import ACTIONS
from cuemark.kit import mail
from cuemark.kit.clock import SystemClock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Log
from tests.databases import opened
from tests.integration.gateway.listening import folder_of, free_port, listening, url_of
from tests.unit.gateway.neighbours import OPERATOR, Town

EVE = "eve@films.example"


@dataclass(frozen=True)
class House:
    database: Database
    folder: Path
    url: str

    async def cli(self, group: str, *arguments: str, exits: int = 0) -> Result:
        argv = [group, arguments[0], "--data", str(self.folder), *arguments[1:]]
        done = await asyncio.to_thread(CliRunner().invoke, commands, argv)
        assert done.exit_code == exits, (done.output, done.exception)
        return done

    async def json(self, group: str, *arguments: str, exits: int = 0) -> Any:
        done = await self.cli(group, *arguments, "--json", exits=exits)
        return json.loads(done.stdout.splitlines()[-1])

    async def ask(self, token: str, path: str) -> int:
        """The status that somebody with this token is answered with."""
        request = urllib.request.Request(
            f"{self.url}/api/v1{path}", headers={"authorization": f"Bearer {token}"}
        )

        def sent() -> int:
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    return int(answer.status)
            except urllib.error.HTTPError as error:
                with error:
                    return error.code

        return await asyncio.to_thread(sent)


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    town, clock, port = Town(tmp_path / "town"), SystemClock(), free_port()
    async with opened(database_url, mail, wiring) as database:
        identity = wiring.build(
            database,
            Log(clock),
            clock,
            Ids(clock),
            operator_token=OPERATOR,
            key=bytes(32),
            cost=argon2.profiles.CHEAPEST,
            roles=wiring.Roles(list(ACTIONS)),
            acts_key=b"k" * 32,
        ).service
        folder = folder_of(tmp_path / "data", port)
        async with listening(build_gateway(replace(town.parts, identity=identity)), port):
            yield House(database, folder.root, url_of(port))


async def test_staff_are_added_given_a_token_another_role_and_removed(house: House) -> None:
    assert "nobody but the owner" in (await house.cli("staff", "list")).output
    added = await house.json("staff", "add", EVE, "support")
    assert (added["email"], added["role"]) == (EVE, "support")
    made = (await house.cli("staff", "token", EVE, "--days=1")).stdout.split()[-1]
    assert await house.ask(made, "/fraud/findings") == 200
    assert await house.ask(made, "/acts") == 403
    assert f"{EVE}: auditor" in (await house.cli("staff", "role", EVE, "auditor")).output
    assert await house.ask(made, "/acts") == 200
    listed = await house.json("staff", "list")
    assert [(each["email"], each["role"], each["logins"]) for each in listed["staff"]] == [
        (EVE, "auditor", 1)
    ]
    assert listed["roles"]["owner"] == sorted(ACTIONS)
    shown = (await house.cli("staff", "list")).output
    assert EVE in shown
    assert "finance: " in shown
    assert "1 ended." in (await house.cli("staff", "token", EVE, "--end")).output
    assert await house.ask(made, "/acts") == 401
    assert "/operations/login#code=" in (await house.cli("staff", "link", EVE)).output
    assert "is of staff no more" in (await house.cli("staff", "remove", EVE)).output
    assert (await house.json("staff", "list"))["staff"] == []


async def test_who_cannot_be_of_staff_is_refused_with_one_sentence(house: House) -> None:
    await house.cli("staff", "add", EVE, "support")
    for argv, said in (
        (("add", EVE, "finance"), "already"),
        (("add", "ben@films.example", "emperor"), "no such role"),
        (("add", "no address", "support"), "mail address"),
        (("role", EVE, "emperor"), "no such role"),
        (("remove", "ben@films.example"), "nobody of staff has the address"),
        (("token", "ben@films.example"), "nobody of staff has the address"),
    ):
        refused = (await house.cli("staff", *argv, exits=1)).output
        assert said in refused, argv
        assert "Traceback" not in refused


async def test_what_was_done_is_listed_and_written_into_a_file(
    house: House, tmp_path: Path
) -> None:
    assert "Nothing was done yet." in (await house.cli("audit", "list")).output
    await house.cli("staff", "add", EVE, "support")
    token = (await house.json("staff", "token", EVE))["token"]
    assert await house.ask(token, "/acts") == 403
    latest = (await house.json("audit", "list", "--limit=1"))["acts"][0]
    assert (latest["who"], latest["action"], latest["result"]) == (EVE, "audit.read", "refused")
    shown = (await house.cli("audit", "list")).output
    assert "staff.write" in shown
    assert "refused" in shown
    file = tmp_path / "acts.jsonl"
    told = await house.json("audit", "export", str(file))
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["number"] for line in lines] == list(range(1, told["entries"] + 1))
    older = await house.json("audit", "list", f"--before={latest['number']}", "--limit=1")
    assert older["acts"][0]["number"] == latest["number"] - 1
    nowhere = str(tmp_path / "nowhere" / "acts.jsonl")
    assert "cannot be written" in (await house.cli("audit", "export", nowhere, exits=1)).output


async def test_a_log_that_was_tampered_with_ends_the_command_with_1(house: House) -> None:
    await house.cli("staff", "add", EVE, "support")
    whole = (await house.cli("audit", "verify")).output
    assert "all as they were written" in whole
    noted = whole.splitlines()[-1]
    await house.cli("staff", "role", EVE, "auditor")
    assert (await house.json("audit", "verify", f"--noted={noted}"))["fault"] == ""
    wrong = f"--noted={noted.partition(':')[0]}:{'0' * 64}"
    assert (
        "not the one that was noted" in (await house.cli("audit", "verify", wrong, exits=1)).output
    )
    beyond = f"--noted=999:{'0' * 64}"
    assert (
        "put back to an older one" in (await house.cli("audit", "verify", beyond, exits=1)).output
    )
    assert "NUMBER:DIGEST" in (await house.cli("audit", "verify", "--noted=x", exits=2)).output
    async with house.database.transaction() as transaction:
        await transaction.execute(text("set local session_replication_role = replica"))
        await transaction.execute(text("update identity.act set who = 'ben' where number = 2"))
    said = (await house.cli("audit", "verify", exits=1)).output
    assert "entry 2: This entry is not what was written" in said
    assert (await house.json("audit", "verify", exits=1))["first_wrong"] == 2
