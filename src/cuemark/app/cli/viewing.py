"""``cuemark viewing``: what members did in one region, taken to another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec

from cuemark.app.cli.client import Operator
from cuemark.app.cli.failure import Failure
from cuemark.app.cli.output import as_is, plain, print_json
from cuemark.app.folder import DataFolder
from cuemark.contexts.viewers.wiring import wrong_with
from cuemark.contracts.viewers.exchange import (
    MOST_CHANGES,
    Applied,
    Change,
    ChangeFault,
    ChangesPage,
)
from cuemark.kit.errors import UNREADABLE

SHOWN_FAULTS = 20
MOST_LINE_BYTES = 10_000


class Head(msgspec.Struct, frozen=True, kw_only=True, tag="viewing-changes", tag_field="kind"):
    """The first line of a file: whose changes follow, one a line."""

    region: str


class LinesInvalid(Exception):
    """A line of the file is not right; the message names it."""


@dataclass(frozen=True)
class Lines:
    """What a file says, with the number of the line of each change."""

    region: str
    changes: list[Change]
    numbers: list[int]


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """``cursor`` is for the next ``--after``."""

    path: str
    changes: int
    cursor: str


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """Of ``changes`` lines ``taken`` were news."""

    region: str
    changes: int
    taken: int


@click.command("export")
@click.option("--to", "path", required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--after", default="", metavar="CURSOR", help="Only what changed since an export.")
@click.option("--json", "as_json", is_flag=True)
def export_changes(folder: DataFolder, path: Path, after: str, as_json: bool) -> None:
    """Write what members did here into a file, one change a line.

    The cursor that is printed goes into --after of the next export.
    """
    count, cursor, more = 0, after, True
    try:
        with Operator(folder) as operator, path.open("wb") as file:
            while more:
                page = operator.get(_where(cursor), ChangesPage)
                if count == 0 and file.tell() == 0:
                    file.write(_line(Head(region=page.region)))
                file.writelines(_line(change) for change in page.changes)
                count, cursor, more = count + len(page.changes), page.cursor, page.more
    except OSError as error:
        raise Failure(f"{path} cannot be written: {error.strerror}") from error
    if as_json:
        print_json(Exported(path=str(path), changes=count, cursor=cursor))
    else:
        plain.print(f"{count} changes: {as_is(str(path))}", soft_wrap=True)
        if cursor:
            plain.print(f"The next export: --after {cursor}", soft_wrap=True)


@click.command("apply")
@click.argument("path", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--json", "as_json", is_flag=True)
def apply_changes(folder: DataFolder, path: Path, as_json: bool) -> None:
    """Take what members did in another region, from a file that `export` wrote there.

    It may be taken again, and files in any order. The whole file is looked through before any of it
    is taken.
    """
    try:
        lines = _read(path)
    except LinesInvalid as error:
        raise Failure(f"{path}: {error}") from error
    taken = 0
    with Operator(folder) as operator:
        for first in range(0, len(lines.changes), MOST_CHANGES):
            some = lines.changes[first : first + MOST_CHANGES]
            body = {"region": lines.region, "changes": some}
            applied = operator.post("/viewing/changes", body, Applied)
            if applied.faults:
                told = _told(applied.faults, lines.numbers[first:])
                raise Failure(f"{path}, of which {first} changes were taken: {told}")
            taken += applied.taken
    found = Taken(region=lines.region, changes=len(lines.changes), taken=taken)
    if as_json:
        print_json(found)
    else:
        plain.print(f"{found.changes} changes of {found.region}, {taken} of them news.")


def changes_in(lines: Iterator[bytes]) -> Lines:
    """What a file says; raises ``LinesInvalid`` with the number of the line that is wrong."""
    head: Head | None = None
    changes: list[Change] = []
    numbers: list[int] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            if head is None:
                head = _heads.decode(line)
                continue
            change = _changes.decode(line)
        except UNREADABLE as error:
            raise LinesInvalid(f"line {number} cannot be read: {error}") from error
        if wrong := wrong_with(change):
            raise LinesInvalid(f"line {number}: {wrong}")
        changes.append(change)
        numbers.append(number)
    if head is None:
        raise LinesInvalid("it has no first line that says whose changes follow")
    return Lines(head.region, changes, numbers)


_heads = msgspec.json.Decoder(Head)
_changes: msgspec.json.Decoder[Change] = msgspec.json.Decoder(Change)


def _read(path: Path) -> Lines:
    try:
        with path.open("rb") as file:
            return changes_in(iter(lambda: file.readline(MOST_LINE_BYTES), b""))
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror}") from error


def _told(faults: Sequence[ChangeFault], numbers: Sequence[int]) -> str:
    told = [f"line {numbers[fault.place]}: {fault.wrong}" for fault in faults[:SHOWN_FAULTS]]
    return " ".join(told)


def _line(row: msgspec.Struct) -> bytes:
    return msgspec.json.encode(row) + b"\n"


def _where(cursor: str) -> str:
    return f"/viewing/changes?limit={MOST_CHANGES}" + (f"&after={cursor}" if cursor else "")
