"""Logins on a real PostgreSQL: what is kept, what is forgotten, and what a flood does."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator

import argon2
import msgspec
import pytest
from sqlalchemy import text

from cuemark.contexts.identity import wiring
from cuemark.contexts.identity.service import REMEMBER_S
from cuemark.contexts.identity.store.logins import MOST_LOGINS
from cuemark.contracts import identity
from cuemark.contracts.identity import (
    AccountCreated,
    Authenticate,
    CreateAccount,
    Identity,
    IssueLoginLink,
    Login,
    Logout,
    NotLoggedIn,
    TooManyLogins,
)
from cuemark.kit import mail
from cuemark.kit.clock import ManualClock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Cursor, Log
from tests.databases import opened

EMAIL, PASSWORD = "ada@example.org", "correct horse battery"
SLOW = argon2.Parameters(
    argon2.Type.ID, 19, salt_len=16, hash_len=32, time_cost=3, memory_cost=16384, parallelism=1
)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened(database_url, wiring, mail) as database:
        yield database


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def built(
    database: Database,
    clock: ManualClock,
    cost: argon2.Parameters = argon2.profiles.CHEAPEST,
    checks_waiting: int = 32,
) -> Identity:
    return wiring.build(
        database,
        Log(clock),
        clock,
        Ids(clock),
        operator_token="operator",
        key=bytes(32),
        cost=cost,
        checks_waiting=checks_waiting,
    ).service


async def ada(service: Identity) -> None:
    await service.create_account(CreateAccount(email=EMAIL, password=PASSWORD))


async def login(service: Identity, password: str = PASSWORD) -> str:
    return (await service.login(Login(email=EMAIL, password=password))).token


async def everything(database: Database) -> str:
    """All that the schema holds, as text."""
    tables = ("account", "profile", "login", "login_link")
    async with database.transaction() as transaction:
        rows = [
            row[0]
            for table in tables
            for row in await transaction.execute(text(f"select t::text from identity.{table} t"))
        ]
    return "\n".join(rows)


async def count(database: Database, table: str) -> int:
    async with database.transaction() as transaction:
        found = await transaction.execute(text(f"select count(*) from identity.{table}"))
        return int(found.scalar_one())


async def test_nothing_that_is_kept_opens_a_login(database: Database, clock: ManualClock) -> None:
    service = built(database, clock)
    await ada(service)
    token = await login(service)
    link = await service.issue_login_link(IssueLoginLink(email=EMAIL))
    kept = await everything(database)
    assert hashlib.sha256(token.encode()).hexdigest() in kept
    assert hashlib.sha256(link.code.encode()).hexdigest() in kept
    for secret in (token, link.code, PASSWORD):
        assert secret not in kept
        assert secret.encode().hex() not in kept


async def test_a_new_account_is_told_once(database: Database, clock: ManualClock) -> None:
    service = built(database, clock)
    account = await service.create_account(CreateAccount(email=EMAIL))
    with pytest.raises(identity.AccountExists):
        await service.create_account(CreateAccount(email=EMAIL))
    async with database.transaction() as transaction:
        (entry,) = await Log(clock).read(transaction, [identity.TOPIC], Cursor())
    assert msgspec.json.decode(entry.body, type=AccountCreated) == AccountCreated(
        account_id=account.account_id, profile_id=account.profile_id
    )


async def test_of_many_who_take_an_address_at_once_one_gets_it(
    database: Database, clock: ManualClock
) -> None:
    service = built(database, clock)
    answers = await asyncio.gather(
        *(service.create_account(CreateAccount(email=EMAIL)) for _ in range(10)),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, identity.Account) for answer in answers) == 1
    assert sum(isinstance(answer, identity.AccountExists) for answer in answers) == 9
    assert await count(database, "profile") == 1


async def test_a_password_is_hashed_anew_when_the_cost_has_changed(
    database: Database, clock: ManualClock
) -> None:
    await ada(built(database, clock))
    dearer = built(database, clock, cost=SLOW)
    with pytest.raises(identity.WrongCredentials):
        await login(dearer, "not the password")
    assert "m=16384,t=3,p=1" not in await everything(database)
    await login(dearer)
    assert "m=16384,t=3,p=1" in await everything(database)
    await login(dearer)


async def test_logins_at_once_all_get_in_when_the_cost_has_changed(
    database: Database, clock: ManualClock
) -> None:
    await ada(built(database, clock))
    dearer = built(database, clock, cost=SLOW)
    assert len(set(await asyncio.gather(login(dearer), login(dearer)))) == 2


async def test_a_flood_of_logins_is_turned_away_while_those_inside_go_on(
    database: Database, clock: ManualClock
) -> None:
    service = built(database, clock, cost=SLOW, checks_waiting=4)
    await ada(service)
    token = await login(service)
    flooding = [asyncio.create_task(login(service, "guess number n")) for _ in range(200)]
    slowest_s = 0.0
    while not all(task.done() for task in flooding):
        clock.advance(REMEMBER_S)
        began = time.perf_counter()
        await service.authenticate(Authenticate(token=token))
        slowest_s = max(slowest_s, time.perf_counter() - began)
        await asyncio.sleep(0.005)
    answers = await asyncio.gather(*flooding, return_exceptions=True)
    turned_away = sum(isinstance(answer, TooManyLogins) for answer in answers)
    checked = sum(isinstance(answer, identity.WrongCredentials) for answer in answers)
    assert turned_away + checked == 200
    assert checked >= 2
    assert turned_away > 100
    assert slowest_s < 1
    assert await login(service)


async def test_a_logout_in_another_process_takes_effect_when_memory_fades(
    database: Database, clock: ManualClock
) -> None:
    here, there = built(database, clock), built(database, clock)
    await ada(here)
    token = await login(here)
    await here.authenticate(Authenticate(token=token))
    await there.logout(Logout(token=token))
    with pytest.raises(NotLoggedIn):
        await there.authenticate(Authenticate(token=token))
    clock.advance(REMEMBER_S)
    with pytest.raises(NotLoggedIn):
        await here.authenticate(Authenticate(token=token))


async def test_a_login_that_was_being_read_while_it_ended_is_not_remembered(
    database: Database, clock: ManualClock
) -> None:
    service = built(database, clock)
    await ada(service)
    for _ in range(30):
        token = await login(service)
        request = Authenticate(token=token)
        reading = [asyncio.create_task(service.authenticate(request)) for _ in range(8)]
        await asyncio.sleep(0)
        await service.logout(Logout(token=token))
        await asyncio.gather(*reading, return_exceptions=True)
        with pytest.raises(NotLoggedIn):
            await service.authenticate(request)


async def test_a_login_that_is_used_often_is_read_once_in_a_while(
    database: Database, clock: ManualClock
) -> None:
    service = built(database, clock)
    await ada(service)
    token = await login(service)
    await service.authenticate(Authenticate(token=token))
    async with database.transaction() as transaction:
        await transaction.execute(text("lock table identity.login in access exclusive mode"))
        async with asyncio.timeout(5):
            for _ in range(1000):
                await service.authenticate(Authenticate(token=token))


async def test_an_account_keeps_its_latest_logins_only(
    database: Database, clock: ManualClock
) -> None:
    service = built(database, clock)
    await ada(service)
    tokens = []
    for _ in range(MOST_LOGINS + 3):
        clock.advance(1)
        tokens.append(await login(service))
    assert await count(database, "login") == MOST_LOGINS
    with pytest.raises(NotLoggedIn):
        await service.authenticate(Authenticate(token=tokens[2]))
    assert await service.authenticate(Authenticate(token=tokens[3]))


async def test_what_is_past_its_time_is_swept(database: Database, clock: ManualClock) -> None:
    service = built(database, clock)
    await ada(service)
    await login(service)
    for _ in range(3):
        await service.issue_login_link(IssueLoginLink(email=EMAIL))
    clock.advance(31 * 86400)
    await login(service)
    await service.issue_login_link(IssueLoginLink(email=EMAIL))
    assert await count(database, "login") == 1
    assert await count(database, "login_link") == 1
