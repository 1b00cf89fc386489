"""``cuemark experiment``: settings that are tried on some members."""

from pathlib import Path
from urllib.parse import quote

import click
import msgspec
from rich.table import Table

from cuemark.app.cli.client import Operator
from cuemark.app.cli.failure import Failure
from cuemark.app.cli.output import as_is, plain, print_json
from cuemark.app.cli.times import minute
from cuemark.app.folder import DataFolder
from cuemark.contracts.experiments import Cell, Experiment, ExperimentPage
from cuemark.kit.errors import UNREADABLE

_json = click.option("--json", "as_json", is_flag=True)


class Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An experiment as it is written into a file."""

    layer: str
    cells: list[Cell]
    share_bp: int


@click.command()
@click.argument("name")
@click.argument(
    "path", metavar="FILE", type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@_json
def put(folder: DataFolder, name: str, path: Path, as_json: bool) -> None:
    """Start an experiment as a FILE of JSON says: {"layer", "share_bp", "cells"}."""
    try:
        written = msgspec.json.decode(path.read_bytes(), type=Written)
    except UNREADABLE as error:
        raise Failure(f"{path} says no experiment: {error}") from error
    with Operator(folder) as operator:
        found = operator.put(_where(name), written, Experiment)
    _tell([found], found, as_json)


@click.command("list")
@_json
def list_experiments(folder: DataFolder, as_json: bool) -> None:
    """List the experiments that run and ran, by their names."""
    with Operator(folder) as operator:
        pages = operator.pages("/experiments", ExperimentPage)
        found = [each for page in pages for each in page.experiments]
    _tell(found, {"experiments": found}, as_json)


@click.command()
@click.argument("name")
@_json
def stop(folder: DataFolder, name: str, as_json: bool) -> None:
    """Stop an experiment: plays that begin from now on are in none of its cells."""
    with Operator(folder) as operator:
        found = operator.post(f"{_where(name)}/stop", {}, Experiment)
    _tell([found], found, as_json)


def _where(name: str) -> str:
    return f"/experiments/{quote(name, safe='')}"


def _tell(experiments: list[Experiment], answer: object, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    if not experiments:
        plain.print("There are no experiments.")
        return
    table = Table(box=None, pad_edge=False)
    for column in ("Experiment", "State", "Layer", "Share", "Since", "Cells"):
        table.add_column(column, overflow="fold")
    for each in experiments:
        table.add_row(
            as_is(each.name),
            each.state,
            as_is(each.layer),
            f"{each.share_bp / 100:g} %",
            minute(each.stopped_at or each.started_at),
            as_is("; ".join(_told(cell) for cell in each.cells)),
        )
    plain.print(table)


def _told(cell: Cell) -> str:
    sets = ", ".join(
        f"{name}={msgspec.json.encode(value).decode()}" for name, value in cell.settings.items()
    )
    return f"{cell.name} ({cell.weight}){': ' if sets else ''}{sets}"
