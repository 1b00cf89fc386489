"""Whether captions are in the language that they are declared to be in.

Which language a text is in is told by somebody else; here is decided when that is sure. A few
words, a name or a song must never stop a film: a claim needs text enough, agreement of most of its
parts, and two languages that are not easily taken for one another.
"""

import contextlib
from collections import Counter
from collections.abc import Sequence

import msgspec

from cuemark.contexts.encoding.model import languages
from cuemark.contexts.encoding.model.captions.cues import Cue, plain
from cuemark.contexts.encoding.model.validation.findings import Finding, error
from cuemark.contracts.encoding.validation import Check

CHECKS: tuple[Check, ...] = ("caption_language",)

PART_LETTERS, LEAST_LETTERS, MOST_PARTS = 80, 150, 60
SURE, MOST_OF, FEW_OF = 0.99, 0.75, 0.1

_ALIKE: tuple[frozenset[str], ...] = tuple(
    frozenset(group.split())
    for group in (
        "no nb nn da",
        "hr bs sr sh cnr",
        "id ms jv su min ace",
        "cs sk",
        "gl pt",
        "es ast an ext gl",
        "ca oc vec",
        "fr oc wa gcf gcr ht",
        "it vec lij scn nap",
        "zh yue wuu cmn nan hak",
        "ar arz ary apc",
        "fa ps ku sdh ur",
        "hi mr ne bho mai",
        "ru be uk",
        "bg mk",
        "tr az crh tk",
        "uz uzs kk ky tt ba",
        "af nl fy li",
        "de lb gsw nds bar",
        "en sco pcm",
        "fi et",
        "tl fil bcl",
        "xh zu ss st sn",
        "el grc",
        "he hbo yi",
    )
)
"""Languages, in groups, that short texts of do not tell apart."""


class Guess(msgspec.Struct, frozen=True):
    """The language that a text is most likely in, and how likely, from 0 to 1."""

    language: str
    sure: float


class Guessed(msgspec.Struct, frozen=True, kw_only=True):
    """The guesses on a caption file: of all its text, and of each part of it.

    ``known`` are the languages that could have been guessed; ``letters`` is how many there were.
    """

    letters: int
    whole: Guess
    parts: list[Guess]
    known: list[str]


def parts_of(cues: Sequence[Cue]) -> list[str]:
    """The text in parts of at least ``PART_LETTERS``, at most ``MOST_PARTS`` over all of it."""
    parts: list[str] = []
    words, letters = [], 0
    for cue in cues:
        for line in cue.lines:
            text = plain(line)
            words.append(text)
            letters += letters_of(text)
        if letters >= PART_LETTERS:
            parts.append(" ".join(words))
            words, letters = [], 0
    step = max(1, -(-len(parts) // MOST_PARTS))
    return parts[::step]


def letters_of(text: str) -> int:
    return sum(character.isalpha() for character in text)


def findings(name: str, declared: str, guessed: Guessed) -> list[Finding]:
    """A claim that the captions called ``name`` are in another language than is declared."""
    ours, theirs = _primary(declared), _primary(guessed.whole.language)
    unsure = (
        guessed.letters < LEAST_LETTERS
        or not guessed.parts
        or guessed.whole.sure < SURE
        or theirs in ("", "und", "zxx", "mul")
        or ours not in {_primary(each) for each in guessed.known}
    )
    if unsure or ours == theirs or any({ours, theirs} <= group for group in _ALIKE):
        return []
    said = Counter(_primary(each.language) for each in guessed.parts)
    total = len(guessed.parts)
    if said[theirs] < MOST_OF * total or said[ours] > FEW_OF * total:
        return []
    text = f"the captions in {name} are declared as {declared} and read as {theirs}"
    return [error("caption_language", text)]


def _primary(language: str) -> str:
    with contextlib.suppress(languages.LanguageUnknown):
        language = languages.canonical(language)
    return language.partition("-")[0].lower()
