"""Curves for the shots that no probe saw, from the quick version, which shows every shot.

What a shot takes and loses at one recipe tells much of what it does at another: a shot that takes
twice the bits of its neighbour in a fast encode takes about twice the bits in a slow one. So for
each resolution two lines are fitted through the shots that both were seen in: from the log rate
of the quick rendition to that of the probes, and likewise for the log loss. How a shot's rate and
loss change with the crf is taken to be as for the whole film.

The lines are least squares, drawn towards a slope of one (ridge regression: Hoerl, Kennard,
Technometrics 12(1), 1970): with few shots, or shots that are all alike, they are an offset alone.
"""

import math
from collections.abc import Sequence

import msgspec

from cuemark.contexts.encoding.model.curves import log_loss
from cuemark.contexts.encoding.model.probes import Probed
from cuemark.contexts.encoding.model.shot_crfs import Shot, Shots

LIKENESS = 1.0
"""How strongly a line is drawn towards a slope of one: as by four shots half a unit off."""


class Line(msgspec.Struct, frozen=True):
    """``y`` over ``x``: through the middle of what was seen, no further than what was seen."""

    middle: float
    height: float
    slope: float
    least: float
    most: float

    def at(self, x: float) -> float:
        inside = min(self.most, max(self.least, x))
        return self.height + self.slope * (inside - self.middle) + (x - inside)


def line(pairs: Sequence[tuple[float, float]]) -> Line:
    """The line through (x, y); beyond the pairs it goes on with a slope of one."""
    middle = math.fsum(x for x, _ in pairs) / len(pairs)
    height = math.fsum(y for _, y in pairs) / len(pairs)
    spread = math.fsum((x - middle) ** 2 for x, _ in pairs)
    shared = math.fsum((x - middle) * (y - height) for x, y in pairs)
    return Line(
        middle=middle,
        height=height,
        slope=max(0.0, (shared + LIKENESS) / (spread + LIKENESS)),
        least=min(x for x, _ in pairs),
        most=max(x for x, _ in pairs),
    )


def completed(
    found: Shots,
    quick: Sequence[Probed | None],
    ceilings: Sequence[float],
    spreads: Sequence[float],
) -> list[Shot]:
    """The shots with a curve for those that no probe saw, where the quick version has them.

    ``quick`` has what each shot took and measured there, none where that was not measured,
    ``spreads`` the standard deviation of its frames, and ``ceilings`` where VMAF ends for it.
    """
    there = [
        None if probed is None else (math.log2(probed.rate_kbps), log_loss(probed, ceiling))
        for probed, ceiling in zip(quick, ceilings, strict=False)
    ]
    both = [
        (point, shot.curve)
        for point, shot in zip(there, found.shots, strict=True)
        if point is not None and shot.curve is not None
    ]
    if not both:
        return found.shots
    rates = line([(log_rate, curve.log_rate) for (log_rate, _), curve in both])
    losses = line([(log_of_loss, curve.log_loss) for (_, log_of_loss), curve in both])
    return [
        shot
        if shot.curve is not None or point is None
        else msgspec.structs.replace(
            shot,
            curve=msgspec.structs.replace(
                found.title,
                log_rate=rates.at(point[0]),
                log_loss=losses.at(point[1]),
                ceiling=ceiling,
            ),
            spread=spread,
        )
        for point, shot, ceiling, spread in zip(there, found.shots, ceilings, spreads, strict=False)
    ]
