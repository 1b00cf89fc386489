"""Who leaves when there is no room: S3-FIFO (Yang et al., "FIFO queues are all you need for cache
eviction", SOSP 2023), by bytes.

What comes in waits in a small queue, a tenth of the bytes. What was used more than once while it
waited goes on to the main queue, the rest leaves and its name is remembered for a while: what comes
back in that time goes to the main queue at once. In the main queue each use, three at most, spares
one turn. So what is asked for once only never displaces what is asked for again.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MOST_USES = 3
SMALL_SHARE = 10
LEAST_GHOSTS = 1024
_USES_BITS = 2
_USES_MASK = (1 << _USES_BITS) - 1


@dataclass(frozen=True)
class Place:
    """Where a key stands: in which queue, and how often it was used lately."""

    size_bytes: int
    main: bool
    uses: int


@dataclass
class Changes:
    """What became of the keys since it was last asked: ``moved`` to the end of a queue, in that
    order, ``used`` where they stand, and ``gone``."""

    moved: dict[bytes, None]
    used: set[bytes]
    gone: set[bytes]

    def __len__(self) -> int:
        return len(self.moved) + len(self.used) + len(self.gone)


class Turnover:
    """The keys that are held, with their sizes, in the order in which they are to leave."""

    def __init__(self) -> None:
        self.held_bytes = 0
        self._small: OrderedDict[bytes, int] = OrderedDict()
        self._main: OrderedDict[bytes, int] = OrderedDict()
        self._small_bytes = 0
        self._ghosts: OrderedDict[int, None] = OrderedDict()
        self._changes = Changes({}, set(), set())

    def __contains__(self, key: bytes) -> bool:
        return key in self._small or key in self._main

    def __len__(self) -> int:
        return len(self._small) + len(self._main)

    def __iter__(self) -> Iterator[bytes]:
        yield from self._small
        yield from self._main

    def place(self, key: bytes) -> Place | None:
        """Where a key stands; None for one that is not held."""
        main = key in self._main
        value = (self._main if main else self._small).get(key)
        return None if value is None else Place(value >> _USES_BITS, main, value & _USES_MASK)

    def restore(self, rows: Iterable[tuple[bytes, int, int, int]]) -> None:
        """Take up where another stopped: key, size, main or not, uses; in the order of moves."""
        for key, size_bytes, main, uses in rows:
            (self._main if main else self._small)[key] = size_bytes << _USES_BITS | uses
            self.held_bytes += size_bytes
            self._small_bytes += 0 if main else size_bytes

    def add(self, key: bytes, size_bytes: int) -> None:
        """Hold one more; one that is held already stays as it is."""
        if key in self:
            return
        ghost = _ghost(key)
        main = ghost in self._ghosts
        self._ghosts.pop(ghost, None)
        (self._main if main else self._small)[key] = size_bytes << _USES_BITS
        self.held_bytes += size_bytes
        self._small_bytes += 0 if main else size_bytes
        self._note_move(key)

    def use(self, key: bytes, times: int = 1) -> None:
        """A held key was asked for; one that is not held is nobody's."""
        queue = self._main if key in self._main else self._small
        value = queue.get(key)
        if value is None or value & _USES_MASK == MOST_USES:
            return
        queue[key] = min(value + times, value | MOST_USES)
        self._changes.used.add(key)

    def forget(self, key: bytes) -> None:
        """Hold it no more, for a reason other than room."""
        value = self._small.pop(key, None)
        if value is not None:
            self._small_bytes -= value >> _USES_BITS
        else:
            value = self._main.pop(key, None)
        if value is not None:
            self.held_bytes -= value >> _USES_BITS
            self._note_gone(key)

    def evict(self) -> bytes | None:
        """Hold the coldest no more, and say which it was; None where nothing is held."""
        while len(self):
            of_small = self._small_bytes * SMALL_SHARE > self.held_bytes
            if self._small and (not self._main or (of_small and len(self._small) > 1)):
                key, value = self._small.popitem(last=False)
                self._small_bytes -= value >> _USES_BITS
                if value & _USES_MASK <= 1:
                    self._remember(key)
                    return self._leave(key, value)
                self._main[key] = value & ~_USES_MASK
            else:
                key, value = self._main.popitem(last=False)
                if not value & _USES_MASK:
                    return self._leave(key, value)
                self._main[key] = value - 1
            self._note_move(key)
        return None

    def take_changes(self) -> Changes:
        """What has changed since the last call."""
        changes, self._changes = self._changes, Changes({}, set(), set())
        return changes

    def put_back(self, changes: Changes) -> None:
        """Changes that could not be written down: they come again with the next ones."""
        later, self._changes = self._changes, changes
        for key in later.gone:
            self._note_gone(key)
        for key in later.moved:
            self._note_move(key)
        self._changes.used |= later.used

    def _leave(self, key: bytes, value: int) -> bytes:
        self.held_bytes -= value >> _USES_BITS
        self._note_gone(key)
        return key

    def _remember(self, key: bytes) -> None:
        self._ghosts[_ghost(key)] = None
        while len(self._ghosts) > max(LEAST_GHOSTS, len(self)):
            self._ghosts.popitem(last=False)

    def _note_move(self, key: bytes) -> None:
        self._changes.gone.discard(key)
        self._changes.moved.pop(key, None)
        self._changes.moved[key] = None

    def _note_gone(self, key: bytes) -> None:
        self._changes.moved.pop(key, None)
        self._changes.used.discard(key)
        self._changes.gone.add(key)


def _ghost(key: bytes) -> int:
    """What is remembered of one that left: eight bytes. To mistake one for another costs a turn."""
    return int.from_bytes(key[:8], "little")
