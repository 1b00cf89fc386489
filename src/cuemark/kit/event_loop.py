"""An event loop on a thread of its own, for threads that must wait for asynchronous calls."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import structlog

from cuemark.kit.errors import Unavailable

T = TypeVar("T")

_PAUSE_S = 0.5
PATIENCE_S = 120.0


class EventLoopThread:
    """Runs coroutines for other threads. It ends with the process."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True, name="event-loop").start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run ``work`` to its end and return its result, or raise what it raised."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def insist(
        self, work: Callable[[], Coroutine[Any, Any, T]], patience_s: float | None = PATIENCE_S
    ) -> T:
        """Run ``work`` again while what it needs is away; None is for as long as it takes."""
        began_s = time.monotonic()
        while True:
            try:
                return self.run(work())
            except Unavailable as error:
                if patience_s is not None and time.monotonic() > began_s + patience_s:
                    raise
                structlog.get_logger().warning("waits", why=str(error))
                time.sleep(_PAUSE_S)
