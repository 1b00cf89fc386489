"""``cuemark appliances``: how they do, and which of them plays are led away from."""

from urllib.parse import quote

import click
import msgspec
from rich.table import Table
from rich.text import Text

from cuemark.app.cli.client import Operator
from cuemark.app.cli.output import plain, print_json
from cuemark.app.folder import DataFolder
from cuemark.contracts.steering import ApplianceList, ApplianceState


class Draining(msgspec.Struct, frozen=True):
    draining: bool


def table_of(states: list[ApplianceState]) -> Table:
    """The appliances as people read them."""
    table = Table(box=None, pad_edge=False)
    for column in ("Appliance", "Address", "State", "Versions", "Requests in flight", "Release"):
        table.add_column(column)
    for each in states:
        table.add_row(
            each.appliance_id,
            each.url,
            _state(each),
            str(each.versions),
            str(each.in_flight),
            each.software.release if each.software else "not told",
        )
    return table


def _state(appliance: ApplianceState) -> Text:
    health = "healthy" if appliance.healthy else "not healthy"
    said = health if appliance.alive else "silent"
    well = appliance.alive and appliance.healthy
    color = "" if well and not appliance.draining else "yellow" if well else "red"
    return Text(f"{said}, draining" if appliance.draining else said, style=color)


@click.command("list")
@click.option("--json", "as_json", is_flag=True)
def list_appliances(folder: DataFolder, as_json: bool) -> None:
    """Say which appliances there are, and how they do."""
    with Operator(folder) as operator:
        found = operator.get("/appliances", ApplianceList)
    if as_json:
        print_json(found)
    elif found.appliances:
        plain.print(table_of(found.appliances))
    else:
        plain.print("No appliance has reported yet.")


@click.command()
@click.argument("appliance_id", metavar="ID")
def drain(folder: DataFolder, appliance_id: str) -> None:
    """Lead plays away from appliance ID: running ones within half a minute."""
    _set(folder, appliance_id, draining=True)
    plain.print(
        f"{appliance_id} drains. `cuemark appliances list` says what it still has in flight, and "
        f"`cuemark appliances undrain {appliance_id}` lets it have plays again.",
        soft_wrap=True,
    )


@click.command()
@click.argument("appliance_id", metavar="ID")
def undrain(folder: DataFolder, appliance_id: str) -> None:
    """Let appliance ID have plays again."""
    _set(folder, appliance_id, draining=False)
    plain.print(f"{appliance_id} has plays again.", soft_wrap=True)


def _set(folder: DataFolder, appliance_id: str, *, draining: bool) -> None:
    with Operator(folder) as operator:
        path = f"/appliances/{quote(appliance_id, safe='')}/draining"
        operator.put(path, {"draining": draining}, Draining)
