"""The ways to encode a film that are compared, each as its published renditions."""

import math
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benches.encoding.lab import Clip, Lab, Measure
from cuemark.contexts.encoding.model import ladder as ladder_rules
from cuemark.contexts.encoding.model.chunks import Chunk
from cuemark.contexts.encoding.model.curves import BETWEEN, CEILING
from cuemark.contexts.encoding.model.families import made_in
from cuemark.contexts.encoding.model.probes import Point, Probed, even, width_at
from cuemark.contexts.encoding.stages import pictures
from cuemark.contexts.encoding.stages.pictures import RUNG
from cuemark.contexts.encoding.tools import ffmpeg
from cuemark.contexts.encoding.tools.canonical import canonical
from cuemark.contexts.encoding.tools.encoders import FAMILIES
from cuemark.contexts.encoding.tools.ffmpeg import Recipe
from cuemark.contexts.encoding.tools.run import run
from cuemark.contexts.encoding.workflow.renditions import FullRenditions, Method
from cuemark.contracts.encoding.jobs import Effort
from cuemark.contracts.encoding.versions import Codec

FIXED = (
    (235, 240),
    (375, 288),
    (560, 384),
    (750, 384),
    (1050, 480),
    (1750, 480),
    (2350, 720),
    (3000, 720),
    (4300, 1080),
    (5800, 1080),
)
"""Bitrate in kbit/s and lines (Aaron and others, "Per-Title Encode Optimization", 2015)."""
GRID_CRFS = tuple(17.0 + 3 * n for n in range(10))
GRID_SIZES = (1.0, 2 / 3, 1 / 2, 1 / 3, *BETWEEN)
"""Shares of the master's lines: those that a ladder may choose. With fewer of them the grid would
have less to find than the search."""
SEARCHES, NEAR_VMAF = 4, 0.5
LEAST_CRF, MOST_CRF = 10.0, 50.0
PRESET = FAMILIES["h264"].presets["balanced"]


class Ladder(msgspec.Struct, frozen=True):
    """What a method published, and its CPU: for all of it, and for finding out what to make."""

    rungs: list[Measure]
    cpu_s: float
    search_cpu_s: float


def ours(
    lab: Lab, clip: Clip, method: Method, effort: Effort = "balanced", codec: Codec = "h264"
) -> Ladder:
    """Cuemark's own walk over the clip: probes, ladder, encodes, gate.

    The rungs are those in ``codec``; the CPU is of all that was made, the reference's too.
    """
    quick = lab.quick(clip)
    lab.begin()
    job, steps = lab.steps(clip, effort, made_in([codec]))
    walk = FullRenditions(lab.shop, job, steps, clip.film, clip.chunks, clip.starts, quick)
    made, _ = walk.rungs(method)
    cpu_s, search_cpu_s = lab.cpu_s(), lab.cpu_s("probes")
    # Scored anew where the walk has not scored as often: that is the bench's own cost.
    rungs = [
        lab.rung(clip, rung.key, rung.height, rung.vmaf_predicted)
        for rung in made
        if rung.codec == codec
    ]
    return Ladder(rungs, cpu_s, search_cpu_s)


def fixed(lab: Lab, clip: Clip) -> Ladder:
    """Two passes at the bitrates of a table, over the whole clip.

    All of them, where our ladder has fewer: between its rungs nothing is to be guessed.
    """
    lab.begin()
    keys = [_two_passes(lab, clip, kbps, min(lines, _lines(clip))) for kbps, lines in FIXED]
    rows = [
        lab.rung(clip, key, min(lines, _lines(clip)), None)
        for key, (_, lines) in zip(keys, FIXED, strict=True)
    ]
    return Ladder(rows, lab.cpu_s(), 0.0)


def _lines(clip: Clip) -> int:
    return even(clip.film.master.picture.height)


def _width(clip: Clip, lines: int) -> int:
    picture = clip.film.master.picture
    return width_at(lines, picture.width, picture.height)


def _two_passes(lab: Lab, clip: Clip, kbps: int, lines: int) -> str:
    key = lab.shop.key("fixed ladder", clip.sha256, kbps, lines)
    if lab.shop.has(key):
        return key
    with lab.shop.making(key) as folder:
        for number in (1, 2):
            run(
                _pass_argv(lab, clip, kbps, lines, number, folder),
                pictures.encoding(clip.film, clip.film.master.frames),
                reads=clip.film.reads,
                folder=folder,
            )
    return key


def _pass_argv(lab: Lab, clip: Clip, kbps: int, lines: int, number: int, folder: Path) -> list[str]:
    picture = clip.film.master.picture
    size = f"scale={_width(clip, lines)}:{lines}:flags=bicubic,setsar=1"
    target = ["-f", "null", "-"] if number == 1 else [str(folder / RUNG)]
    return [
        *[str(lab.shop.programs.ffmpeg), "-nostdin", "-v", "error", "-y", "-threads", "1"],
        *[*ffmpeg.FILM, "-i", str(clip.film.path), "-map", f"0:{clip.film.master.video_stream}"],
        *["-vf", f"{canonical(clip.film, 0)},{size}", "-c:v", "libx264"],
        *["-preset", PRESET, "-b:v", f"{kbps}k", "-profile:v", "high", "-threads", "1"],
        *["-g", str(round(2 * picture.rate)), "-pass", str(number)],
        *["-passlogfile", str(folder / "passes"), "-frames:v", str(clip.film.master.frames)],
        *["-fps_mode", "cfr", "-r", f"{picture.rate_num}/{picture.rate_den}", *target],
    ]


def grid(lab: Lab, clip: Clip, crfs: Sequence[float] = GRID_CRFS) -> Ladder:
    """The hull of every resolution with every crf."""
    lab.begin()
    sizes = {even(min(_lines(clip), 1080) * each) for each in GRID_SIZES}
    found = [
        Probed(Point(lines, crf), each.rate_kbps, each.vmaf)
        for lines in sorted(sizes)
        for crf in crfs
        for each in [
            lab.constant(clip, Recipe(_width(clip, lines), lines, crf, PRESET), clip.chunks)
        ]
    ]
    hull = ladder_rules.upper_hull(found)
    rungs = [Measure(p.rate_kbps, p.vmaf, 0.0, height=p.point.height) for p in hull]
    return Ladder(rungs, lab.cpu_s(), lab.cpu_s())


def chunk_by_chunk(lab: Lab, clip: Clip, rungs: Sequence[Measure]) -> Ladder:
    """For each of ``rungs`` and each shot, search the crf that measures the rung's mean VMAF.

    Av1an's target quality (``--target-quality``, four probes, interpolated), with our encoder and
    resolutions; the last encode of a search that fits is the one that is kept.
    """
    lab.begin()
    made = []
    for rung in rungs:
        recipe = Recipe(_width(clip, rung.height), rung.height, 0.0, PRESET)
        row = [_searched(lab, clip, recipe, shot, rung.vmaf) for shot in clip.shots]
        made.append(lab.rows(clip, row, clip.shots))
    return Ladder(made, lab.cpu_s(), lab.cpu_s())


def _searched(lab: Lab, clip: Clip, recipe: Recipe, shot: Chunk, vmaf: float) -> Recipe:
    tried: list[tuple[float, float]] = []
    crf = 28.0
    for _ in range(SEARCHES):
        found = lab.constant(clip, msgspec.structs.replace(recipe, crf=crf), [shot])
        tried.append((crf, found.vmaf))
        if abs(found.vmaf - vmaf) <= NEAR_VMAF:
            break
        crf = _next(tried, vmaf)
        if any(crf == before for before, _ in tried):
            break
    best, _ = min(tried, key=lambda pair: abs(pair[1] - vmaf))
    return msgspec.structs.replace(recipe, crf=best)


def _next(tried: Sequence[tuple[float, float]], vmaf: float) -> float:
    """Where a line of log loss over crf through the two nearest tries meets the target."""
    near = sorted(tried, key=lambda pair: abs(pair[1] - vmaf))
    crf, at = near[0]
    slope = 0.09
    if len(near) > 1 and near[1][0] != crf:
        slope = max(0.01, (_loss(near[1][1]) - _loss(at)) / (near[1][0] - crf))
    step = (_loss(vmaf) - _loss(at)) / slope
    return round(min(MOST_CRF, max(LEAST_CRF, crf + max(-10.0, min(10.0, step)))) * 4) / 4


def _loss(vmaf: float) -> float:
    return math.log(CEILING - vmaf)
