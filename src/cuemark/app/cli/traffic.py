"""``cuemark traffic``: what the appliances delivered, and how they came by it."""

import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlencode

import click
from rich.table import Table

from cuemark.app.cli.client import Operator
from cuemark.app.cli.output import as_is, plain, print_json
from cuemark.app.cli.times import UNIT_S
from cuemark.app.cli.titles import title_named
from cuemark.app.folder import DataFolder
from cuemark.contracts.telemetry import (
    ApplianceTraffic,
    LinePage,
    Outcome,
    ToldLine,
    Traffic,
)
from cuemark.kit.pages import MOST_ROWS

_SPAN = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_ASK_EVERY_S = 1.0
PEER: Outcome = "peer"
_OUTCOMES: Sequence[Outcome] = ("hit", "content", "health", "other", "refused", "error")


def parse_span(context: click.Context, option: click.Parameter, value: str) -> int:
    """Seconds of ``90s``, ``15m``, ``2h`` or ``1d``."""
    found = _SPAN.fullmatch(value)
    if found is None:
        raise click.BadParameter(f"{value!r} is no span of time: write 90s, 15m, 2h or 1d")
    return int(found[1]) * UNIT_S[found[2]]


@click.command()
@click.argument("what", type=click.Choice(["lines"]), required=False)
@click.option("--last", "last_s", default="15m", show_default=True, callback=parse_span)
@click.option("--appliance", default="", help="Of this appliance alone.")
@click.option("--title", default="", help="Of the version of this title that plays now.")
@click.option("--follow", is_flag=True, help="With `lines`: go on with those that come.")
@click.option("--json", "as_json", is_flag=True)
def traffic(
    folder: DataFolder,
    what: str | None,
    last_s: int,
    appliance: str,
    title: str,
    follow: bool,
    as_json: bool,
) -> None:
    """Say what the appliances delivered, from where, and what went wrong.

    With `lines`, show the last requests, each in a line.
    """
    if what == "lines" and title:
        raise click.UsageError("lines are not chosen by title: leave --title out")
    if follow and what is None:
        raise click.UsageError("--follow goes with `lines`")
    with Operator(folder) as operator:
        if what == "lines":
            _lines(operator, appliance, follow, as_json)
            return
        query = {"last_s": str(last_s), "appliance": appliance}
        if title:
            query["title"] = title_named(operator, title).title_id
        found = operator.get(f"/traffic?{urlencode(query)}", Traffic)
    if as_json:
        print_json(found)
    elif found.appliances:
        plain.print(table_of(found.appliances))
        for sentence in sentences_of(found.appliances):
            plain.print(as_is(sentence), soft_wrap=True)
    else:
        plain.print("No appliance has told of any request in that time.")


def table_of(appliances: Sequence[ApplianceTraffic]) -> Table:
    """The traffic as people read it, in percent: a row for each appliance."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("Appliance")
    for column in ("Requests", "MB", "Edge", *map(str.capitalize, _OUTCOMES[1:]), "Starved"):
        table.add_column(column, justify="right")
    for each in appliances:
        shares = [share for share in each.shares if share.outcome != PEER]
        requests = sum(share.requests for share in shares)
        of = {
            outcome: sum(share.requests for share in shares if share.outcome == outcome)
            for outcome in _OUTCOMES
        }
        sent_bytes = sum(share.sent_bytes for share in shares)
        table.add_row(
            as_is(each.appliance_id),
            str(requests),
            f"{sent_bytes / 1e6:.1f}",
            _percent(edge_bytes(each), sent_bytes),
            *(_percent(of[outcome], requests) for outcome in _OUTCOMES[1:]),
            _percent(each.starved, each.told),
        )
    return table


def sentences_of(appliances: Sequence[ApplianceTraffic]) -> list[str]:
    """What stands below the table."""
    said = [
        "In percent: Edge of the bytes, Starved of the requests with CMCD, the others of requests."
    ]
    for each in appliances:
        said += [
            f"{each.appliance_id}: first byte from {share.source} within "
            f"{1000 * share.wait_p50_s:g} ms for half of the misses, "
            f"{1000 * share.wait_p95_s:g} ms for all but one in twenty."
            for share in each.shares
            if share.source and share.wait_p50_s is not None and share.wait_p95_s is not None
        ]
        for share in each.shares:
            if share.outcome == PEER:
                said.append(
                    f"{each.appliance_id}: other appliances asked {share.requests} times and got "
                    f"{share.sent_bytes / 1e6:.1f} MB, which is not in the table."
                )
        if each.lost_lines:
            said.append(f"{each.appliance_id}: {each.lost_lines} lines were lost on their way.")
    return said


def edge_bytes(traffic: ApplianceTraffic) -> int:
    """What was sent from an appliance's own disk."""
    here = ("hit", "health")
    return sum(share.sent_bytes for share in traffic.shares if share.outcome in here)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}" if whole else "-"


def _lines(operator: Operator, appliance: str, follow: bool, as_json: bool) -> None:
    after = ""
    while True:
        query = {"after": after, "appliance": appliance, "limit": str(MOST_ROWS)}
        page = operator.get(f"/traffic/lines?{urlencode(query)}", LinePage)
        for told in page.lines:
            if as_json:
                print_json(told)
            else:
                plain.print(_shown(told), soft_wrap=True)
        if not follow:
            return
        # An empty page that goes on elsewhere has passed over lines that are gone.
        if page.newest == after:
            time.sleep(_ASK_EVERY_S)
        after = page.newest


def _shown(told: ToldLine) -> str:
    line = told.line
    at = datetime.fromtimestamp(line.at_s, UTC)
    words = [
        f"{at:%H:%M:%S}",
        told.appliance_id,
        told.outcome,
        str(line.sc_status),
        f"{line.sc_bytes} B",
        f"{1000 * line.time_taken_s:.0f} ms",
        f"{line.version_id}/{line.path}" if line.path else "",
        line.refused or line.trouble,
        f"from {line.source} {line.source_name}".rstrip() if line.source else "",
    ]
    if line.cmcd is not None:
        keys = {name: getattr(line.cmcd, name) for name in ("ot", "br", "bl", "mtp", "bs")}
        words.append(" ".join(f"{name}={value}" for name, value in keys.items() if value))
    return "  ".join(as_is(word) for word in words if word)
