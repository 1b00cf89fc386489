"""HLS media playlists (RFC 8216bis) of a version: relative addresses, keys by a variable."""

import math
from collections.abc import Sequence
from fractions import Fraction

from cuemark.contracts.encoding import ThumbnailTrack, Timeline


def media_playlist(track_id: str, timeline: Timeline, kid: str, iv: str) -> str:
    """The playlist of an encrypted track whose files are ``<track_id>/init.mp4``, ``/1.m4s`` ...

    The multivariant playlist of a session defines ``key_base``, where the session's keys are.
    """
    return _media(track_id, track_id, timeline, kid, iv, [])


def iframes_playlist(
    track_id: str, rendition_id: str, timeline: Timeline, kid: str, iv: str
) -> str:
    """The I-frame playlist (4.4.3.6) ``<track_id>/1.m4s`` ... of the first frames of segments.

    ``timeline`` is of the segments: all begin with a frame that is shown first of theirs, so each
    stands until the next one.
    """
    return _media(track_id, rendition_id, timeline, kid, iv, ["#EXT-X-I-FRAMES-ONLY"])


def _media(
    track_id: str, with_init: str, timeline: Timeline, kid: str, iv: str, tags: Sequence[str]
) -> str:
    seconds = [Fraction(ticks, timeline.timescale) for ticks in timeline.durations]
    lines = [
        *_head(max(seconds)),
        *tags,
        "#EXT-X-INDEPENDENT-SEGMENTS",
        '#EXT-X-DEFINE:IMPORT="key_base"',
        f'#EXT-X-MAP:URI="{with_init}/init.mp4"',
        f'#EXT-X-KEY:METHOD=SAMPLE-AES,URI="{{$key_base}}/{kid}",KEYFORMAT="identity",IV=0x{iv}',
    ]
    for number, duration in enumerate(seconds, 1):
        lines += [f"#EXTINF:{float(duration):.6f},", f"{track_id}/{number}.m4s"]
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def _head(longest_s: Fraction | float) -> list[str]:
    return [
        "#EXTM3U",
        "#EXT-X-VERSION:8",
        f"#EXT-X-TARGETDURATION:{_target(longest_s)}",
        "#EXT-X-PLAYLIST-TYPE:VOD",
    ]


def captions_playlist(track_id: str, duration_s: float) -> str:
    """The playlist of a caption track: one WebVTT file as long as the film."""
    return "\n".join(
        [
            *_head(duration_s),
            f"#EXTINF:{duration_s:.6f},",
            f"{track_id}.vtt",
            "#EXT-X-ENDLIST",
            "",
        ]
    )


def thumbnails_playlist(track: ThumbnailTrack, sheets: Timeline) -> str:
    """The playlist of ``<track_id>/1.jpg`` and so on (Image Media Playlist for HLS 0.4).

    ``sheets`` is for how long each sheet stands; the last one stands no longer than the film.
    """
    tiles = ",".join(
        [
            f"RESOLUTION={track.tile_width}x{track.tile_height}",
            f"LAYOUT={track.columns}x{track.rows}",
            f"DURATION={track.tile_ticks / track.timescale:.6f}",
        ]
    )
    seconds = [Fraction(ticks, sheets.timescale) for ticks in sheets.durations]
    lines = [*_head(max(seconds)), "#EXT-X-IMAGES-ONLY"]
    for number, duration in enumerate(seconds, 1):
        lines += [f"#EXTINF:{float(duration):.6f},", f"#EXT-X-TILES:{tiles}"]
        lines.append(f"{track.track_id}/{number}.jpg")
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def _target(longest_s: Fraction | float) -> int:
    """The longest segment rounded half up, where Python's ``round`` makes 2 of 2.5."""
    return max(1, math.floor(longest_s + 0.5))


def bitrates_kbps(sizes_bytes: list[int], timeline: Timeline) -> tuple[float, float]:
    """Mean and peak bit rate of a track.

    The peak is that of RFC 8216bis section 4.4.6.2: over every run of segments that lasts half
    to one and a half target durations.
    """
    seconds = [ticks / timeline.timescale for ticks in timeline.durations]
    mean = sum(sizes_bytes) * 8 / sum(seconds) / 1000
    target = max(seconds)
    peak = mean
    for first in range(len(seconds)):
        size, length = 0, 0.0
        for last in range(first, len(seconds)):
            size += sizes_bytes[last]
            length += seconds[last]
            if length > 1.5 * target:
                break
            if length >= 0.5 * target:
                peak = max(peak, size * 8 / length / 1000)
    return mean, peak
