"""``cuemark artwork``: what could stand for a title, and which of it does."""

from pathlib import Path

import click
import msgspec
from rich.table import Table

from cuemark.app.cli.client import Operator
from cuemark.app.cli.failure import Failure
from cuemark.app.cli.output import as_is, duration, plain, print_json
from cuemark.app.cli.titles import title_named
from cuemark.app.folder import DataFolder


class ArtworkView(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    at_s: float
    sharpness: float
    brightness: float
    shown: bool
    url: str


class ArtworkList(msgspec.Struct, frozen=True, kw_only=True):
    title_id: str
    version_id: str
    chosen: bool
    artworks: list[ArtworkView]
    with_name: bool = False


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    title_id: str


@click.command()
@click.argument("title")
@click.option("--list", "listing", is_flag=True, help="List the candidates: what happens anyway.")
@click.option("--pick", type=click.IntRange(0), help="Show this one; 0 lets the versions choose.")
@click.option("--with-name", is_flag=True, help="Put the title's name on it.")
@click.option("--language", help="For readers of this language alone (BCP 47): with --pick.")
@click.option(
    "--save",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the pictures into this folder.",
)
@click.option("--json", "as_json", is_flag=True)
def artwork(
    folder: DataFolder,
    title: str,
    listing: bool,
    pick: int | None,
    with_name: bool,
    language: str | None,
    save: Path | None,
    as_json: bool,
) -> None:
    """List what could stand for a title, or pick one of it.

    TITLE is a name or an id. `cuemark report TITLE --open` shows the pictures.
    """
    if listing and pick is not None:
        raise click.UsageError("--list and --pick exclude each other: give one of them")
    if language and (pick is None or with_name):
        raise click.UsageError("--language is of a picture without a name: give it with --pick")
    if with_name and pick is None and save is None:
        raise click.UsageError("--with-name is of a picture: give it with --pick or --save")
    with Operator(folder) as operator:
        title_id = title_named(operator, title).title_id
        if pick is not None:
            body = {"number": pick, "with_name": with_name, "language": language or ""}
            operator.put(f"/titles/{title_id}/artwork", body, Chosen)
        found = operator.get(f"/titles/{title_id}/artworks", ArtworkList)
        if save is not None:
            _save(operator, found, save, with_name)
    if pick is not None and not language:
        found = _picked(found, pick, with_name)
    if as_json:
        print_json(found)
    elif not found.artworks:
        plain.print("The version of this title was made by an older release, which kept no choice.")
    else:
        plain.print(_table(found))


def _picked(found: ArtworkList, pick: int, with_name: bool) -> ArtworkList:
    """The list as it is once the catalog's view has read of the choice, a moment later."""
    artworks = [
        msgspec.structs.replace(each, shown=each.number == (pick or 1)) for each in found.artworks
    ]
    return msgspec.structs.replace(found, artworks=artworks, chosen=pick > 0, with_name=with_name)


def _save(operator: Operator, found: ArtworkList, folder: Path, with_name: bool) -> None:
    asked = "?with_name=true" if with_name else ""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for each in found.artworks:
            picture = operator.get_bytes(f"/titles/{found.title_id}/artworks/{each.number}{asked}")
            (folder / f"{each.number}.jpg").write_bytes(picture)
    except OSError as error:
        raise Failure(
            f"{folder} cannot be written ({error.strerror}): choose another with --save"
        ) from error


def _table(found: ArtworkList) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("", "At", "Sharpness", "Brightness", ""):
        table.add_column(column)
    for each in found.artworks:
        shown = ("picked" if found.chosen else "shown") if each.shown else ""
        shown += ", with the name" if shown and found.with_name else ""
        table.add_row(
            str(each.number),
            duration(each.at_s),
            f"{each.sharpness:.1f}",
            f"{each.brightness:.0%}",
            as_is(shown),
        )
    return table
