"""Metadata as a table: a line for each work and language, and back again."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar, get_args

from cuemark.contracts.catalog.exchange import Fault, WorkRow
from cuemark.contracts.catalog.metadata import (
    AgeRating,
    Credit,
    Details,
    OtherId,
    Role,
    Supplement,
    Text,
)
from cuemark.contracts.catalog.works import Kind
from cuemark.contracts.ids import PersonId, TermId

T = TypeVar("T")

COLUMNS = (
    *("id", "kind", "parent", "number", "language", "name", "synopsis_short", "synopsis"),
    *("artwork_key", "original_language", "year", "countries", "genres", "themes", "ratings"),
    *("ids", "credits", "supplement"),
)
NEEDED = ("id", "kind", "name")
LONGEST_CELL = 100_000
_KINDS: Mapping[str, Kind] = {kind: kind for kind in get_args(Kind)}
_ROLES: Mapping[str, Role] = {role: role for role in get_args(Role)}
_SUPPLEMENTS: Mapping[str, Supplement] = {each: each for each in get_args(Supplement)}


class Sheet:
    """The rows of a table, and where each of them and of their texts came from."""

    def __init__(self) -> None:
        self.rows: list[WorkRow] = []
        self.faults: list[Fault] = []
        self._lines: list[list[int]] = []

    def read(self, text: str) -> None:
        """Raises nothing: what cannot be read is a fault with its line and column."""
        csv.field_size_limit(LONGEST_CELL)
        reader = csv.DictReader(io.StringIO(text, newline=""), restkey="", restval="")
        there: dict[str, int] = {}
        try:
            self._check_head(list(reader.fieldnames or []))
            for cells in reader if not self.faults else ():
                self._add(cells, reader.line_num, there)
        except csv.Error as error:
            place = f"line {reader.line_num}"
            self.faults.append(Fault(place=place, message=f"no CSV that can be read: {error}"))

    def place_of(self, place: str) -> str:
        """``works[3].details.texts[1].name`` as a line and a column of the table."""
        head, _, rest = place.partition("]")
        number = head.removeprefix("works[")
        if not head.startswith("works[") or not number.isdecimal():
            return place
        lines = self._lines[int(number)]
        rest = rest.lstrip(".").removeprefix("details").lstrip(".")
        if rest.startswith("texts["):
            which, _, column = rest.removeprefix("texts[").partition("]")
            line = lines[int(which)] if int(which) < len(lines) else lines[0]
            return f"line {line}, {column.lstrip('.') or 'language'}"
        column = rest.partition("[")[0]
        return f"line {lines[0]}, {column}" if column else f"line {lines[0]}"

    def _check_head(self, head: list[str]) -> None:
        unknown = [each for each in head if each not in COLUMNS]
        missing = [each for each in NEEDED if each not in head]
        for names, what in ((unknown, "no column of ours"), (missing, "a column that is needed")):
            self.faults += [Fault(place="line 1", message=f"{name!r} is {what}") for name in names]

    def _add(self, cells: Mapping[str, str], line: int, there: dict[str, int]) -> None:
        if "" in cells:
            self.faults.append(
                Fault(place=f"line {line}", message="it has more cells than the head")
            )
            return
        text = Text(
            language=cells.get("language") or "und",
            name=cells.get("name", ""),
            synopsis=cells.get("synopsis", ""),
            synopsis_short=cells.get("synopsis_short", ""),
            artwork_key=cells.get("artwork_key", ""),
        )
        row_id = cells.get("id", "").strip()
        if row_id in there:
            place = there[row_id]
            row = self.rows[place]
            row.details.texts.append(text)
            self._lines[place].append(line)
            return
        there[row_id] = len(self.rows)
        self._lines.append([line])
        self.rows.append(self._row(row_id, cells, text, line))

    def _row(self, row_id: str, cells: Mapping[str, str], text: Text, line: int) -> WorkRow:
        def cell(column: str, read: Callable[[str], T], otherwise: T) -> T:
            value = cells.get(column, "").strip()
            try:
                return read(value) if value else otherwise
            except ValueError as error:
                self.faults.append(Fault(place=f"line {line}, {column}", message=str(error)))
                return otherwise

        none: list[str] = []
        if not cells.get("kind", "").strip():
            self.faults.append(Fault(place=f"line {line}, kind", message="a kind is needed"))
        return WorkRow(
            id=row_id,
            kind=cell("kind", _kind, "movie"),
            parent=cells.get("parent", "").strip(),
            number=cell("number", _integer, None),
            details=Details(
                texts=[text],
                original_language=cells.get("original_language", "").strip(),
                year=cell("year", _integer, None),
                countries=cell("countries", _list, none),
                genres=[TermId(each) for each in cell("genres", _list, none)],
                themes=[TermId(each) for each in cell("themes", _list, none)],
                ratings=cell("ratings", _ratings, []),
                ids=cell("ids", _ids, []),
                credits=cell("credits", _credits, []),
                supplement=cell("supplement", _supplement, ""),
            ),
        )


def written(rows: Iterable[WorkRow]) -> str:
    """The rows as a table, which ``Sheet`` reads back."""
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS, restval="")
    writer.writeheader()
    for row in rows:
        first, *further = row.details.texts
        writer.writerow({**_text_cells(row, first), **_other_cells(row)})
        for text in further:
            writer.writerow({**_text_cells(row, text), "kind": row.kind})
    return file.getvalue()


def _text_cells(row: WorkRow, text: Text) -> dict[str, str]:
    return {
        "id": row.id,
        "language": text.language,
        "name": text.name,
        "synopsis_short": text.synopsis_short,
        "synopsis": text.synopsis,
        "artwork_key": text.artwork_key,
    }


def _other_cells(row: WorkRow) -> dict[str, str]:
    details = row.details
    return {
        "kind": row.kind,
        "parent": row.parent,
        "number": "" if row.number is None else str(row.number),
        "original_language": details.original_language,
        "year": "" if details.year is None else str(details.year),
        "countries": ";".join(details.countries),
        "genres": ";".join(details.genres),
        "themes": ";".join(details.themes),
        "ratings": ";".join(f"{each.scheme}:{each.rating}" for each in details.ratings),
        "ids": ";".join(f"{each.scheme}:{_kept(each.value)}" for each in details.ids),
        "credits": ";".join(
            ":".join(filter(None, (each.role, each.person_id, _kept(each.character))))
            for each in details.credits
        ),
        "supplement": details.supplement,
    }


def _kept(text: str) -> str:
    """A ``;`` parts the entries of a list, so one within an entry is written twice."""
    return text.replace(";", ";;")


def _list(text: str) -> list[str]:
    parts = [part.replace("\0", ";").strip() for part in text.replace(";;", "\0").split(";")]
    return [part for part in parts if part]


def _kind(text: str) -> Kind:
    if text not in _KINDS:
        raise ValueError(f"{text!r} is no kind: {', '.join(_KINDS)} are")
    return _KINDS[text]


def _supplement(text: str) -> Supplement:
    if text not in _SUPPLEMENTS:
        raise ValueError(f"{text!r} is none of {', '.join(filter(None, _SUPPLEMENTS))}")
    return _SUPPLEMENTS[text]


def _integer(text: str) -> int:
    if not text.lstrip("-").isdecimal() or len(text) > 9:
        raise ValueError(f"{text!r} is no number")
    return int(text)


def _pairs(text: str, example: str) -> list[tuple[str, str]]:
    pairs = [part.partition(":") for part in _list(text)]
    if not all(before and after for before, _, after in pairs):
        raise ValueError(f"{text!r} is not of the form of {example}")
    return [(before, after) for before, _, after in pairs]


def _ratings(text: str) -> list[AgeRating]:
    return [AgeRating(scheme=scheme, rating=rating) for scheme, rating in _pairs(text, "FSK:12")]


def _ids(text: str) -> list[OtherId]:
    example = "imdb:tt0087332"
    return [OtherId(scheme=scheme, value=value) for scheme, value in _pairs(text, example)]


def _credits(text: str) -> list[Credit]:
    made = []
    for role, rest in _pairs(text, "director:per_..."):
        if role not in _ROLES:
            raise ValueError(f"{role!r} is no role: {', '.join(_ROLES)} are")
        person, _, character = rest.partition(":")
        made.append(Credit(person_id=PersonId(person), role=_ROLES[role], character=character))
    return made
