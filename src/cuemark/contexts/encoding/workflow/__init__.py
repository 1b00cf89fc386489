"""The durable bodies: one workflow for each title, and one task at a time in each worker.

A title's workflow only decides what is to be done next; every piece of work is a task on one
queue, of which a worker takes one at a time, in the order that ``turns`` gives them. A task that
is run again finds its result and returns, so a worker that is killed costs the piece in hand.
"""

import logging
from collections.abc import Callable

import msgspec
import structlog
from dbos import DBOS, SetEnqueueOptions
from dbos import error as dbos_errors

from cuemark.contexts.encoding.model.queues import (
    MARK_WORKFLOW,
    TASK_QUEUE,
    TASK_WORKFLOW,
    TITLE_WORKFLOW,
)
from cuemark.contexts.encoding.store import JobRow
from cuemark.contexts.encoding.workflow.hand import Hand
from cuemark.contexts.encoding.workflow.patience import do_patiently, say
from cuemark.contexts.encoding.workflow.searching import search
from cuemark.contexts.encoding.workflow.tasks import Parts, Pending, Task
from cuemark.contexts.encoding.workflow.title import TitleWalk
from cuemark.contexts.encoding.workflow.turns import Turns
from cuemark.kit.tracing import trace

__all__ = ["Hand", "Parts", "register"]


def register(parts: Parts, hand: Hand) -> None:
    """Register the workflows with DBOS under their names; ``hand`` has the task of this worker."""
    logging.getLogger("dbos").addFilter(_says_more_than_that_a_job_was_ended)

    @DBOS.workflow(name=TASK_WORKFLOW)
    def task(encoded: str) -> str:
        what = msgspec.json.decode(encoded, type=Task)
        with trace(what.trace_id or None), hand.holding(what):
            result, cost = do_patiently(parts, hand, what, f"{what.kind}:{DBOS.workflow_id}")
            structlog.get_logger().info(
                "task_finished",
                kind=what.kind,
                stage=what.stage,
                version_id=what.version_id,
                **cost.fields(),
            )
        return result

    @DBOS.workflow(name=TITLE_WORKFLOW)
    def title(version_id: str) -> None:
        def begin() -> str:
            found = parts.loop.insist(lambda: parts.ledger.begin(version_id), patience_s=None)
            return msgspec.json.encode(found).decode()

        job = msgspec.json.decode(DBOS.run_step({"name": "begin"}, begin), type=JobRow)
        with trace(job.trace_id or None):
            turns = Turns(parts.ledger, parts.loop, job.version_id)
            with parts.shop.objects.waiting(lambda sentence: say(parts, version_id, sentence)):
                TitleWalk(parts, job, lambda what: _enqueue(task, turns.next(what))).run()

    @DBOS.workflow(name=MARK_WORKFLOW)
    def find_mark(search_id: str) -> None:
        search(parts, hand, search_id)


def _says_more_than_that_a_job_was_ended(record: logging.LogRecord) -> bool:
    """DBOS tells with a traceback, for each task, what our own log has told in a line."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, dbos_errors.DBOSAwaitedWorkflowCancelledError)


def _enqueue(task: Callable[[str], str], what: Task) -> Pending:
    with SetEnqueueOptions(priority=what.number):
        return Pending(DBOS.enqueue_workflow(TASK_QUEUE, task, msgspec.json.encode(what).decode()))
