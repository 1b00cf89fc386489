"""The first frame of a segment as a segment of its own, for fast forward and rewind.

The sample is taken as it is, encrypted; the boxes that tell of it tell of it alone (ISO/IEC
14496-12, common encryption by 23001-7). A byte range of the whole segment would do for HLS, but its
fragment tells of samples that are not in it: browsers refuse that of an encrypted film.
"""

import struct
from collections.abc import Sequence
from typing import Protocol, TypeVar

from cuemark.contexts.encoding.model.boxes import BoxesInvalid, boxes, find, number

MOST_LINES = 360
"""Of the rendition whose frames are taken: they are looked at for a moment, and many a second."""
_SUBSAMPLES = 0x2
_SUBSAMPLE_BYTES = 6


class Sized(Protocol):
    """What has a picture so many lines high."""

    @property
    def height(self) -> int: ...


R = TypeVar("R", bound=Sized)


def chosen(renditions: Sequence[R]) -> R:
    """The rendition whose first frames are taken, of all in ascending order of bitrate."""
    small = [each for each in renditions if each.height <= MOST_LINES]
    lines = max((each.height for each in small), default=min(each.height for each in renditions))
    return next(each for each in renditions if each.height == lines)


def first_frame(segment: bytes, init: bytes, duration: int) -> bytes:
    """A media segment of the first sample of ``segment``, standing for ``duration`` ticks.

    Raises ``BoxesInvalid`` also where a fragment has boxes that cannot be told of one sample.
    """
    moof, mdat = _fragment(segment)
    parts: dict[bytes, memoryview] = {}
    for kind, body in boxes(find(moof, b"traf")):
        parts.setdefault(kind, body)
    unknown = parts.keys() - {b"tfhd", b"tfdt", b"trun", b"senc", b"saiz", b"saio"}
    if unknown or not {b"tfhd", b"tfdt", b"trun"} <= parts.keys():
        raise BoxesInvalid(f"a fragment has other boxes than can be told of: {sorted(unknown)}")
    trun, size_bytes = _run_of_one(parts[b"trun"], _default_bytes(parts[b"tfhd"]), duration)
    if not 0 < size_bytes <= len(mdat):
        raise BoxesInvalid("the first sample is not where the fragment says")
    inner = _box(b"tfhd", parts[b"tfhd"]) + _box(b"tfdt", parts[b"tfdt"])
    header = _box(b"mfhd", find(moof, b"mfhd"))
    before = len(header) + len(inner) + 16
    protection = b""
    if b"senc" in parts:
        first = _first_entry(parts[b"senc"], _iv_bytes(init))
        saiz = struct.pack(">IBI", 0, len(first), 1)
        at = before + len(_box(b"trun", trun)) + 8 + len(saiz) + 8 + 12 + 16
        protection = _box(b"saiz", saiz) + _box(b"saio", struct.pack(">III", 0, 1, at))
        protection += _box(b"senc", bytes(parts[b"senc"][:4]) + struct.pack(">I", 1) + first)
    data_offset = before + len(_box(b"trun", trun)) + len(protection) + 8
    trun = trun[:8] + struct.pack(">i", data_offset) + trun[12:]
    whole = _box(b"moof", header + _box(b"traf", inner + _box(b"trun", trun) + protection))
    return _styp(segment) + whole + _box(b"mdat", mdat[:size_bytes])


def _fragment(segment: bytes) -> tuple[memoryview, memoryview]:
    """The first moof of a segment and the mdat that follows it."""
    found = boxes(memoryview(segment))
    for kind, moof in found:
        if kind == b"moof":
            kind, mdat = next(found, (b"", moof))
            if kind == b"mdat":
                return moof, mdat
            break
    raise BoxesInvalid("the segment has no fragment")


def _styp(segment: bytes) -> bytes:
    kind, body = next(boxes(memoryview(segment)))
    return _box(b"styp", body) if kind == b"styp" else b""


def _run_of_one(trun: memoryview, default_bytes: int, duration: int) -> tuple[bytes, int]:
    """The body of a run of the first sample alone, and its size; the data offset comes later."""
    flags, at = number(trun, 1, 3), 8
    if not number(trun, 4) or not flags & 0x1:
        raise BoxesInvalid("a fragment does not say where its first sample is")
    at += 4
    first_flags = None
    if flags & 0x4:
        first_flags, at = number(trun, at), at + 4
    values: dict[int, int] = {}
    for bit in (0x100, 0x200, 0x400, 0x800):
        if flags & bit:
            values[bit], at = number(trun, at), at + 4
    if first_flags is not None:
        values[0x400] = first_flags
    values[0x100] = duration
    size_bytes = values.setdefault(0x200, default_bytes)
    told = 0x1 | sum(values)
    head = bytes([number(trun, 0, 1)]) + told.to_bytes(3, "big")
    rows = b"".join(struct.pack(">I", values[bit]) for bit in sorted(values))
    return head + struct.pack(">Ii", 1, 0) + rows, size_bytes


def _default_bytes(tfhd: memoryview) -> int:
    flags = number(tfhd, 1, 3)
    if flags & 0x1:
        raise BoxesInvalid("a fragment counts its data from the beginning of a file")
    at = 8 + 4 * (flags & 0xA).bit_count()
    return number(tfhd, at) if flags & 0x10 else 0


def _iv_bytes(init: bytes) -> int:
    """How long the IV of each sample is; 0 where one is for all (tenc, 23001-7 section 8.2)."""
    entries = find(memoryview(init), b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")[8:]
    _, entry = next(boxes(entries), (b"", entries))
    return number(find(entry[78:], b"sinf", b"schi", b"tenc"), 7, 1)


def _first_entry(senc: memoryview, iv_bytes: int) -> bytes:
    """How the first sample is encrypted (23001-7 section 7.2)."""
    size = iv_bytes
    if number(senc, 1, 3) & _SUBSAMPLES:
        size += 2 + _SUBSAMPLE_BYTES * number(senc, 8 + iv_bytes, 2)
    if not number(senc, 4) or 8 + size > len(senc) or not 0 < size <= 255:
        raise BoxesInvalid("a senc box does not tell of the first sample")
    return bytes(senc[8 : 8 + size])


def _box(kind: bytes, body: bytes | memoryview) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + bytes(body)
