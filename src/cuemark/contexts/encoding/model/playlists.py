"""HLS media playlists (RFC 8216bis) of a version: relative addresses, keys by a variable."""

import math
from collections.abc import Sequence
from fractions import Fraction

from cuemark.contexts.encoding.model.crypto_periods import Keyed
from cuemark.contracts.encoding.versions import ThumbnailTrack, Timeline
from cuemark.contracts.licensing import ContentKey
from cuemark.contracts.protection import Scheme, System

MARKED = "x"
"""The segments of a marked rendition are ``x1.m4s`` and so on to whoever plays it, and an appliance
gives ``a1.m4s`` or ``b1.m4s`` for the first, as the session's token says."""
METHODS: dict[Scheme, str] = {"cbcs": "SAMPLE-AES", "cenc": "SAMPLE-AES-CTR"}


def media_playlists(
    track_id: str,
    timeline: Timeline,
    keys: Sequence[Keyed],
    scheme: Scheme,
    *,
    marked: bool = False,
) -> dict[str, str]:
    """The playlists of an encrypted track, by their files' names; ``keys`` in their order.

    One has the key at an address of the session, and for each DRM system there is one that names it
    to that system alone: players differ in what they make of several names at once.
    """
    prefix = MARKED if marked else ""
    return _playlists(track_id, track_id, timeline, keys, scheme, prefix=prefix)


def iframes_playlists(
    track_id: str, rendition_id: str, timeline: Timeline, keys: Sequence[Keyed], scheme: Scheme
) -> dict[str, str]:
    """The I-frame playlists (4.4.3.6) of the first frames of segments, ``<track_id>/1.m4s`` ...

    ``timeline`` is of the segments: all begin with a frame that is shown first of theirs, so each
    stands until the next one.
    """
    return _playlists(track_id, rendition_id, timeline, keys, scheme, ["#EXT-X-I-FRAMES-ONLY"])


def _playlists(
    track_id: str,
    with_init: str,
    timeline: Timeline,
    keys: Sequence[Keyed],
    scheme: Scheme,
    tags: Sequence[str] = (),
    prefix: str = "",
) -> dict[str, str]:
    forms: dict[str, list[str]] = {"": [_identity(each.key, scheme) for each in keys]}
    for system in [each.system for each in keys[0].key.signals if each.hls_attributes]:
        forms[f".{system}"] = [_of_system(each.key, system, scheme) for each in keys]
    return {
        f"{track_id}{kind}.m3u8": _media_playlist(
            f"{track_id}/{prefix}",
            with_init,
            timeline,
            keys,
            named,
            [*tags, *_HEADS.get(kind, [_INDEPENDENT])],
        )
        for kind, named in forms.items()
    }


_INDEPENDENT = "#EXT-X-INDEPENDENT-SEGMENTS"
_HEADS = {"": [_INDEPENDENT, '#EXT-X-DEFINE:IMPORT="key_base"']}
"""The multivariant playlist of a session defines ``key_base``, where the session's keys are."""


def _identity(key: ContentKey, scheme: Scheme) -> str:
    """SAMPLE-AES-CTR has its IVs in the segments, and none here (rfc8216bis section 4.4.4.4)."""
    iv = f",IV=0x{key.iv}" if scheme == "cbcs" else ""
    where = f'URI="{{$key_base}}/{key.kid}",KEYFORMAT="identity"'
    return f"#EXT-X-KEY:METHOD={METHODS[scheme]},{where}{iv}"


def _of_system(key: ContentKey, system: System, scheme: Scheme) -> str:
    named = next(each for each in key.signals if each.system == system)
    return f"#EXT-X-KEY:METHOD={METHODS[scheme]},{named.hls_attributes}"


def _media_playlist(
    segments: str,
    with_init: str,
    timeline: Timeline,
    keys: Sequence[Keyed],
    named: Sequence[str],
    head: Sequence[str],
) -> str:
    """Of a track whose files are ``segments`` and then ``1.m4s`` and so on, and need the init
    segments of ``with_init``; ``named`` are the tags of ``keys``.

    A change of keys is no discontinuity: times go on, and so does all that a decoder is told.
    """
    seconds = [Fraction(ticks, timeline.timescale) for ticks in timeline.durations]
    lines = [*_head(max(seconds)), *head]
    begins = {
        each.first: [f'#EXT-X-MAP:URI="{with_init}/{each.init}"', tag]
        for each, tag in zip(keys, named, strict=True)
    }
    for number, duration in enumerate(seconds, 1):
        lines += begins.get(number, [])
        lines += [f"#EXTINF:{float(duration):.6f},", f"{segments}{number}.m4s"]
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
