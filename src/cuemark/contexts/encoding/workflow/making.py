"""Making the rungs of one codec: encoded, measured, corrected, and marked where that is asked for.

A rung is held to the quality that it was planned for. Those that are there for their rate are held
to that: where lines are slow, and where the planned quality takes more than lines carry.
"""

import itertools
from collections.abc import Sequence

import msgspec
import structlog

from cuemark.contexts.encoding.model import ladder as ladder_rules
from cuemark.contexts.encoding.model import rates, shot_crfs
from cuemark.contexts.encoding.model.chunks import Chunk
from cuemark.contexts.encoding.model.curves import Curve
from cuemark.contexts.encoding.model.effort import Budget
from cuemark.contexts.encoding.model.fairness import Urgency
from cuemark.contexts.encoding.model.gate import (
    PUBLISHED_WITHIN_VMAF,
    Scores,
    broken_among,
    broken_shots,
    crushed_shots,
    meets_prediction,
)
from cuemark.contexts.encoding.model.ladder import Rung
from cuemark.contexts.encoding.model.probes import Probed
from cuemark.contexts.encoding.model.shot_crfs import ShotPlan
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.store import JobRow
from cuemark.contexts.encoding.tools.canonical import Film
from cuemark.contexts.encoding.tools.ffmpeg import Recipe
from cuemark.contexts.encoding.workflow.attempts import Attempt, Encoded, Encoder
from cuemark.contexts.encoding.workflow.marking import Plain, QualityRefused, marked
from cuemark.contexts.encoding.workflow.probing import Probes, rate_kbps
from cuemark.contexts.encoding.workflow.steps import Steps


class Making:
    """The part of a title's walk that makes the rungs which were planned, codec by codec."""

    def __init__(
        self,
        shop: Workshop,
        job: JobRow,
        steps: Steps,
        budget: Budget,
        film: Film,
        chunks: Sequence[Chunk],
        starts: list[int],
    ) -> None:
        self._shop = shop
        self._job = job
        self._steps = steps
        self._budget = budget
        self._film = film
        self._chunks = chunks
        self._starts = starts
        self._numbers = itertools.count(1)
        self._encodes = self._verifies = 0

    @property
    def stretches(self) -> list[tuple[int, int]]:
        """The frames that rungs are scored on: all of them, by chunk."""
        return [(chunk.start, chunk.end) for chunk in self._chunks]

    def made(
        self,
        encoder: Encoder,
        curves: Sequence[Curve],
        rungs: Sequence[Rung],
        plans: Sequence[ShotPlan],
        probes: Probes,
    ) -> list[Encoded]:
        """Make ``rungs`` by their plans, and what the ladder lacks for slow lines.

        Raises ``QualityRefused`` where no rung is left, or where one does not show the film.
        """
        attempts = [self._attempt(encoder, *each) for each in zip(rungs, plans, strict=True)]
        kept = self._gated(encoder, attempts, probes)
        made = self._marked(encoder, self._by_rate(encoder, curves, kept, probes))
        if encoder.grain:
            self._also_with_grain(encoder, made)
        return made

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
            [Plain(each.name, each.attempt.row, each.rung, each.scores) for each in kept],
            self._chunks,
            self._starts,
            self.stretches,
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
    ) -> Attempt:
        about = rung.crf if crf is None else crf
        name = f"attempt {next(self._numbers)}: {encoder.told(rung, about)}"
        row = tuple(encoder.recipe(rung, plan.crfs, chunk, self._starts) for chunk in self._chunks)
        return Attempt(name, rung, about, plan, row)

    def _corrected(self, encoder: Encoder, attempt: Attempt, vmaf: float) -> Attempt:
        """The same rung again, all its crfs moved so that it should meet its prediction."""
        rung = attempt.rung
        slope = ladder_rules.measured_slope(rung, attempt.measured, (attempt.crf, vmaf))
        crf = ladder_rules.corrected_crf(attempt.vmaf, slope, attempt.crf, vmaf)
        moved = self._moved(encoder, attempt, crf)
        return msgspec.structs.replace(moved, measured=(attempt.crf, vmaf))

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
            encoded = self._encoded(pending)
            scored = self._scored(encoder, encoded, [each.name for each in pending])
            again = []
            for attempt, row, (key, scores) in zip(pending, encoded, scored, strict=True):
                seen = probes.of_same_frames(scores)
                better = self._dominating(row, seen, probes)
                other = self._judged(encoder, attempt, scores, seen, probes, better)
                made = Encoded(
                    attempt=attempt,
                    rate_kbps=rate_kbps(self._shop, self._film, row, self._chunks),
                    above_vmaf=seen.mean - attempt.vmaf,
                    beaten=better is not None,
                    rung=encoder.packaged(attempt, key, scores),
                    level=encoder.level(attempt.rung) if encoder.grain else None,
                    plan=encoder.own_plan(attempt.plan),
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
                kept[spare.attempt.row] = spare
                continue
            others = [(each.rate_kbps, each.scores.mean) for each in kept.values()]
            crowded = ladder_rules.is_crowded(spare.rate_kbps, spare.scores.mean, others)
            if spare.above_vmaf > 0 and not spare.beaten and not crowded:
                unpredicted = msgspec.structs.replace(spare.rung, vmaf_predicted=None)
                kept[spare.attempt.row] = msgspec.structs.replace(spare, rung=unpredicted)
                continue
            self._tell_dropped([spare])
        if not kept:
            raise QualityRefused(
                f"no rendition in {encoder.called} measures within "
                f"{PUBLISHED_WITHIN_VMAF:g} VMAF of its prediction after "
                f"{self._budget.corrections} corrections"
            )
        return list(kept.values())

    def _by_rate(
        self, encoder: Encoder, curves: Sequence[Curve], kept: Sequence[Encoded], probes: Probes
    ) -> list[Encoded]:
        """What was kept, and rungs that are there for their rate.

        The cheapest of those that take more than lines carry is made anew, to take as much; the
        others of them are dropped. Below the cheapest rung of all come those for slow lines, each
        of which must spare a good part of the next one's bits.
        """
        picture, shots = self._film.master.picture, len(self._starts)
        dear = sorted(
            (each for each in kept if rates.is_dear(each.rate_kbps)),
            key=lambda each: each.rate_kbps,
        )
        found = [each for each in kept if each not in dear]
        capped = [self._capped(encoder, each) for each in dear[:1]]
        cheapest_kbps = min((each.rate_kbps for each in found), default=ladder_rules.MOST_KBPS)
        poorest_crf = encoder.likeness.reference_at(encoder.likeness.most_crf)
        slow = [
            self._attempt(encoder, rung, shot_crfs.untold(shots, rung.crf))
            for rung in rates.slow_rungs(
                curves, cheapest_kbps, picture.width, picture.height, poorest_crf
            )
        ]
        made = self._made_at_rates(encoder, [*capped, *slow])
        for each in made[: len(capped)]:
            others = [(other.rate_kbps, other.scores.mean) for other in found]
            crowded = ladder_rules.is_crowded(each.rate_kbps, each.scores.mean, others)
            if not found or not (rates.is_dear(each.rate_kbps) or crowded):
                found.append(each)
        below = self._for_slow_lines(made[len(capped) :], found, probes)
        left = {each.name for each in [*found, *below]}
        self._tell_dropped([each for each in [*dear[1:], *made] if each.name not in left])
        return [*found, *below]

    def _for_slow_lines(
        self, made: Sequence[Encoded], found: Sequence[Encoded], probes: Probes
    ) -> list[Encoded]:
        """Those of the rungs for slow lines that show the film, look the better the more they
        take, and worse than what was ``found``, and are apart from one another; ascending."""
        seen = [each.scores for each in probes.seen]
        top = min(each.scores.mean for each in found)
        better: list[Encoded] = []
        for each in sorted(made, key=lambda each: each.rate_kbps):
            mean = each.scores.mean
            least = better[-1].scores.mean if better else rates.LEAST_VMAF
            if least < mean < top and not broken_among(each.scores, seen, self._starts):
                better.append(each)
        apart: list[Encoded] = []
        next_kbps = min(each.rate_kbps for each in found)
        for each in reversed(better):
            if rates.is_apart(each.rate_kbps, next_kbps):
                apart.append(msgspec.structs.replace(each, for_slow_lines=True))
                next_kbps = each.rate_kbps
        return apart[::-1]

    def _capped(self, encoder: Encoder, dear: Encoded) -> Attempt:
        """A rung again that takes more than lines carry, to take as much; what its shots were to
        measure does not hold any more."""
        attempt = dear.attempt
        plan = msgspec.structs.replace(
            attempt.plan, shot_vmaf=[None] * len(self._starts), probed_vmaf=None
        )
        rung = msgspec.structs.replace(attempt.rung, rate_kbps=ladder_rules.MOST_KBPS)
        asked = msgspec.structs.replace(attempt, rung=rung, plan=plan)
        return self._at_rate(encoder, asked, dear.rate_kbps)

    def _made_at_rates(self, encoder: Encoder, attempts: Sequence[Attempt]) -> list[Encoded]:
        """Encode each until its rate is about what it is there for; what it then measures is what
        it has."""
        met: dict[Rung, list[tuple[float, Attempt, list[str]]]] = {}
        pending = list(attempts)
        for _ in range(1 + self._budget.corrections):
            if not pending:
                break
            again = []
            for attempt, row in zip(pending, self._encoded(pending), strict=True):
                kbps = rate_kbps(self._shop, self._film, row, self._chunks)
                met.setdefault(attempt.rung, []).append((kbps, attempt, row))
                if rates.is_about(kbps, attempt.rung.rate_kbps):
                    continue
                other = self._at_rate(encoder, attempt, kbps)
                if other.row != attempt.row:
                    again.append(other)
            pending = again
        made = [
            min(met[each.rung], key=lambda found: rates.off(found[0], found[1].rung.rate_kbps))
            for each in attempts
        ]
        if not made:
            return []
        names = [attempt.name for _, attempt, _ in made]
        scored = self._scored(encoder, [row for _, _, row in made], names)
        return [
            Encoded(
                attempt=attempt,
                rate_kbps=kbps,
                above_vmaf=0.0,
                beaten=False,
                rung=msgspec.structs.replace(
                    encoder.packaged(attempt, key, scores), vmaf_predicted=None
                ),
                level=encoder.level(attempt.rung) if encoder.grain else None,
                plan=encoder.own_plan(attempt.plan),
                scores=scores,
            )
            for (kbps, attempt, _), (key, scores) in zip(made, scored, strict=True)
        ]

    def _at_rate(self, encoder: Encoder, attempt: Attempt, kbps: float) -> Attempt:
        """The same rung again, all its crfs moved so that it should take what it is there for."""
        crf = rates.crf_for_rate(attempt.crf, kbps, attempt.rung.rate_kbps, attempt.taken)
        moved = self._moved(encoder, attempt, crf)
        return msgspec.structs.replace(moved, taken=(attempt.crf, kbps))

    def _moved(self, encoder: Encoder, attempt: Attempt, crf: float) -> Attempt:
        crfs = shot_crfs.moved(attempt.plan.crfs, crf - attempt.crf)
        plan = msgspec.structs.replace(attempt.plan, crfs=crfs)
        return self._attempt(encoder, attempt.rung, plan, crf)

    def _tell_dropped(self, dropped: Sequence[Encoded]) -> None:
        for each in dropped:
            structlog.get_logger().warning(
                "rung_dropped", version_id=self._job.version_id, rung=each.name
            )

    def _encoded(self, attempts: Sequence[Attempt]) -> list[list[str]]:
        """The chunks of each attempt, encoded."""
        self._encodes += len(attempts) * len(self._chunks)
        self._steps.plan("encode", self._encodes)
        rows, names = [each.row for each in attempts], [each.name for each in attempts]
        return self._steps.all("encode", "encode", Urgency.FULL, rows, self._chunks, names)

    def _scored(
        self, encoder: Encoder, encoded: Sequence[Sequence[str]], names: Sequence[str]
    ) -> list[tuple[str, Scores]]:
        """The joined rungs of encoded chunks, and what they measure."""
        self._verifies += len(encoded) * (1 + len(self._chunks))
        self._steps.plan("verify", self._verifies)
        return self._steps.joined_and_scored(
            "verify",
            Urgency.FULL,
            encoded,
            self.stretches,
            names,
            encoder.family.codec,
            encoder.look,
            without_grain=encoder.grain is not None,
        )

    def _also_with_grain(self, encoder: Encoder, kept: Sequence[Encoded]) -> None:
        """Score what is published as it is shown, against the master as it is: for the report."""
        self._verifies += len(kept) * len(self._chunks)
        self._steps.plan("verify", self._verifies)
        rungs, names = [each.rung.key for each in kept], [each.name for each in kept]
        self._steps.scored("verify", Urgency.FULL, rungs, self.stretches, names, encoder.look)

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
