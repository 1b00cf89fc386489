"""What is found: names in any writing, people, genres and themes, and what is like a title."""

import pytest

from cuemark.contracts.catalog.metadata import NameIn, PutPerson, Text
from cuemark.contracts.catalog.works import UnknownWork
from cuemark.contracts.ids import WorkId
from cuemark.contracts.search import FindLike, Match, SearchFor, SearchInvalid, Viewpoint
from cuemark.kit.pages import PageInvalid
from tests.contract.search.house import House


async def test_a_title_is_found_by_its_name_with_why(house: House) -> None:
    film = await house.title("The Northern Lighthouse", year=1971)
    await house.title("A Quiet Street")
    await house.settle()
    (hit,) = (await house.ask("northern lighthouse")).hits
    assert (hit.what, hit.hit_id, hit.name) == ("work", film, "The Northern Lighthouse")
    assert hit.why == [Match(field="title", text="The Northern Lighthouse")]
    assert hit.work is not None
    assert (hit.work.year, hit.work.quality) == (1971, "full")


SLIPS = [
    "lighthuose",
    "lighhouse",
    "lighthousse",
    "kighthouse",
    "litehouse",
    "nothern lighthouse",
    "lighthouse norhtern",
    "light house",
    "LIGHTHOUSE!",
    "nor lighthouse",
]


async def test_a_title_is_found_with_a_slip_of_the_finger(house: House) -> None:
    await house.title("The Northern Lighthouse")
    await house.title("A Quiet Street")
    await house.settle()
    found = {typed: (await house.names(typed))[:1] for typed in SLIPS}
    assert found == {typed: ["The Northern Lighthouse"] for typed in SLIPS}


BEGINNINGS = ["n", "no", "nor", "northern l", "the nor", "lightho", "nrothern"]


async def test_names_are_suggested_while_they_are_typed(house: House) -> None:
    await house.title("The Northern Lighthouse")
    await house.title("A Quiet Street")
    await house.settle()
    found = {typed: await house.suggested(typed) for typed in BEGINNINGS}
    assert found == {typed: ["The Northern Lighthouse"] for typed in BEGINNINGS}


WRITINGS = [
    ("Солярис", "solaris"),
    ("Solaris", "Солярис"),
    ("Титаник", "titanic"),
    ("Titanic", "Титаник"),
    ("Οδύσσεια", "odysseia"),
    ("Odysseia", "Οδύσσεια"),
    ("となりのトトロ", "totoro"),
    ("Tonari no Totoro", "トトロ"),
    ("ナウシカ", "naushika"),
    ("风云", "feng yun"),
    ("ماتريكس", "matrix"),
    ("Matrix", "ماتريكس"),
    ("Amélie", "amelie"),
    ("Die Straße", "strasse"),
    ("Spider-Man", "spiderman"),
    ("Spiderman", "spider man"),
    ("Ocean’s Eleven", "oceans eleven"),
    ("ﬁlm Ⅷ", "film viii"),
]


async def test_a_name_is_found_in_another_writing(house: House) -> None:
    for name in sorted({name for name, _ in WRITINGS}):
        await house.title({"und": name})
    await house.title("A Quiet Street")
    await house.settle()
    found = {(name, typed): name in (await house.names(typed))[:2] for name, typed in WRITINGS}
    assert all(found.values()), found


async def test_a_title_is_found_by_each_of_its_names_and_called_as_the_reader_reads(
    house: House,
) -> None:
    await house.title({"de": "Der Leuchtturm im Norden", "en": "The Northern Lighthouse"})
    await house.settle()
    for typed in ("leuchtturm", "lighthouse"):
        assert await house.names(typed, languages=["en"]) == ["The Northern Lighthouse"]
        assert await house.names(typed, languages=["de-CH"]) == ["Der Leuchtturm im Norden"]
        assert await house.names(typed, languages=["fr"]) == ["Der Leuchtturm im Norden"]


async def test_people_are_found_and_what_they_made(house: House) -> None:
    mara = await house.person({"en": "Mara Lindqvist", "ru": "Мара Линдквист"})
    await house.title("A Quiet Street", cast=[mara])
    await house.title("Salt", director=mara)
    await house.title("Elsewhere")
    await house.settle()
    for typed in ("mara lindqvist", "lindqvist", "Мара", "lindkvist", "mara lindq"):
        found = await house.ask(typed)
        assert (found.hits[0].what, found.hits[0].hit_id) == ("person", mara)
        works = {hit.name: hit.why for hit in found.hits[1:]}
        assert set(works) == {"A Quiet Street", "Salt"}
        assert works["Salt"][0].field == "person"


async def test_genres_and_themes_are_found_in_any_language_and_what_is_of_them(
    house: House,
) -> None:
    await house.term("lighthouses", "theme", en="Lonely lighthouses", de="Einsame Leuchttürme")
    await house.title("Salt", themes=["lighthouses"], genres=["horror"])
    await house.title("Elsewhere", genres=["comedy"])
    await house.settle()
    by_theme = (await house.ask("leuchttürme", languages=["en"])).hits
    assert [(hit.what, hit.name) for hit in by_theme] == [
        ("theme", "Lonely lighthouses"),
        ("work", "Salt"),
    ]
    by_genre = (await house.ask("komödie", languages=["de"])).hits
    assert [(hit.what, hit.name) for hit in by_genre] == [
        ("genre", "Komödie"),
        ("work", "Elsewhere"),
    ]
    assert by_genre[1].why[0].field == "genre"


async def test_words_of_different_fields_are_met_together(house: House) -> None:
    mara = await house.person("Mara Lindqvist")
    await house.title("Salt", cast=[mara], genres=["horror"])
    await house.title("Pepper", cast=[mara], genres=["comedy"])
    await house.settle()
    (hit, *_) = (await house.ask("mara horror")).hits
    assert hit.name == "Salt"
    assert {each.field for each in hit.why} == {"person", "genre"}


async def test_a_synopsis_is_searched_where_nothing_else_tells(house: House) -> None:
    await house.title("Salt", synopsis="A keeper counts the drowned gramophones of the bay.")
    await house.title("Elsewhere", synopsis="Nothing of the kind.")
    await house.settle()
    (hit,) = (await house.ask("drowned gramophones")).hits
    assert hit.name == "Salt"
    assert [each.field for each in hit.why] == ["text", "text"]


async def test_a_series_is_found_and_its_episodes_after_it(house: House) -> None:
    series, _ = await house.series("Harbour Watch", "The Ferry", "The Storm")
    await house.settle()
    found = (await house.ask("harbour watch")).hits
    assert found[0].hit_id == series
    assert {hit.name for hit in found[1:]} == {"The Ferry", "The Storm"}
    assert found[1].why == [Match(field="series", text="Harbour Watch")]
    assert await house.names("storm") == ["The Storm"]


async def test_of_two_that_fit_alike_the_one_that_is_played_comes_first(house: House) -> None:
    await house.title("Salt One")
    second = await house.title("Salt Two")
    await house.play(second, 8)
    await house.settle()
    assert await house.names("salt") == ["Salt Two", "Salt One"]
    third = await house.title("Salt Six")
    await house.play(third, 24)
    await house.settle()
    assert await house.names("salt") == ["Salt Six", "Salt Two", "Salt One"]


async def test_plays_of_long_ago_count_for_less(house: House) -> None:
    once, now = await house.title("Salt Two"), await house.title("Salt One")
    await house.play(once, 16)
    house.clock.advance(400 * 86400)
    await house.play(now, 4)
    await house.settle()
    assert await house.names("salt") == ["Salt One", "Salt Two"]


async def test_what_was_watched_lifts_what_is_like_it(house: House) -> None:
    seen = await house.title("Elsewhere", genres=["horror"], themes=[])
    await house.title("Salt One", genres=["comedy"])
    await house.title("Salt Two", genres=["horror"])
    await house.settle()
    assert (await house.names("salt", watched=[seen]))[0] == "Salt Two"
    other = await house.title("Nowhere", genres=["comedy"])
    await house.settle()
    assert (await house.names("salt", watched=[other]))[0] == "Salt One"


async def test_what_is_like_a_title_is_found_by_genres_themes_and_people(house: House) -> None:
    await house.term("sea", "theme", en="The sea")
    mara = await house.person("Mara Lindqvist")
    salt = await house.title("Salt", genres=["horror"], themes=["sea"], cast=[mara])
    near = await house.title("Brine", genres=["horror"], themes=["sea"], cast=[mara])
    far = await house.title("Foam", genres=["comedy"], themes=["sea"])
    await house.title("Sand", genres=["western"])
    await house.settle()
    found = await house.search.like(FindLike(work_id=WorkId(salt)))
    assert [hit.hit_id for hit in found.hits] == [near, far]
    assert found.like == "Salt"
    for typed in ("something like salt", "like Salt", "similar to slat", "Filme wie Salt"):
        named = await house.ask(typed)
        assert ([hit.hit_id for hit in named.hits], named.like) == ([near, far], "Salt")


async def test_a_name_that_begins_with_like_is_a_name(house: House) -> None:
    await house.title("Like Salt in the Wind")
    await house.title("Salt in the Wind", genres=["horror"])
    await house.settle()
    found = await house.ask("like salt in the wind")
    assert (found.hits[0].name, found.like) == ("Like Salt in the Wind", "")


async def test_changes_are_taken_in(house: House) -> None:
    mara = await house.person("Mara Lindqvist")
    film = await house.title("Salt", cast=[mara], genres=["horror"])
    await house.settle()
    await house.describe(WorkId(film), credits=[], genres=[])
    await house.settle()
    assert await house.names("lindqvist") == []
    series, (episode,) = await house.series("Harbour Watch", "The Ferry")
    await house.settle()
    assert (await house.names("harbour watch ferry"))[0] == "The Ferry"
    work = WorkId(series)
    await house.describe(work, texts=[Text(language="en", name="Pier Patrol")])
    await house.settle()
    assert await house.names("harbour watch") == []
    assert {*await house.names("pier patrol")} == {"Pier Patrol", "The Ferry"}
    assert episode in {hit.hit_id for hit in (await house.ask("pier patrol")).hits}


async def test_a_person_who_is_called_otherwise_is_found_so(house: House) -> None:
    mara = await house.person("Mara Lindqvist")
    await house.title("Salt", cast=[mara])
    await house.settle()
    names = [NameIn(language="en", name="Mara Oyelaran")]
    await house.catalog.put_person(PutPerson(person_id=mara, names=names))
    await house.settle()
    assert await house.names("oyelaran") == ["Mara Oyelaran", "Salt"]
    assert await house.names("lindqvist") == []


STRANGE = ["", "   ", "!!!", "\u200b", "🎬", "' or 1=1 --", "%", "a & !b | (:*", "\\"]


async def test_any_text_is_a_question(house: House) -> None:
    await house.title("Salt")
    await house.settle()
    for text in STRANGE:
        await house.ask(text)
        await house.suggested(text)


INVALID = [
    SearchFor(text="x" * 201),
    SearchFor(text="a\0b"),
    SearchFor(text="a", viewpoint=Viewpoint(territory="de")),
    SearchFor(text="a", viewpoint=Viewpoint(territory="Germany")),
]


async def test_a_question_that_cannot_be_is_refused(house: House) -> None:
    await house.settle()
    for asked in INVALID:
        with pytest.raises(SearchInvalid):
            await house.search.search(asked)


NO_PAGES = [
    SearchFor(text="a", limit=0),
    SearchFor(text="a", limit=201),
    SearchFor(text="a", after="nonsense"),
    SearchFor(text="a", after="WyJhIiwiYiJd"),
]


async def test_a_page_that_cannot_be_is_refused(house: House) -> None:
    await house.settle()
    for asked in NO_PAGES:
        with pytest.raises(PageInvalid):
            await house.search.search(asked)


async def test_what_is_like_nothing_that_there_is_is_refused(house: House) -> None:
    await house.settle()
    with pytest.raises(UnknownWork):
        await house.search.like(FindLike(work_id=WorkId("ttl_01arz3ndektsv4rrffq69g5fav")))


async def test_pages_have_each_hit_once(house: House) -> None:
    titles = {await house.title(f"Salt {word}") for word in ("One", "Two", "Six", "Ten", "Nine")}
    await house.settle()
    found: list[str] = []
    after, pages = "", 0
    while True:
        page = await house.search.search(SearchFor(text="salt", limit=2, after=after))
        found += [hit.hit_id for hit in page.hits]
        after, pages = page.next_cursor, pages + 1
        if not after:
            break
    assert (sorted(found), pages) == (sorted(titles), 3)
