"""Lines of Avails: what one row of the spreadsheet says, and what windows come of many.

A line has the columns of EMA Avails 1.9 by their names, of which these are used; XML 2.6 is read
into the same columns. Where Avails cannot say something of ours, it stands in ``OtherTerms``, in
words that begin with ``cuemark``.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Literal, get_args

import msgspec

from cuemark.contexts.rights.model.windows import check
from cuemark.contexts.rights.model.zones import check_zone, territories, wall_of
from cuemark.contracts.ids import TitleId
from cuemark.contracts.rights import (
    LOCAL,
    WORLDWIDE,
    Holdback,
    LicenceType,
    Moment,
    RightsInvalid,
    TitleWindows,
    Window,
)

MOST_LINES = 50_000
OURS = "cuemark"
PRE_ORDER = "POEST"
CONTENT_IDS = {
    "Episode": "EpisodeContentID",
    "Season": "SeasonContentID",
    "Series": "SeriesContentID",
    "Volume": "VolumeContentID",
}
CONDITIONS = ("StartLag", "EndLag", "WindowDuration")
_LAST_SECOND = time(23, 59, 59)
_NO, _YES = ("", "no", "false", "0", "=false()"), ("yes", "true", "1", "=true()")
_ID = re.compile(r"[\x21-\x7e]{1,100}")


@dataclass(frozen=True)
class Cell:
    """``where`` is as people find it: ``Movies!V7``, or a path in XML."""

    text: str
    where: str


Line = Mapping[str, Cell]


@dataclass(frozen=True)
class Fault:
    """What is wrong with a cell, in one sentence."""

    where: str
    value: str
    wrong: str


@dataclass
class Taken:
    """What came of lines: the windows of titles, and what could not be taken. A title of which one
    line has a fault is not among the ``sets``. Pre-orders are ``left_out``: they give no right to
    play, and are no fault."""

    sets: list[TitleWindows] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    left_out: list[Fault] = field(default_factory=list)


class _Wrong(Exception):
    def __init__(self, cell: Cell, wrong: str) -> None:
        self.fault = Fault(cell.where, cell.text[:100], wrong)


def take(lines: Sequence[Line], ids: Mapping[str, TitleId], known: Collection[TitleId]) -> Taken:
    """The windows of the titles that the lines name.

    ``ids`` has our id by theirs; an id of ours stands for itself. ``known`` are the titles that
    there are.
    """
    taken = Taken()
    windows: dict[TitleId, dict[str, Window]] = {}
    first: dict[TitleId, Cell] = {}
    spoilt: set[TitleId] = set()
    for line in lines:
        title_id = None
        try:
            if (kind := _cell(line, "LicenseType")).text == PRE_ORDER:
                why = "is a pre-order, which gives no right to play: left out"
                taken.left_out.append(Fault(kind.where, kind.text, why))
                continue
            cell, title_id = _title(line, ids, known)
            first.setdefault(title_id, cell)
            of_title = windows.setdefault(title_id, {})
            if window := _window(line):
                _add(of_title, window, line)
        except _Wrong as wrong:
            taken.faults.append(wrong.fault)
            spoilt |= {title_id} if title_id else set()
    for title_id, of_title in windows.items():
        try:
            check(list(of_title.values()))
        except RightsInvalid as invalid:
            taken.faults.append(Fault(first[title_id].where, title_id, invalid.message))
            continue
        if title_id not in spoilt:
            some = TitleWindows(title_id=title_id, windows=list(of_title.values()))
            taken.sets.append(some)
    return taken


def _cell(line: Line, column: str) -> Cell:
    return line.get(column) or Cell("", next(iter(line.values())).where if line else "")


def _title(
    line: Line, ids: Mapping[str, TitleId], known: Collection[TitleId]
) -> tuple[Cell, TitleId]:
    cell = _cell(line, CONTENT_IDS.get(_cell(line, "WorkType").text, "ContentID"))
    title_id = ids.get(cell.text, TitleId(cell.text))
    if not cell.text:
        raise _Wrong(cell, "names no title: ContentID is empty")
    if title_id not in known:
        raise _Wrong(cell, "is no title of this install: say with --ids which one it is")
    return cell, title_id


def _window(line: Line) -> Window | None:
    """The window of a line; None where it only says that the title has none."""
    entry = _cell(line, "EntryType")
    if entry.text == "Full Delete":
        return None
    if entry.text not in ("", "Full Extract"):
        raise _Wrong(entry, "is not taken: send a Full Extract, or a Full Delete")
    for column in CONDITIONS:
        if (cell := _cell(line, column)).text:
            raise _Wrong(cell, f"is not taken: write Start and End instead of {column}")
    named, excluding = _territories(line)
    terms = _terms(line)
    announce = _cell(line, "AnnounceDate")
    if not announce.text:
        announce = _cell(line, "SuppressionLiftDate")
    return Window(
        window_id=_window_id(line),
        territories=named,
        excluding=excluding,
        licence_type=_licence(_cell(line, "LicenseType")),
        start=_moment(_cell(line, "Start"), "Immediate", terms.zones.get("start-zone")),
        end=_moment(_cell(line, "End"), "Open", terms.zones.get("end-zone"), ends=True),
        exclusive=_said_yes(_cell(line, "Exclusive")),
        announce=_moment(announce, "", terms.zones.get("announce-zone")) if announce.text else None,
        holdbacks=terms.holdbacks,
    )


def _add(windows: dict[str, Window], window: Window, line: Line) -> None:
    """Lines with one AvailID are one window in several territories."""
    before = windows.get(window.window_id)
    if before is None:
        windows[window.window_id] = window
        return
    if msgspec.structs.replace(window, territories=before.territories) != before:
        cell = _cell(line, "AvailID")
        raise _Wrong(cell, "is the id of another window of this title, with other terms")
    if WORLDWIDE in (*before.territories, *window.territories):
        raise _Wrong(_cell(line, "Territory"), "is told twice for this AvailID")
    if both := set(before.territories) & set(window.territories):
        raise _Wrong(_cell(line, "Territory"), f"tells {min(both)} twice for this AvailID")
    named = [*before.territories, *window.territories]
    windows[window.window_id] = msgspec.structs.replace(before, territories=named)


def _window_id(line: Line) -> str:
    cell = _cell(line, "AvailID")
    if not cell.text:
        return re.sub(r"[^\x21-\x7e]", "-", f"row-{_cell(line, 'LicenseType').where}")[:100]
    if not _ID.fullmatch(cell.text):
        raise _Wrong(cell, "is no id: write up to 100 characters of ASCII without spaces")
    return cell.text


def _licence(cell: Cell) -> LicenceType:
    for known in get_args(LicenceType):
        if cell.text == known:
            found: LicenceType = known
            return found
    words = ", ".join(get_args(LicenceType))
    raise _Wrong(cell, f"is no licence type that is taken: write one of {words}")


def _territories(line: Line) -> tuple[list[str], list[str]]:
    """Those that are named, and those that are excluded from all."""
    cell, without = _cell(line, "Territory"), _cell(line, "TerritoryExclusion")
    named, excluding = _codes(cell), _codes(without)
    if not named and excluding:
        named = [WORLDWIDE]
    if not named:
        raise _Wrong(cell, f"names no territory: write ISO 3166-1 codes, or {WORLDWIDE} for all")
    if WORLDWIDE in named and len(named) > 1:
        raise _Wrong(cell, f"names {WORLDWIDE} and others: write one or the others")
    if excluding and named != [WORLDWIDE]:
        raise _Wrong(without, f"excludes territories where Territory is not {WORLDWIDE}")
    return named, excluding


def _codes(cell: Cell) -> list[str]:
    codes = [code for each in cell.text.split(",") if (code := each.strip())]
    for code in codes:
        if code not in territories() and code != WORLDWIDE:
            raise _Wrong(cell, f"has {code[:20]!r}, which is no territory: write two letters")
    if len(set(codes)) != len(codes):
        raise _Wrong(cell, "names a territory twice")
    return codes


def _said_yes(cell: Cell) -> bool:
    said = cell.text.lower()
    if said not in (*_NO, *_YES):
        raise _Wrong(cell, "is neither Yes nor No")
    return said in _YES


def _moment(cell: Cell, without: str, zone: str | None, *, ends: bool = False) -> Moment | None:
    """A date or a date and time; ``without`` is the word for a side that is open.

    An end that is a date, or the last second of one, is the end of that day.
    """
    text = cell.text
    if without and text == without:
        return None
    if not text:
        raise _Wrong(cell, f"is empty: write a date, or {without}")
    try:
        said = datetime.fromisoformat(text)
    except ValueError:
        raise _Wrong(cell, "is no date such as 2030-01-31 or 2030-01-31T20:00:00") from None
    own = _zone(text, said)
    whole_day = len(text) == len("2030-01-31") or said.time() == _LAST_SECOND
    wall = said.replace(tzinfo=None)
    if ends and whole_day:
        wall = datetime.combine(wall.date(), time()) + timedelta(days=1)
    try:
        check_zone(zone or own, "It")
        wall_of(wall.isoformat(), "It")
    except RightsInvalid as invalid:
        raise _Wrong(cell, invalid.message) from invalid
    return Moment(wall=wall.isoformat(), zone=zone or own)


def _zone(text: str, said: datetime) -> str:
    ahead = said.utcoffset()
    if ahead is None:
        return LOCAL
    if text.endswith(("Z", "z")):
        return "UTC"
    minutes = round(ahead.total_seconds() / 60)
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


@dataclass(frozen=True)
class _Terms:
    zones: Mapping[str, str]
    holdbacks: list[Holdback]


def _terms(line: Line) -> _Terms:
    """What ``OtherTerms`` says in words of ours; what others wrote there is left alone."""
    cell = _cell(line, "OtherTerms")
    zones: dict[str, str] = {}
    holdbacks: list[Holdback] = []
    words = cell.text.split()
    if not words or words[0] != OURS:
        return _Terms(zones, holdbacks)
    for word in words[1:]:
        name, _, value = word.partition("=")
        if name in ("start-zone", "end-zone", "announce-zone"):
            zones[name] = value
        elif name in ("over", "apart"):
            rule: Literal["over", "apart"] = "over" if name == "over" else "apart"
            holdbacks.append(Holdback(window_id=value, rule=rule))
        else:
            raise _Wrong(cell, f"has {word[:40]!r}, which says nothing")
    return _Terms(zones, holdbacks)
