"""The boxes of a version's tracks: what each file holds, and where that is not as it must be.

ISO/IEC 14496-12 (files), 23001-7 (common encryption), 23000-19 (CMAF), 14496-15 (NAL units).
"""

import struct
from collections.abc import Mapping, Sequence
from itertools import pairwise

import msgspec

from cuemark.contexts.encoding.model.boxes import BoxesInvalid, boxes, find
from cuemark.contexts.encoding.model.validation import encryption
from cuemark.contexts.encoding.model.validation.encryption import Stretch
from cuemark.contexts.encoding.model.validation.findings import Finding, error
from cuemark.contexts.encoding.model.validation.samples import (
    NOT_SYNC,
    Defaults,
    Init,
    at_least,
    decode_time,
    is_idr,
    samples_of,
)
from cuemark.contexts.encoding.model.watermark import VARIANTS
from cuemark.contracts.encoding.validation import Check
from cuemark.contracts.protection import Scheme


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A media segment: when it begins and how long it lasts, in ticks, and what it begins with.

    ``idr`` is None where the samples are of a kind whose units are not read here, and ``ivs`` where
    it does not say how they are encrypted.
    """

    start: int
    duration: int
    samples: int
    sync: bool
    idr: bool | None
    ivs: list[Stretch] | None


class Begun(msgspec.Struct, frozen=True):
    """An init segment that holds from the segment ``first`` on, counted from 1."""

    first: int
    init: Init


class Track(msgspec.Struct, frozen=True, kw_only=True):
    """A track as read from its files. ``pictures`` tells a rendition from a sound track.

    ``later`` has the init segments of its crypto periods after the first one.
    """

    track_id: str
    pictures: bool
    init: Init
    segments: list[Segment]
    later: list[Begun] = []

    def init_at(self, number: int) -> Init:
        """The init segment that the segment ``number``, from 1, needs."""
        before = [each.init for each in self.later if each.first <= number]
        return before[-1] if before else self.init

    @property
    def samples(self) -> int:
        return sum(segment.samples for segment in self.segments)

    @property
    def ivs(self) -> dict[str, list[Stretch]]:
        """The IVs of all samples of each crypto period, by how a sentence calls the track there;
        none where the samples share one, or where none is told."""
        firsts = [1, *(each.first for each in self.later), len(self.segments) + 1]
        found: dict[str, list[Stretch]] = {}
        for period, (first, end) in enumerate(pairwise(firsts), 1):
            name = self.track_id if not self.later else f"{self.track_id} in period {period}"
            found[name] = []
            for each in self.segments[first - 1 : end - 1]:
                found[name] = encryption.joined(found[name], each.ivs or [])
        return found

    @property
    def begins_s(self) -> float:
        """When the first sample is presented; negative where the first ones are not."""
        return (self.segments[0].start - self.init.shift) / self.init.timescale

    @property
    def lasts_s(self) -> float:
        return sum(segment.duration for segment in self.segments) / self.init.timescale


def segment_of(data: bytes, init: Init) -> Segment:
    """Read a media segment and hold its boxes against one another; raises ``BoxesInvalid``."""
    whole = memoryview(data)
    sizes = [(kind, len(body) + 8) for kind, body in boxes(whole)]
    if sum(size for _, size in sizes) != len(data):
        raise BoxesInvalid("a media segment has bytes after its last box")
    moofs = [body for kind, body in boxes(whole) if kind == b"moof"]
    mdats = [body for kind, body in boxes(whole) if kind == b"mdat"]
    if not moofs or len(moofs) != len(mdats):
        raise BoxesInvalid(f"a media segment has {len(moofs)} moof and {len(mdats)} mdat boxes")
    fragments = [_fragment(moof, mdat, init) for moof, mdat in zip(moofs, mdats, strict=True)]
    for before, after in pairwise(fragments):
        if before.start + before.duration != after.start:
            raise BoxesInvalid("the fragments of a segment do not follow one another")
    duration = sum(fragment.duration for fragment in fragments)
    media_bytes = sum(size for kind, size in sizes if kind in (b"moof", b"mdat"))
    # What the edit list leaves out at the beginning is no part of what a sidx box counts.
    left_out = max(0, init.shift - fragments[0].start)
    _check_sidx(whole, media_bytes, duration - left_out, init.timescale)
    return msgspec.structs.replace(
        fragments[0],
        duration=duration,
        samples=sum(fragment.samples for fragment in fragments),
        ivs=_all_ivs(fragments),
    )


def _all_ivs(fragments: Sequence[Segment]) -> list[Stretch] | None:
    found: list[Stretch] = []
    for each in fragments:
        if each.ivs is None:
            return None
        found = encryption.joined(found, each.ivs)
    return found


def _check_sidx(segment: memoryview, media_bytes: int, duration: int, timescale: int) -> None:
    """The index of a segment is optional; what it says must be so (8.16.3)."""
    for kind, body in boxes(segment):
        if kind != b"sidx":
            continue
        at_least(body, 24, "sidx")
        at = 28 if body[0] == 1 else 20
        at_least(body, at + 4, "sidx")
        scale, count = (
            int.from_bytes(body[8:12], "big"),
            int.from_bytes(body[at + 2 : at + 4], "big"),
        )
        at_least(body, at + 4 + 12 * count, "sidx")
        references = [struct.unpack_from(">II", body, at + 4 + 12 * n) for n in range(count)]
        if sum(size & 0x7FFFFFFF for size, _ in references) != media_bytes:
            raise BoxesInvalid("a sidx box states another size than its fragments have")
        if sum(ticks for _, ticks in references) * timescale != duration * scale:
            raise BoxesInvalid("a sidx box states another duration than its fragments have")


def _fragment(moof: memoryview, mdat: memoryview, init: Init) -> Segment:
    traf = find(moof, b"traf")
    start = decode_time(find(traf, b"tfdt"))
    defaults = Defaults(find(traf, b"tfhd"), init)
    sizes: list[int] = []
    duration, first_flags = 0, None
    for kind, body in boxes(traf):
        if kind == b"trun":
            for lasts, size, flags in samples_of(body, defaults):
                duration += lasts
                sizes.append(size)
                first_flags = flags if first_flags is None else first_flags
    if first_flags is None:
        raise BoxesInvalid("a fragment has no sample")
    if sum(sizes) != len(mdat):
        raise BoxesInvalid(
            f"the samples of a fragment have {sum(sizes)} bytes and its mdat box {len(mdat)}"
        )
    return Segment(
        start=start,
        duration=duration,
        samples=len(sizes),
        sync=not first_flags & NOT_SYNC,
        idr=is_idr(mdat[: sizes[0]], init),
        ivs=encryption.ivs_of(traf, len(sizes), init.encryption.iv_bytes),
    )


def track_findings(track: Track, kids: Sequence[str], scheme: Scheme) -> list[Finding]:
    """What is wrong in one track that should be encrypted by ``scheme`` with the keys ``kids``, one
    for each of its crypto periods."""
    name, init = track.track_id, track.init
    found = encryption.stated_findings(name, init.encryption, kids[0], scheme)
    if len(kids) != 1 + len(track.later):
        text = f"{name} has {1 + len(track.later)} crypto periods and should have {len(kids)}"
        found.append(error("protection", text))
    for number, (each, kid) in enumerate(zip(track.later, kids[1:], strict=False), 2):
        where = f"{name} in period {number}"
        found += encryption.stated_findings(where, each.init.encryption, kid, scheme)
        same = msgspec.structs.replace(each.init, encryption=init.encryption, shift=init.shift)
        if same != init:
            text = f"{where} is set up otherwise than before, and not by its key alone"
            found.append(error("protection", text))
    if clear := [n for n, each in enumerate(track.segments, 1) if each.ivs is None]:
        found.append(
            error("protection", f"{name} does not say how segment {clear[0]} is encrypted")
        )
    for number, (before, after) in enumerate(pairwise(track.segments), 2):
        shifted = track.init_at(number - 1).shift - track.init_at(number).shift
        late = after.start - before.start - before.duration + shifted
        if late:
            late_s = late / init.timescale
            found.append(
                error(
                    "continuity",
                    f"segment {number} of {name} begins {abs(late_s):.3f} s "
                    f"{'after' if late_s > 0 else 'before'} the end of the one before it",
                )
            )
            break
    if track.pictures:
        bad = [n for n, each in enumerate(track.segments, 1) if not each.sync or each.idr is False]
        if bad:
            found.append(
                error(
                    "idr",
                    f"segment {bad[0]} of {name} does not begin with an IDR frame"
                    + (f", nor do {len(bad) - 1} more" if len(bad) > 1 else ""),
                )
            )
    return found


def alignment_findings(tracks: Sequence[Track]) -> list[Finding]:
    """Where the segments of renditions begin at other times than those of the first one."""
    pictures = [track for track in tracks if track.pictures]
    found = []
    for other in pictures[1:]:
        here, there = (_starts(track) for track in (pictures[0], other))
        if here == there:
            continue
        place = next(
            (n for n, pair in enumerate(zip(here, there, strict=False)) if pair[0] != pair[1]),
            min(len(here), len(there)),
        )
        found.append(
            error(
                "alignment",
                f"the segments of {other.track_id} do not begin where those of "
                f"{pictures[0].track_id} do, from segment {place + 1} on",
            )
        )
    return found


def _starts(track: Track) -> list[float]:
    scale = track.init.timescale
    return [round(each.start / scale, 6) for each in track.segments]


CHECKS: tuple[Check, ...] = (
    "structure",
    "protection",
    "continuity",
    "idr",
    "alignment",
    "frames",
    "duration",
)

DURATION_S = 0.1
"""Sound ends within so much of the picture: two frames of AAC and one of the picture, rounded."""


def duration_findings(tracks: Sequence[Track], film_frames: int, film_s: float) -> list[Finding]:
    """Where a track is shorter or longer than the film."""
    found = []
    for track in tracks:
        if track.pictures and track.samples != film_frames:
            found.append(
                error(
                    "frames",
                    f"{track.track_id} has {track.samples} frames and the film {film_frames}",
                )
            )
            continue
        lasts_s = track.lasts_s + min(0.0, track.begins_s)
        if abs(lasts_s - film_s) > DURATION_S:
            found.append(
                error(
                    "duration",
                    f"{track.track_id} lasts {lasts_s:.2f} s and the film {film_s:.2f} s",
                )
            )
    return found


def sizes_of(files: Mapping[str, int], track_id: str) -> list[int]:
    """The sizes of a track's segments, or of the larger of their variants, in their order, from
    those of a version's files."""
    sizes: list[int] = []
    while there := [
        files[path]
        for variant in ("", *VARIANTS)
        if (path := f"{track_id}/{variant}{len(sizes) + 1}.m4s") in files
    ]:
        sizes.append(max(there))
    return sizes
