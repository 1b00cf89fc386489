"""Doing a task in spite of the machine: what was hindered is tried again, and the job says so."""

import time
from collections import Counter

import structlog

from cuemark.contexts.encoding.model import hindrance as rules
from cuemark.contexts.encoding.model.hindrance import Hindrance
from cuemark.contexts.encoding.tools.run import Hindered, ToolFailed
from cuemark.contexts.encoding.workflow.spending import do_on_record
from cuemark.contexts.encoding.workflow.tasks import Parts, Task
from cuemark.kit.cost import Cost
from cuemark.kit.errors import Unavailable


def do_patiently(parts: Parts, what: Task, unit: str) -> tuple[str, Cost]:
    """Do a task as often as its hindrances allow; raises what is no hindrance.

    The result, and what the attempt took that made it.
    """
    tried: Counter[Hindrance] = Counter()
    while True:
        try:
            return do_on_record(parts, what, unit)
        except Hindered as error:
            met, trouble = error.hindrance, str(error)
        except Unavailable as error:
            met, trouble = rules.AWAY, str(error)
        tried[met] += 1
        if not rules.tries_again(met, tried[met]):
            raise ToolFailed(f"given up after {tried[met]} attempts: {trouble}")
        structlog.get_logger().warning(
            "task_hindered", kind=what.kind, version_id=what.version_id, trouble=trouble
        )
        _say(parts, what, met)
        time.sleep(rules.pause_s(tried[met]))


def _say(parts: Parts, what: Task, met: Hindrance) -> None:
    """Let the job tell what it waits for, where the database can take that."""
    try:
        parts.loop.run(parts.ledger.wait(what.version_id, met.sentence))
    except Unavailable as error:
        structlog.get_logger().warning("waits", why=str(error))
