"""What fill takes of what appliances tell."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cuemark.contracts.fill import (
    KEPT_DAYS,
    MOST_TRACKS,
    FillInvalid,
    TellHeld,
    TellServed,
    TrackBytes,
)

MOST_PARTS = 200
"""A million tracks: more than any store holds."""
MOST_BYTES = 1 << 60
MOST_KBPS = 10_000_000_000
LONGEST_NAME = 64
AHEAD = timedelta(minutes=5)
"""By as much an appliance's clock may be before ours."""
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,62}[A-Za-z0-9])?")
_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")


def check_served(told: TellServed, now: datetime) -> None:
    """Raises ``FillInvalid`` where it is not what an appliance can have served."""
    _check_region(told.region)
    hour = told.hour
    if hour.tzinfo is None or hour.timestamp() % 3600:
        raise FillInvalid(f"hour is {hour.isoformat()}, at which no hour of UTC begins")
    if hour > now + AHEAD:
        raise FillInvalid(f"hour is {hour.isoformat()}, which is still to come")
    if hour <= now - timedelta(days=KEPT_DAYS):
        raise FillInvalid(
            f"hour is {hour.isoformat()}: what is older than {KEPT_DAYS} days is over"
        )
    _check_tracks("served", told.served)


def check_held(told: TellHeld) -> None:
    """Raises ``FillInvalid`` where it is not what an appliance can be or hold."""
    _check_region(told.region)
    zone_of(told.timezone)
    if not 1 <= told.storage_bytes <= MOST_BYTES:
        raise FillInvalid(f"storage_bytes is {told.storage_bytes}, not 1 to {MOST_BYTES}")
    if not 0 <= told.capacity_kbps <= MOST_KBPS:
        raise FillInvalid(f"capacity_kbps is {told.capacity_kbps}, not 0 to {MOST_KBPS}")
    if not 1 <= told.part <= told.parts <= MOST_PARTS:
        raise FillInvalid(f"part is {told.part} of {told.parts}, not 1 to {MOST_PARTS}")
    _check_tracks("held", told.held)


def zone_of(timezone: str) -> ZoneInfo:
    """Raises ``FillInvalid`` where the IANA database has no such timezone."""
    try:
        return ZoneInfo(timezone[:LONGEST_NAME])
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise FillInvalid(
            f"timezone is {timezone[:64]!r}: write one of the IANA database, such as Europe/Oslo"
        ) from error


def is_id(text: str) -> bool:
    """Whether ids of versions, tracks and titles look so."""
    return _ID.fullmatch(text) is not None


def _check_region(region: str) -> None:
    if not _NAME.fullmatch(region):
        raise FillInvalid(f"region is {region[:64]!r}: write letters, digits and - . _")


def _check_tracks(name: str, tracks: Sequence[TrackBytes]) -> None:
    if len(tracks) > MOST_TRACKS:
        raise FillInvalid(f"{name} has {len(tracks)} entries, more than {MOST_TRACKS}")
    for track in tracks:
        for text in (track.version_id, track.track_id):
            if not is_id(text):
                raise FillInvalid(f"{name} has {text[:80]!r}, which is no id")
        if not 0 <= track.of_bytes <= MOST_BYTES:
            raise FillInvalid(f"{name} has {track.of_bytes} bytes, not 0 to {MOST_BYTES}")
