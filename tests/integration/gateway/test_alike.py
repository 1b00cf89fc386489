"""Whether a mail address has an account changes neither the answer nor the work, told by the work.

A clock says little on a busy machine. So it is counted what is done for an answer: the statements
that PostgreSQL was given, as its log has them, and how often a password was held against a hash,
and at which cost.
"""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple

import argon2
import psycopg
import pytest
import pytest_asyncio
from sqlalchemy import make_url

from cuemark.gateway.routes.devices import GRANT
from tests.integration.gateway.households import Town, opened_town
from tests.unit.gateway.asking import Answer

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOBODY, PAT, ANNA = "eve@films.example", "pat@films.example", "anna@films.example"
"""Nobody, a member with a password, and one who has none."""
PASSWORD, WRONG = "correct horse battery", "not the password at all"
SAID = re.compile(r"LOG:  (?:statement|execute [^:]*): (.*?)(?=^\d{4}-\d\d-\d\d |\Z)", re.S | re.M)


CONNECTION_TRIED = ";"
"""Asked of a connection that lay idle, whoever is to have it."""


class Work(NamedTuple):
    """What one request was answered, and what was done for it."""

    status: int
    said: bytes
    headers: list[str]
    statements: list[str]
    checks: list[str]


class Watched:
    """A town of which the database tells what it is asked."""

    def __init__(self, town: Town, log: Path, checks: list[str]) -> None:
        self.town = town
        self._log = log
        self._checks = checks

    async def work(
        self, method: str, path: str, body: object = None, *, token: str | None = None
    ) -> Work:
        await self.town.change("delete from identity.tried")
        begun, checked = self._log.stat().st_size, len(self._checks)
        answer: Answer = await self.town.ask(method, f"/api/v1{path}", json=body, token=token)
        told = self._log.read_bytes()[begun:].decode()
        statements = [" ".join(each.split()) for each in SAID.findall(told)]
        return Work(
            answer.status,
            answer.body,
            sorted(name for name, _ in answer.headers),
            [each for each in statements if each != CONNECTION_TRIED and "dbos." not in each],
            self._checks[checked:],
        )


@pytest.fixture(scope="module")
def checks() -> Iterator[list[str]]:
    """The cost of each check of a password, by the library's own door."""
    costs: list[str] = []
    verify = argon2.PasswordHasher.verify

    def counted(self: argon2.PasswordHasher, hash: str | bytes, password: str | bytes) -> bool:
        costs.append(str(hash).rpartition("$")[0].rpartition("$")[0])
        return bool(verify(self, hash, password))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(argon2.PasswordHasher, "verify", counted)
        yield costs


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def watched(
    module_database_url: str,
    postgres_socket: Path,
    tmp_path_factory: pytest.TempPathFactory,
    checks: list[str],
) -> AsyncIterator[Watched]:
    name = make_url(module_database_url).database
    with psycopg.connect(
        host=str(postgres_socket), user="cuemark", dbname="postgres", autocommit=True
    ) as connection:
        connection.execute(f"alter database \"{name}\" set log_statement = 'all'".encode())
    folder = tmp_path_factory.mktemp("alike") / "data"
    async with opened_town(folder, module_database_url) as town:
        await town.must("POST", "/accounts", {"email": PAT, "password": PASSWORD})
        watched = Watched(town, postgres_socket / "log", checks)
        for path in ("/login", "/sign-up", "/password-reset", "/login/letter"):
            body = {"email": "first@films.example"}
            await watched.work(
                "POST", path, body | ({"password": WRONG} if path == "/login" else {})
            )
        yield watched


async def test_a_wrong_password_is_checked_as_often_whoever_it_is_for(watched: Watched) -> None:
    works = [
        await watched.work("POST", "/login", {"email": email, "password": WRONG})
        for email in (NOBODY, PAT, ANNA, NOBODY)
    ]
    assert works[0].status == 401
    assert len(works[0].checks) == 1
    assert any("identity.account" in each for each in works[0].statements)
    assert works[1:] == [works[0]] * 3


async def test_a_right_password_is_more_work_than_a_wrong_one(watched: Watched) -> None:
    """Without this, what is counted above could be nothing at all."""
    wrong = await watched.work("POST", "/login", {"email": PAT, "password": WRONG})
    right = await watched.work("POST", "/login", {"email": PAT, "password": PASSWORD})
    assert right.status == 200
    assert len(right.statements) > len(wrong.statements)
    assert right.checks == wrong.checks


@pytest.mark.parametrize("path", ["/sign-up", "/password-reset", "/login/letter"])
async def test_a_letter_is_as_much_work_whether_it_is_written_or_not(
    watched: Watched, path: str
) -> None:
    works = [
        await watched.work("POST", path, {"email": email}) for email in (NOBODY, PAT, ANNA, NOBODY)
    ]
    assert works[0].status == 202
    assert any("insert into mail.letter" in each for each in works[0].statements)
    assert works[1:] == [works[0]] * 3


async def test_a_devices_code_that_was_is_as_much_work_as_one_that_never_was(
    watched: Watched,
) -> None:
    town = watched.town
    await town.prove()
    asked = (await town.ask("POST", "/api/v1/device_authorization", json={})).json()
    allowed = {"user_code": asked["user_code"], "allow": True}
    await town.must("POST", "/device-sign-in", allowed, token=town.ben.token)
    polling = {"grant_type": GRANT, "device_code": asked["device_code"]}
    assert (await town.ask("POST", "/api/v1/token", json=polling)).status == 200
    never = polling | {"device_code": "A" * len(asked["device_code"])}
    works = [await watched.work("POST", "/token", body) for body in (never, polling)]
    assert works[0].status == 400
    assert any("identity." in each for each in works[0].statements)
    assert works[0] == works[1]


async def test_a_code_that_another_member_answered_is_as_one_that_no_device_shows(
    watched: Watched,
) -> None:
    town = watched.town
    await town.prove()
    asked = (await town.ask("POST", "/api/v1/device_authorization", json={})).json()
    allowed = {"user_code": asked["user_code"], "allow": True}
    await town.must("POST", "/device-sign-in", allowed, token=town.ben.token)
    await town.must("GET", "/me", token=town.cleo.token)
    works = [
        await watched.work("GET", f"/device-sign-in?user_code={code}", token=town.cleo.token)
        for code in ("BCDF-GHJK", asked["user_code"], "BCDF-GHJL")
    ]
    assert works[0].status == 404
    assert works[1:] == [works[0]] * 2
