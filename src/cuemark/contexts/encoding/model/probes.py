"""Where a film is probed, and what came of it; the sizes of its pictures."""

from collections.abc import Sequence

import msgspec

MAX_LINES, HD_LINES = 2160, 1080
FIRST_STEP = 0.95
"""Of the lines: what is finer than the picture goes with the first step down."""
BEST_CRF = 23.0
_ALL_POINTS = 5


class Point(msgspec.Struct, frozen=True, order=True):
    """Where to encode: lines of the picture, and x264's constant rate factor."""

    height: int
    crf: float


class Probed(msgspec.Struct, frozen=True):
    """What an encode at a point gave."""

    point: Point
    rate_kbps: float
    vmaf: float


def probe_points(height: int, most: int = 5) -> list[Point]:
    """The points for a picture of ``height`` lines, the smallest size first.

    One at full size (2160 lines at most), one just below, two at two thirds, which tell how steep
    the film is, and one at half. Of four of them two are at full size, one each at two thirds and
    half. A picture of more than 1080 lines has one more, at a quarter, for the lines of viewers
    that carry no more, and its two at half.
    """
    top = min(height, MAX_LINES)
    large = top > HD_LINES
    if most < _ALL_POINTS:
        shares = [*([(1 / 4, 29.0)] if large else []), (1 / 2, 29.0), (2 / 3, 29.0)]
        shares += [(1.0, 28.0), (1.0, 20.0)]
    else:
        steep = 1 / 2 if large else 2 / 3
        shares = [(steep / 2 if large else 1 / 2, 29.0), (steep, 31.0), (steep, BEST_CRF)]
        shares += [*([(2 / 3, 30.0)] if large else []), (FIRST_STEP, 30.0), (1.0, 28.0)]
    return [Point(even(top * share), crf) for share, crf in shares]


def check_points(points: Sequence[Point]) -> list[Point]:
    """Where another codec is tried: at the smallest of the reference's sizes, and at the largest
    with the best crf."""
    ordered = sorted(points, key=lambda point: (point.height, -point.crf))
    return [ordered[0], Point(ordered[-1].height, min(point.crf for point in points))]


def even(lines: float) -> int:
    """The nearest even number: 4:2:0 pictures have no odd sides."""
    return max(2, round(lines / 2) * 2)


def width_at(height: int, picture_width: int, picture_height: int) -> int:
    """The even width that keeps the picture's shape at ``height`` lines."""
    return even(height * picture_width / picture_height)
