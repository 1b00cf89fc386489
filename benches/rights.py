"""How long a decision about rights takes, among 4 million windows."""

import asyncio
import random
import time
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import psycopg
from sqlalchemy.engine import make_url

from benches.database import served
from benches.figures import Anchor, Figure, figure
from benches.spread import percentile
from benches.stand import Stand
from cuemark.contexts.rights import store, wiring
from cuemark.contexts.rights.model.windows import check
from cuemark.contexts.rights.model.zones import instant_of
from cuemark.contracts.ids import TitleId
from cuemark.contracts.rights import Decide, Holdback, LicenceType, Moment, Rights, Window
from cuemark.kit import outbox
from cuemark.kit.clock import ManualClock, SystemClock
from cuemark.kit.database import Database, migrate
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Log
from tests.unit.rights import oracle

SEED = 6
WINDOWS_EACH = 40
BUDGET = Anchor("budget: 3 ms", 3.0)
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 1500
LISTED = 200
PLAN: tuple[LicenceType, ...] = ("SVOD", "AVOD", "FVOD")
TERRITORIES = (
    *("AR", "AT", "AU", "BE", "BR", "CA", "CH", "CL", "CO", "CU", "CZ", "DE", "DK", "EG", "ES"),
    *("FI", "FR", "GB", "GR", "HU", "ID", "IE", "IL", "IN", "IT", "JP", "KE", "KI", "KR", "MX"),
    *("NG", "NL", "NO", "NP", "NZ", "PL", "PT", "SE", "US", "ZA"),
)
ABOUT = f"""
`python -m benches rights` fills a PostgreSQL of its own with 100,000 titles of {WINDOWS_EACH}
windows each in {len(TERRITORIES)} territories, drawn from seed {SEED}: most name one territory, one
in ten is worldwide with exceptions, some are exclusive, announced, or wait for another. One process
asks for a *decision* at a time, for random titles, territories and moments; *a list* asks for
{LISTED} titles at once. *Random asks* are held against the tests' oracle, which decides slowly by
the words of the contract alone: *allowed wrongly* is what rights allow and it forbids. *Arrays*
are what rights do not use: the windows as starts and ends in sorted arrays of this process, without
exclusive windows, announcements and holdbacks.
"""


def measure(stand: Stand) -> list[Figure]:
    titles, asks, compared = (2_000, 500, 20_000) if stand.quick else (100_000, 5_000, 1_000_000)
    with served(stand.folder / "rights") as url:
        for owner in (outbox, wiring):
            migrate(url, owner.SCHEMA, owner.MIGRATIONS)
        clock = ManualClock(BEGIN)
        ids = Ids(clock, random.Random(SEED))
        named = [TitleId(ids.new("ttl")) for _ in range(titles)]
        stand.tell("filling the database")
        began_s = time.monotonic()
        size_bytes = fill(url, named)
        rows = [
            figure("rights: windows", titles * WINDOWS_EACH, "windows"),
            figure("rights: filled in", time.monotonic() - began_s, "s"),
            figure("rights: table and index", size_bytes / 1e6, "MB"),
        ]
        rows += asyncio.run(asked(url, named, asks, compared, stand))
        stand.tell("arrays")
        return rows + in_arrays(url, named, asks)


def drawn(number: int) -> list[Window]:
    """The windows of a title, the same each time."""
    rng = random.Random(SEED << 32 | number)
    windows = []
    for place in range(WINDOWS_EACH):
        start = BEGIN + timedelta(days=rng.randrange(DAYS))
        end = start + timedelta(days=rng.randrange(30, 700))
        zone = rng.choice(("local", "local", "UTC", "Europe/Berlin", "-08:00"))
        worldwide = rng.random() < 0.1
        out = rng.sample(TERRITORIES, rng.randrange(1, 30)) if worldwide else []
        announce = start - timedelta(days=rng.randrange(60)) if rng.random() < 0.2 else None
        waits = []
        if place and rng.random() < 0.1:
            rule = rng.choice(oracle.RULES)
            waits = [Holdback(window_id=f"w{rng.randrange(place)}", rule=rule)]
        windows.append(
            Window(
                window_id=f"w{place}",
                territories=["WW"] if worldwide else [TERRITORIES[place]],
                licence_type=rng.choice(oracle.TYPES),
                start=said(start, zone),
                end=said(end, zone) if rng.random() < 0.9 else None,
                excluding=out,
                exclusive=rng.random() < 0.05,
                announce=said(announce, zone) if announce else None,
                holdbacks=waits,
            )
        )
    return windows


def said(at: datetime, zone: str) -> Moment:
    return Moment(wall=at.replace(tzinfo=None).isoformat(), zone=zone)


def fill(url: str, ids: Sequence[TitleId]) -> int:
    """Copy what decides into the table of rights; bytes of the table and its index."""
    with psycopg.connect(_plain(url)) as connection:
        connection.execute("alter table rights.held drop constraint held_pkey")
        with connection.cursor().copy("copy rights.held from stdin (format binary)") as copy:
            copy.set_types(["text", "text", "bytea"])
            for number, title_id in enumerate(ids):
                windows = drawn(number)
                if number < 100:
                    check(windows)
                for row in store.rows_of(title_id, windows):
                    copy.write_row(row)
        connection.execute("alter table rights.held add primary key (title_id, territory)")
        connection.commit()
        connection.autocommit = True
        connection.execute("vacuum analyze rights.held")
        found = connection.execute("select pg_total_relation_size('rights.held')").fetchone()
    return int(found[0]) if found else 0


async def asked(
    url: str, ids: Sequence[TitleId], asks: int, compared: int, stand: Stand
) -> list[Figure]:
    database, clock = Database(url), SystemClock()
    terms = wiring.Terms(plan=frozenset(PLAN))
    rights = wiring.build(database, Log(clock), clock, terms).service
    rng = random.Random(SEED)
    try:
        stand.tell("decisions")
        one, one_cpu_ms = await _timed_ms(rights, rng, ids, 1, asks)
        many, many_cpu_ms = await _timed_ms(rights, rng, ids, LISTED, asks // 20)
        stand.tell("the oracle")
        wrongly, refused, same = await _leaks(rights, rng, ids, compared)
    finally:
        await database.close()
    return [
        figure("rights: a decision, p50", percentile(one, 0.5), "ms"),
        figure("rights: a decision, p99", percentile(one, 0.99), "ms", BUDGET),
        figure("rights: a decision, CPU of this process", one_cpu_ms, "ms"),
        figure(f"rights: a list of {LISTED}, p99", percentile(many, 0.99), "ms"),
        figure(f"rights: a list of {LISTED}, CPU of this process", many_cpu_ms, "ms"),
        figure("rights: random asks", compared, "asks"),
        figure("rights: of them allowed", 100 * same / compared, "%"),
        figure("rights: allowed wrongly", wrongly, "asks"),
        figure("rights: refused wrongly", refused, "asks"),
    ]


def _question(rng: random.Random, ids: Sequence[TitleId], titles: int) -> Decide:
    return Decide(
        title_ids=rng.sample(ids, titles),
        territory=rng.choice(TERRITORIES),
        at=BEGIN + timedelta(seconds=rng.randrange(DAYS * 86_400)),
    )


async def _timed_ms(
    rights: Rights, rng: random.Random, ids: Sequence[TitleId], titles: int, asks: int
) -> tuple[list[float], float]:
    """What each ask took, but for the first tenth, and the mean of this process's CPU time."""
    took = []
    for number in range(asks):
        if number == asks // 10:
            cpu_s = time.process_time()
        question = _question(rng, ids, titles)
        began_s = time.perf_counter()
        await rights.decide(question)
        took.append((time.perf_counter() - began_s) * 1000)
    measured = took[asks // 10 :]
    return measured, (time.process_time() - cpu_s) * 1000 / len(measured)


async def _leaks(
    rights: Rights, rng: random.Random, ids: Sequence[TitleId], asks: int
) -> tuple[int, int, int]:
    """How many asks were allowed wrongly, refused wrongly, and allowed rightly.

    The same titles are asked for a hundred times, at other moments and places, then others.
    """
    wrongly = refused = same = 0
    for block in range(asks // LISTED):
        if block % 100 == 0:
            numbers = rng.sample(range(len(ids)), LISTED)
            windows = [drawn(number) for number in numbers]
        question = _question(rng, ids, 1)
        question = msgspec.structs.replace(question, title_ids=[ids[each] for each in numbers])
        assert question.at is not None
        found = (await rights.decide(question)).decisions
        for decision, of_title in zip(found, windows, strict=True):
            right = oracle.allowed(of_title, question.territory, PLAN, question.at)
            wrongly += decision.allowed and not right
            refused += right and not decision.allowed
            same += right and decision.allowed
    return wrongly, refused, same


class Arrays:
    """Starts and ends of the windows of a plan, sorted by title and territory, in seconds."""

    def __init__(self) -> None:
        self._titles: dict[str, int] = {}
        self._keys = array("q")
        self._starts = array("d")
        self._ends = array("d")

    def add(self, title_id: str, territory: str, windows: Sequence[Window]) -> None:
        title = self._titles.setdefault(title_id, len(self._titles))
        for window in windows:
            if window.licence_type in PLAN:
                start = window.start and instant_of(window.start, territory, ends=False)
                end = window.end and instant_of(window.end, territory, ends=True)
                self._keys.append(_key(title, territory))
                self._starts.append(start.timestamp() if start else float("-inf"))
                self._ends.append(end.timestamp() if end else float("inf"))

    def decide(self, title_id: str, territory: str, at_s: float) -> bool:
        key = _key(self._titles[title_id], territory)
        place = bisect_left(self._keys, key)
        while place < len(self._keys) and self._keys[place] == key:
            if self._starts[place] <= at_s < self._ends[place]:
                return True
            place += 1
        return False

    @property
    def size_bytes(self) -> int:
        """Of the arrays, and of a dictionary of titles at 150 bytes each."""
        of_arrays = (self._keys, self._starts, self._ends)
        return sum(len(each) * each.itemsize for each in of_arrays) + 150 * len(self._titles)


def _key(title: int, territory: str) -> int:
    return title << 16 | ord(territory[0]) << 8 | ord(territory[1])


def in_arrays(url: str, ids: Sequence[TitleId], asks: int) -> list[Figure]:
    read = msgspec.msgpack.Decoder(list[Window]).decode
    began_s = time.monotonic()
    arrays = Arrays()
    ordered = (
        "select title_id, territory, windows from rights.held where territory <> '' order by 1, 2"
    )
    with psycopg.connect(_plain(url)) as connection, connection.cursor("rights") as cursor:
        cursor.itersize = 10_000
        for title_id, territory, windows in cursor.execute(ordered):
            if territory != "WW":
                arrays.add(title_id, territory, read(windows))
    loaded_s = time.monotonic() - began_s
    rng = random.Random(SEED)
    took = []
    for _ in range(asks):
        question = _question(rng, ids, 1)
        assert question.at is not None
        at_s = question.at.timestamp()
        began_s = time.perf_counter()
        arrays.decide(question.title_ids[0], question.territory, at_s)
        took.append((time.perf_counter() - began_s) * 1000)
    return [
        figure("rights: arrays, a decision, p99", percentile(took, 0.99), "ms"),
        figure("rights: arrays, memory of each process", arrays.size_bytes / 1e6, "MB"),
        figure("rights: arrays, until a process can decide", loaded_s, "s"),
    ]


def _plain(url: str) -> str:
    """The address as libpq takes it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
