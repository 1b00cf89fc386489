"""Language tags (BCP 47), and which of several texts a reader gets."""

import re
from collections.abc import Iterable, Sequence

import langcodes
from langcodes.tag_parser import LanguageTagError

UNDETERMINED = "und"
MAX_CHARS = 35
_FORM = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")


class LanguageUnknown(ValueError):
    """The text is no language tag, or names a language that is not registered."""


def canonical(tag: str) -> str:
    """The tag as it is written everywhere: ``eng`` and ``EN`` are ``en``, ``iw`` is ``he``.

    Raises ``LanguageUnknown``.
    """
    if len(tag) > MAX_CHARS or not _FORM.fullmatch(tag):
        raise LanguageUnknown(tag)
    try:
        written: str = langcodes.standardize_tag(tag)
        known = langcodes.tag_is_valid(written)
    except LanguageTagError as error:
        raise LanguageUnknown(tag) from error
    if not known or not _FORM.fullmatch(written):
        raise LanguageUnknown(tag)
    return written


def by_preference(ranges: Sequence[str], tags: Sequence[str]) -> list[str]:
    """``tags`` in the order in which a reader of ``ranges`` wants them; the rest as they came."""
    return list(dict.fromkeys([*fitting(ranges, tags), *tags]))


def fitting(ranges: Sequence[str], tags: Iterable[str]) -> list[str]:
    """Those of ``tags`` that a reader of ``ranges`` reads, the preferred one first.

    Each range is looked up after RFC 4647 section 3.4: as it is, and then with one subtag less at
    a time. What that does not find, but is a closer telling of the range itself (``de-CH`` for a
    reader of ``de``: section 3.3.1), comes after it, and before the next range.
    """
    there = {tag.lower(): tag for tag in tags}
    found: list[str] = []
    for each in ranges:
        asked = each.lower()
        found += [shorter for shorter in _shorter(asked) if shorter in there]
        found += [tag for tag in there if tag.startswith(f"{asked}-")]
    return [there[tag] for tag in dict.fromkeys(found)]


def _shorter(asked: str) -> list[str]:
    """``zh-hant-x-a``, ``zh-hant`` and ``zh``: a single letter goes with what it introduces."""
    subtags, found = asked.split("-"), []
    while subtags:
        found.append("-".join(subtags))
        subtags.pop()
        if subtags and len(subtags[-1]) == 1:
            subtags.pop()
    return found
