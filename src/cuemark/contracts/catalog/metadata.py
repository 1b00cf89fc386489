"""What is told of a work, in every language that there is: the messages of metadata."""

from typing import Literal

import msgspec

from cuemark.contracts.ids import PersonId, TermId

Role = Literal[
    "actor",
    "voice",
    "narrator",
    "host",
    "self",
    "director",
    "creator",
    "writer",
    "producer",
    "composer",
    "cinematographer",
    "editor",
]
Supplement = Literal[
    "", "trailer", "teaser", "featurette", "clip", "interview", "deleted_scene", "recap"
]
Vocabulary = Literal["genre", "theme"]


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """What a work is called and what it is about, in one language (BCP 47; ``und``: not told).

    What is empty is told in another language instead. ``synopsis_short`` is one sentence.
    ``artwork_key`` is an object key: the picture for readers of this language.
    """

    language: str
    name: str = ""
    synopsis: str = ""
    synopsis_short: str = ""
    artwork_key: str = ""


class Credit(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's part in a work. ``character`` is of those who are seen or heard."""

    person_id: PersonId
    role: Role
    character: str = ""


class AgeRating(msgspec.Struct, frozen=True, kw_only=True):
    """What a territory's body decided, such as ``12`` of the scheme ``FSK``."""

    scheme: str
    rating: str


class OtherId(msgspec.Struct, frozen=True, kw_only=True):
    """What others call it, such as the ``value`` ``tt1727587`` of the ``scheme`` ``imdb``."""

    scheme: str
    value: str


class Details(msgspec.Struct, frozen=True, kw_only=True):
    """All that is told of a work. The first of ``texts`` stands where no language fits.

    ``original_language`` is that of the work itself, empty where it is not told. ``countries`` are
    ISO 3166-1 alpha-2. ``credits`` are in the order in which they are to be shown. ``supplement``
    says what a supplemental is.
    """

    texts: list[Text]
    original_language: str = ""
    year: int | None = None
    countries: list[str] = []
    genres: list[TermId] = []
    themes: list[TermId] = []
    credits: list[Credit] = []
    ratings: list[AgeRating] = []
    ids: list[OtherId] = []
    supplement: Supplement = ""


class NameIn(msgspec.Struct, frozen=True, kw_only=True):
    language: str
    name: str


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """The first of ``names`` stands where no language fits."""

    person_id: PersonId
    names: list[NameIn]
    ids: list[OtherId] = []


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a controlled list. ``term_id`` is a word of lower-case letters and hyphens."""

    term_id: TermId
    vocabulary: Vocabulary
    names: list[NameIn]


class PutPerson(msgspec.Struct, frozen=True, kw_only=True):
    """Without ``person_id`` somebody new; with it, these names and ids in place of those."""

    names: list[NameIn]
    ids: list[OtherId] = []
    person_id: PersonId | None = None


class RemovePerson(msgspec.Struct, frozen=True, kw_only=True):
    person_id: PersonId


class ListPeople(msgspec.Struct, frozen=True, kw_only=True):
    """In the order of their ids. ``named`` finds a part of a name, whatever its case."""

    after: str = ""
    limit: int = 50
    named: str = ""


class PersonPage(msgspec.Struct, frozen=True, kw_only=True):
    people: list[Person]
    next_cursor: str = ""


class RemoveTerm(msgspec.Struct, frozen=True, kw_only=True):
    term_id: TermId


class ListTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Genres first, in the order of their ids: both lists are bounded, and come as a whole."""


class TermList(msgspec.Struct, frozen=True, kw_only=True):
    terms: list[Term]
