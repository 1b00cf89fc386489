"""The time of the sandbox, by which billing lives while it is tried: the machine's, set ahead."""

from datetime import datetime, timedelta
from typing import Protocol

from cuemark.kit.clock import Clock
from cuemark.kit.errors import Unavailable


class AheadOf(Protocol):
    async def ahead_s(self, advance_s: int = 0) -> int | None: ...


class SandboxTime(Clock):
    """How far the sandbox is ahead is asked at each round of work, and remembered in between."""

    def __init__(self, machine: Clock, sandbox: AheadOf) -> None:
        self._machine = machine
        self._sandbox = sandbox
        self._ahead = timedelta()

    def now(self) -> datetime:
        return self._machine.now() + self._ahead

    def monotonic_s(self) -> float:
        return self._machine.monotonic_s()

    async def refresh(self) -> None:
        """One that does not answer leaves the time as it was."""
        ahead_s = await self._sandbox.ahead_s()
        if ahead_s is not None:
            self._ahead = timedelta(seconds=ahead_s)

    async def advance(self, seconds: int) -> None:
        ahead_s = await self._sandbox.ahead_s(seconds)
        if ahead_s is None:
            raise Unavailable("the sandbox does not answer")
        self._ahead = timedelta(seconds=ahead_s)
