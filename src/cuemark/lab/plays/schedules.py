"""A schedule: devices, rights, plans, clocks, two processes and misfortune, as a seed has them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, get_args

import psycopg

from cuemark.contracts.billing import Billing
from cuemark.contracts.billing.plans import Allowance
from cuemark.contracts.ids import AccountId, TitleId
from cuemark.contracts.playback import Play
from cuemark.contracts.rights import SetRights, TitleWindows, UndoRights
from cuemark.kit import outbox
from cuemark.kit.database import Database, migrate
from cuemark.kit.errors import ContractError
from cuemark.lab.plays import drawing
from cuemark.lab.plays.devices import Devices
from cuemark.lab.plays.house import FAILING, OWNERS, Fault, Process, stocked
from cuemark.lab.plays.turns import SlowLoop, TurnedDatabase, plain
from cuemark.lab.plays.watch import LAST_KNOWN_LASTS, LEASE, Call, Oracle, Violated
from cuemark.lab.plays.world import DAY_S, HOUR_S, PROCESSES, Lab, World

ACTS = 40
OFTEN_FAILING: tuple[type[Any], ...] = (*FAILING, Billing, Billing)
"""What billing said last holds for hours: that it is away is tried more often than others."""
_EMPTY = "; ".join(
    f"delete from {table}"
    for table in (
        "playback.session",
        "playback.entitlement",
        "playback.device",
        "playback.placing",
        "playback.ended_login",
        "licensing.session",
        "rights.title",
        "rights.title_set",
        "rights.held",
        "steering.revoked",
        "log.event",
        "log.cursor",
    )
)


@dataclass(frozen=True)
class Schedule:
    """What became of a seed. ``violation`` is empty where everything held; ``begun`` counts plays,
    ``refused`` what was refused, by the names of refusals. One that ``raced`` may go otherwise
    another time: tasks waited for the same lock, and it was PostgreSQL that said who had it first.
    """

    seed: int
    steps: int
    violation: str
    told: tuple[str, ...]
    begun: int
    refused: tuple[tuple[str, int], ...]
    raced: bool


class Course:
    """What devices do and what befalls them, act by act."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rng = world.rng
        self._watch = world.watch
        self._turns = world.turns
        self.devices = Devices(world)
        self.told: list[str] = []

    async def run(self) -> None:
        devices = self.devices
        kinds: list[tuple[int, Callable[[], Awaitable[None] | None]]] = [
            (16, devices.begin),
            (14, devices.report),
            (12, devices.want_keys),
            (4, devices.are_redirected),
            (4, devices.end),
            (4, devices.crash),
            (4, devices.log_out),
            (9, self._time_passes),
            (7, self._rights_change),
            (5, self._plan_changes),
            (6, self._processes_work),
            (5, self._neighbour_fails),
            (4, self._neighbours_recover),
            (3, self._answer_is_lost),
            (3, self._answers_are_late),
            (4, self._process_dies),
            (2 if self._world.skewed else 0, self._clock_jumps),
        ]
        chosen = self._rng.choices([act for _, act in kinds], [each for each, _ in kinds], k=ACTS)
        for act in chosen:
            self.told.append(act.__name__.strip("_"))
            done = act()
            if done is not None:
                await done
            await self._turns.take(self._rng.choice((0, 3, 10, 40)))
        await self._quiet_down()

    def _time_passes(self) -> None:
        lease_s = LEASE.total_seconds()
        known_s = LAST_KNOWN_LASTS.total_seconds()
        short_s = (1, 11, 30, lease_s - 1, lease_s, lease_s + 1)
        self._world.advance(self._rng.choice((*short_s, 600, HOUR_S, known_s - HOUR_S, known_s)))

    def _clock_jumps(self) -> None:
        self._watch.calm = False
        clock = self._rng.choice(self._world.processes).clock
        clock.jump(self._rng.choice((-HOUR_S, -LEASE.total_seconds(), 60, HOUR_S)))
        self._world.told_the_time()

    def _rights_change(self) -> None:
        title_id = self._rng.choice(self._world.titles)
        process = self._rng.choice(self._world.processes)
        self._turns.begin(process, self._sets_rights(process, title_id))

    async def _sets_rights(self, process: Process, title_id: TitleId) -> None:
        try:
            if self._rng.random() < 0.2:
                await process.rights.undo_rights(UndoRights(title_id=title_id))
                return
            windows = drawing.windows(self._rng, self._world.clock.now())
            some = TitleWindows(title_id=title_id, windows=windows)
            await process.rights.set_rights(SetRights(sets=[some]))
        except ContractError:
            return

    def _plan_changes(self) -> None:
        account_id = self._rng.choice(self._world.accounts)
        until_s = self._rng.choice((0, 600, HOUR_S, 8 * HOUR_S, 30 * DAY_S))
        self._world.open(account_id, drawing.allowance(self._rng), until_s)
        self._watch.note()

    def _processes_work(self) -> None:
        for process in self._world.processes:
            self._turns.begin(process, self._works(process))

    async def _works(self, process: Process) -> None:
        """What runs for ever beside the service: readers of the log, and keepers."""
        try:
            for follower in process.followers:
                await follower.catch_up()
            for keeper in process.keepers:
                await keeper.look()
        except ContractError:
            return

    def _neighbour_fails(self) -> None:
        process, contract = self._rng.randrange(PROCESSES), self._rng.choice(OFTEN_FAILING)
        self._world.faults[process, contract] = self._rng.choice(get_args(Fault))
        self._watch.note()

    def _neighbours_recover(self) -> None:
        self._world.faults.clear()
        self._watch.note()

    def _answer_is_lost(self) -> None:
        self._turns.answers_to_lose += 1

    def _answers_are_late(self) -> None:
        self._world.delay(self._rng.choice((1, 2, 30)))

    async def _process_dies(self) -> None:
        await self._world.kill(self._rng.choice(self._world.processes))

    async def _quiet_down(self) -> None:
        """No more misfortune: all is told, and whoever begins has a place after a lease."""
        self.told.append("quiet_down")
        self._world.faults.clear()
        self._turns.answers_to_lose = 0
        self._watch.note()
        await self._turns.finish()
        first, *others = self._world.accounts
        # By clocks that are apart yet.
        await self._anybody_begins(first)
        self._world.level()
        for _ in range(3):
            self._processes_work()
            await self._turns.finish()
            self._world.advance(1)
        self._watch.look()
        self._watch.settled()
        await self._nothing_is_left_of_what_ended()
        for account_id in others:
            await self._anybody_begins(account_id)

    async def _nothing_is_left_of_what_ended(self) -> None:
        devices = self.devices
        for account_id, play in (*devices.plays, *devices.over):
            if not self._watch.has_ended(play.session_id):
                continue
            process = self._rng.choice(self._world.processes)
            call = self._world.call(process, account_id)
            for what in (devices.gets_licence, devices.is_redirected, devices.gets_manifest):
                self._turns.begin(process, self._gets_nothing(what, process, call, play))
        await self._turns.finish()

    async def _gets_nothing(
        self,
        what: Callable[[Process, Call, Play], Awaitable[None]],
        process: Process,
        call: Call,
        play: Play,
    ) -> None:
        try:
            await what(process, call, play)
        except ContractError:
            return
        raise Violated(f"{play.session_id} has ended, and {what.__name__}")

    async def _anybody_begins(self, account_id: AccountId) -> None:
        """All devices are gone: a new one has its place within a lease, whatever process it asks,
        and so has the next one when that is gone."""
        self._world.open(account_id, Allowance(), until_s=30 * DAY_S)
        self._watch.note()
        for process in self._rng.sample(self._world.processes, PROCESSES):
            begun = len(self.devices.plays)
            for _ in range(2):
                self.devices.try_to_begin(process, account_id)
                await self._turns.finish()
                if len(self.devices.plays) > begun:
                    break
                self._world.advance(LEASE.total_seconds())
            else:
                raise Violated(f"{account_id} is locked out for longer than a lease")


@asynccontextmanager
async def opened(url: str, oracle: Oracle) -> AsyncIterator[Lab]:
    """The database at ``url``, migrated and stocked."""
    for owner in (outbox, *OWNERS):
        migrate(url, owner.SCHEMA, owner.MIGRATIONS)
    plainly = Database(url)
    try:
        kids = await stocked(plainly)
    finally:
        await plainly.close()
    turned = TurnedDatabase(url)
    try:
        with psycopg.connect(plain(url), autocommit=True) as monitor:
            yield Lab(turned, monitor, oracle, kids)
    finally:
        await turned.close()


async def run(lab: Lab, seed: int) -> Schedule:
    """One schedule, from its seed alone."""
    lab.monitor.execute(_EMPTY.encode())
    world = World(lab, seed)
    course = Course(world)
    violation = ""
    try:
        await course.run()
    except (ContractError, AssertionError) as error:
        violation = str(error) or type(error).__name__
    finally:
        await world.close()
    return Schedule(
        seed,
        world.watch.looks,
        violation,
        tuple(course.told),
        len(world.watch.rows),
        tuple(sorted(course.devices.refused.items())),
        world.turns.raced,
    )


@contextmanager
def runner(url: str, oracle: Oracle) -> Iterator[Callable[[int], Schedule]]:
    """Runs schedules by their seeds in the database at ``url``, on a loop of its own."""
    with asyncio.Runner(loop_factory=SlowLoop) as loop:
        lab = opened(url, oracle)
        there = loop.run(lab.__aenter__())
        try:
            yield lambda seed: loop.run(run(there, seed))
        finally:
            loop.run(lab.__aexit__(None, None, None))
