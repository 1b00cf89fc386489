"""The I-frame playlist of a rendition against its segments: each range is one frame and no more.

RFC 8216bis section 4.4.3.6; the playlist is read by a parser that others wrote.
"""

from collections.abc import Sequence

import m3u8
import msgspec

from cuemark.contexts.encoding.model.boxes import BoxesInvalid, boxes, find
from cuemark.contexts.encoding.model.validation.findings import Finding, error
from cuemark.contexts.encoding.model.validation.samples import (
    NOT_SYNC,
    Defaults,
    Init,
    decode_time,
    has_senc,
    is_idr,
    samples_of,
)
from cuemark.contexts.encoding.model.validation.structure import Track
from cuemark.contracts.encoding import Check

CHECKS: tuple[Check, ...] = ("trick_play",)
TOLERANCE_S = 0.001


class Part(msgspec.Struct, frozen=True):
    """A byte range of a file of the version, and for how long it stands."""

    path: str
    offset: int
    size_bytes: int
    duration_s: float


def parts_of(text: str) -> list[Part]:
    """What an I-frame playlist lists; raises ``ValueError``."""
    try:
        read = m3u8.loads(text)
        if not read.is_i_frames_only:
            raise ValueError("the playlist is not of I-frames only")
        parts = []
        for each in read.segments:
            size, _, offset = str(each.byterange or "").partition("@")
            parts.append(Part(str(each.uri), int(offset), int(size), float(each.duration or 0)))
    except (m3u8.ParseError, KeyError, IndexError, AttributeError) as cause:
        raise ValueError(f"the playlist is no I-frame playlist: {cause}") from cause
    if any(part.offset < 0 or part.size_bytes < 0 for part in parts):
        raise ValueError("the playlist has a range that cannot be")
    return parts


def sizes_of(text: str) -> list[int]:
    """The sizes of what an I-frame playlist lists; none where it cannot be read."""
    try:
        return [part.size_bytes for part in parts_of(text)]
    except ValueError:
        return []


def findings(name: str, parts: Sequence[tuple[Part, bytes]], track: Track) -> list[Finding]:
    """Where the ranges of the playlist ``name`` are not the first frames of a track's segments.

    ``parts`` are the ranges with the bytes that are there.
    """
    if len(parts) != len(track.segments):
        text = f"{name} has {len(parts)} I-frames and its rendition {len(track.segments)} segments"
        return [error("trick_play", text)]
    for number, ((part, data), segment) in enumerate(zip(parts, track.segments, strict=True), 1):
        wrong = ""
        if part.path != f"{track.track_id}/{number}.m4s":
            wrong = f"is in {part.path}"
        elif abs(part.duration_s - segment.duration / track.init.timescale) > TOLERANCE_S:
            wrong = f"stands for {part.duration_s:.3f} s, which is not how long its segment lasts"
        else:
            try:
                if _start_of_one_idr(data, track.init) != segment.start:
                    wrong = "is not of its segment's time"
            except BoxesInvalid as cause:
                wrong = f"is not one frame: {cause}"
        if wrong:
            return [error("trick_play", f"I-frame {number} of {name} {wrong}")]
    return []


def _start_of_one_idr(data: bytes, init: Init) -> int:
    """When the fragment begins of which ``data`` is the header and exactly the first sample.

    Raises ``BoxesInvalid`` where it is anything else.
    """
    size = int.from_bytes(data[:4], "big")
    if data[4:8] != b"moof" or size > len(data):
        raise BoxesInvalid("the range does not begin with a whole moof box")
    (_, moof) = next(boxes(memoryview(data)[:size]))
    if data[size + 4 : size + 8] != b"mdat":
        raise BoxesInvalid("no mdat box follows")
    sample = memoryview(data)[size + 8 :]
    traf = find(moof, b"traf")
    runs = [body for kind, body in boxes(traf) if kind == b"trun"]
    listed = list(samples_of(runs[0], Defaults(find(traf, b"tfhd"), init))) if runs else []
    if not listed or len(sample) != listed[0][1]:
        raise BoxesInvalid("the range does not end with the first sample")
    if listed[0][2] & NOT_SYNC or is_idr(sample, init) is False:
        raise BoxesInvalid("the sample is no IDR picture")
    told = sum(int.from_bytes(run[4:8], "big") for run in runs)
    if init.scheme and not has_senc(traf, told):
        raise BoxesInvalid("the fragment does not say how it is encrypted")
    return decode_time(find(traf, b"tfdt"))
