"""The renditions of a full version, codec by codec: ladder, a crf for each shot, encodes, gate."""

import itertools
from collections.abc import Sequence
from typing import Literal

import msgspec
import structlog

from cuemark.contexts.encoding.model import ladder as ladder_rules
from cuemark.contexts.encoding.model import shot_crfs
from cuemark.contexts.encoding.model.chunks import Chunk
from cuemark.contexts.encoding.model.effort import BUDGETS
from cuemark.contexts.encoding.model.families import REFERENCE, Family
from cuemark.contexts.encoding.model.gate import (
    PUBLISHED_WITHIN_VMAF,
    Scores,
    broken_shots,
    meets_prediction,
)
from cuemark.contexts.encoding.model.ladder import Curve, Rung
from cuemark.contexts.encoding.model.likeness import Likeness
from cuemark.contexts.encoding.model.report import CodecMeasures
from cuemark.contexts.encoding.model.shot_crfs import Shot, ShotPlan
from cuemark.contexts.encoding.stages.measuring import Measured
from cuemark.contexts.encoding.stages.packaging import RungToPackage
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.store import JobRow
from cuemark.contexts.encoding.tools.encoders import FAMILIES
from cuemark.contexts.encoding.tools.ffmpeg import Film, Recipe
from cuemark.contexts.encoding.workflow.probing import Probes, Probing, rate_kbps
from cuemark.contexts.encoding.workflow.steps import Steps
from cuemark.contexts.encoding.workflow.tasks import Priority
from cuemark.contracts.encoding import Codec
from cuemark.kit.cost import Meter

Method = Literal["per shot", "per title"]
_Rungs = tuple[list[RungToPackage], Measured]


class QualityRefused(Exception):
    """A rung does not look as it must; the text says which, and how it measured."""


class Attempt(msgspec.Struct, frozen=True):
    """A rung on its way: ``row`` has a recipe for each chunk, with crfs about ``crf``.

    ``name`` is its own in the walk: what it takes is in the ledger under it. ``measured`` is the
    crf and the mean VMAF of the attempt before it, if there was one.
    """

    name: str
    rung: Rung
    crf: float
    plan: ShotPlan
    row: tuple[Recipe, ...]
    measured: tuple[float, float] | None = None

    @property
    def vmaf(self) -> float:
        """What it is to measure on the frames of the probes."""
        told = self.plan.probed_vmaf
        return self.rung.vmaf if told is None else min(100.0, told)

    @property
    def film_vmaf(self) -> float:
        """What it is to measure on all frames, as far as that was told."""
        return self.rung.vmaf if self.plan.probed_vmaf is None else min(100.0, self.plan.vmaf)


class _Encoded(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt that was encoded: its rate, and how far it lies off its prediction."""

    name: str
    rate_kbps: float
    off_vmaf: float
    rung: RungToPackage
    plan: ShotPlan


class FullRenditions:
    """The part of a title's walk that makes the full version's renditions."""

    def __init__(
        self,
        shop: Workshop,
        job: JobRow,
        steps: Steps,
        film: Film,
        chunks: Sequence[Chunk],
        starts: list[int],
        quick: Sequence[RungToPackage],
    ) -> None:
        """``quick`` are the rungs of the quick version."""
        self._shop = shop
        self._job = job
        self._budget = BUDGETS[job.effort]
        self._steps = steps.scoring(self._budget.vmaf_every)
        self._film = film
        self._chunks = chunks
        self._starts = starts
        self._probing = Probing(
            shop, job.master_sha256, self._steps, self._budget, film, chunks, starts, quick
        )
        self._numbers = itertools.count(1)
        self._encodes = self._verifies = 0

    def rungs(self, method: Method = "per shot") -> _Rungs:
        """Probe the film, plan its rungs, and make them; ``per title`` has one crf for a rung.

        A codec besides the reference that does not look as it must is left out, with a note.
        The rungs ascend by rate, those of all codecs among one another.
        """
        reference = self._as(REFERENCE, FAMILIES[REFERENCE].likeness)
        probes = self._probing.probes(reference.family, reference.preset)
        per_shot = method == "per shot" and len(self._starts) > 1
        shots = self._probing.shots(probes) if per_shot else None
        curves = ladder_rules.curves_of(probes.probed)
        measured, made = self._made(reference, curves, probes, shots)
        codecs, left_out = [measured], []
        for codec in self._job.codecs:
            if codec == REFERENCE:
                continue
            try:
                measured, rungs = self._also(codec, curves, probes, shots)
            except QualityRefused as refused:
                left_out.append(f"what was made in {codec} was left out: {refused}")
                continue
            codecs.append(measured)
            made += rungs
        made.sort(key=lambda each: each.rate_kbps)
        return [each.rung for each in made], Measured(
            stretches=[(chunk.start, chunk.end) for chunk in self._chunks],
            shots=self._starts,
            codecs=codecs,
            shot_plans=[each.plan for each in made],
            made_for=[each.name for each in made],
            vmaf_every=self._budget.vmaf_every,
            left_out=left_out,
        )

    def _also(
        self,
        codec: Codec,
        curves: list[Curve],
        probes: Probes,
        shots: dict[int, list[Shot]] | None,
    ) -> tuple[CodecMeasures, list["_Encoded"]]:
        """The rungs of another codec, told from what the reference's ``probes`` said."""
        family = FAMILIES[codec]
        preset = family.presets[self._job.effort]
        likeness, checks = self._probing.checks(family, preset, probes, curves)
        like = [likeness.curve(curve) for curve in curves]
        told = shots and self._probing.shots_like(shots, likeness, checks)
        return self._made(self._as(codec, likeness), like, checks, told)

    def _as(self, codec: Codec, likeness: Likeness) -> "_Encoder":
        return _Encoder(FAMILIES[codec], FAMILIES[codec].presets[self._job.effort], likeness)

    def _made(
        self,
        encoder: "_Encoder",
        curves: list[Curve],
        probes: Probes,
        shots: dict[int, list[Shot]] | None,
    ) -> tuple[CodecMeasures, list["_Encoded"]]:
        """Plan the rungs of one codec, and make them."""
        picture = self._film.master.picture
        self._steps.plan("ladder", len(self._job.codecs))
        meter = Meter(children=False)
        rungs = ladder_rules.ladder_on(curves, probes.probed, picture.width, picture.height)
        attempts = [
            self._attempt(
                encoder,
                rung,
                shot_crfs.plan(shots[rung.height], rung.crf, rung.vmaf)
                if shots
                else shot_crfs.untold(len(self._starts), rung.crf),
            )
            for rung in rungs
        ]
        self._steps.done("ladder", encoder.family.codec, meter.cost)
        found = CodecMeasures(
            codec=encoder.family.codec,
            probes=probes.tried,
            planned=[encoder.own(rung) for rung in rungs],
            likeness=encoder.likeness,
        )
        return found, self._gated(encoder, attempts, probes)

    def _attempt(
        self,
        encoder: "_Encoder",
        rung: Rung,
        plan: ShotPlan,
        crf: float | None = None,
        measured: tuple[float, float] | None = None,
    ) -> Attempt:
        about = rung.crf if crf is None else crf
        name = f"attempt {next(self._numbers)}: {encoder.told(rung, about)}"
        row = tuple(encoder.recipe(rung, plan.crfs, chunk, self._starts) for chunk in self._chunks)
        return Attempt(name, rung, about, plan, row, measured)

    def _corrected(self, encoder: "_Encoder", attempt: Attempt, vmaf: float) -> Attempt:
        """The same rung again, all its crfs moved so that it should meet its prediction."""
        rung = attempt.rung
        slope = ladder_rules.measured_slope(rung, attempt.measured, (attempt.crf, vmaf))
        crf = ladder_rules.corrected_crf(attempt.vmaf, slope, attempt.crf, vmaf)
        crfs = shot_crfs.moved(attempt.plan.crfs, crf - attempt.crf)
        plan = msgspec.structs.replace(attempt.plan, crfs=crfs)
        return self._attempt(encoder, rung, plan, crf, (attempt.crf, vmaf))

    def _gated(
        self, encoder: "_Encoder", attempts: Sequence[Attempt], probes: Probes
    ) -> list[_Encoded]:
        """Encode the rungs until each measures what was predicted; drop what never comes near.

        A rung that a probe dominates gives way to that probe. Raises
        ``QualityRefused`` where no rung is left, or where one does not show the film.
        """
        kept: dict[tuple[Recipe, ...], _Encoded] = {}
        nearest: dict[Rung, _Encoded] = {}
        pending = list(attempts)
        stretches = [(chunk.start, chunk.end) for chunk in self._chunks]
        for _ in range(1 + self._budget.corrections):
            self._encodes += len(pending) * len(self._chunks)
            self._verifies += len(pending) * (1 + len(self._chunks))
            self._steps.plan("encode", self._encodes)
            self._steps.plan("verify", self._verifies)
            rows, names = [each.row for each in pending], [each.name for each in pending]
            encoded = self._steps.all(
                "encode", "encode", Priority.ENCODE, rows, self._chunks, names
            )
            scored = self._steps.joined_and_scored(
                "verify", Priority.ENCODE, encoded, stretches, names, encoder.family.codec
            )
            again = []
            for attempt, row, (key, scores) in zip(pending, encoded, scored, strict=True):
                other = self._judged(encoder, attempt, row, scores, probes)
                seen = probes.of_same_frames(scores)
                made = _Encoded(
                    name=attempt.name,
                    rate_kbps=rate_kbps(self._shop, self._film, row, self._chunks),
                    off_vmaf=abs(seen.mean - attempt.vmaf),
                    rung=packaged(
                        attempt.rung, key, scores, attempt.film_vmaf, encoder.family.codec
                    ),
                    plan=encoder.own_plan(attempt.plan),
                )
                if other is None:
                    kept[attempt.row] = made
                    continue
                again.append(other)
                nearest[attempt.rung] = min(
                    made, nearest.get(attempt.rung, made), key=lambda each: each.off_vmaf
                )
            pending = list({each.row: each for each in again if each.row not in kept}.values())
            if not pending:
                break
        for attempt in pending:
            spare = nearest.get(attempt.rung)
            if spare and spare.off_vmaf <= PUBLISHED_WITHIN_VMAF:
                kept[attempt.row] = spare
                continue
            structlog.get_logger().warning(
                "rung_dropped",
                version_id=self._job.version_id,
                rung=encoder.told(attempt.rung, attempt.crf),
            )
        if not kept:
            raise QualityRefused(
                f"no rendition in {encoder.family.codec} measures within "
                f"{PUBLISHED_WITHIN_VMAF:g} VMAF of its prediction after "
                f"{self._budget.corrections} corrections"
            )
        return list(kept.values())

    def _judged(
        self,
        encoder: "_Encoder",
        attempt: Attempt,
        encoded: Sequence[str],
        scores: Scores,
        probes: Probes,
    ) -> Attempt | None:
        """What is to be tried instead of an attempt that was measured; none where it is good."""
        rung = attempt.rung
        seen_before = [each.scores for each in probes.seen]
        if broken := broken_shots(scores, seen_before, self._starts, attempt.plan.shot_vmaf):
            raise QualityRefused(
                f"the rendition at {rung.height} lines does not show the film in the "
                f"shot that begins with frame {broken[0]}"
            )
        seen = probes.of_same_frames(scores)
        if not meets_prediction(attempt.vmaf, seen):
            return self._corrected(encoder, attempt, seen.mean)
        of_probed = {chunk.index for chunk in probes.chunks}
        here = [
            key
            for key, chunk in zip(encoded, self._chunks, strict=True)
            if chunk.index in of_probed
        ]
        kbps = rate_kbps(self._shop, self._film, here, probes.chunks)
        if better := ladder_rules.dominating(kbps, seen.mean, probes.probed):
            instead = ladder_rules.rung_of(better, rung)
            plan = shot_crfs.untold(len(self._starts), instead.crf)
            return self._attempt(encoder, instead, plan)
        return None


class _Encoder(msgspec.Struct, frozen=True):
    """A codec as rungs are made in it: their crfs are the reference's, its recipes have its own."""

    family: Family
    preset: str
    likeness: Likeness

    def told(self, rung: Rung, crf: float) -> str:
        """How a rung is called in the ledger and the log."""
        codec = "" if self.family.codec == REFERENCE else f"{self.family.codec}, "
        return f"{codec}{rung.height} lines, crf {self.likeness.crf_at(crf):g}"

    def own(self, rung: Rung) -> Rung:
        """The rung with the codec's own crf."""
        return msgspec.structs.replace(
            rung,
            crf=self.likeness.crf_at(rung.crf),
            vmaf_per_crf=rung.vmaf_per_crf * self.likeness.reference_per_crf,
        )

    def own_plan(self, plan: ShotPlan) -> ShotPlan:
        """The plan with the codec's own crfs."""
        crfs = [self.likeness.crf_at(crf) for crf in plan.crfs]
        return msgspec.structs.replace(plan, crfs=crfs)

    def recipe(
        self, rung: Rung, crfs: Sequence[float], chunk: Chunk, starts: Sequence[int]
    ) -> Recipe:
        """A chunk's recipe: the crf of the shot that it begins in, a turn where that changes."""
        first = self.likeness.crf_at(rung.crf)
        turns: list[tuple[int, float]] = []
        for start, crf in zip(starts, map(self.likeness.crf_at, crfs), strict=True):
            if start <= chunk.start:
                first = crf
            elif start < chunk.end and crf != (turns[-1][1] if turns else first):
                turns.append((start - chunk.start, crf))
        codec = self.family.codec
        return Recipe(rung.width, rung.height, first, self.preset, tuple(turns), codec)


def packaged(
    rung: Rung | Recipe,
    key: str,
    scores: Scores,
    predicted: float | None = None,
    codec: Codec = "h264",
) -> RungToPackage:
    """A joined rung (its key) with what it measured."""
    return RungToPackage(
        key=key,
        width=rung.width,
        height=rung.height,
        vmaf_mean=scores.mean,
        vmaf_p5=scores.p5,
        vmaf_predicted=predicted,
        codec=codec,
    )
