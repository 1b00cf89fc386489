"""``cuemark routes``: what routers announce, and how a client is steered by it."""

from urllib.parse import urlencode

import click
from rich.table import Table

from cuemark.app.cli.client import Operator
from cuemark.app.cli.output import as_is, plain, print_json
from cuemark.app.folder import DataFolder
from cuemark.contracts.steering import ApplianceList, ApplianceState, Explanation
from cuemark.contracts.steering.routes import Place, RoutePage

PAGE = 200


@click.command()
@click.option("--appliance", default="", help="Of this appliance alone.")
@click.option("--limit", default=PAGE, show_default=True, type=click.IntRange(1, 1_000_000))
@click.option("--json", "as_json", is_flag=True)
def list_routes(folder: DataFolder, appliance: str, limit: int, as_json: bool) -> None:
    """List the routers of each appliance, and the routes that count."""
    routes = []
    with Operator(folder) as operator:
        appliances = operator.get("/appliances", ApplianceList).appliances
        for page in operator.pages("/routes", RoutePage, appliance=appliance):
            total = page.total
            routes += page.routes
            if len(routes) >= limit:
                break
    routes = routes[:limit]
    wanted = [each for each in appliances if appliance in ("", each.appliance_id)]
    if as_json:
        peers = {each.appliance_id: each.peers for each in wanted}
        print_json({"peers": peers, "routes": routes, "total": total})
        return
    _print_peers(wanted)
    table = Table(box=None, pad_edge=False)
    for column in ("Appliance", "Prefix", "Router", "Preference", "AS path", "MED"):
        table.add_column(column, justify="left" if len(table.columns) < 3 else "right")
    for each in routes:
        numbers = (each.route.local_preference, each.route.as_path_length, each.route.med)
        texts = (each.appliance_id, each.route.prefix, each.route.peer)
        table.add_row(*map(as_is, texts), *map(str, numbers))
    plain.print(table)
    plain.print(f"{len(routes)} of {total} routes.")


@click.command()
@click.argument("address")
@click.option("--version", "version_id", default="", help="For this version, and by who holds it.")
@click.option("--json", "as_json", is_flag=True)
def explain(folder: DataFolder, address: str, version_id: str, as_json: bool) -> None:
    """Say where a client with this IP ADDRESS is sent now, and why."""
    query = urlencode({"address": address, "version": version_id})
    with Operator(folder) as operator:
        told = operator.get(f"/routes/explain?{query}", Explanation)
    if as_json:
        print_json(told)
        return
    plain.print(f"{as_is(address)} is {_where(told.place)}.")
    for each in told.candidates:
        ring = f"ring {each.ring}" if each.ring else "no plays"
        line = f"{as_is(each.appliance_id)}: {ring}, load {each.load:g}; {as_is(each.reason)}"
        plain.print(line, soft_wrap=True)
    held = any(each.held_percent is not None for each in told.candidates)
    decides = "who holds the film, and then the load" if held else "the load"
    plain.print(f"The first ring comes first, and within a ring {decides}.", soft_wrap=True)


def _print_peers(appliances: list[ApplianceState]) -> None:
    for appliance in appliances:
        for peer in appliance.peers:
            plain.print(
                f"{as_is(appliance.appliance_id)}: router {as_is(peer.address)} (AS{peer.asn}) is "
                f"{peer.state}, {peer.routes} routes, {peer.refused} refused"
                + (f": {as_is(peer.complaint)}" if peer.complaint else ""),
                soft_wrap=True,
            )


def _where(place: Place) -> str:
    known = [place.country] if place.country else []
    known += [f"AS{place.asn}"] if place.asn else []
    if place.latitude is not None:
        known.append(f"{place.latitude:.2f}, {place.longitude:.2f}")
    return "at " + ", ".join(known) if known else "at a place that no database says"
