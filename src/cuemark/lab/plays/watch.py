"""What must hold of plays at every step.

It is told from the rows of sessions, from the windows as they were set, from what the ledger of
billing opens and from what was answered to whom: by nothing of what decides.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from typing import Protocol

import msgspec
import psycopg

from cuemark.contexts.billing.model.ledger import Access
from cuemark.contracts.billing.plans import Allowance
from cuemark.contracts.ids import AccountId, LoginId, PlaySessionId, TitleId
from cuemark.contracts.rights import LicenceType, Window
from cuemark.lab.plays.house import PLAN

LEASE = timedelta(minutes=2)
GRACE = timedelta(minutes=15)
LAST_KNOWN_LASTS = timedelta(hours=6)
START_TAKES = timedelta(minutes=5)
TICK = timedelta(microseconds=1)

Windows = Sequence[Window] | None
"""None for a title of which nothing was ever set: it plays everywhere."""


class Violated(AssertionError):
    """An invariant does not hold; the text says which, and of what."""


class Oracle(Protocol):
    """Decides what windows allow, slowly, by the words of the contract."""

    def allowed(
        self, windows: Sequence[Window], territory: str, plan: Sequence[str], at: datetime
    ) -> bool: ...

    def moments(self, windows: Sequence[Window], territory: str) -> list[datetime]: ...


@dataclass(frozen=True)
class Moment:
    """How the world was at a time: ``clocks`` are those of the processes, ``now`` that of none."""

    now: datetime
    clocks: tuple[datetime, ...]
    windows: Mapping[TitleId, Windows]
    accesses: Mapping[AccountId, Access | None]
    failing: frozenset[tuple[int, str]]


@dataclass(frozen=True)
class Row:
    """A session as it stands in the database."""

    session_id: PlaySessionId
    account_id: AccountId
    title_id: TitleId
    territory: str
    device_id: str
    login_id: str
    expires_at: datetime
    ended: bool
    call: str
    licence_types: list[LicenceType]


@dataclass
class Call:
    """A question of a device's, from ``begun`` on, which counts moments."""

    name: str
    process: int
    account_id: AccountId
    begun: int
    looked: int
    device_id: str = ""
    instead_of: PlaySessionId | None = None
    allowances: Sequence[Allowance] = ()


_LOOK = """
select session_id, account_id, title_id, territory, device_id, login_id, expires_at,
  ended_at is not null, trace_id, licence_types, null
from playback.session
union all
select null, null, t.title_id, null, null, null, null, null, null, null, s.windows
from rights.title t
left join rights.title_set s on (s.title_id, s.number) = (t.title_id, t.number)
"""


class Watch:
    """Looks at what was committed after each turn that wrote, and at each answer."""

    def __init__(
        self, monitor: psycopg.Connection, oracle: Oracle, now: Callable[[], Moment]
    ) -> None:
        self._monitor = monitor
        self._oracle = oracle
        self._now = now
        self._sets: dict[TitleId, str | None] = {}
        self.windows: dict[TitleId, Windows] = {}
        self.history: list[Moment] = []
        self.rows: dict[PlaySessionId, Row] = {}
        self.calls: dict[str, Call] = {}
        self.ended: dict[PlaySessionId, int] = {}
        self.heard: dict[PlaySessionId, datetime] = {}
        self.seen: dict[PlaySessionId, datetime] = {}
        self.logins_ended: dict[str, datetime] = {}
        self._said: dict[AccountId, list[range]] = {}
        self.looks = 0
        self.calm = True
        """Clocks agree, and always have."""

    def note(self) -> None:
        """The world is another one from now on."""
        self.history.append(self._now())

    @contextmanager
    def billing_is_asked(self, account_id: AccountId) -> Iterator[None]:
        """Around a question; its answer can be what held at any of the moments meanwhile."""
        first = len(self.history) - 1
        yield
        self._said.setdefault(account_id, []).append(range(first, len(self.history)))

    def look(self) -> None:
        """Raises ``Violated``."""
        self.looks += 1
        found = self._monitor.execute(_LOOK.encode()).fetchall()
        windows = {TitleId(each[2]): each[10] for each in found if each[0] is None}
        if windows != self._sets:
            self._sets = windows
            self.windows = {title_id: _read(each) for title_id, each in windows.items()}
            self.note()
        rows = [Row(*each[:10]) for each in found if each[0] is not None]
        began = [row for row in rows if row.session_id not in self.rows]
        for row in rows:
            if row.ended:
                self.ended.setdefault(row.session_id, self.looks)
        self.rows |= {row.session_id: row for row in rows}
        for row in began:
            self._began(row, self.calls[row.call])
        self._as_many_as_allowed()

    def _began(self, row: Row, call: Call) -> None:
        """With a right and a plan, and what it is instead of has ended."""
        during = self.history[call.begun :]
        self.heard[row.session_id] = self.seen[row.session_id] = during[-1].now
        call.allowances = self._allowances(call)
        types = [[*each.licence_types] for each in call.allowances]
        _hold(row.licence_types in types, f"{row.session_id} began without a plan")
        right = any(self._may_begin(row, each, call.process) for each in during)
        _hold(right, f"{row.session_id} began without a right, or for longer than it lasts")
        other = self.rows.get(call.instead_of) if call.instead_of else None
        if other is not None and other.account_id == row.account_id:
            _hold(other.ended, f"{row.session_id} began and {other.session_id} goes on")

    def _may_begin(self, row: Row, moment: Moment, process: int) -> bool:
        windows, at = moment.windows.get(row.title_id), moment.clocks[process]
        if windows is None:
            return True
        if not self._allowed(windows, row.territory, row.licence_types, at):
            return False
        later = (each for each in self._oracle.moments(windows, row.territory) if each > at)
        types = row.licence_types
        over = (each for each in later if not self._allowed(windows, row.territory, types, each))
        ends_at = next(over, None)
        return ends_at is None or row.expires_at <= ends_at + GRACE

    def _may_go_on(self, row: Row, moment: Moment, at: datetime) -> bool:
        """Whether there is a right, or was one no longer ago than the grace."""
        windows = moment.windows.get(row.title_id)
        if windows is None:
            return True
        edges = self._oracle.moments(windows, row.territory)
        tried = [at, at - GRACE, *(each for each in edges if at - GRACE < each <= at)]
        return any(self._allowed(windows, row.territory, row.licence_types, each) for each in tried)

    def _allowed(
        self,
        windows: Sequence[Window],
        territory: str,
        licence_types: Sequence[LicenceType],
        at: datetime,
    ) -> bool:
        return self._oracle.allowed(windows, territory, sorted(licence_types or PLAN), at)

    def _allowances(self, call: Call) -> list[Allowance]:
        """What the plan allowed while the question was on its way, or as billing can have said it
        last where billing was away."""
        during = self.history[call.begun :]
        found = [
            access.allowance
            for each in during
            if (access := open_at(each, call.account_id, each.clocks[call.process]))
        ]
        if any((call.process, "Billing") in each.failing for each in during):
            since = during[0].now - LAST_KNOWN_LASTS - self._apart()
            for said in self._said.get(call.account_id, ()):
                if self.history[said[0]].now >= since:
                    found += self._said_then(call, said)
        return found

    def _said_then(self, call: Call, said: range) -> list[Allowance]:
        """What billing can have said then that holds by its own words when the call begins."""
        at = self.history[call.begun].now - self._apart()
        accesses = [self.history[number].accesses[call.account_id] for number in said]
        return [each.allowance for each in accesses if each and each.until > at]

    def _apart(self) -> timedelta:
        """How far any clock ever was from the others."""
        return max(
            (abs(clock - each.now) * 2 for each in self.history for clock in each.clocks),
            default=timedelta(),
        )

    def _as_many_as_allowed(self) -> None:
        """Of the plays of an account that go on, each began as one of no more than its plan
        allowed then; a device plays one thing."""
        for at in {self.history[-1].now, *self.history[-1].clocks}:
            going: dict[AccountId, list[Row]] = {}
            for row in self.rows.values():
                if not row.ended and row.expires_at > at:
                    going.setdefault(row.account_id, []).append(row)
            for account_id, rows in going.items():
                for number, row in enumerate(rows, 1):
                    most = max(each.streams for each in self.calls[row.call].allowances)
                    _hold(number <= most, f"{account_id}: {number} plays go on, allowed are {most}")
                devices = [row.device_id for row in rows if row.device_id]
                _hold(len(set(devices)) == len(devices), f"{account_id}: a device plays two things")

    def hears(self, session_id: PlaySessionId) -> None:
        """A device has told of a play, whether anybody takes it or not."""
        self.heard[session_id] = self.history[-1].now

    def logged_out(self, login_id: LoginId) -> None:
        """It is told that a login has ended."""
        self.logins_ended[login_id] = self.history[-1].now

    def has_ended(self, session_id: PlaySessionId) -> bool:
        return session_id in self.ended

    def refused_for_streams(self, call: Call) -> None:
        """There were as many whose lease ran. Where clocks were apart, that is not told here."""
        during = self.history[call.begun :]
        if not self.calm or not (allowances := self._allowances(call)):
            return
        fewest = min(each.streams for each in allowances)
        since = min(each.now for each in during) - LEASE
        held = [
            row
            for row in self.rows.values()
            if row.account_id == call.account_id
            and self.ended.get(row.session_id, self.looks + 1) > call.looked
            and self.heard[row.session_id] > since
        ]
        _hold(
            len(held) >= fewest,
            f"{call.account_id} is locked out: {len(held)} of {fewest} plays hold a lease",
        )

    def refused_for_plan(self, call: Call) -> None:
        during = self.history[call.begun :]
        entitled = all(open_at(each, call.account_id, each.clocks[call.process]) for each in during)
        _hold(not entitled, f"{call.account_id} has a plan, and is told that it has none")

    def refused_for_right(self, call: Call, title_id: TitleId, territory: str) -> None:
        """The clock may have been read before what was set, however late that was."""
        during, plans = self.history[call.begun :], self._allowances(call)
        _hold(bool(plans), f"{call.account_id} has no plan, and is told of its right")
        right = all(
            (windows := read.windows.get(title_id)) is None
            or self._allowed(windows, territory, plan.licence_types, each.clocks[call.process])
            for read, each in product(during, repeat=2)
            for plan in plans
        )
        _hold(not right, f"{title_id} has its right, and is told to have none")

    def answered(self, call: Call, session_id: PlaySessionId, what: str) -> None:
        """A play that goes on has got something: it had not ended, and had its right."""
        row, during = self.rows[session_id], self.history[call.begun :]
        over = self.ended.get(session_id, self.looks + 1) <= call.looked
        _hold(not over, f"{session_id} has ended, and has got {what}")
        clocks = [each.clocks[call.process] for each in during]
        _hold(min(clocks) < row.expires_at, f"{session_id} is past its end, and has got {what}")
        if what == "an answer":
            return
        right = any(
            (call.process, "Rights") in each.failing
            or self._may_go_on(row, each, each.clocks[call.process])
            for each in during
        )
        _hold(right, f"{session_id} has lost its right, and has got {what}")

    def redirected(self, call: Call, session_id: PlaySessionId) -> None:
        clocks = [each.clocks[call.process] for each in self.history[call.begun :]]
        past = min(clocks) >= self.rows[session_id].expires_at
        _hold(not past, f"{session_id} is past its end, and has got a media token")

    def licensed(self, call: Call, session_id: PlaySessionId, expires_at: datetime) -> None:
        """A licence ends with the play, and no later than the right and its grace. One that is over
        when it is given opens nothing."""
        row, during = self.rows[session_id], self.history[call.begun :]
        _hold(expires_at <= row.expires_at, f"{session_id} has a licence that outlasts it")
        if expires_at <= during[-1].clocks[call.process]:
            return
        right = any(
            (call.process, "Rights") in each.failing
            or (
                self._may_go_on(row, each, each.clocks[call.process])
                and self._may_go_on(row, each, expires_at - TICK)
            )
            for each in during
        )
        _hold(right, f"{session_id} has a licence for longer than its right")

    def settled(self) -> None:
        """Nothing is on its way any more, and the clocks agree."""
        now = self.history[-1]
        for row in self.rows.values():
            if not row.ended and row.expires_at > now.now:
                right = self._may_go_on(row, now, now.now)
                _hold(right, f"{row.session_id} goes on, and its right is over")
                _hold(self._by_its_login(row), f"{row.session_id} goes on, and its login has ended")

    def _by_its_login(self, row: Row) -> bool:
        """Whether a play that goes on may, by its login: that is open, or had ended for longer when
        it began than a start can take. By clocks that were apart, that may be at once."""
        ended_at = self.logins_ended.get(row.login_id)
        if ended_at is None:
            return True
        most = START_TAKES if self.calm else timedelta()
        return self.seen[row.session_id] >= ended_at + most


def open_at(moment: Moment, account_id: AccountId, at: datetime) -> Access | None:
    """What billing opens to an account, by a clock."""
    access = moment.accesses[account_id]
    return access if access and access.since <= at < access.until else None


def _read(windows: str | None) -> Windows:
    return None if windows is None else msgspec.json.decode(windows, type=list[Window])


def _hold(right: bool, otherwise: str) -> None:
    if not right:
        raise Violated(otherwise)
