"""Placement: within each appliance's room, little moves, and load can be even."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.fill.model.catalog import Floats, Ints
from cuemark.contexts.fill.model.manifest import Kind, manifest
from cuemark.contexts.fill.model.placement import Box, keys, parts, place

FILES = 10_000


def files(seed: int = 1, count: int = FILES) -> tuple[Ints, Floats]:
    chance = np.random.default_rng(seed)
    size = chance.integers(1, 5, count) * 10**9
    return size, size * np.arange(1, count + 1) ** -0.9


def boxes(rooms: list[float], size: Ints, spare: float = 1.6) -> list[Box]:
    whole = int(size.sum() * spare)
    return [
        Box(f"a{number}", int(whole * room / sum(rooms)), whole // 50, room)
        for number, room in enumerate(rooms)
    ]


@pytest.mark.parametrize("rooms", [[1.0] * 6, [1, 1, 1.5, 1.5, 2, 3]])
@pytest.mark.parametrize("seed", range(4))
def test_load_is_even_where_each_play_goes_to_the_least_loaded(
    rooms: list[float], seed: int
) -> None:
    size, load = files(seed)
    cluster = boxes(rooms, size)
    placed = place(keys([f"{seed}/{n}" for n in range(FILES)]), size, load, cluster)
    asked = load * np.random.default_rng(seed).lognormal(0, 0.5, FILES)
    loads = (asked[:, None] * parts(placed.on, asked, cluster)).sum(axis=0) / np.array(rooms)
    assert loads.max() / (asked.sum() / sum(rooms)) <= 1.05


@pytest.mark.parametrize("lost", range(6))
def test_the_loss_of_one_moves_what_it_had(lost: int) -> None:
    size, load = files()
    cluster = boxes([1.0] * 6, size)
    names = keys([str(n) for n in range(FILES)])
    before = place(names, size, load, cluster).on
    after = place(names, size, load, cluster[:lost] + cluster[lost + 1 :]).on
    fetched = after & ~np.delete(before, lost, axis=1)
    moved = (fetched * size[:, None]).sum() / (before * size[:, None]).sum()
    assert moved <= 1.1 / 6


@given(
    st.lists(st.integers(1, 100), min_size=1, max_size=40),
    st.lists(st.integers(1, 400), min_size=1, max_size=5),
    st.integers(0, 200),
)
def test_no_appliance_gets_more_than_it_holds(
    sizes: list[int], rooms: list[int], flash_bytes: int
) -> None:
    size = np.array(sizes)
    cluster = [Box(f"a{n}", room, flash_bytes) for n, room in enumerate(rooms)]
    placed = place(keys([str(n) for n in range(len(size))]), size, size[::-1] * 1.0, cluster)
    assert ((placed.on * size[:, None]).sum(axis=0) <= rooms).all()
    assert ((placed.flash * size[:, None]).sum(axis=0) <= flash_bytes).all()
    assert not (placed.flash & ~placed.on).any()


@given(st.lists(st.floats(0, 100), min_size=1, max_size=20), st.integers(0, 5))
def test_all_load_goes_to_where_the_file_is(load: list[float], seed: int) -> None:
    on = np.random.default_rng(seed).random((len(load), 4)) < 0.5
    cluster = [Box(f"a{n}", 10, load=n + 1.0) for n in range(4)]
    part = parts(on, np.array(load), cluster)
    assert part[~on] == pytest.approx(0)
    assert (part >= -1e-9).all()
    assert part.sum(axis=1) == pytest.approx(on.any(axis=1).astype(float))


def test_flash_has_the_most_played_and_the_most_played_have_copies() -> None:
    size, load = files()
    placed = place(keys([str(n) for n in range(FILES)]), size, load, boxes([1.0] * 6, size))
    copies = placed.on.sum(axis=1)
    assert copies[0] >= 4
    assert copies[-100:].max() == 1
    assert placed.flash[:5].any(axis=1).all()
    assert not placed.flash[-100:].any()


def test_a_manifest_asks_peers_before_storage_and_the_origin_last_within_its_allowance() -> None:
    cluster = [Box("a", 100), Box("b", 100), Box("c", 100)]
    size = np.array([10, 10, 10])
    wanted = np.ones((3, 3), dtype=np.bool_)
    held = np.zeros((3, 3), dtype=np.bool_)
    held[0, 1] = held[1, 0] = True
    storage = [("s", np.array([True, False, False]))]
    flash = np.zeros((3, 3), dtype=np.bool_)
    told = manifest(0, cluster, np.array([2, 0, 1]), wanted, flash, held, size, storage, 20)
    assert [(each.file, [s.kind for s in each.sources]) for each in told] == [
        (2, [Kind.ORIGIN]),
        (0, [Kind.PEER, Kind.STORAGE, Kind.ORIGIN]),
    ]
    assert told[1].sources[0].name == "b"
    short = manifest(0, cluster, np.array([2, 0]), wanted, flash, held, size, storage, 10)
    assert [each.file for each in short] == [2]


def test_appliances_without_room_are_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        Box("a", 0)
