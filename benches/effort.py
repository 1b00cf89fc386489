"""The three efforts: what each costs, and in how many bits the same quality then lies."""

import logging
from pathlib import Path

import imageio_ffmpeg
import structlog

from benches.children import run
from benches.encoding.bd import bd_rate
from benches.encoding.lab import Clip, Lab, Measure
from benches.encoding.methods import Ladder, ours
from benches.figures import Anchor, Figure, figure
from benches.stand import TRAILER, Stand
from cuemark.contexts.encoding.model.effort import BUDGETS
from cuemark.contracts.encoding.jobs import Effort

ABOUT = """
The full version's ladder of two short clips (five seconds at 360 lines, the first an animation,
the second a street) is made under each effort: probes, a crf for each shot, encodes, gate. CPU is
that of all these, the thrown away ones among them; inspection, the quick version, sound, packaging
and validation come on top and are the same for all. *BD-rate* is against `balanced`, on the mean
VMAF of each fifth frame whatever the effort itself has scored. Both clips were lossy when they
came, and a clip this short is probed whole: a long film's probes cost less of the whole.
"""

CLIPS = {"animation": "bbb_720p25.mp4", "street": "city_cc0_405p25.mpg"}
SECONDS, QUICK_SECONDS = 5, 1
LINES = 360
_LIMIT_S = 120.0
OTHERS: tuple[Effort, ...] = ("fast", "best")


def measure(stand: Stand) -> list[Figure]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    lab = Lab(stand.scratch("effort"))
    rows: list[Figure] = []
    differences: dict[Effort, list[float]] = {effort: [] for effort in OTHERS}
    shares: dict[Effort, list[float]] = {effort: [] for effort in OTHERS}
    for name, file in CLIPS.items():
        seconds = QUICK_SECONDS if stand.quick else SECONDS
        clip = lab.clip(name, _cut(TRAILER.parent / file, stand.scratch(name), seconds))
        made: dict[Effort, Ladder] = {}
        for effort in BUDGETS:
            stand.tell(f"{name}: {effort}")
            made[effort] = ours(lab, clip, "per shot", effort)
        balanced = made["balanced"]
        anchor = Anchor("balanced", balanced.cpu_s)
        rows.append(_cpu(clip, "balanced", balanced))
        for effort in OTHERS:
            rows.append(_cpu(clip, effort, made[effort], anchor))
            shares[effort].append(100 * made[effort].cpu_s / balanced.cpu_s)
            found = bd_rate(_curve(balanced.rungs), _curve(made[effort].rungs))
            if found is not None:
                differences[effort].append(found)
                rows.append(figure(f"effort: {name}, {effort}: BD-rate", found, "%"))
    medians = []
    for effort in OTHERS:
        medians.append(figure(f"effort: {effort}, CPU against balanced", shares[effort], "%"))
        if differences[effort]:
            what = f"effort: {effort}, BD-rate against balanced"
            medians.append(figure(what, differences[effort], "%"))
    return [*medians, *rows]


def _cpu(clip: Clip, effort: Effort, made: Ladder, anchor: Anchor | None = None) -> Figure:
    what = f"effort: {clip.name}, {effort}: CPU of {len(made.rungs)} rungs and their probes"
    return figure(what, made.cpu_s, "s", anchor)


def _curve(rungs: list[Measure]) -> list[tuple[float, float]]:
    return [(each.rate_kbps, each.vmaf) for each in rungs]


def _cut(source: Path, folder: Path, seconds: int) -> Path:
    """The first seconds of a clip at few lines, with next to no loss of its own."""
    target = folder / "clip.mkv"
    argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y", "-i", str(source)]
    argv += ["-t", str(seconds), "-vf", f"scale=-2:{LINES},setsar=1,format=yuv420p", "-an"]
    run([*argv, "-c:v", "libx264", "-preset", "fast", "-crf", "6", str(target)], limit_s=_LIMIT_S)
    return target
