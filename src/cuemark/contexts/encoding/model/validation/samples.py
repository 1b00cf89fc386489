"""What the boxes of a track say of its samples, as validation reads them.

ISO/IEC 14496-12 (files), 23001-7 (common encryption), 14496-15 (NAL units).
"""

import struct
from collections.abc import Iterator

import msgspec

from cuemark.contexts.encoding.model.boxes import BoxesInvalid, boxes, default_duration, find
from cuemark.contexts.encoding.model.boxes import timescale as timescale_of
from cuemark.contexts.encoding.model.validation import encryption
from cuemark.contexts.encoding.model.validation.color import ColorCodes
from cuemark.contexts.encoding.model.validation.encryption import Encryption

_ENTRY_BYTES = {b"encv": 78, b"avc1": 78, b"hvc1": 78, b"hev1": 78, b"av01": 78}
_SOUND_ENTRY_BYTES = 28
NOT_SYNC = 0x10000
MOST_SAMPLES = 1_000_000
"""In a run: a segment has a few seconds."""
_AVC_IDR = 5
_HEVC_IDR = (19, 20)
"""IDR_W_RADL and IDR_N_LP (ITU-T H.265 table 7-1)."""


class Init(msgspec.Struct, frozen=True, kw_only=True):
    """What an init segment says of its track.

    ``codec`` is the four letters of the samples in the clear. ``shift`` is the media time, in
    ticks, that the edit list presents first.
    ``length_bytes`` is the size of a NAL unit's length, 0 where there are none. ``color`` is what
    the ``colr`` box says, None where there is none.
    """

    codec: str
    timescale: int
    shift: int
    encryption: Encryption
    length_bytes: int
    trex_duration: int
    trex_flags: int
    color: ColorCodes | None = None


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
    at_least(trex, 24, "trex")
    return Init(
        codec=codec.decode("ascii", "replace"),
        timescale=timescale_of(data),
        shift=_media_time(moov),
        encryption=stated,
        length_bytes=_length_bytes(codec, inside),
        trex_duration=default_duration(data),
        trex_flags=int.from_bytes(trex[20:24], "big"),
        color=_color(inside) if kind in _ENTRY_BYTES else None,
    )


def _color(entry: memoryview) -> ColorCodes | None:
    """What the box ``colr`` says (14496-12, 12.1.5); None where none says it by H.273's codes.

    QuickTime's ``nclc`` is the same without a range.
    """
    for kind, body in boxes(entry):
        stated_as = bytes(body[:4])
        if kind == b"colr" and stated_as in (b"nclx", b"nclc"):
            at_least(body, 10, "colr")
            primaries, transfer, matrix = struct.unpack_from(">3H", body, 4)
            full = bool(body[10] & 0x80) if stated_as == b"nclx" and len(body) > 10 else None
            return ColorCodes(primaries, transfer, matrix, full)
    return None


def _length_bytes(codec: bytes, entry: memoryview) -> int:
    """How long the length before each NAL unit is (14496-15, 5.3.3.1.2 and 8.3.3.1.2)."""
    if codec == b"avc1":
        record = find(entry, b"avcC")
        at_least(record, 5, "avcC")
        return int(record[4] & 3) + 1
    if codec in (b"hvc1", b"hev1"):
        record = find(entry, b"hvcC")
        at_least(record, 22, "hvcC")
        return int(record[21] & 3) + 1
    return 0


def _media_time(moov: memoryview) -> int:
    """The media time of the edit list's one edit (8.6.6); 0 where there is no list."""
    try:
        elst = find(moov, b"trak", b"edts", b"elst")
    except BoxesInvalid:
        return 0
    at_least(elst, 16, "elst")
    if elst[0] == 1:
        at_least(elst, 24, "elst")
        return int.from_bytes(elst[16:24], "big", signed=True)
    return int.from_bytes(elst[12:16], "big", signed=True)


class Defaults:
    """What a fragment says of samples that say nothing themselves (8.8.7)."""

    def __init__(self, tfhd: memoryview, init: Init) -> None:
        flags = int.from_bytes(tfhd[1:4], "big")
        at = 8 + (8 if flags & 0x1 else 0) + (4 if flags & 0x2 else 0)
        values = [init.trex_duration, 0, init.trex_flags]
        for place, bit in enumerate((0x8, 0x10, 0x20)):
            if flags & bit:
                at_least(tfhd, at + 4, "tfhd")
                values[place] = int.from_bytes(tfhd[at : at + 4], "big")
                at += 4
        self.duration, self.size, self.flags = values


def samples_of(trun: memoryview, defaults: Defaults) -> Iterator[tuple[int, int, int]]:
    """Duration, size and flags of each sample of a run (8.8.8)."""
    at_least(trun, 8, "trun")
    flags, count = int.from_bytes(trun[1:4], "big"), int.from_bytes(trun[4:8], "big")
    at = 8 + (4 if flags & 0x1 else 0)
    first = None
    if flags & 0x4:
        at_least(trun, at + 4, "trun")
        first = int.from_bytes(trun[at : at + 4], "big")
        at += 4
    if count > MOST_SAMPLES:
        raise BoxesInvalid(f"a trun box tells of {count} samples")
    stride = 4 * (flags & 0xF00).bit_count()
    at_least(trun, at + stride * count, "trun")
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


def decode_time(body: memoryview) -> int:
    size = 8 if len(body) and body[0] == 1 else 4
    at_least(body, 4 + size, "tfdt")
    return int.from_bytes(body[4 : 4 + size], "big")


def is_idr(sample: memoryview, init: Init) -> bool | None:
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


def at_least(body: memoryview, size: int, name: str) -> None:
    if len(body) < size:
        raise BoxesInvalid(f"a {name} box is cut off")
