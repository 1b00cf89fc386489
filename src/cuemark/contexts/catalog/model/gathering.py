"""A work with what those above it tell for it."""

from collections.abc import Mapping, Sequence

from cuemark.contexts.catalog.model.showing import nearest
from cuemark.contracts.catalog.gathering import GatheredWork
from cuemark.contracts.catalog.works import Work
from cuemark.contracts.ids import WorkId


def gathered(work: Work, known: Mapping[WorkId, Work]) -> GatheredWork:
    """``known`` has what the work lies in."""
    chain = [work]
    while (parent := chain[0].parent_id) is not None and parent in known:
        chain.insert(0, known[parent])
    series = next((each for each in chain[:-1] if each.kind == "series"), None)
    return GatheredWork(
        work=work,
        above=[each.work_id for each in chain[:-1]],
        series=series.details.texts if series else [],
        genres=list(nearest(chain, lambda each: each.genres)),
        themes=list(nearest(chain, lambda each: each.themes)),
    )


def named(works: Sequence[GatheredWork]) -> tuple[set[str], set[str]]:
    """The people and the terms that the works name."""
    people = {credit.person_id for each in works for credit in each.work.details.credits}
    return {*people}, {term for each in works for term in (*each.genres, *each.themes)}
