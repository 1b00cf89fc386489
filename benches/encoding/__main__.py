"""``python -m benches.encoding``: measure the ladders, print the figures, and keep them."""

import logging
import multiprocessing
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import get_args

import click
import msgspec
import structlog
from rich.console import Console

from benches.encoding.clips import prepared
from benches.encoding.lab import Clip, Lab
from benches.encoding.methods import Ladder, chunk_by_chunk, fixed, grid, ours
from benches.encoding.results import Result, figures
from benches.figures import load, merged, save
from benches.machine import this_machine
from benches.pages import ABOUTS, ORDER
from benches.report import page, table
from cuemark.contexts.encoding.tools.run import ToolFailed
from cuemark.contexts.encoding.workflow.marking import QualityRefused
from cuemark.contracts.encoding.versions import Codec

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
PARTS = ("av1", "hevc", "search", "chunks")
QUICK_PARTS = ("av1",)
QUICK = ("bikes", "reel")
BRUTE_PARTS = {"search", "chunks"}
BRUTE = ("bbb", "city", "bikes", "reel")
"""Where the anchors are measured that take dozens of encodes of a clip."""


@click.command()
@click.option("--quick", is_flag=True, help="Two short clips, the ladders of H.264 and AV1 only.")
@click.option("--clips", help="Names of clips, with commas between them.")
@click.option(
    "--parts",
    default=",".join(PARTS),
    help="What is measured beside the ladders of H.264: av1, hevc, search (against the hull of a "
    "grid), chunks (against a search for each chunk), with commas between them, or an empty text. "
    f"The last two take long: of all clips only {', '.join(BRUTE)} have them.",
)
@click.option("--everywhere", is_flag=True, help="All parts of all clips.")
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=os.cpu_count() or 1,
    show_default=True,
    help="How many clips are measured at once, each on one core.",
)
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    default=ROOT / ".bench" / "encoding",
    help="Where results are kept from one bench to the next.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=REFERENCE,
    help="Where benchmarks.md and benchmarks.json are kept.",
)
def main(
    quick: bool, clips: str | None, parts: str, everywhere: bool, jobs: int, cache: Path, out: Path
) -> None:
    """Measure what per-title and per-shot ladders are worth."""
    screen = _screen()
    wanted = [*QUICK] if quick else []
    if clips:
        wanted = clips.split(",")
    chosen = [*QUICK_PARTS] if quick else [part for part in parts.split(",") if part]
    if unknown := set(chosen) - set(PARTS):
        raise click.BadParameter(f"there is no part {unknown.pop()!r}: {', '.join(PARTS)}")
    running = []
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        for name, file in prepared(cache / "clips"):
            if wanted and name not in wanted:
                continue
            if isinstance(file, str):
                screen.print(f"{name}: {file}", markup=False, highlight=False)
                continue
            brute = everywhere or name in BRUTE
            here = [part for part in chosen if brute or part not in BRUTE_PARTS]
            running.append(pool.submit(_measured, cache / name, name, file, here))
        results = [found for each in running if (found := each.result()) is not None]
    if not results:
        raise click.ClickException("no clip could be measured")
    measured = f"{this_machine(ROOT)}{', quick' if quick else ''}"
    rows = [msgspec.structs.replace(each, measured=measured) for each in figures(results)]
    Console(width=None if sys.stdout.isatty() else 170).print(table(rows))
    path = out / "benchmarks.json"
    kept = merged(load(path), rows, {"encoding"}, ORDER)
    out.mkdir(parents=True, exist_ok=True)
    save(path, kept)
    (out / "benchmarks.md").write_text(page(kept, ABOUTS), "utf-8")
    screen.print(f"Kept in {path} and {out / 'benchmarks.md'}", highlight=False)


def _screen() -> Console:
    return Console(stderr=True, width=160)


def _measured(cache: Path, name: str, file: Path, parts: Sequence[str]) -> Result | None:
    """What a clip gave, in a process and a cache of its own; none where it cannot be encoded."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    lab, screen = Lab(cache), _screen()
    try:
        return _compared(lab, lab.clip(name, file), parts, screen)
    except (QualityRefused, ToolFailed) as error:
        screen.print(f"{name}: {error}", markup=False, highlight=False)
        return None


def _compared(lab: Lab, clip: Clip, parts: Sequence[str], screen: Console) -> Result:
    master = clip.film.master

    def say(what: str, found: Ladder) -> None:
        rungs = "; ".join(
            f"{r.height}p {r.rate_kbps:.0f} kbit/s {r.vmaf:.1f}/{r.p5:.1f}" for r in found.rungs
        )
        screen.print(f"{clip.name}: {what}: {rungs}", markup=False, highlight=False)

    screen.print(
        f"{clip.name}: {master.picture.height} lines, {master.frames} frames, "
        f"{len(clip.starts)} shots",
        highlight=False,
    )
    per_title = ours(lab, clip, "per title")
    say("per title", per_title)
    per_shot = ours(lab, clip, "per shot") if len(clip.starts) > 1 else per_title
    say("per shot", per_shot)
    anchor = fixed(lab, clip, len(per_title.rungs))
    say("fixed", anchor)
    others: dict[Codec, Ladder] = {}
    for codec in (each for each in get_args(Codec) if each in parts):
        others[codec] = ours(lab, clip, "per shot", codec=codec)
        say(codec, others[codec])
    hull = by_chunk = None
    if "chunks" in parts:
        by_chunk = chunk_by_chunk(lab, clip, per_shot.rungs)
        say("chunk by chunk", by_chunk)
    if "search" in parts:
        hull = grid(lab, clip)
        say("hull of the grid", hull)
    shots = len(clip.starts)
    return Result(clip.name, shots, anchor, per_title, per_shot, hull, by_chunk, others)


if __name__ == "__main__":
    main()
