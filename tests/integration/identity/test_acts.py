"""The log of acts against who can write to the database, and when it cannot be written."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from cuemark.contexts.identity import wiring
from cuemark.contexts.identity.service import IdentityService
from cuemark.contracts.identity.staff import (
    AddStaff,
    BeginAct,
    IssueStaffToken,
    ListActs,
    Verdict,
    VerifyActs,
)
from cuemark.gateway.staff.actions import ACTIONS
from cuemark.kit import mail
from cuemark.kit.clock import SystemClock
from cuemark.kit.database import Database
from cuemark.kit.errors import Unavailable
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Log
from tests.databases import opened

ENTRIES = 12


class Ledger:
    """Two processes of identity on one database, and somebody who owns that."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.one, self.other = self._built(), self._built()

    def _built(self) -> IdentityService:
        clock = SystemClock()
        service = wiring.build(
            self.database,
            Log(clock),
            clock,
            Ids(clock),
            operator_token="owner",
            key=bytes(32),
            roles=wiring.Roles(list(ACTIONS)),
            acts_key=b"k" * 32,
        ).service
        assert isinstance(service, IdentityService)
        return service

    async def act(self, service: IdentityService | None = None) -> int:
        begun = await (service or self.one).begin_act(
            BeginAct(token="owner", action="plays.stop", subject="plays/play_1/stop")
        )
        return begun.number

    async def as_owner(self, statement: str) -> None:
        async with self.database.transaction() as transaction:
            await transaction.execute(text(statement))

    async def behind_the_triggers(self, *statements: str) -> None:
        """What the database's owner can do who lets no trigger hinder them."""
        async with self.database.transaction() as transaction:
            await transaction.execute(text("set local session_replication_role = replica"))
            for statement in statements:
                await transaction.execute(text(statement))

    async def verdict(self) -> Verdict:
        return await self.other.verify_acts(VerifyActs())


@pytest.fixture
async def ledger(database_url: str) -> AsyncIterator[Ledger]:
    async with opened(database_url, mail, wiring) as database:
        ledger = Ledger(database)
        for _ in range(ENTRIES):
            await ledger.act()
        yield ledger


@pytest.mark.parametrize(
    "statement",
    [
        "update identity.act set who = 'nobody' where number = 3",
        "delete from identity.act where number = 12",
        "truncate identity.act",
        "update identity.act_head set number = 3",
        "delete from identity.act_head",
        "truncate identity.act_head",
    ],
)
async def test_the_database_takes_new_entries_and_nothing_else(
    ledger: Ledger, statement: str
) -> None:
    with pytest.raises(DBAPIError, match="log of acts"):
        await ledger.as_owner(statement)
    assert (await ledger.verdict()).fault == ""


@pytest.mark.parametrize("column", ["who", "role", "action", "subject", "result", "trace_id"])
async def test_an_altered_entry_is_found(ledger: Ledger, column: str) -> None:
    await ledger.behind_the_triggers(
        f"update identity.act set {column} = 'another' where number = 5"
        if column != "result"
        else "update identity.act set result = 'refused' where number = 5"
    )
    verdict = await ledger.verdict()
    assert verdict.first_wrong == 5
    assert "not what was written" in verdict.fault


@pytest.mark.parametrize("number", [1, 5, ENTRIES])
async def test_a_removed_entry_is_found(ledger: Ledger, number: int) -> None:
    await ledger.behind_the_triggers(f"delete from identity.act where number = {number}")
    verdict = await ledger.verdict()
    assert verdict.first_wrong == number
    assert verdict.fault


async def test_removed_entries_whose_place_others_took_are_found(ledger: Ledger) -> None:
    await ledger.behind_the_triggers(
        "delete from identity.act where number = 5",
        "update identity.act set number = -number where number > 5",
        "update identity.act set number = -number - 1 where number < 0",
    )
    assert (await ledger.verdict()).first_wrong == 5


async def test_reordered_entries_are_found(ledger: Ledger) -> None:
    await ledger.behind_the_triggers(
        "update identity.act set number = -4 where number = 4",
        "update identity.act set number = 4 where number = 7",
        "update identity.act set number = 7 where number = -4",
    )
    assert (await ledger.verdict()).first_wrong == 4


async def test_a_log_that_was_cut_off_is_found(ledger: Ledger) -> None:
    await ledger.behind_the_triggers("delete from identity.act where number > 8")
    verdict = await ledger.verdict()
    assert (verdict.first_wrong, verdict.entries) == (9, 8)
    assert "cut off" in verdict.fault


async def test_a_head_that_was_set_back_with_the_log_is_found(ledger: Ledger) -> None:
    """Whoever has no key can make no seal for the entry that is the last one now."""
    await ledger.behind_the_triggers(
        "delete from identity.act where number > 8",
        "update identity.act_head set number = 8, "
        "digest = (select digest from identity.act where number = 8)",
    )
    verdict = await ledger.verdict()
    assert verdict.first_wrong == 8
    assert "head" in verdict.fault


async def test_a_forged_entry_at_the_end_is_found(ledger: Ledger) -> None:
    await ledger.behind_the_triggers(
        "insert into identity.act select number + 1, at, staff_id, who, role, action, subject, "
        "result, of, status, client_address, trace_id, digest from identity.act "
        f"where number = {ENTRIES}"
    )
    assert (await ledger.verdict()).first_wrong == ENTRIES + 1


async def test_a_missing_head_is_found(ledger: Ledger) -> None:
    await ledger.behind_the_triggers("delete from identity.act_head")
    assert "head" in (await ledger.verdict()).fault


async def test_a_whole_older_state_is_found_by_what_was_noted_elsewhere(ledger: Ledger) -> None:
    await ledger.as_owner("create table identity.kept as select * from identity.act_head")
    noted = (await ledger.other.verify_acts(VerifyActs())).head
    await ledger.act()
    later = (await ledger.one.list_acts(ListActs(limit=1))).acts[0]
    await ledger.behind_the_triggers(
        f"delete from identity.act where number > {ENTRIES}",
        "delete from identity.act_head",
        "insert into identity.act_head select * from identity.kept",
    )
    assert (await ledger.verdict()).fault == ""
    known = await ledger.one.verify_acts(VerifyActs(number=ENTRIES, digest=noted))
    assert known.fault == ""
    missing = await ledger.one.verify_acts(VerifyActs(number=later.number, digest=later.digest))
    assert missing.first_wrong == later.number
    assert "put back" in missing.fault


async def test_processes_that_write_at_once_make_one_chain(ledger: Ledger) -> None:
    numbers = await asyncio.gather(
        *(ledger.act(service) for service in (ledger.one, ledger.other) * 20)
    )
    assert sorted(numbers) == list(range(ENTRIES + 1, ENTRIES + 41))
    verdict = await ledger.verdict()
    assert (verdict.entries, verdict.fault) == (ENTRIES + 40, "")


async def test_the_log_is_read_whole_while_it_grows(ledger: Ledger) -> None:
    async with asyncio.TaskGroup() as group:
        verdicts = [group.create_task(ledger.verdict()) for _ in range(8)]
        for _ in range(30):
            group.create_task(ledger.act())
    assert {verdict.result().fault for verdict in verdicts} == {""}


@pytest.mark.parametrize(
    "statement",
    [
        "alter table identity.act rename to elsewhere",
        "alter table identity.act add constraint full_up check (number < 0) not valid",
        "alter table identity.act_head rename to elsewhere",
    ],
)
async def test_nothing_is_begun_that_cannot_be_written_down(ledger: Ledger, statement: str) -> None:
    member = await ledger.one.add_staff(AddStaff(email="eve@films.example", role="auditor"))
    token = (await ledger.one.issue_staff_token(IssueStaffToken(staff_id=member.staff_id))).token
    await ledger.as_owner(statement)
    for shown, action, writes in (
        ("owner", "plays.stop", True),
        (token, "plays.read", False),
        (token, "plays.stop", True),
    ):
        with pytest.raises(Unavailable, match="cannot be written"):
            await ledger.one.begin_act(BeginAct(token=shown, action=action, writes=writes))
