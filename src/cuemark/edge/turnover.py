"""Who leaves when there is no room: S3-FIFO (Yang et al., "FIFO queues are all you need for cache
eviction", SOSP 2023), by bytes.

What comes in waits in a small queue, a tenth of the bytes. What was used more than once while it
waited goes on to the main queue, the rest leaves and its name is remembered for a while: what comes
back in that time goes to the main queue at once. In the main queue each use, three at most, spares
one turn. So what is asked for once only never displaces what is asked for again.

What a plan wants kept stands in neither queue: it leaves when both are empty (``kept.py``).
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cuemark.edge.kept import Kept
from cuemark.edge.tracks import Track

MOST_USES = 3
SMALL_SHARE = 10
LEAST_GHOSTS = 1024
MOST_TURNS = 1000
"""Of one eviction: who is at the head then leaves, used or not, so that none takes long."""
_SPARSE = 8
_USES_BITS = 2
_USES_MASK = (1 << _USES_BITS) - 1


@dataclass(frozen=True)
class Place:
    """Where a key stands, in a queue or ``kept``, and how often it was used lately."""

    size_bytes: int
    main: bool
    uses: int
    kept: bool = False


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
        self._kept = Kept()
        self._small_bytes = 0
        self._main_bytes = 0
        self._once_queued = 0
        self._ghosts: OrderedDict[int, None] = OrderedDict()
        self._changes = Changes({}, set(), set())

    def __contains__(self, key: bytes) -> bool:
        return key in self._small or key in self._main or key in self._kept

    def __len__(self) -> int:
        return len(self._small) + len(self._main) + len(self._kept)

    def __iter__(self) -> Iterator[bytes]:
        yield from self._small
        yield from self._main
        yield from self._kept

    @property
    def unwritten(self) -> int:
        """How much has changed since it was last asked."""
        return len(self._changes)

    def place(self, key: bytes) -> Place | None:
        """Where a key stands; None for one that is not held."""
        if (value := self._kept.get(key)) is not None:
            return Place(value >> _USES_BITS, True, value & _USES_MASK, kept=True)
        main = key in self._main
        value = (self._main if main else self._small).get(key)
        return None if value is None else Place(value >> _USES_BITS, main, value & _USES_MASK)

    def restore(self, rows: Iterable[tuple[bytes, int, int, int]]) -> None:
        """Take up where another stopped: key, size, queue (0 small, 1 main, 2 kept), uses; in the
        order of moves. What was kept is, until a plan says otherwise."""
        small_bytes = main_bytes = kept_bytes = 0
        for key, size_bytes, queue, uses in rows:
            value = size_bytes << _USES_BITS | uses
            if queue > 1:
                self._kept.restore(key, value)
                kept_bytes += size_bytes
            elif queue:
                self._main[key] = value
                main_bytes += size_bytes
            else:
                self._small[key] = value
                small_bytes += size_bytes
        self._small_bytes += small_bytes
        self._main_bytes += main_bytes
        self.held_bytes += small_bytes + main_bytes + kept_bytes

    def add(self, key: bytes, size_bytes: int, track: Track | None = None) -> None:
        """Hold one more, of a track where that is known; one that is held already stays as it
        is, unless its track is to be kept."""
        if key not in self:
            ghost = _ghost(key)
            main = ghost in self._ghosts
            self._ghosts.pop(ghost, None)
            self._queue(key, size_bytes << _USES_BITS, main=main)
            self.held_bytes += size_bytes
            self._note_move(key)
        if track is not None:
            self.keep(track, key)

    def use(self, key: bytes, times: int = 1) -> None:
        """A held key was asked for; one that is not held is nobody's."""
        queue = self._main if key in self._main else self._small
        value = self._kept.get(key) if key in self._kept else queue.get(key)
        if value is None or value & _USES_MASK == MOST_USES:
            return
        value = min(value + times, value | MOST_USES)
        if key in self._kept:
            self._kept.set(key, value)
        else:
            queue[key] = value
        self._changes.used.add(key)

    def forget(self, key: bytes) -> None:
        """Hold it no more, for a reason other than room."""
        value = self._taken(key)
        value = self._kept.forget(key) if value is None else value
        if value is not None:
            self._leave(key, value)

    def name_kept(self, worths: Mapping[Track, float]) -> None:
        """Only these tracks are kept from now on, each worth so much; what is held of them is to
        be told by ``keep``, and what is not kept any more to be let go by ``release``."""
        self._kept.name(worths)

    def keep(self, track: Track, key: bytes) -> int | None:
        """Keep a held key of a track, as the last of it, if it is one that is kept; the size of
        the key, None where it is not held."""
        value = self._kept.get(key)
        if value is None:
            queue = self._main if key in self._main else self._small
            value = queue.get(key)
        if value is None:
            return None
        if self._kept.is_named(track):
            if self._taken(key) is not None:
                self._note_move(key)
            self._kept.put(track, key, value)
        return value >> _USES_BITS

    def let_go(self) -> None:
        """All that is kept has been told: what stands there from the last run is not. Queues that
        few are left in give back the memory of the many."""
        self._kept.let_go()
        in_queues = len(self._small) + len(self._main)
        if in_queues * _SPARSE < self._once_queued:
            self._small, self._main = OrderedDict(self._small), OrderedDict(self._main)
            self._once_queued = in_queues

    def release(self, count: int) -> int:
        """Let up to ``count`` keys that are not kept any more stand in the main queue; how many
        it were."""
        released = self._kept.release(count)
        for key, value in released:
            self._queue(key, value, main=True)
            self._note_move(key)
        return len(released)

    def evict(self, below: float | None = None) -> bytes | None:
        """Hold the coldest no more, and say which it was; None where nothing may leave.

        What is kept is the last, and leaves only if it is worth less than ``below``, if given.
        """
        for turn in range(MOST_TURNS + 1):
            if not self._small and not self._main:
                break
            spared = turn < MOST_TURNS
            of_small = self._small_bytes * SMALL_SHARE > self._small_bytes + self._main_bytes
            if self._small and (not self._main or (of_small and len(self._small) > 1)):
                key, value = self._small.popitem(last=False)
                self._small_bytes -= value >> _USES_BITS
                if value & _USES_MASK <= 1 or not spared:
                    self._remember(key)
                    return self._leave(key, value)
                self._queue(key, value & ~_USES_MASK, main=True)
            else:
                key, value = self._main.popitem(last=False)
                self._main_bytes -= value >> _USES_BITS
                if not value & _USES_MASK or not spared:
                    return self._leave(key, value)
                self._queue(key, value - 1, main=True)
            self._note_move(key)
        last = self._kept.evict(below)
        return None if last is None else self._leave(*last)

    def _queue(self, key: bytes, value: int, *, main: bool) -> None:
        (self._main if main else self._small)[key] = value
        self._once_queued = max(self._once_queued, len(self._small) + len(self._main))
        if main:
            self._main_bytes += value >> _USES_BITS
        else:
            self._small_bytes += value >> _USES_BITS

    def _taken(self, key: bytes) -> int | None:
        """The value of a key, which is taken out of its queue; None where it is in none."""
        if (value := self._small.pop(key, None)) is not None:
            self._small_bytes -= value >> _USES_BITS
        elif (value := self._main.pop(key, None)) is not None:
            self._main_bytes -= value >> _USES_BITS
        return value

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
