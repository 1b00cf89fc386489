"""``cuemark rights``: where and when titles may be played."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import get_args
from urllib.parse import urlencode

import click
import msgspec
from rich.table import Table

from cuemark.app.cli.client import Operator
from cuemark.app.cli.failure import Failure
from cuemark.app.cli.output import as_is, plain, print_json
from cuemark.app.cli.times import minute, moment, time_of
from cuemark.app.cli.titles import title_named
from cuemark.app.folder import DataFolder
from cuemark.contracts.rights import (
    LOCAL,
    Decision,
    LicenceType,
    Moment,
    TitleRights,
    Window,
)
from cuemark.kit.errors import UNREADABLE

_TITLE_SETS = "Set the whole table of a title's windows; the one before is kept."


@click.command()
@click.argument("title")
@click.option("--json", "as_json", is_flag=True)
def show(folder: DataFolder, title: str, as_json: bool) -> None:
    """Show the windows of a TITLE, which is a name or an id."""
    with Operator(folder) as operator:
        found = operator.get(_where(operator, title), TitleRights)
    _tell(found, as_json)


@click.command("set", help=_TITLE_SETS)
@click.argument("title")
@click.option(
    "--file",
    "path",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help='A JSON file: {"windows": [...]} as `show --json` prints them.',
)
@click.option(
    "--territory",
    "territories",
    multiple=True,
    metavar="CODE",
    help="Two letters such as DE, or WW for all; again for more.",
)
@click.option("--except", "excluding", multiple=True, metavar="CODE", help="With WW: not there.")
@click.option("--licence", type=click.Choice(get_args(LicenceType)), default="SVOD")
@click.option("--start", metavar="WHEN", help="2030-01-31 or 2030-01-31T20:00; open without it.")
@click.option("--end", metavar="WHEN", help="The first moment without the right.")
@click.option("--announce", metavar="WHEN", help="From when on the title may be shown.")
@click.option(
    "--zone",
    default=LOCAL,
    show_default=True,
    help="Whose clock these go by: local, UTC, Europe/Berlin, +01:00.",
)
@click.option("--none", "nowhere", is_flag=True, help="No window: the title plays nowhere.")
@click.option("--json", "as_json", is_flag=True)
def set_rights(
    folder: DataFolder,
    title: str,
    path: Path | None,
    territories: tuple[str, ...],
    excluding: tuple[str, ...],
    licence: LicenceType,
    start: str | None,
    end: str | None,
    announce: str | None,
    zone: str,
    nowhere: bool,
    as_json: bool,
) -> None:
    if sum((path is not None, bool(territories), nowhere)) != 1:
        raise click.UsageError("give one of --file, --territory and --none")
    if path is not None:
        windows = _windows_in(path)
    elif nowhere:
        windows = []
    else:
        windows = [
            Window(
                window_id="1",
                territories=list(territories),
                excluding=list(excluding),
                licence_type=licence,
                start=_said("start", start, zone),
                end=_said("end", end, zone),
                announce=_said("announce", announce, zone),
            )
        ]
    with Operator(folder) as operator:
        body = {"windows": windows}
        found = operator.put(_where(operator, title), body, TitleRights)
    _tell(found, as_json)


@click.command()
@click.argument("title")
@click.option("--json", "as_json", is_flag=True)
def undo(folder: DataFolder, title: str, as_json: bool) -> None:
    """Give a TITLE the windows back that the present ones replaced."""
    with Operator(folder) as operator:
        found = operator.post(f"{_where(operator, title)}/undo", {}, TitleRights)
    _tell(found, as_json)


@click.command()
@click.argument("title")
@click.option("--territory", default="", metavar="CODE", help="Where; without it, nowhere known.")
@click.option("--licence", type=click.Choice(get_args(LicenceType)), default=None)
@click.option("--at", "at", metavar="WHEN", help="ISO 8601, of UTC where it does not say; now.")
@click.option("--json", "as_json", is_flag=True)
def ask(
    folder: DataFolder,
    title: str,
    territory: str,
    licence: LicenceType | None,
    at: str | None,
    as_json: bool,
) -> None:
    """Say whether a TITLE may be played somewhere, why, and until when."""
    asked = {"territory": territory}
    if licence:
        asked["licence_type"] = licence
    if at:
        asked["at"] = _time(at).isoformat()
    with Operator(folder) as operator:
        where = f"{_where(operator, title)}/decision?{urlencode(asked)}"
        found = operator.get(where, Decision)
    if as_json:
        print_json(found)
    else:
        plain.print(decision_told(found), soft_wrap=True)


def decision_told(decision: Decision) -> str:
    """In one line: may it be played, why, and until when that stays so."""
    why = {
        "held": "a window holds",
        "open": "no rights are recorded, and the install is open",
        "unrecorded": "no rights are recorded, and the install is closed",
        "territory": "no window has this territory",
        "licence_type": "no window here has such a licence",
        "not_begun": "the window has not begun",
        "held_back": "the window waits for another",
        "suspended": "an exclusive window runs",
        "over": "the windows are over",
    }[decision.reason]
    can = "It plays" if decision.allowed else "It does not play"
    shown = "" if decision.allowed or not decision.shown else " It is shown as coming."
    until = f", until {moment(decision.until)}" if decision.until else ""
    return f"{can}: {why}{until}.{shown}"


def window_told(window: Window) -> tuple[str, str, str, str, str]:
    """Territories, licence, from, until, and what else there is to say."""
    where = ", ".join(window.territories)
    if window.excluding:
        where += f" but {', '.join(window.excluding)}"
    more = ["exclusive"] if window.exclusive else []
    if window.announce:
        more.append(f"shown from {_moment_told(window.announce)}")
    more += [
        f"after {each.window_id}" if each.rule == "over" else f"not during {each.window_id}"
        for each in window.holdbacks
    ]
    start, end = _moment_told(window.start), _moment_told(window.end)
    return where, window.licence_type, start, end, ", ".join(more)


def _moment_told(said: Moment | None) -> str:
    return "open" if said is None else f"{said.wall.removesuffix('T00:00:00')} {said.zone}"


def _tell(found: TitleRights, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    if found.number == 0:
        plain.print("No rights are recorded of this title.")
        return
    since = f" since {minute(found.set_at)} UTC" if found.set_at else ""
    if not found.windows:
        plain.print(f"This title has no window{since}: it plays nowhere.")
        return
    plain.print(f"Set {found.number}{since}:", soft_wrap=True)
    table = Table(box=None, pad_edge=False)
    for name in ("Window", "Territories", "Licence", "From", "Until", ""):
        table.add_column(name, overflow="fold")
    for window in found.windows:
        table.add_row(as_is(window.window_id), *map(as_is, window_told(window)))
    plain.print(table)


def _where(operator: Operator, title: str) -> str:
    return f"/titles/{title_named(operator, title).title_id}/rights"


def _windows_in(path: Path) -> list[Window]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_File).windows
    except (*UNREADABLE, OSError) as error:
        raise Failure(f"{path} cannot be read as windows: {error}") from error


class _File(msgspec.Struct, frozen=True):
    windows: list[Window]


def _said(name: str, text: str | None, zone: str) -> Moment | None:
    if text is None:
        return None
    try:
        wall = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(
            f"--{name} {text!r} is no time such as 2030-01-31 or 2030-01-31T20:00"
        ) from error
    if wall.tzinfo is not None:
        ahead = wall.utcoffset() or timedelta()
        minutes = round(ahead.total_seconds() / 60)
        sign, minutes = "-" if minutes < 0 else "+", abs(minutes)
        zone = f"{sign}{minutes // 60:02}:{minutes % 60:02}"
    return Moment(wall=wall.replace(tzinfo=None).isoformat(), zone=zone)


def _time(text: str) -> datetime:
    try:
        return time_of(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no time such as 2030-01-31T19:00") from error
