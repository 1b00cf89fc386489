"""``cuemark rights import`` and ``export``: rights as EMA Avails."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import msgspec
from rich.table import Table

from cuemark.app.cli.client import Operator
from cuemark.app.cli.failure import Failure
from cuemark.app.cli.output import as_is, plain, print_json
from cuemark.app.cli.titles import all_titles
from cuemark.app.folder import DataFolder
from cuemark.contexts.rights.wiring import (
    AvailsUnreadable,
    Fault,
    Licensor,
    lines_of,
    read_document,
    read_sheet,
    take,
    write_document,
    write_sheet,
)
from cuemark.contracts.ids import TitleId
from cuemark.contracts.rights import RightsPage, RightsWereSet

AT_ONCE = 500
SHOWN_FAULTS = 200


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """``titles`` were read without a fault; of these ``changed`` had other windows."""

    titles: int
    windows: int
    changed: int
    set: bool
    faults: list[Fault]
    left_out: list[Fault]


@click.command("import")
@click.argument("path", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--ids",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A CSV file: on each line a ContentID of theirs, and the title's id here.",
)
@click.option("--dry-run", is_flag=True, help="Say what is wrong, and set nothing.")
@click.option("--partial", is_flag=True, help="Set the titles that have no fault.")
@click.option("--json", "as_json", is_flag=True)
def import_avails(
    folder: DataFolder, path: Path, ids: Path | None, dry_run: bool, partial: bool, as_json: bool
) -> None:
    """Set the rights of titles from a spreadsheet (xlsx) or XML of EMA Avails at PATH.

    All windows of each title that the file names are set anew. Where a row has a fault, nothing is
    set unless --partial is said, and then nothing of that title.
    """
    named = _ids_in(ids) if ids else {}
    try:
        data = path.read_bytes()
        lines = read_document(data) if data.lstrip()[:1] == b"<" else read_sheet(data)
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror}") from error
    except AvailsUnreadable as error:
        raise Failure(f"{path}: {error}") from error
    changed: list[TitleId] = []
    with Operator(folder) as operator:
        known = {TitleId(title.title_id) for title in all_titles(operator)}
        taken = take(lines, named, known)
        wanted = not dry_run and bool(taken.sets) and (partial or not taken.faults)
        if wanted:
            for first in range(0, len(taken.sets), AT_ONCE):
                body = {"sets": taken.sets[first : first + AT_ONCE]}
                changed += operator.put("/rights", body, RightsWereSet).changed
    found = Imported(
        titles=len(taken.sets),
        windows=sum(len(each.windows) for each in taken.sets),
        changed=len(changed),
        set=wanted,
        faults=taken.faults,
        left_out=taken.left_out,
    )
    if as_json:
        print_json(found)
    else:
        _tell(found)
    if taken.faults and not partial:
        many = f"{len(taken.faults)} fault" + ("s" if len(taken.faults) > 1 else "")
        raise Failure(f"{path} has {many}, so nothing was set")


@click.command()
@click.option(
    "--to",
    "path",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Ends in .xlsx (EMA Avails 1.9) or .xml (2.6).",
)
@click.option("--name", default="Cuemark", show_default=True, help="Who sends it: DisplayName.")
@click.option("--format-profile", default="HD", show_default=True, help="SD, HD, UHD and others.")
@click.option("--json", "as_json", is_flag=True)
def export(folder: DataFolder, path: Path, name: str, format_profile: str, as_json: bool) -> None:
    """Write the rights of all titles as EMA Avails."""
    writers = {".xlsx": write_sheet, ".xml": write_document}
    if path.suffix not in writers:
        raise click.UsageError("--to ends in .xlsx or .xml")
    licensor = Licensor(name, format_profile)
    with Operator(folder) as operator:
        names = {title.title_id: title.name for title in all_titles(operator)}
        found = [each for page in operator.pages("/rights", RightsPage) for each in page.rights]
    lines = [
        line for each in found for line in lines_of(each, names.get(each.title_id, ""), licensor)
    ]
    try:
        path.write_bytes(writers[path.suffix](lines))
    except OSError as error:
        raise Failure(f"{path} cannot be written: {error.strerror}") from error
    if as_json:
        print_json({"titles": len(found), "rows": len(lines), "path": str(path)})
    else:
        plain.print(f"{len(found)} titles in {len(lines)} rows: {as_is(str(path))}", soft_wrap=True)


def _ids_in(path: Path) -> Mapping[str, TitleId]:
    try:
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    except (OSError, UnicodeError, csv.Error) as error:
        raise Failure(f"{path} cannot be read as CSV: {error}") from error
    found: dict[str, TitleId] = {}
    for number, row in enumerate(rows, 1):
        if row and len(row) != 2:
            raise Failure(f"{path} line {number} has not two fields: their id, and the title's")
        if row:
            found[row[0].strip()] = TitleId(row[1].strip())
    return found


def _tell(found: Imported) -> None:
    told = [*found.faults, *found.left_out]
    if told:
        plain.print(_table(told[:SHOWN_FAULTS]))
        if len(told) > SHOWN_FAULTS:
            plain.print(f"and {len(told) - SHOWN_FAULTS} more: see --json")
    done = f"set, {found.changed} of them anew" if found.set else "could be set"
    plain.print(f"{found.titles} titles with {found.windows} windows {done}.")


def _table(faults: Sequence[Fault]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("Cell", "Value", "Wrong"):
        table.add_column(name, overflow="fold")
    for fault in faults:
        table.add_row(as_is(fault.where), as_is(fault.value), as_is(fault.wrong))
    return table
