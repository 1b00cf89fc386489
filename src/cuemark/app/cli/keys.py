"""``cuemark keys``: the master keys that the keys of films are stored under."""

import click
from rich.table import Table

from cuemark.app.cli.client import Operator
from cuemark.app.cli.output import plain, print_json
from cuemark.app.folder import DataFolder
from cuemark.contracts.licensing import MasterKeyList, MasterKeyState

PATH = "/master-keys"


@click.command()
@click.option("--json", "as_json", is_flag=True)
def show(folder: DataFolder, as_json: bool) -> None:
    """List the master keys, and how many keys of films are stored under each."""
    with Operator(folder) as operator:
        _print(operator.get(PATH, MasterKeyList), as_json)


@click.command()
@click.option("--json", "as_json", is_flag=True)
def rotate(folder: DataFolder, as_json: bool) -> None:
    """Make a new master key. The keys of all films are wrapped by it within seconds."""
    with Operator(folder) as operator:
        _print(operator.post(PATH, {}, MasterKeyList), as_json)


@click.command()
@click.argument("number", type=click.IntRange(1, 1_000_000))
@click.option("--json", "as_json", is_flag=True)
def retire(folder: DataFolder, number: int, as_json: bool) -> None:
    """Destroy the older master key NUMBER, under which nothing is stored any more.

    Backups that were taken before the rotation have it still, and can be restored.
    """
    with Operator(folder) as operator:
        _print(operator.delete(f"{PATH}/{number}", MasterKeyList), as_json)


def _print(found: MasterKeyList, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("Master key", justify="right")
    table.add_column("Made")
    table.add_column("Keys under it", justify="right")
    table.add_column("")
    for each in found.keys:
        made = f"{each.made_at:%Y-%m-%d %H:%M}" if each.made_at else ""
        table.add_row(str(each.number), made, str(each.content_keys), _standing(each))
    plain.print(table)


def _standing(key: MasterKeyState) -> str:
    if not key.there:
        return "missing: put its file back"
    if key.wraps:
        return "in use"
    return "its keys are being wrapped anew" if key.content_keys else "can be retired"
