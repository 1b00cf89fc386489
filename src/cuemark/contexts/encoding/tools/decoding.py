"""Decoding in this process, for what must not stand in a command line: content keys."""

import hashlib
from pathlib import Path
from typing import Literal

import av
from av.subtitles.subtitle import SubtitleSet

from cuemark.contexts.encoding.tools.run import ToolFailed


def frame_hashes(file: Path, kind: Literal["video", "audio"], key: str = "") -> list[str]:
    """A hash of every decoded frame; ``key`` (hex) decrypts. Raises ``ToolFailed``."""
    options = {"decryption_key": key} if key else {}
    try:
        with av.open(str(file), options=options) as container:
            stream = container.streams.video[0] if kind == "video" else container.streams.audio[0]
            return [
                hashlib.blake2b(frame.to_ndarray().tobytes(), digest_size=16).hexdigest()
                for frame in container.decode(stream)
                if not isinstance(frame, SubtitleSet)
            ]
    except (av.FFmpegError, IndexError) as error:
        raise ToolFailed(f"{file.name} cannot be decoded: {error}") from error
