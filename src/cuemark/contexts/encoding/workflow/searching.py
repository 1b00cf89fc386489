"""The durable body of a search for a mark: done once, in spite of the machine, and bounded.

What it is told of a copy it keeps in the ledger; a search whose row says that it is over is not
wanted any more, and its tools are ended.
"""

from collections import Counter

import structlog

from cuemark.contexts.encoding.model import hindrance as rules
from cuemark.contexts.encoding.model.fairness import Urgency
from cuemark.contexts.encoding.model.hindrance import Hindrance
from cuemark.contexts.encoding.service.ledger import FIND_MARK
from cuemark.contexts.encoding.stages import detecting, pictures
from cuemark.contexts.encoding.stages.detecting import NoCopy
from cuemark.contexts.encoding.store.marks import SearchRow
from cuemark.contexts.encoding.tools.run import Hindered, Interrupted, ToolFailed
from cuemark.contexts.encoding.workflow.hand import Hand
from cuemark.contexts.encoding.workflow.tasks import Parts, Task
from cuemark.contracts.encoding.jobs import MasterRejected
from cuemark.contracts.encoding.marks import MarkEvidence
from cuemark.kit.cost import Meter
from cuemark.kit.errors import Unavailable
from cuemark.kit.tracing import trace

MOST_TRIES = 3


def search(parts: Parts, hand: Hand, search_id: str) -> None:
    """Look into a copy and keep what was found, or say in one sentence why nothing was."""
    ledger, loop = parts.ledger, parts.loop
    row = loop.insist(lambda: ledger.begin_search(search_id), patience_s=None)
    if row is None or row.state != "running":
        return
    if row.tries > MOST_TRIES:
        ended = f"workers ended {MOST_TRIES} times while they looked into the copy: see the log"
        loop.insist(lambda: ledger.end_search(search_id, None, ended), patience_s=None)
        return
    with trace(row.trace_id or None), hand.holding(_in_hand(row)):
        meter, evidence, error = Meter(), None, ""
        try:
            evidence = _patiently(parts, hand, row)
        except (MasterRejected, NoCopy) as why:
            error = str(why)
        except ToolFailed as why:
            error = f"the copy cannot be looked into: {why}"
        except (Hindered, Unavailable) as why:
            error = f"given up, as the machine does not allow it: {why}"
        except Interrupted:
            return
        except Exception:  # noqa: BLE001
            # The outer loop of a search: whatever it is, it must not stay open for ever.
            structlog.get_logger().exception("mark_search_failed", search_id=search_id)
            error = f"for a reason of our own: the log has it under the trace {row.trace_id}"
        loop.insist(lambda: ledger.end_search(search_id, evidence, error), patience_s=None)
        structlog.get_logger().info(
            "mark_search_ended",
            search_id=search_id,
            version_id=row.version_id,
            error=error,
            segments=0 if evidence is None else len(evidence.values),
            **meter.cost.fields(),
        )


def _in_hand(row: SearchRow) -> Task:
    return Task(
        kind=FIND_MARK,
        version_id=row.version_id,
        stage="verify",
        urgency=Urgency.FULL,
        sha256=row.copy_sha256,
        trace_id=row.trace_id,
        made_for=row.search_id,
    )


def _patiently(parts: Parts, hand: Hand, row: SearchRow) -> MarkEvidence:
    """Look as often as the hindrances allow; raises what is none, or the last one."""
    tried: Counter[Hindrance] = Counter()
    trouble: Hindered | Unavailable
    while True:
        try:
            with parts.shop.objects.holding():
                return _look(parts, row)
        except Hindered as why:
            met, trouble = why.hindrance, why
        except Unavailable as why:
            met, trouble = rules.AWAY, why
        tried[met] += 1
        if not rules.tries_again(met, tried[met]):
            raise trouble
        hand.pause(rules.pause_s(tried[met]))


def _look(parts: Parts, row: SearchRow) -> MarkEvidence:
    ledger, loop, shop = parts.ledger, parts.loop, parts.shop
    version = loop.insist(lambda: ledger.version(row.version_id), patience_s=None)
    key = loop.insist(lambda: ledger.mark_key(row.version_id), patience_s=None)
    for sha256 in (row.master_sha256, row.copy_sha256):
        pictures.inspect(shop, sha256)
    return detecting.detect(
        shop, row.copy_sha256, row.master_sha256, detecting.first_frames(version), key
    )
