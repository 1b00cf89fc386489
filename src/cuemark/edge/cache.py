"""The miss path as a table of fills: bytes and failures in, actions out, no socket and no file.

One fetch for each key, which is the BLAKE3 of the bytes that are wanted; whoever asks for a key
that is being filled joins it. A fill has sources in their order, the origin last. The fetch leads
until it breaks; then the next one resumes where it stopped: at the next source, and at the origin
after a pause. What arrives is kept only when its digest is the key. What a peer sent is never
joined with what another sends: nobody has seen it before it was whole, and if it was wrong it is
known who was. So leaving a peer, and wrong bytes of anyone, begin the file anew.

    QUEUED --slot free--> FETCHING --broken--> PAUSED --resumed--> FETCHING
                             |  `--all bytes, right digest--> KEEPING --kept--> (gone)
                             |-- broken, lacking or wrong, and there is a next source --> FETCHING
                             `--wrong bytes, refused, patience over at the last--> (gone, Fail)
"""

import enum
from collections import OrderedDict
from dataclasses import dataclass

from cuemark.edge.sources import ORIGIN, Kind, Source

FIRST_PAUSE_S = 0.1
LAST_PAUSE_S = 1.0
PATIENCE_FRESH = 3
PATIENCE_BEGUN = 9
MAX_ATTEMPTS = 32


class Phase(enum.Enum):
    QUEUED = "queued"
    FETCHING = "fetching"
    PAUSED = "paused"
    KEEPING = "keeping"


class Standing(enum.Enum):
    """What became of a request for a key."""

    LEADS = "leads"
    JOINS = "joins"
    REFUSED = "refused"


class Reason(enum.Enum):
    """Why a fill failed."""

    AWAY = "the origin does not answer"
    MISSING = "the origin does not have the file"
    CORRUPT = "the origin sent other bytes than the index names"
    LOCAL = "this appliance cannot write to its store"
    RENEWED = "the bytes so far were wrong, another source is asked for the file"


@dataclass(frozen=True)
class Fetch:
    """Get the bytes from ``offset`` on; tell of them under this ``attempt``."""

    key: str
    attempt: int
    offset: int
    source: Source = ORIGIN


@dataclass(frozen=True)
class Pause:
    """Call ``resumed`` after ``pause_s``."""

    key: str
    attempt: int
    pause_s: float


@dataclass(frozen=True)
class Wake:
    """There are more bytes to read."""

    key: str


@dataclass(frozen=True)
class Restart:
    """The bytes so far count for nothing: abort who has seen any, begin with an empty file."""

    key: str


@dataclass(frozen=True)
class Wrong:
    """This source sent other bytes than were asked for."""

    key: str
    source: Source


@dataclass(frozen=True)
class Keep:
    """The bytes are genuine: let readers have the last of them, store them, call ``kept``."""

    key: str


@dataclass(frozen=True)
class Fail:
    """The fill is over: abort the readers, drop the bytes."""

    key: str
    reason: Reason


Action = Fetch | Pause | Wake | Restart | Wrong | Keep | Fail


@dataclass
class Fill:
    """One key on its way. ``attempt`` names the fetch at work, no other of any key has its number.

    ``barren`` counts the attempts in a row that brought no byte; ``joined`` says that the bytes are
    of more than one source.
    """

    key: str
    size_bytes: int
    urgent: bool
    sources: tuple[Source, ...] = (ORIGIN,)
    phase: Phase = Phase.QUEUED
    attempt: int = 0
    attempts: int = 0
    received_bytes: int = 0
    barren: int = 0
    brought: bool = False
    joined: bool = False

    @property
    def source(self) -> Source:
        """Whom the fetch at work asks."""
        return self.sources[0]

    @property
    def patience(self) -> int:
        """Barren attempts to bear: more where readers would lose what they have read."""
        return PATIENCE_BEGUN if self.received_bytes else PATIENCE_FRESH


class FillTable:
    """All fills of an appliance: at most ``max_active`` at work, ``max_waiting`` in the queue.

    Events for a key or an attempt that is over are ignored, so late ones do no harm.
    """

    def __init__(self, max_active: int, max_waiting: int) -> None:
        self._max_active = max_active
        self._max_waiting = max_waiting
        self._last_attempt = 0
        self._fills: dict[str, Fill] = {}
        self._urgent: OrderedDict[str, None] = OrderedDict()
        self._gentle: OrderedDict[str, None] = OrderedDict()

    def get(self, key: str) -> Fill | None:
        return self._fills.get(key)

    def __len__(self) -> int:
        return len(self._fills)

    @property
    def active(self) -> int:
        """Fills that hold a slot."""
        return len(self._fills) - len(self._urgent) - len(self._gentle)

    @property
    def urgent(self) -> int:
        """Fills that a viewer waits for."""
        return sum(fill.urgent for fill in self._fills.values())

    def ask(
        self,
        key: str,
        size_bytes: int,
        *,
        urgent: bool,
        sources: tuple[Source, ...] = (ORIGIN,),
    ) -> tuple[Standing, list[Action]]:
        """A request for ``key``; ``urgent`` when a viewer waits for it. ``sources`` are whom to ask
        if it is the first, one at least."""
        fill = self._fills.get(key)
        if fill is not None:
            if urgent and not fill.urgent:
                self._make_urgent(fill)
            return Standing.JOINS, []
        waiting = len(self._urgent) + len(self._gentle)
        if self.active >= self._max_active and waiting >= self._max_waiting:
            return Standing.REFUSED, []
        self._fills[key] = Fill(key, size_bytes, urgent, sources)
        (self._urgent if urgent else self._gentle)[key] = None
        return Standing.LEADS, self._start_queued()

    def received(self, key: str, attempt: int, count: int) -> list[Action]:
        """``count`` more bytes came in."""
        fill = self._fetching(key, attempt)
        if fill is None:
            return []
        if fill.received_bytes + count > fill.size_bytes:
            return self._wrong(fill)
        fill.received_bytes += count
        fill.brought = fill.brought or count > 0
        return [Wake(key)]

    def ended(self, key: str, attempt: int, digest: str) -> list[Action]:
        """The fetch came to its end; ``digest`` is that of all bytes so far."""
        fill = self._fetching(key, attempt)
        if fill is None:
            return []
        if fill.received_bytes < fill.size_bytes:
            return self.broken(key, attempt)
        if digest != key:
            return self._wrong(fill)
        fill.phase = Phase.KEEPING
        return [Keep(key)]

    def broken(self, key: str, attempt: int) -> list[Action]:
        """The fetch failed on the way: the next one resumes it, while there is patience."""
        fill = self._fetching(key, attempt)
        if fill is None:
            return []
        if len(fill.sources) > 1:
            return self._ask_next(fill, anew=fill.source.kind is Kind.PEER)
        fill.barren = 0 if fill.brought else fill.barren + 1
        if fill.barren >= fill.patience or fill.attempts >= MAX_ATTEMPTS:
            return self._fail(fill, Reason.AWAY)
        fill.phase = Phase.PAUSED
        pause_s = min(LAST_PAUSE_S, FIRST_PAUSE_S * 2**fill.barren)
        return [Pause(key, attempt, pause_s)]

    def resumed(self, key: str, attempt: int) -> list[Action]:
        """The pause after ``attempt`` is over."""
        fill = self._fills.get(key)
        if fill is None or fill.phase is not Phase.PAUSED or fill.attempt != attempt:
            return []
        return [self._fetch(fill)]

    def lacking(self, key: str, attempt: int, reason: Reason) -> list[Action]:
        """The source will not give the file: the next is asked; ``reason`` is for the last."""
        fill = self._fetching(key, attempt)
        if fill is None:
            return []
        if len(fill.sources) > 1:
            return self._ask_next(fill, anew=fill.source.kind is Kind.PEER)
        return self._fail(fill, reason)

    def failed(self, key: str, attempt: int, reason: Reason) -> list[Action]:
        """The fetch failed in a way that neither trying again nor another source mends."""
        fill = self._fetching(key, attempt)
        return [] if fill is None else self._fail(fill, reason)

    def kept(self, key: str) -> list[Action]:
        """The bytes are in the store, or could not be put there: either way the fill is over."""
        fill = self._fills.get(key)
        if fill is None or fill.phase is not Phase.KEEPING:
            return []
        del self._fills[key]
        return self._start_queued()

    def _fetching(self, key: str, attempt: int) -> Fill | None:
        fill = self._fills.get(key)
        current = fill is not None and fill.phase is Phase.FETCHING and fill.attempt == attempt
        return fill if current else None

    def _make_urgent(self, fill: Fill) -> None:
        fill.urgent = True
        if fill.key in self._gentle:
            del self._gentle[fill.key]
            self._urgent[fill.key] = None

    def _wrong(self, fill: Fill) -> list[Action]:
        if len(fill.sources) > 1:
            blame = [] if fill.joined else [Wrong(fill.key, fill.source)]
            return [*blame, *self._ask_next(fill, anew=True)]
        if fill.joined:
            return self._begin_anew(fill)
        return self._fail(fill, Reason.CORRUPT)

    def _ask_next(self, fill: Fill, *, anew: bool) -> list[Action]:
        fill.sources = fill.sources[1:]
        fill.barren = 0
        if anew:
            return self._begin_anew(fill)
        fill.joined = fill.joined or fill.received_bytes > 0
        return [self._fetch(fill)]

    def _begin_anew(self, fill: Fill) -> list[Action]:
        fill.joined = False
        if not fill.received_bytes:
            return [self._fetch(fill)]
        fill.received_bytes = 0
        return [Restart(fill.key), self._fetch(fill)]

    def _fetch(self, fill: Fill) -> Fetch:
        fill.phase = Phase.FETCHING
        self._last_attempt += 1
        fill.attempt = self._last_attempt
        fill.attempts += 1
        fill.brought = False
        return Fetch(fill.key, fill.attempt, fill.received_bytes, fill.source)

    def _fail(self, fill: Fill, reason: Reason) -> list[Action]:
        del self._fills[fill.key]
        return [Fail(fill.key, reason), *self._start_queued()]

    def _start_queued(self) -> list[Action]:
        started: list[Action] = []
        while self.active < self._max_active and (queue := self._urgent or self._gentle):
            key, _ = queue.popitem(last=False)
            started.append(self._fetch(self._fills[key]))
        return started
