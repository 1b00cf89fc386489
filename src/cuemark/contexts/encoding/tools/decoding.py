"""Reading media in this process, for what must not stand in a command line: content keys."""

import hashlib
from pathlib import Path
from typing import Literal

import av
import msgspec

from cuemark.contexts.encoding.model.validation.color import ColorCodes
from cuemark.contexts.encoding.tools.run import ToolFailed

Kind = Literal["video", "audio"]


class Content(msgspec.Struct, frozen=True):
    """What a player gets of a track: each sample's hash, and that of the first decoded frame.

    Samples that are equal decode to equal frames where the decoder is set up alike, which the
    first frame shows.
    """

    samples: list[str]
    first_frame: str


def content_of(file: Path, kind: Kind, key: str = "") -> Content:
    """Read a track; ``key`` (hex) decrypts it. Raises ``ToolFailed``."""
    samples = samples_of(file, kind, key)
    try:
        with av.open(str(file), options=_options(key)) as container:
            (stream,) = _only(container, kind)
            first = next(iter(container.decode(stream)))
            assert isinstance(first, av.VideoFrame | av.AudioFrame)
            return Content(samples, _hash(first.to_ndarray().tobytes()))
    except (av.FFmpegError, StopIteration) as error:
        raise ToolFailed(f"{file.name} cannot be decoded: {error}") from error


def samples_of(file: Path, kind: Kind, key: str = "") -> list[str]:
    """The hash of each sample of a track, decrypted by ``key`` (hex). Raises ``ToolFailed``."""
    try:
        with av.open(str(file), options=_options(key)) as container:
            return [
                _hash(bytes(packet))
                for packet in container.demux(*_only(container, kind))
                if packet.size
            ]
    except av.FFmpegError as error:
        raise ToolFailed(f"{file.name} cannot be read: {error}") from error


def _options(key: str) -> dict[str, str]:
    """Without its edit list a file gives whole frames, whether or not it is in fragments."""
    return {"ignore_editlist": "1", **({"decryption_key": key} if key else {})}


def coded_colors(file: Path) -> ColorCodes:
    """What the pictures of a file without a ``colr`` box say of their colors, in the clear or
    not. Raises ``ToolFailed``."""
    try:
        with av.open(str(file)) as container:
            told = container.streams.video[0].codec_context
            full = {1: False, 2: True}.get(int(told.color_range))
            return ColorCodes(
                int(told.color_primaries), int(told.color_trc), int(told.colorspace), full
            )
    except (av.FFmpegError, IndexError) as error:
        raise ToolFailed(f"{file.name} cannot be read: {error}") from error


def sample_bytes(file: Path) -> list[int]:
    """The sizes of a film's samples, in the order of decoding. Raises ``ToolFailed``."""
    try:
        with av.open(str(file)) as container:
            packets = container.demux(container.streams.video[0])
            return [packet.size for packet in packets if packet.size]
    except (av.FFmpegError, IndexError) as error:
        raise ToolFailed(f"{file.name} cannot be read: {error}") from error


def _only(
    container: av.container.InputContainer, kind: Kind
) -> list[av.VideoStream | av.AudioStream]:
    streams = container.streams
    return [*streams.video[:1]] if kind == "video" else [*streams.audio[:1]]


def _hash(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()
