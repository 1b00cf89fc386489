"""What every caller of the catalog may rely on, however it is reached."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from cuemark.contracts.catalog import (
    ChooseArtwork,
    CreateTitle,
    GetTitle,
    ListTitles,
    SetLaunch,
    TitleInvalid,
    UnknownTitle,
)
from cuemark.contracts.ids import TitleId
from cuemark.kit.pages import PageInvalid
from tests.contract.catalog.house import House


async def test_a_title_is_found_at_once_after_its_creation(house: House) -> None:
    created = await house.create("  Sintel ")
    assert created.name == "Sintel"
    assert created.quality == "none"
    assert await house.catalog.get_title(GetTitle(title_id=created.title_id)) == created


async def test_a_title_reads_the_same_once_the_view_has_it(house: House) -> None:
    created = await house.create("Sintel")
    await house.view.catch_up()
    assert await house.catalog.get_title(GetTitle(title_id=created.title_id)) == created


async def test_an_id_that_no_title_has_is_refused(house: House) -> None:
    for title_id in ("", "x", "ttl_0", "' or true --", "ttl_" + "0" * 26, "ttl_\0" + "0" * 25):
        with pytest.raises(UnknownTitle):
            await house.catalog.get_title(GetTitle(title_id=TitleId(title_id)))


async def test_the_published_version_is_shown(house: House) -> None:
    title = await house.create("Sintel")
    await house.publish(title.title_id, "ver_quick", "quick")
    shown = await house.catalog.get_title(GetTitle(title_id=title.title_id))
    assert (shown.version_id, shown.quality, shown.duration_s, shown.artwork_key) == (
        "ver_quick",
        "quick",
        52.2,
        "artwork/ver_quick",
    )


async def test_a_full_version_replaces_a_quick_one_and_never_the_reverse(house: House) -> None:
    title = await house.create("Sintel")
    await house.publish(title.title_id, "ver_quick", "quick")
    await house.publish(title.title_id, "ver_full", "full")
    await house.publish(title.title_id, "ver_quick_again", "quick")
    shown = await house.catalog.get_title(GetTitle(title_id=title.title_id))
    assert (shown.version_id, shown.quality) == ("ver_full", "full")


async def test_a_chosen_artwork_stands_whatever_is_published_until_it_is_given_back(
    house: House,
) -> None:
    title = await house.create("Sintel")
    await house.publish(title.title_id, "ver_quick", "quick")
    choice = ChooseArtwork(title_id=title.title_id, artwork_key="artworks/3.jpg")
    chosen = await house.catalog.choose_artwork(choice)
    assert (chosen.artwork_key, chosen.artwork_chosen) == (choice.artwork_key, True)
    await house.view.catch_up()
    await house.publish(title.title_id, "ver_full", "full")
    shown = await house.catalog.get_title(GetTitle(title_id=title.title_id))
    assert (shown.version_id, shown.artwork_key) == ("ver_full", choice.artwork_key)
    back = await house.catalog.choose_artwork(ChooseArtwork(title_id=title.title_id))
    assert (back.artwork_key, back.artwork_chosen) == ("artwork/ver_full", False)
    await house.view.catch_up()
    assert await house.catalog.get_title(GetTitle(title_id=title.title_id)) == back
    (listed,) = (await house.catalog.list_titles(ListTitles())).titles
    assert listed == back
    with pytest.raises(UnknownTitle):
        await house.catalog.choose_artwork(ChooseArtwork(title_id=TitleId("ttl_" + "0" * 26)))


async def test_the_name_stands_on_the_artwork_as_long_as_it_is_asked_for(house: House) -> None:
    title = await house.create("Sintel")
    await house.publish(title.title_id, "ver_full", "full")
    for key, with_name in (("artworks/3.jpg", True), ("", True), ("artworks/3.jpg", False)):
        choice = ChooseArtwork(title_id=title.title_id, artwork_key=key, with_name=with_name)
        chosen = await house.catalog.choose_artwork(choice)
        assert chosen.artwork_with_name is with_name
        await house.view.catch_up()
        assert await house.catalog.get_title(GetTitle(title_id=title.title_id)) == chosen


async def test_of_two_choices_the_later_stands_where_the_clock_was_set_back(house: House) -> None:
    title = await house.create("Sintel")
    for key, moved_s in (("artwork/1", 60), ("artwork/2", -3600)):
        house.clock.jump(moved_s)
        choice = ChooseArtwork(title_id=title.title_id, artwork_key=key)
        await house.catalog.choose_artwork(choice)
        await house.view.catch_up()
    shown = await house.catalog.get_title(GetTitle(title_id=title.title_id))
    assert shown.artwork_key == "artwork/2"


async def test_members_see_published_titles_and_operators_all(house: House) -> None:
    first, second = await house.create("First"), await house.create("Second")
    await house.publish(first.title_id, "ver_1", "quick")
    published = await house.catalog.list_titles(ListTitles())
    everything = await house.catalog.list_titles(ListTitles(published_only=False))
    assert [title.title_id for title in published.titles] == [first.title_id]
    assert [title.title_id for title in everything.titles] == [second.title_id, first.title_id]


async def seen(house: House) -> list[TitleId]:
    """What members see."""
    return [title.title_id for title in (await house.catalog.list_titles(ListTitles())).titles]


async def test_a_title_is_seen_from_its_launch_on(house: House) -> None:
    launch_at = house.clock.now() + timedelta(hours=1)
    there = launch_at.astimezone(timezone(timedelta(hours=5, minutes=30)))
    request = CreateTitle(name="Pilot", series=" The  Show ", launch_at=there)
    title = await house.catalog.create_title(request)
    assert (title.series, title.launch_at, title.launched) == ("The  Show", launch_at, False)
    await house.publish(title.title_id, "ver_1", "full")
    ahead = await house.catalog.get_title(GetTitle(title_id=title.title_id))
    assert (ahead.series, ahead.launch_at, ahead.launched) == ("The  Show", launch_at, False)
    assert await seen(house) == []
    everything = await house.catalog.list_titles(ListTitles(published_only=False))
    assert everything.titles == [ahead]
    house.clock.advance((launch_at - house.clock.now()).total_seconds())
    assert (await house.catalog.get_title(GetTitle(title_id=title.title_id))).launched
    assert await seen(house) == [title.title_id]


async def test_a_launch_can_be_put_off_and_be_now(house: House) -> None:
    title = await house.create("Film")
    await house.publish(title.title_id, "ver_1", "full")
    later = house.clock.now() + timedelta(days=30)
    for launch_at, launched in ((later, False), (None, True), (later, False), (later, False)):
        request = SetLaunch(title_id=title.title_id, launch_at=launch_at)
        told = await house.catalog.set_launch(request)
        assert (told.launch_at, told.launched) == (launch_at, launched)
        await house.view.catch_up()
        assert await house.catalog.get_title(GetTitle(title_id=title.title_id)) == told
        assert await seen(house) == ([title.title_id] if launched else [])


async def test_a_launch_that_names_no_moment_is_refused(house: House) -> None:
    title = await house.create("Film")
    naive = datetime(2030, 1, 31, 20)
    for launch_at in (naive, datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)):
        with pytest.raises(TitleInvalid, match="The launch"):
            await house.catalog.create_title(CreateTitle(name="x", launch_at=launch_at))
        request = SetLaunch(title_id=title.title_id, launch_at=launch_at)
        with pytest.raises(TitleInvalid, match="The launch"):
            await house.catalog.set_launch(request)
    with pytest.raises(UnknownTitle):
        await house.catalog.set_launch(SetLaunch(title_id=TitleId("ttl_" + "0" * 26)))
    with pytest.raises(TitleInvalid):
        await house.catalog.create_title(CreateTitle(name="x", series="a\0b"))


async def test_pages_cover_the_list_once_while_titles_are_added(house: House) -> None:
    made = [(await house.create(f"Film {number}")).title_id for number in range(7)]
    await house.view.catch_up()
    seen: list[str] = []
    cursor = ""
    for _ in range(4):
        page = await house.catalog.list_titles(
            ListTitles(after=cursor, limit=2, published_only=False)
        )
        seen += [title.title_id for title in page.titles]
        cursor = page.next_cursor
        await house.create("Newer")
        await house.view.catch_up()
    assert cursor == ""
    assert seen == made[::-1]


async def test_a_page_out_of_bounds_is_refused(house: House) -> None:
    for limit in (0, -1, 201, 2**40):
        with pytest.raises(PageInvalid, match="1 to 200"):
            await house.catalog.list_titles(ListTitles(limit=limit))


async def test_a_cursor_that_no_page_gave_is_refused(house: House) -> None:
    for cursor in ("x", "é", "!!!!", "a" * 100_000, "WyJcdTAwMDAiXQ", "W10"):
        with pytest.raises(PageInvalid, match="not one of ours"):
            await house.catalog.list_titles(ListTitles(after=cursor))


async def test_a_name_is_text_whatever_it_says(house: House) -> None:
    for name in ("'; drop table catalog.title; --", "Robert\\'); --", "🎬 السينما"):
        title = await house.create(name)
        await house.view.catch_up()
        assert (await house.catalog.get_title(GetTitle(title_id=title.title_id))).name == name


async def test_a_name_that_cannot_be_shown_is_refused(house: House) -> None:
    for name in ("", "   ", "a\0b", "a\nb", "\u202egnp.exe", "x" * 1_000_000):
        with pytest.raises(TitleInvalid):
            await house.catalog.create_title(CreateTitle(name=name))
    await house.view.catch_up()
    everything = await house.catalog.list_titles(ListTitles(published_only=False))
    assert everything.titles == []
