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
    Restart,
    Standing,
    Wake,
    Wrong,
)
from cuemark.edge.sources import ORIGIN, Kind, Source

PEER = Source("edge-a", Kind.PEER)
STORAGE = Source("storage-a", Kind.STORAGE)
PLACE = {PEER: 0, Source("edge-b", Kind.PEER): 1, STORAGE: 2, ORIGIN: 3}
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
        self.asked: dict[str, list[Source]] = {}
        self.spent: list[tuple[str, int]] = []
        self.verified: set[str] = set()

    def follow(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case Fetch(key, attempt, offset, source):
                    assert key not in {*self.fetches.values(), *self.pauses.values(), *self.keeping}
                    assert offset == self.arrived[key]
                    asked = self.asked[key]
                    assert asked[-1:] in ([], [source]) or PLACE[source] > PLACE[asked[-1]]
                    if asked[-1:] != [source] and asked and asked[-1].kind is Kind.PEER:
                        assert offset == 0, "a peer's bytes are joined with those of another"
                    asked.append(source)
                    self.fetches[attempt] = key
                case Pause(key, attempt, pause_s):
                    assert 0 < pause_s <= cache.LAST_PAUSE_S
                    self.pauses[attempt] = key
                case Keep(key):
                    assert key in self.verified
                    self.keeping.add(key)
                case Restart(key):
                    assert self.arrived[key]
                    self.arrived[key] = 0
                case Wrong(key, source):
                    assert source == self.asked[key][-1] != ORIGIN
                case Fail(key, reason):
                    assert reason is Reason.LOCAL or self.asked[key][-1] == ORIGIN
                    del self.arrived[key]
                case Wake(key):
                    assert key in self.fetches.values()

    def pick(self, data: st.DataObject, attempts: dict[int, str]) -> tuple[str, int]:
        attempt = data.draw(st.sampled_from(sorted(attempts)))
        return attempts[attempt], attempt

    def end(self, attempt: int) -> None:
        self.spent.append((self.fetches.pop(attempt), attempt))

    @rule(
        key=st.sampled_from(sorted(SIZES)),
        urgent=st.booleans(),
        before=st.sets(st.sampled_from(sorted(PLACE, key=lambda each: PLACE[each])[:-1])),
    )
    def ask(self, key: str, urgent: bool, before: set[Source]) -> None:
        known = self.table.get(key) is not None
        ranked = (*sorted(before, key=lambda each: PLACE[each]), ORIGIN)
        standing, actions = self.table.ask(key, SIZES[key], urgent=urgent, sources=ranked)
        if known:
            assert standing is Standing.JOINS
            assert actions == []
        elif standing is Standing.LEADS:
            self.verified.discard(key)
            self.arrived[key] = 0
            self.asked[key] = []
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
        assert Fail(key, Reason.CORRUPT) in actions or key in {
            each.key for each in actions if isinstance(each, Fetch)
        }
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
        if whole and genuine:
            assert actions[0] == Keep(key)
        else:
            assert not any(isinstance(each, Keep) for each in actions)
        self.follow(actions)

    @precondition(lambda self: self.fetches)
    @rule(data=st.data())
    def break_off(self, data: st.DataObject) -> None:
        key, attempt = self.pick(data, self.fetches)
        self.end(attempt)
        self.follow(self.table.broken(key, attempt))

    @precondition(lambda self: self.fetches)
    @rule(data=st.data())
    def refuse(self, data: st.DataObject) -> None:
        key, attempt = self.pick(data, self.fetches)
        self.end(attempt)
        self.follow(self.table.failed(key, attempt, Reason.LOCAL))

    @precondition(lambda self: self.fetches)
    @rule(data=st.data(), reason=st.sampled_from([Reason.MISSING, Reason.AWAY]))
    def lack(self, data: st.DataObject, reason: Reason) -> None:
        key, attempt = self.pick(data, self.fetches)
        self.end(attempt)
        self.follow(self.table.lacking(key, attempt, reason))

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
        assert self.table.lacking(key, attempt, Reason.MISSING) == []
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
                self.follow(self.table.lacking(key, attempt, Reason.MISSING))
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


def from_all(table: FillTable) -> Fetch:
    _, (fetch,) = table.ask("k", 10, urgent=True, sources=(PEER, STORAGE, ORIGIN))
    assert isinstance(fetch, Fetch)
    return fetch


def asked_next(actions: list[Action]) -> Fetch:
    assert isinstance(actions[-1], Fetch)
    return actions[-1]


def test_what_a_peer_lacks_the_storage_tier_is_asked_for_and_then_the_origin() -> None:
    table = FillTable(1, 0)
    fetch = from_all(table)
    for source in (PEER, STORAGE):
        assert fetch.source == source
        fetch = asked_next(table.lacking("k", fetch.attempt, Reason.MISSING))
    assert (fetch.source, fetch.offset) == (ORIGIN, 0)
    assert table.lacking("k", fetch.attempt, Reason.MISSING) == [Fail("k", Reason.MISSING)]


def test_what_a_peer_began_is_fetched_anew_and_what_the_storage_tier_began_is_resumed() -> None:
    table = FillTable(1, 0)
    fetch = from_all(table)
    table.received("k", fetch.attempt, 4)
    actions = table.broken("k", fetch.attempt)
    assert actions[0] == Restart("k")
    fetch = asked_next(actions)
    assert (fetch.source, fetch.offset) == (STORAGE, 0)
    table.received("k", fetch.attempt, 4)
    (resumed,) = table.broken("k", fetch.attempt)
    assert isinstance(resumed, Fetch)
    assert (resumed.source, resumed.offset) == (ORIGIN, 4)


def test_wrong_bytes_are_held_against_whoever_sent_them_and_fetched_from_the_next() -> None:
    table = FillTable(1, 0)
    fetch = from_all(table)
    for source in (PEER, STORAGE):
        table.received("k", fetch.attempt, 10)
        actions = table.ended("k", fetch.attempt, "other")
        assert actions[:2] == [Wrong("k", source), Restart("k")]
        fetch = asked_next(actions)
        assert fetch.offset == 0
    table.received("k", fetch.attempt, 10)
    assert table.ended("k", fetch.attempt, "k") == [Keep("k")]


def test_wrong_bytes_of_two_sources_together_are_held_against_nobody() -> None:
    table = FillTable(1, 0)
    _, (fetch,) = table.ask("k", 10, urgent=True, sources=(STORAGE, ORIGIN))
    assert isinstance(fetch, Fetch)
    table.received("k", fetch.attempt, 4)
    fetch = asked_next(table.broken("k", fetch.attempt))
    table.received("k", fetch.attempt, 6)
    actions = table.ended("k", fetch.attempt, "other")
    assert actions[0] == Restart("k")
    fetch = asked_next(actions)
    assert (fetch.source, fetch.offset) == (ORIGIN, 0)
    table.received("k", fetch.attempt, 10)
    assert table.ended("k", fetch.attempt, "other") == [Fail("k", Reason.CORRUPT)]
