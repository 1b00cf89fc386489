"""Tasks that take turns as a seed says, and that can be struck dead between any two turns."""

import random
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any

from cuemark.kit.errors import ContractError


@types.coroutine
def pause() -> Generator[None, None, None]:
    """Let the others go on; whoever is struck dead is so at one of these."""
    yield


class Turns:
    """``after`` is called after each turn. A task may end in a refusal."""

    def __init__(self, rng: random.Random, after: Callable[[], None]) -> None:
        self._rng = rng
        self._after = after
        self._tasks: list[Coroutine[Any, Any, Any]] = []

    def begin(self, task: Coroutine[Any, Any, Any]) -> None:
        self._tasks.append(task)

    def take(self, most: int) -> None:
        """Up to so many turns, each of a task that chance chooses."""
        for _ in range(most):
            if not self._tasks:
                return
            self._turn(self._rng.choice(self._tasks))

    def finish(self) -> None:
        """Turns until all tasks have ended."""
        for _ in range(100_000):
            if not self._tasks:
                return
            self._turn(self._rng.choice(self._tasks))
        raise AssertionError("the tasks wait for one another for ever")

    def strike(self) -> None:
        """The process dies: every task, wherever it is."""
        for task in self._tasks:
            task.close()
        self._tasks.clear()

    def _turn(self, task: Coroutine[Any, Any, Any]) -> None:
        try:
            task.send(None)
        except StopIteration:
            self._tasks.remove(task)
        except ContractError:
            self._tasks.remove(task)
        self._after()
