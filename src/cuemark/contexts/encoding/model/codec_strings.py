"""What a codec is called in a manifest (RFC 6381), read from the init segment of its track."""

from cuemark.contexts.encoding.model.boxes import BoxesInvalid, boxes, find

_VISUAL_ENTRY = 78
_VIDEO_ENTRIES = {b"encv", b"avc1", b"hvc1", b"av01"}


def of_video(init: bytes) -> str:
    """The codec string of an init segment's track, encrypted or not; raises ``BoxesInvalid``."""
    entries = find(memoryview(init), b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")[8:]
    for kind, body in boxes(entries):
        if kind not in _VIDEO_ENTRIES:
            continue
        for record, content in boxes(body[_VISUAL_ENTRY:]):
            if record in _STRINGS:
                try:
                    return _STRINGS[record](bytes(content))
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


_STRINGS = {b"avcC": _avc, b"hvcC": _hevc, b"av1C": _av1}
