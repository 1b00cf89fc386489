"""Codec strings as RFC 6381 and the codecs' own bindings have them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.boxes import BoxesInvalid
from cuemark.contexts.encoding.model.codec_strings import of_video
from tests.unit.encoding.test_boxes import box, init_segment

AVC = box(b"avcC", bytes([1, 0x64, 0x00, 0x1F, 0xFF]))
HEVC_MAIN = box(b"hvcC", bytes.fromhex("01 01 60000000 900000000000 5d".replace(" ", "")))
AV1_MAIN = box(b"av1C", bytes([0x81, 0x05, 0x0C, 0x00]))
AV1_TEN_BITS_HIGH = box(b"av1C", bytes([0x81, 0x0D, 0xC0, 0x00]))


def init(entry: bytes, record: bytes) -> bytes:
    stsd = box(b"stsd", bytes(8), box(entry, bytes(78), record))
    return box(b"moov", box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", stsd)))))


@pytest.mark.parametrize(
    ("entry", "record", "expected"),
    [
        (b"avc1", AVC, "avc1.64001f"),
        (b"hvc1", HEVC_MAIN, "hvc1.1.6.L93.90"),
        (b"av01", AV1_MAIN, "av01.0.05M.08"),
        (b"av01", AV1_TEN_BITS_HIGH, "av01.0.13H.10"),
    ],
)
def test_a_codec_is_named_encrypted_or_not(entry: bytes, record: bytes, expected: str) -> None:
    assert of_video(init(entry, record)) == expected
    assert of_video(init(b"encv", box(b"sinf") + record)) == expected


@pytest.mark.parametrize("entry", [b"mp4a", b"vp09"])
def test_another_track_is_refused(entry: bytes) -> None:
    with pytest.raises(BoxesInvalid, match="no track of"):
        of_video(init_segment(entry=entry))


@given(st.sampled_from([b"avcC", b"hvcC", b"av1C"]), st.binary(max_size=16))
def test_no_record_does_more_than_be_refused(kind: bytes, content: bytes) -> None:
    with contextlib.suppress(BoxesInvalid):
        assert of_video(init(b"encv", box(kind, content))).isascii()
