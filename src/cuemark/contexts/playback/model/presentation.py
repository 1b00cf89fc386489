"""What both manifest formats say of a version, in numbers and addresses."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from math import ceil
from urllib.parse import quote

from cuemark.contracts.encoding.versions import AudioTrack, Timeline, Version

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


@dataclass(frozen=True)
class Span:
    """A stretch of a presentation in which keys do not change: a Period of DASH.

    It begins at ``start_s`` of the media time, exactly. ``number`` counts from 0, and the segments
    of a timeline that are in it from 1 on through the whole film. ``kids`` are by label; empty
    where they are those that the tracks themselves name.
    """

    number: int
    start_s: Fraction
    video: range
    sounds: Mapping[str, range]
    init: str
    kids: Mapping[str, str]


WHOLE_INIT = "init.mp4"


def spans(version: Version) -> list[Span]:
    """The stretches of a version, in order; one where its keys do not change."""
    video, lengths = version.video_timeline, _sound_lengths(version)
    if not version.periods:
        every = range(1, len(video.durations) + 1)
        return [Span(0, origin_s(version), every, lengths, WHOLE_INIT, {})]
    found = []
    for number, (here, after) in enumerate(
        zip(version.periods, [*version.periods[1:], None], strict=True)
    ):
        end = len(video.durations) + 1 if after is None else after.video
        found.append(
            Span(
                number,
                Fraction(here.start, video.timescale) if number else origin_s(version),
                range(here.video, end),
                {
                    kind: range(first, lengths[kind].stop if after is None else after.sounds[kind])
                    for kind, first in here.sounds.items()
                },
                here.init,
                here.kids,
            )
        )
    return found


def _sound_lengths(version: Version) -> dict[str, range]:
    return {
        track.codec_string: range(1, len(sound_timeline(version, track).durations) + 1)
        for track in version.audio
    }


def exact_scale(timescale: int, start_s: Fraction) -> int:
    """By how much ``timescale`` must be multiplied for ``start_s`` to be so many whole ticks.

    1 where that is more than an MPD can state: then it is rounded down to a tick.
    """
    times = (start_s * timescale).denominator
    return times if timescale * times < 1 << 32 else 1


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
