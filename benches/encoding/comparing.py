"""One clip, encoded in each of the ways that are compared."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import structlog
from rich.console import Console

from benches.encoding.lab import Clip, Lab
from benches.encoding.methods import Ladder, chunk_by_chunk, fixed, grid, ours
from benches.encoding.results import Result
from cuemark.contexts.encoding.tools.run import ToolFailed
from cuemark.contexts.encoding.workflow.marking import QualityRefused
from cuemark.contracts.encoding.versions import Codec


def said_on() -> Console:
    """Where a bench says how far it is."""
    return Console(stderr=True, width=160)


def measured_in(cache: Path, name: str, file: Path, parts: Sequence[str]) -> Result | None:
    """What a clip gave, in a process and a cache of its own; none where it cannot be encoded."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    lab, screen = Lab(cache), said_on()
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
    anchor = fixed(lab, clip)
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
