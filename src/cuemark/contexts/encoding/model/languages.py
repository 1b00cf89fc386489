"""Language tags (BCP 47, RFC 5646): checked against the registry, and brought to one form."""

import re

import langcodes
from langcodes.tag_parser import LanguageTagError

MAX_CHARS = 35
_FORM = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")


class LanguageUnknown(ValueError):
    """The text is no language tag, or names a language that is not registered."""


def canonical(tag: str) -> str:
    """The tag as it is written everywhere: ``eng`` and ``EN`` are ``en``, ``iw`` is ``he``.

    Raises ``LanguageUnknown``. What comes out is ASCII letters, digits and hyphens.
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
