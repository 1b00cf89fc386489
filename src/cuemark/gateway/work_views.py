"""Works as the public API gives them."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from cuemark.contracts.catalog.exchange import PersonRow, WorkRow
from cuemark.contracts.catalog.metadata import (
    AgeRating,
    Details,
    NameIn,
    OtherId,
    Supplement,
    Term,
    Vocabulary,
)
from cuemark.contracts.catalog.works import (
    CreditShown,
    Kind,
    RatingShown,
    TermShown,
    WorkInFull,
    WorkSummary,
)
from cuemark.gateway.views import API, IdText, View

HOLDERS = frozenset({"franchise", "series", "season"})


class WorkSummaryView(View, frozen=True):
    """``artwork_url`` is a path, empty before there is artwork. ``position_s`` is where the viewer
    stopped in a title."""

    work_id: str
    kind: Kind
    name: str
    synopsis_short: str
    number: int | None
    parent_id: str | None
    year: int | None
    supplement: Supplement
    artwork_url: str
    quality: Literal["none", "quick", "full"]
    duration_s: float
    launched: bool
    position_s: float = 0.0


class WorkListView(View, frozen=True):
    works: list[WorkSummaryView]
    next_cursor: str = ""


class WorkView(View, frozen=True):
    """``above`` are the works that it lies in, the nearest last."""

    work: WorkSummaryView
    synopsis: str
    above: list[WorkSummaryView]
    told_in: list[str]
    original_language: str
    countries: list[str]
    genres: list[TermShown]
    themes: list[TermShown]
    credits: list[CreditShown]
    ratings: list[RatingShown]
    rating: AgeRating | None
    maturity_level: int | None
    ids: list[OtherId]
    next_title_id: str | None


class WorkBody(View, frozen=True):
    kind: Kind
    details: Details
    parent_id: IdText | None = None
    number: int | None = None


class DetailsBody(View, frozen=True):
    """``revision`` is the one that the details were made from."""

    revision: Annotated[int, Meta(ge=0, le=2**31)]
    details: Details


class PlaceBody(View, frozen=True):
    parent_id: IdText | None = None
    number: int | None = None
    kind: Kind | None = None


class PersonBody(View, frozen=True):
    names: list[NameIn]
    ids: list[OtherId] = msgspec.field(default_factory=list)


class TermBody(View, frozen=True):
    vocabulary: Vocabulary
    names: list[NameIn]


class MetadataBody(View, frozen=True):
    """Rows as an export has them; with ``dry_run`` it is only told what would be."""

    people: list[PersonRow] = msgspec.field(default_factory=list)
    terms: list[Term] = msgspec.field(default_factory=list)
    works: list[WorkRow] = msgspec.field(default_factory=list)
    dry_run: bool = False


def summary_view(work: WorkSummary, position_s: float = 0.0) -> WorkSummaryView:
    place = "works" if work.kind in HOLDERS else "titles"
    artwork = f"{API}/{place}/{work.work_id}/artwork" if work.artwork_key else ""
    return WorkSummaryView(
        work_id=work.work_id,
        kind=work.kind,
        name=work.name,
        synopsis_short=work.synopsis_short,
        number=work.number,
        parent_id=work.parent_id,
        year=work.year,
        supplement=work.supplement,
        artwork_url=artwork,
        quality=work.quality,
        duration_s=work.duration_s,
        launched=work.launched,
        position_s=position_s,
    )


def work_view(shown: WorkInFull, position_s: float) -> WorkView:
    return WorkView(
        work=summary_view(shown.work, position_s),
        synopsis=shown.synopsis,
        above=[summary_view(each) for each in shown.above],
        told_in=shown.told_in,
        original_language=shown.original_language,
        countries=shown.countries,
        genres=shown.genres,
        themes=shown.themes,
        credits=shown.credits,
        ratings=shown.ratings,
        rating=shown.rating,
        maturity_level=shown.maturity_level,
        ids=shown.ids,
        next_title_id=shown.next_title_id,
    )
