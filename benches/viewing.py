"""What viewing state costs with the history of many profiles."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import psycopg
from sqlalchemy.engine import make_url

from benches.database import served
from benches.figures import Anchor, Figure, figure
from benches.spread import percentile
from benches.stand import Stand
from cuemark.contexts.viewers import wiring
from cuemark.contracts.ids import PlaySessionId, ProfileId, TitleId
from cuemark.contracts.viewers import GetResumePoint, ListWatching, RecordProgress, Viewers
from cuemark.contracts.viewers.history import ListHistory
from cuemark.kit.clock import SystemClock
from cuemark.kit.database import Database, migrate
from cuemark.kit.hybrid_clock import Stamp

SEED = 6
PROFILES, ASKS = 2_000_000, 20_000
TITLES_EACH = 10
TITLES = 20_000
DURATION_S = 5400.0
_AT_ONCE = 100
BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
BUDGET = Anchor("budget: 5 ms", 5.0)
ABOUT = f"""
`python -m benches viewing` fills a PostgreSQL of its own, by COPY, with the history of
{PROFILES:,} profiles: {TITLES_EACH} titles each, of {TITLES:,}, half of them not watched to their
end. With all
rows it takes some 20 GB of disk. One process asks for one thing at a time, each time of a random
profile, so that most rows were not read before: where a title goes on (*a resume read*), the first
page of what goes on, and of the history; and reports progress.
"""

_SESSION = (
    "profile_id, title_id, session_id, sequence, position_s, reported_at, duration_s, since, stamp"
)
_PROGRESS = "profile_id, title_id, resume_s, duration_s, watched_at, stamp, removed"
_INDEXES = {
    "session": ("session_pkey", "session_history", "session_changes"),
    "progress": ("progress_pkey", "progress_watching", "progress_removals"),
}


def measure(stand: Stand) -> list[Figure]:
    profiles, asks = (5_000, 500) if stand.quick else (PROFILES, ASKS)
    with served(stand.scratch("viewing") / "pg") as url:
        migrate(url, wiring.SCHEMA, wiring.MIGRATIONS)
        stand.tell(f"viewing: filling in {profiles:,} profiles")
        began_s = time.monotonic()
        size_bytes = fill(url, profiles)
        rows = [
            figure("viewing: profiles", profiles, "profiles"),
            figure("viewing: titles watched", profiles * TITLES_EACH, "rows"),
            figure("viewing: filled in", time.monotonic() - began_s, "s"),
            figure("viewing: tables and indexes", size_bytes / 1e6, "MB"),
        ]
        stand.tell("viewing: asking")
        return rows + asyncio.run(_asked(url, profiles, asks))


def drawn(number: int) -> list[tuple[TitleId, float, datetime]]:
    """What a profile has watched, how far and when: the same each time."""
    rng = random.Random(SEED << 32 | number)
    return [
        (
            TitleId(f"ttl_{title:026}"),
            DURATION_S if rng.random() < 0.5 else round(rng.uniform(10, 5000), 1),
            BEGIN + timedelta(seconds=rng.randrange(300 * 86_400)),
        )
        for title in rng.sample(range(TITLES), TITLES_EACH)
    ]


def profile_of(number: int) -> ProfileId:
    return ProfileId(f"prf_{number:026}")


def fill(url: str, profiles: int) -> int:
    """Copy viewings and progress in; bytes of the tables and their indexes."""
    address = make_url(url).set(drivername="postgresql")
    with psycopg.connect(address.render_as_string(hide_password=False)) as connection:
        indexes = connection.execute(
            "select indexdef from pg_indexes where schemaname = 'viewers' and indexname = any(%s)",
            [[name for names in _INDEXES.values() for name in names if "pkey" not in name]],
        ).fetchall()
        for table, names in _INDEXES.items():
            connection.execute(f"alter table viewers.{table} drop constraint {names[0]}")
            for name in names[1:]:
                connection.execute(f"drop index viewers.{name}")
        connection.commit()
        _copy(connection, address.render_as_string(hide_password=False), profiles)
        connection.execute("set maintenance_work_mem = '1GB'")
        connection.execute(
            "alter table viewers.session add primary key (profile_id, title_id, session_id)"
        )
        connection.execute("alter table viewers.progress add primary key (profile_id, title_id)")
        for (definition,) in indexes:
            connection.execute(definition)
        connection.commit()
        connection.autocommit = True
        connection.execute("vacuum analyze viewers.session, viewers.progress")
        found = connection.execute(
            "select pg_total_relation_size('viewers.session') "
            "+ pg_total_relation_size('viewers.progress')"
        ).fetchone()
    return int(found[0]) if found else 0


def _copy(connection: psycopg.Connection, address: str, profiles: int) -> None:
    """Both tables at once, each by a server process of its own, as lines that are made here: to
    adapt each value would take longer than all else."""
    with (
        psycopg.connect(address) as another,
        connection.cursor().copy(f"copy viewers.session ({_SESSION}) from stdin") as sessions,
        another.cursor().copy(f"copy viewers.progress ({_PROGRESS}) from stdin") as progress,
    ):
        for first in range(0, profiles, _AT_ONCE):
            viewed, gone_on = [], []
            for number in range(first, min(first + _AT_ONCE, profiles)):
                profile_id = profile_of(number)
                for place, (title_id, position_s, at) in enumerate(drawn(number)):
                    stamp = _stamp(at)
                    viewed.append(
                        f"{profile_id}\t{title_id}\t{_play(number, place)}\t1\t{position_s}\t{at}\t"
                        f"{DURATION_S}\t\t{stamp}\n"
                    )
                    resume_s = position_s if position_s < DURATION_S else 0.0
                    gone_on.append(
                        f"{profile_id}\t{title_id}\t{resume_s}\t{DURATION_S}\t{at}\t{stamp}\t\n"
                    )
            sessions.write("".join(viewed))
            progress.write("".join(gone_on))


def _play(number: int, place: int) -> PlaySessionId:
    return PlaySessionId(f"play_{number:020}{place:06}")


def _stamp(at: datetime) -> str:
    return str(Stamp(round(at.timestamp() * 1e6), 0, wiring.HERE))


async def _asked(url: str, profiles: int, asks: int) -> list[Figure]:
    database = Database(url)
    viewers = wiring.build(database, SystemClock()).service
    rng = random.Random(SEED)
    try:
        resumed, cpu_ms = await _timed_ms(asks, lambda: _resume(viewers, rng, profiles))
        watching, _ = await _timed_ms(asks // 10, lambda: _watching(viewers, rng, profiles))
        history, _ = await _timed_ms(asks // 10, lambda: _history(viewers, rng, profiles))
        reported, _ = await _timed_ms(asks // 10, lambda: _report(viewers, rng, profiles))
    finally:
        await database.close()
    return [
        figure("viewing: a resume read, p50", percentile(resumed, 0.5), "ms"),
        figure("viewing: a resume read, p99", percentile(resumed, 0.99), "ms", BUDGET),
        figure("viewing: a resume read, CPU of this process", cpu_ms, "ms"),
        figure("viewing: what goes on, p99", percentile(watching, 0.99), "ms"),
        figure("viewing: a page of the history, p99", percentile(history, 0.99), "ms"),
        figure("viewing: a report of progress, p99", percentile(reported, 0.99), "ms"),
    ]


async def _resume(viewers: Viewers, rng: random.Random, profiles: int) -> None:
    """Found is what was filled in, or the figure is that of something else."""
    number = rng.randrange(profiles)
    title_id, position_s, _ = rng.choice(drawn(number))
    asked = GetResumePoint(profile_id=profile_of(number), title_id=title_id)
    point = await viewers.get_resume_point(asked)
    assert point.position_s == (position_s if position_s < DURATION_S else 0.0)


async def _watching(viewers: Viewers, rng: random.Random, profiles: int) -> None:
    await viewers.list_watching(ListWatching(profile_id=profile_of(rng.randrange(profiles))))


async def _history(viewers: Viewers, rng: random.Random, profiles: int) -> None:
    asked = ListHistory(profile_id=profile_of(rng.randrange(profiles)))
    assert len((await viewers.list_history(asked)).viewings) >= TITLES_EACH


async def _report(viewers: Viewers, rng: random.Random, profiles: int) -> None:
    number = rng.randrange(profiles)
    await viewers.record_progress(
        RecordProgress(
            profile_id=profile_of(number),
            title_id=rng.choice(drawn(number))[0],
            session_id=PlaySessionId("play_now"),
            sequence=1,
            position_s=60.0,
            duration_s=DURATION_S,
        )
    )


async def _timed_ms(asks: int, ask: Callable[[], Awaitable[None]]) -> tuple[list[float], float]:
    """What each ask took, but for the first tenth, and the mean of this process's CPU time."""
    took = []
    for number in range(asks):
        if number == asks // 10:
            cpu_s = time.process_time()
        began_s = time.perf_counter()
        await ask()
        took.append((time.perf_counter() - began_s) * 1000)
    measured = took[asks // 10 :]
    return measured, (time.process_time() - cpu_s) * 1000 / len(measured)
