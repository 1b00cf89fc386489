"""Windows as lines of Avails, with all that windows say."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from cuemark.contexts.rights.tools.lines import OURS
from cuemark.contracts.rights import LOCAL, WORLDWIDE, Moment, TitleRights, Window


@dataclass(frozen=True)
class Licensor:
    """What Avails wants to know and rights do not: the name of who sends them, and the format of
    the films, one for all."""

    name: str
    format_profile: str = "HD"


def lines_of(
    rights: TitleRights, title_name: str, licensor: Licensor
) -> Iterator[Mapping[str, str]]:
    """The lines of a title: one for each window and territory, or one that it has no window."""
    about = {
        "DisplayName": licensor.name,
        "WorkType": "Movie",
        "TitleInternalAlias": title_name,
        "ContentID": rights.title_id,
        "ALID": rights.title_id,
        "FormatProfile": licensor.format_profile,
    }
    if not rights.windows:
        yield about | {
            "EntryType": "Full Delete",
            "Territory": WORLDWIDE,
            "LicenseType": "SVOD",
            "Start": "Immediate",
            "End": "Open",
        }
    for window in rights.windows:
        for territory in window.territories:
            yield about | _told(window) | {"EntryType": "Full Extract", "Territory": territory}


def _told(window: Window) -> dict[str, str]:
    terms = [
        f"{name}-zone={moment.zone}"
        for name in ("start", "end", "announce")
        if (moment := getattr(window, name)) is not None and "/" in moment.zone
    ]
    terms += [f"{each.rule}={each.window_id}" for each in window.holdbacks]
    told = {
        "AvailID": window.window_id,
        "TerritoryExclusion": ",".join(window.excluding),
        "LicenseType": window.licence_type,
        "Start": _moment(window.start) if window.start else "Immediate",
        "End": _end(window.end) if window.end else "Open",
        "Exclusive": "Yes" if window.exclusive else "",
        "AnnounceDate": _moment(window.announce) if window.announce else "",
        "OtherTerms": " ".join([OURS, *terms]) if terms else "",
    }
    return {column: text for column, text in told.items() if text}


def _moment(moment: Moment) -> str:
    if moment.zone == LOCAL or "/" in moment.zone:
        return moment.wall
    return moment.wall + ("Z" if moment.zone == "UTC" else moment.zone)


def _end(moment: Moment) -> str:
    """An end at midnight is the last second of the day before, as Avails writes it."""
    wall = datetime.fromisoformat(moment.wall)
    if wall.time() == time():
        wall -= timedelta(seconds=1)
    return _moment(Moment(wall=wall.isoformat(), zone=moment.zone))
