"""What a task takes, kept in the ledger while it is done: a worker that dies does not tell.

Each attempt at a task is on record from its beginning, and every ``BEAT_S`` with what it took
until then. One whose worker is killed stays there, at most ``BEAT_S`` of its work uncounted.
"""

import contextlib
import threading
import time
from collections.abc import Iterator

import msgspec

from cuemark.contexts.encoding.store.costs import Attempt, Begun
from cuemark.contexts.encoding.workflow.tasks import Parts, Task, do
from cuemark.kit.cost import FREE, Cost, Meter, process_cpu_s
from cuemark.kit.errors import Unavailable

BEAT_S = 2.0


def begin(parts: Parts, what: Task, unit: str) -> tuple[Attempt, Begun]:
    """Put an attempt at a task on record before it begins, however long the database is away."""
    attempt = Attempt(
        attempt_id=parts.ids.new("att"),
        version_id=what.version_id,
        stage=what.stage,
        unit=unit,
        made_for=what.made_for,
        begun_at=parts.clock.now(),
        cost=FREE,
        worker=parts.worker,
    )
    begun = parts.loop.insist(
        lambda: parts.ledger.begin_attempt(attempt, what.place, what.start), patience_s=None
    )
    return attempt, begun


def do_on_record(parts: Parts, what: Task, attempt: Attempt) -> tuple[str, Cost]:
    """Do a task once; its result, and what it took. Raises what the task raises.

    A worker does one task at a time, so what its process and children take is the task's.
    """
    meter, written = Meter(), parts.shop.written_bytes
    result, cost = None, FREE
    try:
        with _kept_meanwhile(parts, attempt):
            result = do(parts, what)
    finally:
        cost = meter.cost
        attempt = msgspec.structs.replace(
            attempt, cost=cost, written_bytes=parts.shop.written_bytes - written
        )
        if result is None:
            _keep(parts, attempt, ended=True)
    parts.loop.insist(
        lambda: parts.ledger.finish_attempt(attempt, what.estimate_s), patience_s=None
    )
    return result, cost


@contextlib.contextmanager
def _kept_meanwhile(parts: Parts, attempt: Attempt) -> Iterator[None]:
    """Keep what an attempt takes from a thread beside it, each beat."""
    began_s, began_cpu_s, stop = time.monotonic(), process_cpu_s(), threading.Event()

    def beat() -> None:
        while not stop.wait(BEAT_S):
            cost = Cost(time.monotonic() - began_s, process_cpu_s() - began_cpu_s)
            _keep(parts, msgspec.structs.replace(attempt, cost=cost), ended=False)

    thread = threading.Thread(target=beat, daemon=True, name="cost-of-task")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _keep(parts: Parts, attempt: Attempt, *, ended: bool) -> None:
    """Without the database the record falls back to what it had: work goes on."""
    try:
        parts.loop.run(parts.ledger.keep_attempt(attempt, ended=ended))
    except Unavailable:
        return
