"""What every caller may rely on of people, and of the lists of genres and themes."""

import pytest

from cuemark.contracts.catalog.metadata import (
    Credit,
    ListPeople,
    ListTerms,
    NameIn,
    OtherId,
    PutPerson,
    RemovePerson,
    RemoveTerm,
    Term,
)
from cuemark.contracts.catalog.works import UnknownPerson, UnknownTerm, WorkInUse, WorkInvalid
from cuemark.contracts.ids import PersonId, TermId
from tests.contract.catalog.house import House


def named(*names: tuple[str, str]) -> list[NameIn]:
    return [NameIn(language=language, name=name) for language, name in names]


async def test_people_are_found_by_any_of_their_names(house: House) -> None:
    made = [
        await house.catalog.put_person(PutPerson(names=named(*names)))
        for names in (
            [("en", "Anna Karenina"), ("ru", "Анна Каренина")],
            [("en", "Ben")],
            [("de", "Annaliese")],
        )
    ]
    for asked, expected in (("ANNA", [0, 2]), ("каренина", [0]), ("", [0, 1, 2]), ("%", [])):
        first = await house.catalog.list_people(ListPeople(named=asked, limit=1))
        people, cursor = list(first.people), first.next_cursor
        while cursor:
            page = await house.catalog.list_people(ListPeople(named=asked, limit=1, after=cursor))
            people, cursor = [*people, *page.people], page.next_cursor
        assert people == [made[place] for place in expected], asked


async def test_somebody_who_is_credited_stays(house: House) -> None:
    person = await house.catalog.put_person(
        PutPerson(names=named(("en", "Anna")), ids=[OtherId(scheme="imdb", value="nm0000122")])
    )
    show = await house.hold("series", "The Show")
    await house.describe(show, credits=[Credit(person_id=person.person_id, role="creator")])
    with pytest.raises(WorkInUse, match=show):
        await house.catalog.remove_person(RemovePerson(person_id=person.person_id))
    await house.describe(show, credits=[])
    assert await house.catalog.remove_person(RemovePerson(person_id=person.person_id)) == person
    with pytest.raises(UnknownPerson):
        await house.catalog.remove_person(RemovePerson(person_id=person.person_id))
    again = PutPerson(names=person.names, person_id=person.person_id)
    with pytest.raises(UnknownPerson):
        await house.catalog.put_person(again)
    new = PutPerson(names=person.names, ids=person.ids)
    assert (await house.catalog.put_person(new)).person_id != person.person_id


async def test_an_id_of_others_is_one_persons_alone(house: House) -> None:
    ids = [OtherId(scheme="imdb", value="nm0000122")]
    await house.catalog.put_person(PutPerson(names=named(("en", "Anna")), ids=ids))
    with pytest.raises(WorkInvalid, match=r"^ids\[0\]"):
        await house.catalog.put_person(PutPerson(names=named(("en", "Ben")), ids=ids))


async def test_a_list_of_genres_is_there_and_can_be_changed(house: House) -> None:
    terms = (await house.catalog.list_terms(ListTerms())).terms
    assert {term.vocabulary for term in terms} == {"genre"}
    assert {name.language for term in terms for name in term.names} == {"en", "de", "fr", "es"}
    heist = Term(term_id=TermId("heist"), vocabulary="theme", names=named(("en", "Heist")))
    assert await house.catalog.put_term(heist) == heist
    after = (await house.catalog.list_terms(ListTerms())).terms
    assert after == [*terms, heist]
    show = await house.hold("series", "The Show")
    with pytest.raises(WorkInvalid, match="no genre"):
        await house.describe(show, genres=[heist.term_id])
    await house.describe(show, themes=[heist.term_id], genres=[TermId("drama")])
    for term_id in (heist.term_id, TermId("drama")):
        with pytest.raises(WorkInUse):
            await house.catalog.remove_term(RemoveTerm(term_id=term_id))
    await house.describe(show, themes=[], genres=[])
    assert await house.catalog.remove_term(RemoveTerm(term_id=heist.term_id)) == heist
    with pytest.raises(UnknownTerm):
        await house.catalog.remove_term(RemoveTerm(term_id=heist.term_id))


@pytest.mark.parametrize(
    ("names", "place"),
    [
        ([], "names"),
        ([("en", " ")], r"names\[0\].name"),
        ([("klingonese", "Anna")], r"names\[0\].language"),
        ([("en", "Anna"), ("eng", "Anne")], r"names\[1\]: comes twice"),
        ([("en", "Anna\0")], r"names\[0\].name"),
    ],
)
async def test_names_that_cannot_be_are_refused_with_their_place(
    house: House, names: list[tuple[str, str]], place: str
) -> None:
    with pytest.raises(WorkInvalid, match=f"^{place}"):
        await house.catalog.put_person(PutPerson(names=named(*names)))
    with pytest.raises(UnknownPerson):
        await house.catalog.put_person(
            PutPerson(names=named(("en", "Anna")), person_id=PersonId("per_x"))
        )
