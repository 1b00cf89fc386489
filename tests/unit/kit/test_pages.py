"""Cursors and limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.kit.pages import PageInvalid, checked_limit, cursor_of, keys_of

keys = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)


@given(st.lists(keys, min_size=1, max_size=3))
def test_a_cursor_gives_back_the_keys_of_its_row(row: list[str]) -> None:
    cursor = cursor_of(*row)
    if len(cursor) <= 400:
        assert keys_of(cursor, len(row)) == tuple(row)
        with pytest.raises(PageInvalid):
            keys_of(cursor, len(row) + 1)


def test_no_cursor_stands_before_the_first_row() -> None:
    assert keys_of("", 2) is None


@given(st.text(min_size=1, max_size=500))
def test_text_from_anywhere_is_keys_or_refused(text: str) -> None:
    try:
        found = keys_of(text, 1)
    except PageInvalid:
        return
    assert found is not None
    assert len(found) == 1


@pytest.mark.parametrize("limit", [0, -1, 201])
def test_a_page_has_bounds(limit: int) -> None:
    with pytest.raises(PageInvalid, match=f"not {limit}"):
        checked_limit(limit)
    assert checked_limit(1) == 1
    assert checked_limit(200) == 200
