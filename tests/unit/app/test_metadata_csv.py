"""Metadata as a table."""

from hypothesis import given
from hypothesis import strategies as st

from cuemark.app.cli.metadata_csv import COLUMNS, Sheet, written
from cuemark.contracts.catalog.exchange import WorkRow
from cuemark.contracts.catalog.metadata import (
    AgeRating,
    Credit,
    Details,
    OtherId,
    Text,
)
from cuemark.contracts.ids import PersonId, TermId

HEAD = "id,kind,parent,number,language,name,year,ratings,ids,credits\n"
PLAIN = st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1, max_size=12)
prose = PLAIN.map(str.strip).filter(bool)
words = st.text(alphabet="abcxyz09", min_size=1, max_size=8)
details = st.builds(
    Details,
    texts=st.lists(
        st.builds(Text, language=words, name=prose, synopsis=prose, synopsis_short=prose),
        min_size=1,
        max_size=3,
    ),
    original_language=words,
    year=st.none() | st.integers(1870, 2200),
    countries=st.lists(words, max_size=3),
    genres=st.lists(words.map(TermId), max_size=3),
    themes=st.lists(words.map(TermId), max_size=3),
    ratings=st.lists(st.builds(AgeRating, scheme=words, rating=words), max_size=3),
    ids=st.lists(st.builds(OtherId, scheme=words, value=words), max_size=3),
    credits=st.lists(
        st.builds(
            Credit,
            person_id=words.map(PersonId),
            role=st.sampled_from(["actor", "director"]),
            character=st.just("") | prose,
        ),
        max_size=3,
    ),
)
rows = st.lists(
    st.builds(
        WorkRow,
        id=words,
        kind=st.sampled_from(["series", "season", "movie"]),
        parent=words,
        number=st.none() | st.integers(0, 99),
        details=details,
    ),
    max_size=4,
    unique_by=lambda row: row.id,
)


@given(rows)
def test_what_is_written_is_read_back(there: list[WorkRow]) -> None:
    sheet = Sheet()
    sheet.read(written(there))
    assert (sheet.faults, sheet.rows) == ([], there)


@given(st.text(max_size=200) | st.text(max_size=100).map(lambda text: HEAD + text))
def test_any_text_is_read_or_told_to_be_wrong(text: str) -> None:
    sheet = Sheet()
    sheet.read(text)
    assert all(fault.place.startswith("line ") for fault in sheet.faults)
    for place, _ in enumerate(sheet.rows):
        assert sheet.place_of(f"works[{place}].details.year").startswith("line ")


def test_further_lines_of_an_id_add_languages_and_places_name_their_line() -> None:
    sheet = Sheet()
    sheet.read(
        f"{HEAD}show,series,,,en,The Show,1984,FSK:12;MPA:PG-13,imdb:tt0087332,\n"
        "s1,season,show,1,en,One,,,,director:per_1;actor:per_2:Eve: the first\n"
        'show,series,,,de,"Die\nSchau",,,,\n'
    )
    show, season = sheet.rows
    assert [text.language for text in show.details.texts] == ["en", "de"]
    assert [each.rating for each in show.details.ratings] == ["12", "PG-13"]
    assert season.details.credits[1].character == "Eve: the first"
    for place, told in (
        ("works[0].details.year", "line 2, year"),
        ("works[0].details.texts[1].name", "line 5, name"),
        ("works[0].details.texts", "line 2, texts"),
        ("works[1].number", "line 3, number"),
        ("works[1].details.credits[1].person_id", "line 3, credits"),
        ("works[1]", "line 3"),
        ("", ""),
    ):
        assert sheet.place_of(place) == told


def test_each_cell_that_cannot_be_is_told_by_its_line_and_column() -> None:
    sheet = Sheet()
    sheet.read(
        f"{HEAD}a,film,,one,en,A,MCM,FSK,imdb,actor\n"
        "b,,,,en,B,,,,chef:per_1\n"
        "c,movie,,,en,C,,,,,too,many\n"
    )
    assert [fault.place for fault in sheet.faults] == [
        *("line 2, kind", "line 2, number", "line 2, year", "line 2, ratings", "line 2, ids"),
        *("line 2, credits", "line 3, kind", "line 3, credits", "line 4"),
    ]


def test_a_head_without_what_is_needed_is_refused() -> None:
    sheet = Sheet()
    sheet.read("id,title\nx,y\n")
    assert [fault.message for fault in sheet.faults] == [
        "'title' is no column of ours",
        "'kind' is a column that is needed",
        "'name' is a column that is needed",
    ]
    assert sheet.rows == []
    assert set(COLUMNS) > {"id", "kind", "name"}
