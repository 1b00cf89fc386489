"""Placement: within each appliance's room, little moves, and load can be even."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cuemark.contexts.fill.model.catalog import Floats, Ints
from cuemark.contexts.fill.model.placement import Box, copies, keys, parts, place, shares

FILES = 10_000


def files(seed: int = 1, count: int = FILES) -> tuple[Ints, Floats]:
    chance = np.random.default_rng(seed)
    size = chance.integers(1, 5, count) * 10**9
    return size, size * np.arange(1, count + 1) ** -0.9


def boxes(
    rooms: Sequence[float], size: Ints, lines: Sequence[float] = (), spare: float = 1.6
) -> list[Box]:
    whole = int(size.sum() * spare)
    return [
        Box(f"a{number}", int(whole * room / sum(rooms)), line)
        for number, (room, line) in enumerate(zip(rooms, lines or rooms, strict=True))
    ]


UNLIKE: list[tuple[list[float], list[float]]] = [
    ([1, 1, 1.5, 1.5, 2, 3], [2, 2, 1.5, 1.5, 1, 1]),
    ([8, 8, 1, 1], [1, 1, 2, 2]),
]
"""Rooms, and what their lines carry: flash has little room and a wide line."""


@pytest.mark.parametrize(
    ("rooms", "lines"),
    [([1] * 6, [1] * 6), ([1, 1, 1.5, 1.5, 2, 3], [1, 1, 1.5, 1.5, 2, 3]), *UNLIKE],
)
@pytest.mark.parametrize("seed", range(4))
def test_load_is_even_where_each_play_goes_to_the_least_loaded(
    rooms: list[float], lines: list[float], seed: int
) -> None:
    size, load = files(seed)
    cluster = boxes(rooms, size, lines)
    placed = place(keys([f"{seed}/{n}" for n in range(FILES)]), size, load, cluster)
    asked = load * np.random.default_rng(seed).lognormal(0, 0.5, FILES)
    loads = (asked[:, None] * parts(placed, asked, cluster)).sum(axis=0) / np.array(lines)
    assert loads.max() / (asked.sum() / sum(lines)) <= 1.05


@pytest.mark.parametrize("lost", range(6))
def test_the_loss_of_one_moves_what_it_had(lost: int) -> None:
    size, load = files()
    cluster = boxes([1.0] * 6, size)
    names = keys([str(n) for n in range(FILES)])
    before = place(names, size, load, cluster)
    after = place(names, size, load, cluster[:lost] + cluster[lost + 1 :])
    fetched = after & ~np.delete(before, lost, axis=1)
    moved = (fetched * size[:, None]).sum() / (before * size[:, None]).sum()
    assert moved <= 1.1 / 6


@pytest.mark.parametrize(("rooms", "lines"), UNLIKE)
def test_unlike_appliances_move_little_more_when_one_is_lost_or_demand_changes(
    rooms: list[float], lines: list[float]
) -> None:
    size, load = files()
    cluster = boxes(rooms, size, lines)
    names = keys([str(n) for n in range(FILES)])
    before = place(names, size, load, cluster)
    whole, moved = (before * size[:, None]).sum(), 0.0
    for lost in range(len(cluster)):
        after = place(names, size, load, cluster[:lost] + cluster[lost + 1 :])
        moved += ((after & ~np.delete(before, lost, axis=1)) * size[:, None]).sum()
    assert moved / whole <= 1.1
    drift = np.random.default_rng(1).lognormal(0, 0.03, FILES)
    later = place(names, size, load * drift, cluster)
    assert ((later & ~before) * size[:, None]).sum() / whole <= 0.01


@given(
    st.lists(st.integers(1, 100), min_size=1, max_size=40),
    st.lists(st.tuples(st.integers(1, 400), st.integers(1, 9)), min_size=1, max_size=5),
)
def test_no_appliance_gets_more_than_it_holds(sizes: list[int], of: list[tuple[int, int]]) -> None:
    size = np.array(sizes)
    cluster = [Box(f"a{n}", room, line) for n, (room, line) in enumerate(of)]
    placed = place(keys([str(n) for n in range(len(size))]), size, size[::-1] * 1.0, cluster)
    assert ((placed * size[:, None]).sum(axis=0) <= [room for room, _ in of]).all()


@given(
    st.lists(st.tuples(st.integers(1, 99), st.floats(0, 99)), min_size=1, max_size=60),
    st.lists(st.tuples(st.integers(1, 99), st.integers(1, 99)), min_size=1, max_size=6),
)
def test_the_weights_give_each_its_room_and_its_line_where_that_can_be(
    tracks: list[tuple[int, float]], of: list[tuple[int, int]]
) -> None:
    size, load = np.array([s for s, _ in tracks]), np.array([value for _, value in tracks])
    cluster = [Box(f"a{n}", room, line) for n, (room, line) in enumerate(of)]
    told = shares(keys([str(n) for n in range(len(size))]), size, load, cluster)
    for weights in (told.popular, told.rest):
        assert (weights >= 0).all()
        assert weights.sum() == pytest.approx(1)
    if not told.is_popular.any() or min(*told.popular, *told.rest) < 1e-6:
        return
    room, line = (np.array(part) / sum(part) for part in zip(*of, strict=True))
    in_bytes = size[told.is_popular].sum() / size.sum()
    in_load = load[told.is_popular].sum() / load.sum()
    assert told.popular * in_bytes + told.rest * (1 - in_bytes) == pytest.approx(room)
    assert told.popular * in_load + told.rest * (1 - in_load) == pytest.approx(line)


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(1, 99), st.floats(0, 99)), min_size=1, max_size=40
    ),
    st.integers(1, 6),
)
@example([(0, 1, 5e-324), (0, 1, 0.0)], 2)
def test_what_comes_with_a_play_has_as_many_copies_as_the_pictures(
    tracks: list[tuple[int, int, float]], count: int
) -> None:
    titles, sizes, plays = (list(part) for part in zip(*tracks, strict=True))
    size, value = np.array(sizes), np.array(plays)
    told = copies(keys([str(title) for title in titles]), size, value * size, count)
    assert ((told >= 1) & (told <= count)).all()
    for title, many, often in zip(titles, told, (value * size) / size, strict=True):
        for other, less, seldom in zip(titles, told, (value * size) / size, strict=True):
            assert title != other or often <= seldom or many >= less


@given(st.lists(st.floats(0, 100), min_size=1, max_size=20), st.integers(0, 5))
def test_all_load_goes_to_where_the_file_is(load: list[float], seed: int) -> None:
    on = np.random.default_rng(seed).random((len(load), 4)) < 0.5
    cluster = [Box(f"a{n}", 10, load=n + 1.0) for n in range(4)]
    part = parts(on, np.array(load), cluster)
    assert part[~on] == pytest.approx(0)
    assert (part >= -1e-9).all()
    assert part.sum(axis=1) == pytest.approx(on.any(axis=1).astype(float))


def test_the_most_played_have_copies_and_flash_has_the_most_played() -> None:
    size, load = files()
    rooms, lines = UNLIKE[1]
    placed = place(keys([str(n) for n in range(FILES)]), size, load, boxes(rooms, size, lines))
    many = placed.sum(axis=1)
    assert many[0] >= 3
    assert many[-100:].max() == 1
    of_flash, of_disks = (
        (load[:, None] * placed[:, at] / size[:, None]).sum() / placed[:, at].sum()
        for at in (slice(2, 4), slice(0, 2))
    )
    assert of_flash > 3 * of_disks


def test_appliances_without_room_are_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        Box("a", 0)
