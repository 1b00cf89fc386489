"""Doing a task in spite of the machine: what was hindered is tried again, and the job says so."""

import time
from collections import Counter

import structlog

from cuemark.contexts.encoding.model import hindrance as rules
from cuemark.contexts.encoding.model.hindrance import Hindrance
from cuemark.contexts.encoding.tools.run import Hindered, ToolFailed
from cuemark.contexts.encoding.workflow.tasks import Parts, Task, do
from cuemark.kit.errors import Unavailable


def do_patiently(parts: Parts, what: Task) -> str:
    """Do a task as often as its hindrances allow; raises what is no hindrance."""
    tried: Counter[Hindrance] = Counter()
    while True:
        try:
            return do(parts, what)
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
