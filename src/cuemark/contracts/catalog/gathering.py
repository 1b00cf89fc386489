"""Works as an index takes them in: many at once, each with all that is told of it."""

from datetime import datetime

import msgspec

from cuemark.contracts.catalog.metadata import Person, Term, Text
from cuemark.contracts.catalog.works import Work
from cuemark.contracts.ids import PersonId, TermId, WorkId


class GatherWorks(msgspec.Struct, frozen=True, kw_only=True):
    """Those of ``work_ids`` (at most 200) that there are; without any, a page of all works in the
    order of their creation."""

    work_ids: list[WorkId] = []
    after: str = ""
    limit: int = 200


class GatheredWork(msgspec.Struct, frozen=True, kw_only=True):
    """A work with what those above it tell for it: ``genres`` and ``themes`` are in force
    here. ``above`` is what it lies in, the nearest last; ``series`` the texts of the series
    that it is of."""

    work: Work
    above: list[WorkId] = []
    series: list[Text] = []
    genres: list[TermId] = []
    themes: list[TermId] = []


class GatheredWorks(msgspec.Struct, frozen=True, kw_only=True):
    """``people`` and ``terms`` are those that the works name."""

    works: list[GatheredWork]
    people: list[Person]
    terms: list[Term]
    next_cursor: str = ""


class PersonChanged(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """Somebody is called otherwise by now, or is new."""

    person_id: PersonId
    changed_at: datetime


class TermChanged(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """A genre or a theme is called otherwise by now, or is new."""

    term_id: TermId
    changed_at: datetime
