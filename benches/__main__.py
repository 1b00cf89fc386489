"""``python -m benches [NAME...]``: run benches, print a table, and keep the figures."""

import logging
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import click
import msgspec
import structlog
from rich.console import Console

from benches.failure import BenchFailed
from benches.figures import Figure, load, merged, save
from benches.machine import this_machine
from benches.pages import ABOUTS, BENCHES, ORDER
from benches.report import page, table
from benches.stand import Stand, Tell
from cuemark.kit.errors import OperatorError
from cuemark.kit.process import run_and_leave

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "reference"
FAILURES = (BenchFailed, OperatorError, click.ClickException, AssertionError, TimeoutError)
ENDINGS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--edge", is_flag=True, help="Those of the data plane.")
@click.option("--control", is_flag=True, help="Those of the control plane.")
@click.option("--quick", is_flag=True, help="A clip and few repetitions: does it run?")
@click.option(
    "--film",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The film to ingest and play, instead of the Sintel trailer.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where benchmarks.md and benchmarks.json are kept: docs/reference, nowhere with --quick.",
)
def main(
    names: Sequence[str],
    edge: bool,
    control: bool,
    quick: bool,
    film: Path | None,
    out: Path | None,
) -> None:
    """Run all benches, or those that are named, and keep the figures of the others."""
    for name in names:
        if name not in BENCHES:
            raise click.BadParameter(f"there is no bench {name!r}: {', '.join(BENCHES)}")
    for ending in ENDINGS:
        signal.signal(ending, _interrupted)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    chosen = [
        name
        for name, bench in BENCHES.items()
        if name in names
        or (edge and bench.edge)
        or (control and bench.control)
        or not (names or edge or control)
    ]
    screen = Console(stderr=True)
    machine = this_machine(ROOT)
    measured = f"{machine}{', quick' if quick else ''}"
    if out is None and not quick:
        out = REFERENCE
    path = (out or REFERENCE) / "benchmarks.json"
    try:
        kept = load(path)
    except msgspec.MsgspecError as error:
        raise click.ClickException(f"{path} is not what this command wrote: {error}") from error
    screen.print(f"Measuring on {machine}", highlight=False)
    failures: list[str] = []
    with (
        tempfile.TemporaryDirectory(prefix="cuemark-bench-") as folder,
        screen.status("") as status,
        Stand(Path(folder), quick=quick, film=film, tell=lambda text: status.update(text)) as stand,
    ):
        for name in chosen:
            try:
                fresh = _run(name, stand, screen)
            except FAILURES as failure:
                failures.append(f"{name}: {failure or type(failure).__name__}")
                screen.print(failures[-1], markup=False, highlight=False)
                stand.close_install()
                continue
            rows = [msgspec.structs.replace(each, measured=measured) for each in fresh]
            kept = merged(kept, rows, {name}, ORDER)
            # Written after each, so that a bench that is broken off costs no figure.
            if out is not None:
                _keep(out, kept)
    if out is not None:
        screen.print(f"Kept in {path} and {out / 'benchmarks.md'}", highlight=False)
    Console(width=None if sys.stdout.isatty() else 170).print(
        table([each for each in kept if each.bench in chosen])
    )
    if failures:
        raise click.ClickException("; ".join(failures))


def _run(name: str, stand: Stand, screen: Console) -> list[Figure]:
    bench = BENCHES[name]
    if bench.alone:
        stand.close_install()
    begun_s = time.monotonic()
    tell, said = stand.tell, _Teller(stand.tell, name, screen)
    stand.tell = said
    try:
        figures = bench.module.measure(stand)
    finally:
        stand.tell = tell
    screen.print(f"{name}: {time.monotonic() - begun_s:.0f} s", highlight=False)
    return figures


class _Teller:
    """Says what a bench does: in the status line, or in lines where there is no terminal."""

    def __init__(self, tell: Tell, name: str, screen: Console) -> None:
        self._tell = tell
        self._name = name
        self._screen = screen
        self._last = ""

    def __call__(self, text: str) -> None:
        self._tell(f"{self._name}: {text}")
        first = text.partition(":")[0]
        if not self._screen.is_terminal and first != self._last:
            self._last = first
            self._screen.print(f"{self._name}: {first}", markup=False, highlight=False)


def _keep(out: Path, figures: Sequence[Figure]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    save(out / "benchmarks.json", figures)
    (out / "benchmarks.md").write_text(page(figures, ABOUTS), encoding="utf-8")


def _interrupted(_: int, __: FrameType | None) -> None:
    """End once, and in order: what was started is stopped on the way out."""
    for ending in ENDINGS:
        signal.signal(ending, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    run_and_leave(main)
