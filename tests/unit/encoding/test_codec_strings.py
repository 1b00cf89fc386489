"""Codec strings as RFC 6381 and the codecs' own bindings have them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.boxes import BoxesInvalid, with_light
from cuemark.contexts.encoding.model.codec_strings import of_video
from tests.unit.encoding.test_boxes import box, init_segment

AVC = box(b"avcC", bytes([1, 0x64, 0x00, 0x1F, 0xFF]))
HEVC_MAIN = box(b"hvcC", bytes.fromhex("01 01 60000000 900000000000 5d".replace(" ", "")))
AV1_MAIN = box(b"av1C", bytes([0x81, 0x05, 0x0C, 0x00]))
AV1_TEN_BITS_HIGH = box(b"av1C", bytes([0x81, 0x0D, 0xC0, 0x00]))


AV1_TEN_BITS = box(b"av1C", bytes([0x81, 0x05, 0x4E, 0x00]))
HDR10 = box(b"colr", b"nclx", bytes([0, 9, 0, 16, 0, 9, 0]))
HLG = box(b"colr", b"nclx", bytes([0, 9, 0, 18, 0, 9, 0]))
HD = box(b"colr", b"nclx", bytes([0, 1, 0, 1, 0, 1, 0]))
HEVC_MAIN_10 = box(b"hvcC", bytes.fromhex("01 02 20000000 900000000000 78".replace(" ", "")))


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
        (b"av01", AV1_TEN_BITS + HDR10, "av01.0.05M.10.0.112.09.16.09.0"),
        (b"av01", HLG + AV1_TEN_BITS, "av01.0.05M.10.0.112.09.18.09.0"),
        (b"av01", AV1_MAIN + HD, "av01.0.05M.08"),
        (b"hvc1", HEVC_MAIN_10 + HDR10, "hvc1.2.4.L120.90"),
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


def test_light_is_added_to_the_track_and_nothing_else_changes() -> None:
    mastering, light = bytes(range(24)), b"\1\2\3\4"
    plain = init(b"encv", AV1_TEN_BITS + HDR10) + box(b"free", b"after")
    said = box(b"mdcv", mastering) + box(b"clli", light)
    wanted = init(b"encv", AV1_TEN_BITS + HDR10 + said) + box(b"free", b"after")
    assert with_light(plain, mastering, light) == wanted
    assert with_light(wanted, bytes(24), bytes(4)) == wanted
    assert with_light(plain, b"", b"") == plain


@given(st.binary(max_size=80))
def test_light_is_added_to_any_bytes_or_refused(data: bytes) -> None:
    for whole in (data, init(b"encv", data)):
        with contextlib.suppress(BoxesInvalid):
            assert len(with_light(whole, bytes(24), bytes(4))) >= len(whole)
