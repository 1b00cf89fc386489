"""The stage that keeps what a version measured: its scores whole, pictures of its worst frames.

With them it keeps which frames could stand for the title.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import structlog

from cuemark.contexts.encoding.model.effort import VMAF_EVERY
from cuemark.contexts.encoding.model.gate import Scores, joined
from cuemark.contexts.encoding.model.grain import Synthesis
from cuemark.contexts.encoding.model.report import (
    CodecMeasures,
    Measures,
    Synthesized,
    worst_frame,
)
from cuemark.contexts.encoding.model.shot_crfs import ShotPlan
from cuemark.contexts.encoding.stages import artworks, inspections, pictures, scoring
from cuemark.contexts.encoding.stages.pictures import RUNG, film_of
from cuemark.contexts.encoding.stages.reports import (
    ARTWORKS,
    MEASURES,
    folder_key,
    picture_names,
)
from cuemark.contexts.encoding.stages.workshop import Workshop, save
from cuemark.contexts.encoding.tools import ffmpeg
from cuemark.contexts.encoding.tools.run import ToolFailed, run
from cuemark.contracts.encoding.versions import DynamicRange, Version


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """Where the measurements of a version's rungs lie. ``stretches`` are the frames scored, every
    ``vmaf_every``-th of them. ``shot_plans`` and ``made_for``, the names under which the ledger has
    what was done for a rung, stand in the order of the rungs. ``left_out`` says what was not made
    that should have been, sentences without their full stops. ``grain`` is what is synthesized in
    some of the rungs, and ``levels``, in their order, says at which level: 0 for not at all, None
    for a rung that is compared with the film as it is. ``for_slow_lines`` counts the rungs
    that were not planned."""

    stretches: list[tuple[int, int]]
    shots: list[int] = []
    codecs: list[CodecMeasures] = []
    shot_plans: list[ShotPlan] = []
    made_for: list[str] = []
    left_out: list[str] = []
    vmaf_every: int = VMAF_EVERY
    grain: Synthesis | None = None
    levels: list[int | None] = []
    for_slow_lines: int = 0


def keep_measures(
    shop: Workshop,
    sha256: str,
    version: Version,
    rungs: Sequence[str],
    measured: Measured,
    caption_notes: Sequence[str] = (),
) -> None:
    """Keep the measures of a version whose renditions were made of ``rungs`` (their keys)."""
    key = folder_key(version.version_id)
    if shop.has(key):
        return
    names = [rendition.rendition_id for rendition in version.renditions]
    ranges = [rendition.dynamic_range for rendition in version.renditions]
    levels = measured.levels or [None] * len(rungs)
    scores = {
        name: _scores(shop, sha256, rung, measured, without_grain=level is not None)
        for name, rung, level in zip(names, rungs, levels, strict=True)
    }
    synthesized = {
        name: Synthesized(
            level=level, vmaf_mean=_scores(shop, sha256, rung, measured, without_grain=False).mean
        )
        for name, rung, level in zip(names, rungs, levels, strict=True)
        if level is not None
    }
    measures = Measures(
        codecs=measured.codecs,
        shots=measured.shots,
        complexity=pictures.shots_of(shop, sha256).complexity if measured.shots else [],
        scores=scores,
        shot_plans=dict(zip(names, measured.shot_plans, strict=False)),
        captions=list(caption_notes),
        master=inspections.inspection_of(shop, sha256),
        grain=measured.grain,
        for_slow_lines=measured.for_slow_lines,
        synthesized=synthesized,
    )
    with shop.making(key) as folder:
        save(folder, MEASURES, measures)
        save(folder, ARTWORKS, artworks.store(shop, sha256))
        if version.quality == "full":
            for name, rung, range_ in zip(names, rungs, ranges, strict=True):
                _keep_pictures(shop, sha256, folder, name, rung, range_, scores[name])


def _scores(
    shop: Workshop, sha256: str, rung: str, measured: Measured, *, without_grain: bool
) -> Scores:
    every = measured.vmaf_every
    keys = [
        scoring.rung_scores_key(shop, sha256, rung, stretch, every, without_grain=without_grain)
        for stretch in measured.stretches
    ]
    return joined([scoring.scores_of(shop, key) for key in keys])


def _keep_pictures(
    shop: Workshop,
    sha256: str,
    folder: Path,
    name: str,
    rung: str,
    range_: DynamicRange,
    scores: Scores,
) -> None:
    """The worst frame twice. A film whose frame cannot be drawn is published all the same."""
    film, frame = film_of(shop, sha256), worst_frame(scores)
    joined_rung = shop.path(rung, RUNG)
    encoded, master = (folder / file for file in picture_names(name))
    program = shop.programs.ffmpeg
    try:
        for argv in (
            ffmpeg.rung_frame_argv(program, joined_rung, film, frame, encoded, range_),
            ffmpeg.master_frame_argv(program, film, frame, master),
        ):
            limits = pictures.decoding(film, frame)
            run(argv, limits, reads=[joined_rung, *film.reads], folder=folder)
    except ToolFailed as error:
        structlog.get_logger().warning("worst_frame_not_drawn", frame=frame, reason=str(error))
