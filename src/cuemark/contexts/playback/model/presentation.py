"""What both manifest formats say of a version, in numbers and addresses."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import groupby
from math import ceil
from urllib.parse import quote

from cuemark.contracts.encoding import AudioTrack, Timeline, Version

_ADDRESS_SAFE = ":/?#[]@!$&()*+,;=%-._~"


def path(name: str) -> str:
    """A file or rendition name as one segment of an address."""
    return quote(name, safe="")


def digests(track_id: str, sha256: str) -> str:
    """A track's list of digests with what seals it; empty where the version has none."""
    return f"{path(track_id)}.digests {sha256}" if sha256 else ""


def address(url: str) -> str:
    """``url`` without anything that could end an attribute, a line or a variable around it."""
    return quote(url, safe=_ADDRESS_SAFE)


def bits_per_s(bitrate_kbps: float) -> int:
    return max(1, ceil(bitrate_kbps * 1000))


def origin_s(version: Version) -> Fraction:
    """The media time at which the presentation begins.

    The earliest start of all tracks, so that a track that begins later stays late by as much.
    """
    return min(Fraction(t.start, t.timescale) for t in timelines(version))


def duration_s(version: Version) -> Fraction:
    """How long the video lasts, from ``origin_s``."""
    video = version.video_timeline
    return Fraction(video.start + sum(video.durations), video.timescale) - origin_s(version)


def timelines(version: Version) -> list[Timeline]:
    return [version.video_timeline, *(sound_timeline(version, each) for each in version.audio)]


def sound_timeline(version: Version, track: AudioTrack) -> Timeline:
    """When the segments of a sound track are; raises ``ValueError`` where the version says not."""
    found = version.audio_timelines.get(track.codec_string, version.audio_timeline)
    if found is None:
        raise ValueError(f"{version.version_id} has audio but no audio timeline")
    return found


def sounds(version: Version) -> list[list[AudioTrack]]:
    """The renditions of each sound, in the order of the version."""
    found: dict[tuple[str, str, str], list[AudioTrack]] = {}
    for track in version.audio:
        # A track of an older release has no name, and is a sound of its own.
        key = (track.language, track.role, track.name or track.track_id)
        found.setdefault(key, []).append(track)
    return list(found.values())


def sound_kbps(track: AudioTrack) -> float:
    """The peak of a sound track; the mean where an older release did not keep the peak."""
    return track.peak_bitrate_kbps or track.bitrate_kbps


def runs(durations: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Each duration in ticks with how many times in a row it stands."""
    for ticks, group in groupby(durations):
        yield ticks, sum(1 for _ in group)
