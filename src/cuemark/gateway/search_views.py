"""What was found, as the public API gives it."""

from cuemark.contracts.search import Found, Match, What
from cuemark.gateway.views import View
from cuemark.gateway.work_views import WorkSummaryView, summary_view


class HitView(View, frozen=True):
    """``hit_id`` is the id of a work, a person, a genre or a theme, and ``why`` says in which of
    its fields something was found. ``work`` is the work."""

    what: What
    hit_id: str
    name: str
    why: list[Match]
    work: WorkSummaryView | None = None


class SearchView(View, frozen=True):
    """The best first. ``like`` is the name of the title that the text asks for the like of."""

    hits: list[HitView]
    next_cursor: str = ""
    like: str = ""


def search_view(found: Found, positions: dict[str, float]) -> SearchView:
    hits = [
        HitView(
            what=hit.what,
            hit_id=hit.hit_id,
            name=hit.name,
            why=hit.why,
            work=summary_view(hit.work, positions.get(hit.hit_id, 0.0)) if hit.work else None,
        )
        for hit in found.hits
    ]
    return SearchView(hits=hits, next_cursor=found.next_cursor, like=found.like)
