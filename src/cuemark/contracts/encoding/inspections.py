"""What a master is, before anything is made of it."""

from typing import Literal

import msgspec

from cuemark.contracts.encoding.versions import AudioRole, DynamicRange


class InspectedSound(msgspec.Struct, frozen=True, kw_only=True):
    """A sound of a master: its stream's number, its channels, and how loud they are as stereo.

    ``language`` is BCP 47, ``und`` where the file states none. ``lufs`` is the integrated loudness
    and ``peak_dbtp`` the true peak (EBU R 128) of what its downmix is before it is normalized; none
    where it was not measured, or is silent.
    """

    stream: int
    channels: int
    layout: str
    language: str
    role: AudioRole = "main"
    title: str = ""
    lufs: float | None = None
    peak_dbtp: float | None = None


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """A master as every later stage takes it.

    ``width`` by ``height`` is its picture with square points, upright. ``frame_rate`` is a
    fraction, as ``24000/1001``; where frames come at uneven times (``cadence``) the film is
    brought to that rate. ``repeats_every`` is n where every nth frame of an even film repeats
    the one before it, else 0. ``fields`` is their order in an interlaced picture (``tff``,
    ``bff``), else empty. ``primaries``, ``matrix`` and ``full_range`` are told of HDR; an SDR
    film's samples are left as they come. Light is in cd/m2, of HDR10 where the file tells it.
    ``shots`` counts them, ``longest_shot_s`` is the longest; ``spatial`` and ``temporal`` are
    the film's mean SI and TI (ITU-T P.910), of a picture of 128 by 72. ``notes`` are sentences
    on what its owner may not expect.
    """

    container: str
    codec: str
    width: int
    height: int
    frames: int
    frame_rate: str
    duration_s: float
    cadence: Literal["even", "uneven"]
    repeats_every: int
    fields: Literal["", "tff", "bff"]
    dynamic_range: DynamicRange
    bit_depth: int
    primaries: str
    matrix: str
    full_range: bool | None
    mastering_peak_cd_m2: float | None = None
    max_cll: int | None = None
    max_fall: int | None = None
    sounds: list[InspectedSound]
    shots: int
    longest_shot_s: float
    spatial: float
    temporal: float
    notes: list[str] = []
