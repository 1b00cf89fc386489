"""What every caller may rely on where metadata goes in and out as a whole."""

import msgspec
import pytest

from cuemark.contracts.catalog import GetTitle, ListTitles
from cuemark.contracts.catalog.exchange import (
    Exported,
    ExportMetadata,
    ImportMetadata,
    PersonRow,
    WorkRow,
)
from cuemark.contracts.catalog.metadata import (
    AgeRating,
    Credit,
    Details,
    ListPeople,
    NameIn,
    OtherId,
    Term,
    Text,
)
from cuemark.contracts.catalog.works import GetWork, ListWorks, ShowWork
from cuemark.contracts.ids import PersonId, TermId, TitleId, WorkId
from cuemark.kit.pages import PageInvalid, cursor_of
from tests.contract.catalog.house import House, called

ANNA = PersonRow(id="anna", names=[NameIn(language="en", name="Anna")])
HEIST = Term(
    term_id=TermId("heist"), vocabulary="theme", names=[NameIn(language="en", name="Heist")]
)


def a_file(*, dry_run: bool = False) -> ImportMetadata:
    """Rows out of order: what lies in another comes before it."""
    credits = [Credit(person_id=PersonId("anna"), role="director")]
    details = Details(
        texts=[Text(language="en", name="Pilot", synopsis="It begins.")],
        credits=credits,
        themes=[TermId("heist")],
        ratings=[AgeRating(scheme="fsk", rating="FSK 12")],
    )
    return ImportMetadata(
        people=[ANNA],
        terms=[HEIST],
        works=[
            WorkRow(id="e1", kind="episode", parent="s1", number=1, details=details),
            WorkRow(id="s1", kind="season", parent="show", number=1, details=called("One")),
            WorkRow(id="show", kind="series", details=called("The Show", "en")),
        ],
        dry_run=dry_run,
    )


async def exported(house: House) -> Exported:
    """All pages as one, each of two works."""
    whole = Exported(people=[], terms=[], works=[])
    cursor = ""
    while True:
        page = await house.catalog.export_metadata(ExportMetadata(after=cursor, limit=2))
        people = {each.id: each for each in (*whole.people, *page.people)}
        terms = {each.term_id: each for each in (*whole.terms, *page.terms)}
        whole = Exported(
            people=[*people.values()],
            terms=[*terms.values()],
            works=[*whole.works, *page.works],
        )
        cursor = page.next_cursor
        if not cursor:
            return whole


async def test_a_file_becomes_works_that_lie_in_one_another(house: House) -> None:
    done = await house.catalog.import_metadata(a_file())
    assert (done.created, done.changed, done.unchanged, done.faults) == (5, 0, 0, [])
    await house.view.catch_up()
    (title,) = (await house.catalog.list_titles(ListTitles(published_only=False))).titles
    assert (title.name, title.synopsis, title.series) == ("Pilot", "It begins.", "The Show")
    shown = await house.catalog.show_work(ShowWork(work_id=WorkId(title.title_id), seen_only=False))
    assert [work.name for work in shown.above] == ["The Show", "One"]
    assert (shown.credits[0].name, shown.themes[0].name) == ("Anna", "Heist")
    assert shown.ratings[0].rating == "12"


async def test_the_same_file_again_changes_nothing(house: House) -> None:
    await house.catalog.import_metadata(a_file())
    again = await house.catalog.import_metadata(a_file())
    assert (again.created, again.changed, again.unchanged) == (0, 0, 5)
    assert len((await exported(house)).works) == 3


async def test_an_export_is_a_file_that_can_be_imported(house: House) -> None:
    await house.catalog.import_metadata(a_file())
    there = await exported(house)
    again = ImportMetadata(people=there.people, terms=there.terms, works=there.works)
    done = await house.catalog.import_metadata(again)
    assert (done.created, done.changed, done.unchanged, done.faults) == (0, 0, 5, [])
    renamed = [
        msgspec.structs.replace(row, details=called("Two")) if row.kind == "season" else row
        for row in there.works
    ]
    done = await house.catalog.import_metadata(ImportMetadata(works=renamed))
    assert (done.created, done.changed, done.unchanged) == (0, 1, 2)


async def test_a_trial_changes_nothing(house: House) -> None:
    done = await house.catalog.import_metadata(a_file(dry_run=True))
    assert (done.created, done.faults) == (5, [])
    assert (await exported(house)).works == []
    assert (await house.catalog.list_people(ListPeople())).people == []
    await house.view.catch_up()
    page = await house.catalog.list_titles(ListTitles(published_only=False))
    assert page.titles == []


async def test_each_fault_is_told_with_its_place_and_nothing_is_imported(house: House) -> None:
    good = a_file()
    bad = Details(
        texts=[Text(language="xx-nope", name="A"), Text(language="de", name="B\0")],
        year=1,
        countries=["DE", "XX"],
        ratings=[AgeRating(scheme="FSK", rating="13"), AgeRating(scheme="nope", rating="1")],
        genres=[TermId("nope")],
        credits=[Credit(person_id=PersonId("nobody"), role="actor")],
        ids=[OtherId(scheme="eidr", value="10.5240/7791-8534-2C23-9030-8610-6")],
    )
    works = [
        *good.works,
        WorkRow(id="bad", kind="movie", parent="s1", details=bad),
        WorkRow(id="twin", kind="episode", parent="s1", number=1, details=called("Twin")),
        WorkRow(id="lost", kind="season", parent="nowhere", number=1, details=called("Lost")),
        WorkRow(id="show", kind="series", details=called("Again")),
    ]
    people = [*good.people, PersonRow(id="ben", names=[])]
    request = msgspec.structs.replace(good, works=works, people=people)
    done = await house.catalog.import_metadata(request)
    assert {fault.place for fault in done.faults} == {
        "people[1].names",
        "works[3]",
        "works[3].details.texts[0].language",
        "works[3].details.texts[1].name",
        "works[3].details.year",
        "works[3].details.countries[1]",
        "works[3].details.ratings[0]",
        "works[3].details.ratings[1]",
        "works[3].details.genres[0]",
        "works[3].details.credits[0].person_id",
        "works[3].details.ids[0]",
        "works[4].number",
        "works[5].parent",
        "works[6]",
    }
    assert done.fault_count == len(done.faults)
    assert (await exported(house)).works == []


async def test_numbers_can_be_swapped_in_one_file(house: House) -> None:
    show = await house.hold("series", "The Show")
    season = await house.hold("season", "One", show, 1)
    one, two = await house.episode("A", season, 1), await house.episode("B", season, 2)
    rows = [
        WorkRow(id=work_id, kind="episode", parent=season, number=number, details=called(name))
        for work_id, name, number in ((one, "A", 2), (two, "B", 1))
    ]
    done = await house.catalog.import_metadata(ImportMetadata(works=rows))
    assert (done.changed, done.faults) == (2, [])
    page = await house.catalog.list_works(ListWorks(parent_id=season, seen_only=False))
    assert [work.name for work in page.works] == ["B", "A"]


async def test_a_row_is_known_by_the_ids_of_others(house: House) -> None:
    show = await house.hold("series", "The Show")
    imdb = OtherId(scheme="imdb", value="tt0087332")
    await house.describe(show, ids=[imdb])
    details = msgspec.structs.replace(called("The Show, renamed"), ids=[imdb])
    row = WorkRow(id="row-1", kind="series", details=details)
    done = await house.catalog.import_metadata(ImportMetadata(works=[row]))
    assert (done.created, done.changed) == (0, 1)
    work = await house.catalog.get_work(GetWork(work_id=show))
    assert work.details.ids == [imdb, OtherId(scheme="imported", value="row-1")]


async def test_a_kind_that_holds_does_not_become_one_that_plays(house: House) -> None:
    show = await house.hold("series", "The Show")
    row = WorkRow(id=show, kind="movie", details=called("The Film"))
    done = await house.catalog.import_metadata(ImportMetadata(works=[row]))
    assert [fault.place for fault in done.faults] == ["works[0].kind"]


async def test_a_file_of_too_many_rows_is_refused_at_once(house: House) -> None:
    rows = [WorkRow(id=f"r{n}", kind="series", details=called("A")) for n in range(2001)]
    done = await house.catalog.import_metadata(ImportMetadata(works=rows))
    assert done.fault_count == 1
    assert "2000 are the most" in done.faults[0].message


async def test_a_cursor_of_no_moment_is_refused(house: House) -> None:
    for key in ("a", "2020-01-01", "0001-01-01T00:00:00+23:59"):
        with pytest.raises(PageInvalid):
            await house.catalog.export_metadata(ExportMetadata(after=cursor_of(key, "x")))


async def test_a_title_that_was_imported_can_be_asked_for_at_once(house: House) -> None:
    row = WorkRow(id="film", kind="movie", details=called("Film", "en"))
    await house.catalog.import_metadata(ImportMetadata(works=[row]))
    (there,) = (await exported(house)).works
    title = await house.catalog.get_title(GetTitle(title_id=TitleId(there.id)))
    assert (title.name, title.language, title.quality) == ("Film", "en", "none")
