"""``cuemark fill``: what each appliance is to have before anybody asks for it, and why."""

from urllib.parse import quote

import click
from rich.table import Table

from cuemark.app.cli.client import Operator
from cuemark.app.cli.output import as_is, plain, print_json
from cuemark.app.cli.times import moment
from cuemark.app.cli.titles import title_named
from cuemark.app.folder import DataFolder
from cuemark.contracts.fill import (
    FillPlan,
    RegionPlan,
    TitleExplanation,
    TrackExplanation,
    TrackReason,
)
from cuemark.contracts.ids import ApplianceId

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


@click.command()
@click.option("--now", is_flag=True, help="Plan now, and not only when the hour is over.")
@click.option("--json", "as_json", is_flag=True)
def show_plan(folder: DataFolder, now: bool, as_json: bool) -> None:
    """Show what the appliances of each region are to have, and what is still to come."""
    with Operator(folder) as operator:
        if now:
            found = operator.post("/fill/plan", {}, FillPlan)
        else:
            found = operator.get("/fill/plan", FillPlan)
    if as_json:
        print_json(found)
        return
    if not found.regions:
        plain.print("There is no plan yet: no appliance has told what it holds.")
    for region in found.regions:
        _print_region(region)
    if found.unread:
        plain.print(f"{found.unread} published versions are in no plan yet.")
    if found.trouble:
        plain.print(f"The last plan stands: {as_is(found.trouble)}", soft_wrap=True)


@click.command()
@click.argument("title")
@click.argument("track", default="")
@click.option("--json", "as_json", is_flag=True)
def explain(folder: DataFolder, title: str, track: str, as_json: bool) -> None:
    """Say why each region has the tracks of a TITLE, or has not: of all, or of one TRACK.

    TITLE is a name or an id.
    """
    with Operator(folder) as operator:
        title_id = title_named(operator, title).title_id
        found = operator.get(f"/fill/titles/{quote(title_id, safe='')}", TitleExplanation)
        if track:
            version_id = quote(found.version_id, safe="")
            where = f"/fill/versions/{version_id}/tracks/{quote(track, safe='')}"
            one = operator.get(where, TrackExplanation)
    if as_json:
        print_json(one if track else found)
    elif track:
        _print_track(one)
    else:
        _print_tracks(found)


def _print_region(region: RegionPlan) -> None:
    storage = ", storage tier" if region.tier == "storage" else ""
    plain.print(
        f"{as_is(region.region)}{storage}: planned {moment(region.made_at)}, "
        f"{region.local_time} there, from {region.hours} hours of demand; {region.tracks} tracks, "
        f"{region.expected_plays:.1f} plays expected; {_least(region.cutoff_plays)}.",
        soft_wrap=True,
    )
    table = _table("Appliance", "Room", "Holds", "Is to have", "Still to come", "Tracks to come")
    for each in region.appliances:
        figures = (each.storage_bytes, each.held_bytes, each.wanted_bytes, each.fetch_bytes)
        table.add_row(as_is(each.appliance_id), *map(_amount, figures), str(each.fetches))
    plain.print(table)


def _least(cutoff_plays: float) -> str:
    if not cutoff_plays:
        return "all that is worth bringing has room"
    return f"the least that is wanted has {cutoff_plays:.1f}"


def _print_tracks(found: TitleExplanation) -> None:
    facts = [f"Version {found.version_id}"]
    facts += [f"of {as_is(found.series)}"] if found.series else []
    facts += [f"launched at {moment(found.launch_at)}"] if found.launch_at else []
    plain.print(f"{', '.join(facts)}:", soft_wrap=True)
    table = _table("Track", "Size", "Region", "Plays", "Rank", "Wanted", "Held")
    for track in found.tracks:
        for each in track.regions:
            table.add_row(
                as_is(track.track_id),
                _amount(track.size_bytes),
                _where(each),
                f"{each.expected_plays:.1f}",
                f"{each.rank} of {each.of}",
                "yes" if each.wanted else "no",
                "yes" if each.held else "no",
            )
    if any(track.regions for track in found.tracks):
        plain.print(table)
    else:
        plain.print("There is no plan yet: no appliance has told what it holds.")


def _print_track(found: TrackExplanation) -> None:
    plain.print(f"Track {as_is(found.track_id)} of {found.version_id}, {_amount(found.size_bytes)}")
    if not found.regions:
        plain.print("There is no plan yet: no appliance has told what it holds.")
    for each in found.regions:
        plain.print(f"{_where(each)}: {as_is(each.told)}", soft_wrap=True)
        plain.print(
            f"  {each.title_plays:.1f} plays of the title, of which this track has "
            f"{100 * each.share:.0f} %; rank {each.rank} of {each.of}. "
            f"To be on: {_names(each.on)}. On: {_names(each.held_on)}.",
            soft_wrap=True,
        )


def _where(reason: TrackReason) -> str:
    return as_is(reason.region) + (" (storage)" if reason.tier == "storage" else "")


def _names(appliances: list[ApplianceId]) -> str:
    return ", ".join(map(as_is, appliances)) or "none"


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    return table


def _amount(of_bytes: float) -> str:
    unit = 0
    while of_bytes >= 1000 and unit < len(_UNITS) - 1:
        of_bytes, unit = of_bytes / 1000, unit + 1
    return f"{of_bytes:.1f} {_UNITS[unit]}" if unit else f"{of_bytes:.0f} B"
