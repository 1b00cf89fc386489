"""Film grain, and from where on it is synthesized.

That is AV1's (Norkin, Birkbeck, "Film Grain Synthesis for AV1 Video Codec", DCC 2018; AV1
specification, section 7.18.3): the encoder takes the grain away and says how it was, and the
decoder makes other grain that looks the same.
"""

from collections.abc import Sequence

import msgspec

FROM_SIGMA = 1.5
"""From how much grain on it is synthesized."""
LEVEL_OF_SIGMA = 6.0
"""A higher level takes away detail faster than it saves bits; this one gives back two thirds of the
grain where the encoder leaves nothing of it, and more where it does."""
MOST_LEVEL = 50


class Grain(msgspec.Struct, frozen=True):
    """What was found: standard deviation of luma in codes of 8 bits, 0 where there is none, and of
    how many excerpts it could be told."""

    sigma: float
    told: int


class Synthesis(msgspec.Struct, frozen=True):
    """Grain that is synthesized: its sigma in the master, and the lines of that."""

    sigma: float
    lines: int

    def level(self, lines: int) -> int:
        """SVT-AV1's level (``film-grain``) in a rung of so many lines; 0: it has too little left.

        Scaling down averages grain away: what has half the lines has half the sigma, where grains
        are no larger than a sample.
        """
        sigma = self.sigma * min(1.0, lines / self.lines)
        return 0 if sigma < FROM_SIGMA else min(MOST_LEVEL, max(1, round(LEVEL_OF_SIGMA * sigma)))


def synthesis(grain: Grain, lines: int) -> Synthesis | None:
    """What is synthesized of a film of so many lines; none of one that has next to no grain."""
    return Synthesis(grain.sigma, lines) if grain.sigma >= FROM_SIGMA else None


def told(sigma: float, levels: Sequence[tuple[int, int]]) -> str:
    """What was found and done, as a sentence without its full stop; ``levels`` are by lines."""
    by_lines = sorted(set(levels), reverse=True)
    made = [f"{level} at {lines} lines" for lines, level in by_lines if level]
    left = [f"{lines}" for lines, level in by_lines if not level]
    said = f"grain: sigma {sigma:g}, synthesized at level {', '.join(made)}"
    if not made:
        said = f"grain: sigma {sigma:g}, of which too little is left to synthesize"
    return f"{said}; too little is left at {', '.join(left)} lines" if made and left else said
