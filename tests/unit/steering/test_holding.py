"""Who ranks first of those that hold a film, or would have to fetch it."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from cuemark.contexts.steering.model import explaining, ranking, redirects
from cuemark.contexts.steering.model.holding import LEAST_PERCENT, UNTOLD, Film, Stock
from cuemark.contexts.steering.model.ranking import (
    ANYBODY,
    BUSY_BY_MEAN,
    LITTLE_IN_FLIGHT,
    LITTLE_SHARE,
    Appliance,
    Client,
    Loads,
)
from cuemark.contexts.steering.model.redirects import Sent
from cuemark.contracts.fill import ApplianceHeld, Held
from cuemark.contracts.ids import ApplianceId, PlaySessionId, VersionId
from cuemark.contracts.steering.routes import Place
from cuemark.kit import rendezvous

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LINE_KBPS = 1_000_000
FILM = VersionId("ver_film")


def appliance(
    name: str,
    *,
    in_flight: int = 0,
    healthy: bool = True,
    silent_s: float = 0.0,
    capacity_kbps: int = 0,
    served_kbps: int = 0,
) -> Appliance:
    return Appliance(
        ApplianceId(name),
        f"http://{name}.test",
        healthy,
        in_flight,
        NOW - timedelta(seconds=silent_s),
        capacity_kbps=capacity_kbps,
        served_kbps=served_kbps,
    )


def line(name: str, share: float = 0.0) -> Appliance:
    return appliance(name, capacity_kbps=LINE_KBPS, served_kbps=int(share * LINE_KBPS))


def film(percent: Mapping[str, int], version_id: str = FILM, room: int = 10**12) -> Film:
    there = {ApplianceId(name): count for name, count in percent.items()}
    return Film(rendezvous.key_of(version_id), there, dict.fromkeys(there, room))


def ranked(
    fleet: Sequence[Appliance],
    of: Film = UNTOLD,
    *,
    loads: Loads | None = None,
    session: str = "s",
    client: Client = ANYBODY,
    limit: int = 10,
) -> list[str]:
    session_id = PlaySessionId(session)
    found = ranking.rank(fleet, loads or Loads(), session_id, NOW, limit, client, of)
    return [each.appliance_id for each in found]


fleets = st.lists(
    st.builds(
        appliance,
        st.text("abcdef", min_size=1),
        in_flight=st.integers(0, 50),
        healthy=st.booleans(),
        silent_s=st.floats(0, 40),
        capacity_kbps=st.sampled_from([0, LINE_KBPS]),
        served_kbps=st.integers(0, LINE_KBPS),
    ),
    max_size=10,
    unique_by=lambda found: found.appliance_id,
)
fit_fleets = st.lists(
    st.builds(appliance, st.text("abcdef", min_size=1), in_flight=st.integers(0, 50)),
    min_size=1,
    max_size=10,
    unique_by=lambda found: found.appliance_id,
)
films = st.builds(film, st.dictionaries(st.text("abcdef", min_size=1), st.integers(0, 100)))


@given(fleets, films, st.text("xyz"))
def test_what_an_appliance_holds_makes_nobody_fit_and_leaves_nobody_out(
    fleet: list[Appliance], of: Film, session: str
) -> None:
    assert sorted(ranked(fleet, of, session=session)) == sorted(ranked(fleet, session=session))


@given(fleets, films, st.text("xyz"), st.randoms(use_true_random=False))
def test_a_session_has_one_order_however_the_rows_came(
    fleet: list[Appliance], of: Film, session: str, rng: random.Random
) -> None:
    shuffled = list(fleet)
    rng.shuffle(shuffled)
    assert ranked(fleet, of, session=session) == ranked(shuffled, of, session=session)


@given(fit_fleets, st.data(), st.text("xyz"))
def test_one_that_holds_the_film_and_has_room_is_the_first(
    fleet: list[Appliance], some: st.DataObject, session: str
) -> None:
    names = [each.appliance_id for each in fleet]
    holders = some.draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    of = film({name: 100 if name in holders else 0 for name in names})
    even = sum(each.in_flight for each in fleet) / len(fleet)
    most = max(LITTLE_IN_FLIGHT, BUSY_BY_MEAN * even)
    with_room = [each.appliance_id for each in fleet if each.in_flight < most]
    assume(len(holders) < len(names) and set(with_room) & set(holders))
    first = ranked(fleet, of, session=session)[0]
    assert first in holders
    assert first in with_room


@given(fleets, st.integers(LEAST_PERCENT, 100), st.text("xyz"))
def test_where_all_hold_it_the_order_is_that_of_load_and_session(
    fleet: list[Appliance], percent: int, session: str
) -> None:
    whole = film({each.appliance_id: percent for each in fleet})
    assert ranked(fleet, whole, session=session) == ranked(fleet, session=session)


@given(fleets, st.text("xyz"))
def test_where_nobody_told_what_it_holds_the_order_is_that_of_load_and_session(
    fleet: list[Appliance], session: str
) -> None:
    elsewhere = film({"far-away": 100})
    assert ranked(fleet, elsewhere, session=session) == ranked(fleet, session=session)


def test_a_film_that_nobody_holds_is_fetched_by_one() -> None:
    fleet = [line(f"edge-{n}") for n in range(8)]
    for number in range(20):
        of = film(dict.fromkeys([each.appliance_id for each in fleet], 0), f"ver_{number}")
        own = rendezvous.order(of.key, of.rooms)
        loads = Loads()
        for session in range(40):
            assert ranked(fleet, of, loads=loads, session=f"play_{session}")[0] == own[0]
        assert ranked(fleet, of)[:4] == own[:4], "who comes next is the film's own order, too"


def test_a_few_that_have_its_beginning_do_not_hold_it() -> None:
    fleet = [line("a"), line("b"), line("c")]
    begun = film({"a": 3, "b": LEAST_PERCENT - 1, "c": 1})
    assert ranked(fleet, begun) == rendezvous.order(begun.key, begun.rooms)
    assert ranked(fleet, film({"a": 3, "b": LEAST_PERCENT, "c": 1}))[0] == "b"


def test_who_has_much_less_than_the_fullest_does_not_hold_it() -> None:
    fleet = [line("a", 0.4), line("b")]
    assert ranked(fleet, film({"a": 90, "b": 71}))[0] == "a"
    assert ranked(fleet, film({"a": 90, "b": 72}))[0] == "b"


def test_a_busy_holder_yields_to_the_next_and_then_to_one_that_fetches() -> None:
    names = ["a", "b", "c", "d"]
    two = film({"a": 100, "b": 100, "c": 0, "d": 0})
    own = [name for name in rendezvous.order(two.key, two.rooms) if name in "cd"]
    idle = [line(name, 0.4) for name in names]
    assert set(ranked(idle, two)[:2]) == {"a", "b"}
    one_busy = [line("a", 0.9), *idle[1:]]
    assert ranked(one_busy, two) == ["b", *own, "a"]
    both_busy = [line("a", 0.9), line("b", 0.9), *idle[2:]]
    assert ranked(both_busy, two)[:2] == own
    assert set(ranked(both_busy, two)[2:]) == {"a", "b"}


def test_nobody_is_busy_who_has_little_to_do_however_idle_the_others_are() -> None:
    one = film({"a": 100, "b": 0, "c": 0})
    assert ranked([line("a", LITTLE_SHARE - 0.01), line("b"), line("c")], one)[0] == "a"
    few = [appliance("a", in_flight=LITTLE_IN_FLIGHT - 1), appliance("b"), appliance("c")]
    assert ranked(few, one)[0] == "a"
    many = [appliance("a", in_flight=LITTLE_IN_FLIGHT), *few[1:]]
    assert ranked(many, one)[0] != "a"


def test_sessions_between_two_reports_count_for_who_is_busy() -> None:
    """One appliance holds what all of 400 sessions want, by reports that stand still: it gets no
    more than ``BUSY_BY_MEAN`` times what is even, and as few others fetch the film as that takes.
    """
    fleet = [appliance(f"edge-{n}") for n in range(5)]
    of = film({each.appliance_id: 100 * (each is fleet[0]) for each in fleet})
    loads = Loads()
    firsts = Counter(ranked(fleet, of, loads=loads, session=f"play_{n}")[0] for n in range(400))
    assert firsts[fleet[0].appliance_id] == max(firsts.values())
    assert max(firsts.values()) <= BUSY_BY_MEAN * 400 / 5 + 1
    assert sum(sorted(firsts.values())[1:]) > 0.99 * 400, "four of five carry 125 % each"


def test_a_nearer_one_fetches_a_film_that_a_farther_one_holds() -> None:
    near = replace(line("near"), place=Place(latitude=48.1, longitude=11.6))
    far = replace(line("far"), place=Place(latitude=40.7, longitude=-74.0))
    client = Client(place=Place(latitude=48.2, longitude=11.5))
    assert ranked([near, far], film({"near": 0, "far": 100}), client=client) == ["near", "far"]


def test_a_full_holder_is_behind_all_others() -> None:
    fleet = [line("a", 0.96), line("b"), line("c")]
    assert ranked(fleet, film({"a": 100, "b": 0, "c": 0}))[-1] == "a"


def test_the_loss_of_one_moves_the_sessions_that_it_had() -> None:
    """1,000 films with one to three copies: those who played from another one stay there."""
    rng, count = random.Random(1), 8
    fleet = [line(f"edge-{n}") for n in range(count)]
    names = [each.appliance_id for each in fleet]
    films = []
    for number in range(1000):
        of = film(dict.fromkeys(names, 0), f"ver_{number}")
        on = rendezvous.order(of.key, of.rooms)[: rng.choice([0, 1, 1, 2, 3])]
        films.append(replace(of, percent={name: 100 * (name in on) for name in names}))
    weights = [1 / (number + 1) ** 0.9 for number in range(1000)]
    sessions = [(f"play_{n}", rng.choices(films, weights)[0]) for n in range(3000)]
    before = [ranked(fleet, of, session=name)[:2] for name, of in sessions]
    moved = []
    for lost in fleet:
        left = [each for each in fleet if each is not lost]
        after = [ranked(left, of, session=name)[0] for name, of in sessions]
        for (was, then), now in zip(before, after, strict=True):
            assert now == (then if was == lost.appliance_id else was)
        moved.append(sum(was == lost.appliance_id for was, _ in before) / len(sessions))
    assert sum(moved) / count <= 1.1 / count


def test_one_who_never_told_what_it_holds_comes_after_those_who_did() -> None:
    fleet = [line("a"), line("b"), line("new")]
    assert ranked(fleet, film({"a": 0, "b": 0}))[-1] == "new"
    assert ranked(fleet, film({"a": 0, "b": 100}))[0] == "b"


def test_a_request_is_redirected_to_one_that_holds_the_film() -> None:
    fleet = [line("a"), line("b"), line("c")]
    sent = Sent(
        session_id=PlaySessionId("s"),
        version_id=FILM,
        appliance_ids=[ApplianceId("gone")],
        issued_at_s=0,
        expires_at_s=2**31,
        variants=b"",
        networks=[],
    )

    def to(of: Film) -> str | None:
        found = redirects.chosen(sent, fleet, NOW, ANYBODY, of)
        return found.appliance_id if found else None

    for name in "abc":
        assert to(film({each: 100 * (each == name) for each in "abc"})) == name
    nobody = film({"a": 0, "b": 0, "c": 0})
    assert to(nobody) == rendezvous.order(nobody.key, nobody.rooms)[0]


def test_it_is_explained_who_holds_it() -> None:
    fleet = [line("a", 0.9), line("b", 0.1), line("c"), line("new")]
    of = film({"a": 100, "b": 80, "c": 2})
    told = explaining.candidates(fleet, fleet, Loads(), NOW, ANYBODY, of)
    assert [(each.appliance_id, each.ring, each.held_percent) for each in told] == [
        ("b", 1, 80),
        ("c", 1, 2),
        ("new", 1, None),
        ("a", 1, 100),
    ]
    assert [each.reason.split("; ")[-1] for each in told] == [
        "has 80 % of what plays take: holds it",
        "has 2 % of what plays take",
        "what it holds is not known",
        "has all of what plays take, and is busy",
    ]
    without = explaining.candidates(fleet, fleet, Loads(), NOW, ANYBODY)
    assert {each.held_percent for each in without} == {None}


def held(name: str, revision: int, percent: dict[str, int], room: int = 5) -> ApplianceHeld:
    return ApplianceHeld(
        appliance_id=ApplianceId(name),
        revision=revision,
        storage_bytes=room,
        percent={VersionId(each): count for each, count in percent.items()},
    )


def test_the_last_telling_of_each_appliance_counts() -> None:
    stock = Stock()
    stock.apply(Held(news=[held("a", 1, {FILM: 100}), held("b", 2, {"ver_other": 100})]))
    assert stock.revisions == {"a": 1, "b": 2}
    assert stock.film(FILM).percent == {"a": 100, "b": 0}
    stock.apply(Held(news=[held("a", 3, {}, room=7)], gone=[ApplianceId("b")]))
    assert stock.revisions == {"a": 3}
    assert stock.film(FILM).percent == {"a": 0}
    assert stock.film(FILM).rooms == {"a": 7}
