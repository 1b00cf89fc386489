"""Doing a task in spite of the machine: what was hindered is tried again, and the job says so.

What is not tried again is set aside with its log, and the sentence of the failure names the shots.
"""

from collections import Counter

import msgspec
import structlog

from cuemark.contexts.encoding.model import hindrance as rules
from cuemark.contexts.encoding.model import setting_aside
from cuemark.contexts.encoding.model.hindrance import Hindrance
from cuemark.contexts.encoding.model.setting_aside import Piece, Said
from cuemark.contexts.encoding.stages import pictures
from cuemark.contexts.encoding.tools.run import Hindered, Interrupted, ToolFailed
from cuemark.contexts.encoding.workflow.hand import Hand
from cuemark.contexts.encoding.workflow.spending import begin, do_on_record
from cuemark.contexts.encoding.workflow.tasks import Parts, Task
from cuemark.kit.cost import Cost
from cuemark.kit.errors import Unavailable


def do_patiently(parts: Parts, hand: Hand, what: Task, unit: str) -> tuple[str, Cost]:
    """Do a task as often as its hindrances allow; raises what is no hindrance.

    The result, and what the attempt took that made it. Raises ``Interrupted`` where the job is
    over.
    """
    tried: Counter[Hindrance] = Counter()
    objects = parts.shop.objects

    def wait(sentence: str) -> None:
        say(parts, what.version_id, sentence)

    while True:
        attempt, begun = begin(parts, what, unit)
        if not begun.wanted:
            raise Interrupted("its job is over")
        if setting_aside.crashed_too_often(begun.crashes):
            why = setting_aside.crash_sentence(begun.crashes)
            raise _set_aside(parts, what, begun.attempts - 1, why, None)
        try:
            with objects.waiting(wait), objects.holding():
                return do_on_record(parts, what, attempt)
        except ToolFailed as error:
            raise _set_aside(parts, what, begun.attempts, str(error), error.said) from error
        except Hindered as error:
            met, trouble, said = error.hindrance, str(error), error.said
        except Unavailable as error:
            met, trouble, said = rules.AWAY, str(error), None
        tried[met] += 1
        if not rules.tries_again(met, tried[met]):
            why = f"given up after {tried[met]} attempts: {trouble}"
            raise _set_aside(parts, what, begun.attempts, why, said)
        structlog.get_logger().warning(
            "task_hindered", kind=what.kind, version_id=what.version_id, trouble=trouble
        )
        say(parts, what.version_id, met.sentence)
        hand.pause(rules.pause_s(tried[met]))


def _set_aside(parts: Parts, what: Task, attempts: int, why: str, said: Said | None) -> ToolFailed:
    """Keep the log of a task that is not tried again; the failure that its title ends with."""
    failure = setting_aside.failure_of(_piece(parts, what), attempts, parts.worker, said)
    parts.loop.insist(lambda: parts.ledger.set_aside(what.version_id, failure), patience_s=None)
    structlog.get_logger().error(
        "task_set_aside", kind=what.kind, version_id=what.version_id, attempts=attempts, why=why
    )
    return ToolFailed(setting_aside.sentence_of(failure, why))


def _piece(parts: Parts, what: Task) -> Piece:
    piece = Piece(kind=what.kind, stage=what.stage, made_for=what.made_for)
    stretch = (what.chunk.start, what.chunk.end) if what.chunk else what.frames
    if stretch[1] <= stretch[0]:
        return piece
    rate = pictures.film_of(parts.shop, what.sha256).master.picture.rate
    return msgspec.structs.replace(piece, start=stretch[0], end=stretch[1], rate=rate)


def say(parts: Parts, version_id: str, sentence: str) -> None:
    """Let the job tell what it waits for, where the database can take that."""
    try:
        parts.loop.run(parts.ledger.wait(version_id, sentence))
    except Unavailable as error:
        structlog.get_logger().warning("waits", why=str(error))
