"""What every caller may rely on of works: how they lie in one another, and who sees them."""

from datetime import timedelta

import msgspec
import pytest

from cuemark.contracts.catalog import ChooseArtwork, GetTitle, ListTitles, SetLaunch
from cuemark.contracts.catalog.exchange import ImportMetadata, WorkRow
from cuemark.contracts.catalog.metadata import Credit, NameIn, OtherId, PutPerson, Text
from cuemark.contracts.catalog.works import (
    CreateWork,
    DescribeWork,
    GetWork,
    Kind,
    ListTitlesWithin,
    ListWorks,
    NothingToUndo,
    PlaceWork,
    RemoveWork,
    ShowWork,
    UndoWork,
    UnknownWork,
    WorkChangedMeanwhile,
    WorkInUse,
    WorkInvalid,
    WorkMisplaced,
)
from cuemark.contracts.ids import PersonId, TermId, TitleId, WorkId
from cuemark.kit.pages import PageInvalid, cursor_of
from tests.contract.catalog.house import House, called


async def inside(house: House, parent_id: WorkId, *, seen_only: bool = False) -> list[str]:
    """The names of what lies in a work, two a page."""
    names: list[str] = []
    cursor = ""
    while True:
        request = ListWorks(parent_id=parent_id, seen_only=seen_only, after=cursor, limit=2)
        page = await house.catalog.list_works(request)
        names += [work.name for work in page.works]
        cursor = page.next_cursor
        if not cursor:
            return names


async def series_of(house: House, title_id: WorkId) -> str:
    await house.view.catch_up()
    return (await house.catalog.get_title(GetTitle(title_id=TitleId(title_id)))).series


async def test_a_series_holds_its_seasons_and_episodes_in_their_order(house: House) -> None:
    world = await house.hold("franchise", "World")
    show = await house.hold("series", "The Show", world)
    second = await house.hold("season", "Two", show, 2)
    first = await house.hold("season", "One", show, 1)
    for number in (3, 1, 2):
        await house.episode(f"E{number}", first, number)
    await house.episode("E1 of Two", second, 1)
    assert await inside(house, world) == ["The Show"]
    assert await inside(house, show) == ["One", "Two"]
    assert await inside(house, first) == ["E1", "E2", "E3"]
    shown = await house.catalog.show_work(ShowWork(work_id=first))
    assert [work.name for work in shown.above] == ["World", "The Show"]


async def test_a_number_is_one_works_alone_and_swapped_by_a_free_one(house: House) -> None:
    show = await house.hold("series", "The Show")
    season = await house.hold("season", "One", show, 1)
    one, two = await house.episode("A", season, 1), await house.episode("B", season, 2)
    with pytest.raises(WorkMisplaced, match=rf"number 2 .* {two}"):
        await house.catalog.place_work(PlaceWork(work_id=one, parent_id=season, number=2))
    with pytest.raises(WorkMisplaced, match="number 1"):
        await house.hold("season", "Again", show, 1)
    for work_id, number in ((one, 3), (two, 1), (one, 2)):
        place = PlaceWork(work_id=work_id, parent_id=season, number=number)
        assert (await house.catalog.place_work(place)).number == number
    assert await inside(house, season) == ["B", "A"]


async def test_nothing_can_come_to_lie_in_itself(house: House) -> None:
    world = await house.hold("franchise", "World")
    show = await house.hold("series", "The Show", world)
    season = await house.hold("season", "One", show, 1)
    film = await house.episode("E", season, 1)
    holders = (world, show, season, film)
    for lower, work_id in enumerate(holders):
        for parent_id in holders[lower:]:
            place = PlaceWork(work_id=work_id, parent_id=parent_id, number=1)
            with pytest.raises(WorkMisplaced):
                await house.catalog.place_work(place)


async def test_a_film_does_not_become_its_own_trailer(house: House) -> None:
    film = WorkId((await house.create("Film")).title_id)
    place = PlaceWork(work_id=film, parent_id=film, kind="supplemental")
    with pytest.raises(WorkMisplaced, match="in itself"):
        await house.catalog.place_work(place)
    row = WorkRow(id="film", kind="supplemental", parent=film, details=called("Film"))
    imported = msgspec.structs.replace(row.details, ids=[OtherId(scheme="house", value="film-1")])
    await house.describe(film, ids=imported.ids)
    rows = [msgspec.structs.replace(row, details=imported)]
    done = await house.catalog.import_metadata(ImportMetadata(works=rows))
    assert done.faults[0].message == "A work cannot lie in itself"


async def test_what_holds_something_is_not_removed(house: House) -> None:
    show = await house.hold("series", "The Show")
    season = await house.hold("season", "One", show, 1)
    with pytest.raises(WorkInUse, match="lies in it"):
        await house.catalog.remove_work(RemoveWork(work_id=show))
    await house.catalog.remove_work(RemoveWork(work_id=season))
    await house.catalog.remove_work(RemoveWork(work_id=show))
    with pytest.raises(UnknownWork):
        await house.catalog.get_work(GetWork(work_id=show))
    film = WorkId((await house.create("Film")).title_id)
    with pytest.raises(WorkInUse, match="launch"):
        await house.catalog.remove_work(RemoveWork(work_id=film))


async def test_each_change_can_be_undone_and_removal_too(house: House) -> None:
    show = await house.hold("series", "The Show")
    other = await house.hold("series", "Another")
    season = await house.hold("season", "One", show, 1)
    with pytest.raises(NothingToUndo):
        await house.catalog.undo_work(UndoWork(work_id=season))
    await house.describe(season, texts=[Text(language="en", name="Uno")])
    await house.catalog.place_work(PlaceWork(work_id=season, parent_id=other, number=4))
    undone = await house.catalog.undo_work(UndoWork(work_id=season))
    assert (undone.parent_id, undone.number, undone.change) == (show, 1, "undone")
    again = await house.catalog.undo_work(UndoWork(work_id=season))
    assert (again.parent_id, again.number) == (other, 4)
    before = await house.catalog.remove_work(RemoveWork(work_id=season))
    back = await house.catalog.undo_work(UndoWork(work_id=season))
    assert (back.parent_id, back.details) == (before.parent_id, before.details)
    assert back.revision > before.revision
    assert await house.catalog.get_work(GetWork(work_id=season)) == back


async def test_an_undo_that_cannot_be_any_more_is_refused(house: House) -> None:
    show = await house.hold("series", "The Show")
    season = await house.hold("season", "One", show, 1)
    await house.catalog.remove_work(RemoveWork(work_id=season))
    await house.hold("season", "Other", show, 1)
    with pytest.raises(WorkMisplaced, match="number 1"):
        await house.catalog.undo_work(UndoWork(work_id=season))
    with pytest.raises(UnknownWork):
        await house.catalog.undo_work(UndoWork(work_id=WorkId("sea_" + "0" * 26)))


async def test_a_title_is_of_the_series_that_it_lies_in(house: House) -> None:
    show = await house.hold("series", "The Show")
    season = await house.hold("season", "One", show, 1)
    film = await house.episode("E", season, 1)
    assert await series_of(house, film) == "The Show"
    await house.describe(show, texts=[Text(language="en", name="The Renamed Show")])
    assert await series_of(house, film) == "The Renamed Show"
    other = await house.hold("series", "Other")
    await house.catalog.place_work(PlaceWork(work_id=season, parent_id=other, number=1))
    assert await series_of(house, film) == "Other"
    await house.catalog.place_work(PlaceWork(work_id=film))
    assert await series_of(house, film) == ""


async def test_a_title_that_is_renamed_is_shown_by_its_new_name_also_in_the_view(
    house: House,
) -> None:
    title = await house.create("Flim")
    await house.publish(title.title_id, "ver_1", "full")
    texts = [Text(language="en", name="Film", synopsis="Of film."), Text(language="de", name="Der")]
    await house.describe(WorkId(title.title_id), texts=texts)
    await house.view.catch_up()
    (listed,) = (await house.catalog.list_titles(ListTitles())).titles
    assert (listed.name, listed.synopsis, listed.language) == ("Film", "Of film.", "en")
    told = await house.catalog.list_titles(ListTitles(languages=["de-AT", "en"]))
    assert (told.titles[0].name, told.titles[0].synopsis) == ("Der", "Of film.")
    one = await house.catalog.get_title(GetTitle(title_id=title.title_id, languages=["de"]))
    assert one == told.titles[0]


async def test_of_two_changes_from_one_revision_the_second_is_refused(house: House) -> None:
    show = await house.hold("series", "The Show")
    work = await house.catalog.get_work(GetWork(work_id=show))
    request = DescribeWork(work_id=show, revision=work.revision, details=called("A"))
    after = await house.catalog.describe_work(request)
    with pytest.raises(WorkChangedMeanwhile, match="revision 2"):
        await house.catalog.describe_work(request)
    assert await house.catalog.get_work(GetWork(work_id=show)) == after


async def test_members_see_what_holds_something_that_they_can_play(house: House) -> None:
    show = await house.hold("series", "The Show")
    season = await house.hold("season", "One", show, 1)
    draft = await house.episode("Draft", season, 1, published=False)
    for work_id in (show, season, draft):
        with pytest.raises(UnknownWork):
            await house.catalog.show_work(ShowWork(work_id=work_id))
        await house.catalog.show_work(ShowWork(work_id=work_id, seen_only=False))
    assert (await house.catalog.list_works(ListWorks())).works == []
    holders = ListTitlesWithin(work_ids=[show, season])
    assert (await house.catalog.list_titles_within(holders)).title_ids == {}
    film = await house.episode("E", season, 2)
    assert await inside(house, season, seen_only=True) == ["E"]
    within = (await house.catalog.list_titles_within(holders)).title_ids
    assert within == {show: [TitleId(film)], season: [TitleId(film)]}
    shown = await house.catalog.show_work(ShowWork(work_id=show))
    assert shown.work.artwork_key == "artwork/ver_E"
    later = house.clock.now() + timedelta(days=1)
    await house.catalog.set_launch(SetLaunch(title_id=TitleId(film), launch_at=later))
    await house.view.catch_up()
    with pytest.raises(UnknownWork):
        await house.catalog.show_work(ShowWork(work_id=show))


async def test_the_next_episode_is_the_next_that_can_be_seen(house: House) -> None:
    show = await house.hold("series", "The Show")
    seasons = [await house.hold("season", f"S{n}", show, n) for n in (0, 1, 2)]
    special = await house.episode("Special", seasons[0], 1)
    one = await house.episode("S1E1", seasons[1], 1)
    await house.episode("Draft", seasons[1], 2, published=False)
    three = await house.episode("S1E3", seasons[1], 3)
    last = await house.episode("S2E1", seasons[2], 1)
    for work_id, following in ((one, three), (three, last), (last, None), (special, None)):
        shown = await house.catalog.show_work(ShowWork(work_id=work_id))
        assert str(shown.next_title_id) == str(following), work_id


async def test_a_work_is_told_in_its_readers_language_and_an_episode_inherits(
    house: House,
) -> None:
    anna = await house.catalog.put_person(
        PutPerson(names=[NameIn(language="en", name="Anna"), NameIn(language="ru", name="Анна")])
    )
    show = await house.hold("series", "The Show")
    season = await house.hold("season", "One", show, 1)
    film = await house.episode("E", season, 1)
    await house.describe(
        show,
        texts=[Text(language="en", name="The Show"), Text(language="de", name="Die Schau")],
        genres=[TermId("drama")],
        countries=["DE"],
    )
    credits = [Credit(person_id=anna.person_id, role="director")]
    await house.describe(film, credits=credits)
    german = ShowWork(work_id=film, languages=["de-CH", "ru"])
    shown = await house.catalog.show_work(german)
    assert [work.name for work in shown.above] == ["Die Schau", "One"]
    assert [term.name for term in shown.genres] == ["Drama"]
    assert (shown.countries, shown.credits[0].name) == (["DE"], "Анна")
    assert shown.languages == ["de"]


async def test_works_are_found_by_their_genre_and_people(house: House) -> None:
    made = [WorkId((await house.create(f"Film {n}")).title_id) for n in range(5)]
    person = await house.catalog.put_person(PutPerson(names=[NameIn(language="und", name="Ben")]))
    for work_id in made[:3]:
        credit = Credit(person_id=person.person_id, role="actor", character="Himself")
        await house.describe(work_id, genres=[TermId("drama")], credits=[credit])
    for asked in (
        ListWorks(term_id=TermId("drama"), seen_only=False, limit=2),
        ListWorks(person_id=person.person_id, seen_only=False, limit=2),
    ):
        first = await house.catalog.list_works(asked)
        rest = await house.catalog.list_works(
            ListWorks(
                term_id=asked.term_id,
                person_id=asked.person_id,
                seen_only=False,
                limit=2,
                after=first.next_cursor,
            )
        )
        assert [work.work_id for work in (*first.works, *rest.works)] == made[2::-1]
    nobody = ListWorks(person_id=PersonId("per_0"), seen_only=False)
    assert (await house.catalog.list_works(nobody)).works == []


async def test_an_eidr_is_one_works_alone(house: House) -> None:
    one, two = await house.hold("series", "One"), await house.hold("series", "Two")
    eidr = OtherId(scheme="eidr", value="10.5240/7791-8534-2c23-9030-8610-5")
    work = await house.describe(one, ids=[eidr])
    assert work.details.ids[0].value == "10.5240/7791-8534-2C23-9030-8610-5"
    with pytest.raises(WorkInvalid, match=rf"^ids\[0\]: the work {one} has this id"):
        await house.describe(two, ids=[eidr])
    with pytest.raises(WorkInvalid, match="check character"):
        await house.describe(two, ids=[OtherId(scheme="eidr", value=eidr.value[:-1] + "X")])
    await house.describe(one, ids=[])
    await house.describe(two, ids=[eidr])


@pytest.mark.parametrize(
    ("kind", "parent", "number", "refusal"),
    [
        ("season", None, 1, WorkMisplaced),
        ("season", "series", None, WorkInvalid),
        ("season", "franchise", 1, WorkMisplaced),
        ("series", "franchise", -1, WorkInvalid),
        ("series", None, 1, WorkInvalid),
        ("movie", None, None, WorkInvalid),
    ],
)
async def test_what_cannot_lie_so_is_refused(
    house: House, kind: Kind, parent: Kind | None, number: int | None, refusal: type[Exception]
) -> None:
    parent_id = await house.hold(parent, "Parent") if parent else None
    with pytest.raises(refusal):
        await house.hold(kind, "Child", parent_id, number)


async def test_ids_and_cursors_that_are_none_are_refused(house: House) -> None:
    show = await house.hold("series", "The Show")
    for work_id in ("", "x", "ser_0", "' or true --", "ser_" + "0" * 26, "ser_\0"):
        with pytest.raises(UnknownWork):
            await house.catalog.get_work(GetWork(work_id=WorkId(work_id)))
        with pytest.raises(UnknownWork):
            await house.catalog.list_works(ListWorks(parent_id=WorkId(work_id)))
    odd = [("2020-W01-1T00:00Z", "x"), ("१", " 1", "x")]
    for keys in odd:
        asked = ListWorks(parent_id=show if len(keys) == 3 else None, after=cursor_of(*keys))
        assert (await house.catalog.list_works(asked)).works == []
    bad = (
        ("a", "b"),
        ("2020-01-01", "b"),
        ("0001-01-01T00:00:00+23:59", "b"),
        ("1", "b", "c"),
        ("9" * 30, "1", "x"),
    )
    for cursor in ("x", *(cursor_of(*each) for each in bad)):
        for parent_id in (None, show):
            with pytest.raises(PageInvalid):
                await house.catalog.list_works(ListWorks(parent_id=parent_id, after=cursor))


async def test_a_picture_can_be_for_readers_of_one_language(house: House) -> None:
    title = await house.create("Film")
    await house.publish(title.title_id, "ver_1", "full")
    request = ChooseArtwork(title_id=title.title_id, artwork_key="artwork/de", language="de")
    assert (await house.catalog.choose_artwork(request)).artwork_key == "artwork/de"
    for languages, key in (
        (["de-AT"], "artwork/de"),
        (["fr"], "artwork/ver_1"),
        ([], "artwork/ver_1"),
    ):
        asked = GetTitle(title_id=title.title_id, languages=languages)
        assert (await house.catalog.get_title(asked)).artwork_key == key
    back = ChooseArtwork(title_id=title.title_id, artwork_key="", language="de")
    assert (await house.catalog.choose_artwork(back)).artwork_key == "artwork/ver_1"
    work = await house.catalog.get_work(GetWork(work_id=WorkId(title.title_id)))
    assert [text.language for text in work.details.texts] == ["und"]


async def test_details_that_cannot_be_are_refused_with_their_place(house: House) -> None:
    request = CreateWork(kind="series", details=called(""))
    with pytest.raises(WorkInvalid, match=r"^texts"):
        await house.catalog.create_work(request)
    show = await house.hold("series", "The Show")
    with pytest.raises(WorkInvalid, match=r"^genres\[0\]: 'nope' is no genre"):
        await house.describe(show, genres=[TermId("nope")])
    for person_id in ("per_x", "", "per_\0", "a b"):
        credits = [Credit(person_id=PersonId(person_id), role="actor")]
        with pytest.raises(WorkInvalid, match=r"^credits\[0\]\.person_id"):
            await house.describe(show, credits=credits)
    for term_id in ("a\0", "", "Ö"):
        with pytest.raises(WorkInvalid, match=r"^themes\[0\]"):
            await house.describe(show, themes=[TermId(term_id)])
