"""The farm: steps a second with no work in them, what a step costs, and a dead host's take-over."""

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import psycopg

from benches.children import run
from benches.failure import BenchFailed
from benches.figures import Figure, figure
from benches.stand import Stand
from cuemark.contexts.encoding.model.leases import LEASE_S
from tests.buckets import BucketServer
from tests.e2e.kills.hosts import WORKERS, InstalledOn, WorkersOn, lan

ABOUT = f"""
A film of many short shots is made, and then made once more under another title: what was encoded
and scored is found made, so that a step is nothing but its turn in the queue, its rows in the
database, a look for its result, and the answer. The steps are the probes of all shots, which are
put on the queue together: {WORKERS} slots take them. *What a step costs beside its work* is the
time of a slot from one step's end to the next one's, less the time that the work itself took.

For the take-over two hosts are made of network namespaces, with the database on the first and one
S3 bucket (SeaweedFS) for both. The second host is killed, all its processes at once, while its
slots have work in hand, and that is taken over when the first host has all of it in hand; its slots
are at work themselves and finish that first. A worker is declared lost when nothing was heard of
it for {LEASE_S:.0f} s.
"""

SHOTS, QUICK_SHOTS = 60, 30
SHOT_S, RATE = 2, 12
DEATHS, QUICK_DEATHS = 5, 1
STAGE = "probes"
WAIT_S = 120.0
POLL_S = 0.02


def measure(stand: Stand) -> list[Figure]:
    shots = QUICK_SHOTS if stand.quick else SHOTS
    deaths = QUICK_DEATHS if stand.quick else DEATHS
    films = [_film(stand.scratch("farm"), shots, number) for number in range(deaths)]
    rows = _steps(stand, films[0])
    stand.close_install()
    return [*rows, *_deaths(stand, films)]


def _steps(stand: Stand, film: Path) -> list[Figure]:
    install = stand.install()
    beside_s, rate, slot_s, steps = [], 0.0, 0.0, 0
    for name in ("with work", "without"):
        job = install.begin(film, name)
        install.finish(job, partial(_tell, stand, f"steps {name}"))
        (row,) = _query(
            install.folder.root,
            "select count(*), extract(epoch from max(finished_at) - min(finished_at)), "
            f"sum(wall_s) from encoding.unit where stage = '{STAGE}' "
            f"and version_id = '{job.version_id}'",
        )
        steps, span_s, worked_s = int(row[0]), float(row[1]), float(row[2])
        rate, slot_s = (steps - 1) / span_s, WORKERS * span_s / (steps - 1)
        beside_s.append(slot_s - worked_s / steps)
    return [
        figure(f"farm: steps without work, of {steps} on {WORKERS} slots", rate, "1/s"),
        figure("farm: a slot's time for a step without work", 1000 * slot_s, "ms"),
        figure("farm: what a step costs beside its work", 1000 * beside_s[0], "ms"),
    ]


def _tell(stand: Stand, what: str, doing: str) -> None:
    stand.tell(f"{what}: {doing}")


def _query(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(host=str(folder / "run"), user="cuemark", dbname="cuemark") as connection:
        return list(connection.execute(sql.encode()).fetchall())


def _deaths(stand: Stand, films: Sequence[Path]) -> list[Figure]:
    if os.geteuid() != 0 or shutil.which("ip") is None or shutil.which("nsenter") is None:
        raise BenchFailed("two hosts on one machine need root, iproute2 and nsenter")
    found = []
    with _two_hosts(stand) as (installation, workers, ticket):
        own = _names(installation)
        for number, film in enumerate(films):
            stand.tell(f"death {number + 1} of a host: begins")
            # A film of its own for each: what was made of another is not made again.
            installation.ingest(film, f"Film {number}", wait=False)
            workers.start(ticket)
            workers.wait_working()
            found.append(_death(installation, workers, own))
    lost_s, taken_over_s = zip(*found, strict=True)
    return [
        figure("farm: from a host's death to its workers declared lost", lost_s, "s"),
        figure("farm: from a host's death to its work in other hands", taken_over_s, "s"),
    ]


def _death(installation: InstalledOn, workers: WorkersOn, own: str) -> tuple[float, float]:
    """Kill the second host at work: the seconds until it is declared lost, and is replaced.

    ``own`` are the first host's workers, for SQL.
    """
    held_sql = (
        "select workflow_uuid, executor_id from dbos.workflow_status "
        "where status = 'PENDING' and parent_workflow_id is not null "
        f"and executor_id not in ({own})"
    )
    before = len(installation.events("worker_lost"))
    begun_s = time.monotonic()
    while len(held := installation.query(held_sql)) < WORKERS:
        _pause(begun_s, "the second host finds nothing to do")
    workers.kill_host()
    died_s = time.monotonic()
    held = installation.query(held_sql)
    tasks = ", ".join(f"'{task}'" for task, _ in held)
    while len(installation.events("worker_lost")) < before + len({worker for _, worker in held}):
        _pause(died_s, "the dead are not declared lost")
    lost_s = time.monotonic() - died_s
    while installation.query(
        f"select 1 from dbos.workflow_status where workflow_uuid in ({tasks}) and status != "
        f"'SUCCESS' and (status != 'PENDING' or executor_id not in ({own}))"
    ):
        _pause(died_s, "the work of the dead is in nobody's hands")
    return lost_s, time.monotonic() - died_s


def _names(installation: InstalledOn) -> str:
    """The workers of the first host, for SQL."""
    begun_s = time.monotonic()
    while len(found := installation.query("select executor_id from encoding.worker")) < WORKERS:
        _pause(begun_s, "the first host has no workers")
    return ", ".join(f"'{name}'" for (name,) in found)


def _pause(since_s: float, what: str) -> None:
    if time.monotonic() - since_s > WAIT_S:
        raise BenchFailed(f"{what} within {WAIT_S:.0f} s")
    time.sleep(POLL_S)


@contextmanager
def _two_hosts(stand: Stand) -> Iterator[tuple[InstalledOn, WorkersOn, Path]]:
    folder = stand.scratch("hosts")
    with lan() as found:
        bucket = BucketServer(stand.scratch("bucket"), found.server)
        bucket.start()
        installation = InstalledOn(folder / "data", found.first, bucket, "bench")
        workers = WorkersOn(folder / "second", found.second)
        try:
            stand.tell("starting two hosts")
            installation.start()
            installation.wait_serving()
            yield installation, workers, installation.ticket(folder / "ticket")
        finally:
            workers.kill_host()
            installation.kill_all()
            bucket.stop()


def _film(folder: Path, shots: int, number: int) -> Path:
    """In each shot waves of another direction and color pass; ``number`` says how wide they are."""
    target = folder / f"shots-{number}.mp4"
    shot = f"floor(T/{SHOT_S})"
    phase = f"(X*cos(0.9*{shot})+Y*sin(0.9*{shot}))/{48 + 4 * number}+N/{RATE}"
    source = (
        f"nullsrc=size=192x108:rate={RATE}:duration={shots * SHOT_S},"
        f"geq=lum='128+90*sin(2*PI*({phase}))':cb='128+60*sin(2.4*{shot})'"
        f":cr='128+60*cos(1.7*{shot})'"
    )
    argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-f", "lavfi", "-i", source]
    run([*argv, "-c:v", "libx264", "-preset", "fast", "-crf", "12", str(target)], limit_s=300)
    return target
