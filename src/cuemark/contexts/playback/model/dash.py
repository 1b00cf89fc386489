"""The DASH manifest of a session: ISO/IEC 23009-1, static, the isoff-live profile.

Written for what Shaka Player and dash.js accept: one AdaptationSet for each content key, joined
by the switching property of DASH-IF IOP section 3.8 (``adaptation-set-switching:2016``), since
players refuse two keys in one set.
"""

from collections.abc import Mapping, Sequence

from cuemark.contexts.playback.model import presentation
from cuemark.contexts.playback.model.protection import (
    CLEARKEY_ALONE,
    NAMESPACES,
    Offer,
    content_protection,
    offered,
)
from cuemark.contexts.playback.model.xml import descriptor, element, text
from cuemark.contracts.encoding import (
    AudioRole,
    AudioTrack,
    CaptionRole,
    CaptionTrack,
    IFrames,
    Rendition,
    ThumbnailTrack,
    Timeline,
    Version,
)
from cuemark.contracts.steering import RankedAppliance

_MPD = {
    "xmlns": "urn:mpeg:dash:schema:mpd:2011",
    "xmlns:cenc": "urn:mpeg:cenc:2013",
    "profiles": "urn:mpeg:dash:profile:isoff-live:2011",
    "type": "static",
}
_SWITCHING = "urn:mpeg:dash:adaptation-set-switching:2016"
_PURPOSE = "urn:tva:metadata:cs:AudioPurposeCS:2007"
_HARD_OF_HEARING = "2"
_SOUND_PURPOSES: dict[AudioRole, tuple[str, str]] = {
    "description": ("description", "1"),
    "clear": ("enhanced-audio-intelligibility", _HARD_OF_HEARING),
}
"""Whom a sound is for: as ISO/IEC 23009-1 has it, and as DVB has it (ETSI TS 103 285 section
6.1.2), which Shaka Player reads."""
_SOUND_ROLES: dict[AudioRole, str] = {"dub": "dub", "commentary": "commentary"}
_CAPTION_ROLES: dict[CaptionRole, str] = {
    "subtitles": "subtitle",
    "sdh": "caption",
    "forced": "forced-subtitle",
}
"""ISO/IEC 23009-1 section 5.8.5.5."""

_TILES = "http://dashif.org/guidelines/thumbnail_tile"
_TRICK_MODE = "http://dashif.org/guidelines/trickmode"
_DIGESTS = "urn:cuemark:digests:sha-256-128"
_ROLE = "urn:mpeg:dash:role:2011"
_CHANNELS = "urn:mpeg:mpegB:cicp:ChannelConfiguration"
_CICP_OF_CHANNELS = {7: 11, 8: 12}
"""ISO/IEC 23091-3 table 10: up to six channels the index is their number."""

_DOLBY_CHANNELS = "tag:dolby.com,2014:dash:audio_channel_configuration:2011"
_DOLBY_SURROUND = "F801"
"""L, C, R, Ls, Rs and LFE, as devices that follow DVB look for them in E-AC-3."""

_CAPTION_BITS_PER_S = 1000


def manifest(
    version: Version,
    ranking: Sequence[RankedAppliance],
    licence_url: str = "",
    offer: Offer = CLEARKEY_ALONE,
) -> str:
    """The manifest of ``version``, with the appliances of ``ranking`` in their order.

    ``licence_url`` is as in ``content_protection``.
    """
    longest_s = max(version.video_timeline.durations) / version.video_timeline.timescale
    times = {
        "mediaPresentationDuration": _duration(float(presentation.duration_s(version))),
        "minBufferTime": _duration(longest_s),
    }
    bases = [
        element(
            "BaseURL",
            {"serviceLocation": each.appliance_id},
            text(presentation.address(each.media_url)),
        )
        for each in ranking
    ]
    kids = [*(each.kid for each in version.renditions), *(each.kid for each in version.audio)]
    protections = {
        kid: content_protection(version, kid, offer, presentation.address(licence_url))
        for kid in dict.fromkeys(kids)
    }
    period = element("Period", {"id": "0", "start": "PT0S"}, *_sets(version, protections))
    more = NAMESPACES if offered(version, offer) else {}
    mpd = element("MPD", {**_MPD, **more, **times}, *bases, period)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{mpd}\n'


def _sets(version: Version, protections: Mapping[str, list[str]]) -> list[str]:
    videos: dict[tuple[str, str], list[Rendition]] = {}
    for rendition in version.renditions:
        videos.setdefault((rendition.codec, rendition.kid), []).append(rendition)
    audios: dict[tuple[str, str, str, str, int, str], list[AudioTrack]] = {}
    for track in version.audio:
        what = (track.language, track.role, track.name)
        audios.setdefault((*what, track.codec_string, track.channels, track.kid), []).append(track)
    numbers = {key: str(number) for number, key in enumerate(videos, 1)}
    template = _template(version, version.video_timeline)
    sets = []
    for (codec, kid), renditions in videos.items():
        switchable = [
            number
            for (other, other_kid), number in numbers.items()
            if other == codec and other_kid != kid
        ]
        parts = [*protections[kid], *_switching(switchable), template]
        sets.append(_video(version, parts, renditions, numbers[codec, kid]))
    for each in version.renditions:
        if each.iframes is not None:
            of_sets = [number for (codec, _), number in numbers.items() if codec == each.codec]
            parts = [*protections[each.kid], _trick_of(of_sets)]
            sets.append(_trick_mode(version, each, each.iframes, parts, str(len(sets) + 1)))
    first = len(sets) + 1
    sets += [
        _audio(version, protections[tracks[0].kid], tracks, str(n))
        for n, tracks in enumerate(audios.values(), first)
    ]
    first = len(sets) + 1
    sets += [_caption(track, str(n)) for n, track in enumerate(version.captions, first)]
    if version.thumbnails is not None:
        sets.append(_thumbnails(version.thumbnails, str(len(sets) + 1)))
    return sets


def _switching(switchable: Sequence[str]) -> list[str]:
    """That a player may go on in the sets of these numbers, which have other keys."""
    value = ",".join(switchable)
    return [descriptor("SupplementalProperty", _SWITCHING, value)] if value else []


def _video(
    version: Version, parts: Sequence[str], renditions: Sequence[Rendition], number: str
) -> str:
    children = list(parts)
    for each in renditions:
        children.append(
            element(
                "Representation",
                {
                    "id": presentation.path(each.rendition_id),
                    "bandwidth": presentation.bits_per_s(each.peak_bitrate_kbps),
                    "codecs": each.codec_string,
                    "width": each.width,
                    "height": each.height,
                    "frameRate": version.frame_rate,
                    "sar": "1:1",
                },
                *_digests(each.rendition_id, each.digests_sha256),
            )
        )
    attributes = _set_attributes(number, "video")
    attributes["maxWidth"] = max(each.width for each in renditions)
    attributes["maxHeight"] = max(each.height for each in renditions)
    return element("AdaptationSet", attributes, *children)


def _trick_of(of_sets: Sequence[str]) -> str:
    """Whose I-frames they are: those of the video sets ``of_sets``."""
    return descriptor("EssentialProperty", _TRICK_MODE, " ".join(of_sets))


def _trick_mode(
    version: Version, rendition: Rendition, frames: IFrames, parts: Sequence[str], number: str
) -> str:
    """The I-frames of a rendition (DASH-IF IOP 4.3 section 3.2.9).

    They need the init segment of the rendition.
    """
    representation = element(
        "Representation",
        {
            "id": presentation.path(frames.track_id),
            "bandwidth": presentation.bits_per_s(frames.peak_bitrate_kbps),
            "codecs": rendition.codec_string,
            "width": rendition.width,
            "height": rendition.height,
            "sar": "1:1",
            "codingDependency": "false",
        },
        *_digests(frames.track_id, frames.digests_sha256),
    )
    init = f"{presentation.path(rendition.rendition_id)}/init.mp4"
    template = _template(version, version.video_timeline, init)
    attributes = _set_attributes(number, "video")
    return element("AdaptationSet", attributes, *parts, template, representation)


def _audio(
    version: Version, protection: Sequence[str], tracks: Sequence[AudioTrack], number: str
) -> str:
    first = tracks[0]
    children = [
        *_configuration(first),
        *protection,
        *([element("Label", {}, text(first.name))] if first.name else []),
        *_roles(version, first),
        _template(version, presentation.sound_timeline(version, first)),
    ]
    for each in tracks:
        children.append(
            element(
                "Representation",
                {
                    "id": presentation.path(each.track_id),
                    "bandwidth": presentation.bits_per_s(presentation.sound_kbps(each)),
                    "codecs": each.codec_string,
                    "audioSamplingRate": each.sample_rate_hz,
                },
                *_digests(each.track_id, each.digests_sha256),
            )
        )
    attributes = _set_attributes(number, "audio")
    attributes["lang"] = first.language
    return element("AdaptationSet", attributes, *children)


def _configuration(track: AudioTrack) -> list[str]:
    place = _CICP_OF_CHANNELS.get(track.channels, track.channels)
    found = [descriptor("AudioChannelConfiguration", _CHANNELS, str(place))]
    if track.codec == "eac3":
        found.append(descriptor("AudioChannelConfiguration", _DOLBY_CHANNELS, _DOLBY_SURROUND))
    return found


def _roles(version: Version, track: AudioTrack) -> list[str]:
    """Whom a sound is for, and what it is: ``main`` is said of the one that plays by itself."""
    default = presentation.sounds(version)[0]
    role = "main" if track in default else _SOUND_ROLES.get(track.role, "alternate")
    found = [descriptor("Role", _ROLE, role)]
    if track.role in _SOUND_PURPOSES:
        ours, theirs = _SOUND_PURPOSES[track.role]
        found = [
            descriptor("Accessibility", _ROLE, ours),
            descriptor("Accessibility", _PURPOSE, theirs),
            *found,
        ]
    if role == "main" and track.role in _SOUND_ROLES:
        found.append(descriptor("Role", _ROLE, _SOUND_ROLES[track.role]))
    return found


def _caption(track: CaptionTrack, number: str) -> str:
    """The WebVTT of a track. Its IMSC is not listed: players would show each language twice."""
    file = "/".join(presentation.path(part) for part in track.path.split("/"))
    representation = element(
        "Representation",
        {"id": presentation.path(track.track_id), "bandwidth": _CAPTION_BITS_PER_S},
        element("BaseURL", {}, text(file)),
    )
    attributes = {
        "id": number,
        "contentType": "text",
        "mimeType": "text/vtt",
        "lang": track.language,
    }
    role = _CAPTION_ROLES[track.role]
    descriptors = [descriptor("Role", _ROLE, role)]
    if track.role == "sdh":
        # The first is of ISO/IEC 23009-1, the second of DVB (ETSI TS 103 285 section 7.1.2), which
        # Shaka Player reads.
        descriptors = [
            descriptor("Accessibility", _ROLE, role),
            descriptor("Accessibility", _PURPOSE, _HARD_OF_HEARING),
            *descriptors,
        ]
    return element("AdaptationSet", attributes, *descriptors, representation)


def _thumbnails(track: ThumbnailTrack, number: str) -> str:
    """The sheets of DASH-IF IOP 4.3 section 6.2.6: sizes are of a sheet, ``@duration`` too.

    All sheets stand for equally long, which no SegmentTimeline says of the last one, so that a
    player finds the tiles of that one where they are.
    """
    sheet = {
        "timescale": track.timescale,
        "duration": track.tile_ticks * track.columns * track.rows,
        "media": "$RepresentationID$/$Number$.jpg",
        "startNumber": 1,
    }
    representation = element(
        "Representation",
        {
            "id": presentation.path(track.track_id),
            "bandwidth": presentation.bits_per_s(track.bitrate_kbps),
            "width": track.tile_width * track.columns,
            "height": track.tile_height * track.rows,
        },
        descriptor("EssentialProperty", _TILES, f"{track.columns}x{track.rows}"),
        *_digests(track.track_id, track.digests_sha256),
        element("SegmentTemplate", sheet),
    )
    attributes = {"id": number, "contentType": "image", "mimeType": "image/jpeg"}
    return element("AdaptationSet", attributes, representation)


def _set_attributes(number: str, kind: str) -> dict[str, object]:
    return {
        "id": number,
        "contentType": kind,
        "mimeType": f"{kind}/mp4",
        "segmentAlignment": "true",
        "startWithSAP": "1",
    }


def _digests(track_id: str, sha256: str) -> list[str]:
    """Where a device finds what its segments' digests are, sealed by this manifest."""
    value = presentation.digests(track_id, sha256)
    return [descriptor("SupplementalProperty", _DIGESTS, value)] if value else []


def _template(
    version: Version, timeline: Timeline, init: str = "$RepresentationID$/init.mp4"
) -> str:
    at = timeline.start
    segments: list[str] = []
    for ticks, times in presentation.runs(timeline.durations):
        start = f' t="{at}"' if not segments else ""
        repeat = f' r="{times - 1}"' if times > 1 else ""
        segments.append(f'<S{start} d="{ticks}"{repeat}/>')
        at += ticks * times
    attributes: dict[str, object] = {
        "timescale": timeline.timescale,
        "initialization": init,
        "media": "$RepresentationID$/$Number$.m4s",
        "startNumber": 1,
    }
    offset = int(presentation.origin_s(version) * timeline.timescale)
    if offset:
        attributes["presentationTimeOffset"] = offset
    timed = f"<SegmentTimeline>{''.join(segments)}</SegmentTimeline>"
    return element("SegmentTemplate", attributes, timed)


def _duration(seconds: float) -> str:
    """An xs:duration, to the microsecond."""
    return f"PT{seconds:.6f}".rstrip("0").rstrip(".") + "S"
