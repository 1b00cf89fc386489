"""What a worker has in hand: one task, and whether it is still wanted."""

import contextlib
import threading
import time
from collections.abc import Iterator

from cuemark.contexts.encoding.tools.run import Interrupted, interruption
from cuemark.contexts.encoding.workflow.tasks import Task
from cuemark.contracts.encoding.farm import InHand
from cuemark.contracts.ids import VersionId


class Hand:
    """A worker's one task. Another thread may look at it, and say that nobody wants it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._unwanted = threading.Event()
        self._task: Task | None = None
        self._since_s = 0.0

    @contextlib.contextmanager
    def holding(self, task: Task) -> Iterator[None]:
        """For as long as the block runs this is the task in hand, and its tools can be ended."""
        with self._lock:
            self._task, self._since_s = task, time.monotonic()
            self._unwanted.clear()
        token = interruption.set(self.check)
        try:
            yield
        finally:
            interruption.reset(token)
            with self._lock:
                self._task = None

    def now(self) -> InHand | None:
        """What is in hand, and for how many seconds."""
        with self._lock:
            if self._task is None:
                return None
            return InHand(
                version_id=self._task.version_id,
                kind=self._task.kind,
                stage=self._task.stage,
                made_for=self._task.made_for,
                since_s=round(time.monotonic() - self._since_s, 3),
            )

    def drop(self, version_id: VersionId) -> None:
        """Say that what is in hand is not wanted any more, where it is of this job."""
        with self._lock:
            if self._task is not None and self._task.version_id == version_id:
                self._unwanted.set()

    def check(self) -> None:
        """Raises ``Interrupted`` where what is in hand is not wanted any more."""
        if self._unwanted.is_set():
            raise Interrupted("its job is over")

    def pause(self, seconds: float) -> None:
        """Wait, with the task in hand; raises as ``check`` does."""
        self._unwanted.wait(seconds)
        self.check()
