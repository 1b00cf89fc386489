"""For which profiles a work is, however the catalog is reached."""

import pytest

from cuemark.contracts.catalog.metadata import AgeRating, Text
from cuemark.contracts.catalog.works import AdmitWorks, ListWorks, ShowWork
from cuemark.contracts.ids import WorkId
from cuemark.kit.pages import PageInvalid
from tests.contract.catalog.house import House


async def admitted(
    house: House, *work_ids: WorkId, maturity: int, territory: str = "DE"
) -> list[WorkId]:
    asked = AdmitWorks(work_ids=[*work_ids], maturity=maturity, territory=territory)
    return (await house.catalog.admit_works(asked)).work_ids


async def rate(house: House, work_id: WorkId, **ratings: str) -> None:
    given = [AgeRating(scheme=scheme, rating=rating) for scheme, rating in ratings.items()]
    await house.describe(work_id, ratings=given)


async def test_what_nobody_rated_is_for_grown_ups(house: House) -> None:
    film = WorkId((await house.create("Film")).title_id)
    assert await admitted(house, film, maturity=17) == []
    assert await admitted(house, film, maturity=18) == [film]


async def test_the_rating_of_the_territory_counts_else_the_strictest(house: House) -> None:
    film = WorkId((await house.create("Film")).title_id)
    await rate(house, film, FSK="6", BBFC="15")
    assert await admitted(house, film, maturity=6, territory="DE") == [film]
    assert await admitted(house, film, maturity=14, territory="GB") == []
    assert await admitted(house, film, maturity=14, territory="FR") == []
    assert await admitted(house, film, maturity=15, territory="") == [film]


async def test_an_episode_counts_as_its_season_or_series_says(house: House) -> None:
    show = await house.hold("series", "The Show")
    season = await house.hold("season", "One", show, 1)
    own, plain = await house.episode("A", season, 1), await house.episode("B", season, 2)
    await rate(house, show, FSK="12")
    await rate(house, own, FSK="16")
    assert await admitted(house, own, plain, show, season, maturity=12) == [plain, show, season]
    await rate(house, season, FSK="6")
    assert await admitted(house, own, plain, show, season, maturity=6) == [plain, season]


async def test_a_franchise_speaks_for_nothing_in_it_and_a_trailer_for_itself(
    house: House,
) -> None:
    world = await house.hold("franchise", "World")
    show = await house.hold("series", "The Show", world)
    episode = await house.episode("A", show, 1)
    await rate(house, world, FSK="0")
    assert await admitted(house, world, show, episode, maturity=6) == [world, show]


async def test_what_there_is_not_is_for_nobody(house: House) -> None:
    assert await admitted(house, WorkId("ttl_none"), maturity=18) == []


async def test_so_many_are_asked_for_at_once(house: House) -> None:
    with pytest.raises(PageInvalid):
        await admitted(house, maturity=6)
    with pytest.raises(PageInvalid):
        await admitted(house, *[WorkId("ttl_none")] * 201, maturity=6)


async def test_a_picture_is_told_to_be_the_works_own_or_that_of_a_title_in_it(
    house: House,
) -> None:
    show = await house.hold("series", "The Show")
    episode = await house.episode("A", show, 1)
    shown = await house.catalog.show_work(ShowWork(work_id=show))
    assert (shown.work.artwork_key, shown.work.artwork_own) == ("artwork/ver_A", False)
    (listed,) = (await house.catalog.list_works(ListWorks(parent_id=show))).works
    assert (listed.work_id, listed.artwork_own) == (episode, True)
    await house.describe(show, texts=[Text(language="en", name="S", artwork_key="artwork/own")])
    shown = await house.catalog.show_work(ShowWork(work_id=show))
    assert (shown.work.artwork_key, shown.work.artwork_own) == ("artwork/own", True)
