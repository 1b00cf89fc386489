"""Boxes are read as ISO/IEC 14496-12 has them, and nothing but ``BoxesInvalid`` escapes."""

import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.boxes import (
    BoxesInvalid,
    boxes,
    default_duration,
    find,
    segment_span,
    timeless,
    timescale,
    without_color,
)
from cuemark.contexts.encoding.model.codec_strings import of_video
from cuemark.contexts.encoding.model.validation.color import ColorCodes
from cuemark.contexts.encoding.model.validation.samples import init_of


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def mdhd(version: int, ticks: int, at: int = 0) -> bytes:
    times = (at.to_bytes(8, "big") if version else at.to_bytes(4, "big")) * 2
    return box(b"mdhd", bytes([version, 0, 0, 0]), times, struct.pack(">I", ticks), bytes(8))


def init_segment(version: int = 0, entry: bytes = b"avc1", at: int = 0, more: bytes = b"") -> bytes:
    record = box(b"avcC", bytes([1, 0x64, 0x00, 0x1F, 0xFF]))
    stsd = box(b"stsd", bytes(8), box(entry, bytes(78), record, more))
    media = box(b"mdia", mdhd(version, 24_000, at), box(b"minf", box(b"stbl", stsd)))
    trex = box(b"trex", bytes(4), struct.pack(">5I", 1, 1, 1001, 0, 0))
    return box(b"ftyp", b"cmf2") + box(
        b"moov",
        mdhd(version, 1000, at).replace(b"mdhd", b"mvhd"),
        box(b"trak", mdhd(version, 1, at).replace(b"mdhd", b"tkhd"), media),
        box(b"mvex", trex),
    )


def segment(
    start: int, durations: list[int] | int, *, version: int = 1, default: int | None = None
) -> bytes:
    """A media segment with one run: a duration for each sample, or a number of samples."""
    tfhd = struct.pack(">II", 0x8 if default else 0, 1) + (
        struct.pack(">I", default) if default else b""
    )
    tfdt = bytes([version, 0, 0, 0]) + start.to_bytes(8 if version else 4, "big")
    if isinstance(durations, int):
        trun = struct.pack(">II", 0x1, durations) + bytes(4)
    else:
        trun = struct.pack(">III", 0x301, len(durations), 0) + b"".join(
            struct.pack(">II", duration, 77) for duration in durations
        )
    traf = box(b"traf", box(b"tfhd", tfhd), box(b"tfdt", tfdt), box(b"trun", trun))
    return box(b"styp") + box(b"moof", box(b"mfhd", bytes(8)), traf) + box(b"mdat", b"x")


@pytest.mark.parametrize("version", [0, 1])
def test_an_init_segment_tells_its_times(version: int) -> None:
    assert timescale(init_segment(version)) == 24_000
    assert default_duration(init_segment(version)) == 1001


@given(st.sampled_from([0, 1]), st.integers(0, 2**32 - 1))
def test_an_init_segment_can_lose_its_times_and_nothing_else(version: int, at: int) -> None:
    assert timeless(init_segment(version, at=at)) == init_segment(version)


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=9))
def test_a_segment_tells_its_span(start: int, durations: list[int]) -> None:
    for version in (0, 1):
        assert segment_span(segment(start, durations, version=version)) == (start, sum(durations))


def test_samples_without_durations_have_the_default() -> None:
    assert segment_span(segment(5, 48, default=1001)) == (5, 48 * 1001)
    assert segment_span(segment(5, 48), trex_duration=1000) == (5, 48_000)


def test_a_segment_of_several_fragments_is_as_long_as_all() -> None:
    two = segment(0, [1000, 1000]) + segment(2000, [500])
    assert segment_span(two) == (0, 2500)


def test_large_and_open_sizes_are_read() -> None:
    large = struct.pack(">I4sQ", 1, b"free", 16 + 3) + b"abc"
    last = struct.pack(">I4s", 0, b"mdat") + b"to the end"
    found = [(kind, bytes(body)) for kind, body in boxes(memoryview(large + last))]
    assert found == [(b"free", b"abc"), (b"mdat", b"to the end")]


@pytest.mark.parametrize(
    "data",
    [
        struct.pack(">I4s", 100, b"moov"),
        struct.pack(">I4s", 4, b"moov"),
        struct.pack(">I4s", 1, b"moov"),
        struct.pack(">I4sQ", 1, b"moov", 15),
        struct.pack(">I4sQ", 1, b"moov", 2**63),
    ],
)
def test_a_size_that_cannot_be_is_refused(data: bytes) -> None:
    with pytest.raises(BoxesInvalid):
        list(boxes(memoryview(data)))


def test_a_box_that_is_not_there_is_named() -> None:
    with pytest.raises(BoxesInvalid, match="no box b'trak'"):
        find(memoryview(box(b"moov", box(b"mvhd"))), b"moov", b"trak")


@pytest.mark.parametrize("read", [timescale, default_duration, of_video, timeless])
def test_an_empty_box_is_refused(read: Callable[[bytes], object]) -> None:
    hollow = box(b"stsd", bytes(8), box(b"avc1", bytes(78), box(b"avcC")))
    media = box(b"mdia", box(b"mdhd"), box(b"minf", box(b"stbl", hollow)))
    with pytest.raises(BoxesInvalid):
        read(box(b"moov", box(b"mvhd"), box(b"trak", media), box(b"mvex", box(b"trex"))))


READERS: list[Callable[[bytes], object]] = [
    timescale,
    default_duration,
    of_video,
    segment_span,
    timeless,
]


def reads(data: bytes) -> None:
    for read in READERS:
        try:
            read(data)
        except BoxesInvalid:
            continue


@given(st.binary(max_size=300))
def test_only_boxes_invalid_escapes_from_any_bytes(data: bytes) -> None:
    reads(data)


WHOLE = [
    init_segment(),
    segment(9, [1, 2, 3]),
    segment(9, 4),
]


@given(st.sampled_from(WHOLE), st.data())
def test_only_boxes_invalid_escapes_from_broken_files(whole: bytes, data: st.DataObject) -> None:
    broken = bytearray(whole[: data.draw(st.integers(0, len(whole)))])
    for _ in range(data.draw(st.integers(0, 6)) if broken else 0):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    reads(bytes(broken))


@pytest.mark.parametrize(
    ("body", "color"),
    [
        (b"nclx" + struct.pack(">3HB", 9, 16, 9, 0), ColorCodes(9, 16, 9, False)),
        (b"nclx" + struct.pack(">3HB", 6, 6, 6, 0x80), ColorCodes(6, 6, 6, True)),
        (b"nclc" + struct.pack(">3H", 1, 1, 1), ColorCodes(1, 1, 1, None)),
        (b"prof" + bytes(40), None),
    ],
)
def test_colors_are_read_from_their_box_and_it_can_be_taken_out_of_sight(
    body: bytes, color: ColorCodes | None
) -> None:
    init = init_segment(more=box(b"pasp", bytes(8)) + box(b"colr", body))
    assert init_of(init).color == color
    bare = without_color(init)
    assert len(bare) == len(init)
    assert init_of(bare).color is None
    assert bare.replace(b"free", b"colr") == init
    assert without_color(bare) == bare


def test_a_color_box_that_is_cut_off_is_refused() -> None:
    with pytest.raises(BoxesInvalid, match="colr"):
        init_of(init_segment(more=box(b"colr", b"nclx" + bytes(3))))
