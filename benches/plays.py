"""Plays: what the one call costs by which a play starts, and what a manifest does."""

import asyncio
import os
import random
import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import cast

import msgspec

from benches.database import served
from benches.figures import Figure, figure
from benches.processes import cpu_s
from benches.stand import Stand
from cuemark.contexts.billing import wiring as billing_wiring
from cuemark.contexts.billing.psp.sandbox.adapter import SandboxPsp
from cuemark.contexts.billing.psp.sandbox.bank import Bank
from cuemark.contexts.billing.psp.sandbox.desk import Desk
from cuemark.contexts.billing.service import BillingService
from cuemark.contexts.billing.store.postgres import PostgresBooks
from cuemark.contexts.catalog import wiring as catalog_wiring
from cuemark.contexts.experiments import wiring as experiments_wiring
from cuemark.contexts.licensing import wiring as licensing_wiring
from cuemark.contexts.playback import wiring
from cuemark.contexts.playback.model import dash, hls
from cuemark.contexts.rights import wiring as rights_wiring
from cuemark.contexts.steering import wiring as steering_wiring
from cuemark.contexts.viewers import wiring as viewers_wiring
from cuemark.contracts.billing.plans import Allowance, Money, Plan, Price
from cuemark.contracts.billing.subscriptions import AddTestCard, Subscribe
from cuemark.contracts.catalog import CreateTitle
from cuemark.contracts.encoding import Encoding
from cuemark.contracts.encoding.events import TOPIC, VersionPublished
from cuemark.contracts.encoding.versions import GetVersion, Timeline, UnknownVersion, Version
from cuemark.contracts.experiments import Cell, PutExperiment
from cuemark.contracts.experiments.settings import Value
from cuemark.contracts.ids import AccountId, ApplianceId, ProfileId, TitleId, VersionId
from cuemark.contracts.playback import CannotPlayNow, GetManifest, Play, StartPlay
from cuemark.contracts.playback.devices import Capabilities
from cuemark.contracts.rights import SetRights, TitleWindows, Window
from cuemark.contracts.steering.reports import Report
from cuemark.kit.cat import TokenKey
from cuemark.kit.clock import SystemClock
from cuemark.kit.database import Database
from cuemark.kit.errors import Unavailable
from cuemark.kit.garbage import settle
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Follower, Log
from tests.databases import opened
from tests.unit.playback.versions import HD, LICENCE_URL, SD, appliance, rendition, version
from tests.unit.steering.teller import untold
from tests.vaults import vault_of

ABOUT = """
Catalog, rights, billing, viewers, experiments, steering, licensing and playback in one process,
each the object that it is, on a PostgreSQL of its own; versions come from memory, as any that is in
use, and two experiments run. Members with a plan of four streams start films at moments that do not
wait for one another, on one of four devices each; two appliances report twice a second. The process
has settled, as control does when it serves. *p99* is from the moment at which a start was due;
*refused for now* are those of which a part took longer than it may. *CPU* is that of the process
and of PostgreSQL together, and *starts a core-second* what one core would do for both, or for the
process alone. The client, the gateway and its passport are not in it.

A manifest is that of a film of two hours in segments of two seconds, with six renditions and three
appliances: *drafted* is what is done once for all who see the same, *filled* what a session costs.
"""

ACCOUNTS, TITLES, SECONDS, RATES, SEED = 1000, 200, 20.0, (50, 200), 7
EDGES = [ApplianceId("edge-a"), ApplianceId("edge-b")]
DEVICES, STREAMS, REPORT_S = 4, 4, 0.5
MANIFESTS, SEGMENTS, WARM = 200, 3600, 50
GOAL: dict[str, Value] = {"player.buffering_goal_s": 40.0}
TARGET: dict[str, Value] = {"player.bandwidth_downgrade_target": 0.8}
PLAN = Plan(
    plan_id="home",
    name="Home",
    prices=[Price(money=Money(amount_minor=500, currency="EUR"))],
    allowance=Allowance(streams=STREAMS),
)


def measure(stand: Stand) -> list[Figure]:
    accounts, titles, seconds = (40, 10, 2.0) if stand.quick else (ACCOUNTS, TITLES, SECONDS)
    stand.tell("parts")
    rows = _manifests()
    with served(stand.scratch("plays") / "pg") as url:
        return rows + asyncio.run(_measured(stand, url, accounts, titles, seconds))


class Shelf:
    """The one answer of encoding that a play needs."""

    def __init__(self, titles: int) -> None:
        self.versions = [
            msgspec.structs.replace(version(), version_id=VersionId(f"ver_{number}"))
            for number in range(titles)
        ]
        self._by_id = {each.version_id: each for each in self.versions}

    async def get_version(self, request: GetVersion) -> Version:
        if request.version_id not in self._by_id:
            raise UnknownVersion("No version has this id.")
        return self._by_id[request.version_id]


class Service:
    """The parts of a play on one database."""

    def __init__(self, database: Database, titles: int) -> None:
        self._clock = clock = SystemClock()
        self._log, ids = Log(clock), Ids(clock)
        self._database = database
        self._shelf = Shelf(titles)
        catalog = catalog_wiring.build(database, self._log, clock, ids)
        rights = rights_wiring.build(database, self._log, clock, rights_wiring.Terms())
        licensing = licensing_wiring.build(
            database=database,
            clock=clock,
            catalog=catalog.service,
            rights=rights.service,
            vault=vault_of(),
        )
        steering = steering_wiring.build(
            database=database,
            log=self._log,
            clock=clock,
            fill=untold(),
            appliance_ids=EDGES,
            token_keys=[TokenKey("k1", b"1" * 32)],
        )
        desk = Desk(Bank(sqlite3.connect(":memory:"), clock, "http://bank.bench"), "bench")

        async def exchange(path: str, body: bytes) -> tuple[int, bytes]:
            reply = desk.answer("POST", path, body, "Bearer bench")
            return reply.status, reply.body

        books = PostgresBooks(database, self._log)
        psp = SandboxPsp(exchange, b"bench")
        self.billing = BillingService(books, psp, clock, ids, None)
        self.catalog, self.rights, self.steering = (
            catalog.service,
            rights.service,
            steering.service,
        )
        self.viewers = viewers_wiring.build(database, clock).service
        self.experiments = experiments_wiring.build(database, clock, ids).service
        self.playback = wiring.build(
            database=database,
            log=self._log,
            clock=clock,
            ids=ids,
            catalog=catalog.service,
            encoding=cast(Encoding, self._shelf),
            experiments=self.experiments,
            licensing=licensing.service,
            rights=rights.service,
            steering=steering.service,
            viewers=self.viewers,
            fingerprint_key=bytes(32),
            billing=self.billing,
        ).service
        self._followers: list[Follower] = [*catalog.followers, *steering.followers]
        self.titles: list[TitleId] = []
        self.accounts: list[AccountId] = []

    async def furnish(self, accounts: int) -> None:
        """Titles with rights, on appliances; members with a plan."""
        for made in self._shelf.versions:
            title = await self.catalog.create_title(CreateTitle(name=f"Film {made.version_id}"))
            self.titles.append(title.title_id)
            async with self._database.transaction() as transaction:
                event = VersionPublished(
                    version_id=made.version_id,
                    title_id=title.title_id,
                    quality="full",
                    duration_s=made.duration_s,
                    artwork_key="",
                    index_blake3="b3",
                    published_at=self._clock.now(),
                )
                await self._log.append(transaction, TOPIC, made.version_id, event)
        window = Window(window_id="w", territories=["WW"], licence_type="SVOD")
        for first in range(0, len(self.titles), 100):
            some = self.titles[first : first + 100]
            sets = [TitleWindows(title_id=each, windows=[window]) for each in some]
            await self.rights.set_rights(SetRights(sets=sets))
        await self._follow()
        await self.report(first=True)
        await self._follow()
        for layer, setting in (("buffer", GOAL), ("bandwidth", TARGET)):
            cells = [Cell(name="control"), Cell(name="other", settings=setting)]
            experiment = PutExperiment(name=layer, layer=layer, cells=cells, share_bp=5000)
            await self.experiments.put_experiment(experiment)
        await self.billing.put_plan(PLAN)
        card = await self.billing.add_test_card(AddTestCard(number="4242424242424242"))
        for number in range(accounts):
            account = AccountId(f"acc_{number}")
            await self.billing.subscribe(
                Subscribe(account_id=account, plan_id="home", territory="DE", card=card.token)
            )
            self.accounts.append(account)

    async def report(self, *, first: bool = False) -> None:
        for appliance_id in EDGES:
            await self.steering.report(
                Report(
                    appliance_id=appliance_id,
                    url=f"http://{appliance_id}.bench",
                    healthy=True,
                    in_flight=0,
                    inventory_revision=1,
                    versions=[each.version_id for each in self._shelf.versions] if first else None,
                )
            )

    async def keep_reporting(self) -> None:
        while True:
            await self.report()
            await asyncio.sleep(REPORT_S)

    async def start(self, draw: random.Random) -> tuple[AccountId, Play]:
        account = draw.choice(self.accounts)
        play = await self.playback.start(
            StartPlay(
                account_id=account,
                profile_id=ProfileId(f"prf_{account}"),
                title_id=draw.choice(self.titles),
                device="Firefox, Linux",
                device_id=f"device-{draw.randrange(DEVICES)}",
                territory="DE",
                capabilities=Capabilities(codecs=["h264", "av1"], max_height=2160),
            )
        )
        return account, play

    async def _follow(self) -> None:
        for follower in self._followers:
            await follower.catch_up()


async def _measured(
    stand: Stand, url: str, accounts: int, titles: int, seconds: float
) -> list[Figure]:
    owners = (
        billing_wiring,
        catalog_wiring,
        experiments_wiring,
        licensing_wiring,
        rights_wiring,
        steering_wiring,
        viewers_wiring,
        wiring,
    )
    draw = random.Random(SEED)
    rows: list[Figure] = []
    async with opened(url, *owners) as database:
        service = Service(database, titles)
        stand.tell("furnishing")
        await service.furnish(accounts)
        reporting = asyncio.create_task(service.keep_reporting())
        for _ in range(WARM):
            await service.start(draw)
        settle()
        for rate in RATES:
            stand.tell(f"{rate} starts a second")
            await _at(service, rate, 1.0, draw)
            rows += await _at(service, rate, seconds, draw)
        rows += await _manifests_asked(service, draw)
        reporting.cancel()
        await asyncio.wait([reporting])
    return rows


async def _at(service: Service, rate: int, seconds: float, draw: random.Random) -> list[Figure]:
    """Starts at moments drawn at random, however long those before take."""
    took_ms: list[float] = []
    refused = 0

    async def one(due_s: float) -> None:
        nonlocal refused
        try:
            await service.start(draw)
        except (CannotPlayNow, Unavailable):
            refused += 1
        took_ms.append((time.monotonic() - due_s) * 1000)

    begun_s, used_s = time.monotonic(), cpu_s(os.getpid())
    own_s = time.process_time()
    due_s = begun_s
    async with asyncio.TaskGroup() as group:
        for _ in range(round(rate * seconds)):
            due_s += draw.expovariate(rate)
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            group.create_task(one(due_s))
    used_ms = (cpu_s(os.getpid()) - used_s) * 1000 / len(took_ms)
    own_ms = (time.process_time() - own_s) * 1000 / len(took_ms)
    ordered = sorted(took_ms)
    name = f"plays: {rate} starts a second"
    return [
        figure(f"{name}, median", ordered[len(ordered) // 2], "ms"),
        figure(f"{name}, p99", ordered[len(ordered) * 99 // 100], "ms"),
        figure(f"{name}, refused for now", 100 * refused / len(took_ms), "%"),
        figure(f"{name}, CPU of a start", used_ms, "ms"),
        figure(f"{name}, of that PostgreSQL's", used_ms - own_ms, "ms"),
        figure(f"{name}, starts a core-second", 1000 / used_ms, ""),
        figure(f"{name}, of this process alone", 1000 / own_ms, ""),
    ]


async def _manifests_asked(service: Service, draw: random.Random) -> list[Figure]:
    # Of each account the last one, which no other has ended.
    begun = list(dict([await service.start(draw) for _ in range(20)]).items())
    took_ms: list[float] = []
    for number in range(MANIFESTS):
        account, play = begun[number % len(begun)]
        asked = GetManifest(
            session_id=play.session_id, account_id=account, format="dash", licence_url=LICENCE_URL
        )
        begun_s = time.monotonic()
        await service.playback.get_manifest(asked)
        took_ms.append((time.monotonic() - begun_s) * 1000)
    return [figure("plays: a manifest asked for, median", sorted(took_ms)[MANIFESTS // 2], "ms")]


def _manifests() -> list[Figure]:
    sizes = [(360, 400), (480, 700), (540, 1000), (720, 2000), (900, 3000), (1080, 4500)]
    film = version(
        renditions=[
            rendition(f"v{lines}", lines * 16 // 9, lines, kbps, SD if lines < 720 else HD)
            for lines, kbps in sizes
        ],
        video_timeline=_timeline(24000, 48048),
        audio_timeline=_timeline(48000, 96256),
    )
    ranking = [appliance(name) for name in ("edge-a", "edge-b", "edge-c")]
    in_dash, in_hls = dash.draft(film), hls.draft(film)
    steering_url = f"https://watch.test/api/v1/steering?play={'x' * 300}"
    fill = ranking, LICENCE_URL, steering_url
    works: dict[str, Callable[[], object]] = {
        "DASH drafted": lambda: dash.draft(film),
        "DASH filled": lambda: in_dash.fill(*fill),
        "HLS drafted": lambda: hls.draft(film),
        "HLS filled": lambda: in_hls.fill(*fill),
    }
    return [figure(f"plays: {name}", _took_ms(work), "ms") for name, work in works.items()]


def _timeline(timescale: int, ticks: int) -> Timeline:
    """Of a film whose last segment is shorter, and whose cuts make every tenth another length."""
    durations = [ticks if each % 10 else ticks // 2 for each in range(1, SEGMENTS + 1)]
    return Timeline(timescale=timescale, start=0, durations=durations)


def _took_ms(work: Callable[[], object]) -> Sequence[float]:
    took = []
    for _ in range(MANIFESTS):
        begun_s = time.perf_counter()
        work()
        took.append((time.perf_counter() - begun_s) * 1000)
    return took
