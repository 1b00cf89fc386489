"""Where a film is probed, and what came of it; the sizes of its pictures."""

from collections.abc import Sequence

import msgspec

MAX_LINES, HD_LINES = 2160, 1080
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
    """The points for a picture of ``height`` lines: two at full size (2160 lines at most), two at
    two thirds, one at half. With four of them there is one at two thirds, between the two.

    A picture of more than 1080 lines has two at half, one at two thirds and one at a quarter, for
    the lines of viewers that carry no more.
    """
    top = min(height, MAX_LINES)
    crfs = (31.0, 23.0) if most >= _ALL_POINTS else (27.0,)
    best = [Point(top, 28.0), Point(top, 20.0)]
    if top > HD_LINES:
        half = [Point(even(top / 2), crf) for crf in crfs]
        return [Point(even(top / 4), 29.0), *half, Point(even(top * 2 / 3), 27.0), *best]
    between = [Point(even(top * 2 / 3), crf) for crf in crfs]
    return [Point(even(top / 2), 29.0), *between, *best]


def check_points(points: Sequence[Point]) -> list[Point]:
    """Where another codec is tried: at the best of the reference's points, and at its poorest."""
    ordered = sorted(points, key=lambda point: (point.height, -point.crf))
    return [ordered[0], ordered[-1]]


def even(lines: float) -> int:
    """The nearest even number: 4:2:0 pictures have no odd sides."""
    return max(2, round(lines / 2) * 2)


def width_at(height: int, picture_width: int, picture_height: int) -> int:
    """The even width that keeps the picture's shape at ``height`` lines."""
    return even(height * picture_width / picture_height)
