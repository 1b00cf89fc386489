"""What the wiring of a context hands to the composition root."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from cuemark.kit.outbox import Follower

T = TypeVar("T")


@dataclass(frozen=True)
class Room(Generic[T]):
    """A context, built: its contract, the service behind it, the readers it wants run, what else
    is to run for ever beside them, and what lets go of what it holds."""

    contract: type[T]
    service: T
    followers: Sequence[Follower] = field(default_factory=tuple)
    keepers: Sequence[Callable[[], Coroutine[Any, Any, None]]] = field(default_factory=tuple)
    closers: Sequence[Callable[[], Awaitable[None]]] = field(default_factory=tuple)
