"""``cuemark launch``: when members may see a title."""

from datetime import UTC, datetime

import click
import msgspec

from cuemark.app.cli.client import Operator
from cuemark.app.cli.output import as_is, plain, print_json
from cuemark.app.cli.times import moment, time_of
from cuemark.app.cli.titles import title_named
from cuemark.app.folder import DataFolder


class Launched(msgspec.Struct, frozen=True, kw_only=True):
    title_id: str
    name: str
    launch_at: datetime | None
    launched: bool
    quality: str


def parse_launch(
    context: click.Context, option: click.Parameter, value: str | None
) -> datetime | None:
    """A time in ISO 8601, of UTC where it does not say."""
    if value is None:
        return None
    try:
        return time_of(value)
    except ValueError as error:
        raise click.BadParameter(
            f"{value!r} is no time such as 2030-01-31T20:00+01:00 or 2030-01-31T19:00, which is "
            "of UTC"
        ) from error


@click.command()
@click.argument("title")
@click.option(
    "--at",
    callback=parse_launch,
    metavar="WHEN",
    help="Members see it from then on: ISO 8601, of UTC where it does not say.",
)
@click.option("--now", is_flag=True, help="Members see it as soon as a version is published.")
@click.option("--json", "as_json", is_flag=True)
def launch(folder: DataFolder, title: str, at: datetime | None, now: bool, as_json: bool) -> None:
    """Say when members may see a TITLE, or set it with --at or --now.

    TITLE is a name or an id. Who plays a title goes on where its launch is put off.
    """
    if at and now:
        raise click.UsageError("--at and --now exclude each other: give one of them")
    with Operator(folder) as operator:
        where = f"/titles/{title_named(operator, title).title_id}"
        if at or now:
            found = operator.put(f"{where}/launch", {"launch_at": at}, Launched)
        else:
            found = operator.get(where, Launched)
    if as_json:
        print_json(found)
    else:
        plain.print(_told(found, datetime.now(UTC)), soft_wrap=True)


def _told(title: Launched, now: datetime) -> str:
    name = as_is(title.name)
    if not title.launched and title.launch_at is not None:
        ahead = _ahead((title.launch_at - now).total_seconds())
        return f"Members see {name} from {moment(title.launch_at)} on, in {ahead}."
    if title.quality == "none":
        return f"Members see {name} as soon as a version of it is published."
    return f"Members see {name}."


def _ahead(seconds: float) -> str:
    minutes = max(1, round(seconds / 60))
    hours, days = minutes / 60, minutes / 1440
    if minutes < 120:
        return f"{minutes} minute" + ("s" if minutes > 1 else "")
    return f"{hours:.0f} hours" if hours < 48 else f"{days:.0f} days"
