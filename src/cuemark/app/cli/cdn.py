"""``cuemark lab cdn``: a delivery network of namespaces, with viewers, routers and faults."""

import shutil
import tempfile
from pathlib import Path
from typing import Literal

import click
from rich.table import Table

from cuemark.app.cli.failure import Failure
from cuemark.app.cli.output import as_is, console, plain, print_json
from cuemark.app.folder import DataFolder
from cuemark.lab.cdn import network
from cuemark.lab.cdn.faults import KINDS, Fault, FaultInvalid, fault_of
from cuemark.lab.cdn.layout import MOST_CLIENTS, MOST_EDGES, MOST_NETWORKS, Layout, layout
from cuemark.lab.cdn.network import LabUnable
from cuemark.lab.cdn.outcome import Outcome
from cuemark.lab.cdn.picture import page
from cuemark.lab.cdn.trial import Wish, run


@click.command()
@click.option("--appliances", type=click.IntRange(1, MOST_EDGES), default=3, show_default=True)
@click.option(
    "--networks",
    type=click.IntRange(1, MOST_NETWORKS),
    default=2,
    show_default=True,
    help="Each has a router, which tells the appliances in it that its viewers are theirs.",
)
@click.option(
    "--clients",
    type=click.IntRange(1, MOST_CLIENTS),
    default=4,
    show_default=True,
    help="Viewers: each decodes what it is sent, so that four fill a core or two.",
)
@click.option("--seconds", type=click.FloatRange(5, 3600), default=40, show_default=True)
@click.option(
    "--line-kbps",
    type=click.IntRange(0, 10_000_000),
    default=0,
    show_default=True,
    help="What each viewer's line carries; 0: as much as it can.",
)
@click.option("--fault", "faults", multiple=True, metavar="KIND:PLACE[=N]@AT[+FOR]")
@click.option("--list-faults", is_flag=True, help="Say which faults there are, and end.")
@click.option(
    "--film",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What is watched; else a film that is made for it.",
)
@click.option(
    "--format", "form", type=click.Choice(["dash", "hls"]), default="dash", show_default=True
)
@click.option(
    "--browse", is_flag=True, help="One more in the first network visits the page and begins plays."
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option(
    "--picture", type=click.Path(dir_okay=False, path_type=Path), help="Draw it to an HTML file."
)
@click.option("--keep", is_flag=True, help="Keep the folder with all logs, and say where it is.")
@click.option("--json", "as_json", is_flag=True)
def cdn(
    folder: DataFolder,
    appliances: int,
    networks: int,
    clients: int,
    seconds: float,
    line_kbps: int,
    faults: tuple[str, ...],
    list_faults: bool,
    film: Path | None,
    form: Literal["dash", "hls"],
    browse: bool,
    seed: int,
    picture: Path | None,
    keep: bool,
    as_json: bool,
) -> None:
    """Watch films over a network of this machine's own, and break it.

    Everything is what runs in production: an install, appliances that are told routes by BGP, and
    players; each in a network namespace, so it needs root. --fault may be given often; AT counts
    from when the last viewer began.
    """
    if list_faults:
        plain.print(_kinds())
        return
    where = layout(appliances, networks, clients)
    wish = Wish(
        seconds=seconds,
        faults=_faults(faults, where),
        film=film,
        form=form,
        seed=seed,
        line_kbps=line_kbps,
        browse=browse,
    )
    try:
        network.check()
    except LabUnable as error:
        raise Failure(str(error)) from error
    home = Path(tempfile.mkdtemp(prefix="cuemark-lab-"))
    try:
        with console.status("Building the lab") as screen:
            found = run(home, where, wish, lambda doing: screen.update(as_is(doing)))
    except LabUnable as error:
        keep = True
        raise Failure(f"{error} (its logs are in {home})") from error
    finally:
        if not keep:
            shutil.rmtree(home, ignore_errors=True)
    if picture is not None:
        picture.write_text(page(found), encoding="utf-8")
    if as_json:
        print_json(found)
        return
    plain.print(_table(found))
    plain.print(_told(found))
    if found.faults:
        plain.print(_aftermath(found))
    if browse:
        plain.print(_visits(found))
    if keep:
        plain.print(f"Logs: {home}", soft_wrap=True)


def _faults(texts: tuple[str, ...], where: Layout) -> list[Fault]:
    places = {"control", "origin", *(place.name for place in where.places)}
    try:
        return [fault_of(text, places) for text in texts]
    except FaultInvalid as error:
        raise Failure(str(error)) from error


def _kinds() -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("Fault", "Of", "What happens"):
        table.add_column(column)
    for name, kind in KINDS.items():
        value = f"={kind.unit.upper()}" if kind.unit else ""
        span = "[+FOR]" if kind.ends else ""
        form = as_is(f"{name}:PLACE{value}@AT{span}")
        table.add_row(form, ", ".join(kind.of), kind.told)
    return table


def _table(found: Outcome) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("Viewer", "Network", "Start", "Stalls", "Waited", "kbit/s", "Moves", "From"):
        table.add_column(column)
    for each in found.viewers:
        table.add_row(
            each.name,
            each.network,
            f"{each.startup_ms / 1000:.1f} s",
            str(each.stalls),
            f"{each.stall_ms / 1000:.1f} s",
            f"{each.mean_kbps:.0f}",
            ", ".join(f"{times} {why}" for why, times in each.moves.items()),
            as_is(each.error) or ", ".join(dict.fromkeys(span.appliance_id for span in each.spans)),
        )
    return table


def _aftermath(found: Outcome) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("Fault", "Viewers moved", "The first after", "The last after"):
        table.add_column(column)
    for each in found.faults:
        first, last = (
            "" if value is None else f"{value:.1f} s" for value in (each.first_s, each.last_s)
        )
        table.add_row(each.fault, f"{each.moved} of {len(found.viewers)}", first, last)
    return table


def _visits(found: Outcome) -> str:
    failed = [each for each in found.visits if each.error]
    told = f"{len(found.visits)} visits, {len(failed)} of them failed"
    first = f": at {failed[0].at_s:.1f} s, {failed[0].error}" if failed else ""
    return f"{told}{first}.\n"


def _told(found: Outcome) -> str:
    return (
        f"\n{found.failed} of {len(found.viewers)} plays failed, {found.stalls} stalls; "
        f"{found.rebuffer_ratio:.2%} of the time was waited. After a move the first segment was "
        f"waited for {found.longest_move_s:.1f} s at most.\n"
    )
