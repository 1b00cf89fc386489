"""What validation sees of a rendition against its master, and of the master itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cuemark.contexts.encoding.model.validation import pictures
from cuemark.contexts.encoding.model.validation.findings import Finding
from cuemark.contexts.encoding.model.validation.flashes import Flashes
from cuemark.contexts.encoding.model.validation.pictures import HEIGHT, WIDTH, Trace

RATE = 25.0


def film(seed: int, frames: int = 100) -> NDArray[np.uint8]:
    """Tiny pictures of something that moves."""
    generator = np.random.default_rng(seed)
    wide = generator.integers(40, 220, (HEIGHT, WIDTH + frames)).astype(np.float32)
    smooth = (wide + np.roll(wide, 1, 1) + np.roll(wide, 2, 1) + np.roll(wide, 3, 1)) / 4
    return np.stack([smooth[:, n : n + WIDTH] for n in range(frames)]).astype(np.uint8)


def found_in(encoded: NDArray[np.uint8], master: NDArray[np.uint8]) -> list[Finding]:
    trace = Trace(pictures.compared(encoded, None, master, 0), len(encoded))
    return pictures.findings("v", trace, len(encoded), RATE)


@given(st.integers(0, 1000), st.integers(-3, 3))
def test_nothing_is_found_in_pictures_that_are_the_masters_but_for_noise(
    seed: int, noise: int
) -> None:
    master = film(seed)
    generator = np.random.default_rng(seed)
    grain = generator.integers(-abs(noise), abs(noise) + 1, master.shape)
    assert found_in(np.clip(master + grain, 0, 255).astype(np.uint8), master) == []


@given(st.integers(0, 1000), st.integers(1, 60))
def test_a_frame_that_is_missing_is_found(seed: int, at: int) -> None:
    master = film(seed)
    assert [each.check for each in found_in(np.delete(master, at, axis=0), master)] == ["frames"]


@given(st.integers(0, 1000), st.integers(0, 60), st.integers(4, 40))
def test_black_that_the_master_has_not_is_found_where_it_is(seed: int, at: int, lasts: int) -> None:
    master = film(seed)
    encoded = master.copy()
    encoded[at : at + lasts] = 16
    (only,) = found_in(encoded, master)
    assert only.check == "black"
    assert f"from {at / RATE:.2f} s to {(at + lasts) / RATE:.2f} s" in only.text


def walk(generator: np.random.Generator, noise: float, frames: int = 100) -> NDArray[np.float64]:
    """A scene of smooth light in which only a small thing moves, under noise that is its own in
    each frame."""
    scene = np.broadcast_to(np.linspace(60, 140, WIDTH), (HEIGHT, WIDTH))
    shown = np.stack([scene] * frames)
    row = int(generator.integers(0, HEIGHT - 4))
    for frame in range(frames):
        at = 4 + frame * (WIDTH - 12) // frames
        shown[frame, row : row + 4, at : at + 3] += 40
    return shown + generator.normal(0, noise, shown.shape)


@given(st.integers(0, 1000), st.floats(0, 1.5), st.integers(10, 40), st.integers(20, 50))
def test_a_freeze_is_found_where_but_a_small_thing_moves(
    seed: int, noise: float, at: int, lasts: int
) -> None:
    generator = np.random.default_rng(seed)
    master = walk(generator, noise).round().astype(np.uint8)
    encoded = walk(np.random.default_rng(seed), 0).round().astype(np.uint8)
    assert found_in(encoded, master) == []
    frozen = encoded.copy()
    frozen[at : at + lasts] = frozen[at - 1]
    assert [each.check for each in found_in(frozen, master)] == ["freeze"]


@given(st.integers(0, 1000), st.floats(0.5, 3), st.integers(1, 12))
def test_what_an_encoder_leaves_standing_is_no_freeze(seed: int, noise: float, step: int) -> None:
    """Noise that it drops, and light that changes by less than its step."""
    generator = np.random.default_rng(seed)
    scene = generator.uniform(40, 200, (HEIGHT, WIDTH))
    drift = np.linspace(0, step * 4, 200)[:, np.newaxis, np.newaxis]
    shown = scene + drift
    master = (shown + generator.normal(0, noise, shown.shape)).round().astype(np.uint8)
    encoded = (np.floor(shown / step) * step).astype(np.uint8)
    assert found_in(encoded, master) == []


@given(st.integers(0, 1000), st.floats(0.2, 1.2))
def test_grain_that_an_encoder_holds_is_no_freeze(seed: int, noise: float) -> None:
    """Of one scene, in a film that it otherwise makes without a flaw."""
    generator = np.random.default_rng(seed)
    scene = generator.uniform(40, 200, (HEIGHT, WIDTH))
    grain = scene + generator.normal(0, noise, (60, HEIGHT, WIDTH))
    master = np.concatenate([film(seed, 90), grain.round().astype(np.uint8)])
    encoded = master.copy()
    encoded[90:] = master[90]
    assert found_in(encoded, master) == []


def test_a_poor_encode_that_lags_in_a_dark_fade_misses_no_frame() -> None:
    master = film(2, 200).astype(np.int16)
    coarsely = (master // 12 * 12).astype(np.uint8)
    fade = np.linspace(0, 1, 25)[:, np.newaxis, np.newaxis] * 0.4
    faded = (16 + fade * (master[:25] - 16)).astype(np.uint8)
    master[:25], coarsely[:25] = faded, np.roll(faded, 2, axis=0)
    coarsely[:2] = faded[0]
    assert found_in(coarsely, master.astype(np.uint8)) == []


def test_blocks_of_pictures_compare_as_the_whole_does() -> None:
    master = film(1)
    encoded = np.roll(master, 1, axis=0)
    whole = pictures.compared(encoded, None, master, 0)
    parts = [
        pictures.compared(encoded[at : at + 30], encoded[at - 1] if at else None, master, at)
        for at in range(0, 100, 30)
    ]
    assert np.array_equal(whole, np.concatenate(parts))


def test_a_masters_own_black_stillness_and_cadence_are_only_warned_of() -> None:
    steps = np.full(500, 2.0, np.float32)
    steps[100:300] = 0
    steps[400::5] = 0
    lumas, peaks = np.full(500, 90, np.float32), np.full(500, 200, np.float32)
    lumas[300:360], peaks[300:360] = 16, 17
    found = pictures.own_findings(steps, lumas, peaks, RATE)
    assert [(each.check, each.severity) for each in found] == [
        ("black", "warning"),
        ("freeze", "warning"),
        ("cadence", "warning"),
    ]


@pytest.mark.parametrize(("every", "flashes"), [(2, True), (3, True), (8, False), (100, False)])
def test_more_than_three_flashes_a_second_are_told(every: int, *, flashes: bool) -> None:
    counter = Flashes(RATE)
    for frame in range(100):
        value = 235 if frame // every % 2 else 16
        counter.add(np.full((1, HEIGHT, WIDTH), value, np.uint8))
    assert bool(counter.findings()) == flashes
