"""What may lie in what."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.catalog.model import details as rules
from cuemark.contexts.catalog.model import hierarchy
from cuemark.contracts.catalog.metadata import Details, Text
from cuemark.contracts.catalog.works import Kind, WorkInvalid, WorkMisplaced

KINDS: tuple[Kind, ...] = get_args(Kind)
kinds = st.sampled_from(KINDS)


@given(st.lists(st.tuples(kinds, st.integers(0, 9), st.integers(0, 9)), max_size=60))
def test_whatever_is_moved_nothing_lies_in_itself(moves: list[tuple[Kind, int, int]]) -> None:
    works: list[Kind] = [KINDS[place % len(KINDS)] for place in range(10)]
    above: dict[int, int] = {}
    for kind, moved, into in moves:
        try:
            hierarchy.check_kind(works[moved], kind, sum(p == moved for p in above.values()))
            hierarchy.check_place(kind, works[into], 1, itself=moved == into)
        except (WorkMisplaced, WorkInvalid):
            continue
        works[moved], above[moved] = kind, into
        seen, at = {moved}, above.get(moved)
        while at is not None:
            assert at not in seen
            seen.add(at)
            at = above.get(at)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_lies_only_in_what_its_table_names(kind: Kind) -> None:
    for parent in KINDS:
        if parent in hierarchy.PARENTS[kind]:
            hierarchy.check_place(kind, parent, 1)
        else:
            with pytest.raises(WorkMisplaced, match="cannot lie in"):
                hierarchy.check_place(kind, parent, 1)


def test_what_holds_others_and_what_plays_do_not_become_one_another() -> None:
    hierarchy.check_kind("movie", "episode", inside=3)
    hierarchy.check_kind("movie", "supplemental", inside=0)
    with pytest.raises(WorkMisplaced, match="holds nothing"):
        hierarchy.check_kind("movie", "supplemental", inside=1)
    changes: list[tuple[Kind, Kind]] = [
        *(("movie", "series"), ("series", "season"), ("season", "episode"))
    ]
    for before, after in changes:
        with pytest.raises(WorkMisplaced, match="cannot become"):
            hierarchy.check_kind(before, after, inside=0)


words = st.text(max_size=30)


@given(
    st.builds(
        Details,
        texts=st.lists(st.builds(Text, language=words, name=words, synopsis=words), max_size=4),
        original_language=words,
        year=st.none() | st.integers(),
        countries=st.lists(words, max_size=3),
    ),
    kinds,
)
def test_details_are_kept_in_one_form_or_told_what_is_wrong(given: Details, kind: Kind) -> None:
    faults = rules.Faults("works[0]")
    told = rules.checked_details(given, kind, faults)
    if faults.found:
        assert all(fault.place.startswith("works[0].") for fault in faults.found)
        assert all(fault.message and "\n" not in fault.message for fault in faults.found)
        return
    again = rules.Faults()
    assert rules.checked_details(told, kind, again) == told
    assert again.found == []
