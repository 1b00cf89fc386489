"""Sound from arithmetic: stereo float arrays of shape (samples, 2) at 48 kHz."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from samples.film import SAMPLE_RATE_HZ, Sound

Mono = NDArray[np.float32]
Gain = Callable[[Mono], NDArray[np.floating]]
Random = np.random.Generator


def seconds(duration_s: float) -> Mono:
    """The time of each sample."""
    return (np.arange(round(duration_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ).astype(np.float32)


def silence(duration_s: float) -> Sound:
    """An empty track to mix into."""
    return np.zeros((round(duration_s * SAMPLE_RATE_HZ), 2), np.float32)


def pitch(note: int) -> float:
    """The frequency in Hz of a MIDI note; 69 is the A above middle C."""
    return 440.0 * float(2.0 ** ((note - 69) / 12))


def mix_in(track: Sound, voice: Mono, at_s: float, gain: float, pan: float = 0.0) -> None:
    """Add a voice to a track from ``at_s``; ``pan`` runs from -1 (left) to 1 (right)."""
    start = round(at_s * SAMPLE_RATE_HZ)
    part = voice[: max(0, len(track) - start)]
    if len(part):
        track[start : start + len(part), 0] += part * gain * np.sqrt((1 - pan) / 2)
        track[start : start + len(part), 1] += part * gain * np.sqrt((1 + pan) / 2)


def envelope(duration_s: float, attack_s: float, release_s: float) -> Mono:
    """Rises over ``attack_s``, holds, falls over ``release_s``."""
    t = seconds(duration_s)
    rise, fall = t / attack_s, (duration_s - t) / release_s
    held: Mono = np.clip(np.minimum(rise, fall), 0, 1).astype(np.float32)
    return held


def pad(note: int, duration_s: float, brightness: int = 4, attack_s: float = 0.8) -> Mono:
    """A soft held tone: detuned partials under a slow envelope."""
    t = seconds(duration_s)
    base = 2 * np.pi * pitch(note)
    tone = np.zeros_like(t)
    for partial in range(1, brightness + 1):
        for detune in (0.997, 1.003):
            tone += np.sin(base * partial * detune * t) / partial**1.6
    tone *= envelope(duration_s, attack_s, min(1.2, duration_s / 2)) / np.float32(3)
    return tone


def pluck(note: int, duration_s: float = 0.8, bright: float = 3.0) -> Mono:
    """A struck tone that dies away: a bell, a marimba, a toy piano by its brightness."""
    t = seconds(duration_s)
    base = 2 * np.pi * pitch(note)
    overtone = np.sin(base * bright * t) * np.exp(-14 * t) * 0.4
    tone = np.sin(base * t) * np.exp(-5 * t) + overtone
    struck: Mono = (tone * envelope(duration_s, 0.004, 0.1)).astype(np.float32)
    return struck


def thump(duration_s: float = 0.3, start_hz: float = 140.0) -> Mono:
    """A drum: a sine that falls in pitch."""
    t = seconds(duration_s)
    return (
        np.sin(2 * np.pi * (45 * t + (start_hz - 45) / 22 * (1 - np.exp(-22 * t)))) * np.exp(-9 * t)
    ).astype(np.float32)


def hiss(rng: Random, duration_s: float, low_hz: float, high_hz: float) -> Mono:
    """Noise between two frequencies, at a level of about 1."""
    count = round(duration_s * SAMPLE_RATE_HZ)
    spectrum = np.fft.rfft(rng.standard_normal(count))
    hz = np.fft.rfftfreq(count, 1 / SAMPLE_RATE_HZ)
    spectrum *= 1 / (1 + (low_hz / np.maximum(hz, 1)) ** 4) / (1 + (hz / high_hz) ** 4)
    noise = np.fft.irfft(spectrum, count)
    level: Mono = (noise / np.abs(noise).max()).astype(np.float32)
    return level


def fading(noise: Mono, shape: Gain) -> Mono:
    """A voice under a gain that is a function of time in seconds."""
    return (noise * shape(seconds(len(noise) / SAMPLE_RATE_HZ)[: len(noise)])).astype(np.float32)


def hall(rng: Random, track: Sound, tail_s: float, share: float) -> Sound:
    """The track in a room that rings for ``tail_s``."""
    t = seconds(tail_s)[:, None]
    response = rng.standard_normal((len(t), 2)) * np.exp(-6 * t / tail_s)
    response /= np.sqrt((response**2).sum(axis=0))
    length = 1 << (len(track) + len(t) - 1).bit_length()
    wet = np.fft.irfft(
        np.fft.rfft(track, length, axis=0) * np.fft.rfft(response, length, axis=0), length, axis=0
    )[: len(track)]
    return (track * (1 - share) + wet * share).astype(np.float32)


def mastered(track: Sound, peak: float, fade_s: float = 0.6) -> Sound:
    """The track at a peak level, soft at both ends; the peak is the film's loudness."""
    track = track / np.float32(max(1e-9, float(np.abs(track).max()))) * np.float32(peak)
    duration_s = len(track) / SAMPLE_RATE_HZ
    return (track * envelope(duration_s, 0.05, fade_s)[: len(track), None]).astype(np.float32)
