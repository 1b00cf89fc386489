"""Encoding, built: the service for the control process, the workflows for the workers."""

import asyncio
import contextlib
import functools
import hashlib
import importlib.metadata
import os
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from dbos import DBOS, DBOSClient, EnqueueOptions, Queue
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError

from cuemark.contexts.encoding.model import queues
from cuemark.contexts.encoding.model.validation import policy as policies
from cuemark.contexts.encoding.model.validation.policy import Policy
from cuemark.contexts.encoding.service import EncodingService, Ledger, mirror, sweep_uploads
from cuemark.contexts.encoding.service.jobs import JobControl
from cuemark.contexts.encoding.service.marks import MarkSearches
from cuemark.contexts.encoding.service.reaper import Reaper
from cuemark.contexts.encoding.store import SCHEMA, stored_objects, unfinished_jobs
from cuemark.contexts.encoding.store.queue import withdraw
from cuemark.contexts.encoding.tools.programs import from_wheels
from cuemark.contracts.encoding import Encoding
from cuemark.contracts.encoding.jobs import Effort, FilmGrain, Priority
from cuemark.contracts.encoding.reports import EnergyModel
from cuemark.contracts.encoding.validation import PolicyChanges
from cuemark.contracts.encoding.versions import Codec, Version
from cuemark.contracts.licensing import Licensing
from cuemark.contracts.protection import Scheme
from cuemark.kit.clock import Clock
from cuemark.kit.database import IDLE_TRANSACTION_S, Database, Transaction
from cuemark.kit.errors import Unavailable
from cuemark.kit.event_loop import EventLoopThread
from cuemark.kit.ids import Ids
from cuemark.kit.objects import Objects
from cuemark.kit.outbox import Log
from cuemark.kit.room import Room

__all__ = [
    "MIGRATIONS",
    "SCHEMA",
    "Manifests",
    "begin_again",
    "build",
    "migrate_workflows",
    "pipeline",
    "policy_of",
    "run_worker",
    "stored_objects",
    "sweep",
]


MIGRATIONS = Path(__file__).parent / "migrations"
WORKFLOW_SCHEMA = "dbos"
APPLICATION = "cuemark"
APPLICATION_VERSION = "1"
"""Fixed: DBOS's default is a hash of the source, and an upgrade would strand its titles."""
PACE_S, PACE_HOLDS_S = 0.5, 10.0
ESTIMATE = EnergyModel()


def migrate_workflows(database_url: str) -> None:
    """Bring DBOS's own schema to its head."""
    DBOS.migrate(database_url, schema=WORKFLOW_SCHEMA)


async def sweep(database_url: str, objects: Objects) -> None:
    """Remove what uploads have left that were killed at their end. Call when none is written."""
    database = Database(database_url, pool_size=1)
    try:
        await sweep_uploads(database, objects)
    finally:
        await database.close()


def build(
    *,
    database: Database,
    log: Log,
    clock: Clock,
    ids: Ids,
    objects: Objects,
    database_url: str,
    effort: Effort = "balanced",
    codecs: Sequence[Codec] = (),
    energy: EnergyModel = ESTIMATE,
    crypto_period_s: float = 0,
    film_grain: FilmGrain = "off",
    mirrored: bool = False,
) -> Room[Encoding]:
    """Encoding for a control process: it puts workflows on their queue, and runs none. It looks
    after those that do.

    ``effort``, ``codecs`` and ``crypto_period_s`` are those of jobs which ask for none and
    ``film_grain`` that of all; ``energy`` estimates what reports tell. ``mirrored`` says that
    others make objects too, and those that are served must be brought to this machine.
    """
    client = _client(database_url)

    def enqueue(connection: Connection, version_id: str, priority: Priority) -> None:
        options = _title_workflow(version_id, priority)
        client.enqueue_in_transaction(connection, options, version_id)

    def forget(version_id: str) -> None:
        client.delete_workflow(version_id, delete_children=True)

    def enqueue_search(connection: Connection, search_id: str, number: int) -> None:
        options = _mark_workflow(search_id, number)
        client.enqueue_in_transaction(connection, options, search_id)

    control = JobControl(database, log, objects, enqueue, forget)
    searches = MarkSearches(database, clock, ids, enqueue_search)
    service = EncodingService(
        *(database, log, clock, ids, objects, control, searches),
        *(effort, codecs, energy, crypto_period_s, film_grain),
    )
    reaper = Reaper(database, log, clock, objects, _ledger(database, clock))

    async def close() -> None:
        await asyncio.to_thread(client.destroy)

    mirrors = [functools.partial(mirror, database, objects)] if mirrored else []
    return Room(Encoding, service, keepers=[reaper.run, *mirrors], closers=[close])


def _ledger(database: Database, clock: Clock) -> Ledger:
    async def withdraw_tasks(transaction: Transaction, version_id: str) -> None:
        await withdraw(transaction, version_id, title=False)

    return Ledger(database, Log(clock), clock, withdraw_tasks)


def pipeline() -> str:
    """Changes with the code, the tools and the workflow library that make a title."""
    digest = hashlib.sha256(importlib.metadata.version("dbos").encode())
    digest.update(from_wheels().fingerprint().encode())
    here = Path(__file__).parent
    for path in sorted(here.rglob("*.py")):
        digest.update(path.relative_to(here).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def begin_again(database_url: str, objects: Objects) -> list[str]:
    """Put the workflows of all unfinished jobs on their queue anew; the jobs. No worker may run.

    Another pipeline cannot go on in the middle of what an older one wrote down: its steps and the
    keys of its results may differ. From the beginning it finds every result that is still good.
    A version that was packaged and not published is packaged again, since its bytes may differ.
    """
    engine = create_engine(database_url)
    try:
        with engine.connect() as connection:
            jobs = unfinished_jobs(connection)
    finally:
        engine.dispose()
    client = _client(database_url)
    try:
        for version_id, (priority, unpublished) in jobs.items():
            for each in unpublished:
                objects.remove(f"versions/{each}")
            client.delete_workflow(version_id, delete_children=True)
            client.enqueue(_title_workflow(version_id, priority), version_id)
    finally:
        client.destroy()
    return list(jobs)


def _client(database_url: str) -> DBOSClient:
    return DBOSClient(
        system_database_url=database_url,
        dbos_system_schema=WORKFLOW_SCHEMA,
        application_name=APPLICATION,
        sys_db_idle_transaction_timeout_sec=IDLE_TRANSACTION_S,
        lazy=True,
    )


def _title_workflow(version_id: str, priority: Priority) -> EnqueueOptions:
    return {
        "queue_name": queues.title_queue(priority),
        "priority": queues.title_number(priority),
        "workflow_name": queues.TITLE_WORKFLOW,
        "workflow_id": version_id,
        "app_version": APPLICATION_VERSION,
    }


def _mark_workflow(search_id: str, number: int) -> EnqueueOptions:
    return {
        "queue_name": queues.TASK_QUEUE,
        "priority": number,
        "workflow_name": queues.MARK_WORKFLOW,
        "workflow_id": search_id,
        "app_version": APPLICATION_VERSION,
    }


Manifests = tuple[str, str, str, dict[str, str]]
"""The DASH manifest, the HLS playlist, the address under which all expect the files, and the HLS
playlists for one DRM system each."""


def policy_of(changes: PolicyChanges) -> Policy:
    """The policy of an install: the default one with its changes."""
    return policies.changed(changes)


class Pace:
    """Lets the workers look into the queues as often as there is reason to.

    The interval is the queue's, so it holds for all workers, and each of them sets it: to read it
    asks the database, so a worker remembers what it set, and sets it again once it is
    ``PACE_HOLDS_S`` old, since another may have died right after it set what was true before.
    """

    def __init__(self, registered: Sequence[Queue], clock: Clock) -> None:
        self._registered = registered
        self._clock = clock
        self._set_s: float | None = None
        self._holds_until_s = 0.0

    def keep(self, *, open_jobs: bool) -> None:
        """Raises SQLAlchemy's ``DBAPIError`` where the database is away; the next call mends it."""
        wanted_s, now_s = queues.poll_s(open_jobs=open_jobs), self._clock.monotonic_s()
        if wanted_s == self._set_s and now_s < self._holds_until_s:
            return
        self._set_s = None
        for queue in self._registered:
            queue.set_polling_interval_sec(wanted_s)
        self._set_s, self._holds_until_s = wanted_s, now_s + PACE_HOLDS_S


def run_worker(
    *,
    executor_id: str,
    database_url: str,
    objects: Objects,
    licensing: Licensing,
    clock: Clock,
    manifests: Callable[[Version], Manifests],
    policy: Policy,
    scheme: Scheme = "cbcs",
    thumbnails: bool = True,
    host: str = "",
) -> None:
    """Work off the queues until SIGTERM or SIGINT. One of these to a process.

    ``manifests`` writes those of a version, to be validated with it before it is published. No
    two workers of a farm have one ``executor_id``; ``host`` is for people to read, and the name of
    this machine where it is not given.
    """
    # What decodes and measures pictures is heavy to import, and a control process needs none of it.
    from cuemark.contexts.encoding import workflow
    from cuemark.contexts.encoding.model.validation.manifests import ManifestsOf
    from cuemark.contexts.encoding.stages.workshop import Workshop
    from cuemark.contexts.encoding.workflow.beating import Beating, worker_of

    DBOS(
        config={
            "name": APPLICATION,
            "system_database_url": database_url,
            "dbos_system_schema": WORKFLOW_SCHEMA,
            "sys_db_idle_transaction_timeout_sec": IDLE_TRANSACTION_S,
            "application_version": APPLICATION_VERSION,
            "executor_id": executor_id,
            "run_migrations": False,
            "log_level": "WARNING",
            "notification_listener_polling_interval_sec": queues.BUSY_POLL_S,
        }
    )
    parts = workflow.Parts(
        shop=Workshop(objects, from_wheels()),
        ledger=_ledger(Database(database_url, pool_size=4), clock),
        licensing=licensing,
        clock=clock,
        loop=EventLoopThread(),
        thumbnails=thumbnails,
        manifests=lambda version: ManifestsOf(*manifests(version)),
        policy=policy,
        scheme=scheme,
        worker=executor_id,
    )
    hand = workflow.Hand()
    workflow.register(parts, hand)
    beats = _ledger(Database(database_url, pool_size=1), clock)
    beating = Beating(beats, parts.loop, clock, hand, worker_of(executor_id, host))
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    pace = Pace(_launched(), clock)
    while True:
        with contextlib.suppress(Unavailable, DBAPIError):
            beating.beat()
            pace.keep(open_jobs=beating.open_jobs())
        if stop.wait(PACE_S):
            break
    beating.leave()
    # What is in hand is begun again by another worker, or the next start; its tools die with this
    # process.
    os._exit(0)


def _launched() -> list[Queue]:
    """Begin to work off the queues; those whose pace is to be kept."""
    DBOS.listen_queues([queues.TITLE_QUEUE, queues.PREMIERE_QUEUE, queues.TASK_QUEUE])
    DBOS.launch()
    DBOS.register_queue(
        queues.PREMIERE_QUEUE,
        worker_concurrency=queues.TITLES_AT_ONCE,
        polling_interval_sec=queues.PREMIERE_POLL_S,
    )
    return [
        DBOS.register_queue(name, worker_concurrency=limit, polling_interval_sec=queues.BUSY_POLL_S)
        for name, limit in (
            (queues.TITLE_QUEUE, queues.TITLES_AT_ONCE),
            (queues.TASK_QUEUE, 1),
        )
    ]
