"""How much a run of a tool may use up, from the size of its work.

A bound is a ceiling for hostile files, not an estimate: real films, 4K among them, must never
meet it. What the tools need was measured (FFmpeg 9.0, x264 ``medium`` and libvmaf, one thread
each, 8-bit and 10-bit sources up to 3840x2160); each figure here is that with headroom.

- Address space. An encode at 3840x2160 reserved 2.3 GB: 0.6 GB of it whatever the picture is,
  and 200 bytes for each pixel (40 frames of lookahead and references, each with its half-pel and
  half-size planes). Scoring needs half of that. ``BYTES_A_PIXEL`` is twice the measured.
- CPU. That encode took 4e-8 s for each pixel, decoding alone 4e-9. A pixel of grain, an old
  machine and a slow decoder each make that a few times more: the bound is 25 times.
- Wall time is four times the CPU time, for machines that are busy with other things, and at
  least ten minutes.
"""

import msgspec

from cuemark.contexts.encoding.model.timing import MAX_FRAMES

MEBIBYTE = 1 << 20
MAX_PIXELS = 8800 * 8800
"""No decoder makes a picture larger than this: twice 8K, square, as ``model.master`` has it."""

BASE_MEMORY_BYTES = 1024 * MEBIBYTE
BYTES_A_PIXEL = 400
READING_MEMORY_BYTES = 2048 * MEBIBYTE
BASE_CPU_S = 60
ENCODING_S_A_PIXEL = 1e-6
DECODING_S_A_PIXEL = 1e-7
READING_S_A_BYTE = 1e-7
SOUND_S_A_SECOND = 1.0
SEEK_FRAMES = 1000
"""A seek decodes from a frame that stands for itself, and these can be far apart."""
BASE_WALL_S = 600
WALL_A_CPU = 4
_SMALL_BYTES = 64 * MEBIBYTE
_SAID_BYTES = 16 * MEBIBYTE
_LINE_BYTES = 24


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """Ceilings of one run: time, address space, each file written, all that is printed."""

    cpu_s: int
    wall_s: int
    memory_bytes: int
    file_bytes: int
    stdout_bytes: int


def _bounds(
    cpu_s: float, memory_bytes: float, file_bytes: float = 0, stdout_bytes: float = 0
) -> Bounds:
    cpu_s = BASE_CPU_S + cpu_s
    return Bounds(
        cpu_s=round(cpu_s),
        wall_s=round(BASE_WALL_S + WALL_A_CPU * cpu_s),
        memory_bytes=round(memory_bytes),
        file_bytes=round(_SMALL_BYTES + file_bytes),
        stdout_bytes=round(_SAID_BYTES + stdout_bytes),
    )


def reading(size_bytes: int) -> Bounds:
    """Reading or copying a file of this size without decoding it.

    A line is printed for each packet.
    """
    return _bounds(
        size_bytes * READING_S_A_BYTE,
        READING_MEMORY_BYTES,
        file_bytes=size_bytes * 2,
        stdout_bytes=min(size_bytes, MAX_FRAMES * _LINE_BYTES),
    )


def decoding(pixels: int, frames: int) -> Bounds:
    """Decoding ``frames`` pictures of so many pixels."""
    return _bounds(
        (frames + SEEK_FRAMES) * pixels * DECODING_S_A_PIXEL,
        BASE_MEMORY_BYTES + pixels * BYTES_A_PIXEL,
    )


def encoding(pixels: int, frames: int) -> Bounds:
    """Encoding or scoring ``frames`` pictures: no encode is larger than what it encodes."""
    decoded = decoding(pixels, frames)
    return _bounds(
        decoded.cpu_s + frames * pixels * ENCODING_S_A_PIXEL,
        decoded.memory_bytes,
        file_bytes=frames * pixels * 1.5,
    )


def sounding(size_bytes: int, duration_s: float) -> Bounds:
    """Finding the sound in a file of this size, and measuring or encoding it."""
    return _bounds(
        size_bytes * READING_S_A_BYTE + duration_s * SOUND_S_A_SECOND,
        READING_MEMORY_BYTES,
        file_bytes=duration_s * 128_000,
    )
