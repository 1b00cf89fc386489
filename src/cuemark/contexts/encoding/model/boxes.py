"""Reading ISO base media files (ISO/IEC 14496-12): timescales and segment durations.

Section numbers in the text are those of 14496-12:2022, unless said otherwise.
"""

import struct
from collections.abc import Iterator

_CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf", b"mvex"}


VISUAL_ENTRY = 78
"""The bytes of a sample entry of pictures before its boxes (12.1.3)."""


class BoxesInvalid(ValueError):
    """The bytes are not the boxes that were looked for."""


def boxes(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Type and body of each box at this level (4.2)."""
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        header = 8
        if size == 1:
            if at + 16 > len(data):
                raise BoxesInvalid("a box's size is cut off")
            (size,) = struct.unpack_from(">Q", data, at + 8)
            header = 16
        elif size == 0:
            size = len(data) - at
        if size < header or at + size > len(data):
            raise BoxesInvalid(f"the box {kind!r} at {at} is longer than what holds it")
        yield kind, data[at + header : at + size]
        at += size


def find(data: memoryview, *path: bytes) -> memoryview:
    """The body of the first box at ``path``; raises ``BoxesInvalid``."""
    for kind in path:
        for found, body in boxes(data):
            if found == kind:
                data = body
                break
        else:
            raise BoxesInvalid(f"there is no box {kind!r}")
    return data


def timescale(init: bytes) -> int:
    """Ticks a second of the track in an init segment (mdhd, 8.4.2)."""
    body = find(memoryview(init), b"moov", b"trak", b"mdia", b"mdhd")
    return number(body, 20 if _box_version(body) == 1 else 12)


def default_duration(init: bytes) -> int:
    """The sample duration of the track where fragments state none (trex, 8.8.3)."""
    return number(find(memoryview(init), b"moov", b"mvex", b"trex"), 12)


def segment_span(segment: bytes, trex_duration: int = 0) -> tuple[int, int]:
    """Start and duration of a media segment in ticks, from its tfdt and trun boxes (8.8)."""
    start: int | None = None
    duration = 0
    for kind, body in boxes(memoryview(segment)):
        if kind != b"moof":
            continue
        traf = find(body, b"traf")
        tfdt = find(traf, b"tfdt")
        if start is None:
            start = number(tfdt, 4, 8 if _box_version(tfdt) == 1 else 4)
        fallback = _tfhd_duration(find(traf, b"tfhd")) or trex_duration
        duration += sum(
            _trun_duration(run, fallback) for found, run in boxes(traf) if found == b"trun"
        )
    if start is None:
        raise BoxesInvalid("the segment has no fragment")
    return start, duration


def _tfhd_duration(body: memoryview) -> int:
    flags = number(body, 0) & 0xFFFFFF
    at = 8 + (8 if flags & 0x1 else 0) + (4 if flags & 0x2 else 0)
    return number(body, at) if flags & 0x8 else 0


def _trun_duration(body: memoryview, fallback: int) -> int:
    flags, count = number(body, 0) & 0xFFFFFF, number(body, 4)
    if not flags & 0x100:
        return count * fallback
    at = 8 + (4 if flags & 0x1 else 0) + (4 if flags & 0x4 else 0)
    stride = 4 * bin(flags & 0xF00).count("1")
    return sum(number(body, at + sample * stride) for sample in range(count))


def timeless(init: bytes) -> bytes:
    """An init segment without its times of creation and change (8.2.2, 8.3.2, 8.4.2).

    They are the clock of the packager's run, and would make other bytes of the same film.
    """
    data = bytearray(init)
    for path in (
        (b"moov", b"mvhd"),
        (b"moov", b"trak", b"tkhd"),
        (b"moov", b"trak", b"mdia", b"mdhd"),
    ):
        body = find(memoryview(data), *path)
        size = 16 if _box_version(body) == 1 else 8
        if len(body) < 4 + size:
            raise BoxesInvalid("a box is cut off")
        body[4 : 4 + size] = bytes(size)
    return bytes(data)


def with_light(init: bytes, mastering: bytes, light: bytes) -> bytes:
    """An init segment that says what its film was mastered on and how bright it becomes.

    ``mastering`` and ``light`` are the bodies of ``mdcv`` and ``clli`` (12.1.6, 12.1.7), empty
    where that is not known. What the segment says already stays.
    """
    data = memoryview(init)
    sizes, at, end = _sample_entry(data)
    there = {found for _, _, found in _places(data, at + VISUAL_ENTRY, end)}
    more = b"".join(
        struct.pack(">I4s", 8 + len(body), kind) + body
        for kind, body in ((b"mdcv", mastering), (b"clli", light))
        if body and kind not in there
    )
    grown = bytearray(init[:end] + more + init[end:])
    for start in sizes:
        struct.pack_into(">I", grown, start, number(data, start) + len(more))
    return bytes(grown)


def without_color(init: bytes) -> bytes:
    """An init segment with its boxes ``colr`` (12.1.5) made ``free`` ones, which nobody reads.

    What is left says of its colors what the pictures say themselves.
    """
    data, bare = memoryview(init), bytearray(init)
    _, at, end = _sample_entry(data)
    for start, _, kind in _places(data, at + VISUAL_ENTRY, end):
        if kind == b"colr":
            bare[start + 4 : start + 8] = b"free"
    return bytes(bare)


def _sample_entry(data: memoryview) -> tuple[list[int], int, int]:
    """The places of the boxes that hold the first sample entry, its own the last, and where its
    body begins and ends."""
    places = []
    at, end = 0, len(data)
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b""):
        for start, size, found in _places(data, at, end):
            if kind in (b"", found):
                places.append(start)
                at, end = start + (16 if found == b"stsd" else 8), start + size
                break
        else:
            raise BoxesInvalid(f"there is no box {kind!r}")
    return places, at, end


def _places(data: memoryview, at: int, end: int) -> Iterator[tuple[int, int, bytes]]:
    """Place, size and type of each box between two places; its size is in its first four bytes."""
    while at + 8 <= end:
        size, kind = number(data, at), bytes(data[at + 4 : at + 8])
        if size < 8 or at + size > end:
            raise BoxesInvalid(f"the box {kind!r} at {at} has a size of {size}")
        yield at, size, kind
        at += size


def _box_version(body: memoryview) -> int:
    return number(body, 0, 1)


def number(body: memoryview, at: int, size: int = 4) -> int:
    """The unsigned number of ``size`` bytes at ``at``; raises ``BoxesInvalid`` past the end."""
    if at + size > len(body):
        raise BoxesInvalid("a box is cut off")
    return int.from_bytes(body[at : at + size], "big")
