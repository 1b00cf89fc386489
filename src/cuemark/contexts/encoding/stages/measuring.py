"""The stage that keeps what a version measured: its scores whole, pictures of its worst frames.

With them it keeps which frames could stand for the title.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import structlog

from cuemark.contexts.encoding.model.effort import VMAF_EVERY
from cuemark.contexts.encoding.model.gate import Scores, joined
from cuemark.contexts.encoding.model.report import CodecMeasures, Measures, worst_frame
from cuemark.contexts.encoding.model.shot_crfs import ShotPlan
from cuemark.contexts.encoding.stages import artworks, pictures, scoring
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
from cuemark.contracts.encoding import Version


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """Where the measurements of a version's rungs lie. ``stretches`` are the frames scored, every
    ``vmaf_every``-th of them. ``shot_plans`` and ``made_for``, the names under which the ledger has
    what was done for a rung, stand in the order of the rungs. ``left_out`` says what was not made
    that should have been, sentences without their full stops."""

    stretches: list[tuple[int, int]]
    shots: list[int] = []
    codecs: list[CodecMeasures] = []
    shot_plans: list[ShotPlan] = []
    made_for: list[str] = []
    left_out: list[str] = []
    vmaf_every: int = VMAF_EVERY


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
    scores = {
        name: joined(
            [
                scoring.scores_of(
                    shop,
                    scoring.rung_scores_key(shop, sha256, rung, stretch, measured.vmaf_every),
                )
                for stretch in measured.stretches
            ]
        )
        for name, rung in zip(names, rungs, strict=True)
    }
    measures = Measures(
        codecs=measured.codecs,
        shots=measured.shots,
        scores=scores,
        shot_plans=dict(zip(names, measured.shot_plans, strict=False)),
        captions=list(caption_notes),
    )
    with shop.making(key) as folder:
        save(folder, MEASURES, measures)
        save(folder, ARTWORKS, artworks.store(shop, sha256))
        if version.quality == "full":
            for name, rung in zip(names, rungs, strict=True):
                _keep_pictures(shop, sha256, folder, name, rung, scores[name])


def _keep_pictures(
    shop: Workshop, sha256: str, folder: Path, name: str, rung: str, scores: Scores
) -> None:
    """The worst frame twice. A film whose frame cannot be drawn is published all the same."""
    film, frame = film_of(shop, sha256), worst_frame(scores)
    joined_rung = shop.path(rung, RUNG)
    encoded, master = (folder / file for file in picture_names(name))
    program = shop.programs.ffmpeg
    try:
        for argv, source in (
            (ffmpeg.rung_frame_argv(program, joined_rung, film, frame, encoded), joined_rung),
            (ffmpeg.master_frame_argv(program, film, frame, master), film.path),
        ):
            run(argv, pictures.decoding(film, frame), reads=[source], folder=folder)
    except ToolFailed as error:
        structlog.get_logger().warning("worst_frame_not_drawn", frame=frame, reason=str(error))
