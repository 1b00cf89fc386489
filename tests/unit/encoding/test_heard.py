"""What validation hears of a sound track against its master, and of the master itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.validation import sound
from cuemark.contexts.encoding.model.validation.sound import FLOOR_DB, HOP_S


def levels(seed: int, seconds: float = 14) -> sound.Levels:
    generator = np.random.default_rng(seed)
    steps = generator.choice([FLOOR_DB, -40.0, -25.0, -12.0], round(seconds / 0.06))
    return np.repeat(steps, round(0.06 / HOP_S)).astype(np.float32)


@given(st.integers(0, 1000), st.integers(-60, 60), st.floats(-12, 12))
def test_an_offset_is_found_whatever_the_gain(seed: int, hops: int, gain: float) -> None:
    master = levels(seed)
    late = np.roll(master, hops) + np.float32(gain)
    found = sound.offset_s(late.astype(np.float32), master)
    assert found == pytest.approx(hops * HOP_S, abs=HOP_S)


@given(st.integers(0, 1000), st.floats(20, 30), st.integers(-60, 60))
def test_a_master_that_is_all_but_silent_is_heard_at_the_level_of_its_version(
    seed: int, gain: float, hops: int
) -> None:
    generator = np.random.default_rng(seed)
    ours = generator.choice([-70.0, -45.0, -35.0], round(14 / 0.06))
    ours = np.repeat(ours, round(0.06 / HOP_S)).astype(np.float32)
    master = (ours - np.float32(gain)).astype(np.float32)
    assert sound.findings("a", ours, master) == []
    late = sound.findings("a", np.roll(ours, hops), master)
    wanted = ["av_offset"] if abs(hops) > sound.OFFSET_S / HOP_S else []
    assert [each.check for each in late if each.check == "av_offset"] == wanted
    steady = np.maximum(ours, -45)
    quiet = (steady - np.float32(gain)).astype(np.float32)
    assert sound.findings("a", steady, quiet) == []
    steady[1000:1200] = FLOOR_DB
    assert [each.check for each in sound.findings("a", steady, quiet)] == ["mute"]


@given(st.integers(0, 1000), st.floats(-35, -15))
def test_a_version_that_is_silent_throughout_is_not_taken_for_a_quiet_one(
    seed: int, loud: float
) -> None:
    master = np.random.default_rng(seed).normal(loud, 3, 3000).astype(np.float32)
    (only,) = sound.findings("a", np.full(3000, FLOOR_DB, np.float32), master)
    assert only.check == "mute"


@given(st.integers(0, 1000))
def test_nothing_is_missed_of_a_masters_silence_and_its_noise(seed: int) -> None:
    """A codec may make nothing of noise that nobody hears, and noise of nothing."""
    generator = np.random.default_rng(seed)
    quiet = generator.normal(-88, 2, 3000).astype(np.float32)
    nothing = np.full(3000, FLOOR_DB, np.float32)
    for ours, theirs in ((quiet, nothing), (nothing, quiet), (quiet, quiet)):
        assert sound.findings("a", ours, theirs) == []


def test_a_steady_tone_tells_no_offset() -> None:
    tone = np.full(3000, -20, np.float32)
    assert sound.offset_s(tone, tone) is None
    assert sound.findings("a", tone, tone) == []


@given(st.integers(0, 1000), st.floats(-4, 10))
def test_what_is_silent_only_in_the_version_is_found(seed: int, gain: float) -> None:
    master = np.maximum(levels(seed), -45)
    ours = (master + np.float32(gain)).astype(np.float32)
    assert sound.findings("a", ours, master) == []
    ours[1000:1100] = FLOOR_DB
    (only,) = sound.findings("a", ours, master)
    assert (only.check, only.severity) == ("mute", "error")
    assert "from 5.00 s to 5.50 s" in only.text


def test_a_masters_own_silence_is_only_warned_of() -> None:
    silent = np.full(3000, FLOOR_DB, np.float32)
    assert sound.findings("a", silent, silent) == []
    (only,) = sound.own_findings("English", silent)
    assert only.severity == "warning"
