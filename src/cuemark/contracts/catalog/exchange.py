"""Metadata as it goes in and out as a whole: rows of people, terms and works."""

import msgspec

from cuemark.contracts.catalog.metadata import Details, NameIn, OtherId, Term
from cuemark.contracts.catalog.works import Kind

MOST_ROWS = 2000
"""Of one import: it is one transaction, all or nothing."""


class PersonRow(msgspec.Struct, frozen=True, kw_only=True):
    """``id`` is a person's of this catalog, or any other word by which this file's credits name
    somebody new."""

    id: str
    names: list[NameIn]
    ids: list[OtherId] = []


class WorkRow(msgspec.Struct, frozen=True, kw_only=True):
    """``id`` and ``parent`` are those of works of this catalog, or of other rows.

    A row whose ``id`` is not of this catalog is one of its works all the same where one of its
    ``ids`` is known; else it is a new work, and keeps its ``id`` under the scheme ``imported``.
    """

    id: str
    kind: Kind
    details: Details
    parent: str = ""
    number: int | None = None


class ImportMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """All of it, or nothing where a row is at fault. ``dry_run`` only says what would be."""

    people: list[PersonRow] = []
    terms: list[Term] = []
    works: list[WorkRow] = []
    dry_run: bool = False


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """``place`` is where in the rows, such as ``works[3].details.ratings[0]``."""

    place: str
    message: str


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """With ``faults`` nothing was imported; at most 200 are told, of ``fault_count``."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    fault_count: int = 0
    faults: list[Fault] = []


class ExportMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """Works in the order of their creation, with the people and terms that they name."""

    after: str = ""
    limit: int = 50


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    people: list[PersonRow]
    terms: list[Term]
    works: list[WorkRow]
    next_cursor: str = ""
