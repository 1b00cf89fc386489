"""A work as schema.org tells it: JSON-LD that can stand in a page.

Types and properties are those of schema.org 29: Movie, TVSeries, TVSeason, TVEpisode, Clip, and
CreativeWorkSeries for a franchise.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from cuemark.contracts.catalog.metadata import OtherId, Role
from cuemark.contracts.catalog.works import CreditShown, Kind, WorkInFull, WorkSummary

MEDIA_TYPE = "application/ld+json"
_TYPES: Mapping[Kind, str] = {
    "franchise": "CreativeWorkSeries",
    "series": "TVSeries",
    "season": "TVSeason",
    "episode": "TVEpisode",
    "movie": "Movie",
    "supplemental": "Clip",
}
_PROPERTIES: Mapping[Role, str] = {
    "actor": "actor",
    "voice": "actor",
    "director": "director",
    "creator": "creator",
    "writer": "author",
    "producer": "producer",
    "composer": "musicBy",
    "editor": "editor",
}
"""Where a part has a property of its own; the others are contributors."""
_SAME_AS = {
    "eidr": "https://doi.org/{}",
    "imdb": "https://www.imdb.com/title/{}/",
    "wikidata": "https://www.wikidata.org/entity/{}",
}
_ESCAPES = {ord(each): f"\\u{ord(each):04x}" for each in "<>&\u2028\u2029"}
"""What could end a script element, or a line of JavaScript, stands escaped within strings."""


def json_ld(shown: WorkInFull, base_url: str, artwork_url: str) -> bytes:
    """The document. Nothing in it can end the script element of a page that it is put into."""
    told = msgspec.json.encode(_described(shown, base_url, artwork_url)).decode()
    return told.translate(_ESCAPES).encode()


def _described(shown: WorkInFull, base_url: str, artwork_url: str) -> dict[str, Any]:
    work = shown.work
    found: dict[str, Any] = {
        "@context": "https://schema.org",
        **_named(work, base_url),
        "description": shown.synopsis or work.synopsis_short,
        "inLanguage": shown.original_language,
        "datePublished": str(work.year) if work.year else "",
        "duration": _duration(work.duration_s),
        "genre": [term.name for term in shown.genres],
        "keywords": [term.name for term in shown.themes],
        "countryOfOrigin": [{"@type": "Country", "name": each} for each in shown.countries],
        "contentRating": [f"{each.scheme} {each.rating}" for each in shown.ratings],
        "image": f"{base_url}{artwork_url}" if artwork_url else "",
        "identifier": [_property(each) for each in shown.ids],
        "sameAs": [
            _SAME_AS[each.scheme].format(each.value)
            for each in shown.ids
            if each.scheme in _SAME_AS
        ],
        **_made_by(shown.credits),
        **_part_of(work, shown.above, base_url),
    }
    return {key: value for key, value in found.items() if value not in ("", [], None)}


def _named(work: WorkSummary, base_url: str) -> dict[str, Any]:
    url = f"{base_url}/title/{work.work_id}"
    named: dict[str, Any] = {
        "@type": _TYPES[work.kind],
        "@id": url,
        "url": url,
        "name": work.name,
    }
    if work.kind == "season":
        named["seasonNumber"] = work.number
    if work.kind == "episode" and work.number is not None:
        named["episodeNumber"] = work.number
    return named


def _part_of(work: WorkSummary, above: Sequence[WorkSummary], base_url: str) -> dict[str, Any]:
    properties = {"season": "partOfSeason", "series": "partOfSeries", "episode": "partOfEpisode"}
    if work.kind == "movie":
        properties = {}
    return {
        properties.get(each.kind, "isPartOf"): _named(each, base_url)
        for each in above
        if each.kind in properties or each is above[-1]
    }


def _made_by(credits: Sequence[CreditShown]) -> dict[str, list[dict[str, Any]]]:
    made: dict[str, list[dict[str, Any]]] = {}
    for each in credits:
        name = _PROPERTIES.get(each.role, "contributor")
        person: dict[str, Any] = {"@type": "Person", "name": each.name}
        if each.character:
            performed = {"@type": "PerformanceRole", "characterName": each.character}
            person = {**performed, name: person}
        elif name == "contributor":
            person = {"@type": "Role", "roleName": each.role, name: person}
        made.setdefault(name, []).append(person)
    return made


def _property(each: OtherId) -> dict[str, str]:
    return {"@type": "PropertyValue", "propertyID": each.scheme, "value": each.value}


def _duration(seconds: float) -> str:
    """ISO 8601; empty for none."""
    if seconds <= 0:
        return ""
    minutes, whole = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"PT{hours}H{minutes}M{whole}S"
