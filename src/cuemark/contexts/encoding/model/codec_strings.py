"""What a codec is called in a manifest (RFC 6381), read from the init segment of its track."""

from cuemark.contexts.encoding.model.boxes import VISUAL_ENTRY, BoxesInvalid, boxes, find

_VIDEO_ENTRIES = {b"encv", b"avc1", b"hvc1", b"av01"}


def of_video(init: bytes) -> str:
    """The codec string of an init segment's track, encrypted or not; raises ``BoxesInvalid``."""
    entries = find(memoryview(init), b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")[8:]
    for kind, body in boxes(entries):
        if kind not in _VIDEO_ENTRIES:
            continue
        inside = {record: bytes(content) for record, content in boxes(body[VISUAL_ENTRY:])}
        for record in _STRINGS.keys() & inside.keys():
            try:
                found = _STRINGS[record](inside[record])
                high = _high(inside.get(b"colr", b"")) if record == b"av1C" else ""
                return found + (high and _av1_samples(inside[record]) + high)
            except IndexError:
                raise BoxesInvalid(f"the box {record!r} is cut off") from None
    raise BoxesInvalid("the init segment has no track of H.264, HEVC or AV1")


def _avc(record: bytes) -> str:
    """``avc1.PPCCLL``: profile, constraints, level (ISO/IEC 14496-15, 5.3.3.1.2)."""
    return f"avc1.{record[1]:02x}{record[2]:02x}{record[3]:02x}"


def _hevc(record: bytes) -> str:
    """``hvc1.P.C.TL.B``: profile, compatibility in reverse bit order, tier and level, constraints
    (ISO/IEC 14496-15, 8.3.3.1.2 and annex E.3)."""
    space = ("", "A", "B", "C")[record[1] >> 6]
    tier = "H" if record[1] & 0x20 else "L"
    compatible = int(f"{int.from_bytes(record[2:6], 'big'):032b}"[::-1], 2)
    constraints = record[6:12].rstrip(b"\0")
    said = "".join(f".{byte:X}" for byte in constraints)
    return f"hvc1.{space}{record[1] & 0x1F}.{compatible:X}.{tier}{record[12]}{said}"


def _av1(record: bytes) -> str:
    """``av01.P.LLT.DD``: profile, level and tier, bit depth (AV1 in ISOBMFF 1.2, section 5)."""
    profile, level = record[1] >> 5, record[1] & 0x1F
    tier = "H" if record[2] & 0x80 else "M"
    depth = 8 if not record[2] & 0x40 else 12 if record[2] & 0x20 else 10
    return f"av01.{profile}.{level:02d}{tier}.{depth:02d}"


def _av1_samples(record: bytes) -> str:
    """``.M.CCC``: whether it is monochrome, and how chroma is sampled."""
    bits = record[2]
    return f".{bits >> 4 & 1}.{bits >> 3 & 1}{bits >> 2 & 1}{bits & 3}"


def _high(color: bytes) -> str:
    """``.cp.tc.mc.F`` of a picture of high dynamic range (ITU-T H.273), by its ``colr``; of others,
    for whom these are what a device takes for granted, nothing."""
    if color[:4] != b"nclx":
        return ""
    primaries, transfer, matrix = (int.from_bytes(color[at : at + 2], "big") for at in (4, 6, 8))
    if transfer not in _HIGH_TRANSFERS:
        return ""
    return f".{primaries:02d}.{transfer:02d}.{matrix:02d}.{color[10] >> 7}"


_HIGH_TRANSFERS = {16, 18}
_STRINGS = {b"avcC": _avc, b"hvcC": _hevc, b"av1C": _av1}
