"""What the index has of a work, a person, a genre or a theme."""

from collections.abc import Mapping, Sequence

import msgspec

from cuemark.contexts.search.model import folding, vectors
from cuemark.contracts.catalog.gathering import GatheredWork
from cuemark.contracts.catalog.metadata import NameIn, Person, Term, Text
from cuemark.contracts.catalog.works import Kind
from cuemark.contracts.ids import PersonId, TermId
from cuemark.contracts.search import What

MOST_PEOPLE = 30
MOST_TOLD = 120
"""Different words of synopses."""


class Called(msgspec.Struct, frozen=True, array_like=True):
    """A name as it is written, and as it is compared."""

    name: str
    folded: str
    language: str = ""


class Facts(msgspec.Struct, frozen=True, array_like=True):
    """What ranking and filters look at. ``people`` and ``terms`` are in the order of the work."""

    kind: Kind
    names: list[Called]
    series: list[Called]
    people: list[Called]
    genres: list[Called]
    themes: list[Called]
    original_language: str
    genre_ids: list[str]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A work in the index. ``titles`` are the words of its names and its series', ``words`` those
    of people, genres and themes with them, ``told`` those of its synopses with all the others.
    ``tags`` are the ids that it names: people, terms, and what it lies in."""

    work_id: str
    plays: bool
    size: int
    names: list[str]
    titles: list[str]
    words: list[str]
    told: list[str]
    tags: list[str]
    above: list[str]
    facts: Facts
    vector: bytes


class NameEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A person, a genre or a theme in the index."""

    name_id: str
    what: What
    names: list[Called]
    words: list[str]


HOLDERS = frozenset({"franchise", "series", "season"})


def entry(
    given: GatheredWork, people: Mapping[PersonId, Person], terms: Mapping[TermId, Term]
) -> Entry:
    details = given.work.details
    names = _called(details.texts)
    series = _called(given.series)
    credited = list(dict.fromkeys(each.person_id for each in details.credits))[:MOST_PEOPLE]
    made_by = [_of(people[each].names) for each in credited if each in people]
    genres = [_of(terms[each].names) for each in given.genres if each in terms]
    themes = [_of(terms[each].names) for each in given.themes if each in terms]
    titles = _words([*names, *series], whole=True)
    others = _words([name for some in (*made_by, *genres, *themes) for name in some])
    told = dict.fromkeys(
        word
        for text in details.texts
        for part in _pieces(f"{text.synopsis_short} {text.synopsis}")
        for word in folding.words(part)
        if len(word) > 2
    )
    about = list(told)[:MOST_TOLD]
    return Entry(
        work_id=given.work.work_id,
        plays=given.work.kind not in HOLDERS,
        size=min(len(names[0].folded) if names else 0, 1000),
        names=list(dict.fromkeys(each.folded for each in names if each.folded)),
        titles=titles,
        words=list(dict.fromkeys([*titles, *others])),
        told=list(dict.fromkeys([*titles, *others, *about])),
        tags=[*credited, *given.genres, *given.themes, *given.above],
        above=list(given.above),
        facts=Facts(
            kind=given.work.kind,
            names=names,
            series=series,
            people=[name for some in made_by for name in some],
            genres=[name for some in genres for name in some],
            themes=[name for some in themes for name in some],
            original_language=details.original_language,
            genre_ids=list(given.genres),
        ),
        vector=vectors.vector(given.genres, given.themes, credited, about, details.year),
    )


def person_entry(person: Person) -> NameEntry:
    names = _of(person.names)
    return NameEntry(
        name_id=person.person_id, what="person", names=names, words=_words(names, whole=True)
    )


def term_entry(term: Term) -> NameEntry:
    names = _of(term.names)
    return NameEntry(
        name_id=term.term_id, what=term.vocabulary, names=names, words=_words(names, whole=True)
    )


def _called(texts: Sequence[Text]) -> list[Called]:
    return [
        Called(text.name, folding.folded(text.name), text.language) for text in texts if text.name
    ]


def _of(names: Sequence[NameIn]) -> list[Called]:
    """Each spelling once: a person has mostly the same name in many languages."""
    found: dict[str, Called] = {}
    for each in names:
        found.setdefault(each.name, Called(each.name, folding.folded(each.name), each.language))
    return list(found.values())


def _words(names: Sequence[Called], *, whole: bool = False) -> list[str]:
    found = [word for name in names for word in name.folded.split()]
    if whole:
        found += [word for name in names if (word := folding.joined(name.folded))]
    return list(dict.fromkeys(found))


def _pieces(text: str) -> list[str]:
    """A synopsis in pieces that are short enough to be read whole."""
    step = folding.LONGEST - folding.LONGEST_WORD
    pieces, rest = [], text
    while rest:
        cut = rest.rfind(" ", 0, step) if len(rest) > step else len(rest)
        cut = cut if cut > 0 else step
        pieces.append(rest[:cut])
        rest = rest[cut:].lstrip()
    return pieces
