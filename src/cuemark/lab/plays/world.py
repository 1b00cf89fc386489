"""The world of a schedule: two processes, what was bought, what fails, and the time."""

import random
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from typing import Any

import psycopg

from cuemark.contexts.billing.model.ledger import Access, Entry
from cuemark.contracts.billing.plans import Allowance
from cuemark.contracts.ids import AccountId, TitleId
from cuemark.kit.clock import ManualClock
from cuemark.kit.ids import Ids
from cuemark.lab.billing.memory import MemoryBooks
from cuemark.lab.plays import drawing
from cuemark.lab.plays.house import FAILING, Fault, Install, Process, version
from cuemark.lab.plays.turns import TurnedDatabase, Turns
from cuemark.lab.plays.watch import Call, Moment, Oracle, Watch

ACCOUNTS, TITLES, PROCESSES = 2, 2, 2
FAILS = 0.7
"""Of the questions to a neighbour that fails, how many do."""
HOUR_S, DAY_S = 3600, 86_400


@dataclass(frozen=True)
class Lab:
    """A database with all schemas, where the version is known and its keys are made."""

    database: TurnedDatabase
    monitor: psycopg.Connection
    oracle: Oracle
    kids: dict[str, str]


class World:
    """Of one seed."""

    def __init__(self, lab: Lab, seed: int) -> None:
        self.lab = lab
        self.rng = random.Random(seed)
        self.clock = ManualClock()
        self.ids = Ids(self.clock, self.rng)
        self.accounts = [AccountId(self.ids.new("acc")) for _ in range(ACCOUNTS)]
        self.titles = [TitleId(self.ids.new("ttl")) for _ in range(TITLES)]
        self.skewed = self.rng.random() < 0.3
        self.faults: dict[tuple[int, type[Any]], Fault] = {}
        self._late = False
        self.accesses: dict[AccountId, Access | None] = dict.fromkeys(self.accounts)
        self.books = MemoryBooks(self._pause)
        self.watch = Watch(lab.monitor, lab.oracle, self._moment)
        self.turns = Turns(self.rng, lab.monitor, self.watch.look)
        lab.database.turns = self.turns
        self._install = Install(
            lab.database,
            self.books,
            version(lab.kids),
            self.rng,
            self._befalls,
            self.watch.billing_is_asked,
        )
        self.processes = [
            Process(number, self._install, ManualClock()) for number in range(PROCESSES)
        ]
        for account_id in self.accounts:
            until_s = self.rng.choice((HOUR_S, 8 * HOUR_S, 30 * DAY_S))
            self.open(account_id, drawing.allowance(self.rng), until_s)
        self.told_the_time()

    async def kill(self, process: Process) -> None:
        """It dies, and another one is there at once."""
        await self.turns.strike(process)
        self.processes[process.number] = Process(process.number, self._install, process.clock)

    def call(self, process: Process, account_id: AccountId) -> Call:
        call = Call(
            name=f"{len(self.watch.calls):032x}",
            process=process.number,
            account_id=account_id,
            begun=len(self.watch.history) - 1,
            looked=self.watch.looks,
        )
        self.watch.calls[call.name] = call
        return call

    def open(self, account_id: AccountId, allowance: Allowance, until_s: float) -> None:
        """What an invoice that was paid leaves in the ledger of billing."""
        now = self.clock.now()
        since = now - timedelta(days=2)
        until = now + timedelta(seconds=until_s) if until_s else since
        access = Access("the agreement", "home", allowance, since, until)
        key = f"granted:{len(self.books.kept.entries)}"
        self.books.kept.entries[key] = Entry(
            key=key,
            kind="granted",
            account_id=account_id,
            invoice_id="",
            currency="EUR",
            at=now,
            access=access,
        )
        self.accesses[account_id] = access

    def advance(self, seconds: float) -> None:
        for clock in (self.clock, *(each.clock for each in self.processes)):
            clock.advance(seconds)
        self.told_the_time()

    def level(self) -> None:
        """All clocks show what the latest shows."""
        latest = max([self.clock.now(), *(each.clock.now() for each in self.processes)])
        for clock in (self.clock, *(each.clock for each in self.processes)):
            clock.advance((latest - clock.now()).total_seconds())
        self.told_the_time()

    def told_the_time(self) -> None:
        """The appliance reports by any clock, so that it is never silent."""
        self.watch.note()
        latest = max(self.watch.history[-1].clocks)
        told = b"update steering.appliance set last_report_at = %s"
        self.lab.monitor.execute(told, (latest,))

    def delay(self, seconds: float) -> None:
        """Every answer that is on its way is late by so much: for who asked, any neighbour may be
        away."""
        self.turns.pass_time(seconds)
        for self._late in (True, False):
            self.watch.note()

    async def close(self) -> None:
        for process in self.processes:
            await self.turns.strike(process)

    def _moment(self) -> Moment:
        failing = product(range(PROCESSES), FAILING) if self._late else self.faults
        return Moment(
            now=self.clock.now(),
            clocks=tuple(each.clock.now() for each in self.processes),
            windows=self.watch.windows,
            accesses=dict(self.accesses),
            failing=frozenset((number, of.__name__) for number, of in failing),
        )

    async def _pause(self) -> None:
        await self.turns.pause()

    def _befalls(self, process: int, contract: type[Any]) -> Fault | None:
        fault = self.faults.get((process, contract))
        return fault if fault and self.rng.random() < FAILS else None
