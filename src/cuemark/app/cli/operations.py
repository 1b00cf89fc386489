"""``cuemark operations``: the operator's way into the page of operations."""

import webbrowser

import click
import msgspec

from cuemark.app.cli.client import Operator
from cuemark.app.cli.failure import Failure
from cuemark.app.cli.output import plain, print_json
from cuemark.app.folder import DataFolder


class OperatorLink(msgspec.Struct, frozen=True):
    url: str
    expires_at: str


@click.command()
@click.option("--open", "show", is_flag=True, help="Open it in this machine's browser.")
@click.option("--json", "as_json", is_flag=True)
def operations(folder: DataFolder, show: bool, as_json: bool) -> None:
    """Print a link that opens the page of operations once, within five minutes."""
    with Operator(folder) as operator:
        link = operator.post("/operator-links", {}, OperatorLink)
    if as_json:
        print_json(link)
    else:
        plain.print(link.url, soft_wrap=True)
    if show and not webbrowser.open(link.url):
        raise Failure("there is no browser here: open the link in one that reaches this machine")
