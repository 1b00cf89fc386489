"""What works, people and terms may be called, and which text a reader gets."""

import unicodedata
from collections.abc import Sequence

import msgspec

from cuemark.contexts.catalog.model.languages import UNDETERMINED, by_preference, fitting
from cuemark.contracts.catalog import TitleInvalid
from cuemark.contracts.catalog.metadata import NameIn, Text

LONGEST_NAME = 200
LONGEST_SHORT = 300
LONGEST_SYNOPSIS = 4000

_REORDERING = frozenset("\u202a\u202b\u202d\u202e")


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader gets of a work's texts. ``language`` is that of the name, ``und`` included;
    ``languages`` all that were taken, without it."""

    name: str
    language: str
    synopsis: str
    synopsis_short: str
    artwork_key: str
    languages: list[str]


def told(texts: Sequence[Text], ranges: Sequence[str]) -> Told:
    """The texts for a reader of ``ranges``: what one language lacks, the next one tells.

    The first text stands where no language fits.
    """
    by_tag = {text.language: text for text in texts}
    order = [by_tag[tag] for tag in by_preference(ranges, list(by_tag))]
    taken: list[str] = []

    def first(field: str) -> tuple[str, str]:
        for text in order:
            value: str = getattr(text, field)
            if value:
                taken.append(text.language)
                return value, text.language
        return "", UNDETERMINED

    name, language = first("name")
    synopsis, _ = first("synopsis")
    short, _ = first("synopsis_short")
    # A picture may have a language's words on it: it is for who reads that one, or for all.
    read = [*fitting(ranges, by_tag), *list(by_tag)[:1]]
    artwork = next((by_tag[tag].artwork_key for tag in read if by_tag[tag].artwork_key), "")
    return Told(
        name=name,
        language=language,
        synopsis=synopsis,
        synopsis_short=short,
        artwork_key=artwork,
        languages=[tag for tag in dict.fromkeys(taken) if tag != UNDETERMINED],
    )


def name_for(names: Sequence[NameIn], ranges: Sequence[str]) -> str:
    """A person's or term's name for a reader of ``ranges``."""
    by_tag = {each.language: each.name for each in names}
    return next((by_tag[tag] for tag in by_preference(ranges, list(by_tag))), "")


def checked_name(name: str) -> str:
    """``name`` in NFC without space around it; ``TitleInvalid`` where it cannot be shown."""
    name = unicodedata.normalize("NFC", name[: LONGEST_NAME * 4]).strip()
    if not name:
        raise TitleInvalid("A title needs a name.")
    if len(name) > LONGEST_NAME:
        raise TitleInvalid(f"The name is longer than {LONGEST_NAME} characters.")
    if not all(_shows(character) for character in name):
        raise TitleInvalid("The name holds a control character: write it as plain text.")
    return name


def checked_series(series: str) -> str:
    """Like a name; empty for none."""
    return checked_name(series) if series.strip() else ""


def checked_synopsis(synopsis: str, longest: int = LONGEST_SYNOPSIS) -> str:
    """``synopsis`` in NFC; it may have lines, and ``TitleInvalid`` says what it may not have."""
    synopsis = unicodedata.normalize("NFC", synopsis[: longest * 4]).strip()
    if len(synopsis) > longest:
        raise TitleInvalid(f"The synopsis is longer than {longest} characters.")
    if not all(_shows(character) or character in "\n\t" for character in synopsis):
        raise TitleInvalid("The synopsis holds a control character: write it as plain text.")
    return synopsis


def checked_short(synopsis: str) -> str:
    return checked_synopsis(synopsis, LONGEST_SHORT)


def _shows(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cs") and character not in _REORDERING
