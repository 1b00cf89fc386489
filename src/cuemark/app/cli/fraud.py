"""``cuemark fraud``: what speaks against logins, cards and households, and taking it back."""

from typing import get_args
from urllib.parse import quote

import click
from rich.table import Table

from cuemark.app.cli.client import Operator
from cuemark.app.cli.output import as_is, plain, print_json
from cuemark.app.folder import DataFolder
from cuemark.contracts.fraud import Explanation, Finding, FindingPage, Forgiven, Kind

_json = click.option("--json", "as_json", is_flag=True)


@click.command("list")
@click.option("--kind", type=click.Choice(get_args(Kind)))
@_json
def list_findings(folder: DataFolder, kind: Kind | None, as_json: bool) -> None:
    """List what was found and holds, the newest first."""
    wanted = {"kind": kind} if kind else {}
    with Operator(folder) as operator:
        pages = operator.pages("/fraud/findings", FindingPage, **wanted)
        found = [finding for page in pages for finding in page.findings]
    if as_json:
        print_json({"findings": found})
        return
    plain.print(_table(found) if found else "Nothing was found.")


@click.command()
@click.argument("account_id", metavar="ACCOUNT")
@_json
def explain(folder: DataFolder, account_id: str, as_json: bool) -> None:
    """Say what speaks against an account, why, and where it was seen."""
    with Operator(folder) as operator:
        found = operator.get(f"/accounts/{quote(account_id, safe='')}/fraud", Explanation)
    if as_json:
        print_json(found)
        return
    plain.print(_table(found.findings) if found.findings else "Nothing speaks against it.")
    if found.places:
        table = Table(box=None, pad_edge=False)
        for column in ("Network", "Territory", "Days", "Devices", "Last"):
            table.add_column(column, no_wrap=True)
        for place in found.places:
            table.add_row(
                place.network or "unknown",
                place.territory,
                str(place.days),
                str(place.devices),
                f"{place.last_at:%Y-%m-%d %H:%M}",
            )
        plain.print(table)


@click.command()
@click.argument("account_id", metavar="ACCOUNT")
@_json
def forgive(folder: DataFolder, account_id: str, as_json: bool) -> None:
    """Take back all that was found of an account, and begin to count anew."""
    with Operator(folder) as operator:
        where = f"/accounts/{quote(account_id, safe='')}/fraud/forgiveness"
        done = operator.post(where, {}, Forgiven)
    if as_json:
        print_json(done)
    else:
        plain.print(f"{done.forgiven} findings were forgiven.")


def _table(findings: list[Finding]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("Found", "Kind", "Step", "Score", "Of", "Why"):
        table.add_column(column, overflow="fold")
    for each in findings:
        table.add_row(
            f"{each.found_at:%Y-%m-%d %H:%M}",
            each.kind,
            f"{each.step} (forgiven)" if each.forgiven_at else each.step,
            str(each.score),
            as_is(each.account_id or each.subject),
            as_is("; ".join(f"{reason.text} (+{reason.points})" for reason in each.reasons)),
        )
    return table
