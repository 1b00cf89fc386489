"""Works: what there is to tell of, from a franchise down to a trailer, and how one lies in another.

A work that plays (an episode, a movie, a supplemental) is a title, and its id is the title's. A
work that holds others (a franchise, a series, a season) has an id of its own.
"""

from datetime import datetime
from typing import Literal

import msgspec

from cuemark.contracts.catalog.metadata import AgeRating, Details, OtherId, Role, Supplement
from cuemark.contracts.ids import PersonId, TermId, TitleId, VersionId, WorkId
from cuemark.kit.errors import Refusal

Kind = Literal["franchise", "series", "season", "episode", "movie", "supplemental"]
Change = Literal["created", "described", "placed", "removed", "undone", "imported"]


class UnknownWork(Refusal):
    code = "unknown_work"
    status = 404


class UnknownPerson(Refusal):
    code = "unknown_person"
    status = 404


class UnknownTerm(Refusal):
    code = "unknown_term"
    status = 404


class WorkInvalid(Refusal):
    code = "work_invalid"
    status = 422


class WorkMisplaced(Refusal):
    """It cannot lie there: kinds that do not fit, or a number that is taken."""

    code = "work_misplaced"
    status = 409


class WorkInUse(Refusal):
    """It cannot go: something is in it, or names it."""

    code = "work_in_use"
    status = 409


class WorkChangedMeanwhile(Refusal):
    code = "work_changed_meanwhile"
    status = 409


class NothingToUndo(Refusal):
    code = "nothing_to_undo"
    status = 409


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """A work as its operators see it. ``number`` is its place among those of its kind in its
    parent. ``revision`` grows by one with each change, of which ``change`` was the last."""

    work_id: WorkId
    kind: Kind
    details: Details
    revision: int
    changed_at: datetime
    change: Change
    parent_id: WorkId | None = None
    number: int | None = None


class CreateWork(msgspec.Struct, frozen=True, kw_only=True):
    """A work that holds others; what plays is created as a title, and then placed."""

    kind: Kind
    details: Details
    parent_id: WorkId | None = None
    number: int | None = None


class GetWork(msgspec.Struct, frozen=True, kw_only=True):
    work_id: WorkId


class DescribeWork(msgspec.Struct, frozen=True, kw_only=True):
    """``details`` in place of those that it has. ``revision`` is the one that they were made from:
    where another change came between, this one is refused."""

    work_id: WorkId
    revision: int
    details: Details


class PlaceWork(msgspec.Struct, frozen=True, kw_only=True):
    """Where it lies from now on. ``kind`` may change among those that play; None: as it is."""

    work_id: WorkId
    parent_id: WorkId | None = None
    number: int | None = None
    kind: Kind | None = None


class RemoveWork(msgspec.Struct, frozen=True, kw_only=True):
    """A work that holds others, once nothing is in it."""

    work_id: WorkId


class UndoWork(msgspec.Struct, frozen=True, kw_only=True):
    """As it was before its last change; a work that was removed is there again."""

    work_id: WorkId


class ShowWork(msgspec.Struct, frozen=True, kw_only=True):
    """For a reader of ``languages`` (BCP 47 ranges, the preferred one first) in ``territory`` (ISO
    3166-1, empty where it is not known). ``seen_only`` leaves out what members may not see."""

    work_id: WorkId
    languages: list[str] = []
    territory: str = ""
    seen_only: bool = True


class ListWorks(msgspec.Struct, frozen=True, kw_only=True):
    """What lies in ``parent_id``, in its order; without one all, the newest first.

    ``kinds``, ``term_id``, ``person_id`` and ``work_ids`` (at most 200) leave out what is not of
    them; ``top`` what lies in another work.
    """

    parent_id: WorkId | None = None
    kinds: list[Kind] = []
    term_id: TermId | None = None
    person_id: PersonId | None = None
    top: bool = False
    languages: list[str] = []
    seen_only: bool = True
    after: str = ""
    limit: int = 50
    work_ids: list[WorkId] = []


class WorkSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A work in a list, in the reader's language. ``artwork_key`` of one that holds others is
    that of the first title in it, unless it is its own (``artwork_own``). ``duration_s``,
    ``quality`` and so on are of what plays."""

    work_id: WorkId
    kind: Kind
    name: str
    synopsis_short: str = ""
    number: int | None = None
    parent_id: WorkId | None = None
    year: int | None = None
    supplement: Supplement = ""
    artwork_key: str = ""
    version_id: VersionId | None = None
    quality: Literal["none", "quick", "full"] = "none"
    duration_s: float = 0.0
    launched: bool = True
    artwork_own: bool = False


class WorkPage(msgspec.Struct, frozen=True, kw_only=True):
    """``languages`` are those in which the texts are, without ``und``."""

    works: list[WorkSummary]
    languages: list[str] = []
    next_cursor: str = ""


class TermShown(msgspec.Struct, frozen=True, kw_only=True):
    term_id: TermId
    name: str


class CreditShown(msgspec.Struct, frozen=True, kw_only=True):
    person_id: PersonId
    name: str
    role: Role
    character: str = ""


class RatingShown(msgspec.Struct, frozen=True, kw_only=True):
    """``level`` is the common maturity level, 0 (everybody) to 5 (adults only)."""

    scheme: str
    rating: str
    level: int
    territories: list[str]


class WorkInFull(msgspec.Struct, frozen=True, kw_only=True):
    """A work as a reader sees it. ``above`` are the works that it lies in, the nearest last.

    What an episode does not tell of genres, themes, countries, ratings and original language, its
    season tells for it, and its series for both. ``rating`` is the one for the reader's territory,
    ``maturity_level`` its level, or the highest of all where there is none; None: not rated.
    ``next_title_id`` is the episode that follows.
    """

    work: WorkSummary
    synopsis: str
    above: list[WorkSummary] = []
    languages: list[str] = []
    told_in: list[str] = []
    original_language: str = ""
    countries: list[str] = []
    genres: list[TermShown] = []
    themes: list[TermShown] = []
    credits: list[CreditShown] = []
    ratings: list[RatingShown] = []
    rating: AgeRating | None = None
    maturity_level: int | None = None
    ids: list[OtherId] = []
    next_title_id: TitleId | None = None


class ListTitlesWithin(msgspec.Struct, frozen=True, kw_only=True):
    """The titles that lie in these works (1 to 200), however deep, as far as they can be seen."""

    work_ids: list[WorkId]


class TitlesWithin(msgspec.Struct, frozen=True, kw_only=True):
    """At most ``MOST_WITHIN`` titles of each work, in no order; a work without any is left out."""

    title_ids: dict[WorkId, list[TitleId]]


class AdmitWorks(msgspec.Struct, frozen=True, kw_only=True):
    """Which of these works (1 to 200) are for a profile of ``maturity`` (an age) in ``territory``?

    ``territory`` is as in ``ShowWork``: where its bodies rated a work, their rating counts, else
    the strictest that there is. A title without a rating, of its own or of its season or series,
    counts as the install says, which is 18 where it says nothing. A work that holds others and has
    no rating is for everybody: what lies in it is asked for by itself.
    """

    work_ids: list[WorkId]
    maturity: int
    territory: str = ""


class AdmittedWorks(msgspec.Struct, frozen=True, kw_only=True):
    """Those that are, in the order in which they were asked for; what there is not, is not."""

    work_ids: list[WorkId]


class TitleDescribed(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What a title is called where no language fits, and the series that it lies in by now."""

    title_id: TitleId
    name: str
    synopsis: str
    series: str
    described_at: datetime


class WorkChanged(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """A work was created, described, placed or removed; ``revision`` says which change it was."""

    work_id: WorkId
    work_kind: Kind
    change: Change
    revision: int
    changed_at: datetime
