"""The stage that looks for a film's mark in a copy of it that somebody found."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import accumulate

import msgspec
import numpy as np

from cuemark.contexts.encoding.model import alignment, watermark
from cuemark.contexts.encoding.model.watermark import LOOK_HEIGHT, LOOK_WIDTH
from cuemark.contexts.encoding.stages.pictures import decoding, film_of, told_apart
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.tools.canonical import Film
from cuemark.contexts.encoding.tools.looking import looks_argv
from cuemark.contexts.encoding.tools.run import read_frames
from cuemark.contracts.encoding.marks import MarkEvidence
from cuemark.contracts.encoding.versions import Version

CHANGES = "changes.npy"
LONGER, MORE_S = 2, 600
"""A copy may be so many times as long as its film, and so much longer: a recording of a screen."""
LEAST_FRAMES = 12
"""A segment of which a copy shows fewer frames tells nothing."""


class NoCopy(Exception):
    """The file shows nothing of the film."""


def first_frames(version: Version) -> list[int]:
    """The first frame of each of a version's segments."""
    timeline, rate = version.video_timeline, Fraction(version.frame_rate)
    ticks = accumulate(timeline.durations[:-1], initial=0)
    return [round(each * rate / timeline.timescale) for each in ticks]


def detect(
    shop: Workshop, copy_sha256: str, master_sha256: str, segments: Sequence[int], key: bytes
) -> MarkEvidence:
    """Look for the mark of ``key`` in a copy; ``segments`` are the first frames of the film's.

    Both files are kept as masters are, and inspected. Raises ``NoCopy``.
    """
    copy, film = film_of(shop, copy_sha256), film_of(shop, master_sha256)
    rate = film.master.picture.rate
    if _lasts_s(copy) > LONGER * _lasts_s(film) + MORE_S:
        raise NoCopy("the file is far longer than the film: cut out what may be of it")
    changes = _changes(shop, copy_sha256, rate)
    if len(changes) < LEAST_FRAMES:
        raise NoCopy("the file shows less than a segment of this film")
    at, agreement = alignment.offset(changes, _changes(shop, master_sha256, rate))
    if agreement < alignment.sure(len(changes)):
        raise NoCopy("the file shows nothing of this film that could be told")
    told = np.zeros(film.master.frames)
    shown = np.zeros(film.master.frames, bool)
    frame = max(0, at)
    copied, meant = _looks(shop, copy, rate), _looks(shop, film, rate, frame)
    for here, there in _beside(_from(copied, max(0, -at)), meant):
        end = min(frame + len(here), film.master.frames)
        told[frame:end] = watermark.evidence(here, there, key)[: end - frame]
        shown[frame:end] = True
        frame = end
    values = []
    for begin, end in zip(segments, [*segments[1:], film.master.frames], strict=True):
        here = told[begin:end][shown[begin:end]]
        values.append(float(here.mean()) if len(here) >= LEAST_FRAMES else 0.0)
    seen_segments = np.flatnonzero(values)
    if not len(seen_segments):
        raise NoCopy("the file shows less than a segment of this film")
    first, last = int(seen_segments[0]), int(seen_segments[-1])
    return MarkEvidence(
        first_segment=first,
        values=[round(value, 4) for value in values[first : last + 1]],
        agreement=round(agreement, 4),
    )


def _lasts_s(film: Film) -> float:
    return float(film.master.frames / film.master.picture.rate)


def _changes(shop: Workshop, sha256: str, rate: Fraction) -> np.ndarray:
    """What changes from frame to frame of a film; kept, as a film is searched for in many files."""
    film = film_of(shop, sha256)
    key = shop.key("changes", sha256, [rate.numerator, rate.denominator], *told_apart(film))
    if not shop.has(key):
        parts, before = [], None
        for frames in _looks(shop, film, rate):
            joined = frames if before is None else np.concatenate([before, frames])
            parts.append(alignment.changes(joined).astype(np.float16))
            before = frames[-1:]
        if not parts:
            raise NoCopy("the file has no picture that could be decoded")
        with shop.making(key) as folder:
            np.save(folder / CHANGES, np.concatenate(parts))
    return np.asarray(np.load(shop.path(key, CHANGES)).astype(np.float32))


def _looks(shop: Workshop, film: Film, rate: Fraction, first: int = 0) -> Iterator[np.ndarray]:
    """The film's frames at ``rate`` from its own frame ``first`` on, some at a time."""
    faster = max(Fraction(1), rate / film.master.picture.rate)
    frames = round(film.master.frames * faster) + 1
    limits = decoding(film, film.master.frames)
    limits = msgspec.structs.replace(
        limits, stdout_bytes=limits.stdout_bytes + frames * LOOK_WIDTH * LOOK_HEIGHT
    )
    argv = looks_argv(shop.programs.ffmpeg, film, rate, first)
    for block in read_frames(argv, LOOK_WIDTH * LOOK_HEIGHT, limits, reads=film.reads):
        yield np.frombuffer(block, np.uint8).reshape(-1, LOOK_HEIGHT, LOOK_WIDTH)


def _beside(
    seen: Iterator[np.ndarray], meant: Iterator[np.ndarray]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Frames of both, as many of one as of the other, until one ends."""
    left = right = np.empty((0, LOOK_HEIGHT, LOOK_WIDTH), np.uint8)
    while True:
        if not len(left):
            left = next(seen, left)
        if not len(right):
            right = next(meant, right)
        both = min(len(left), len(right))
        if not both:
            return
        yield left[:both], right[:both]
        left, right = left[both:], right[both:]


def _from(frames: Iterator[np.ndarray], first: int) -> Iterator[np.ndarray]:
    for block in frames:
        if first < len(block):
            yield block[first:]
        first = max(0, first - len(block))
