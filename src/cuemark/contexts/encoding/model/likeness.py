"""From what one codec's probes told to what another codec will give, mended by two encodes.

A codec at a crf behaves as the reference does at another crf, with some of the bits: a film that
loses twice as much of VMAF at a coarser quantizer in one codec does so in the other, since both
quantize the same residual of the same pictures. So with ``q`` the reference's crf,

    VMAF(codec, crf) = VMAF(reference, q)  and  rate(codec, crf) = rate(reference, q) / 2 ** saved,
    q = reference_crf + reference_per_crf * (crf - crf_0).

What is expected of a codec before it was tried on a film (``Likeness``) comes from its family's
file. Two check encodes, apart in crf, tell the film's own: each is found on the reference's curve
by what it lost, which gives its ``q``, and the bits that it saved there. Everything between probes
and plan is reckoned in the reference's crf: its curves hold for every codec, with fewer bits.
"""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean

import msgspec

from cuemark.contexts.encoding.model.curves import Curve, log_loss
from cuemark.contexts.encoding.model.probes import Point, Probed
from cuemark.contexts.encoding.model.shot_crfs import Shot

STEEPER = 1.5
"""How far two checks may take a codec's slope from the one that was expected."""
MOST_SAVED_PER_CRF = 0.1
_APART_CRF = 2.0


class Likeness(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a codec lies to the reference. The reference's own is the identity.

    Within ``least_crf`` and ``most_crf`` it has every ``step_crf``, and behaves like this: at
    ``crf`` it measures what the reference does at ``reference_crf``; one crf more is
    ``reference_per_crf`` of the reference's. ``saved_doublings`` is log2 of how many times fewer
    bits it takes there, and ``saved_per_crf`` how that changes with one crf of the reference.
    """

    crf: float = 26.0
    reference_crf: float = 26.0
    reference_per_crf: float = 1.0
    saved_doublings: float = 0.0
    saved_per_crf: float = 0.0
    least_crf: float = 12.0
    most_crf: float = 45.0
    step_crf: float = 0.01

    def reference_at(self, crf: float) -> float:
        """The reference's crf that a crf of the codec is like."""
        return self.reference_crf + self.reference_per_crf * (crf - self.crf)

    def crf_at(self, reference_crf: float) -> float:
        """Of the crfs that the codec has, the one that is most like the reference's."""
        exact = self.crf + (reference_crf - self.reference_crf) / self.reference_per_crf
        stepped = round(exact / self.step_crf) * self.step_crf
        return round(min(self.most_crf, max(self.least_crf, stepped)), 2)

    def saved_at(self, reference_crf: float) -> float:
        """log2 of how many times fewer bits the codec takes where the reference has that crf."""
        return self.saved_doublings + self.saved_per_crf * (reference_crf - self.reference_crf)

    def curve(self, reference: Curve) -> Curve:
        """The codec's curve at a resolution, over the reference's crf."""
        return msgspec.structs.replace(
            reference,
            log_rate=reference.log_rate - self.saved_at(reference.crf),
            rate_per_crf=reference.rate_per_crf - self.saved_per_crf,
            low_crf=max(reference.low_crf, self.reference_at(self.least_crf)),
            high_crf=min(reference.high_crf, self.reference_at(self.most_crf)),
        )

    def probed(self, check: Probed) -> Probed:
        """An encode at a crf of the codec's, at the reference's crf that it is like."""
        return msgspec.structs.replace(
            check, point=Point(check.point.height, self.reference_at(check.point.crf))
        )

    def own(self, point: Probed) -> Probed:
        """The other way around; the crf is rounded to one that the codec has."""
        return msgspec.structs.replace(
            point, point=Point(point.point.height, self.crf_at(point.point.crf))
        )


def fitted(expected: Likeness, curves: Sequence[Curve], checks: Sequence[Probed]) -> Likeness:
    """The likeness on one film, from one or two encodes at crfs of the codec's.

    ``curves`` are the reference's; raises ``KeyError`` where a check's height has none.
    """
    by_height = {curve.height: curve for curve in curves}
    found = []
    for check in checks:
        curve = by_height[check.point.height]
        like_crf = (
            curve.crf + (log_loss(check, curve.ceiling) - curve.log_loss) / curve.loss_per_crf
        )
        saved = math.log2(curve.rate_at(like_crf) / check.rate_kbps)
        found.append((check.point.crf, like_crf, saved))
    if not found:
        return expected
    crfs, like, saved_there = zip(*found, strict=True)
    per_crf, saved_per_crf = expected.reference_per_crf, expected.saved_per_crf
    if max(crfs) - min(crfs) >= _APART_CRF:
        told = (like[-1] - like[0]) / (crfs[-1] - crfs[0])
        per_crf = min(per_crf * STEEPER, max(per_crf / STEEPER, told))
    if max(like) - min(like) >= _APART_CRF:
        told = (saved_there[-1] - saved_there[0]) / (like[-1] - like[0])
        saved_per_crf = min(MOST_SAVED_PER_CRF, max(-MOST_SAVED_PER_CRF, told))
    return msgspec.structs.replace(
        expected,
        crf=fmean(crfs),
        reference_crf=fmean(like),
        reference_per_crf=per_crf,
        saved_doublings=fmean(saved_there),
        saved_per_crf=saved_per_crf,
    )


def shots_like(
    shots: Mapping[int, Sequence[Shot]],
    likeness: Likeness,
    checks: Sequence[Mapping[int, Probed]],
) -> dict[int, list[Shot]]:
    """By height, the shots of a codec, from the reference's.

    ``checks`` has for each shot what it gave in the checks, by height, at the reference's crf that
    they are like. What a shot gave beyond what the film as a whole tells of it is its own, and
    holds at every height.
    """
    mended = []
    for number, here in enumerate(checks):
        off = [
            (
                math.log2(check.rate_kbps / curve.rate_at(check.point.crf)),
                log_loss(check, curve.ceiling) - math.log(curve.loss_at(check.point.crf)),
            )
            for height, check in here.items()
            if (found := shots[height][number].curve) is not None
            for curve in [likeness.curve(found)]
        ]
        mended.append((_mean([rate for rate, _ in off]), _mean([loss for _, loss in off])))
    return {
        height: [_moved(shot, likeness, *each) for shot, each in zip(there, mended, strict=True)]
        for height, there in shots.items()
    }


def _moved(shot: Shot, likeness: Likeness, log_rate: float, log_of_loss: float) -> Shot:
    if shot.curve is None:
        return shot
    curve = likeness.curve(shot.curve)
    return msgspec.structs.replace(
        shot,
        crfs=(likeness.reference_at(likeness.least_crf), likeness.reference_at(likeness.most_crf)),
        curve=msgspec.structs.replace(
            curve, log_rate=curve.log_rate + log_rate, log_loss=curve.log_loss + log_of_loss
        ),
    )


def _mean(values: Sequence[float]) -> float:
    return fmean(values) if values else 0.0
