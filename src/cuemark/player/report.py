"""What a play was, as scripts read it: one JSON object."""

from typing import Literal

import msgspec

from cuemark.player.ranges import DynamicRange


class RungShare(msgspec.Struct, frozen=True, kw_only=True):
    """``bitrate_kbps`` is what the manifest declares; ``share`` is of the seconds played."""

    rung_id: str
    width: int
    height: int
    bitrate_kbps: float
    seconds: float
    share: float


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A video segment that was presented, with its place in the film."""

    at_s: float
    rung_id: str
    appliance_id: str


Why = Literal["failed", "steered", "faster", "tried", "back"]
"""It failed; the service led the play; the other one was shown to be faster, or had one segment, on
trial or because it answered sooner; or the play is back with the first of its ranking."""


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """One appliance delivered segments after another.

    ``at_s`` is from the request to start the play on, and ``waited_s`` how long the first segment
    from there was waited for, with all attempts that failed or were abandoned before.
    """

    at_s: float
    left: str
    to: str
    why: Why
    waited_s: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a play.

    ``startup_ms`` runs from the request to start the play to its first decoded frame;
    ``startup_control_ms`` of it passed until manifest and keys were there.
    ``mean_bitrate_kbps`` is of the video bytes presented, by the time they lasted. ``frames`` are
    video frames decoded without fault and presented. ``decode_errors`` counts every fault in what
    was delivered, also in segments that were then fetched from another appliance.
    ``appliances`` are those whose segments were presented, in the order of first use;
    ``appliance_failures`` counts refusals, silences and wrong bytes. ``left`` are the appliances
    that served wrong bytes, and were not asked again while another one could be; ``wrong_digests``
    counts the files that were not what was published. ``caption_cues`` counts the cues of each
    caption track, by its language or, where it has a role, as ``en:sdh``. ``hedged_requests`` were
    sent to a second appliance while the first had not begun to answer. ``timeline`` has the video
    segments as they were presented, and ``stalled_at_s`` the places in the film where the picture
    stood still. ``resumed_from_s`` is 0 where the play did not resume. ``error`` is empty where it
    came to its end. ``audio`` is the sound that was played, ``audio_track`` its rendition, and
    ``audios`` are all that the film has, by their languages or, where they have a role, as
    ``en:commentary``. ``codec`` is the family of codecs in which the film was played, and
    ``dynamic_range`` its range. ``moves`` are the changes of appliance, at most the first 200, and
    ``steering_answers`` counts how often the service said where to fetch.
    """

    startup_ms: int
    startup_control_ms: int
    stalls: int
    stall_ms: int
    mean_bitrate_kbps: float
    switches: int
    frames: int
    decode_errors: int
    appliances: list[str]
    resumed_from_s: float
    title_id: str
    session_id: str
    version_id: str
    quality: str
    format: Literal["dash", "hls"]
    started_at_s: float
    seconds_played: float
    duration_s: float
    audio_segments: int
    caption_cues: dict[str, int]
    rungs: list[RungShare]
    segments_by_appliance: dict[str, int]
    appliance_failures: dict[str, int]
    refetched_segments: int
    abandoned_downloads: int
    trace_id: str
    error: str = ""
    left: list[str] = []
    wrong_digests: int = 0
    hedged_requests: int = 0
    timeline: list[Shown] = []
    stalled_at_s: list[float] = []
    audio: str = ""
    audio_track: str = ""
    audios: list[str] = []
    codec: str = ""
    dynamic_range: DynamicRange = "sdr"
    moves: list[Move] = []
    steering_answers: int = 0


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """What a report says that the engine does not know."""

    title_id: str
    session_id: str
    version_id: str
    quality: str
    format: Literal["dash", "hls"]
    resumed_from_s: float
    started_at_s: float
    unlocked_after_s: float
    trace_id: str
    audio: str = ""
    audios: list[str] = []
    codec: str = ""
    dynamic_range: DynamicRange = "sdr"
