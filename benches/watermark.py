"""Marked pictures: what the mark costs, and what a copy still tells of it."""

import logging
import math
import resource
from pathlib import Path
from statistics import mean

import imageio_ffmpeg
import msgspec
import numpy as np
import structlog

from benches.children import run
from benches.figures import Anchor, Figure, figure
from benches.marking import COPY_S, Marked, copied, kept_copy, marked_of
from benches.marking import session_of as session_file
from benches.specimen import CRF, PRESET
from benches.stand import TRAILER, Stand
from cuemark.contexts.encoding.model.chunks import chunk_plan
from cuemark.contexts.encoding.model.gate import Scores
from cuemark.contexts.encoding.model.watermark import VARIANTS, Mark, key_id
from cuemark.contexts.encoding.stages import detecting, pictures, scoring
from cuemark.contexts.encoding.stages.detecting import NoCopy
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.tools.ffmpeg import Recipe
from cuemark.contexts.encoding.tools.programs import from_wheels
from cuemark.contexts.playback.model import fingerprint
from cuemark.kit.objects import Objects

ABOUT = """
A clip is encoded plain and in both variants at 432 lines, packaged, and decrypted as the session
that a row of coins sends through the variants. That is encoded again as somebody would who gives
it away, smaller and worse, from its third segment on, and looked into. *Evidence* is how far a
segment lies on its variant's side, in code values of luma (1 was added or taken away); a *wrong*
segment lies on the other. *Sessions told apart* says of a copy that is so long how many sessions
there may be for the right one to be named and the chance that any other fits as well to be under
one in a thousand, by the signs of its segments alone. The clip was lossy when it came.
"""
LINES, QUICK_LINES = 432, 216
SECONDS, QUICK_SECONDS = 52, 10
KEY, SECRET, WHO = bytes(range(16)), b"bench", "play_bench"
COPIES = {
    "same size, crf 23": ("null", 23),
    "two thirds of the lines, crf 30": ("scale=-2:trunc(ih/3)*2", 30),
    "half the lines, crf 35": ("scale=-2:trunc(ih/4)*2", 35),
    "half the lines, brighter, 25 frames a second, crf 30": (
        "eq=brightness=0.03:contrast=1.05,fps=25,scale=-2:trunc(ih/4)*2",
        30,
    ),
}
LASTING = (10, 20, 40)
SURE = 1e-3


def measure(stand: Stand) -> list[Figure]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    folder = stand.scratch("watermark")
    shop = Workshop(Objects(folder / "objects"), from_wheels())
    lines = QUICK_LINES if stand.quick else LINES
    seconds = QUICK_SECONDS if stand.quick else SECONDS
    stand.tell("encoding, plain and in both variants")
    made = marked_of(shop, _cut(TRAILER, folder, seconds, lines), [lines], KEY)
    rows = _costs(made)
    signs = fingerprint.signs(fingerprint.row(SECRET, WHO), 0, len(_durations(made)))
    turns = ["a" if sign > 0 else "b" for sign in signs]
    session = session_file(made.marked, turns, folder / "session.mp4")
    for name, (filters, crf) in COPIES.items():
        stand.tell(f"a copy: {name}")
        rows += _told(made, signs, name, _copy(made, session, filters, crf, folder))
    return rows


def _durations(made: Marked) -> list[float]:
    timeline = made.version.video_timeline
    return [ticks / timeline.timescale for ticks in timeline.durations]


def _costs(made: Marked) -> list[Figure]:
    """Bits, VMAF and CPU of a variant beside the same rung without a mark."""
    shop, sha256 = made.plain.shop, made.plain.order.sha256
    plain, marked = made.plain.order.rungs[0], made.marked.order.rungs[0]
    track = made.version.renditions[0].rendition_id
    sizes = {
        name: sum(path.stat().st_size for path in (folder / track).glob(f"{variant}[0-9]*.m4s"))
        for name, folder, variant in (
            ("plain", made.plain.folder, ""),
            ("a", made.marked.folder, "a"),
            ("b", made.marked.folder, "b"),
        )
    }
    rows = [
        figure(
            f"watermark: bytes of variant {variant}",
            sizes[variant] / 1e6,
            "MB",
            Anchor("plain", sizes["plain"] / 1e6),
        )
        for variant in "ab"
    ]
    frames = (0, pictures.film_of(shop, sha256).master.frames)

    def scores(key: str) -> Scores:
        return scoring.scores_of(shop, scoring.score_rung(shop, sha256, key, frames))

    before = scores(plain.key)
    for variant, key in zip("ab", marked.variants, strict=True):
        now = scores(key)
        rows += [
            figure(
                f"watermark: VMAF of variant {variant}",
                now.mean,
                "VMAF",
                Anchor("plain", before.mean),
            ),
            figure(
                f"watermark: banding (CAMBI) of variant {variant}",
                mean(now.cambi),
                "",
                Anchor("plain", mean(before.cambi)),
            ),
        ]
    return [*rows, *_cpu(made)]


def _cpu(made: Marked) -> list[Figure]:
    """What encoding takes, at a crf of which nothing is there yet."""
    shop, sha256, rung = made.plain.shop, made.plain.order.sha256, made.plain.order.rungs[0]
    film = pictures.film_of(shop, sha256).master
    chunks = chunk_plan(pictures.shots_of(shop, sha256).starts, film.frames, film.picture.rate)
    plain = Recipe(rung.width, rung.height, CRF + 0.25, PRESET)
    spent: dict[str, float] = {}
    marks: dict[str, Mark | None] = {"plain": None}
    marks.update({variant: Mark(variant, key_id(KEY)) for variant in VARIANTS})
    for name, mark in marks.items():
        recipe, began = msgspec.structs.replace(plain, mark=mark), _children_s()
        for chunk in chunks:
            pictures.encode_chunk(shop, sha256, chunk, recipe, KEY)
        spent[name] = _children_s() - began
    both = spent["a"] + spent["b"]
    return [figure("watermark: CPU of both variants", both, "s", Anchor("plain", spent["plain"]))]


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _copy(made: Marked, session: Path, filters: str, crf: float, folder: Path) -> str:
    first_s = sum(_durations(made)[:2]) + 0.2
    chain = f"trim=start={first_s},setpts=PTS-STARTPTS,{filters}"
    copy = copied(made.marked, session, chain, crf, folder / "copy.mp4")
    return kept_copy(made.marked.shop, copy)


def _told(made: Marked, signs: np.ndarray, name: str, copy: str) -> list[Figure]:
    """What a copy tells of each segment, and of how many sessions it names one."""
    shop, sha256 = made.marked.shop, made.marked.order.sha256
    try:
        found = detecting.detect(shop, copy, sha256, detecting.first_frames(made.version), KEY)
    except NoCopy:
        return [figure(f"watermark: {name}: segments that tell", 0, "")]
    values = np.array(found.values)
    right = values * signs[found.first_segment : found.first_segment + len(values)]
    seen = right[values != 0]
    rows = [
        figure(f"watermark: {name}: evidence of a segment", [float(each) for each in seen], ""),
        figure(f"watermark: {name}: wrong segments", 100 * float((seen < 0).mean()), "%"),
    ]
    mean_s = sum(_durations(made)) / len(_durations(made))
    for lasting in LASTING:
        count = round(lasting / mean_s)
        if count > len(seen):
            continue
        told = [
            sessions_told(int((part > 0).sum()), count)
            for start in range(len(seen) - count + 1)
            if len(part := seen[start : start + count])
        ]
        what = f"watermark: {name}: sessions told apart by {lasting} s"
        rows.append(figure(what, [float(each) for each in told], ""))
    return rows


def sessions_told(agreeing: int, segments: int) -> int:
    """Among how many sessions one that agrees with so many segments is named, the chance of another
    that does being under ``SURE``: each agrees with any segment by the throw of a coin."""
    as_well = sum(math.comb(segments, more) for more in range(agreeing, segments + 1))
    alone = as_well / 2**segments
    return int(math.log1p(-SURE) / math.log1p(-alone)) if alone < 1 else 0


def _cut(source: Path, folder: Path, seconds: int, lines: int) -> Path:
    """The first seconds of a clip, with next to no loss of its own."""
    target = folder / "clip.mkv"
    argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y", "-i", str(source)]
    argv += ["-t", str(seconds), "-vf", f"scale=-2:{lines},setsar=1,format=yuv420p", "-an"]
    run([*argv, "-c:v", "libx264", "-preset", "veryfast", "-crf", "6", str(target)], limit_s=COPY_S)
    return target
