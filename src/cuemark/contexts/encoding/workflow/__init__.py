"""The durable bodies: one workflow for each title, and one task at a time in each worker.

A title's workflow only decides what is to be done next; every piece of work is a task on one
queue, of which a worker takes one at a time. The priorities let the quick version of every
title outrank every probe. A task that is run again finds its result and returns, so a worker
that is killed costs the piece in hand.
"""

from collections.abc import Callable

import msgspec
import structlog
from dbos import DBOS, SetEnqueueOptions

from cuemark.contexts.encoding.model.queues import TASK_QUEUE, TASK_WORKFLOW, TITLE_WORKFLOW
from cuemark.contexts.encoding.store import JobRow
from cuemark.contexts.encoding.workflow.patience import do_patiently
from cuemark.contexts.encoding.workflow.tasks import Parts, Pending, Task
from cuemark.contexts.encoding.workflow.title import TitleWalk
from cuemark.kit.tracing import trace

__all__ = ["Parts", "register"]


def register(parts: Parts) -> None:
    """Register the workflows with DBOS under their names."""

    @DBOS.workflow(name=TASK_WORKFLOW)
    def task(encoded: str) -> str:
        what = msgspec.json.decode(encoded, type=Task)
        with trace(what.trace_id or None):
            result, cost = do_patiently(parts, what, f"{what.kind}:{DBOS.workflow_id}")
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
            TitleWalk(parts, job, lambda what: _enqueue(task, what)).run()


def _enqueue(task: Callable[[str], str], what: Task) -> Pending:
    with SetEnqueueOptions(priority=what.priority):
        return Pending(DBOS.enqueue_workflow(TASK_QUEUE, task, msgspec.json.encode(what).decode()))
