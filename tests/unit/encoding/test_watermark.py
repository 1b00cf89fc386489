"""The mark in the picture: what is added, and what a copy shows of it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuemark.contexts.encoding.model import watermark
from cuemark.contexts.encoding.model.color import PLAIN, Look
from cuemark.contexts.encoding.model.watermark import LOOK_HEIGHT, LOOK_WIDTH, VARIANTS

KEY = b"k" * 32
FRAMES = 24


@settings(max_examples=20)
@given(st.binary(min_size=16, max_size=32))
def test_the_pattern_has_as_many_cells_of_each_kind(key: bytes) -> None:
    cells = watermark.cells(key)
    assert cells.shape == (9, 16)
    assert set(np.unique(cells)) == {-1, 1}
    assert cells.sum() == 0


def test_keys_have_patterns_of_their_own() -> None:
    one, other = watermark.cells(KEY), watermark.cells(b"l" * 32)
    assert abs((one * other).mean()) < 0.3


@pytest.mark.parametrize(
    ("look", "step"),
    [
        (PLAIN, 1),
        (Look(bit_depth=10), 4),
        (Look(dynamic_range="hlg", bit_depth=10), 4),
        (Look(dynamic_range="pq", bit_depth=10), 3),
    ],
)
def test_a_plane_raises_and_lowers_the_luma_and_leaves_the_colors(look: Look, step: int) -> None:
    width, height = 64, 36
    kind = np.uint8 if look.bit_depth == 8 else np.dtype("<u2")
    planes = [
        np.frombuffer(watermark.plane(KEY, width, height, variant, look), kind)
        for variant in VARIANTS
    ]
    middle = 1 << (look.bit_depth - 1)
    up, down = (plane[: width * height].astype(int) - middle for plane in planes)
    assert (up == -down).all()
    assert set(np.unique(up)) == {-step, step}
    assert all((plane[width * height :] == middle).all() for plane in planes)
    assert all(len(plane) == width * height * 3 // 2 for plane in planes)


def _film(seed: int) -> np.ndarray:
    """Luma with structure at all scales, which drifts."""
    noise = np.random.default_rng(seed).standard_normal((FRAMES, LOOK_HEIGHT, LOOK_WIDTH))
    return 128 + 40 * np.cumsum(np.cumsum(noise, axis=1), axis=2) / LOOK_WIDTH


def test_what_tells_keys_apart_does_not_tell_the_key() -> None:
    names = {watermark.key_id(key) for key in (KEY, b"l" * 32)}
    assert len(names) == 2
    assert not any(KEY.hex() in name for name in names)


@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 1000),
    sign=st.sampled_from([1, -1]),
    gain=st.floats(0.8, 1.2),
    brighter=st.floats(-20, 20),
)
def test_a_copy_shows_its_variant_through_noise_gain_and_brightness(
    seed: int, sign: int, gain: float, brighter: float
) -> None:
    master = _film(seed)
    noise = np.random.default_rng(seed + 1).normal(0, 3, master.shape)
    marked = master + sign * watermark.pattern(KEY, LOOK_WIDTH, LOOK_HEIGHT)
    told = watermark.evidence(gain * marked + brighter + noise, master, KEY)
    assert told.shape == (FRAMES,)
    assert (np.sign(told) == sign).all()


def test_no_mark_and_another_key_tell_nothing() -> None:
    master = _film(3)
    noise = np.random.default_rng(4).normal(0, 3, master.shape)
    marked = master + watermark.pattern(KEY, LOOK_WIDTH, LOOK_HEIGHT)
    assert abs(watermark.evidence(master + noise, master, KEY).mean()) < 0.05
    assert abs(watermark.evidence(marked + noise, master, b"l" * 32).mean()) < 0.3


def test_what_is_laid_over_the_picture_does_not_hide_the_mark() -> None:
    master = _film(5)
    copy = master + watermark.pattern(KEY, LOOK_WIDTH, LOOK_HEIGHT)
    copy[:, 5:20, 100:150] = 235
    assert (watermark.evidence(copy, master, KEY) > 0).all()
