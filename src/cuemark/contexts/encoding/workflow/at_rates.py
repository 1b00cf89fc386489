"""Making rungs that are there for their rate: at the most that lines carry, and for slow lines."""

from collections.abc import Sequence

import msgspec

from cuemark.contexts.encoding.model import ladder as ladder_rules
from cuemark.contexts.encoding.model import rates, shot_crfs
from cuemark.contexts.encoding.model.curves import Curve
from cuemark.contexts.encoding.model.effort import Budget
from cuemark.contexts.encoding.model.gate import broken_among
from cuemark.contexts.encoding.model.ladder import Rung
from cuemark.contexts.encoding.model.master import Picture
from cuemark.contexts.encoding.workflow.attempts import Attempt, Encoded, Encoder
from cuemark.contexts.encoding.workflow.probing import Probes
from cuemark.contexts.encoding.workflow.trying import Trying


class AtRates:
    """The part of a title's walk that makes what no quality asks for."""

    def __init__(
        self, trying: Trying, budget: Budget, picture: Picture, starts: Sequence[int]
    ) -> None:
        self._trying = trying
        self._budget = budget
        self._picture = picture
        self._starts = list(starts)

    def with_rates(
        self, encoder: Encoder, curves: Sequence[Curve], kept: Sequence[Encoded], probes: Probes
    ) -> list[Encoded]:
        """What was kept, and rungs that are there for their rate.

        The cheapest of those that take more than lines carry is made anew, to take as much; the
        others of them are dropped. Below the cheapest rung of all come those for slow lines, each
        of which must spare a good part of the next one's bits.
        """
        picture, shots = self._picture, len(self._starts)
        dear = sorted(
            (each for each in kept if rates.is_dear(each.rate_kbps)),
            key=lambda each: each.rate_kbps,
        )
        found = [each for each in kept if each not in dear]
        capped = [self._capped(encoder, each) for each in dear[:1]]
        cheapest_kbps = min((each.rate_kbps for each in found), default=ladder_rules.MOST_KBPS)
        poorest_crf = encoder.likeness.reference_at(encoder.likeness.most_crf)
        slow = [
            self._trying.attempt(encoder, rung, shot_crfs.untold(shots, rung.crf))
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
        self._trying.tell_dropped([each for each in [*dear[1:], *made] if each.name not in left])
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
            for attempt, row in zip(pending, self._trying.encoded(pending), strict=True):
                kbps = self._trying.kbps(row)
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
        scored = self._trying.scored(encoder, [row for _, _, row in made], names)
        return [
            self._trying.made(encoder, attempt, row, told).unpredicted
            for (_, attempt, row), told in zip(made, scored, strict=True)
        ]

    def _at_rate(self, encoder: Encoder, attempt: Attempt, kbps: float) -> Attempt:
        """The same rung again, all its crfs moved so that it should take what it is there for."""
        crf = rates.crf_for_rate(attempt.crf, kbps, attempt.rung.rate_kbps, attempt.taken)
        moved = self._trying.moved(encoder, attempt, crf)
        return msgspec.structs.replace(moved, taken=(attempt.crf, kbps))
