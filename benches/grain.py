"""Film grain: the bits that synthesis saves, and the grain that a viewer then sees."""

import logging
from pathlib import Path

import imageio_ffmpeg
import msgspec
import structlog

from benches.children import run
from benches.encoding.bd import bd_rate
from benches.encoding.lab import Clip, Lab, measured
from benches.failure import BenchFailed
from benches.figures import Anchor, Figure, figure
from benches.stand import TRAILER, Stand
from cuemark.contexts.encoding.model.gate import Scores, joined
from cuemark.contexts.encoding.model.grain import synthesis
from cuemark.contexts.encoding.stages import graining, pictures, scoring
from cuemark.contexts.encoding.stages.pictures import RUNG
from cuemark.contexts.encoding.tools.encoders import FAMILIES
from cuemark.contexts.encoding.tools.ffmpeg import Recipe

ABOUT = """
Two short clips at 360 lines get noise of a known strength and are encoded in AV1 (`fast`) at four
crfs, once with the grain kept as any detail and once synthesized. *BD-rate* compares the two on
VMAF without grain: what players synthesize is left out of the picture, and what the film has is
taken away. *As shown* is VMAF against the master as it is, of the picture with the grain that a
viewer sees. Sigma is that of luma in codes of 8 bits, told by the detector of the product itself
from the master and from what a decoder gives. At one crf levels of 3 to 12 times sigma are
compared, and their VMAF without grain is that against the clip as it was before the noise. The
noise is drawn by FFmpeg, white and even: a camera's and a film's grain are neither.
"""

CLIPS = {"trailer": ("sintel_trailer_720p24.mp4", 25, 12), "street": ("city_cc0_405p25.mpg", 0, 8)}
"""File of shared/media, second that it begins at, and strength of FFmpeg's filter ``noise``."""
LINES = 360
SECONDS = 1
CRFS, QUICK_CRFS = (16.0, 24.0, 34.0, 46.0), (20.0, 34.0)
LEVELS_CRF, LEVELS, QUICK_LEVELS = 34.0, (3, 6, 9, 12), (6,)
"""Levels that are compared, in multiples of sigma."""
PRESET = FAMILIES["av1"].presets["fast"]
EVERY = 5
_LIMIT_S = 120.0


class Encode(msgspec.Struct, frozen=True):
    """``rate_kbps`` of the samples alone, and VMAF: without grain on both sides, as shown, and
    without grain against the clip that the noise was added to."""

    key: str
    rate_kbps: float
    vmaf: float
    vmaf_shown: float
    vmaf_before: float


class Pair(msgspec.Struct, frozen=True):
    """A clip with noise, and before it."""

    noisy: Clip
    before: Clip


def measure(stand: Stand) -> list[Figure]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    lab = Lab(stand.scratch("grain"))
    rows: list[Figure] = []
    savings = []
    for name in CLIPS:
        clips = _clips(stand, lab, name)
        found = graining.grain_of(lab.shop, clips.noisy.sha256)
        made = synthesis(found, LINES)
        if made is None:
            raise BenchFailed(f"no grain was found in {name}, which has noise")
        kept, synthesized = (
            [
                _encode(stand, lab, clips, crf, level)
                for crf in (QUICK_CRFS if stand.quick else CRFS)
            ]
            for level in (0, made.level(LINES))
        )
        saved = bd_rate(_curve(kept), _curve(synthesized))
        if saved is not None:
            savings.append(saved)
            rows.append(figure(f"grain: {name}: BD-rate of synthesis, without grain", saved, "%"))
        rows.append(figure(f"grain: {name}: sigma of the master", found.sigma, "codes"))
        for crf, of_kept, of_made in zip(
            QUICK_CRFS if stand.quick else CRFS, kept, synthesized, strict=True
        ):
            rows += _compared(lab, f"grain: {name}, crf {crf:g}", of_kept, of_made, found.sigma)
        rows += _levels(stand, lab, clips, name, found.sigma)
    if savings:
        rows.insert(0, figure("grain: BD-rate of synthesis, without grain", savings, "%"))
    return rows


def _levels(stand: Stand, lab: Lab, clips: Pair, name: str, sigma: float) -> list[Figure]:
    """What a level takes of detail and of bits, and gives back of grain."""
    kept = _encode(stand, lab, clips, LEVELS_CRF, 0)
    rows = []
    for times in QUICK_LEVELS if stand.quick else LEVELS:
        made = _encode(stand, lab, clips, LEVELS_CRF, round(times * sigma))
        what = f"grain: {name}, crf {LEVELS_CRF:g}, level of {times} sigma"
        rows += [
            figure(f"{what}: rate", made.rate_kbps, "kbit/s", Anchor("kept", kept.rate_kbps)),
            figure(
                f"{what}: VMAF against the clip before noise",
                *(made.vmaf_before, "VMAF", Anchor("kept", kept.vmaf_before)),
            ),
            figure(f"{what}: sigma as shown", _sigma(lab, made), "codes", Anchor("master", sigma)),
        ]
    return rows


def _clips(stand: Stand, lab: Lab, name: str) -> Pair:
    file, at_s, noise = CLIPS[name]
    before, noisy = (
        lab.clip(
            f"{name}, noise {strength}",
            _cut(TRAILER.parent / file, at_s, SECONDS, strength, stand.scratch(name)),
        )
        for strength in (0, noise)
    )
    for clip in (before, noisy):
        graining.find_grain(lab.shop, clip.sha256)
    return Pair(noisy, before)


def _encode(stand: Stand, lab: Lab, clips: Pair, crf: float, level: int) -> Encode:
    clip, shop = clips.noisy, lab.shop
    stand.tell(f"{clip.name}: crf {crf:g}, level {level}")
    picture = clip.film.master.picture
    recipe = Recipe(picture.width, picture.height, crf, PRESET, codec="av1", grain=level)
    keys = [pictures.encode_chunk(shop, clip.sha256, chunk, recipe) for chunk in clip.chunks]
    key = pictures.join_rung(shop, clip.sha256, keys, "av1")
    bare = _scores(lab, clip, key, without_grain=True)
    shown = _scores(lab, clip, key, without_grain=False)
    found = measured(clip, [shop.path(key, RUNG)], bare, picture.height)
    before = _scores(lab, clips.before, key, without_grain=True)
    return Encode(key, found.rate_kbps, bare.mean, shown.mean, before.mean)


def _scores(lab: Lab, clip: Clip, key: str, *, without_grain: bool) -> Scores:
    return joined(
        [
            scoring.scores_of(
                lab.shop,
                scoring.score_rung(
                    *(lab.shop, clip.sha256, key, (chunk.start, chunk.end), EVERY),
                    without_grain=without_grain,
                ),
            )
            for chunk in clip.chunks
        ]
    )


def _compared(lab: Lab, what: str, kept: Encode, made: Encode, sigma: float) -> list[Figure]:
    """The figures of one crf, with those of the encode that kept its grain as anchors."""
    return [
        figure(f"{what}: rate", made.rate_kbps, "kbit/s", Anchor("grain kept", kept.rate_kbps)),
        figure(f"{what}: VMAF without grain", made.vmaf, "VMAF", Anchor("grain kept", kept.vmaf)),
        figure(
            f"{what}: VMAF as shown", made.vmaf_shown, "VMAF", Anchor("grain kept", kept.vmaf_shown)
        ),
        figure(f"{what}: sigma as shown", _sigma(lab, made), "codes", Anchor("master", sigma)),
        figure(
            f"{what}: sigma as shown, grain kept",
            _sigma(lab, kept),
            "codes",
            Anchor("master", sigma),
        ),
    ]


def _sigma(lab: Lab, encode: Encode) -> float:
    """The grain of what a decoder gives, as of a film."""
    shown = lab.clip("shown", lab.shop.path(encode.key, RUNG))
    graining.find_grain(lab.shop, shown.sha256)
    return graining.grain_of(lab.shop, shown.sha256).sigma


def _curve(encodes: list[Encode]) -> list[tuple[float, float]]:
    return [(each.rate_kbps, each.vmaf) for each in encodes]


def _cut(source: Path, at_s: int, seconds: int, noise: int, folder: Path) -> Path:
    """A part of a clip at few lines, with noise or without, stored with next to no loss."""
    target = folder / f"noise-{noise}.mkv"
    argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y", "-ss", str(at_s)]
    drawn = f"scale=-2:{LINES},setsar=1" + f",noise=alls={noise}:allf=t+u:all_seed=1" * bool(noise)
    argv += ["-i", str(source), "-t", str(seconds), "-vf", f"{drawn},format=yuv420p", "-an"]
    run([*argv, "-c:v", "libx264", "-preset", "fast", "-crf", "6", str(target)], limit_s=_LIMIT_S)
    return target
