"""A work as a reader sees it, from what is kept of it, of those above it, and of who made it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, TypeVar

import msgspec

from cuemark.contexts.catalog.model import ratings
from cuemark.contexts.catalog.model.hierarchy import HOLDERS
from cuemark.contexts.catalog.model.languages import UNDETERMINED
from cuemark.contexts.catalog.model.listing import is_launched
from cuemark.contexts.catalog.model.texts import Told, name_for, told
from cuemark.contracts.catalog.metadata import AgeRating, Details, NameIn
from cuemark.contracts.catalog.works import (
    CreditShown,
    Kind,
    TermShown,
    Work,
    WorkInFull,
    WorkSummary,
)
from cuemark.contracts.ids import PersonId, TermId, TitleId, VersionId, WorkId

T = TypeVar("T")


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A work as the tables have it, with what plays of it, or with the picture of the first title
    in it."""

    work_id: WorkId
    kind: Kind
    parent_id: WorkId | None
    number: int | None
    details: Details
    created_at: datetime
    version_id: VersionId | None = None
    quality: Literal["none", "quick", "full"] = "none"
    duration_s: float = 0.0
    artwork_key: str = ""
    launch_at: datetime | None = None


def summary(kept: Kept, ranges: Sequence[str], now: datetime) -> tuple[WorkSummary, Told]:
    """The work in a list, and what was taken of its texts."""
    text = told(kept.details.texts, ranges)
    shown = WorkSummary(
        work_id=kept.work_id,
        kind=kept.kind,
        name=text.name,
        synopsis_short=text.synopsis_short,
        number=kept.number,
        parent_id=kept.parent_id,
        year=kept.details.year,
        supplement=kept.details.supplement,
        artwork_key=text.artwork_key or kept.artwork_key,
        version_id=kept.version_id,
        quality=kept.quality,
        duration_s=kept.duration_s,
        launched=is_launched(kept.launch_at, now),
        artwork_own=bool(text.artwork_key) or kept.kind not in HOLDERS,
    )
    return shown, text


def languages_of(texts: Iterable[Told]) -> list[str]:
    """All that were taken for an answer, each once."""
    return list(dict.fromkeys(tag for text in texts for tag in text.languages))


def in_full(
    chain: Sequence[Kept],
    people: Mapping[PersonId, Sequence[NameIn]],
    terms: Mapping[TermId, Sequence[NameIn]],
    next_title_id: TitleId | None,
    ranges: Sequence[str],
    territory: str,
    now: datetime,
) -> WorkInFull:
    """``chain`` is the work and what it lies in, from above: the work itself is the last."""
    summaries = [summary(each, ranges, now) for each in chain]
    (work, text), details = summaries[-1], chain[-1].details
    rated = ratings.shown(nearest(chain, lambda each: each.ratings))
    here = ratings.rating_for(rated, territory)
    languages = [each.language for each in details.texts if each.name]
    return WorkInFull(
        work=work,
        synopsis=text.synopsis,
        above=[each for each, _ in summaries[:-1]],
        languages=languages_of(each for _, each in summaries),
        told_in=[tag for tag in languages if tag != UNDETERMINED],
        original_language=nearest(chain, lambda each: each.original_language) or "",
        countries=list(nearest(chain, lambda each: each.countries)),
        genres=_terms(nearest(chain, lambda each: each.genres), terms, ranges),
        themes=_terms(nearest(chain, lambda each: each.themes), terms, ranges),
        credits=[
            CreditShown(
                person_id=each.person_id,
                name=name_for(people[each.person_id], ranges),
                role=each.role,
                character=each.character,
            )
            for each in details.credits
            if each.person_id in people
        ],
        ratings=rated,
        rating=AgeRating(scheme=here.scheme, rating=here.rating) if here else None,
        maturity_level=ratings.maturity(rated, territory),
        ids=details.ids,
        next_title_id=next_title_id,
    )


def terms_of(chain: Sequence[Kept]) -> list[TermId]:
    """The genres and themes that are told of the last work of ``chain``."""
    genres = nearest(chain, lambda each: each.genres)
    return [*genres, *nearest(chain, lambda each: each.themes)]


def nearest(chain: Sequence[Kept | Work], field: Callable[[Details], T]) -> T:
    """What the work tells; where it tells nothing, what its season or series does.

    A franchise speaks for nothing in it: its films may be of any kind. And a trailer is no part of
    the film that it is for.
    """
    own = field(chain[-1].details)
    if own or chain[-1].kind not in ("episode", "season"):
        return own
    above = [field(each.details) for each in reversed(chain[:-1]) if each.kind != "franchise"]
    return next((each for each in above if each), own)


def _terms(
    given: Sequence[TermId], names: Mapping[TermId, Sequence[NameIn]], ranges: Sequence[str]
) -> list[TermShown]:
    return [
        TermShown(term_id=each, name=name_for(names[each], ranges))
        for each in given
        if each in names
    ]
