"""Households that were drawn, to see whom the judgement on sharing finds: those that share an
account, and of those that live and travel as families do, as few as can be."""

import random
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from cuemark.contexts.fraud.model.sharing import DAYS, Seen, SharingJudgement, judge

TODAY = date(2026, 3, 1)
MEMBERS = 2, 5


class Home(NamedTuple):
    """A place with its devices; ``phones`` go along with people, the others stay."""

    network: str
    stays: tuple[str, ...]
    phones: tuple[str, ...]


def days() -> Iterator[date]:
    for number in range(DAYS):
        yield TODAY - timedelta(days=DAYS - 1 - number)


def home(rng: random.Random, name: str) -> Home:
    network = f"10.{rng.randrange(256)}.{rng.randrange(256)}.0/24"
    stays = tuple(f"{name}-tv{number}" for number in range(rng.randint(1, 2)))
    phones = tuple(f"{name}-phone{number}" for number in range(rng.randint(*MEMBERS)))
    return Home(network, stays, phones)


def evening(rng: random.Random, day: date, at: Home, chance: float = 0.7) -> Iterator[Seen]:
    """Who of those at home watches on a day; telephones are used outside, too."""
    for device in (*at.stays, *at.phones):
        if rng.random() < chance * 0.6:
            yield Seen(day, device, at.network, "DE")
    for phone in at.phones:
        if rng.random() < 0.1:
            yield Seen(day, phone, f"100.{rng.randrange(64)}.{rng.randrange(256)}.0/24", "DE")


def stays_at_home(rng: random.Random) -> Iterator[Seen]:
    here = home(rng, "a")
    for day in days():
        yield from evening(rng, day, here)


def changes_its_network(rng: random.Random) -> Iterator[Seen]:
    """Its provider gives it another address every few days."""
    here = home(rng, "a")
    for day in days():
        if rng.random() < 0.25:
            here = here._replace(network=home(rng, "a").network)
        yield from evening(rng, day, here)


def travels(rng: random.Random) -> Iterator[Seen]:
    """One or two of them are in hotels abroad for up to two weeks, with their telephones and the
    televisions of the rooms; the others stay."""
    here = home(rng, "a")
    away = here.phones[: rng.randint(1, 2)]
    begin, end = rng.randrange(20), rng.randrange(8, 15)
    hotel = Home("203.0.113.0/24", ("hotel-tv",), away)
    for number, day in enumerate(days()):
        gone = begin <= number < begin + end
        if gone and rng.random() < 0.3:
            hotel = hotel._replace(network=f"203.0.{rng.randrange(256)}.0/24")
        left = here.phones[len(away) :] if gone else here.phones
        yield from evening(rng, day, here._replace(phones=left))
        if gone:
            yield from (each._replace(territory="ES") for each in evening(rng, day, hotel))


def has_a_holiday_home(rng: random.Random) -> Iterator[Seen]:
    """All of them are there on weekends and for a week, and mostly watch on its television."""
    here, there = home(rng, "a"), home(rng, "b")
    for number, day in enumerate(days()):
        if number % 7 in (5, 6) or 7 <= number < 14:
            yield from evening(rng, day, there._replace(phones=here.phones), 0.5)
        else:
            yield from evening(rng, day, here)


def lives_in_two_homes(rng: random.Random) -> Iterator[Seen]:
    """The children take their tablets along, a week here and a week there."""
    here, there = home(rng, "a"), home(rng, "b")
    children = here.phones[:2]
    for number, day in enumerate(days()):
        one = (number // 7) % 2 == 0
        yield from evening(rng, day, here if one else here._replace(phones=here.phones[2:]))
        yield from evening(rng, day, Home(there.network, there.stays, () if one else children), 0.4)


def has_a_student(rng: random.Random) -> Iterator[Seen]:
    """Who lives in another town, and is at home on every second weekend with a laptop."""
    here = home(rng, "a")
    room = Home(home(rng, "c").network, (), ("student-laptop",))
    for number, day in enumerate(days()):
        yield from evening(rng, day, here)
        if number % 14 in (12, 13):
            yield Seen(day, "student-laptop", here.network, "DE")
        else:
            yield from evening(rng, day, room)


def has_a_student_far_away(rng: random.Random) -> Iterator[Seen]:
    """Who does not come home in these weeks: for the judgement another household."""
    here = home(rng, "a")
    room = Home(home(rng, "c").network, ("student-tv",), ("student-laptop",))
    for day in days():
        yield from evening(rng, day, here)
        yield from evening(rng, day, room)


def shares_with_another(rng: random.Random) -> Iterator[Seen]:
    here, there = home(rng, "a"), home(rng, "b")
    for day in days():
        yield from evening(rng, day, here)
        yield from evening(rng, day, there)


def shares_with_many(rng: random.Random) -> Iterator[Seen]:
    homes = [home(rng, name) for name in "abcd"]
    for day in days():
        for each in homes:
            yield from evening(rng, day, each)


Life = Callable[[random.Random], Iterator[Seen]]
FAMILIES: Mapping[str, Life] = {
    "stays at home": stays_at_home,
    "changes its network": changes_its_network,
    "travels": travels,
    "has a holiday home": has_a_holiday_home,
    "lives in two homes": lives_in_two_homes,
    "has a student": has_a_student,
}
"""One household each: none of them shares."""
TOLD_APART_BY_NOBODY: Mapping[str, Life] = {"has a student far away": has_a_student_far_away}
SHARERS: Mapping[str, Life] = {
    "shares with another": shares_with_another,
    "shares with many": shares_with_many,
}


def judged(life: Life, seed: int) -> SharingJudgement:
    """What is said of one drawn household."""
    return judge(list(life(random.Random(seed))), TODAY)


def noticed(life: Life, count: int) -> float:
    """The share of so many households of a kind of which something is said."""
    return sum(judged(life, seed).step != "pass" for seed in range(count)) / count
