"""CMCD (CTA-5004) as players send it with a request: text in, typed keys out. Pure.

Clients write it, so nothing in it is believed further than its form: the text is bounded, of the
closed set of keys each has one form, and what is not of that form is not told. Where the text as a
whole is no list of keys, nothing of it is. ``nor`` is kept where it names a file relative to this
one, since an address may hold a token.
"""

import re
from collections.abc import Callable, Mapping
from urllib.parse import unquote

import msgspec

from cuemark.contracts.telemetry import Cmcd
from cuemark.edge.nginx import PATH_FORM

MOST_CHARS = 1024
MOST_KEYS = 32

_PAIR = re.compile(
    r' *([a-z][a-z0-9.-]{0,63})(?:=("(?:[ !#-\[\]-~]|\\["\\]){0,256}"|[!#-+\--~]{1,256}))? *(?:,|$)'
)
_COUNT = re.compile(r"[0-9]{1,9}")
_DECIMAL = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3})?")
_RANGE = re.compile(r"[0-9]{1,12}-[0-9]{0,12}|-[0-9]{1,12}")
_RELATIVE = re.compile(rf"(?:\.\./){{0,3}}{PATH_FORM}")
_ESCAPED = re.compile(r'\\(["\\])')
_MOST_TEXT = 64

Value = int | float | bool | str | None
"""None where a value is not of its key's form."""


def _count(text: str) -> Value:
    return int(text) if _COUNT.fullmatch(text) else None


def _decimal(text: str) -> Value:
    return float(text) if _DECIMAL.fullmatch(text) else None


def _flag(text: str) -> Value:
    return True if text in ("", "true", "?1") else None


def _string(text: str) -> Value:
    """A quoted string without its quotes; an empty one tells nothing."""
    inner = text[1:-1] if text[:1] == '"' else ""
    if not inner:
        return None
    if "\\" in inner:
        inner = _ESCAPED.sub(r"\1", inner)
    return inner if len(inner) <= _MOST_TEXT else None


def _range(text: str) -> Value:
    inner = _string(text)
    return inner if isinstance(inner, str) and _RANGE.fullmatch(inner) else None


def _next_object(text: str) -> Value:
    inner = unquote(text[1:-1]) if text[:1] == '"' else ""
    return inner if _RELATIVE.fullmatch(inner) else None


def _word(*allowed: str) -> Callable[[str], Value]:
    return {word: word for word in allowed}.get


_FORMS: Mapping[str, Callable[[str], Value]] = {
    "bl": _count,
    "br": _count,
    "bs": _flag,
    "cid": _string,
    "d": _count,
    "dl": _count,
    "mtp": _count,
    "nor": _next_object,
    "nrr": _range,
    "ot": _word("m", "a", "v", "av", "i", "c", "tt", "k", "o"),
    "pr": _decimal,
    "rtp": _count,
    "sf": _word("d", "h", "s", "o"),
    "sid": _string,
    "st": _word("v", "l"),
    "su": _flag,
    "tb": _count,
    "v": _count,
}
"""How the value of each key is read (CTA-5004, table 1)."""


def parse(text: str) -> Cmcd | None:
    """The keys in ``text``, as in a header; None where there is none, or no list of keys at all."""
    if not text or len(text) > MOST_CHARS:
        return None
    found: dict[str, Value] = {}
    at, keys = 0, 0
    while at < len(text):
        pair = _PAIR.match(text, at)
        keys += 1
        if pair is None or keys > MOST_KEYS:
            return None
        at = pair.end()
        key = pair[1]
        form = _FORMS.get(key)
        if form is not None and (value := form(pair[2] or "")) is not None:
            found[key] = value
    return msgspec.convert(found, Cmcd) if found else None


def parse_headers(values: str) -> Cmcd | None:
    """The keys in the values of the four headers, with tabs between them."""
    return parse(",".join(filter(None, values.split("\t"))))


def parse_query(value: str) -> Cmcd | None:
    """The keys in the value of the argument ``CMCD``, percent-encoded as it came."""
    if len(value) > MOST_CHARS:
        return None
    # Nearly all that is encoded; what these leave is no part of another code.
    text = value.replace("%3D", "=").replace("%2C", ",").replace("%22", '"')
    return parse(unquote(text) if "%" in text else text)
