"""The turns of a title's tasks: each task's number in the queue, as it is put there."""

import time

import msgspec

from cuemark.contexts.encoding.model import fairness
from cuemark.contexts.encoding.model.fairness import Band
from cuemark.contexts.encoding.service.ledger import Ledger
from cuemark.contexts.encoding.store.queue import Standing
from cuemark.contexts.encoding.workflow.tasks import Task
from cuemark.contracts.ids import VersionId
from cuemark.kit.event_loop import EventLoopThread

STALE_S = 0.25


class Turns:
    """Gives a title's tasks their turns. Made anew whenever its walk is begun or taken up.

    A walk that is taken up puts its first tasks on the queue once more, which changes nothing:
    they are counted off and not charged again.
    """

    def __init__(self, ledger: Ledger, loop: EventLoopThread, version_id: VersionId) -> None:
        self._ledger = ledger
        self._loop = loop
        self._version_id = version_id
        self._read_s = 0.0
        self._standing = self._read()
        queued = loop.insist(lambda: ledger.queued(version_id), patience_s=None)
        self._replayed = queued.tasks
        self._overrun_s = self._standing.overrun_s
        self._finish = {
            place: self._band(place).base + number % fairness.TAGS
            for place, number in queued.last.items()
        }

    def next(self, task: Task) -> Task:
        """The task with its turn."""
        if self._replayed:
            self._replayed -= 1
            return task
        self._renew()
        place = fairness.band_of(self._standing.priority, task.urgency)
        estimate_s = _estimate_s(task)
        finish = self._finish.get(place, 0)
        turn = fairness.charged(place, self._band(place), finish, estimate_s)
        self._finish[place] = turn.finish
        return msgspec.structs.replace(
            task, number=turn.number, place=place, start=turn.start, estimate_s=estimate_s
        )

    def _band(self, place: int) -> Band:
        return self._standing.bands.get(place, Band())

    def _renew(self) -> None:
        """Look how the title stands, where that was a while ago."""
        if time.monotonic() - self._read_s < STALE_S:
            return
        before = self._standing
        self._standing = self._read()
        if self._standing.priority != before.priority:
            self._finish = self._moved(before)
        overrun = fairness.ticks(self._standing.overrun_s - self._overrun_s)
        self._overrun_s += overrun / fairness.TICKS_A_SECOND
        self._finish = {place: finish + overrun for place, finish in self._finish.items()}

    def _moved(self, before: Standing) -> dict[int, int]:
        found = {}
        for urgency in fairness.Urgency:
            old = fairness.band_of(before.priority, urgency)
            new = fairness.band_of(self._standing.priority, urgency)
            if old in self._finish:
                found[new] = fairness.moved(self._finish[old], self._band(old), self._band(new))
        return found

    def _read(self) -> Standing:
        found = self._loop.insist(lambda: self._ledger.standing(self._version_id), patience_s=None)
        self._read_s = time.monotonic()
        return found


def _estimate_s(task: Task) -> float:
    """What a task may take, from the frames and the size of its pictures."""
    if task.chunk is not None and task.recipe is not None:
        samples = task.recipe.width * task.recipe.height
        return fairness.estimate_s(task.chunk.frames, samples)
    return fairness.estimate_s(0, 0)
