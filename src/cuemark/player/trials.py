"""Whether another appliance is really faster to this device than the one in use. Pure.

A narrow line is as narrow from everywhere, and it swings: what one appliance delivered a minute ago
says nothing beside what another one delivers now. So two take turns, segment by segment. The rival
has the play only where it was clearly faster in two turns, than what came from the one in use right
before each and between them. Who loses a turn is left alone for a pause that doubles each time.

Players at large do less: Netflix's and Hulu's stay where they were sent while their rates fall
(Adhikari et al.: "Measurement Study of Netflix, Hulu, and a Tale of Three CDNs", IEEE/ACM
Transactions on Networking 23(6), 2015), and Shaka Player, dash.js and hls.js leave a pathway when
it fails or when the service says so.
"""

from collections.abc import Sequence

import msgspec

CLEARLY = 1.5
NOTICED_S = 0.1
WINS = 2
SHORTEST_PAUSE_S = 5.0
USUAL_PAUSE_S = 20.0
AWAY_PAUSE_S = 60.0
STARVED_PAUSE_S = 60.0
"""The longest while the line does not carry even the lowest rung."""

LONGEST_PAUSE_S = 640.0


class Need(msgspec.Struct, frozen=True):
    """What a play asks of its line: ``least_kbps`` to go on, ``most_kbps`` for its best rung."""

    least_kbps: float
    most_kbps: float


class Pace(msgspec.Struct, frozen=True):
    """How one file came: when it began after it was asked for, and how fast it came then."""

    latency_s: float
    s_per_byte: float

    @property
    def kbps(self) -> float:
        return 1 / max(125 * self.s_per_byte, 1e-9)

    def clearly_slower(self, other: "Pace", usual_bytes: float) -> bool:
        """Whether a usual file takes half as long again as by ``other``, and noticeably longer."""
        this_s, that_s = (each.latency_s + each.s_per_byte * usual_bytes for each in (self, other))
        return this_s > CLEARLY * that_s + NOTICED_S


class _Trial(msgspec.Struct):
    """``won`` is what the rival did in its last turn."""

    rival: str
    wins: int = 0
    won: Pace | None = None

    @property
    def its_turn(self) -> bool:
        return self.won is None


class Trials:
    """Who is to be asked first, of appliances in good standing that are named in their order.

    ``home`` is the first of them, and ``faster`` the one that a trial has found to be faster, empty
    where there is none. The play goes home when home has a turn in which it is no longer clearly
    slower, and when the one that was faster is not in good standing.
    """

    def __init__(self) -> None:
        self.home = ""
        self.faster = ""
        self._trial: _Trial | None = None
        self._trials = 0
        self._latest: Pace | None = None
        self._beaten: tuple[str, int] = ("", 0)
        self._pause_s = SHORTEST_PAUSE_S
        self._rested_at_s: float | None = None

    def first(self, standing: Sequence[str], now_s: float, need: Need | None) -> str:
        """The one to ask now. A file that is asked for without a ``need`` takes no turn."""
        holder = self._holder(standing)
        if need is None or self._latest is None:
            return holder
        if self._trial is not None and self._trial.rival not in standing:
            self._lost(now_s)
        if self._trial is None and len(standing) > 1 and self._due(self._latest, now_s, need):
            others = [name for name in standing if name != holder]
            rival = self.home if self.faster else others[self._trials % len(others)]
            self._trial = _Trial(rival)
            self._trials += 1
        trial = self._trial
        return trial.rival if trial is not None and trial.its_turn else holder

    def took(self, name: str, pace: Pace, usual_bytes: float, now_s: float) -> None:
        """A file came from ``name`` at this pace."""
        if self._rested_at_s is None:
            self._rested_at_s = now_s
        trial = self._trial
        if name == (self.faster or self.home):
            self._beaten = ("", 0)
            self._latest = pace
            if trial is None or trial.won is None:
                return
            if pace.clearly_slower(trial.won, usual_bytes):
                trial.won = None
            else:
                self._lost(now_s)
        elif trial is not None and trial.its_turn and name == trial.rival:
            self._judge(trial, pace, usual_bytes, now_s)

    def beaten(self, name: str, by: str, now_s: float) -> None:
        """``name`` had not begun when ``by``, which was asked for the same file later, did."""
        if self._trial is not None and self._trial.its_turn and name == self._trial.rival:
            self._lost(now_s)
        elif name == (self.faster or self.home):
            times = self._beaten[1] + 1 if self._beaten[0] == by else 1
            self._beaten = (by, times)
            if times >= WINS:
                self._move(by, None, now_s)

    def _holder(self, standing: Sequence[str]) -> str:
        if standing[0] != self.home:
            self.home, self.faster = standing[0], ""
            self._forget()
        elif self.faster and self.faster not in standing:
            self.faster = ""
            self._forget()
        return self.faster or self.home

    def _forget(self) -> None:
        self._trial, self._latest, self._beaten = None, None, ("", 0)

    def _due(self, latest: Pace, now_s: float, need: Need) -> bool:
        """Whether there is anything to win, and the last trial was long enough ago."""
        rested_s = now_s - (self._rested_at_s or 0.0)
        if self.faster:
            return rested_s >= self._pause_s
        if latest.kbps >= need.most_kbps:
            return False
        if latest.kbps < need.least_kbps:
            return rested_s >= min(self._pause_s, STARVED_PAUSE_S)
        return rested_s >= max(self._pause_s, USUAL_PAUSE_S)

    def _judge(self, trial: _Trial, pace: Pace, usual_bytes: float, now_s: float) -> None:
        """The rival's turn is over."""
        assert self._latest is not None
        if self.faster:
            if pace.clearly_slower(self._latest, usual_bytes):
                self._lost(now_s)
            else:
                self._move(self.home, pace, now_s)
        elif not self._latest.clearly_slower(pace, usual_bytes):
            self._lost(now_s)
        elif trial.wins + 1 >= WINS:
            self._move(trial.rival, pace, now_s)
        else:
            trial.wins += 1
            trial.won = pace

    def _lost(self, now_s: float) -> None:
        self._trial = None
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        self._rested_at_s = now_s

    def _move(self, to: str, pace: Pace | None, now_s: float) -> None:
        self.faster = "" if to == self.home else to
        self._forget()
        self._latest = pace
        self._pause_s = max(self._pause_s, AWAY_PAUSE_S)
        self._rested_at_s = now_s
