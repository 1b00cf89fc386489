"""``cuemark titles import`` and ``export``: what is told of works, as a file."""

from pathlib import Path
from typing import TypeVar

import click
import msgspec

from cuemark.app.cli.client import Operator
from cuemark.app.cli.failure import Failure
from cuemark.app.cli.metadata_csv import Sheet, written
from cuemark.app.cli.output import as_is, plain, print_json
from cuemark.app.folder import DataFolder
from cuemark.contracts.catalog.exchange import Exported, Fault, Imported, PersonRow, WorkRow
from cuemark.contracts.catalog.metadata import Term
from cuemark.kit.errors import UNREADABLE

T = TypeVar("T")

MOST_BYTES = 16 << 20
MOST_TOLD = 200
_SPREADSHEET = "\ufeff"


class Loose(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of which no row was looked at yet."""

    people: list[msgspec.Raw] = []
    terms: list[msgspec.Raw] = []
    works: list[msgspec.Raw] = []


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent, and written."""

    people: list[PersonRow]
    terms: list[Term]
    works: list[WorkRow]


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only say what would be, or what is wrong.")
@click.option("--json", "as_json", is_flag=True)
def import_metadata(folder: DataFolder, file: Path, dry_run: bool, as_json: bool) -> None:
    """Take works, people and terms from FILE, which is JSON, or CSV where it ends in .csv.

    All of it or nothing: where something is wrong, each fault is told with its place.
    """
    text = _text_of(file)
    sheet = Sheet()
    if file.suffix.lower() == ".csv":
        sheet.read(text)
        rows, faults = Rows(people=[], terms=[], works=sheet.rows), sheet.faults
    else:
        rows, faults = _rows_of(text)
    done = Imported(fault_count=len(faults), faults=faults[:MOST_TOLD])
    if not faults:
        body = {**msgspec.structs.asdict(rows), "dry_run": dry_run}
        with Operator(folder) as operator:
            done = operator.post("/metadata", body, Imported)
        if sheet.rows:
            placed = [
                Fault(place=sheet.place_of(each.place), message=each.message)
                for each in done.faults
            ]
            done = msgspec.structs.replace(done, faults=placed)
    if as_json:
        print_json(done)
    else:
        plain.print(_told(done, dry_run), soft_wrap=True)
    if done.fault_count:
        raise Failure(f"{file} was not imported: {done.fault_count} faults are in it")


@click.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export_metadata(folder: DataFolder, file: Path) -> None:
    """Write what is told of all works into FILE: as JSON, or as CSV where it ends in .csv."""
    people: dict[str, PersonRow] = {}
    terms: dict[str, Term] = {}
    works: list[WorkRow] = []
    with Operator(folder) as operator:
        for page in operator.pages("/metadata", Exported):
            people |= {each.id: each for each in page.people}
            terms |= {each.term_id: each for each in page.terms}
            works += page.works
    rows = Rows(people=list(people.values()), terms=list(terms.values()), works=works)
    try:
        if file.suffix.lower() == ".csv":
            file.write_text(written(works), "utf-8")
        else:
            told = msgspec.json.format(msgspec.json.encode(rows), indent=1)
            file.write_bytes(told + b"\n")
    except OSError as error:
        raise Failure(f"{file} cannot be written ({error.strerror}): choose another") from error
    plain.print(f"{len(works)} works are in {as_is(str(file))}.", soft_wrap=True)


def _text_of(file: Path) -> str:
    try:
        if file.stat().st_size > MOST_BYTES:
            raise Failure(f"{file} has more than {MOST_BYTES >> 20} MB: split it")
        return file.read_text("utf-8").removeprefix(_SPREADSHEET)
    except UnicodeError as error:
        raise Failure(f"{file} is not UTF-8: save it as UTF-8") from error
    except OSError as error:
        raise Failure(f"{file} cannot be read ({error.strerror})") from error


def _rows_of(text: str) -> tuple[Rows, list[Fault]]:
    """The rows of a JSON file, and each that cannot be read, with its place."""
    faults: list[Fault] = []
    try:
        loose = msgspec.json.decode(text, type=Loose)
    except UNREADABLE as error:
        faults.append(Fault(place="", message=f"no JSON of the form of an export: {error}"))
        loose = Loose()
    rows = Rows(
        people=_decoded("people", loose.people, PersonRow, faults),
        terms=_decoded("terms", loose.terms, Term, faults),
        works=_decoded("works", loose.works, WorkRow, faults),
    )
    return rows, faults


def _decoded(name: str, given: list[msgspec.Raw], kind: type[T], faults: list[Fault]) -> list[T]:
    decoded = []
    for place, raw in enumerate(given):
        try:
            decoded.append(msgspec.json.decode(raw, type=kind))
        except UNREADABLE as error:
            message, _, where = str(error).partition(" - at `$")
            faults.append(Fault(place=f"{name}[{place}]{where.rstrip('`')}", message=message))
    return decoded


def _told(done: Imported, dry_run: bool) -> str:
    if done.fault_count:
        lines = [f"{as_is(each.place) or 'file'}: {as_is(each.message)}." for each in done.faults]
        more = done.fault_count - len(done.faults)
        return "\n".join([*lines, *([f"{more} more faults are not shown."] if more else [])])
    created, changed, same = done.created, done.changed, done.unchanged
    if dry_run:
        return f"It would create {created}, change {changed} and leave {same} as they are."
    return f"{created} created, {changed} changed, {same} as they were."
