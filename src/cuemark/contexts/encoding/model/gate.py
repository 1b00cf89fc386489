"""The quality gates: what a rendition must measure before it may be published."""

import math
from collections.abc import Sequence

import msgspec

WITHIN_VMAF, PUBLISHED_WITHIN_VMAF = 1.0, 2.0
"""How far a rung may lie off its prediction: to be good, and after all its corrections."""
BROKEN_SHOT_VMAF = 12.0
BROKEN_SHOT_DB = 6.0
"""How far the PSNR of a shot may lie under the worst probe's: a quarter of its error."""
QUICK_TOP_VMAF, QUICK_LOW_VMAF = 80.0, 50.0
"""The gate of a quick version, on samples: mean VMAF of its upper and its lower rung."""
MARK_VMAF = 6.0
"""The most that a mark may cost a rung of its mean VMAF: as much as a viewer just notices."""


class Scores(msgspec.Struct, frozen=True):
    """VMAF of sampled frames: frame numbers of the film, ascending, and a score for each.

    ``neg`` (VMAF NEG), ``cambi`` (banding) and ``raw`` (VMAF that is not clipped to 0 and 100) are
    of the same frames, where they were measured. So is ``psnr``: that of luma in dB, in the codes
    of a rendition of high dynamic range, whose VMAF is measured in standard range.
    """

    frames: list[int]
    vmaf: list[float]
    neg: list[float] = []
    cambi: list[float] = []
    raw: list[float] = []
    psnr: list[float] = []

    @property
    def mean(self) -> float:
        return math.fsum(self.vmaf) / len(self.vmaf)

    @property
    def p5(self) -> float:
        """The fifth percentile (nearest rank): what the worst moments look like."""
        return sorted(self.vmaf)[max(0, math.ceil(0.05 * len(self.vmaf)) - 1)]


def joined(parts: list[Scores]) -> Scores:
    """The scores of several stretches of one film as one."""
    ordered = sorted((each for each in parts if each.frames), key=lambda each: each.frames[0])
    return Scores(
        *(
            [value for each in ordered for value in getattr(each, name)]
            for name in Scores.__struct_fields__
        )
    )


def by_shot(scores: Scores, starts: list[int]) -> dict[int, float]:
    """Mean VMAF by the first frame of the shot; shots without a sampled frame are left out."""
    sums: dict[int, list[float]] = {}
    shot = 0
    for frame, score in zip(scores.frames, scores.vmaf, strict=True):
        while shot + 1 < len(starts) and starts[shot + 1] <= frame:
            shot += 1
        sums.setdefault(starts[shot], []).append(score)
    return {start: math.fsum(found) / len(found) for start, found in sums.items()}


def broken_shots(
    scores: Scores,
    probes: Sequence[Scores],
    starts: list[int],
    predicted: Sequence[float | None] = (),
) -> list[int]:
    """The shots that measure far below what the worst probe of them measured, and what they were
    ``predicted`` to measure, in the order of ``starts``.

    No choice of crf explains that: the pictures are not those of the master at that place
    (shots in a wrong order, lost or doubled frames), so no encode can mend it. A shot of which
    neither is known is held to the worst shot that a probe saw.
    """
    worst: dict[int, float] = {}
    for probe in probes:
        for start, mean in by_shot(probe, starts).items():
            worst[start] = min(mean, worst.get(start, mean))
    floor = min(worst.values(), default=0.0)
    for start, vmaf in zip(starts, predicted, strict=False):
        if vmaf is not None:
            worst[start] = min(vmaf, worst.get(start, vmaf))
    return [
        start
        for start, mean in by_shot(scores, starts).items()
        if mean < worst.get(start, floor) - BROKEN_SHOT_VMAF
    ]


def broken_among(scores: Scores, probes: Sequence[Scores], starts: list[int]) -> list[int]:
    """``broken_shots`` of a rung that is held to no quality: those that lie as far below the worst
    probe beyond what the rung as a whole does. Of none of its shots that can be told alone."""
    below = max(0.0, min(probe.mean for probe in probes) - scores.mean)
    lifted = msgspec.structs.replace(scores, vmaf=[vmaf + below for vmaf in scores.vmaf])
    return broken_shots(lifted, probes, starts)


def crushed_shots(scores: Scores, probes: Sequence[Scores], starts: list[int]) -> list[int]:
    """The shots of a rung of high dynamic range whose codes are far off those of every probe.

    VMAF is measured in standard range, where highlights are compressed: an encode that lost them
    alone shows in its codes. Of a shot that no probe saw nothing can be said: noise costs as much.
    """
    worst: dict[int, float] = {}
    for probe in probes:
        for start, mean in by_shot(_in_codes(probe), starts).items():
            worst[start] = min(mean, worst.get(start, mean))
    return [
        start
        for start, mean in by_shot(_in_codes(scores), starts).items()
        if start in worst and mean < worst[start] - BROKEN_SHOT_DB
    ]


def _in_codes(scores: Scores) -> Scores:
    """PSNR in the place of VMAF; nothing where there is none."""
    return Scores(scores.frames if scores.psnr else [], scores.psnr)


def meets_prediction(vmaf: float, scores: Scores) -> bool:
    """Whether a rung measures what was predicted, on frames that the prediction was told from."""
    return abs(scores.mean - vmaf) <= WITHIN_VMAF


def mark_refusal(plain: Scores, marked: Scores, starts: list[int]) -> str:
    """Why a rung may not be published with its mark, next to the same one without; or nothing.

    Both are of the same frames.
    """
    cost = plain.mean - marked.mean
    if cost > MARK_VMAF:
        return f"the mark costs it {cost:.1f} VMAF, which is more than {MARK_VMAF:g}"
    if broken := broken_shots(marked, [plain], starts):
        return f"marked, it does not show the film in the shot that begins with frame {broken[0]}"
    return ""


def quick_gate(scores: Scores, *, top: bool) -> bool:
    """Whether a rung of a quick version may be published."""
    return scores.mean >= (QUICK_TOP_VMAF if top else QUICK_LOW_VMAF)
