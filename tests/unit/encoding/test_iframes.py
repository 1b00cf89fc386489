"""The first frame of a segment becomes a segment of its own, and nothing else of it is changed."""

import struct
from itertools import accumulate

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.boxes import BoxesInvalid, boxes, find, segment_span
from cuemark.contexts.encoding.model.iframes import MOST_LINES, chosen, first_frame
from cuemark.contexts.encoding.model.validation import structure, trick_play
from cuemark.contexts.encoding.model.validation.encryption import Encryption
from cuemark.contexts.encoding.model.validation.samples import Init
from cuemark.contexts.encoding.model.validation.structure import Track
from tests.unit.encoding.test_boxes import box
from tests.unit.playback.versions import SD, rendition

IDR = bytes([0x65])
NOT_SYNC = 0x1010000


class Sample(msgspec.Struct, frozen=True):
    size: int
    clear: int = 5
    shift: int = 0


def init_of(iv_bytes: int) -> bytes:
    tenc = bytes([1, 0, 0, 0, 0, 0x19, 1, iv_bytes]) + bytes(16) + bytes([16]) + bytes(16)
    sinf = box(b"sinf", box(b"frma", b"avc1"), box(b"schi", box(b"tenc", tenc)))
    stsd = box(b"stsd", bytes(8), box(b"encv", bytes(78), sinf))
    return box(b"moov", box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", stsd)))))


def described(iv_bytes: int) -> Init:
    return Init(
        codec="avc1",
        timescale=24,
        shift=0,
        encryption=Encryption("cenc" if iv_bytes else "cbcs", "", iv_bytes, 0 if iv_bytes else 16),
        length_bytes=4,
        trex_duration=0,
        trex_flags=0,
    )


def media(sample: Sample, number: int) -> bytes:
    """A NAL unit as long as the sample: the first one is of an IDR picture."""
    head = IDR if number == 0 else bytes([0x41])
    return struct.pack(">I", sample.size - 4) + head + bytes([number + 1]) * (sample.size - 5)


def fragment(start: int, samples: list[Sample], flags: int, iv_bytes: int, head: bytes) -> bytes:
    """``head`` and an encrypted fragment with one run, whose fields ``flags`` name."""

    def moof(data_offset: int) -> bytes:
        tfhd = struct.pack(">III", 0x20008, 1, 1000)
        tfdt = bytes([1, 0, 0, 0]) + start.to_bytes(8, "big")
        trun = struct.pack(">IIi", 1 << 24 | flags, len(samples), data_offset)
        trun += struct.pack(">I", 0x2000000) if flags & 0x4 else b""
        for number, each in enumerate(samples):
            values = {0x100: 1000, 0x200: each.size, 0x400: NOT_SYNC if number else 0x2000000}
            trun += b"".join(struct.pack(">I", v) for bit, v in values.items() if flags & bit)
            trun += struct.pack(">i", each.shift) if flags & 0x800 else b""
        senc = struct.pack(">II", 2, len(samples))
        for each in samples:
            senc += bytes(iv_bytes) + struct.pack(">HHI", 1, each.clear, each.size - each.clear)
        traf = box(
            b"traf", box(b"tfhd", tfhd), box(b"tfdt", tfdt), box(b"trun", trun), box(b"senc", senc)
        )
        return box(b"moof", box(b"mfhd", bytes(8)), traf)

    data = b"".join(media(each, number) for number, each in enumerate(samples))
    return head + moof(len(moof(0)) + 8) + box(b"mdat", data)


samples = st.lists(
    st.builds(Sample, st.integers(8, 60), st.just(5), st.integers(-100, 100)),
    min_size=1,
    max_size=5,
)
STYP = box(b"styp", b"msdh")
heads = st.sampled_from([b"", STYP, STYP + box(b"sidx", bytes(24))])


@given(
    st.integers(0, 2**40),
    samples,
    st.sampled_from([0xF01, 0xE01, 0xA05, 0x205]),
    st.sampled_from([0, 8, 16]),
    heads,
)
def test_a_segment_of_the_first_frame_is_whole_and_tells_of_it_alone(
    start: int, found: list[Sample], flags: int, iv_bytes: int, head: bytes
) -> None:
    whole = fragment(start, found, flags, iv_bytes, head)
    ticks = 1000 * len(found)
    frame = first_frame(whole, init_of(iv_bytes), ticks)
    assert [kind for kind, _ in boxes(memoryview(frame))] == [
        *([b"styp"] if head else []),
        b"moof",
        b"mdat",
    ]
    read = structure.segment_of(frame, described(iv_bytes))
    assert (read.start, read.duration, read.samples) == (start, ticks, 1)
    assert (read.sync, read.idr) == (True, True)
    assert read.ivs == ([(0, 0)] if iv_bytes else [])
    assert segment_span(frame) == (start, ticks)
    assert bytes(find(memoryview(frame), b"mdat")) == media(found[0], 0)
    # What the reader above does not look at: where the parts lie, and how late the frame is shown.
    moof_at = frame.index(b"moof") - 4
    traf = find(memoryview(frame), b"moof", b"traf")
    trun = bytes(find(traf, b"trun"))
    assert moof_at + int.from_bytes(trun[8:12], "big") == frame.index(b"mdat") + 4
    saio = int.from_bytes(find(traf, b"saio")[8:12], "big")
    assert moof_at + saio == frame.index(b"senc") + 12
    entry = bytes(iv_bytes) + struct.pack(">HHI", 1, 5, found[0].size - 5)
    assert frame[moof_at + saio :].startswith(entry)
    assert bytes(find(traf, b"saiz")) == struct.pack(">IBI", 0, len(entry), 1)
    if flags & 0x800:
        assert int.from_bytes(trun[-4:], "big", signed=True) == found[0].shift


@given(st.binary(max_size=200))
def test_bytes_that_are_no_segment_are_refused(data: bytes) -> None:
    with pytest.raises(BoxesInvalid):
        first_frame(data, init_of(0), 1)


@given(st.data())
def test_only_boxes_invalid_escapes_from_broken_segments(data: st.DataObject) -> None:
    whole = fragment(9, [Sample(20), Sample(9)], 0xF01, 8, STYP)
    broken = bytearray(whole[: data.draw(st.integers(0, len(whole)))])
    for _ in range(data.draw(st.integers(0, 6)) if broken else 0):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    try:
        first_frame(bytes(broken), init_of(8), 5)
    except BoxesInvalid:
        return


def test_a_fragment_with_a_box_that_is_not_known_is_refused() -> None:
    whole = fragment(9, [Sample(20), Sample(9)], 0xF01, 0, b"")
    with pytest.raises(BoxesInvalid, match="sgpd"):
        first_frame(whole.replace(b"senc", b"sgpd"), init_of(0), 5)


def test_the_rendition_is_the_best_of_few_lines_and_of_two_the_smaller() -> None:
    def named(*lines: int) -> str:
        rungs = [
            rendition(f"{each}-{n}", 2 * each, each, 100.0 * n, SD) for n, each in enumerate(lines)
        ]
        return chosen(rungs).rendition_id

    assert named(180, 240, 360, 360, 720) == "360-2"
    assert named(180, 240, 540) == "240-1"
    assert named(540, 720, 1080) == "540-0"
    assert named(MOST_LINES) == f"{MOST_LINES}-0"


def track_of(spans: list[int]) -> Track:
    starts = [0, *accumulate(spans)][:-1]
    segments = [
        structure.Segment(
            start=start,
            duration=span,
            samples=span,
            sync=True,
            idr=True,
            ivs=[(start, start + span)],
        )
        for start, span in zip(starts, spans, strict=True)
    ]
    return Track(track_id="v", pictures=True, init=described(0), segments=segments)


def frames_of(track: Track) -> list[structure.Segment]:
    return [
        msgspec.structs.replace(each, samples=1, ivs=[(each.start, each.start)])
        for each in track.segments
    ]


@given(st.lists(st.integers(1, 90), min_size=1, max_size=9), st.data())
def test_each_iframe_is_held_against_its_segment(spans: list[int], data: st.DataObject) -> None:
    track = track_of(spans)
    frames = frames_of(track)
    assert trick_play.findings("v.iframes", frames, track) == []
    place = data.draw(st.integers(0, len(frames) - 1))
    wrong: dict[str, object] = data.draw(
        st.sampled_from(
            [
                {"samples": 2},
                {"sync": False},
                {"idr": False},
                {"start": -1},
                {"duration": 0},
                {"ivs": None},
                {"ivs": [(-1, -1)]},
            ]
        )
    )
    changed = [*frames]
    changed[place] = msgspec.structs.replace(frames[place], **wrong)
    (found,) = trick_play.findings("v.iframes", changed, track)
    assert found.text.startswith(f"I-frame {place + 1} of v.iframes ")
    (found,) = trick_play.findings("v.iframes", frames[1:], track)
    assert "segments" in found.text
