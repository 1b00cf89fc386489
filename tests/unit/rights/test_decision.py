"""What windows allow, held against an oracle that is slow and obvious."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuemark.contexts.rights.model.decision import Verdict, decide, decision_of
from cuemark.contexts.rights.model.windows import by_territory, check
from cuemark.contexts.rights.model.zones import local_zones, territories, zones_of
from cuemark.contracts.ids import TitleId
from cuemark.contracts.rights import Holdback, LicenceType, Moment, RightsInvalid, Window
from tests.unit.rights import oracle

ALL = frozenset(oracle.TYPES)
SVOD = frozenset({oracle.TYPES[0]})


def window(start: str | None, end: str | None, *places: str, zone: str = "local") -> Window:
    return Window(
        window_id="w",
        territories=list(places or ("WW",)),
        licence_type="SVOD",
        start=Moment(wall=start, zone=zone) if start else None,
        end=Moment(wall=end, zone=zone) if end else None,
    )


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@settings(max_examples=400, deadline=None)
@given(
    oracle.window_sets(),
    st.sampled_from((*oracle.PLACES, "FR", "")),
    st.frozensets(st.sampled_from(oracle.TYPES), min_size=1),
    st.data(),
)
def test_a_decision_is_that_of_the_oracle(
    windows: list[Window], territory: str, plan: frozenset[LicenceType], data: st.DataObject
) -> None:
    edges = oracle.moments(windows, territory)
    anywhen = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)).map(
        lambda moment: moment.replace(tzinfo=UTC)
    )
    near = st.builds(
        lambda edge, us: edge + timedelta(microseconds=us),
        st.sampled_from(edges or [at("2026-01-01")]),
        st.sampled_from((-1, 0, 1)),
    )
    moment = data.draw(anywhen | near)
    found = decide(windows, territory, plan, moment)
    expected = oracle.allowed(windows, territory, list(plan), moment)
    assert found.allowed is expected
    assert (found.reason == "held") is expected

    def flips(edge: datetime) -> bool:
        return oracle.allowed(windows, territory, list(plan), edge) is not expected

    assert found.until == next((edge for edge in edges if edge > moment and flips(edge)), None)
    before = [edge for edge in edges if edge <= moment and flips(edge - timedelta(microseconds=1))]
    assert found.since == (before[-1] if before else None)


@settings(max_examples=100, deadline=None)
@given(oracle.window_sets(), st.sampled_from((*oracle.PLACES, "FR", "")), oracle.WALLS)
def test_the_windows_of_a_territory_decide_as_all_do(
    windows: list[Window], territory: str, wall: datetime
) -> None:
    moment = wall.replace(tzinfo=UTC)
    rows = by_territory(windows)
    kept = [*rows["WW"], *rows.get(territory, [])]
    assert decide(kept, territory, ALL, moment) == decide(windows, territory, ALL, moment)


def test_windows_that_meet_leave_no_gap_and_do_not_overlap() -> None:
    for wall in ("2026-10-25T02:30:00", "2026-03-29T02:30:00", "2028-02-29", "2026-03-08"):
        for territory in ("DE", "US", "CU", "KI"):
            first, second = window(None, wall), window(wall, None)
            edge = decide([first], territory, SVOD, at("2020-01-01")).until
            assert edge is not None
            before = edge - timedelta(microseconds=1)
            said = [
                (decide([each], territory, SVOD, when).allowed)
                for each in (first, second)
                for when in (before, edge)
            ]
            assert said == [True, False, False, True]
            both = decide(
                [first, Window(window_id="x", territories=["WW"], licence_type="SVOD")],
                territory,
                SVOD,
                edge,
            )
            assert both == Verdict(allowed=True, reason="held", shown=True)


@pytest.mark.parametrize(
    ("territory", "wall", "instant"),
    [
        ("DE", "2026-03-29T02:30:00", "2026-03-29T01:30"),
        ("DE", "2026-10-25T02:30:00", "2026-10-25T00:30"),
        ("US", "2026-05-01", "2026-05-01T04:00"),
        ("RU", "2026-05-01", "2026-04-30T21:00"),
        ("KI", "2026-05-01", "2026-04-30T12:00"),
        ("CU", "2026-03-08", "2026-03-08T05:00"),
        ("NP", "2028-02-29", "2028-02-28T18:15"),
        ("BV", "2026-05-01", "2026-05-01T00:00"),
        ("", "2026-05-01", "2026-05-01T12:00"),
    ],
)
def test_a_local_midnight_is_that_of_the_capital(territory: str, wall: str, instant: str) -> None:
    """In an hour that is skipped, as long after the skip; of two, the first."""
    places = ("WW",)
    opens = decide([window(wall, None, *places)], territory, SVOD, at("2020-01-01"))
    assert (opens.allowed, opens.reason, opens.until) == (False, "not_begun", at(instant))


def test_each_territory_has_one_zone_that_is_one_of_its_own() -> None:
    zones = local_zones()
    assert set(zones) == territories()
    assert len(zones) == 249
    several = {code for code in territories() if len(zones_of(code)) > 1}
    for code in several:
        assert zones[code] in zones_of(code), code
    for code, name in zones.items():
        assert name in (zones_of(code) or ["UTC"]), code


def test_an_announced_title_is_shown_and_does_not_play() -> None:
    coming = Window(
        window_id="w",
        territories=["DE"],
        licence_type="SVOD",
        start=Moment(wall="2026-06-01T00:00:00"),
        announce=Moment(wall="2026-05-01T00:00:00"),
    )
    said = [decide([coming], "DE", SVOD, at(f"2026-{month}-15")) for month in ("04", "05", "06")]
    assert [(each.shown, each.allowed) for each in said] == [
        (False, False),
        (True, False),
        (True, True),
    ]
    assert not decide([coming], "DE", frozenset({oracle.TYPES[2]}), at("2026-05-15")).shown


def test_an_embargo_after_the_start_holds_the_window_back() -> None:
    late = Window(
        window_id="w",
        territories=["DE"],
        licence_type="SVOD",
        start=Moment(wall="2026-06-01T00:00:00"),
        announce=Moment(wall="2026-07-01T00:00:00"),
    )
    said = decide([late], "DE", SVOD, at("2026-06-15"))
    assert (said.allowed, said.shown, said.until) == (False, False, at("2026-07-01"))


def test_the_reason_is_what_comes_nearest_to_a_right() -> None:
    when = at("2026-05-15")
    plain = window("2026-05-01", "2026-06-01", "DE")
    sale = Window(window_id="e", territories=["DE"], licence_type="EST", exclusive=True)
    waits = Window(
        window_id="h",
        territories=["DE"],
        licence_type="SVOD",
        holdbacks=[Holdback(window_id="w", rule="over")],
    )
    rent = Window(window_id="w", territories=["DE"], licence_type="VOD")
    cases = {
        "held": [plain],
        "territory": [window(None, None, "FR")],
        "licence_type": [rent],
        "not_begun": [window("2026-06-01", None, "DE")],
        "over": [window(None, "2026-05-01", "DE")],
        "suspended": [plain, sale],
        "held_back": [waits, rent],
    }
    assert {why: decide(each, "DE", SVOD, when).reason for why, each in cases.items()} == {
        why: why for why in cases
    }
    assert decide([], "DE", SVOD, when).reason == "territory"


def test_a_play_may_end_its_grace_and_not_begin_in_it() -> None:
    grace = timedelta(minutes=15)
    ends = window("2026-05-01", "2026-06-01", "DE", zone="UTC")
    end = at("2026-06-01")
    for after, allowed, may_go_on in (
        (timedelta(seconds=-1), True, True),
        (timedelta(0), False, True),
        (grace - timedelta(seconds=1), False, True),
        (grace, False, False),
    ):
        moment = end + after
        verdict = decide([ends], "DE", SVOD, moment)
        said = decision_of(TitleId("t"), verdict, moment, grace)
        assert (said.allowed, said.may_go_on) == (allowed, may_go_on)
        assert said.ends_at == end + grace
    before = at("2026-04-15")
    early = decision_of(TitleId("t"), decide([ends], "DE", SVOD, before), before, grace)
    assert (early.may_go_on, early.ends_at) == (False, None)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"territories": []}, "names no territory"),
        ({"territories": ["de"]}, "the territory 'de'"),
        ({"territories": ["XX"]}, "the territory 'XX'"),
        ({"territories": ["WW", "DE"]}, "the territory 'WW'"),
        ({"territories": ["DE", "DE"]}, "twice"),
        ({"territories": ["DE"], "excluding": ["FR"]}, "not worldwide"),
        ({"window_id": "a b"}, "A window's id"),
        ({"start": Moment(wall="2026-02-30")}, "no time such as"),
        ({"start": Moment(wall="2026-02-01T00:00:00+01:00")}, "its offset as the zone"),
        ({"start": Moment(wall="1066-10-14")}, "outside of the years"),
        ({"start": Moment(wall="2026-02-01", zone="../../etc/passwd")}, "has the zone"),
        ({"start": Moment(wall="2026-02-01", zone="+15:00")}, "has the zone"),
        ({"start": Moment(wall="2026-02-01"), "end": Moment(wall="2026-02-01")}, "does not end"),
        (
            {
                "start": Moment(wall="2026-05-01T00:00:00", zone="local"),
                "end": Moment(wall="2026-05-01T12:00:00", zone="UTC"),
            },
            "does not end",
        ),
        (
            {
                "territories": ["AU", "US"],
                "start": Moment(wall="2026-05-01T00:00:00", zone="local"),
                "end": Moment(wall="2026-05-01T01:00:00", zone="UTC"),
            },
            "does not end",
        ),
        ({"holdbacks": [Holdback(window_id="w", rule="over")]}, "waits for 'w'"),
        ({"holdbacks": [Holdback(window_id="x", rule="over")]}, "waits for 'x'"),
    ],
)
def test_a_window_that_cannot_be_is_refused(wrong: dict[str, object], said: str) -> None:
    fields = {"window_id": "w", "territories": ["WW"], "licence_type": "SVOD"} | wrong
    with pytest.raises(RightsInvalid, match=said):
        check([Window(**fields)])  # type: ignore[arg-type]


def test_a_set_is_bounded_in_all_and_in_each_territory() -> None:
    def many(count: int, *places: str) -> list[Window]:
        return [
            Window(window_id=f"w{n}", territories=list(places), licence_type="SVOD")
            for n in range(count)
        ]

    check(many(64, "WW"))
    with pytest.raises(RightsInvalid, match="64 windows at most in one territory"):
        check([*many(64, "WW"), Window(window_id="d", territories=["DE"], licence_type="SVOD")])
    with pytest.raises(RightsInvalid, match="2000 windows at most"):
        check(many(2001, "DE"))
    with pytest.raises(RightsInvalid, match="Two windows have the id 'w0'"):
        check([*many(1, "DE"), *many(1, "FR")])
