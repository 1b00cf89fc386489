"""How far an appliance is from a client, by what is known of where they are."""

import math
import re

from cuemark.contracts.steering.routes import Place

EARTH_KM = 6371.0
NEAREST_KM = 250.0
_BANDS = 8
"""The farthest begins at 16,000 km; nothing on Earth is farther than 20,016 km."""
_SAME_COUNTRY = 2
_COUNTRY = re.compile(r"[A-Z]{2}")
_MAX_ASN = (1 << 32) - 1

NOWHERE = Place()


def remoteness(client: Place, appliance: Place | None) -> int:
    """0 within one network, else 1 and more; who is as far is as good.

    By distance where both have coordinates, in bands that double from ``NEAREST_KM``. By country
    elsewhere: within one, as far as 500 to 1,000 km; in another, or not known, as the last band.
    """
    there = appliance or NOWHERE
    if client.asn and client.asn == there.asn:
        return 0
    km = distance_km(client, there)
    if km is not None:
        return 1 + min(_BANDS - 1, max(0, math.ceil(math.log2(max(km, 1.0) / NEAREST_KM))))
    if client.country and client.country == there.country:
        return 1 + _SAME_COUNTRY
    return _BANDS


def distance_km(one: Place, other: Place | None) -> float | None:
    """Along the great circle, by the haversine formula; None where either has no coordinates."""
    if (
        other is None
        or one.latitude is None
        or one.longitude is None
        or other.latitude is None
        or other.longitude is None
    ):
        return None
    here, there = math.radians(one.latitude), math.radians(other.latitude)
    east = math.radians(other.longitude - one.longitude)
    chord = (
        math.sin((there - here) / 2) ** 2
        + math.cos(here) * math.cos(there) * math.sin(east / 2) ** 2
    )
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, chord)))


def complaint_about(place: Place) -> str:
    """What is wrong with a place; empty where nothing is."""
    if place.country and not _COUNTRY.fullmatch(place.country):
        return f"country is {place.country[:20]!r}: write two letters, such as DE"
    if not 0 <= place.asn <= _MAX_ASN:
        return f"asn is {place.asn}, not 0 to {_MAX_ASN}"
    if (place.latitude is None) != (place.longitude is None):
        return "latitude and longitude go together"
    if place.latitude is not None and not -90 <= place.latitude <= 90:
        return f"latitude is {place.latitude}, not -90 to 90"
    if place.longitude is not None and not -180 <= place.longitude <= 180:
        return f"longitude is {place.longitude}, not -180 to 180"
    return ""


def place_in(records: list[object]) -> Place:
    """What records of the databases of MaxMind's format say together; the first to say it wins.

    The fields are those of MaxMind's own databases (``country.iso_code``,
    ``autonomous_system_number``, ``location.latitude``) and of ip-location-db's
    (``country_code``, ``latitude``). What has another shape says nothing.
    """
    country, asn = "", 0
    latitude: float | None = None
    longitude: float | None = None
    for record in records:
        code = _at(record, "country", "iso_code") or _at(record, "country_code")
        if not country and isinstance(code, str) and _COUNTRY.fullmatch(code):
            country = code
        number = _at(record, "autonomous_system_number")
        if not asn and isinstance(number, int) and 0 < number <= _MAX_ASN:
            asn = number
        north = _at(record, "location", "latitude", flat="latitude")
        east = _at(record, "location", "longitude", flat="longitude")
        if latitude is None and isinstance(north, float) and isinstance(east, float):
            latitude, longitude = north, east
    place = Place(country=country, asn=asn, latitude=latitude, longitude=longitude)
    return Place(country=country, asn=asn) if complaint_about(place) else place


def _at(record: object, *path: str, flat: str = "") -> object:
    found = record
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found if found is not None or not flat else _at(record, flat)
