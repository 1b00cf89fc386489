"""Grain is told from texture, from motion and from what an encoder left, and by how much."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.grain import (
    FROM_SIGMA,
    MOST_LEVEL,
    Grain,
    Synthesis,
    synthesis,
    told,
)
from cuemark.contexts.encoding.model.graininess import (
    EXCERPT_FRAMES,
    EXCERPTS,
    Luma,
    excerpts,
    of_film,
    sigma_of_excerpt,
)
from cuemark.contexts.encoding.model.master import Master, Picture
from cuemark.contexts.encoding.tools.encoders import encoder_flags
from cuemark.contexts.encoding.tools.ffmpeg import Recipe

HEIGHT, WIDTH = 144, 256
MASTER = Master(
    Picture(640, 360, 24, 1, scaled=False), "h264", "matroska", 0, [n / 24 for n in range(48)]
)


def gradient(frames: int = EXCERPT_FRAMES) -> Luma:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    return np.repeat((60 + 0.3 * rows + 0.2 * columns)[np.newaxis], frames, axis=0)


def drawing(seed: int) -> Luma:
    """Flat fields with hard edges, moved by a few samples with every frame."""
    rng = np.random.default_rng(seed)
    fields = rng.integers(40, 200, (HEIGHT // 36, WIDTH // 32)).astype(np.float32)
    picture = fields.repeat(36, axis=0).repeat(32, axis=1)
    return np.stack([np.roll(picture, 3 * frame, axis=1) for frame in range(EXCERPT_FRAMES)])


def texture(seed: int, speed: int, contrast: float = 25.0) -> Luma:
    """Rough at every place, and moved as a whole."""
    picture = np.random.default_rng(seed).normal(120, contrast, (HEIGHT, WIDTH)).astype(np.float32)
    return np.stack([np.roll(picture, speed * frame, axis=1) for frame in range(EXCERPT_FRAMES)])


def coded(frames: Luma) -> Luma:
    """As 10 bits have it, in codes of 8."""
    return np.asarray(np.round(np.clip(frames, 0, 255) * 4) / 4, np.float32)


def noise(frames: Luma, sigma: float, seed: int) -> Luma:
    drawn = np.random.default_rng(seed).normal(0, sigma, frames.shape).astype(np.float32)
    return coded(frames + drawn)


@pytest.mark.parametrize("clean", [gradient(), drawing(1), drawing(2), texture(3, 0)])
def test_what_has_no_grain_has_none(clean: Luma) -> None:
    found = sigma_of_excerpt(coded(clean))
    assert found is None or found < 0.3


@pytest.mark.parametrize("picture", [gradient(), drawing(1), drawing(2)])
@pytest.mark.parametrize("sigma", [1.0, 2.4, 5.0, 9.0])
def test_noise_is_found_as_strong_as_it_is(picture: Luma, sigma: float) -> None:
    found = sigma_of_excerpt(noise(picture, sigma, seed=7))
    assert found == pytest.approx(sigma, rel=0.12, abs=0.1)


@settings(max_examples=25, deadline=None)
@given(
    weaker=st.floats(0.0, 8.0),
    more=st.floats(0.5, 4.0),
    seed=st.integers(0, 10_000),
)
def test_more_noise_is_never_found_to_be_less(weaker: float, more: float, seed: int) -> None:
    picture = drawing(seed)
    found = [
        sigma_of_excerpt(noise(picture, sigma, seed)) or 0.0 for sigma in (weaker, weaker + more)
    ]
    assert found[0] < found[1]


def test_coarse_grain_is_found_too() -> None:
    fine = np.random.default_rng(5).normal(0, 6.0, (EXCERPT_FRAMES, HEIGHT + 2, WIDTH + 2))
    grain = sum(
        share * fine[:, 1 + down : HEIGHT + 1 + down, 1 + across : WIDTH + 1 + across]
        for share, down, across in (
            *((0.36, 0, 0), (0.16, 0, 1), (0.16, 1, 0), (0.16, 0, -1), (0.16, -1, 0)),
        )
    )
    found = sigma_of_excerpt(coded((gradient() + grain).astype(np.float32)))
    assert found == pytest.approx(float(np.std(grain)), rel=0.15)


def test_what_an_encoder_left_is_no_grain() -> None:
    """Errors of a coarse quantizer are large and smooth: they have no finest scale."""
    steps = np.random.default_rng(6).normal(0, 3.0, (EXCERPT_FRAMES, HEIGHT // 8, WIDTH // 8))
    size = 8
    ramp = 1 - np.abs(np.arange(-size + 1, size) / size)
    smooth = np.zeros((EXCERPT_FRAMES, HEIGHT, WIDTH))
    for frame in range(EXCERPT_FRAMES):
        spread = np.zeros((HEIGHT, WIDTH))
        spread[size // 2 :: size, size // 2 :: size] = steps[frame]
        for axis in (0, 1):
            spread = np.apply_along_axis(np.convolve, axis, spread, ramp, "same")
        smooth[frame] = spread
    assert np.std(smooth) > 1
    assert sigma_of_excerpt(coded((gradient() + smooth).astype(np.float32))) in (None, 0.0)


@pytest.mark.parametrize("speed", [1, 2, 5])
@pytest.mark.parametrize("contrast", [4.0, 25.0])
def test_texture_that_moves_does_not_tell(speed: int, contrast: float) -> None:
    assert sigma_of_excerpt(coded(texture(4, speed, contrast))) is None


def test_doubled_frames_do_not_hide_grain() -> None:
    grainy = noise(gradient(2), 3.0, seed=9)
    found = sigma_of_excerpt(grainy[[0, 0, 1, 1]])
    assert found == pytest.approx(3.0, rel=0.12)


def test_grain_on_a_picture_that_is_flat_nowhere_is_found() -> None:
    rough = texture(8, 0).repeat(3, axis=1).repeat(3, axis=2)
    found = sigma_of_excerpt(noise(rough, 3.0, seed=2))
    assert found == pytest.approx(3.0, rel=0.12)


def test_black_and_white_do_not_tell() -> None:
    for level in (16, 235):
        flat = np.full((EXCERPT_FRAMES, HEIGHT, WIDTH), level, np.float32)
        assert sigma_of_excerpt(noise(flat, 3.0, seed=1)) is None


def test_a_film_has_the_grain_of_most_of_it() -> None:
    assert of_film([3.0, 3.2, 0.0, 3.1]) == Grain(3.05, 4)
    assert of_film([0.0, 0.0, 0.0, 3.1]).sigma == 0
    assert of_film([None, None, 3.1]) == Grain(0.0, 1)
    assert of_film([]) == Grain(0.0, 0)


@given(
    lengths=st.lists(st.integers(1, 300), min_size=1, max_size=40),
)
def test_excerpts_are_few_and_each_in_one_shot(lengths: list[int]) -> None:
    starts = [sum(lengths[:number]) for number in range(len(lengths))]
    frames = sum(lengths)
    found = excerpts(starts, frames)
    assert len(found) <= EXCERPTS
    assert found == sorted(set(found))
    assert bool(found) == (max(lengths) >= EXCERPT_FRAMES)
    bounds = [*starts, frames]
    for first in found:
        (shot,) = [n for n in range(len(lengths)) if bounds[n] <= first < bounds[n + 1]]
        assert first + EXCERPT_FRAMES <= bounds[shot + 1]


def test_a_recipe_without_grain_is_written_and_encoded_as_it_was_before_there_was_any() -> None:
    plain = Recipe(640, 360, 30.0, "8", codec="av1")
    assert msgspec.json.decode(msgspec.json.encode(plain)) == {
        "width": 640,
        "height": 360,
        "crf": 30.0,
        "preset": "8",
        "codec": "av1",
    }
    grainy = msgspec.structs.replace(plain, grain=14)
    assert msgspec.json.encode(grainy) != msgspec.json.encode(plain)
    before, after = (
        encoder_flags("av1", 30.0, "8", MASTER, [0], each.look, each.grain)
        for each in (plain, grainy)
    )
    changed = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
    assert changed == [("lp=1:crf=30", "lp=1:crf=30:film-grain=14:film-grain-denoise=1")]


@given(sigma=st.floats(0, 60), lines=st.integers(100, 2160))
def test_less_grain_and_fewer_lines_are_a_lower_level(sigma: float, lines: int) -> None:
    made = synthesis(Grain(sigma, 6), lines)
    if made is None:
        assert sigma < FROM_SIGMA
        return
    levels = [made.level(lines // part) for part in (4, 2, 1)]
    assert levels == sorted(levels)
    assert 1 <= levels[-1] <= MOST_LEVEL
    assert made.level(2 * lines) == levels[-1], "a rung is never larger than its master"


def test_the_sentence_says_what_was_found_and_done() -> None:
    assert told(2.4, [(720, 12), (720, 12), (540, 9), (360, 0)]) == (
        "grain: sigma 2.4, synthesized at level 12 at 720 lines, 9 at 540 lines; "
        "too little is left at 360 lines"
    )
    assert Synthesis(1.6, 1080).level(540) == 0
    assert "too little" in told(1.6, [(540, 0)])
