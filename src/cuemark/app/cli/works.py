"""``cuemark works``: series, seasons and all that lies in them, and what is told of it."""

from collections.abc import Callable, Sequence
from typing import get_args
from urllib.parse import quote, urlencode

import click
import msgspec
from rich.table import Table

from cuemark.app.cli.client import Operator
from cuemark.app.cli.failure import Failure
from cuemark.app.cli.output import as_is, duration, plain, print_json
from cuemark.app.folder import DataFolder
from cuemark.contracts.catalog.metadata import (
    AgeRating,
    Credit,
    Details,
    OtherId,
    Role,
    Supplement,
    Text,
)
from cuemark.contracts.catalog.works import CreditShown, Kind, RatingShown, TermShown, Work
from cuemark.contracts.ids import PersonId, TermId

HOLDERS = ("franchise", "series", "season")


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    work_id: str
    kind: Kind
    name: str
    number: int | None
    parent_id: str | None
    year: int | None
    quality: str
    duration_s: float
    launched: bool


class SummaryPage(msgspec.Struct, frozen=True, kw_only=True):
    works: list[Summary]
    next_cursor: str = ""


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    work: Summary
    synopsis: str
    above: list[Summary]
    told_in: list[str]
    genres: list[TermShown]
    themes: list[TermShown]
    credits: list[CreditShown]
    countries: list[str]
    ratings: list[RatingShown]
    maturity_level: int | None
    ids: list[OtherId]
    next_title_id: str | None


def work_named(operator: Operator, name: str) -> str:
    """The id of the work with this name or id; raises ``Failure`` where there is none, or several.

    An id is taken as it is, so that one of a work that was removed can be named, too.
    """
    if name.partition("_")[0] in ("ttl", "frn", "ser", "sea") and len(name) == 30:
        return name
    pages = operator.pages("/works", SummaryPage)
    fitting = [work for page in pages for work in page.works if work.name == name]
    if not fitting:
        raise Failure(f"no work is named {name!r}: see `cuemark works list`")
    if len(fitting) > 1:
        some = ", ".join(f"{work.work_id} ({work.kind})" for work in fitting[:5])
        raise Failure(f"{len(fitting)} works are named {name!r}: give an id, one of {some}")
    return fitting[0].work_id


@click.command("list")
@click.option("--in", "parent", help="Only what lies in this work, in its order.")
@click.option("--kind", type=click.Choice(get_args(Kind)))
@click.option("--term", help="Only what is of this genre or theme.")
@click.option("--person", help="Only what this person, by the id, had a part in.")
@click.option("--language", default="", help="The language of the names (BCP 47).")
@click.option("--json", "as_json", is_flag=True)
def list_works(
    folder: DataFolder,
    parent: str | None,
    kind: Kind | None,
    term: str | None,
    person: str | None,
    language: str,
    as_json: bool,
) -> None:
    """List the works, the newest first, or what lies in one."""
    wanted = {"kind": kind, "term": term, "person": person, "language": language}
    with Operator(folder) as operator:
        if parent:
            wanted["parent"] = work_named(operator, parent)
        asked = {name: value for name, value in wanted.items() if value}
        found = [
            work for page in operator.pages("/works", SummaryPage, **asked) for work in page.works
        ]
    if as_json:
        print_json({"works": found})
    elif not found:
        plain.print("There are no such works: `cuemark works create series NAME` makes one.")
    else:
        plain.print(_table(found))


@click.command()
@click.argument("work")
@click.option("--language", default="", help="As a reader of this language sees it (BCP 47).")
@click.option("--territory", default="", help="With the age rating of this one (ISO 3166).")
@click.option("--json", "as_json", is_flag=True)
def show(folder: DataFolder, work: str, language: str, territory: str, as_json: bool) -> None:
    """Show WORK, a name or an id; as JSON with all that is told of it in every language."""
    with Operator(folder) as operator:
        where = f"/works/{quote(work_named(operator, work))}"
        asked = urlencode({"language": language, "territory": territory})
        shown = operator.get(f"{where}?{asked}", Shown)
        if as_json:
            print_json(operator.get(f"{where}/details", Work))
            return
    plain.print(_told(shown), soft_wrap=True)


@click.command()
@click.argument("kind", type=click.Choice(HOLDERS))
@click.argument("name")
@click.option("--in", "parent", help="The work that it lies in.")
@click.option("--number", type=int, help="Its number there; 0 is the season of the specials.")
@click.option("--language", default="und", help="The language of NAME (BCP 47).")
@click.option("--synopsis", default="")
@click.option("--json", "as_json", is_flag=True)
def create(
    folder: DataFolder,
    kind: Kind,
    name: str,
    parent: str | None,
    number: int | None,
    language: str,
    synopsis: str,
    as_json: bool,
) -> None:
    """Create a work of KIND that holds others, and say its id.

    What plays comes with `cuemark ingest`, and is put into it with `cuemark works place`.
    """
    text = Text(language=language, name=name, synopsis=synopsis)
    with Operator(folder) as operator:
        body = {
            "kind": kind,
            "details": Details(texts=[text]),
            "parent_id": work_named(operator, parent) if parent else None,
            "number": number,
        }
        made = operator.post("/works", body, Work)
    _say(made, as_json, f"{as_is(name)} is there as {made.work_id}.")


@click.command()
@click.argument("work")
@click.option("--language", help="The language (BCP 47) of --name, --synopsis and --short.")
@click.option("--name")
@click.option("--synopsis")
@click.option("--short", "synopsis_short", help="The synopsis in a sentence.")
@click.option("--original-language")
@click.option("--year", type=int)
@click.option("--country", "countries", multiple=True, help="ISO 3166, such as DE.")
@click.option("--genre", "genres", multiple=True, help="An id of `cuemark terms list`.")
@click.option("--theme", "themes", multiple=True)
@click.option("--rating", "ratings", multiple=True, metavar="SCHEME:RATING", help="Such as FSK:12.")
@click.option("--id", "ids", multiple=True, metavar="SCHEME:VALUE", help="Such as imdb:tt0087332.")
@click.option(
    "--credit",
    "credits",
    multiple=True,
    metavar="ROLE:PERSON[:CHARACTER]",
    help="A part of a person, by the id of `cuemark people list`, in the order to be shown.",
)
@click.option("--supplement", type=click.Choice([each for each in get_args(Supplement) if each]))
@click.option("--json", "as_json", is_flag=True)
def edit(
    folder: DataFolder,
    work: str,
    language: str | None,
    name: str | None,
    synopsis: str | None,
    synopsis_short: str | None,
    as_json: bool,
    **given: object,
) -> None:
    """Change what is told of WORK.

    Options that can be repeated put all that they name in place of what was there; one of them
    with nothing, as in --genre "", leaves nothing. Without --language the names are the first
    ones, which stand where no language fits.
    """
    said = {"name": name, "synopsis": synopsis, "synopsis_short": synopsis_short}
    texts = {field: value for field, value in said.items() if value is not None}
    with Operator(folder) as operator:
        where = f"/works/{quote(work_named(operator, work))}/details"
        before = operator.get(where, Work)
        details = _changed(before.details, given)
        if texts:
            details = _with_text(details, language, texts)
        elif language:
            raise click.UsageError("--language is of a text: give --name, --synopsis or --short")
        body = {"revision": before.revision, "details": details}
        after = operator.put(where, body, Work)
    same = after.revision == before.revision
    _say(after, as_json, "Nothing was changed." if same else f"Changed: revision {after.revision}.")


@click.command()
@click.argument("work")
@click.option("--in", "parent", help="The work that it lies in from now on; without it: in none.")
@click.option("--number", type=int, help="Its number there.")
@click.option(
    "--kind",
    type=click.Choice(["episode", "movie", "supplemental"]),
    help="As what it plays. Without it: as before, and in a season as an episode.",
)
@click.option("--json", "as_json", is_flag=True)
def place(
    folder: DataFolder,
    work: str,
    parent: str | None,
    number: int | None,
    kind: Kind | None,
    as_json: bool,
) -> None:
    """Put WORK into another one, or out of all."""
    with Operator(folder) as operator:
        work_id = work_named(operator, work)
        parent_id = work_named(operator, parent) if parent else None
        if kind is None and work_id.startswith("ttl_") and (parent_id or "").startswith("sea_"):
            now = operator.get(f"/works/{quote(work_id)}/details", Work)
            kind = "episode" if now.kind == "movie" else None
        body = {"parent_id": parent_id, "number": number, "kind": kind}
        placed = operator.put(f"/works/{quote(work_id)}/place", body, Work)
    where = f"lies in {placed.parent_id}" if placed.parent_id else "lies in nothing"
    _say(placed, as_json, f"{placed.work_id} {where}.")


@click.command()
@click.argument("work")
@click.option("--json", "as_json", is_flag=True)
def remove(folder: DataFolder, work: str, as_json: bool) -> None:
    """Remove WORK, which holds nothing any more; `cuemark works undo ID` brings it back."""
    with Operator(folder) as operator:
        gone = operator.delete(f"/works/{quote(work_named(operator, work))}", Work)
    _say(gone, as_json, f"Removed: `cuemark works undo {gone.work_id}` brings it back.")


@click.command()
@click.argument("work")
@click.option("--json", "as_json", is_flag=True)
def undo(folder: DataFolder, work: str, as_json: bool) -> None:
    """Put WORK back as it was before its last change. Undone twice, it is as it was."""
    with Operator(folder) as operator:
        back = operator.post(f"/works/{quote(work_named(operator, work))}/undo", {}, Work)
    _say(back, as_json, f"{as_is(back.details.texts[0].name)} is as it was before.")


def _changed(details: Details, given: dict[str, object]) -> Details:
    """``details`` with what the options of ``edit`` say; what they leave out stays."""
    single = ("original_language", "year", "supplement")
    changed: dict[str, object] = {
        field: given[field] for field in single if given[field] is not None
    }
    made: dict[str, Callable[[str], object]] = {
        "countries": str,
        "genres": TermId,
        "themes": TermId,
        "ratings": _rating,
        "ids": _other_id,
        "credits": _credit,
    }
    for field, make in made.items():
        values = given[field]
        assert isinstance(values, tuple)
        if values:
            changed[field] = [make(value) for value in values if value]
    return msgspec.structs.replace(details, **changed)


def _with_text(details: Details, language: str | None, texts: dict[str, str]) -> Details:
    tag = language or details.texts[0].language
    there = [text.language for text in details.texts]
    if tag not in there:
        return msgspec.structs.replace(details, texts=[*details.texts, Text(language=tag, **texts)])
    told = [
        msgspec.structs.replace(text, **texts) if text.language == tag else text
        for text in details.texts
    ]
    return msgspec.structs.replace(details, texts=told)


def _rating(text: str) -> AgeRating:
    scheme, rating = _pair(text, "--rating", "FSK:12")
    return AgeRating(scheme=scheme, rating=rating)


def _other_id(text: str) -> OtherId:
    scheme, value = _pair(text, "--id", "imdb:tt0087332")
    return OtherId(scheme=scheme, value=value)


def _credit(text: str) -> Credit:
    role, rest = _pair(text, "--credit", "director:per_01...")
    person, _, character = rest.partition(":")
    for known in get_args(Role):
        if known == role:
            return Credit(person_id=PersonId(person), role=known, character=character)
    raise click.UsageError(f"--credit: {role!r} is no role: {', '.join(get_args(Role))} are")


def _pair(text: str, option: str, example: str) -> tuple[str, str]:
    before, colon, after = text.partition(":")
    if not colon or not before or not after:
        raise click.UsageError(f"{option}: {text!r} is not of the form of {example}")
    return before, after


def _say(work: Work, as_json: bool, sentence: str) -> None:
    if as_json:
        print_json(work)
    else:
        plain.print(sentence, soft_wrap=True)


def _table(found: Sequence[Summary]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("Kind", no_wrap=True)
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("Name", overflow="fold")
    table.add_column("Length", no_wrap=True)
    table.add_column("Id", no_wrap=True)
    for work in found:
        number = "" if work.number is None else str(work.number)
        length = duration(work.duration_s) if work.duration_s else ""
        table.add_row(work.kind, number, as_is(work.name), length, work.work_id)
    return table


def _told(shown: Shown) -> str:
    work = shown.work
    lines = [" > ".join(as_is(each.name) for each in (*shown.above, work))]
    facts = [work.kind if work.number is None else f"{work.kind} {work.number}"]
    facts += [str(work.year)] if work.year else []
    facts += [duration(work.duration_s)] if work.duration_s else []
    facts += shown.countries + [as_is(term.name) for term in (*shown.genres, *shown.themes)]
    facts += [f"{each.scheme} {each.rating}" for each in shown.ratings]
    if shown.maturity_level is not None:
        facts.append(f"maturity level {shown.maturity_level}")
    lines.append(", ".join(facts))
    if shown.synopsis:
        lines.append("\n".join(as_is(line) for line in shown.synopsis.splitlines()))
    for each in shown.credits:
        played = f" as {as_is(each.character)}" if each.character else ""
        lines.append(f"{each.role}: {as_is(each.name)}{played}")
    lines += [f"{each.scheme}: {as_is(each.value)}" for each in shown.ids]
    lines.append(f"Told in: {', '.join(shown.told_in) or 'no language that is named'}")
    return "\n".join([*lines, work.work_id])
