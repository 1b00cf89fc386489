"""Making the rungs of one codec: encoded, measured, corrected, and marked where that is asked for.

A rung is held to the quality that it was planned for; those that are there for their rate are made
in ``at_rates``.
"""

from collections.abc import Sequence

import msgspec

from cuemark.contexts.encoding.model import ladder as ladder_rules
from cuemark.contexts.encoding.model import shot_crfs
from cuemark.contexts.encoding.model.curves import Curve
from cuemark.contexts.encoding.model.effort import Budget
from cuemark.contexts.encoding.model.gate import (
    PUBLISHED_WITHIN_VMAF,
    Scores,
    broken_shots,
    crushed_shots,
    meets_prediction,
)
from cuemark.contexts.encoding.model.ladder import Rung
from cuemark.contexts.encoding.model.master import Picture
from cuemark.contexts.encoding.model.probes import Probed
from cuemark.contexts.encoding.model.shot_crfs import ShotPlan
from cuemark.contexts.encoding.tools.ffmpeg import Recipe
from cuemark.contexts.encoding.workflow.at_rates import AtRates
from cuemark.contexts.encoding.workflow.attempts import Attempt, Encoded, Encoder
from cuemark.contexts.encoding.workflow.marking import QualityRefused
from cuemark.contexts.encoding.workflow.probing import Probes
from cuemark.contexts.encoding.workflow.trying import Trying


class Making:
    """The part of a title's walk that makes the rungs which were planned, codec by codec."""

    def __init__(self, trying: Trying, budget: Budget, picture: Picture, starts: list[int]) -> None:
        self._trying = trying
        self._budget = budget
        self._starts = starts
        self._at_rates = AtRates(trying, budget, picture, starts)

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
        attempts = [self._trying.attempt(encoder, *each) for each in zip(rungs, plans, strict=True)]
        kept = self._gated(encoder, attempts, probes)
        made = self._marked(encoder, self._at_rates.with_rates(encoder, curves, kept, probes))
        if encoder.grain:
            self._trying.score_with_grain(encoder, made)
        return made

    def _marked(self, encoder: Encoder, kept: list[Encoded]) -> list[Encoded]:
        """The rungs in their variants, where the film is to be marked.

        Those for slow lines are dropped where one of them cannot be; without another the film is
        refused.
        """
        if not self._trying.is_marked:
            return kept
        slow = [each for each in kept if each.for_slow_lines]
        found = self._trying.in_variants(
            encoder, [each for each in kept if not each.for_slow_lines]
        )
        try:
            return [*self._trying.in_variants(encoder, slow), *found] if slow else found
        except QualityRefused:
            self._trying.tell_dropped(slow)
            return found

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
            encoded = self._trying.encoded(pending)
            scored = self._trying.scored(encoder, encoded, [each.name for each in pending])
            again = []
            for attempt, row, (key, scores) in zip(pending, encoded, scored, strict=True):
                seen = probes.of_same_frames(scores)
                better = self._dominating(row, seen, probes)
                other = self._judged(encoder, attempt, scores, seen, probes, better)
                made = self._trying.made(
                    encoder,
                    attempt,
                    row,
                    (key, scores),
                    above_vmaf=seen.mean - attempt.vmaf,
                    beaten=better is not None,
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
                kept[spare.attempt.row] = spare.unpredicted
                continue
            self._trying.tell_dropped([spare])
        if not kept:
            raise QualityRefused(
                f"no rendition in {encoder.called} measures within "
                f"{PUBLISHED_WITHIN_VMAF:g} VMAF of its prediction after "
                f"{self._budget.corrections} corrections"
            )
        return list(kept.values())

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
            return self._trying.attempt(encoder, instead, plan)
        return None

    def _corrected(self, encoder: Encoder, attempt: Attempt, vmaf: float) -> Attempt:
        """The same rung again, all its crfs moved so that it should meet its prediction."""
        rung = attempt.rung
        slope = ladder_rules.measured_slope(rung, attempt.measured, (attempt.crf, vmaf))
        crf = ladder_rules.corrected_crf(attempt.vmaf, slope, attempt.crf, vmaf)
        moved = self._trying.moved(encoder, attempt, crf)
        return msgspec.structs.replace(moved, measured=(attempt.crf, vmaf))

    def _dominating(self, encoded: Sequence[str], seen: Scores, probes: Probes) -> Probed | None:
        """The probe that dominates an attempt on the chunks of the probes, if there is one."""
        kbps = self._trying.kbps(encoded, probes.chunks)
        return ladder_rules.dominating(kbps, seen.mean, probes.probed)
