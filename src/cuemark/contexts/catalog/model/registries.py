"""What others call a work or a person: ids by their schemes, checked where the scheme says how."""

import re
from collections.abc import Callable, Mapping

IMPORTED = "imported"
"""The scheme of the ids by which a file that was imported named what was new here."""
_SCHEME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_VALUE = re.compile(r"[\x21-\x7e]{1,128}")
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_EIDR = re.compile(r"10\.5240/((?:[0-9A-F]{4}-){5})([0-9A-Z])")
_ISAN = re.compile(r"((?:[0-9A-F]{4}-){4})([0-9A-Z])(-(?:[0-9A-F]{4}-){2}([0-9A-Z]))?")


class IdInvalid(ValueError):
    """The text is no id of its scheme; one sentence says why."""


def checked_id(scheme: str, value: str) -> str:
    """``value`` as its scheme writes it; raises ``IdInvalid``."""
    if not _SCHEME.fullmatch(scheme):
        raise IdInvalid(f"{scheme!r} is no name of a scheme: write it in lower-case letters")
    value = checked_value(value.strip())
    check = _CHECKS.get(scheme)
    return check(value) if check else value


def checked_value(value: str) -> str:
    """``value``, which can be an id of any scheme; raises ``IdInvalid``."""
    if not _VALUE.fullmatch(value):
        raise IdInvalid("an id has 1 to 128 letters, digits or signs of ASCII, and no space")
    return value


def mod_37_36(digits: str) -> str:
    """The check character of ISO 7064, system MOD 37,36 (hybrid), over 0 to 9 and A to Z."""
    state = 36
    for digit in digits:
        state = (state + _ALPHABET.index(digit)) % 36 or 36
        state = state * 2 % 37
    return _ALPHABET[(1 - state) % 36]


def _eidr(value: str) -> str:
    """EIDR ID Format v1.51, section 2: the suffix's 20 hex digits and their check character."""
    found = _EIDR.fullmatch(value.upper())
    if not found:
        raise IdInvalid(f"{value!r} is no EIDR such as 10.5240/7791-8534-2C23-9030-8610-5")
    _same(value, found[1].replace("-", ""), found[2])
    return found[0]


def _isan(value: str) -> str:
    """ISO 15706: root and episode with a check character, and maybe the version with another."""
    found = _ISAN.fullmatch(value.upper().removeprefix("ISAN").strip(" :"))
    if not found:
        raise IdInvalid(f"{value!r} is no ISAN such as 0000-0000-D07A-0090-Q")
    root = found[1].replace("-", "")
    _same(value, root, found[2])
    if found[3]:
        _same(value, root + found[3][1:-2].replace("-", ""), found[4])
    return found[0]


def _same(value: str, digits: str, check: str) -> None:
    right = mod_37_36(digits)
    if check != right:
        raise IdInvalid(
            f"{value!r} has the check character {check} where {right} belongs: a digit is wrong"
        )


def _form(pattern: str, example: str) -> Callable[[str], str]:
    form = re.compile(pattern)

    def check(value: str) -> str:
        if not form.fullmatch(value):
            raise IdInvalid(f"{value!r} is not of the form of {example}")
        return value

    return check


_CHECKS: Mapping[str, Callable[[str], str]] = {
    "eidr": _eidr,
    "isan": _isan,
    "imdb": _form(r"(tt|nm)\d{7,9}", "tt0087332 or nm0000122"),
    "tmdb": _form(r"\d{1,9}", "603"),
    "tvdb": _form(r"\d{1,9}", "73244"),
    "wikidata": _form(r"Q[1-9]\d{0,11}", "Q172241"),
}
