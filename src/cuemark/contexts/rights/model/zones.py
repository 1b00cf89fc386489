"""Territories, the clocks that they go by, and when a moment comes there.

Territories and their zones are those of the tz database (``iso3166.tab`` and ``zone.tab``), in the
release that ``tzdata`` brings: the rules of clocks change, so instants are never stored.
"""

import functools
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from importlib import resources
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cuemark.contracts.rights import LOCAL, Moment, RightsInvalid

CAPITALS = {
    "AQ": "Antarctica/McMurdo",
    "AR": "America/Argentina/Buenos_Aires",
    "AU": "Australia/Sydney",
    "BR": "America/Sao_Paulo",
    "CA": "America/Toronto",
    "CD": "Africa/Kinshasa",
    "CL": "America/Santiago",
    "CN": "Asia/Shanghai",
    "CY": "Asia/Nicosia",
    "DE": "Europe/Berlin",
    "EC": "America/Guayaquil",
    "ES": "Europe/Madrid",
    "FM": "Pacific/Pohnpei",
    "GL": "America/Nuuk",
    "ID": "Asia/Jakarta",
    "KI": "Pacific/Tarawa",
    "KZ": "Asia/Almaty",
    "MH": "Pacific/Majuro",
    "MN": "Asia/Ulaanbaatar",
    "MX": "America/Mexico_City",
    "MY": "Asia/Kuala_Lumpur",
    "NZ": "Pacific/Auckland",
    "PF": "Pacific/Tahiti",
    "PG": "Pacific/Port_Moresby",
    "PS": "Asia/Hebron",
    "PT": "Europe/Lisbon",
    "RU": "Europe/Moscow",
    "UA": "Europe/Kyiv",
    "UM": "Pacific/Wake",
    "US": "America/New_York",
    "UZ": "Asia/Tashkent",
}
"""Of territories with several zones, that of the capital, or of most who live there."""

FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
EARLIEST_YEAR, LATEST_YEAR = 1970, 2999

_LATEST_CLOCK = timezone(timedelta(hours=-12))
_EARLIEST_CLOCK = timezone(timedelta(hours=14))
_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)")
_MOST_OFFSET_HOURS = 14


@functools.cache
def territories() -> frozenset[str]:
    """The codes of ISO 3166-1 alpha-2."""
    return frozenset(row[0] for row in _table("iso3166.tab"))


@functools.cache
def local_zones() -> dict[str, str]:
    """The zone that counts in each territory; those in which nobody lives go by UTC."""
    zones = dict.fromkeys(territories(), "UTC")
    found: dict[str, str] = {}
    for territory, _, name, *_ in _table("zone.tab"):
        found.setdefault(territory, name)
    return zones | found | CAPITALS


def zones_of(territory: str) -> list[str]:
    """All zones of a territory."""
    return [name for code, _, name, *_ in _table("zone.tab") if code == territory]


def wall_of(text: str, what: str) -> datetime:
    """The wall time, naive; raises ``RightsInvalid``."""
    try:
        wall = datetime.fromisoformat(text)
    except ValueError:
        raise RightsInvalid(
            f"{what} is {text[:40]!r}, which is no time such as 2030-01-31T00:00:00."
        ) from None
    if wall.tzinfo is not None:
        raise RightsInvalid(f"{what} is {text[:40]!r}: give its offset as the zone.")
    if not EARLIEST_YEAR <= wall.year <= LATEST_YEAR:
        raise RightsInvalid(f"{what} lies outside of the years {EARLIEST_YEAR} to {LATEST_YEAR}.")
    return wall


def check_zone(name: str, what: str) -> None:
    """Raises ``RightsInvalid`` where no clock goes by it."""
    if name != LOCAL and _named(name) is None:
        raise RightsInvalid(
            f"{what} has the zone {name[:40]!r}: write a name such as Europe/Berlin, UTC, an "
            f"offset such as +01:00, or {LOCAL}."
        )


def instant_of(moment: Moment, territory: str, *, ends: bool) -> datetime:
    """When a moment that was checked comes in a territory, in UTC.

    In one that is not known, what ``ends`` by local clocks has ended once it has anywhere, and what
    begins has begun once it has everywhere: nothing is shown where it may not be.
    """
    wall = datetime.fromisoformat(moment.wall)
    if moment.zone != LOCAL:
        zone = _named(moment.zone) or UTC
    elif territory:
        zone = _named(local_zones().get(territory, "UTC")) or UTC
    else:
        zone = _EARLIEST_CLOCK if ends else _LATEST_CLOCK
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


@functools.cache
def _iana(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@functools.lru_cache(maxsize=4096)
def _named(name: str) -> tzinfo | None:
    offset = _OFFSET.fullmatch(name)
    if offset is None:
        return _iana(name) if name in _names() else None
    hours, minutes = int(offset[2]), int(offset[3])
    if hours * 60 + minutes > _MOST_OFFSET_HOURS * 60 or minutes > 59:
        return None
    ahead = timedelta(hours=hours, minutes=minutes)
    return timezone(ahead if offset[1] == "+" else -ahead)


@functools.cache
def _names() -> frozenset[str]:
    """The names of the tz database, so that a strange one opens no file."""
    listed = (resources.files("tzdata") / "zones").read_text(encoding="utf-8")
    return frozenset(listed.split())


@functools.cache
def _table(name: str) -> list[list[str]]:
    text = (resources.files("tzdata") / "zoneinfo" / name).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
