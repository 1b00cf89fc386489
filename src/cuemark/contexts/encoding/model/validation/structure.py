"""The boxes of a version's tracks: what each file holds, and where that is not as it must be.

ISO/IEC 14496-12 (files), 23001-7 (common encryption), 23000-19 (CMAF), 14496-15 (NAL units).
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import msgspec

from cuemark.contexts.encoding.model.boxes import BoxesInvalid, boxes, default_duration, find
from cuemark.contexts.encoding.model.boxes import timescale as timescale_of
from cuemark.contexts.encoding.model.validation import encryption
from cuemark.contexts.encoding.model.validation.encryption import Encryption, Stretch
from cuemark.contexts.encoding.model.validation.findings import Finding, error
from cuemark.contracts.encoding import Check
from cuemark.contracts.protection import Scheme

_ENTRY_BYTES = {b"encv": 78, b"avc1": 78, b"hvc1": 78, b"hev1": 78, b"av01": 78}
_SOUND_ENTRY_BYTES = 28
_NOT_SYNC = 0x10000
MOST_SAMPLES = 1_000_000
"""In a run: a segment has a few seconds."""
_AVC_IDR = 5
_HEVC_IDR = (19, 20)
"""IDR_W_RADL and IDR_N_LP (ITU-T H.265 table 7-1)."""


class Init(msgspec.Struct, frozen=True, kw_only=True):
    """What an init segment says of its track.

    ``codec`` is the four letters of the samples in the clear. ``shift`` is the media time, in
    ticks, that the edit list presents first.
    ``length_bytes`` is the size of a NAL unit's length, 0 where there are none.
    """

    codec: str
    timescale: int
    shift: int
    encryption: Encryption
    length_bytes: int
    trex_duration: int
    trex_flags: int


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


class Track(msgspec.Struct, frozen=True, kw_only=True):
    """A track as read from its files. ``pictures`` tells a rendition from a sound track."""

    track_id: str
    pictures: bool
    init: Init
    segments: list[Segment]

    @property
    def samples(self) -> int:
        return sum(segment.samples for segment in self.segments)

    @property
    def ivs(self) -> list[Stretch]:
        """The IVs of all samples; none where the samples share one, or where none is told."""
        found: list[Stretch] = []
        for each in self.segments:
            found = encryption.joined(found, each.ivs or [])
        return found

    @property
    def begins_s(self) -> float:
        """When the first sample is presented; negative where the first ones are not."""
        return (self.segments[0].start - self.init.shift) / self.init.timescale

    @property
    def lasts_s(self) -> float:
        return sum(segment.duration for segment in self.segments) / self.init.timescale


def init_of(data: bytes) -> Init:
    """Read an init segment; raises ``BoxesInvalid``."""
    whole = memoryview(data)
    moov = find(whole, b"moov")
    if any(kind == b"mdat" for kind, _ in boxes(whole)):
        raise BoxesInvalid("an init segment holds media")
    if len([kind for kind, _ in boxes(moov) if kind == b"trak"]) != 1:
        raise BoxesInvalid("an init segment has another number of tracks than one")
    entry = next(boxes(find(moov, b"trak", b"mdia", b"minf", b"stbl", b"stsd")[8:]), None)
    if entry is None:
        raise BoxesInvalid("the init segment has no sample entry")
    kind, body = entry
    inside = body[_ENTRY_BYTES.get(kind, _SOUND_ENTRY_BYTES) :]
    codec, stated = bytes(kind), Encryption()
    if kind in (b"encv", b"enca"):
        sinf = find(inside, b"sinf")
        codec = bytes(find(sinf, b"frma")[:4])
        scheme = bytes(find(sinf, b"schm")[4:8]).decode("ascii", "replace")
        stated = encryption.of_tenc(scheme, find(sinf, b"schi", b"tenc"))
    trex = find(moov, b"mvex", b"trex")
    _at_least(trex, 24, "trex")
    return Init(
        codec=codec.decode("ascii", "replace"),
        timescale=timescale_of(data),
        shift=_media_time(moov),
        encryption=stated,
        length_bytes=_length_bytes(codec, inside),
        trex_duration=default_duration(data),
        trex_flags=int.from_bytes(trex[20:24], "big"),
    )


def _length_bytes(codec: bytes, entry: memoryview) -> int:
    """How long the length before each NAL unit is (14496-15, 5.3.3.1.2 and 8.3.3.1.2)."""
    if codec == b"avc1":
        record = find(entry, b"avcC")
        _at_least(record, 5, "avcC")
        return int(record[4] & 3) + 1
    if codec in (b"hvc1", b"hev1"):
        record = find(entry, b"hvcC")
        _at_least(record, 22, "hvcC")
        return int(record[21] & 3) + 1
    return 0


def _media_time(moov: memoryview) -> int:
    """The media time of the edit list's one edit (8.6.6); 0 where there is no list."""
    try:
        elst = find(moov, b"trak", b"edts", b"elst")
    except BoxesInvalid:
        return 0
    _at_least(elst, 16, "elst")
    if elst[0] == 1:
        _at_least(elst, 24, "elst")
        return int.from_bytes(elst[16:24], "big", signed=True)
    return int.from_bytes(elst[12:16], "big", signed=True)


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
        _at_least(body, 24, "sidx")
        at = 28 if body[0] == 1 else 20
        _at_least(body, at + 4, "sidx")
        scale, count = (
            int.from_bytes(body[8:12], "big"),
            int.from_bytes(body[at + 2 : at + 4], "big"),
        )
        _at_least(body, at + 4 + 12 * count, "sidx")
        references = [struct.unpack_from(">II", body, at + 4 + 12 * n) for n in range(count)]
        if sum(size & 0x7FFFFFFF for size, _ in references) != media_bytes:
            raise BoxesInvalid("a sidx box states another size than its fragments have")
        if sum(ticks for _, ticks in references) * timescale != duration * scale:
            raise BoxesInvalid("a sidx box states another duration than its fragments have")


def _fragment(moof: memoryview, mdat: memoryview, init: Init) -> Segment:
    traf = find(moof, b"traf")
    start = _tfdt(find(traf, b"tfdt"))
    defaults = _Defaults(find(traf, b"tfhd"), init)
    sizes: list[int] = []
    duration, first_flags = 0, None
    for kind, body in boxes(traf):
        if kind == b"trun":
            for lasts, size, flags in _samples(body, defaults):
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
        sync=not first_flags & _NOT_SYNC,
        idr=_is_idr(mdat[: sizes[0]], init),
        ivs=encryption.ivs_of(traf, len(sizes), init.encryption.iv_bytes),
    )


class _Defaults:
    """What a fragment says of samples that say nothing themselves (8.8.7)."""

    def __init__(self, tfhd: memoryview, init: Init) -> None:
        flags = int.from_bytes(tfhd[1:4], "big")
        at = 8 + (8 if flags & 0x1 else 0) + (4 if flags & 0x2 else 0)
        values = [init.trex_duration, 0, init.trex_flags]
        for place, bit in enumerate((0x8, 0x10, 0x20)):
            if flags & bit:
                _at_least(tfhd, at + 4, "tfhd")
                values[place] = int.from_bytes(tfhd[at : at + 4], "big")
                at += 4
        self.duration, self.size, self.flags = values


def _samples(trun: memoryview, defaults: _Defaults) -> Iterator[tuple[int, int, int]]:
    """Duration, size and flags of each sample of a run (8.8.8)."""
    _at_least(trun, 8, "trun")
    flags, count = int.from_bytes(trun[1:4], "big"), int.from_bytes(trun[4:8], "big")
    at = 8 + (4 if flags & 0x1 else 0)
    first = None
    if flags & 0x4:
        _at_least(trun, at + 4, "trun")
        first = int.from_bytes(trun[at : at + 4], "big")
        at += 4
    if count > MOST_SAMPLES:
        raise BoxesInvalid(f"a trun box tells of {count} samples")
    stride = 4 * (flags & 0xF00).bit_count()
    _at_least(trun, at + stride * count, "trun")
    for number in range(count):
        values = [defaults.duration, defaults.size, defaults.flags]
        here = at + number * stride
        for place, bit in enumerate((0x100, 0x200, 0x400)):
            if flags & bit:
                values[place] = int.from_bytes(trun[here : here + 4], "big")
                here += 4
        if number == 0 and first is not None:
            values[2] = first
        yield values[0], values[1], values[2]


def _tfdt(body: memoryview) -> int:
    size = 8 if len(body) and body[0] == 1 else 4
    _at_least(body, 4 + size, "tfdt")
    return int.from_bytes(body[4 : 4 + size], "big")


def _is_idr(sample: memoryview, init: Init) -> bool | None:
    """Whether a sample holds an IDR picture. The type of a NAL unit is never encrypted."""
    if not init.length_bytes:
        return None
    at = 0
    while at + init.length_bytes < len(sample):
        size = int.from_bytes(sample[at : at + init.length_bytes], "big")
        head = sample[at + init.length_bytes]
        kind = head & 31 if init.codec == "avc1" else (head >> 1) & 63
        if kind == _AVC_IDR if init.codec == "avc1" else kind in _HEVC_IDR:
            return True
        at += init.length_bytes + size
    return False


def _at_least(body: memoryview, size: int, name: str) -> None:
    if len(body) < size:
        raise BoxesInvalid(f"a {name} box is cut off")


def track_findings(track: Track, kid: str, scheme: Scheme) -> list[Finding]:
    """What is wrong in one track that should be encrypted by ``scheme`` with the key ``kid``."""
    name, init = track.track_id, track.init
    found = encryption.stated_findings(name, init.encryption, kid, scheme)
    if clear := [n for n, each in enumerate(track.segments, 1) if each.ivs is None]:
        found.append(
            error("protection", f"{name} does not say how segment {clear[0]} is encrypted")
        )
    for number, (before, after) in enumerate(pairwise(track.segments), 2):
        if before.start + before.duration != after.start:
            late_s = (after.start - before.start - before.duration) / init.timescale
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
    """The sizes of a track's segments, in their order, from those of a version's files."""
    sizes, number = [], 1
    while (size := files.get(f"{track_id}/{number}.m4s")) is not None:
        sizes.append(size)
        number += 1
    return sizes
