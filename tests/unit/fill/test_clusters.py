"""Plans of what is known: within the room, each wanted track somewhere, the same each time."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuemark.contexts.fill.model.clusters import ClusterPlan, made
from cuemark.contexts.fill.model.orders import AskedTrack, Decided, explanation, manifest_of
from cuemark.contexts.fill.model.stock import KnownAppliance, Stock
from cuemark.contracts.ids import VersionId
from tests.unit.fill.known import NOW, TITLE_BYTES, TRACKS, appliance, played, version


def wanted(plan: ClusterPlan) -> set[tuple[str, str]]:
    return {(row.version_id, row.track_id) for row in plan.rows if row.wanted}


def one_plan(stock: Stock) -> ClusterPlan:
    (plan,) = made(stock, NOW)
    return plan


@st.composite
def stocks(draw: st.DrawFn) -> Stock:
    """A few titles, two regions, a storage appliance now and then, and some days of plays."""
    titles = draw(st.integers(1, 6))
    count = st.floats(0, 5)
    appliances: list[KnownAppliance] = []
    for region, timezone in (("oslo", "Europe/Oslo"), ("delhi", "Asia/Kolkata")):
        for number in range(draw(st.integers(0, 3))):
            room = draw(st.integers(1, 8 * TITLE_BYTES))
            held = {
                (VersionId(f"ver_{title}"), facts.track_id): facts.size_bytes
                for title in range(titles)
                for facts in TRACKS
                if draw(st.booleans())
            }
            tier = "storage" if draw(st.integers(0, 4)) == 0 else "edge"
            appliances.append(
                appliance(
                    f"{region}-{number}",
                    region=region,
                    timezone=timezone,
                    storage_bytes=room,
                    held=held,
                    tier="storage" if tier == "storage" else "edge",
                )
            )
    hours = [
        hour
        for region in ("oslo", "delhi")
        for hour in played({n: draw(count) for n in range(titles)}, 5, region=region)
    ]
    ages = st.floats(0, 60)
    versions = [version(n, days_ago=draw(ages)) for n in range(titles)]
    return Stock(versions, appliances, hours)


@settings(max_examples=60)
@given(stocks())
def test_no_appliance_is_to_have_more_than_it_holds_and_all_that_is_wanted_is_somewhere(
    stock: Stock,
) -> None:
    room = {each.appliance_id: each.storage_bytes for each in stock.appliances}
    held = {each.appliance_id: each.held for each in stock.appliances}
    plans = made(stock, NOW)
    assert {box.appliance_id for plan in plans for box in plan.boxes} == set(room)
    for plan in plans:
        placed = set()
        for box in plan.boxes:
            told = manifest_of(plan, box, held[box.appliance_id])
            assert sum(each.size_bytes for each in told.keep) <= room[box.appliance_id]
            kept = [(each.version_id, each.track_id) for each in told.keep]
            lacks = [key for key in kept if key not in held[box.appliance_id]]
            assert [(each.version_id, each.track_id) for each in told.fetch] == lacks
            plays = [each.expected_plays for each in told.fetch]
            assert plays == sorted(plays, reverse=True)
            placed |= set(kept)
        assert placed == wanted(plan)


@settings(max_examples=30)
@given(stocks())
def test_the_same_is_planned_of_the_same(stock: Stock) -> None:
    assert made(stock, NOW) == made(stock, NOW)


@settings(max_examples=30)
@given(stocks())
def test_what_is_explained_is_what_was_planned(stock: Stock) -> None:
    plans = made(stock, NOW)
    for plan in plans:
        for row in plan.rows:
            asked = AskedTrack(row.version_id, row.track_id, row.title_id, row.size_bytes, None)
            told = explanation(asked, [Decided(each) for each in plans], stock.appliances)
            (reason,) = [
                each
                for each in told.regions
                if (each.region, each.tier) == (plan.region, plan.tier)
            ]
            assert reason.wanted == row.wanted == bool(reason.on)
            assert reason.held == bool(reason.held_on)
            assert reason.expected_plays == pytest.approx(reason.title_plays * reason.share)
            assert reason.told.startswith("It ")
            assert reason.told.endswith(".")
            if reason.wanted and not reason.held:
                assert reason.told.startswith("It is brought:")
            if reason.held and reason.wanted:
                assert reason.told.startswith("It stays:")


def test_what_all_have_room_for_is_on_all_and_the_most_played_comes_first() -> None:
    stock = Stock(
        [version(0), version(1)], [appliance("a"), appliance("b")], played({0: 0.1, 1: 3.0})
    )
    plan = one_plan(stock)
    assert plan.roomy
    assert len(wanted(plan)) == 2 * len(TRACKS)
    for box in plan.boxes:
        assert len(box.rows) == 2 * len(TRACKS)
        first = [plan.rows[place] for place in box.rows[:3]]
        assert {(row.version_id, row.track_id) for row in first} == {
            ("ver_1", "en"),
            ("ver_1", "v2"),
            ("ver_1", "a1"),
        }


def test_before_anything_was_played_all_that_has_room_is_kept() -> None:
    plan = one_plan(Stock([version(0)], [appliance("a")], []))
    assert (plan.hours, len(wanted(plan))) == (0, len(TRACKS))


def test_without_room_for_all_the_most_played_is_wanted() -> None:
    stock = Stock(
        [version(n) for n in range(6)],
        [appliance("a", storage_bytes=2 * TITLE_BYTES)],
        played({n: 0.2 + n for n in range(6)}),
    )
    plan = one_plan(stock)
    assert not plan.roomy
    assert plan.cutoff > 0
    assert ("ver_5", "v2") in wanted(plan)
    assert ("ver_0", "v2") not in wanted(plan)
    assert plan.hours == 48


def test_room_that_nothing_is_worth_a_fetch_for_is_filled_by_the_next_best() -> None:
    rare = {n: 0.001 * (1 + n) for n in range(6)}
    stock = Stock(
        [version(n) for n in range(6)],
        [appliance("a", storage_bytes=5 * TITLE_BYTES)],
        played({**rare, 5: 2.0}),
    )
    plan = one_plan(stock)
    assert (plan.roomy, plan.cutoff) == (False, 0.0)
    assert {("ver_5", "v2"), ("ver_4", "v2"), ("ver_3", "v2")} <= wanted(plan)
    assert ("ver_0", "v2") not in wanted(plan)
    row = next(each for each in plan.rows if (each.version_id, each.track_id) == ("ver_4", "v2"))
    asked = AskedTrack(row.version_id, row.track_id, row.title_id, row.size_bytes, None)
    told = explanation(asked, [Decided(plan)], stock.appliances)
    assert "nothing else is wanted in its room" in told.regions[0].told


def test_little_changes_from_one_plan_to_the_next() -> None:
    versions = [version(n) for n in range(12)]
    boxes = [appliance(name, storage_bytes=2 * TITLE_BYTES) for name in "abc"]
    hours = played({n: 0.2 + 0.2 * n for n in range(12)})
    before = one_plan(Stock(versions, boxes, hours))
    after_an_hour = [
        replace(
            box,
            held={
                (before.rows[n].version_id, before.rows[n].track_id): before.rows[n].size_bytes
                for n in planned.rows
            },
        )
        for box, planned in zip(boxes, before.boxes, strict=True)
    ]
    last = played({n: 0.2 + 0.2 * n for n in range(12)}, 1)
    (after,) = made(Stock(versions, after_an_hour, hours + last), NOW + timedelta(hours=1))
    changed = wanted(before) ^ wanted(after)
    assert len(changed) <= 0.1 * len(wanted(before))


def test_regions_have_plans_of_their_own_by_their_own_clocks() -> None:
    stock = Stock(
        [version(n) for n in range(4)],
        [
            appliance("a", storage_bytes=int(1.2 * TITLE_BYTES)),
            appliance(
                "b",
                region="delhi",
                timezone="Asia/Kolkata",
                storage_bytes=int(1.2 * TITLE_BYTES),
            ),
        ],
        played({0: 3.0, 1: 0.1}) + played({0: 0.1, 1: 3.0}, region="delhi"),
    )
    delhi, oslo = made(stock, NOW)
    assert (delhi.region, delhi.local_time) == ("delhi", "01:05")
    assert (oslo.region, oslo.local_time) == ("oslo", "20:05")
    assert ("ver_1", "v2") in wanted(delhi)
    assert ("ver_1", "v2") not in wanted(oslo)
    assert ("ver_0", "v2") in wanted(oslo)


def test_the_storage_tier_is_planned_by_the_demand_of_all_regions() -> None:
    stock = Stock(
        [version(n) for n in range(4)],
        [
            appliance("a", storage_bytes=TITLE_BYTES),
            appliance("b", region="delhi", timezone="Asia/Kolkata", storage_bytes=TITLE_BYTES),
            appliance("s", tier="storage", storage_bytes=int(2.4 * TITLE_BYTES)),
        ],
        played({0: 3.0, 2: 0.05, 3: 0.05}) + played({1: 3.0, 2: 0.05, 3: 0.05}, region="delhi"),
    )
    delhi, oslo, storage = made(stock, NOW)
    assert [plan.tier for plan in (delhi, oslo, storage)] == ["edge", "edge", "storage"]
    assert {("ver_0", "v2"), ("ver_1", "v2")} <= wanted(storage)
    assert storage.rows[0].value == pytest.approx(delhi.rows[0].value + oslo.rows[0].value)


def test_a_replaced_version_is_not_planned_and_what_was_served_of_it_counts() -> None:
    quick = version(0, name="ver_q", quality="quick", days_ago=3, tracks=TRACKS[:3], first=0)
    full = version(0, name="ver_f", days_ago=0.1, first=100)
    box = appliance("a")
    served = played({0: 2.0})  # a1 is number 0; number 3 is nobody's
    plan = one_plan(Stock([quick, full], [box], served))
    assert {row.version_id for row in plan.rows} == {"ver_f"}
    by_track = {row.track_id: row.value for row in plan.rows}
    assert by_track["a1"] > 10
    of_quick = played({0: 2.0})
    for hour in of_quick:
        hour.tracks[hour.tracks == 3] = 2  # the quick version's picture, v1
    plan = one_plan(Stock([quick, full], [box], of_quick))
    by_track = {row.track_id: row.value for row in plan.rows}
    assert by_track["v1"] > by_track["v2"]
    assert by_track["en"] == pytest.approx(by_track["v1"] + by_track["v2"])


def test_a_launch_is_wanted_before_its_first_play() -> None:
    """Others that were new were played at once: so is this one expected to be."""
    versions = [version(n, days_ago=2 + n) for n in range(4)] + [version(4, days_ago=0.01)]
    old = [version(n, days_ago=200) for n in range(5, 9)]
    box = appliance("a", storage_bytes=6 * TITLE_BYTES)
    hours = played(dict.fromkeys(range(4), 2.0) | dict.fromkeys(range(5, 9), 0.05))
    plan = one_plan(Stock(versions + old, [box], hours))
    assert ("ver_4", "v2") in wanted(plan)


@pytest.mark.parametrize(("in_h", "is_wanted"), [(3, True), (20, True), (30, False), (999, False)])
def test_a_launch_ahead_is_wanted_in_the_day_before_it(in_h: float, is_wanted: bool) -> None:
    begun = [version(n, days_ago=2 + n) for n in range(4)]
    old = [version(n, days_ago=200) for n in range(5, 9)]
    ahead = version(4, days_ago=90, launch_in_h=in_h)
    box = appliance("a", storage_bytes=6 * TITLE_BYTES)
    hours = played(dict.fromkeys(range(4), 2.0) | dict.fromkeys(range(5, 9), 0.05))
    plan = one_plan(Stock([*begun, ahead, *old], [box], hours))
    assert (("ver_4", "v2") in wanted(plan)) == is_wanted


def test_a_new_title_is_expected_to_be_watched_as_others_of_its_series() -> None:
    versions = [version(n, days_ago=50, series="Loved") for n in range(4)]
    versions += [version(n, days_ago=50, series="Left") for n in range(4, 8)]
    versions += [version(8, launch_in_h=2, series="Loved"), version(9, launch_in_h=2)]
    versions += [version(10, launch_in_h=2, series="Left")]
    hours = played(dict.fromkeys(range(4), 3.0) | dict.fromkeys(range(4, 8), 0.1))
    plan = one_plan(Stock(versions, [appliance("a")], hours))
    loved, alone, left = (
        next(row.title_plays for row in plan.rows if row.version_id == f"ver_{n}")
        for n in (8, 9, 10)
    )
    assert loved > 1.3 * alone > 1.3 * 1.3 * left


def test_a_title_that_is_suddenly_asked_for_takes_the_place_of_a_cold_one() -> None:
    """Within three hours: all of one is held, and nobody has asked for it for a day."""
    usual: dict[int, float] = dict.fromkeys(range(4), 2.0)
    versions = [version(n, days_ago=200) for n in range(7)]
    cold = {(VersionId("ver_5"), facts.track_id): facts.size_bytes for facts in TRACKS}
    box = appliance("a", storage_bytes=4 * TITLE_BYTES, held=cold)
    before = played(usual | {4: 0.05, 5: 0.5}, 48, to_h=24)
    calm = [*before, *played(usual | {4: 0.05}, 24)]
    spike = [*before, *played(usual | {4: 0.05}, 21, to_h=3), *played(usual | {4: 30.0}, 3)]
    until, since = (one_plan(Stock(versions, [box], hours)) for hours in (calm, spike))
    assert ("ver_4", "v2") in wanted(since) - wanted(until)
    assert ("ver_5", "v2") not in wanted(since)
    assert max(since.rows, key=lambda row: row.title_plays).version_id == "ver_4"


def test_launches_that_were_under_way_at_the_first_hour_are_not_taken_to_grow() -> None:
    """Nobody told of the days before; each of these was played twice an hour, and is."""
    versions = [version(n, days_ago=2 + n) for n in range(4)]
    plan = one_plan(Stock(versions, [appliance("a")], played(dict.fromkeys(range(4), 2.0))))
    seen = [row.value for row in plan.rows if row.track_id == "v2"]
    assert min(seen) > 0.8 * max(seen)
    assert min(seen) > 2 * 24


def test_who_was_silent_for_a_day_while_others_told_has_no_part_in_a_plan() -> None:
    boxes = [appliance("a"), appliance("b", hours_ago=25)]
    plan = one_plan(Stock([version(0)], boxes, []))
    assert [box.appliance_id for box in plan.boxes] == ["a"]
    alone = one_plan(Stock([version(0)], [boxes[1]], []))
    assert [box.appliance_id for box in alone.boxes] == ["b"]
    assert made(Stock([version(0)], [], []), NOW) == []


def test_without_titles_there_is_an_empty_plan() -> None:
    plan = one_plan(Stock([], [appliance("a")], []))
    assert (plan.rows, [box.rows for box in plan.boxes]) == ([], [[]])


def test_a_manifest_that_says_the_same_has_the_same_id() -> None:
    stock = Stock([version(0)], [appliance("a")], [])
    plan = one_plan(stock)
    one = manifest_of(plan, plan.boxes[0], {})
    assert manifest_of(plan, plan.boxes[0], {}).manifest_id == one.manifest_id
    held = {(VersionId("ver_0"), "v1"): TRACKS[2].size_bytes}
    other = manifest_of(plan, plan.boxes[0], held)
    assert other.manifest_id != one.manifest_id
    assert len(other.fetch) == len(one.fetch) - 1
