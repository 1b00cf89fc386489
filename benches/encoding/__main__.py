"""``python -m benches.encoding``: measure the ladders, print the figures, and keep them."""

import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import click
import msgspec
from rich.console import Console

from benches.encoding.clips import prepared
from benches.encoding.comparing import measured_in, said_on
from benches.encoding.results import figures
from benches.figures import load, merged, save
from benches.machine import this_machine
from benches.pages import ABOUTS, ORDER
from benches.report import page, table

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
PARTS = ("av1", "hevc", "search", "chunks")
QUICK_PARTS = ("av1",)
QUICK = ("bikes", "reel")
BRUTE_PARTS = {"search", "chunks"}
BRUTE = ("bbb", "city", "bikes")
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
@click.option("--seconds", type=click.IntRange(1), help="No more than so much of each clip.")
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
    quick: bool,
    clips: str | None,
    parts: str,
    seconds: int | None,
    everywhere: bool,
    jobs: int,
    cache: Path,
    out: Path,
) -> None:
    """Measure what per-title and per-shot ladders are worth."""
    screen = said_on()
    wanted = [*QUICK] if quick else []
    if clips:
        wanted = clips.split(",")
    chosen = [*QUICK_PARTS] if quick else [part for part in parts.split(",") if part]
    if unknown := set(chosen) - set(PARTS):
        raise click.BadParameter(f"there is no part {unknown.pop()!r}: {', '.join(PARTS)}")
    running = []
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        for name, file in prepared(cache / "clips", seconds):
            if wanted and name not in wanted:
                continue
            if isinstance(file, str):
                screen.print(f"{name}: {file}", markup=False, highlight=False)
                continue
            brute = everywhere or name in BRUTE
            here = [part for part in chosen if brute or part not in BRUTE_PARTS]
            running.append(pool.submit(measured_in, cache / name, name, file, here))
        results = [found for each in running if (found := each.result()) is not None]
    if not results:
        raise click.ClickException("no clip could be measured")
    measured = f"{this_machine(ROOT)}{', quick' if quick else ''}"
    if seconds is not None:
        measured += f", {seconds} s of each clip at most"
    rows = [msgspec.structs.replace(each, measured=measured) for each in figures(results)]
    Console(width=None if sys.stdout.isatty() else 170).print(table(rows))
    path = out / "benchmarks.json"
    kept = merged(load(path), rows, {"encoding"}, ORDER)
    out.mkdir(parents=True, exist_ok=True)
    save(path, kept)
    (out / "benchmarks.md").write_text(page(kept, ABOUTS), "utf-8")
    screen.print(f"Kept in {path} and {out / 'benchmarks.md'}", highlight=False)


if __name__ == "__main__":
    main()
