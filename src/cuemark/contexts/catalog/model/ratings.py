"""Age ratings by territory's scheme, and the one scale of maturity that all are read on.

Each rating has the age from which its body holds a work to be fit. Where a body names no age
(advice to parents) the age is our reading, and the table's note says so.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cuemark.contracts.catalog.metadata import AgeRating
from cuemark.contracts.catalog.works import RatingShown

STEPS = (6, 9, 12, 15, 18)
"""The ages at which a maturity level ends: level 0 is below 6, level 5 from 18 on."""
UNRATED_AGE = 18
"""As what a title counts that nobody has rated."""


class Scheme(NamedTuple):
    """``ages`` by rating, the mildest first. ``source`` is where the body tells them."""

    name: str
    territories: tuple[str, ...]
    ages: Mapping[str, int]
    source: str
    note: str = ""


SCHEMES: Mapping[str, Scheme] = {
    scheme.name: scheme
    for scheme in (
        Scheme(
            "FSK",
            ("DE",),
            {"0": 0, "6": 6, "12": 12, "16": 16, "18": 18},
            "https://www.fsk.de/ (JuSchG section 14)",
        ),
        Scheme(
            "MPA",
            ("US",),
            {"G": 0, "PG": 8, "PG-13": 13, "R": 17, "NC-17": 18},
            "https://www.filmratings.com/",
            "PG names no age: 8, as BBFC's PG. NC-17 admits nobody of 17.",
        ),
        Scheme(
            "US-TV",
            ("US",),
            {"TV-Y": 0, "TV-G": 0, "TV-Y7": 7, "TV-PG": 8, "TV-14": 14, "TV-MA": 17},
            "http://www.tvguidelines.org/",
            "TV-PG names no age: 8, as MPA's PG.",
        ),
        Scheme(
            "BBFC",
            ("GB",),
            {"U": 4, "PG": 8, "12": 12, "12A": 12, "15": 15, "18": 18, "R18": 18},
            "https://www.bbfc.co.uk/about-classification",
        ),
        Scheme(
            "CNC",
            ("FR",),
            {"U": 0, "12": 12, "16": 16, "18": 18},
            "https://www.cnc.fr/ (Code du cinéma, R211-12)",
        ),
        Scheme(
            "ICAA",
            ("ES",),
            {"A": 0, "7": 7, "12": 12, "16": 16, "18": 18},
            "https://www.cultura.gob.es/ (Real Decreto 1084/2015)",
        ),
        Scheme(
            "Kijkwijzer",
            ("NL",),
            {"AL": 0, "6": 6, "9": 9, "12": 12, "14": 14, "16": 16, "18": 18},
            "https://www.kijkwijzer.nl/",
        ),
        Scheme(
            "ACB",
            ("AU",),
            {"G": 0, "PG": 8, "M": 15, "MA15+": 15, "R18+": 18, "X18+": 18},
            "https://www.classification.gov.au/",
            "PG is for those under 15 with guidance: 8, as BBFC's PG.",
        ),
        Scheme(
            "ClassInd",
            ("BR",),
            {"L": 0, "10": 10, "12": 12, "14": 14, "16": 16, "18": 18},
            "https://www.gov.br/mj/ (Classificação Indicativa)",
        ),
        Scheme(
            "Eirin",
            ("JP",),
            {"G": 0, "PG12": 12, "R15+": 15, "R18+": 18},
            "https://www.eirin.jp/",
            "PG12 advises the parents of those under 12.",
        ),
    )
}
_BY_FOLDED = {name.casefold(): scheme for name, scheme in SCHEMES.items()}


class RatingUnknown(ValueError):
    """No scheme has this name, or none of its ratings; one sentence says what there is."""


def level_of(age: int) -> int:
    """The maturity level of what is fit from ``age`` on: 0 for everybody, 5 for adults only."""
    return sum(age >= step for step in STEPS)


def checked_rating(given: AgeRating) -> AgeRating:
    """The rating as its scheme writes it; raises ``RatingUnknown``."""
    scheme = _BY_FOLDED.get(given.scheme.strip().casefold())
    if scheme is None:
        raise RatingUnknown(f"{given.scheme!r} is no scheme of ratings: {', '.join(SCHEMES)} are")
    wanted = given.rating.strip().casefold()
    for rating in scheme.ages:
        if wanted in (rating.casefold(), f"{scheme.name} {rating}".casefold()):
            return AgeRating(scheme=scheme.name, rating=rating)
    ratings = ", ".join(scheme.ages)
    raise RatingUnknown(f"{given.rating!r} is no rating of {scheme.name}: {ratings} are")


def shown(ratings: Sequence[AgeRating]) -> list[RatingShown]:
    """Each rating with its level and territories."""
    return [
        RatingShown(
            scheme=scheme.name,
            rating=each.rating,
            level=level_of(scheme.ages[each.rating]),
            territories=list(scheme.territories),
        )
        for each in ratings
        for scheme in [SCHEMES[each.scheme]]
    ]


def rating_for(ratings: Sequence[RatingShown], territory: str) -> RatingShown | None:
    """The rating that holds in a territory; of two schemes the stricter."""
    here = [each for each in ratings if territory.upper() in each.territories]
    return max(here, key=lambda each: each.level, default=None)


def maturity(ratings: Sequence[RatingShown], territory: str) -> int | None:
    """The level in a territory; where none of its bodies rated the work, the strictest that any
    did; None where nobody did."""
    here = rating_for(ratings, territory)
    if here:
        return here.level
    return max((each.level for each in ratings), default=None)


def age_in(given: Sequence[AgeRating], territory: str) -> int | None:
    """The age from which a work is fit in a territory, by the rules of ``maturity``."""
    ages = [
        (territory.upper() in scheme.territories, scheme.ages[each.rating])
        for each in given
        for scheme in [SCHEMES[each.scheme]]
    ]
    here = [age for is_here, age in ages if is_here]
    return max(here or [age for _, age in ages], default=None)


def admits(
    maturity: int | None, given: Sequence[AgeRating], territory: str, unrated_age: int = UNRATED_AGE
) -> bool:
    """Whether a work with these ratings is for a profile of this maturity; without one, each is."""
    if maturity is None:
        return True
    age = age_in(given, territory)
    return (unrated_age if age is None else age) <= maturity
