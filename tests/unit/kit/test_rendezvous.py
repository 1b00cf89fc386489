"""Whom a name belongs to."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.fill.model.placement import Box, keys, place
from cuemark.kit import rendezvous

members = st.dictionaries(st.text("abcdef", min_size=1), st.floats(1, 1e15), min_size=1, max_size=8)


@given(st.text(), members)
def test_who_is_lost_moves_only_its_own_names(name: str, weights: dict[str, float]) -> None:
    key = rendezvous.key_of(name)
    order = rendezvous.order(key, weights)
    assert sorted(order) == sorted(weights)
    for lost in weights:
        left = {each: weight for each, weight in weights.items() if each != lost}
        assert rendezvous.order(key, left) == [each for each in order if each != lost]


def test_names_fall_on_members_by_their_weights() -> None:
    weights = {"small": 1.0, "large": 3.0}
    first = Counter(rendezvous.order(rendezvous.key_of(str(n)), weights)[0] for n in range(4000))
    assert 0.72 < first["large"] / 4000 < 0.78


def test_fill_places_a_file_where_a_single_draw_finds_it() -> None:
    """Steering leads to where fill brings: both come to the same from names and rooms."""
    rooms = {f"edge-{n}": 10**12 * (n + 1) for n in range(5)}
    names = [f"ver_{n}" for n in range(500)]
    size = np.ones(len(names), dtype=np.int64)
    load = np.where(np.arange(len(names)) == 0, 1.0, 1e-9)
    boxes = [Box(name, room, float(room)) for name, room in rooms.items()]
    on = place(keys(names), size, load, boxes)
    for name, row in zip(names[1:], on[1:], strict=True):
        (there,) = np.flatnonzero(row)
        assert list(rooms)[there] == rendezvous.order(rendezvous.key_of(name), rooms)[0]
