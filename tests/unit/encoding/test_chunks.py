"""Chunks cover the film, begin at IDRs, and have an encodable length."""

import random
from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.chunks import (
    CHUNK_MAX_S,
    GOP_S,
    chunk_plan,
    excerpts,
    idr_frames,
    sampled,
)
from cuemark.contexts.encoding.tools.ffmpeg import Recipe, pieces_of

RATES = [
    Fraction(text) for text in ("24", "25", "24000/1001", "30000/1001", "60", "18000/301", "1")
]


@st.composite
def films(draw: st.DrawFn) -> tuple[list[int], int, Fraction]:
    """First frames of shots, frames, rate; shots as short as the shot rule allows."""
    rate = draw(st.sampled_from(RATES))
    seconds = draw(st.lists(st.floats(0.6, 40), min_size=1, max_size=25))
    lengths = [max(1, round(length * rate)) for length in seconds]
    starts = [sum(lengths[:n]) for n in range(len(lengths))]
    return starts, sum(lengths), rate


@given(films())
def test_idrs_stand_at_every_cut_and_at_most_a_gop_apart(
    film: tuple[list[int], int, Fraction],
) -> None:
    starts, frames, rate = film
    idrs = idr_frames(starts, frames, rate)
    assert idrs == sorted(set(idrs))
    assert set(starts) <= set(idrs)
    assert all(b - a <= max(1, GOP_S * rate) for a, b in pairwise([*idrs, frames]))


@given(films())
def test_chunks_cover_the_film_once_and_carry_its_idrs(
    film: tuple[list[int], int, Fraction],
) -> None:
    starts, frames, rate = film
    chunks = chunk_plan(starts, frames, rate)
    assert [chunk.index for chunk in chunks] == list(range(len(chunks)))
    assert chunks[0].start == 0
    assert chunks[-1].end == frames
    assert all(a.end == b.start for a, b in pairwise(chunks))
    assert all(chunk.idrs[0] == 0 for chunk in chunks)
    idrs = [chunk.start + idr for chunk in chunks for idr in chunk.idrs]
    assert idrs == idr_frames(starts, frames, rate)


@given(films())
def test_chunks_are_of_three_to_eight_seconds(film: tuple[list[int], int, Fraction]) -> None:
    starts, frames, rate = film
    lengths_s = [chunk.frames / rate for chunk in chunk_plan(starts, frames, rate)]
    assert max(lengths_s) <= CHUNK_MAX_S
    assert len(lengths_s) == 1 or min(lengths_s) >= 3 - 1 / rate


@given(st.sampled_from(RATES), st.lists(st.floats(0.6, 2.6), min_size=1, max_size=3))
def test_a_short_film_is_one_chunk(rate: Fraction, seconds: list[float]) -> None:
    lengths = [max(1, int(length * rate)) for length in seconds]
    starts = [sum(lengths[:n]) for n in range(len(lengths))]
    (chunk,) = chunk_plan(starts, sum(lengths), rate)
    assert chunk.frames == sum(lengths)


def test_chunks_end_at_cuts_where_that_is_possible() -> None:
    chunks = chunk_plan([0, 130, 260, 390], 520, Fraction(25))
    assert [chunk.start for chunk in chunks] == [0, 130, 260, 390]


@given(films(), st.integers(1, 5), st.integers(1, 400))
def test_excerpts_are_distinct_stretches_within_chunks(
    film: tuple[list[int], int, Fraction], most: int, length: int
) -> None:
    chunks = chunk_plan(*film)
    found = excerpts(chunks, most, length)
    assert len(found) == len(set(found)) == min(most, len(chunks))
    homes = {chunk.start: chunk.end for chunk in chunks}
    assert all(start < end <= min(homes[start], start + length) for start, end in found)


@given(films(), st.integers(1, 5000))
def test_samples_are_distinct_chunks_in_order(
    film: tuple[list[int], int, Fraction], most_frames: int
) -> None:
    chunks = chunk_plan(*film)
    found = sampled(chunks, most_frames, hardness=[(7 * chunk.start) % 11 for chunk in chunks])
    assert found
    assert [chunk.index for chunk in found] == sorted({chunk.index for chunk in found})
    if film[1] <= most_frames:
        assert found == chunks
    longest = max(chunk.frames for chunk in chunks)
    assert len(found) == 1 or sum(c.frames for c in found) <= len(found) * longest
    assert len(found) <= max(1, len(chunks) * most_frames // film[1]) or found == chunks


@given(films(), st.integers(0, 1000))
def test_the_pieces_of_a_chunk_are_its_frames_and_its_idrs(
    film: tuple[list[int], int, Fraction], seed: int
) -> None:
    chance = random.Random(seed)
    for chunk in chunk_plan(*film):
        turns = [
            (idr, chance.choice([20.0, 24.0, 30.0]))
            for idr in chunk.idrs[1:]
            if chance.random() < 0.5
        ]
        recipe = Recipe(640, 360, 26.0, "medium", tuple(turns))
        pieces = pieces_of(chunk, recipe)
        assert [piece.index for piece, _ in pieces] == list(range(len(pieces)))
        covered = [frame for piece, _ in pieces for frame in range(piece.start, piece.end)]
        assert covered == list(range(chunk.start, chunk.end))
        idrs = [piece.start + idr for piece, _ in pieces for idr in piece.idrs]
        assert idrs == [chunk.start + idr for idr in chunk.idrs]
        assert [each.crf for _, each in pieces] == [26.0, *(crf for _, crf in turns)]
        assert not any(each.turns for _, each in pieces)
