"""The small pictures that a player shows over its seek bar: which frames, how large, how laid out.

Tiles of one size stand on sheets, from left to right and then from top to bottom; a tile shows the
frame at the beginning of its time (DASH-IF IOP 4.3 section 6.2.6; Image Media Playlist for HLS 0.4,
May and others, 2019). All counts are of frames, so that both manifests state times exactly.
"""

import math
from fractions import Fraction

import msgspec

TILE_WIDTH, TILE_HEIGHT = 320, 180
"""No tile is larger. A film of another shape fills one side; none is scaled up."""
SHEET_SIDE = 1080
"""What Roku's low-end players take of a sheet (developer.roku.com, "HLS and DASH")."""
MOST_A_SIDE = 6
MOST_TILES = 720
STEPS_S = (1, 2, 5, 10, 20, 30, 60, 120)
"""How long a tile may stand: the first with which the film has ``MOST_TILES`` at most."""


class Tiling(msgspec.Struct, frozen=True, kw_only=True):
    """``tiles`` pictures of every ``every_frames``-th frame, frame 0 first; sizes in pixels."""

    tile_width: int
    tile_height: int
    columns: int
    rows: int
    every_frames: int
    tiles: int

    @property
    def tiles_a_sheet(self) -> int:
        return self.columns * self.rows

    @property
    def sheets(self) -> int:
        """How many sheets there are; the last may end in black tiles."""
        return math.ceil(self.tiles / self.tiles_a_sheet)

    def sheet_frames(self, frames: int) -> list[int]:
        """For how many frames of a film of ``frames`` each sheet stands, in order."""
        span = self.every_frames * self.tiles_a_sheet
        return [min(span, frames - start) for start in range(0, frames, span)]


def tiling(width: int, height: int, frames: int, rate: Fraction) -> Tiling:
    """The tiles of a film by its picture (square samples), its length and its frames a second."""
    scale = min(Fraction(1), Fraction(TILE_WIDTH, width), Fraction(TILE_HEIGHT, height))
    tile_width, tile_height = _even(width * scale), _even(height * scale)
    every = next(
        (
            every
            for every in (max(1, round(step_s * rate)) for step_s in STEPS_S)
            if math.ceil(frames / every) <= MOST_TILES
        ),
        max(1, round(STEPS_S[-1] * rate)),
    )
    tiles = math.ceil(frames / every)
    columns = min(SHEET_SIDE // tile_width, MOST_A_SIDE, tiles)
    rows = min(SHEET_SIDE // tile_height, MOST_A_SIDE, math.ceil(tiles / columns))
    return Tiling(
        tile_width=tile_width,
        tile_height=tile_height,
        columns=columns,
        rows=rows,
        every_frames=every,
        tiles=tiles,
    )


def _even(side: Fraction) -> int:
    return max(2, round(side / 2) * 2)
