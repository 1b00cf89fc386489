"""Nothing is found that may not be shown, and nothing tells that there is something."""

import random
from dataclasses import dataclass

import pytest

from cuemark.contracts.catalog.works import UnknownWork
from cuemark.contracts.ids import TitleId, WorkId
from cuemark.contracts.search import FindLike, SearchFor, Viewpoint
from tests.contract.search.house import House

TERRITORIES = ("DE", "AT", "US", "")
SEED = 11


async def test_what_has_no_version_or_is_not_launched_is_not_found(house: House) -> None:
    draft = await house.title("Salt Draft", published=False)
    later = await house.title("Salt Later")
    await house.launch(later, in_days=2)
    await house.settle()
    assert await house.names("salt") == []
    assert await house.suggested("salt") == []
    found = await house.ask("salt", seen_only=False)
    assert {hit.hit_id for hit in found.hits} == {draft, later}
    house.clock.advance(3 * 86400)
    assert await house.names("salt") == ["Salt Later"]
    await house.publish(draft)
    await house.settle()
    assert set(await house.names("salt")) == {"Salt Later", "Salt Draft"}


async def test_a_launch_that_was_put_off_hides_at_once_what_the_index_still_shows(
    house: House,
) -> None:
    film = await house.title("Salt")
    await house.settle()
    await house.launch(film, in_days=2)
    await house.catch_up_catalog()
    assert await house.names("salt") == []


async def test_rights_decide_at_each_question(house: House) -> None:
    film = await house.title("Salt")
    await house.settle()
    await house.allow(film, "DE")
    assert await house.names("salt", territory="DE") == ["Salt"]
    assert await house.names("salt", territory="US") == []
    assert await house.names("salt") == []
    await house.allow(film)
    assert await house.names("salt", territory="DE") == []
    assert await house.names("salt", territory="DE", seen_only=False) == ["Salt"]


async def test_the_plan_is_passed_on(house: House) -> None:
    film = await house.title("Salt")
    await house.allow(film, "DE")
    await house.settle()
    assert await house.names("salt", territory="DE", licence_types=["SVOD"]) == ["Salt"]
    assert await house.names("salt", territory="DE", licence_types=["EST"]) == []


async def test_titles_above_the_profiles_maturity_are_not_found(house: House) -> None:
    await house.title("Salt Six", ratings=[("FSK", "6"), ("MPA", "R")])
    await house.title("Salt Sixteen", ratings=[("FSK", "16")])
    await house.title("Salt Unrated")
    await house.settle()
    assert len(await house.names("salt", territory="DE")) == 3
    assert await house.names("salt", territory="DE", maturity=12) == ["Salt Six"]
    assert await house.names("salt", territory="US", maturity=12) == []
    assert await house.names("salt", territory="FR", maturity=16) == ["Salt Sixteen"]
    assert await house.names("salt", territory="DE", maturity=0) == []


async def test_people_and_genres_of_nothing_that_is_shown_are_not_found(house: House) -> None:
    mara = await house.person("Mara Lindqvist")
    film = await house.title("Salt", cast=[mara], genres=["western"])
    await house.settle()
    await house.allow(film, "DE")
    for typed in ("mara lindqvist", "western"):
        assert await house.names(typed, territory="US", languages=["en"]) == []
        assert await house.suggested(typed, territory="US", languages=["en"]) == []
        assert len(await house.names(typed, territory="DE", languages=["en"])) == 2


async def test_a_series_is_found_where_one_of_its_episodes_may_be_shown(house: House) -> None:
    series, episodes = await house.series("Harbour Watch", *(f"Part {n}" for n in range(10)))
    await house.settle()
    for episode in episodes[:-1]:
        await house.allow(episode)
    await house.allow(episodes[-1], "DE")
    found = await house.ask("harbour watch", territory="DE")
    assert {hit.hit_id for hit in found.hits} == {series, episodes[-1]}
    assert await house.names("harbour watch", territory="US") == []


async def test_what_is_hidden_has_no_like(house: House) -> None:
    await house.term("sea", "theme", en="The sea")
    salt, brine = [await house.title(name, themes=["sea"]) for name in ("Salt", "Brine")]
    await house.allow(salt, "DE")
    await house.settle()
    abroad = Viewpoint(territory="US")
    with pytest.raises(UnknownWork):
        await house.search.like(FindLike(work_id=WorkId(salt), viewpoint=abroad))
    assert (await house.ask("something like salt", territory="US")).like == ""
    found = await house.search.like(FindLike(work_id=WorkId(brine), viewpoint=abroad))
    assert found.hits == []


async def test_a_page_tells_nothing_of_what_is_hidden_between_and_after(house: House) -> None:
    shown = [await house.title(f"Salt {n}") for n in range(3)]
    await house.settle()
    asked = SearchFor(text="salt", viewpoint=Viewpoint(territory="US"), limit=2)
    before = await house.search.search(asked)
    last = SearchFor(
        text="salt", viewpoint=Viewpoint(territory="US"), limit=2, after=before.next_cursor
    )
    before_last = await house.search.search(last)
    for number in range(12):
        await house.allow(await house.title(f"Salt Hidden {number}"), "DE")
    await house.settle()
    assert [hit.hit_id for hit in (await house.search.search(asked)).hits] == [
        hit.hit_id for hit in before.hits
    ]
    after = await house.search.search(last)
    assert ([hit.hit_id for hit in after.hits], after.next_cursor) == (
        [hit.hit_id for hit in before_last.hits],
        "",
    )
    assert len(shown) == len(before.hits) + len(after.hits)


async def test_a_page_is_filled_past_a_hundred_that_are_hidden(house: House) -> None:
    shown = await house.title("Salt of the very last place in any order of the index")
    for _ in range(120):
        await house.allow(await house.title("Salt"), "DE")
    await house.settle()
    found = await house.ask("salt", territory="US", limit=4)
    assert [hit.hit_id for hit in found.hits] == [shown]


@dataclass(frozen=True)
class Told:
    """A title as the oracle knows it."""

    title_id: TitleId
    words: set[str]
    published: bool
    launch_days: float | None
    territories: tuple[str, ...] | None
    age: int | None

    def shown(self, territory: str, maturity: int | None, day: float) -> bool:
        if not self.published or (self.launch_days is not None and self.launch_days > day):
            return False
        if self.territories is not None and territory not in self.territories:
            return False
        return maturity is None or (18 if self.age is None else self.age) <= maturity


async def test_random_questions_find_no_title_that_a_slow_oracle_hides_and_all_that_it_shows(
    house: House,
) -> None:
    draw = random.Random(SEED)
    words = ["amber", "basalt", "cedar", "dune", "ember", "fjord"]
    people = {word: await house.person(f"Kim {word.title()}") for word in words}
    titles: list[Told] = []
    for _ in range(36):
        some = draw.sample(words, 2)
        cast = draw.sample(words, 1)
        age = draw.choice([None, 0, 6, 12, 16, 18])
        published = draw.random() < 0.8
        title_id = await house.title(
            " ".join(some).title(),
            cast=[people[each] for each in cast],
            ratings=[("FSK", str(age))] if age is not None else [],
            published=published,
        )
        territories = draw.choice([None, (), ("DE",), ("DE", "AT"), ("US",)])
        if territories is not None:
            await house.allow(title_id, *territories)
        launch_days = draw.choice([None, None, 1.0, 3.0])
        if launch_days is not None:
            await house.launch(title_id, launch_days)
        titles.append(Told(title_id, {*some, *cast}, published, launch_days, territories, age))
    await house.settle()
    for day in (0.5, 2.0):
        house.clock.advance(86400)
        for _ in range(25):
            word, territory = draw.choice(words), draw.choice(TERRITORIES)
            maturity = draw.choice([None, None, 0, 12, 18])
            found = await house.ask(word, territory=territory, maturity=maturity, limit=100)
            works = {hit.hit_id for hit in found.hits if hit.what == "work"}
            shown = {
                each.title_id
                for each in titles
                if word in each.words and each.shown(territory, maturity, day + 0.5)
            }
            assert works == shown, (word, territory, maturity, day)
            named = {hit.hit_id for hit in found.hits if hit.what == "person"}
            assert named <= set(people.values())
            assert bool(shown) or not named
