"""How hard a shot is to encode, told from its pictures alone."""

import math
import statistics
from itertools import pairwise

import numpy as np
import pytest

from cuemark.contexts.encoding.model.chunks import Chunk, sampled
from cuemark.contexts.encoding.model.complexity import (
    Complexity,
    Information,
    information,
    of_chunks,
    of_shots,
)
from cuemark.contexts.encoding.model.shots import THUMB_HEIGHT, THUMB_WIDTH
from tests.unit.encoding.test_shots import shot, texture


def test_information_is_that_of_itu_t_p_910() -> None:
    """An upright edge of 100 between two flat halves: Sobel answers 400 in two of its columns."""
    frame = np.full((THUMB_HEIGHT, THUMB_WIDTH), 50, np.uint8)
    frame[:, THUMB_WIDTH // 2 :] = 150
    darker = (frame // 2).astype(np.uint8)
    found = information(np.stack([frame, darker]), None)
    share = 2 / (THUMB_WIDTH - 2)
    deviation = 400 * math.sqrt(share * (1 - share))
    assert found.spatial == pytest.approx([deviation, deviation / 2])
    assert found.temporal == pytest.approx([0, 25])


def test_a_film_read_in_blocks_is_told_as_one_read_whole() -> None:
    film = np.concatenate([shot(1, 40), shot(2, 30)])
    whole, parts, before = information(film, None), Information([], []), None
    for at in range(0, len(film), 16):
        parts.extend(information(film[at : at + 16], before))
        before = film[min(at + 15, len(film) - 1)]
    assert parts == whole


def test_a_cut_is_no_motion_and_a_pan_is() -> None:
    wide = texture(7, THUMB_WIDTH * 4)
    pan = np.stack([wide[:, 3 * n : 3 * n + THUMB_WIDTH] for n in range(40)])
    told = information(np.concatenate([shot(3, 40), pan, shot(4, 1)]), None)
    still, moving, one = of_shots(told, [0, 40, 80], 81)
    assert still.temporal < 5 < 20 < moving.temporal
    assert one.temporal == 0
    assert moving.hardness > still.hardness


def test_a_chunk_is_as_hard_as_its_frames() -> None:
    easy, hard = Complexity(10.0, 1.0), Complexity(90.0, 30.0)
    chunks = [Chunk(0, 0, 100, [0]), Chunk(1, 100, 250, [0, 100]), Chunk(2, 250, 300, [0])]
    found = of_chunks([easy, hard], [0, 200], chunks)
    assert found[0] == pytest.approx(easy.hardness)
    assert found[1] == pytest.approx((100 * easy.hardness + 50 * hard.hardness) / 150)
    assert found[2] == pytest.approx(hard.hardness)


@pytest.mark.parametrize("wanted", [4, 8, 16])
def test_a_sample_strays_less_from_the_film_than_one_at_even_distances(wanted: int) -> None:
    """Over many films, where the log rate goes with the hardness as it does in real ones."""
    chance = np.random.default_rng(1)
    count = 80
    by_hardness: list[float] = []
    in_time: list[float] = []
    for _ in range(300):
        hardness = chance.normal(4, 1.2, count)
        rates = np.exp(hardness + chance.normal(0, 0.7, count))
        chunks = [Chunk(n, 100 * n, 100 * (n + 1), [0]) for n in range(count)]
        for order, found in ((hardness, by_hardness), (np.zeros(count), in_time)):
            taken = sampled(chunks, 100 * wanted, order.tolist())
            assert len(taken) == wanted
            assert all(a.index < b.index for a, b in pairwise(taken))
            mean = np.mean([rates[chunk.index] for chunk in taken])
            found.append(abs(math.log2(mean / rates.mean())))
    assert statistics.fmean(by_hardness) < 0.8 * statistics.fmean(in_time)
