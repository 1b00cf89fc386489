"""Which frames could stand for a film."""

from itertools import combinations, pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cuemark.contexts.encoding.model.artwork import (
    LAYOUT_BYTES,
    LEAST_NOVELTY,
    MOST_CANDIDATES,
    PIECE_S,
    Survey,
    candidates,
    layouts,
    looks,
)
from cuemark.contexts.encoding.model.shots import (
    THUMB_HEIGHT,
    THUMB_WIDTH,
    FrameMeasures,
    measure,
    shot_starts,
)
from tests.unit.encoding.test_shots import RATE, shot, texture

Film = NDArray[np.uint8]
FLAT = np.full((40, THUMB_HEIGHT, THUMB_WIDTH), 118, np.uint8)
BLACK = np.zeros((40, THUMB_HEIGHT, THUMB_WIDTH), np.uint8)


def surveyed(film: Film) -> Survey:
    return Survey(measure(film, None), bytearray(layouts(film).tobytes()))


def picked(film: Film, starts: list[int] | None = None) -> list[int]:
    survey = surveyed(film)
    starts = starts or shot_starts(survey.measures.differences, RATE)
    return [each.frame for each in candidates(survey, starts, len(film), RATE)]


def novelty(film: Film, one: int, other: int) -> float:
    pair = looks(layouts(film[[one, other]]))
    return float(np.abs(pair[0] - pair[1]).mean())


def test_the_best_is_neither_black_nor_flat_nor_on_a_cut() -> None:
    film = np.concatenate([BLACK, FLAT, shot(2, 40), BLACK])
    starts = shot_starts(measure(film, None).differences, RATE)
    found = picked(film)
    assert 80 <= found[0] < 120
    assert not set(found) & set(starts)
    assert len(found) == 1


@given(st.integers(1, 30))
def test_a_film_without_any_picture_has_a_frame_of_it_all_the_same(frames: int) -> None:
    nothing = FrameMeasures([0.0] * frames, [0.0] * frames, [0.0] * frames)
    (only,) = candidates(Survey(nothing, bytearray(frames * LAYOUT_BYTES)), [0], frames, RATE)
    assert 0 <= only.frame < frames


def test_each_shot_of_a_film_gets_its_turn() -> None:
    film = np.concatenate([shot(seed, 40) for seed in range(4)])
    assert sorted(frame // 40 for frame in picked(film)) == [0, 1, 2, 3]


def test_a_set_that_the_film_comes_back_to_is_shown_once() -> None:
    film = np.concatenate([shot(seed, 40) for seed in (1, 2, 1, 2, 1, 2)])
    found = picked(film)
    assert len(found) == 2
    assert novelty(film, *found) >= LEAST_NOVELTY


def test_a_fade_of_a_picture_is_no_other_picture() -> None:
    still = shot(5, 40)
    darker = np.concatenate([(still[:20] * share).astype(np.uint8) for share in (0.9, 0.8, 0.7)])
    assert len(picked(np.concatenate([still, darker]), [0, 40, 60, 80])) == 1


def test_a_long_take_is_looked_at_in_pieces() -> None:
    piece = round(PIECE_S * RATE)
    film = np.concatenate([shot(1, piece), shot(2, piece)])
    assert sorted(frame // piece for frame in picked(film, [0])) == [0, 1]


def test_a_blurred_shot_comes_after_a_sharp_one() -> None:
    sharp = shot(3, 40)
    soft = texture(4).astype(float)
    for _ in range(6):
        soft = (soft + np.roll(soft, 1, 0) + np.roll(soft, 1, 1) + np.roll(soft, -1, 1)) / 4
    blurred = np.repeat(soft.astype(np.uint8)[np.newaxis], 40, axis=0)
    assert picked(np.concatenate([blurred, sharp, blurred]))[0] // 40 == 1


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=9),
    st.integers(15, 30),
    st.integers(1, 64),
)
def test_candidates_are_few_differ_and_do_not_hang_on_how_the_film_is_read(
    seeds: list[int], length: int, block: int
) -> None:
    film = np.concatenate([shot(seed, length) for seed in seeds])
    starts = [length * n for n in range(len(seeds))]
    found = picked(film, starts)
    assert 1 <= len(found) <= MOST_CANDIDATES
    assert all(0 <= frame < len(film) for frame in found)
    for one, other in combinations(found, 2):
        assert novelty(film, one, other) >= LEAST_NOVELTY
    pieces = [film[at : at + block] for at in range(0, len(film), block)]
    read = [measure(pieces[0], None)]
    read += [measure(after, before[-1]) for before, after in pairwise(pieces)]
    whole = FrameMeasures(
        *(
            [value for part in read for value in getattr(part, name)]
            for name in ("differences", "brightness", "detail")
        )
    )
    looks = bytearray(b"".join(layouts(part).tobytes() for part in pieces))
    again = candidates(Survey(whole, looks), starts, len(film), RATE)
    assert [each.frame for each in again] == found
