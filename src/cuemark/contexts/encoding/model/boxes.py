"""Reading ISO base media files (ISO/IEC 14496-12): timescales and segment durations.

Section numbers in the text are those of 14496-12:2022, unless said otherwise.
"""

import struct
from collections.abc import Iterator

_CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf", b"mvex"}


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


def _box_version(body: memoryview) -> int:
    return number(body, 0, 1)


def number(body: memoryview, at: int, size: int = 4) -> int:
    """The unsigned number of ``size`` bytes at ``at``; raises ``BoxesInvalid`` past the end."""
    if at + size > len(body):
        raise BoxesInvalid("a box is cut off")
    return int.from_bytes(body[at : at + size], "big")
