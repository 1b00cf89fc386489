"""The renditions of a full version: probes, ladder, encodes, gate."""

from collections.abc import Sequence

import structlog

from cuemark.contexts.encoding.model import ladder as ladder_rules
from cuemark.contexts.encoding.model.chunks import Chunk, sampled
from cuemark.contexts.encoding.model.gate import (
    WITHIN_VMAF,
    Scores,
    broken_shots,
    joined,
    meets_prediction,
)
from cuemark.contexts.encoding.model.ladder import Probed, Rung
from cuemark.contexts.encoding.stages import pictures
from cuemark.contexts.encoding.stages.measuring import Measured
from cuemark.contexts.encoding.stages.packaging import RungToPackage
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.store import JobRow
from cuemark.contexts.encoding.tools.ffmpeg import Film, Recipe
from cuemark.contexts.encoding.workflow.steps import Steps
from cuemark.contexts.encoding.workflow.tasks import Priority

FULL_PRESET = "medium"
PROBE_FRAMES = 1500
MAX_CORRECTIONS = 2

_Rungs = tuple[list[RungToPackage], Measured]


class QualityRefused(Exception):
    """A rung does not look as it must; the text says which, and how it measured."""


class FullRenditions:
    """The part of a title's walk that makes the full version's renditions."""

    def __init__(self, shop: Workshop, job: JobRow, steps: Steps) -> None:
        self._shop = shop
        self._job = job
        self._steps = steps

    def rungs(self, film: Film, chunks: Sequence[Chunk], starts: list[int]) -> _Rungs:
        """Probes, ladder, encodes, gate."""
        picture = film.master.picture
        probed_chunks = sampled(list(chunks), PROBE_FRAMES)
        points = ladder_rules.probe_points(picture.height)
        recipes = [
            Recipe(
                ladder_rules.width_at(point.height, picture.width, picture.height),
                point.height,
                point.crf,
                FULL_PRESET,
            )
            for point in points
        ]
        self._steps.plan("probes", len(recipes) * len(probed_chunks))
        keys = self._steps.all("probe", "probes", Priority.PROBE, recipes, probed_chunks)
        scores = [joined([pictures.scores_of(self._shop, key) for key in row]) for row in keys]
        probes = [
            Probed(point, self._steps.rate_kbps(recipe, probed_chunks, film), score.mean)
            for point, recipe, score in zip(points, recipes, scores, strict=True)
        ]
        self._steps.plan("ladder", 1)
        rungs = ladder_rules.ladder(probes, picture.width, picture.height)
        self._steps.done("ladder")
        kept = self._gated(rungs, _Probes(probes, scores, probed_chunks), film, chunks, starts)
        stretches = [(chunk.start, chunk.end) for chunk in chunks]
        return kept, Measured(stretches=stretches, shots=starts, probes=probes, planned=rungs)

    def _gated(
        self,
        rungs: list[Rung],
        probes: "_Probes",
        film: Film,
        chunks: Sequence[Chunk],
        starts: list[int],
    ) -> list[RungToPackage]:
        """Encode the rungs until each measures what was predicted; drop what never does.

        A rung that a probe dominates gives way to that probe. Raises ``QualityRefused`` where
        no rung is left, or where one does not show the film.
        """
        kept: dict[Recipe, RungToPackage] = {}
        open_rungs = [(rung, rung.crf) for rung in rungs]
        stretches = [(chunk.start, chunk.end) for chunk in chunks]
        encodes = verifies = 0
        for _ in range(1 + MAX_CORRECTIONS):
            recipes = [
                Recipe(rung.width, rung.height, crf, FULL_PRESET) for rung, crf in open_rungs
            ]
            encodes += len(recipes) * len(chunks)
            verifies += len(recipes) * (1 + len(chunks))
            self._steps.plan("encode", encodes)
            self._steps.plan("verify", verifies)
            self._steps.all("encode", "encode", Priority.ENCODE, recipes, chunks)
            again = []
            for (rung, crf), (recipe, scores) in zip(
                open_rungs,
                self._steps.joined_and_scored(
                    "verify", Priority.ENCODE, recipes, chunks, stretches
                ),
                strict=True,
            ):
                if broken := broken_shots(scores, probes.scores, starts):
                    raise QualityRefused(
                        f"the rendition at {rung.height} lines does not show the film in the "
                        f"shot that begins with frame {broken[0]}"
                    )
                seen = probes.of_same_frames(scores)
                if not meets_prediction(rung, seen):
                    again.append((rung, ladder_rules.corrected_crf(rung, crf, seen.mean)))
                    continue
                rate_kbps = self._steps.rate_kbps(recipe, probes.chunks, film)
                if better := ladder_rules.dominating(rate_kbps, seen.mean, probes.probed):
                    again.append((ladder_rules.rung_of(better, rung), better.point.crf))
                    continue
                kept[recipe] = self._steps.rung(recipe, chunks, scores, rung.vmaf)
            open_rungs = list(
                {
                    recipe: (rung, crf)
                    for rung, crf in again
                    if (recipe := Recipe(rung.width, rung.height, crf, FULL_PRESET)) not in kept
                }.values()
            )
            if not open_rungs:
                break
        for rung, crf in open_rungs:
            structlog.get_logger().warning(
                "rung_dropped", version_id=self._job.version_id, height=rung.height, crf=crf
            )
        if not kept:
            raise QualityRefused(
                f"no rendition measures within {WITHIN_VMAF:g} VMAF of its prediction after "
                f"{MAX_CORRECTIONS} corrections"
            )
        by_rate = sorted(kept, key=lambda recipe: self._steps.rate_kbps(recipe, chunks, film))
        return [kept[recipe] for recipe in by_rate]


class _Probes:
    """The probes of a title: what they gave, by frame and as a whole, and on which chunks."""

    def __init__(self, probed: list[Probed], scores: list[Scores], chunks: Sequence[Chunk]) -> None:
        self.probed = probed
        self.scores = scores
        self.chunks = chunks
        self._frames = set(scores[0].frames)

    def of_same_frames(self, scores: Scores) -> Scores:
        """The scores of those frames that the probes were scored on."""
        pairs = [
            pair for pair in zip(scores.frames, scores.vmaf, strict=True) if pair[0] in self._frames
        ]
        return Scores([frame for frame, _ in pairs], [score for _, score in pairs])
