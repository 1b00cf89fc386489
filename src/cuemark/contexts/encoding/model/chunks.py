"""How a film is cut for encoding: IDR frames, and chunks of whole shots.

Every rendition has its IDR frames at the same places: at each cut, and within a shot at most
``GOP_S`` apart, so segments align across renditions and a switch shows no seam. A chunk is the
unit of an encode: it begins at an IDR, so chunks are encoded apart and joined.
"""

import math
from collections.abc import Sequence
from fractions import Fraction

import msgspec

GOP_S = 2.0
CHUNK_MIN_S, CHUNK_MAX_S = 4.0, 8.0


class Chunk(msgspec.Struct, frozen=True):
    """Frames ``start`` to ``end`` (not included); ``idrs`` count from ``start``, 0 first."""

    index: int
    start: int
    end: int
    idrs: list[int]

    @property
    def frames(self) -> int:
        return self.end - self.start


def idr_frames(starts: list[int], frames: int, rate: Fraction) -> list[int]:
    """The IDR frames of a film: each shot is parted evenly into pieces of ``GOP_S`` at most."""
    longest = max(1, int(GOP_S * rate))
    idrs: list[int] = []
    for start, end in zip(starts, [*starts[1:], frames], strict=True):
        pieces = math.ceil((end - start) / longest)
        idrs += [start + piece * (end - start) // pieces for piece in range(pieces)]
    return idrs


def chunk_plan(starts: list[int], frames: int, rate: Fraction) -> list[Chunk]:
    """Chunks of about 4 to 8 s that cover the film, cut between shots where that is possible."""
    idrs = idr_frames(starts, frames, rate)
    cuts = set(starts)
    least, most = CHUNK_MIN_S * float(rate), CHUNK_MAX_S * float(rate)
    bounds = [0]
    while frames - bounds[-1] > most:
        ahead = [idr for idr in idrs if bounds[-1] + least <= idr <= bounds[-1] + most]
        at_cut = [idr for idr in ahead if idr in cuts]
        bounds.append((at_cut or ahead)[-1])
    bounds = _spread_the_end(bounds, frames, idrs, least)
    return [
        Chunk(index, start, end, [idr - start for idr in idrs if start <= idr < end])
        for index, (start, end) in enumerate(zip(bounds, [*bounds[1:], frames], strict=True))
    ]


def _spread_the_end(bounds: list[int], frames: int, idrs: list[int], least: float) -> list[int]:
    """Move the last bound back where the last chunk would be shorter than ``least``."""
    if len(bounds) < 2 or frames - bounds[-1] >= least:
        return bounds
    middle = (bounds[-2] + frames) / 2
    within = [idr for idr in idrs if bounds[-2] < idr < frames]
    return [*bounds[:-1], min(within, key=lambda idr: abs(idr - middle))]


def excerpts(chunks: list[Chunk], most: int, frames: int) -> list[tuple[int, int]]:
    """The first ``frames`` of up to ``most`` chunks spread evenly over the film."""
    count = min(most, len(chunks))
    picked = [chunks[(2 * n + 1) * len(chunks) // (2 * count)] for n in range(count)]
    return [(chunk.start, min(chunk.start + frames, chunk.end)) for chunk in picked]


def sampled(chunks: Sequence[Chunk], most_frames: int, hardness: Sequence[float]) -> list[Chunk]:
    """Chunks that together have about ``most_frames``, as easy and as hard as those of the film.

    A systematic sample of the chunks in the order of their ``hardness`` (Cochran, "Sampling
    Techniques", 1977, chapter 8): its mean rate strays less from the film's than that of as many
    chunks taken at even distances in time.
    """
    total = sum(chunk.frames for chunk in chunks)
    if total <= most_frames:
        return [*chunks]
    wanted = max(1, len(chunks) * most_frames // total)
    order = sorted(range(len(chunks)), key=lambda number: hardness[number])
    taken = {order[(2 * n + 1) * len(order) // (2 * wanted)] for n in range(wanted)}
    return [chunks[number] for number in sorted(taken)]
