"""When in a day something may be done: windows of a place's own time."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

DAY_MIN = 24 * 60
_WRITTEN = re.compile(r"([0-2][0-9]):([0-5][0-9])-([0-2][0-9]):([0-5][0-9])", re.ASCII)
_LONGEST_CLOSED_MIN = 2 * DAY_MIN


@dataclass(frozen=True)
class Window:
    """``from_min`` to before ``to_min``, in minutes since a local midnight; ``to_min`` below
    ``from_min`` goes past midnight."""

    from_min: int = 0
    to_min: int = DAY_MIN

    def __post_init__(self) -> None:
        if not (0 <= self.from_min < DAY_MIN and 0 <= self.to_min <= DAY_MIN):
            raise ValueError("a window is from a time of 00:00 to 23:59 to another, at most 24:00")
        if self.from_min == self.to_min:
            raise ValueError("a window ends at another time than it begins")

    def open(self, local_min: int) -> bool:
        """Whether it is open at a minute of the local day."""
        if self.from_min < self.to_min:
            return self.from_min <= local_min < self.to_min
        return local_min >= self.from_min or local_min < self.to_min

    def open_at(self, now: datetime, place: ZoneInfo) -> bool:
        """Whether it is open where clocks are those of ``place``."""
        local = now.astimezone(place)
        return self.open(local.hour * 60 + local.minute)

    def opens_at(self, now: datetime, place: ZoneInfo) -> datetime | None:
        """The minute of UTC at which it opens next, ``now`` if it is open.

        Clocks may be put forward past its beginning, and back past it, so every minute is looked
        at. None where clocks jump over all of a short one, two days in a row.
        """
        if self.open_at(now, place):
            return now
        minute = now.astimezone(UTC).replace(second=0, microsecond=0)
        for _ in range(_LONGEST_CLOSED_MIN):
            minute += timedelta(minutes=1)
            if self.open_at(minute, place):
                return minute
        return None


def window(written: str) -> Window:
    """The window of ``02:00-14:00``; all day if empty. Raises ``ValueError`` with a sentence."""
    if not written:
        return Window()
    found = _WRITTEN.fullmatch(written)
    if found is None:
        raise ValueError(f"{written!r} is no window: write it as 02:00-14:00")
    hours = [int(each) for each in found.groups()]
    try:
        return Window(hours[0] * 60 + hours[1], hours[2] * 60 + hours[3])
    except ValueError as error:
        raise ValueError(f"{written!r} is no window: {error}") from error


def place_of(timezone: str) -> ZoneInfo:
    """The clocks of a name of the IANA database, UTC if empty. Raises ``ValueError`` with a
    sentence."""
    try:
        return ZoneInfo(timezone or "UTC")
    except (ValueError, KeyError, OSError) as error:
        raise ValueError(
            f"{timezone!r} is no time zone: write a name such as Europe/Berlin"
        ) from error
