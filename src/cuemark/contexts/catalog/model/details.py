"""What may be told of works, people and terms: all that is wrong is found, with its place."""

import functools
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import msgspec
from babel import Locale

from cuemark.contexts.catalog.model import languages, ratings, registries, texts
from cuemark.contexts.catalog.model.languages import UNDETERMINED
from cuemark.contracts.catalog import TitleInvalid
from cuemark.contracts.catalog.exchange import Fault
from cuemark.contracts.catalog.metadata import (
    AgeRating,
    Credit,
    Details,
    NameIn,
    OtherId,
    Term,
    Text,
)
from cuemark.contracts.catalog.works import Kind
from cuemark.contracts.ids import TermId

T = TypeVar("T")
Made = TypeVar("Made")

EARLIEST_YEAR, LATEST_YEAR = 1870, 2200
MOST_TEXTS = 100
MOST_CREDITS = 500
MOST_OF_A_LIST = 50
LONGEST_KEY = 300
_TERM = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST_TERM = 40
_FORMER = frozenset({"SU", "YU", "DD", "CS"})
"""Countries of films that are no more (ISO 3166-3)."""
_NO_COUNTRIES = frozenset({"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"})
_SAID_AMISS = (
    TitleInvalid,
    languages.LanguageUnknown,
    ratings.RatingUnknown,
    registries.IdInvalid,
    ValueError,
)


class Faults:
    """What was found wrong so far; ``at`` is where the one who checks is."""

    def __init__(self, at: str = "") -> None:
        self.found: list[Fault] = []
        self._at = at

    def add(self, place: str, message: str) -> None:
        where = ".".join(part for part in (self._at, place) if part)
        self.found.append(Fault(place=where.replace(".[", "["), message=message))

    def of(self, place: str, check: Callable[[T], Made], given: T, otherwise: Made) -> Made:
        """What ``check`` makes of it; ``otherwise`` and a fault where it says that it cannot be."""
        try:
            return check(given)
        except _SAID_AMISS as error:
            self.add(place, str(error).rstrip("."))
            return otherwise

    def at_most(self, place: str, given: Sequence[T], most: int) -> Sequence[T]:
        if len(given) > most:
            self.add(place, f"{len(given)} entries, where {most} are the most")
        return given[:most]

    def once(self, place: str, keys: Iterable[object]) -> None:
        seen: set[object] = set()
        for number, key in enumerate(keys):
            if key in seen:
                self.add(f"{place}[{number}]", "comes twice")
            seen.add(key)


def checked_details(given: Details, kind: Kind, faults: Faults) -> Details:
    """``given`` in one form. What is wrong is added to ``faults``, and then nothing counts.

    Whether the people and terms exist is not asked here.
    """
    told = [
        _text(each, f"texts[{number}]", faults)
        for number, each in enumerate(faults.at_most("texts", given.texts, MOST_TEXTS))
    ]
    if not told or not told[0].name:
        faults.add("texts", "the first one has the name that stands where no language fits")
    faults.once("texts", (each.language for each in told))
    if given.year is not None and not EARLIEST_YEAR <= given.year <= LATEST_YEAR:
        faults.add("year", f"{given.year} is none from {EARLIEST_YEAR} to {LATEST_YEAR}")
    if given.supplement and kind != "supplemental":
        faults.add("supplement", f"a {kind} is no supplemental")
    original = given.original_language
    return Details(
        texts=told,
        original_language=faults.of("original_language", checked_language, original, "")
        if original
        else "",
        year=given.year,
        countries=_countries(given.countries, faults),
        genres=_terms("genres", given.genres, faults),
        themes=_terms("themes", given.themes, faults),
        credits=_credits(given.credits, faults),
        ratings=_ratings(given.ratings, faults),
        ids=checked_ids(given.ids, faults),
        supplement=given.supplement,
    )


def checked_names(given: Sequence[NameIn], faults: Faults) -> list[NameIn]:
    """The names of a person or a term, each language once."""
    names = []
    for number, each in enumerate(faults.at_most("names", given, MOST_TEXTS)):
        at = f"names[{number}]"
        language = faults.of(f"{at}.language", checked_language, each.language, UNDETERMINED)
        name = faults.of(f"{at}.name", texts.checked_name, each.name, "")
        names.append(NameIn(language=language, name=name))
    if not names:
        faults.add("names", "a name is needed, in one language at least")
    faults.once("names", (each.language for each in names))
    return names


def checked_ids(given: Sequence[OtherId], faults: Faults) -> list[OtherId]:
    checked = [
        faults.of(f"ids[{number}]", _other_id, each, each)
        for number, each in enumerate(faults.at_most("ids", given, MOST_OF_A_LIST))
    ]
    faults.once("ids", ((each.scheme, each.value) for each in checked))
    return checked


def checked_term(given: Term, faults: Faults) -> Term:
    if not _TERM.fullmatch(given.term_id) or len(given.term_id) > _LONGEST_TERM:
        faults.add("term_id", f"{given.term_id!r} is no word such as science-fiction")
    return msgspec.structs.replace(given, names=checked_names(given.names, faults))


def with_artwork(details: Details, language: str, artwork_key: str) -> Details:
    """``details`` with this picture for readers of a language; empty for none of its own."""
    others = [each for each in details.texts if each.language != language]
    if len(others) < len(details.texts):
        told = [
            msgspec.structs.replace(each, artwork_key=artwork_key)
            if each.language == language
            else each
            for each in details.texts
        ]
    else:
        told = [*details.texts, Text(language=language, artwork_key=artwork_key)]
    said = [each for each in told if any((each.name, each.synopsis, each.synopsis_short))]
    kept = [each for each in told if each in said or each.artwork_key]
    return msgspec.structs.replace(details, texts=kept)


def _text(given: Text, place: str, faults: Faults) -> Text:
    if len(given.artwork_key) > LONGEST_KEY or not given.artwork_key.isprintable():
        faults.add(f"{place}.artwork_key", "no key of an object")
    short = given.synopsis_short
    return Text(
        language=faults.of(f"{place}.language", checked_language, given.language, UNDETERMINED),
        name=faults.of(f"{place}.name", texts.checked_series, given.name, ""),
        synopsis=faults.of(f"{place}.synopsis", texts.checked_synopsis, given.synopsis, ""),
        synopsis_short=faults.of(f"{place}.synopsis_short", texts.checked_short, short, ""),
        artwork_key=given.artwork_key,
    )


def _other_id(given: OtherId) -> OtherId:
    return OtherId(scheme=given.scheme, value=registries.checked_id(given.scheme, given.value))


def checked_language(tag: str) -> str:
    try:
        return languages.canonical(tag)
    except languages.LanguageUnknown as error:
        raise ValueError(f"{tag!r} is no BCP 47 language tag: write en or pt-BR") from error


def _countries(given: Sequence[str], faults: Faults) -> list[str]:
    there = [each.strip().upper() for each in faults.at_most("countries", given, MOST_OF_A_LIST)]
    for number, code in enumerate(there):
        if code not in _country_codes():
            faults.add(
                f"countries[{number}]", f"{given[number]!r} is no country of ISO 3166 such as DE"
            )
    faults.once("countries", there)
    return there


def _terms(place: str, given: Sequence[TermId], faults: Faults) -> list[TermId]:
    there = list(faults.at_most(place, given, MOST_OF_A_LIST))
    for number, each in enumerate(there):
        if not _TERM.fullmatch(each):
            faults.add(f"{place}[{number}]", f"{each!r} is no word such as science-fiction")
    faults.once(place, there)
    return there


def _credits(given: Sequence[Credit], faults: Faults) -> list[Credit]:
    checked = []
    for number, each in enumerate(faults.at_most("credits", given, MOST_CREDITS)):
        at = f"credits[{number}]"
        faults.of(f"{at}.person_id", registries.checked_value, each.person_id, "")
        character = faults.of(f"{at}.character", texts.checked_series, each.character, "")
        checked.append(msgspec.structs.replace(each, character=character))
    faults.once("credits", checked)
    return checked


def _ratings(given: Sequence[AgeRating], faults: Faults) -> list[AgeRating]:
    checked = [
        faults.of(f"ratings[{number}]", ratings.checked_rating, each, each)
        for number, each in enumerate(faults.at_most("ratings", given, MOST_OF_A_LIST))
    ]
    faults.once("ratings", (each.scheme for each in checked))
    return checked


@functools.cache
def _country_codes() -> frozenset[str]:
    codes = map(str, Locale("en").territories)
    there = {code for code in codes if len(code) == 2 and code.isalpha()}
    return frozenset(there - _NO_COUNTRIES | _FORMER)
