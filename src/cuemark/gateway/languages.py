"""Which languages a caller reads, and in which an answer is."""

import re
from collections.abc import Iterable
from typing import Annotated

from litestar.params import QueryParameter

from cuemark.gateway.parts import AnyRequest

MOST_RANGES = 20
Language = Annotated[str, QueryParameter(max_length=35, pattern=r"^[A-Za-z0-9-]*\Z")]
Territory = Annotated[str, QueryParameter(max_length=2, pattern=r"^([A-Za-z]{2})?\Z")]
_RANGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_QUALITY = re.compile(r"q=(0(\.\d{0,3})?|1(\.0{0,3})?)", re.IGNORECASE)


def ranges_of(request: AnyRequest, language: str = "") -> list[str]:
    """The language ranges of a caller, the preferred one first: ``language`` alone where the query
    has it, else that of the profile, if it has one, and those of Accept-Language (RFC 9110 section
    12.5.4). What is no range is left out.
    """
    if language:
        return [language]
    own = [request.user.language] if request.user.language else []
    weighed = []
    for part in ",".join(request.headers.getall("accept-language", [])).split(",")[:100]:
        tag, _, weight = (piece.strip() for piece in part.partition(";"))
        quality = _quality(weight)
        if quality > 0 and _RANGE.fullmatch(tag):
            weighed.append((quality, tag))
    weighed.sort(key=lambda pair: -pair[0])
    return [*own, *(tag for _, tag in weighed)][:MOST_RANGES]


def told_in(languages: Iterable[str]) -> dict[str, str]:
    """The headers of an answer that has texts in these languages; an empty one is not known."""
    tags = [tag for tag in dict.fromkeys(languages) if tag]
    headers = {"vary": "accept-language"}
    return headers | ({"content-language": ", ".join(tags)} if tags else {})


def _quality(weight: str) -> float:
    if not weight:
        return 1.0
    found = _QUALITY.fullmatch(weight)
    return float(found[1]) if found else 0.0
