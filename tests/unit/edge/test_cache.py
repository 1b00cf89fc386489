"""The table of fills: one fetch for each key, whatever happens to it, in whatever order."""

from collections.abc import Sequence

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from cuemark.edge import cache
from cuemark.edge.cache import (
    Action,
    Fail,
    Fetch,
    FillTable,
    Keep,
    Pause,
    Phase,
    Reason,
    Standing,
    Wake,
)

SIZES = {"a": 0, "b": 1, "c": 10, "d": 10, "e": 1000, "f": 7}


class Fills(RuleBasedStateMachine):
    """Drives a table as the agent does: every action is taken up, every event is possible."""

    @initialize(most=st.integers(1, 3), waiting=st.integers(0, 3))
    def build(self, most: int, waiting: int) -> None:
        self.most = most
        self.waiting = waiting
        self.table = FillTable(most, waiting)
        self.fetches: dict[int, str] = {}
        self.pauses: dict[int, str] = {}
        self.keeping: set[str] = set()
        self.arrived: dict[str, int] = {}
        self.spent: list[tuple[str, int]] = []
        self.verified: set[str] = set()

    def follow(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case Fetch(key, attempt, offset):
                    assert key not in {*self.fetches.values(), *self.pauses.values(), *self.keeping}
                    assert offset == self.arrived[key]
                    self.fetches[attempt] = key
                case Pause(key, attempt, pause_s):
                    assert 0 < pause_s <= cache.LAST_PAUSE_S
                    self.pauses[attempt] = key
                case Keep(key):
                    assert key in self.verified
                    self.keeping.add(key)
                case Fail(key):
                    del self.arrived[key]
                case Wake(key):
                    assert key in self.fetches.values()

    def pick(self, data: st.DataObject, attempts: dict[int, str]) -> tuple[str, int]:
        attempt = data.draw(st.sampled_from(sorted(attempts)))
        return attempts[attempt], attempt

    def end(self, attempt: int) -> None:
        self.spent.append((self.fetches.pop(attempt), attempt))

    @rule(key=st.sampled_from(sorted(SIZES)), urgent=st.booleans())
    def ask(self, key: str, urgent: bool) -> None:
        known = self.table.get(key) is not None
        standing, actions = self.table.ask(key, SIZES[key], urgent=urgent)
        if known:
            assert standing is Standing.JOINS
            assert actions == []
        elif standing is Standing.LEADS:
            self.verified.discard(key)
            self.arrived[key] = 0
        self.follow(actions)

    @precondition(lambda self: self.fetches)
    @rule(data=st.data())
    def receive(self, data: st.DataObject) -> None:
        key, attempt = self.pick(data, self.fetches)
        count = data.draw(st.integers(0, SIZES[key] - self.arrived[key]))
        self.arrived[key] += count
        self.follow(self.table.received(key, attempt, count))

    @precondition(lambda self: self.fetches)
    @rule(data=st.data())
    def receive_too_much(self, data: st.DataObject) -> None:
        key, attempt = self.pick(data, self.fetches)
        actions = self.table.received(key, attempt, SIZES[key] - self.arrived[key] + 1)
        assert actions[0] == Fail(key, Reason.CORRUPT)
        self.end(attempt)
        self.follow(actions)

    @precondition(lambda self: self.fetches)
    @rule(data=st.data(), genuine=st.booleans())
    def come_to_the_end(self, data: st.DataObject, genuine: bool) -> None:
        key, attempt = self.pick(data, self.fetches)
        whole = self.arrived[key] == SIZES[key]
        self.end(attempt)
        if whole and genuine:
            self.verified.add(key)
        actions = self.table.ended(key, attempt, key if genuine else "other")
        if whole:
            assert actions[0] == (Keep(key) if genuine else Fail(key, Reason.CORRUPT))
        else:
            assert isinstance(actions[0], Pause | Fail)
        self.follow(actions)

    @precondition(lambda self: self.fetches)
    @rule(data=st.data())
    def break_off(self, data: st.DataObject) -> None:
        key, attempt = self.pick(data, self.fetches)
        self.end(attempt)
        self.follow(self.table.broken(key, attempt))

    @precondition(lambda self: self.fetches)
    @rule(data=st.data(), reason=st.sampled_from([Reason.MISSING, Reason.LOCAL]))
    def refuse(self, data: st.DataObject, reason: Reason) -> None:
        key, attempt = self.pick(data, self.fetches)
        self.end(attempt)
        self.follow(self.table.failed(key, attempt, reason))

    @precondition(lambda self: self.pauses)
    @rule(data=st.data())
    def resume(self, data: st.DataObject) -> None:
        key, attempt = self.pick(data, self.pauses)
        del self.pauses[attempt]
        actions = self.table.resumed(key, attempt)
        assert [type(action) for action in actions] == [Fetch]
        self.follow(actions)

    @precondition(lambda self: self.keeping)
    @rule(data=st.data())
    def keep(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.keeping)))
        self.keeping.remove(key)
        del self.arrived[key]
        self.follow(self.table.kept(key))

    @precondition(lambda self: self.spent)
    @rule(data=st.data())
    def hear_of_a_fetch_that_is_over(self, data: st.DataObject) -> None:
        key, attempt = data.draw(st.sampled_from(self.spent))
        assert self.table.received(key, attempt, 1) == []
        assert self.table.ended(key, attempt, key) == []
        assert self.table.broken(key, attempt) == []
        assert self.table.failed(key, attempt, Reason.LOCAL) == []

    @invariant()
    def is_bounded(self) -> None:
        if not hasattr(self, "table"):
            return
        at_work = len(self.fetches) + len(self.pauses) + len(self.keeping)
        assert at_work == self.table.active <= self.most
        assert len(self.table) - at_work <= self.waiting
        assert set(self.arrived) == {key for key in SIZES if self.table.get(key)}
        if len(self.table) > at_work:
            assert at_work == self.most, "a fill waits though there is a free slot"

    def teardown(self) -> None:
        """Whatever happened, each fill comes to an end once its fetches do."""
        while hasattr(self, "table") and len(self.table):
            for attempt, key in list(self.fetches.items()):
                self.end(attempt)
                self.follow(self.table.failed(key, attempt, Reason.MISSING))
            for attempt, key in list(self.pauses.items()):
                del self.pauses[attempt]
                self.follow(self.table.resumed(key, attempt))
            for key in list(self.keeping):
                self.keeping.remove(key)
                del self.arrived[key]
                self.follow(self.table.kept(key))


TestFills = Fills.TestCase
TestFills.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def begun(table: FillTable, key: str = "k", size_bytes: int = 10, urgent: bool = True) -> Fetch:
    _, actions = table.ask(key, size_bytes, urgent=urgent)
    (fetch,) = actions
    assert isinstance(fetch, Fetch)
    return fetch


def test_two_hundred_requests_make_one_fetch() -> None:
    table = FillTable(4, 4)
    begun(table)
    assert [table.ask("k", 10, urgent=True) for _ in range(199)] == [(Standing.JOINS, [])] * 199


def test_the_next_fetch_resumes_where_the_leader_died() -> None:
    table = FillTable(1, 0)
    first = begun(table)
    table.received("k", first.attempt, 7)
    (pause,) = table.broken("k", first.attempt)
    assert isinstance(pause, Pause)
    (second,) = table.resumed("k", first.attempt)
    assert isinstance(second, Fetch)
    assert second.offset == 7
    table.received("k", second.attempt, 3)
    assert table.ended("k", second.attempt, "k") == [Keep("k")]


@pytest.mark.parametrize(
    ("received", "attempts"), [(0, cache.PATIENCE_FRESH), (5, cache.PATIENCE_BEGUN + 1)]
)
def test_patience_is_longer_where_readers_have_begun(received: int, attempts: int) -> None:
    table = FillTable(1, 0)
    fetch = begun(table)
    table.received("k", fetch.attempt, received)
    made = 1
    while isinstance((action := table.broken("k", fetch.attempt)[0]), Pause):
        (resumed,) = table.resumed("k", action.attempt)
        assert isinstance(resumed, Fetch)
        fetch, made = resumed, made + 1
    assert action == Fail("k", Reason.AWAY)
    assert made == attempts


def test_an_origin_that_gives_one_byte_at_a_time_is_given_up_in_the_end() -> None:
    table = FillTable(1, 0)
    fetch = begun(table, size_bytes=1000)
    made = 1
    while True:
        table.received("k", fetch.attempt, 1)
        action = table.broken("k", fetch.attempt)[0]
        if isinstance(action, Fail):
            break
        (resumed,) = table.resumed("k", fetch.attempt)
        assert isinstance(resumed, Fetch)
        fetch, made = resumed, made + 1
    assert made == cache.MAX_ATTEMPTS


def test_what_a_viewer_waits_for_goes_before_what_nobody_has_asked_for() -> None:
    table = FillTable(1, 5)
    first = begun(table, "first", urgent=False)
    for key in ("gentle-1", "gentle-2"):
        table.ask(key, 10, urgent=False)
    table.ask("urgent", 10, urgent=True)
    table.ask("gentle-2", 10, urgent=True)
    order = []
    fetch = first
    while True:
        actions = table.failed(fetch.key, fetch.attempt, Reason.MISSING)[1:]
        if not actions:
            break
        assert isinstance(actions[0], Fetch)
        fetch = actions[0]
        order.append(fetch.key)
    assert order == ["urgent", "gentle-2", "gentle-1"]


def test_a_full_queue_refuses_and_forgets() -> None:
    table = FillTable(1, 1)
    begun(table, "a")
    assert table.ask("b", 10, urgent=True) == (Standing.LEADS, [])
    assert table.ask("c", 10, urgent=True) == (Standing.REFUSED, [])
    assert table.get("c") is None
    queued = table.get("b")
    assert queued is not None
    assert queued.phase is Phase.QUEUED
