"""Decrypt and decode a segment, for real: FFmpeg through PyAV, on one thread of its own.

FFmpeg's mov demuxer undoes cenc and cbcs when it is given the content key. It conceals what it
cannot decode: with a wrong key, H.264 still yields the right number of (gray) frames. So a
segment counts as decoded only if nothing at all went wrong in it: no exception, no message of
level error, no frame marked corrupt, a frame for each sample, and a beginning where it should be.
Of HEVC nothing shows a wrong key but the digest of what came.
"""

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from types import TracebackType
from typing import Literal, Self

import av
import av.logging
import msgspec

from cuemark.player.manifest import Segment

Kind = Literal["video", "audio"]
_MAX_MESSAGES = 1000


class Decoding(msgspec.Struct, frozen=True, kw_only=True):
    """``times_s`` ascend and stand on the film's timeline. With ``errors``, none is of use.

    ``reason`` is FFmpeg's first complaint, for the reader of a failure.
    """

    times_s: tuple[float, ...]
    errors: int
    reason: str = ""


def decode(kind: Kind, init: bytes, media: bytes, key_hex: str, segment: Segment) -> Decoding:
    """Decode ``media`` with its init segment; blocks. ``key_hex`` is empty for clear media."""
    times: list[Fraction] = []
    samples, errors, reason = 0, 0, ""
    with av.logging.Capture() as messages:
        try:
            options = {"decryption_key": key_hex} if key_hex else {}
            with av.open(io.BytesIO(init + media), "r", format="mp4", options=options) as container:
                stream = (container.streams.video or container.streams.audio)[0]
                if stream.type != kind:
                    return Decoding(times_s=(), errors=1, reason=f"the segment holds no {kind}")
                stream.codec_context.thread_count = 1
                for packet in container.demux(stream):
                    samples += 1 if packet.size else 0
                    try:
                        frames = packet.decode()
                    except av.FFmpegError as error:
                        errors, reason = errors + 1, reason or str(error.strerror)
                        continue
                    for frame in frames:
                        assert isinstance(frame, av.VideoFrame | av.AudioFrame)
                        errors += 1 if frame.is_corrupt else 0
                        if frame.pts is not None and frame.time_base is not None:
                            times.append(frame.pts * frame.time_base)
        except (av.FFmpegError, IndexError, ValueError) as error:
            errors += 1
            reason = reason or getattr(error, "strerror", "") or "the segment has no stream"
    complaints = [text.strip() for level, _, text in messages if level <= av.logging.ERROR]
    if len(complaints) > errors:
        errors = min(len(complaints), _MAX_MESSAGES)
    reason = complaints[0] if complaints else reason
    if not errors:
        errors, reason = _faults(times, samples, kind, segment)
    if errors:
        return Decoding(times_s=(), errors=errors, reason=reason or "a frame is corrupt")
    times.sort()
    shown = tuple(segment.start_s + float(time - times[0]) for time in times)
    return Decoding(times_s=shown, errors=0)


def _faults(times: list[Fraction], samples: int, kind: Kind, segment: Segment) -> tuple[int, str]:
    """Faults that FFmpeg itself does not see: samples without a frame, another segment's bytes."""
    if not times:
        return 1, "the segment holds no frame"
    # An AAC decoder keeps one frame back for its overlap; a video decoder gives all.
    missing = samples - len(times) - (1 if kind == "audio" else 0)
    if missing > 0:
        return missing, f"{missing} of {samples} samples gave no frame"
    if abs(float(min(times)) - segment.start_s) > max(0.5, segment.duration_s / 2):
        return 1, "the segment is another part of the film"
    return 0, ""


class Decoder:
    """Runs ``decode`` on one thread, so that the event loop stays free."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="decode")

    async def decode(
        self, kind: Kind, init: bytes, media: bytes, key_hex: str, segment: Segment
    ) -> Decoding:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, decode, kind, init, media, key_hex, segment)

    async def __aenter__(self) -> Self:
        # PyAV is silent until told; Capture then keeps the messages of the decoding thread.
        av.logging.set_level(av.logging.ERROR)
        av.logging.set_skip_repeated(False)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._thread.shutdown(wait=True, cancel_futures=True)
