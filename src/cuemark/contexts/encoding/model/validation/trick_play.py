"""The I-frames of a rendition against its segments: each is one frame, of the same time."""

from collections.abc import Sequence

from cuemark.contexts.encoding.model.validation.findings import Finding, error
from cuemark.contexts.encoding.model.validation.structure import Segment, Track
from cuemark.contracts.encoding.validation import Check

CHECKS: tuple[Check, ...] = ("trick_play",)


def findings(name: str, frames: Sequence[Segment], track: Track) -> list[Finding]:
    """Where the ``frames`` of the track ``name`` are not the first ones of a track's segments."""
    if len(frames) != len(track.segments):
        text = f"{name} has {len(frames)} I-frames and its rendition {len(track.segments)} segments"
        return [error("trick_play", text)]
    for number, (frame, segment) in enumerate(zip(frames, track.segments, strict=True), 1):
        wrong = ""
        if frame.samples != 1 or not frame.sync or frame.idr is False:
            wrong = "is not one IDR frame"
        elif (frame.start, frame.duration) != (segment.start, segment.duration):
            wrong = "does not stand for its segment"
        elif frame.ivs is None or _first(frame) != _first(segment):
            wrong = "does not say how it is encrypted"
        if wrong:
            return [error("trick_play", f"I-frame {number} of {name} {wrong}")]
    return []


def _first(segment: Segment) -> int | None:
    """The IV of its first sample; none where all samples of the track share one."""
    return segment.ivs[0][0] if segment.ivs else None
