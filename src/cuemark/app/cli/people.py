"""``cuemark people`` and ``cuemark terms``: who made films, and of what they can be."""

from typing import get_args
from urllib.parse import quote

import click
from rich.table import Table

from cuemark.app.cli.client import Operator
from cuemark.app.cli.output import as_is, plain, print_json
from cuemark.app.folder import DataFolder
from cuemark.contracts.catalog.metadata import (
    NameIn,
    OtherId,
    Person,
    PersonPage,
    Term,
    TermList,
    Vocabulary,
)


def parse_names(
    context: click.Context, option: click.Parameter, values: tuple[str, ...]
) -> list[NameIn]:
    """``Anna`` in a language that is not told, or ``ru=Анна`` in one."""
    names = []
    for value in values:
        language, equals, name = value.partition("=")
        named = (
            NameIn(language=language, name=name) if equals else NameIn(language="und", name=value)
        )
        names.append(named)
    return names


def parse_ids(
    context: click.Context, option: click.Parameter, values: tuple[str, ...]
) -> list[OtherId]:
    ids = []
    for value in values:
        scheme, colon, rest = value.partition(":")
        if not colon:
            raise click.BadParameter(f"{value!r} is not of the form of imdb:nm0000122")
        ids.append(OtherId(scheme=scheme, value=rest))
    return ids


_names = click.argument(
    "names", nargs=-1, required=True, callback=parse_names, metavar="[LANGUAGE=]NAME..."
)
_ids = click.option(
    "--id", "ids", multiple=True, callback=parse_ids, metavar="SCHEME:VALUE", help="imdb:nm0000122"
)
_json = click.option("--json", "as_json", is_flag=True)


@click.command("list")
@click.argument("named", default="")
@_json
def list_people(folder: DataFolder, named: str, as_json: bool) -> None:
    """List the people, or those of whose names NAMED is a part."""
    with Operator(folder) as operator:
        pages = operator.pages("/people", PersonPage, named=named)
        found = [person for page in pages for person in page.people]
    if as_json:
        print_json({"people": found})
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("Names", overflow="fold")
    table.add_column("Id", no_wrap=True)
    for person in found:
        table.add_row(_names_of(person.names), person.person_id)
    plain.print(table if found else "There is nobody of such a name.")


@click.command("add")
@_names
@_ids
@_json
def add_person(folder: DataFolder, names: list[NameIn], ids: list[OtherId], as_json: bool) -> None:
    """Add somebody, by one NAME for each language."""
    with Operator(folder) as operator:
        person = operator.post("/people", {"names": names, "ids": ids}, Person)
    _say_person(person, as_json)


@click.command("edit")
@click.argument("person_id")
@_names
@_ids
@_json
def edit_person(
    folder: DataFolder, person_id: str, names: list[NameIn], ids: list[OtherId], as_json: bool
) -> None:
    """Give somebody these names and ids in place of those that were there."""
    with Operator(folder) as operator:
        body = {"names": names, "ids": ids}
        person = operator.put(f"/people/{quote(person_id)}", body, Person)
    _say_person(person, as_json)


@click.command("remove")
@click.argument("person_id")
@_json
def remove_person(folder: DataFolder, person_id: str, as_json: bool) -> None:
    """Remove somebody whom no work names."""
    with Operator(folder) as operator:
        _say_person(operator.delete(f"/people/{quote(person_id)}", Person), as_json)


@click.command("list")
@_json
def list_terms(folder: DataFolder, as_json: bool) -> None:
    """List the genres and themes."""
    with Operator(folder) as operator:
        found = operator.get("/terms", TermList)
    if as_json:
        print_json(found)
        return
    table = Table(box=None, pad_edge=False)
    for column in ("List", "Id", "Names"):
        table.add_column(column, overflow="fold")
    for term in found.terms:
        table.add_row(term.vocabulary, term.term_id, _names_of(term.names))
    plain.print(table)


@click.command("put")
@click.argument("vocabulary", type=click.Choice(get_args(Vocabulary)))
@click.argument("term_id")
@_names
@_json
def put_term(
    folder: DataFolder, vocabulary: Vocabulary, term_id: str, names: list[NameIn], as_json: bool
) -> None:
    """Put TERM_ID, such as heist, on a list under these names."""
    with Operator(folder) as operator:
        body = {"vocabulary": vocabulary, "names": names}
        _say_term(operator.put(f"/terms/{quote(term_id)}", body, Term), as_json)


@click.command("remove")
@click.argument("term_id")
@_json
def remove_term(folder: DataFolder, term_id: str, as_json: bool) -> None:
    """Take a genre or theme that no work names from its list."""
    with Operator(folder) as operator:
        _say_term(operator.delete(f"/terms/{quote(term_id)}", Term), as_json)


def _names_of(names: list[NameIn]) -> str:
    return ", ".join(
        as_is(each.name) if each.language == "und" else f"{as_is(each.name)} ({each.language})"
        for each in names
    )


def _say_person(person: Person, as_json: bool) -> None:
    if as_json:
        print_json(person)
    else:
        plain.print(f"{person.person_id}: {_names_of(person.names)}", soft_wrap=True)


def _say_term(term: Term, as_json: bool) -> None:
    if as_json:
        print_json(term)
    else:
        plain.print(f"{term.term_id}: {_names_of(term.names)}", soft_wrap=True)
