"""The renditions of a full version, codec by codec: ladder, a crf for each shot, encodes, gate."""

import itertools
from collections.abc import Sequence
from typing import Literal

import msgspec
import structlog

from cuemark.contexts.encoding.model import ladder as ladder_rules
from cuemark.contexts.encoding.model import shot_crfs
from cuemark.contexts.encoding.model.chunks import Chunk
from cuemark.contexts.encoding.model.color import Look
from cuemark.contexts.encoding.model.curves import Curve, curves_of, with_between
from cuemark.contexts.encoding.model.effort import BUDGETS
from cuemark.contexts.encoding.model.fairness import Urgency
from cuemark.contexts.encoding.model.families import REFERENCE
from cuemark.contexts.encoding.model.gate import (
    PUBLISHED_WITHIN_VMAF,
    Scores,
    broken_shots,
    crushed_shots,
    meets_prediction,
)
from cuemark.contexts.encoding.model.grain import Synthesis, synthesis
from cuemark.contexts.encoding.model.ladder import Rung
from cuemark.contexts.encoding.model.probes import Probed
from cuemark.contexts.encoding.model.report import CodecMeasures
from cuemark.contexts.encoding.model.shot_crfs import Shot, ShotPlan
from cuemark.contexts.encoding.stages.measuring import Measured
from cuemark.contexts.encoding.stages.packaging import RungToPackage
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.store import JobRow
from cuemark.contexts.encoding.tools.canonical import Film
from cuemark.contexts.encoding.tools.encoders import FAMILIES
from cuemark.contexts.encoding.tools.ffmpeg import Recipe
from cuemark.contexts.encoding.workflow.attempts import (
    Attempt,
    Encoded,
    Encoder,
    called,
)
from cuemark.contexts.encoding.workflow.marking import Plain, QualityRefused, marked
from cuemark.contexts.encoding.workflow.probing import Probes, Probing, rate_kbps
from cuemark.contexts.encoding.workflow.steps import Steps
from cuemark.contracts.encoding.versions import Codec
from cuemark.kit.cost import Meter

Method = Literal["per shot", "per title"]
_Rungs = tuple[list[RungToPackage], Measured]


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
        self._sets = [
            (codec, look)
            for codec in job.codecs
            if codec != REFERENCE
            for look in FAMILIES[codec].looks(film.master.color)
        ]
        self._grain: Synthesis | None = None
        self._numbers = itertools.count(1)
        self._encodes = self._verifies = 0

    def rungs(self, method: Method = "per shot") -> _Rungs:
        """Probe the film, plan its rungs, and make them; ``per title`` has one crf for a rung.

        A codec besides the reference that does not look as it must is left out, with a note.
        The rungs ascend by rate, those of all codecs among one another.
        """
        family = FAMILIES[REFERENCE]
        reference = Encoder(
            family, family.presets[self._job.effort], self._film.standard, family.likeness
        )
        probes = self._probing.probes(reference.family, reference.preset)
        per_shot = method == "per shot" and len(self._starts) > 1
        curves = with_between(curves_of(probes.probed))
        shots = self._probing.shots(probes) if per_shot else None
        if shots:
            shots = shot_crfs.with_between(shots, [curve.height for curve in curves])
        measured, made = self._made(reference, curves, probes, shots)
        codecs, left_out = [measured], []
        self._grain = self._synthesis()
        for codec, look in self._sets:
            try:
                measured, rungs = self._also(codec, look, curves, probes, shots)
            except QualityRefused as refused:
                left_out.append(f"what was made in {called(codec, look)} was left out: {refused}")
                continue
            codecs.append(measured)
            made += rungs
        made.sort(key=lambda each: each.rate_kbps)
        levels = [each.level for each in made]
        return [each.rung for each in made], Measured(
            stretches=self._stretches,
            shots=self._starts,
            codecs=codecs,
            shot_plans=[each.plan for each in made],
            made_for=[each.name for each in made],
            levels=levels,
            vmaf_every=self._budget.vmaf_every,
            left_out=left_out,
            grain=None if set(levels) == {None} else self._grain,
        )

    def _synthesis(self) -> Synthesis | None:
        """The grain that is synthesized where a codec can; a film is looked at only for that.

        What a film in high dynamic range has is kept as it is.
        """
        able = any(FAMILIES[codec].grain for codec, _ in self._sets)
        color, lines = self._film.master.color, self._film.master.picture.height
        if self._job.film_grain == "off" or not able or color.dynamic_range != "sdr":
            return None
        return synthesis(self._steps.grain(), lines)

    def _also(
        self,
        codec: Codec,
        look: Look,
        curves: list[Curve],
        probes: Probes,
        shots: dict[int, list[Shot]] | None,
    ) -> tuple[CodecMeasures, list[Encoded]]:
        """The rungs of another codec or range, told from what the reference's ``probes`` said."""
        family = FAMILIES[codec]
        preset = family.presets[self._job.effort]
        grain = self._grain if family.grain else None
        likeness, checks = self._probing.checks(family, preset, look, probes, curves, grain)
        like = [likeness.curve(curve) for curve in curves]
        told = shots and self._probing.shots_like(shots, likeness, checks)
        return self._made(Encoder(family, preset, look, likeness, grain), like, checks, told)

    def _made(
        self,
        encoder: Encoder,
        curves: list[Curve],
        probes: Probes,
        shots: dict[int, list[Shot]] | None,
    ) -> tuple[CodecMeasures, list[Encoded]]:
        """Plan the rungs of one codec, and make them."""
        picture = self._film.master.picture
        self._steps.plan("ladder", 1 + len(self._sets))
        meter = Meter(children=False)
        rungs = ladder_rules.ladder(curves, probes.probed, picture.width, picture.height)
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
        self._steps.done("ladder", encoder.called, meter.cost)
        found = CodecMeasures(
            codec=encoder.family.codec,
            dynamic_range=encoder.look.dynamic_range,
            probes=probes.tried,
            planned=[encoder.own(rung) for rung in rungs],
            likeness=encoder.likeness,
        )
        made = self._marked(encoder, self._gated(encoder, attempts, probes))
        if encoder.grain:
            self._also_with_grain(encoder, made)
        return found, made

    def _marked(self, encoder: Encoder, kept: list[Encoded]) -> list[Encoded]:
        """The rungs in their variants, where the film is to be marked."""
        if not self._job.mark_key_id:
            return kept
        self._encodes += 2 * len(kept) * len(self._chunks)
        self._verifies += 2 * len(kept) * (1 + len(self._chunks))
        self._steps.plan("encode", self._encodes)
        self._steps.plan("verify", self._verifies)
        found = marked(
            self._steps,
            self._job.mark_key_id,
            [Plain(each.name, each.row, each.rung, each.scores) for each in kept],
            self._chunks,
            self._starts,
            self._stretches,
            stages=("encode", "verify"),
            urgency=Urgency.FULL,
            codec=encoder.family.codec,
            look=encoder.look,
            without_grain=encoder.grain is not None,
        )
        return [
            msgspec.structs.replace(
                each,
                rate_kbps=max(
                    rate_kbps(self._shop, self._film, row, self._chunks) for row in variants.chunks
                ),
                rung=variants.rung,
                scores=variants.scores,
            )
            for each, variants in zip(kept, found, strict=True)
        ]

    def _attempt(
        self,
        encoder: Encoder,
        rung: Rung,
        plan: ShotPlan,
        crf: float | None = None,
        measured: tuple[float, float] | None = None,
    ) -> Attempt:
        about = rung.crf if crf is None else crf
        name = f"attempt {next(self._numbers)}: {encoder.told(rung, about)}"
        row = tuple(encoder.recipe(rung, plan.crfs, chunk, self._starts) for chunk in self._chunks)
        return Attempt(name, rung, about, plan, row, measured)

    def _corrected(self, encoder: Encoder, attempt: Attempt, vmaf: float) -> Attempt:
        """The same rung again, all its crfs moved so that it should meet its prediction."""
        rung = attempt.rung
        slope = ladder_rules.measured_slope(rung, attempt.measured, (attempt.crf, vmaf))
        crf = ladder_rules.corrected_crf(attempt.vmaf, slope, attempt.crf, vmaf)
        crfs = shot_crfs.moved(attempt.plan.crfs, crf - attempt.crf)
        plan = msgspec.structs.replace(attempt.plan, crfs=crfs)
        return self._attempt(encoder, rung, plan, crf, (attempt.crf, vmaf))

    def _gated(
        self, encoder: Encoder, attempts: Sequence[Attempt], probes: Probes
    ) -> list[Encoded]:
        """Encode the rungs until each measures what was predicted.

        A rung that a probe dominates gives way to that probe. What never comes near its prediction
        is dropped; but what measures better, as a codec's poorest may, is taken as it is where the
        others leave room for it. Raises ``QualityRefused`` where no rung is left, or where one does
        not show the film.
        """
        kept: dict[tuple[Recipe, ...], Encoded] = {}
        nearest: dict[Rung, Encoded] = {}
        pending = list(attempts)
        for _ in range(1 + self._budget.corrections):
            self._encodes += len(pending) * len(self._chunks)
            self._verifies += len(pending) * (1 + len(self._chunks))
            self._steps.plan("encode", self._encodes)
            self._steps.plan("verify", self._verifies)
            rows, names = [each.row for each in pending], [each.name for each in pending]
            encoded = self._steps.all("encode", "encode", Urgency.FULL, rows, self._chunks, names)
            scored = self._steps.joined_and_scored(
                "verify",
                Urgency.FULL,
                encoded,
                self._stretches,
                names,
                encoder.family.codec,
                encoder.look,
                without_grain=encoder.grain is not None,
            )
            again = []
            for attempt, row, (key, scores) in zip(pending, encoded, scored, strict=True):
                seen = probes.of_same_frames(scores)
                better = self._dominating(row, seen, probes)
                other = self._judged(encoder, attempt, scores, seen, probes, better)
                made = Encoded(
                    name=attempt.name,
                    rate_kbps=rate_kbps(self._shop, self._film, row, self._chunks),
                    above_vmaf=seen.mean - attempt.vmaf,
                    beaten=better is not None,
                    rung=encoder.packaged(attempt, key, scores),
                    level=encoder.level(attempt.rung) if encoder.grain else None,
                    plan=encoder.own_plan(attempt.plan),
                    row=attempt.row,
                    scores=scores,
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
        spares = [nearest[each.rung] for each in pending if each.rung in nearest]
        for spare in sorted(spares, key=lambda each: each.off_vmaf):
            if spare.off_vmaf <= PUBLISHED_WITHIN_VMAF:
                kept[spare.row] = spare
                continue
            others = [(each.rate_kbps, each.scores.mean) for each in kept.values()]
            crowded = ladder_rules.is_crowded(spare.rate_kbps, spare.scores.mean, others)
            if spare.above_vmaf > 0 and not spare.beaten and not crowded:
                unpredicted = msgspec.structs.replace(spare.rung, vmaf_predicted=None)
                kept[spare.row] = msgspec.structs.replace(spare, rung=unpredicted)
                continue
            structlog.get_logger().warning(
                "rung_dropped", version_id=self._job.version_id, rung=spare.name
            )
        if not kept:
            raise QualityRefused(
                f"no rendition in {encoder.called} measures within "
                f"{PUBLISHED_WITHIN_VMAF:g} VMAF of its prediction after "
                f"{self._budget.corrections} corrections"
            )
        return list(kept.values())

    @property
    def _stretches(self) -> list[tuple[int, int]]:
        """The frames that rungs are scored on: all of them, by chunk."""
        return [(chunk.start, chunk.end) for chunk in self._chunks]

    def _also_with_grain(self, encoder: Encoder, kept: Sequence[Encoded]) -> None:
        """Score what is published as it is shown, against the master as it is: for the report."""
        self._verifies += len(kept) * len(self._chunks)
        self._steps.plan("verify", self._verifies)
        rungs, names = [each.rung.key for each in kept], [each.name for each in kept]
        self._steps.scored("verify", Urgency.FULL, rungs, self._stretches, names, encoder.look)

    def _dominating(self, encoded: Sequence[str], seen: Scores, probes: Probes) -> Probed | None:
        """The probe that dominates an attempt on the chunks of the probes, if there is one."""
        of_probed = {chunk.index for chunk in probes.chunks}
        here = [
            key
            for key, chunk in zip(encoded, self._chunks, strict=True)
            if chunk.index in of_probed
        ]
        kbps = rate_kbps(self._shop, self._film, here, probes.chunks)
        return ladder_rules.dominating(kbps, seen.mean, probes.probed)

    def _judged(
        self,
        encoder: Encoder,
        attempt: Attempt,
        scores: Scores,
        seen: Scores,
        probes: Probes,
        better: Probed | None,
    ) -> Attempt | None:
        """What is to be tried instead of an attempt that was measured; none where it is good.

        ``seen`` are its scores on the frames of the probes, of which ``better`` dominates it.
        """
        rung = attempt.rung
        seen_before = [each.scores for each in probes.seen]
        if broken := broken_shots(scores, seen_before, self._starts, attempt.plan.shot_vmaf):
            raise QualityRefused(
                f"the rendition at {rung.height} lines does not show the film in the "
                f"shot that begins with frame {broken[0]}"
            )
        if crushed := crushed_shots(scores, seen_before, self._starts):
            raise QualityRefused(
                f"the rendition at {rung.height} lines has other light than the film in the "
                f"shot that begins with frame {crushed[0]}"
            )
        if not meets_prediction(attempt.vmaf, seen):
            return self._corrected(encoder, attempt, seen.mean)
        if better is not None:
            instead = ladder_rules.rung_of(better, rung)
            plan = shot_crfs.untold(len(self._starts), instead.crf)
            return self._attempt(encoder, instead, plan)
        return None
