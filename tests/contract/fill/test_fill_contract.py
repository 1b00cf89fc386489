"""What every caller of fill may rely on."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from cuemark.contracts.catalog import LaunchSet, TitleCreated
from cuemark.contracts.catalog.works import TitleDescribed
from cuemark.contracts.fill import (
    MOST_STOCKS,
    ExplainTitle,
    ExplainTrack,
    FillInvalid,
    FillPlan,
    GetHeld,
    GetManifest,
    GetPlan,
    Held,
    MakePlan,
    Manifest,
    TellServed,
    TrackBytes,
    UnknownTrack,
)
from cuemark.contracts.ids import ApplianceId, TitleId, VersionId
from cuemark.contracts.steering import UnknownAppliance
from cuemark.kit.errors import Unavailable
from tests.contract.fill.house import FILM_BYTES, NOW, SIZES, STORE, A, B, House


async def manifest(house: House, appliance_id: ApplianceId, known: str = "") -> Manifest:
    fill = await house.reached(appliance_id)
    return await fill.get_manifest(GetManifest(appliance_id=appliance_id, known=known))


async def plan_of(house: House) -> FillPlan:
    return await (await house.reached()).get_plan(GetPlan())


@contextlib.asynccontextmanager
async def kept(house: House) -> AsyncIterator[None]:
    """The keeper of the room runs meanwhile."""
    (keeper,) = house.room.keepers
    keeping = asyncio.create_task(keeper())
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def until_planned(house: House, version_id: VersionId) -> None:
    """Until the plan has a version, as the clock goes on."""
    async with asyncio.timeout(20):
        while version_id not in {each.version_id for each in (await manifest(house, A)).keep}:
            house.clock.advance(2)
            await asyncio.sleep(0.1)


async def test_an_appliance_that_tells_what_it_holds_is_told_what_it_is_to_have(
    house: House,
) -> None:
    film = await house.publish("film", "film")
    await house.held(A, [TrackBytes(film, "v1", SIZES["v1"])])
    assert await manifest(house, A) == Manifest(manifest_id="")
    (region,) = (await house.planned()).regions
    assert (region.region, region.tier, region.local_time) == ("oslo", "edge", "13:30")
    told = await manifest(house, A)
    assert {each.track_id: each.size_bytes for each in told.keep} == SIZES
    assert {each.track_id for each in told.fetch} == set(SIZES) - {"v1"}
    (appliance,) = region.appliances
    assert (appliance.held_bytes, appliance.wanted_bytes) == (SIZES["v1"], FILM_BYTES)
    assert (appliance.fetch_bytes, appliance.fetches) == (FILM_BYTES - SIZES["v1"], 3)
    again = await manifest(house, A, told.manifest_id)
    assert again == Manifest(manifest_id=told.manifest_id, unchanged=True)


async def test_the_first_plan_and_that_of_a_new_version_come_by_themselves(house: House) -> None:
    async with kept(house):
        film = await house.publish("film", "film")
        await house.held(A)
        await until_planned(house, film)
        better = await house.publish("film", "better", days_ago=0)
        await until_planned(house, better)
    assert {each.version_id for each in (await manifest(house, A)).keep} == {better}


async def test_what_is_told_twice_counts_once_and_in_any_order(house: House) -> None:
    film = await house.publish("film", "film")
    await house.held(A)
    await house.served(A, {film: 1.0}, hours_ago=2)
    await house.served(A, {film: 3.0}, hours_ago=1)
    await house.planned()
    expected = await house.plays("film")
    assert expected > 1
    await house.served(A, {film: 2.0}, hours_ago=1)
    await house.served(A, {film: 1.0}, hours_ago=2)
    (region,) = (await house.planned()).regions
    assert (await house.plays("film"), region.hours) == (expected, 2)


async def test_what_appliances_of_a_region_served_adds_up(house: House) -> None:
    film = await house.publish("film", "film")
    for appliance_id in (A, B):
        await house.held(appliance_id)
    await house.served(A, {film: 3.0})
    await house.planned()
    of_one = await house.plays("film")
    await house.served(B, {film: 3.0})
    await house.planned()
    assert await house.plays("film") > 1.5 * of_one


async def test_what_the_storage_tier_served_is_no_demand_and_it_is_planned_for_all(
    house: House,
) -> None:
    film = await house.publish("film", "film")
    await house.held(A)
    await house.held(B, region="delhi", timezone="Asia/Kolkata")
    await house.held(STORE)
    await house.served(STORE, {film: 50.0})
    plans = (await house.planned()).regions
    assert [(plan.region, plan.tier) for plan in plans] == [
        ("delhi", "edge"),
        ("oslo", "edge"),
        ("oslo", "storage"),
    ]
    assert [plan.hours for plan in plans] == [0, 0, 0]
    await house.served(A, {film: 2.0})
    await house.planned()
    delhi, oslo, storage = await house.reasons("film", "v2")
    assert storage.expected_plays == pytest.approx(delhi.expected_plays + oslo.expected_plays)
    assert storage.on == [STORE]


async def test_without_room_for_all_the_most_played_is_kept(house: House) -> None:
    films = [await house.publish(f"film{n}", f"film{n}") for n in range(4)]
    await house.held(A, storage_bytes=2 * FILM_BYTES)
    for hours_ago in range(1, 30):
        plays = {film: 0.1 + n for n, film in enumerate(films)}
        await house.served(A, plays, hours_ago=hours_ago)
    (region,) = (await house.planned()).regions
    assert region.cutoff_plays > 0
    told = await manifest(house, A)
    assert sum(each.size_bytes for each in told.keep) <= 2 * FILM_BYTES
    kept_tracks = {(each.version_id, each.track_id) for each in told.keep}
    assert (films[3], "v2") in kept_tracks
    assert (films[0], "v2") not in kept_tracks
    (most,), (least,) = await house.reasons("film3", "v2"), await house.reasons("film0", "v2")
    assert (most.wanted, most.on, least.wanted, least.on) == (True, [A], False, [])
    assert most.rank < least.rank
    assert most.told.startswith("It is brought: ")
    assert least.told.startswith("It is not brought: ")


async def test_what_is_held_is_told_in_parts_and_the_last_one_makes_it_whole(
    house: House,
) -> None:
    film = await house.publish("film", "film")
    both = [TrackBytes(film, track_id, SIZES[track_id]) for track_id in ("v1", "v2")]
    await house.held(A, both)
    await house.planned()
    await house.held(A, both[:1], part=1, parts=2)
    (region,) = (await plan_of(house)).regions
    assert region.appliances[0].held_bytes == SIZES["v1"] + SIZES["v2"]
    await house.held(A, [], part=2, parts=2)
    (region,) = (await plan_of(house)).regions
    assert region.appliances[0].held_bytes == SIZES["v1"]
    await house.held(A, [], part=1, parts=3)
    with pytest.raises(FillInvalid, match="begin again with part 1"):
        await house.held(A, both, part=3, parts=3)
    (region,) = (await plan_of(house)).regions
    assert region.appliances[0].held_bytes == SIZES["v1"]


async def test_what_cannot_be_is_refused_and_changes_nothing(house: House) -> None:
    film = await house.publish("film", "film")
    await house.held(A)
    await house.served(A, {film: 1.0})
    before = await house.planned()
    fill = await house.reached(A)
    served = [TrackBytes(film, "v2", 2**50)]
    for hour in (NOW, NOW.replace(minute=0) + timedelta(hours=1), NOW - timedelta(days=60)):
        with pytest.raises(FillInvalid, match="hour"):
            await fill.tell_served(
                TellServed(appliance_id=A, region="oslo", hour=hour, served=served)
            )
    with pytest.raises(FillInvalid, match="timezone"):
        await house.held(A, timezone="Nowhere")
    assert (await house.planned()).regions[0].expected_plays == before.regions[0].expected_plays


async def test_who_is_not_enrolled_is_refused(house: House) -> None:
    stranger = ApplianceId("stranger")
    for telling in (house.held(stranger), house.served(stranger, {}), manifest(house, stranger)):
        with pytest.raises(UnknownAppliance):
            await telling


async def test_what_was_served_of_a_replaced_version_counts_for_the_new_one(house: House) -> None:
    quick = await house.publish("film", "quick", quality="quick")
    await house.held(A)
    for hours_ago in (1, 2, 3):
        await house.served(A, {quick: 2.0}, hours_ago=hours_ago)
    await house.planned()
    before = await house.plays("film")
    full = await house.publish("film", "full", days_ago=0)
    await house.planned()
    assert {each.version_id for each in (await manifest(house, A)).keep} == {full}
    assert await house.plays("film") == pytest.approx(before)
    fill = await house.reached()
    of_quick = await fill.explain_track(ExplainTrack(version_id=quick, track_id="v2"))
    (reason,) = of_quick.regions
    assert not reason.wanted
    assert f"{full} has taken the place" in reason.told


async def test_what_nobody_published_cannot_be_explained(house: House) -> None:
    film = await house.publish("film", "film")
    await house.planned()
    fill = await house.reached()
    for version_id, track_id in ((film, "v9"), (VersionId("ver_x"), "v1"), (film, "\0")):
        with pytest.raises(UnknownTrack):
            await fill.explain_track(ExplainTrack(version_id=version_id, track_id=track_id))
    for title_id in ("ttl_x", "\0"):
        with pytest.raises(UnknownTrack):
            await fill.explain_title(ExplainTitle(title_id=TitleId(title_id)))
    found = await fill.explain_track(ExplainTrack(version_id=film, track_id="v1"))
    assert (found.title_id, found.size_bytes, found.regions) == ("ttl_film", SIZES["v1"], [])


async def test_without_encoding_the_plan_stands_and_says_what_it_lacks(house: House) -> None:
    film = await house.publish("film", "film")
    await house.held(A)
    await house.planned()
    house.studio.away = True
    late = await house.publish("late", "late")
    plan = await house.planned()
    assert plan.unread == 1
    assert "encoding does not answer" in plan.trouble
    assert {each.version_id for each in (await manifest(house, A)).keep} == {film}
    house.studio.away = False
    house.clock.advance(61)
    plan = await house.planned()
    assert (plan.unread, plan.trouble) == (0, "")
    assert {each.version_id for each in (await manifest(house, A)).keep} == {film, late}


async def test_what_was_served_before_its_version_could_be_read_counts(house: House) -> None:
    house.studio.away = True
    film = await house.publish("film", "film")
    await house.held(A)
    await house.served(A, {film: 3.0, VersionId("ver_unheard"): 3.0})
    assert (await house.planned()).regions[0].tracks == 0
    house.studio.away = False
    house.clock.advance(61)
    (region,) = (await house.planned()).regions
    assert region.tracks == len(SIZES)
    assert await house.plays("film") > 1


async def test_a_version_that_cannot_be_read_holds_up_no_other(house: House) -> None:
    bad = await house.publish("bad", "bad", index=b"{")
    film = await house.publish("film", "film")
    await house.held(A)
    plan = await house.planned()
    assert plan.unread == 1
    assert bad in plan.trouble
    assert {each.version_id for each in (await manifest(house, A)).keep} == {film}


async def test_a_plan_that_fails_leaves_the_last_one(house: House) -> None:
    await house.publish("film", "film")
    await house.held(A)
    before = await house.planned()
    told = await manifest(house, A)
    async with house.database.transaction() as transaction:
        await transaction.execute(text("update fill.appliance set timezone = 'Nowhere'"))
    with pytest.raises(FillInvalid):
        await house.planned()
    after = await plan_of(house)
    assert "Nowhere" in after.trouble
    assert after.regions == before.regions
    assert await manifest(house, A) == told
    await house.held(A)
    assert (await house.planned()).trouble == ""


async def test_one_process_plans_at_a_time_and_all_tell_the_same(house: House) -> None:
    await house.publish("film", "film")
    await house.held(A)
    rooms = [house.room, house.built()]
    plans = await asyncio.gather(*(room.service.make_plan(MakePlan()) for room in rooms))
    assert plans[0].regions[0].appliances == plans[1].regions[0].appliances


async def test_who_plans_for_another_is_waited_for(house: House) -> None:
    await house.held(A)
    async with house.database.transaction() as transaction:
        await transaction.execute(
            text("update fill.turn set holder = 'another', until_at = :at"),
            {"at": house.clock.now() + timedelta(seconds=40)},
        )

    async def pass_time(seconds: float) -> None:
        await asyncio.sleep(0.3)
        house.clock.advance(seconds)

    passing = asyncio.create_task(pass_time(31))
    with pytest.raises(Unavailable):
        await house.planned()
    await passing
    passing = asyncio.create_task(pass_time(10))
    assert len((await house.planned()).regions) == 1
    await passing


async def test_a_launch_is_placed_before_it_and_not_long_before(house: House) -> None:
    films = [await house.publish(f"film{n}", f"film{n}", days_ago=2 + n) for n in range(6)]
    await house.held(A, storage_bytes=4 * FILM_BYTES)
    for hours_ago in range(1, 40):
        await house.served(A, dict.fromkeys(films[:2], 4.0), hours_ago=hours_ago)
        await house.served(A, dict.fromkeys(films[2:], 0.05), hours_ago=hours_ago)
    title_id, far = TitleId("ttl_new"), house.clock.now() + timedelta(days=9)
    # What the catalog told last counts, also where it is read first.
    near = house.clock.now() + timedelta(hours=9)
    told = TitleCreated(
        title_id=title_id,
        name="New",
        synopsis="",
        created_at=house.clock.now(),
        series="Show",
        launch_at=far,
    )
    await house.tell_catalog(told)
    new = await house.publish("new", "new", days_ago=0)
    await house.planned()
    assert (new, "v2") not in {(e.version_id, e.track_id) for e in (await manifest(house, A)).keep}
    later = house.clock.now() + timedelta(seconds=1)
    await house.tell_catalog(LaunchSet(title_id=title_id, launch_at=near, set_at=later))
    await house.tell_catalog(told)
    async with kept(house):
        await until_planned(house, new)
    assert (new, "v2") in {(e.version_id, e.track_id) for e in (await manifest(house, A)).fetch}
    fill = await house.reached()
    explained = await fill.explain_title(ExplainTitle(title_id=title_id))
    assert (explained.series, explained.launch_at) == ("Show", near)
    for series, seconds in (("The Show", 9), ("Show", 5)):
        at = house.clock.now() + timedelta(seconds=seconds)
        described = TitleDescribed(
            title_id=title_id, name="New", synopsis="", series=series, described_at=at
        )
        await house.tell_catalog(described)
        await house.tell_catalog(told)
    explained = await fill.explain_title(ExplainTitle(title_id=title_id))
    assert (explained.series, explained.launch_at) == ("The Show", near)


async def test_a_restart_forgets_nothing(house: House) -> None:
    film = await house.publish("film", "film")
    await house.held(A)
    await house.served(A, {film: 2.0})
    before = await house.planned()
    told = await manifest(house, A)
    after = house.built()
    assert await after.service.get_plan(GetPlan()) == before
    assert await after.service.get_manifest(GetManifest(appliance_id=A)) == told


async def test_what_is_older_than_six_weeks_is_forgotten(house: House) -> None:
    film = await house.publish("film", "film")
    await house.held(A)
    await house.served(A, {film: 2.0})
    assert (await house.planned()).regions[0].hours == 1
    house.clock.advance(43 * 86400)
    await house.publish("film", "newer", days_ago=0)
    await house.held(A)
    assert (await house.planned()).regions[0].hours == 0
    async with house.database.transaction() as transaction:
        left = await transaction.execute(text("select count(*) from fill.served"))
        assert left.scalar_one() == 0
    fill = await house.reached()
    replaced = ExplainTrack(version_id=film, track_id="v2")
    assert not (await fill.explain_track(replaced)).regions[0].wanted
    house.clock.advance(43 * 86400)
    await house.planned()
    with pytest.raises(UnknownTrack):
        await fill.explain_track(replaced)


async def test_who_was_silent_for_a_day_while_others_told_is_in_no_plan(house: House) -> None:
    await house.publish("film", "film")
    await house.held(A)
    await house.held(B)
    house.clock.advance(25 * 3600)
    await house.held(A)
    (region,) = (await house.planned()).regions
    assert [each.appliance_id for each in region.appliances] == [A]
    assert await manifest(house, B) == Manifest(manifest_id="")


async def held_of(house: House, known: dict[ApplianceId, int] | None = None) -> Held:
    return await (await house.reached()).get_held(GetHeld(known=known or {}))


async def test_what_is_held_is_told_once_as_parts_of_what_plays_take(house: House) -> None:
    film, other = await house.publish("film", "film"), await house.publish("other", "other")
    await house.planned()
    assert await held_of(house) == Held()
    await house.held(A, [TrackBytes(film, "v2", SIZES["v2"]), TrackBytes(film, "v1", 1)])
    await house.held(B, [TrackBytes(film, track, size) for track, size in SIZES.items()])
    told = await held_of(house)
    assert {each.appliance_id: each.percent for each in told.news} == {
        A: {film: 78},
        B: {film: 100},
    }
    assert {each.storage_bytes for each in told.news} == {100 * FILM_BYTES}
    known = {each.appliance_id: each.revision for each in told.news}
    assert await held_of(house, known) == Held()
    await house.held(B, [TrackBytes(other, track, size) for track, size in SIZES.items()])
    (news,) = (await held_of(house, known)).news
    assert (news.appliance_id, news.percent) == (B, {other: 100})
    assert news.revision != known[B]


async def test_what_nobody_plays_counts_little_of_what_is_held(house: House) -> None:
    """Only v2 and its sound are played: whoever has these has nearly all that plays take."""
    film = await house.publish("film", "film")
    await house.held(A, [TrackBytes(film, track, SIZES[track]) for track in ("v2", "a-en")])
    await house.held(B, [TrackBytes(film, "v1", SIZES["v1"])])
    for hours_ago in range(1, 25):
        await house.served(A, {film: 20.0}, hours_ago=hours_ago)
    await house.planned()
    percent = {each.appliance_id: each.percent.get(film, 0) for each in (await held_of(house)).news}
    assert percent[A] > 95
    assert percent[B] < 5


async def test_what_is_held_comes_a_few_appliances_at_a_time(house: House) -> None:
    await house.publish("film", "film")
    for appliance_id in (A, B, STORE):
        await house.held(appliance_id)
    first = await held_of(house)
    known = {each.appliance_id: each.revision for each in first.news}
    assert (len(known), first.more) == (MOST_STOCKS, True)
    rest = await held_of(house, known)
    known |= {each.appliance_id: each.revision for each in rest.news}
    assert (sorted(known), rest.more) == ([A, B, STORE], False)
    gone = await held_of(house, {**known, ApplianceId("edge-z"): 7})
    assert gone == Held(gone=[ApplianceId("edge-z")])


async def test_a_version_that_was_held_before_it_was_read_counts_once_it_is(house: House) -> None:
    film = await house.publish("film", "film")
    house.studio.away = True
    await house.held(A, [TrackBytes(film, "v2", SIZES["v2"])])
    with contextlib.suppress(Unavailable):
        await house.planned()
    (before,) = (await held_of(house)).news
    assert before.percent == {}
    house.studio.away = False
    house.clock.advance(600)
    await house.planned()
    (after,) = (await held_of(house, {A: before.revision})).news
    assert after.percent == {film: 78}
