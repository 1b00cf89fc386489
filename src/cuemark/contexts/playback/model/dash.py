"""The DASH manifest of a session: ISO/IEC 23009-1, static, the isoff-live profile.

Written for what Shaka Player and dash.js accept: one AdaptationSet for each codec, dynamic range
and content key, since players refuse two keys in one set. Those of the same codec and range are
joined by the switching property of DASH-IF IOP section 3.8 (``adaptation-set-switching:2016``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cuemark.contexts.playback.model import dash_templates as templates
from cuemark.contexts.playback.model import presentation
from cuemark.contexts.playback.model.dash_templates import digests, thumbnails
from cuemark.contexts.playback.model.presentation import Span
from cuemark.contexts.playback.model.protection import (
    CLEARKEY_ALONE,
    LICENCES,
    NAMESPACES,
    Offer,
    content_protection,
    keyed,
    offered,
)
from cuemark.contexts.playback.model.xml import descriptor, element, text
from cuemark.contracts.encoding.versions import (
    AudioRole,
    AudioTrack,
    CaptionRole,
    CaptionTrack,
    DynamicRange,
    IFrames,
    Rendition,
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

_TRICK_MODE = "http://dashif.org/guidelines/trickmode"
_ROLE = "urn:mpeg:dash:role:2011"
_CHANNELS = "urn:mpeg:mpegB:cicp:ChannelConfiguration"
_CICP_OF_CHANNELS = {7: 11, 8: 12}
"""ISO/IEC 23091-3 table 10: up to six channels the index is their number."""

_DOLBY_CHANNELS = "tag:dolby.com,2014:dash:audio_channel_configuration:2011"
_DOLBY_SURROUND = "F801"
"""L, C, R, Ls, Rs and LFE, as devices that follow DVB look for them in E-AC-3."""

_CAPTION_BITS_PER_S = 1000
_BT_2020 = 9
_TRANSFERS: dict[DynamicRange, int] = {"pq": 16, "hlg": 18}
"""ITU-T H.273 tables 2 to 4."""

_Kind = tuple[str, DynamicRange]
"""A codec and a dynamic range."""


@dataclass(frozen=True)
class Draft:
    """What the manifests of all sessions of a version have in common: all but a few addresses."""

    opening: str
    periods: tuple[str, ...]
    """Parted where the address of the licences goes."""

    def fill(
        self, ranking: Sequence[RankedAppliance], licence_url: str, steering_url: str = ""
    ) -> str:
        """The manifest of a session, with the appliances of ``ranking`` in their order.

        ``licence_url`` is as in ``content_protection``. At ``steering_url``, which must be
        absolute, players ask from time to time where to fetch; empty, the ranking stands.
        """
        bases = [
            element(
                "BaseURL",
                {"serviceLocation": each.appliance_id},
                text(presentation.address(each.media_url)),
            )
            for each in ranking
        ]
        licences = text(presentation.address(licence_url))
        parts = [self.opening, *bases, *_steering(steering_url), licences.join(self.periods)]
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{"".join(parts)}</MPD>\n'


def draft(version: Version, offer: Offer = CLEARKEY_ALONE) -> Draft:
    """The manifest of ``version`` as far as it is no session's."""
    longest_s = max(version.video_timeline.durations) / version.video_timeline.timescale
    times = {
        "mediaPresentationDuration": templates.duration(float(presentation.duration_s(version))),
        "minBufferTime": templates.duration(longest_s),
    }
    more = NAMESPACES if offered(version, offer) else {}
    opening = element("MPD", {**_MPD, **more, **times}, "").removesuffix("</MPD>")
    periods = "".join(_period(version, span, offer) for span in presentation.spans(version))
    return Draft(opening, tuple(periods.split(LICENCES)))


def manifest(
    version: Version,
    ranking: Sequence[RankedAppliance],
    licence_url: str = "",
    offer: Offer = CLEARKEY_ALONE,
    steering_url: str = "",
) -> str:
    """The manifest of one session, drafted for it alone: as ``Draft.fill``."""
    return draft(version, offer).fill(ranking, licence_url, steering_url)


def _steering(url: str) -> list[str]:
    """Content Steering for DASH (ETSI TS 103 998).

    Without ``defaultServiceLocation``: Shaka Player bans a place that failed by its host, whatever
    the port, and keeps to the default alone where all are banned, though it be the one that failed.
    Without one it falls back to all places in their order, which begins with the best.
    """
    if not url:
        return []
    attributes = {"queryBeforeStart": "false"}
    return [element("ContentSteering", attributes, text(presentation.address(url)))]


def _period(version: Version, span: Span, offer: Offer) -> str:
    """A Period for each stretch with keys of its own: ClearKey players do not rotate keys in one.

    Its tracks have the ids that they have in the others, by which players join them.
    """
    here = keyed(version, span)
    kids = [*(each.kid for each in here.renditions), *(each.kid for each in here.audio)]
    protections = {kid: content_protection(here, kid, offer) for kid in dict.fromkeys(kids)}
    start = templates.start(version, span)
    attributes = {"id": str(span.number), "start": start}
    return element("Period", attributes, *_sets(here, span, protections))


def _sets(version: Version, span: Span, protections: Mapping[str, list[str]]) -> list[str]:
    videos: dict[tuple[_Kind, str], list[Rendition]] = {}
    for rendition in version.renditions:
        videos.setdefault((_kind(rendition), rendition.kid), []).append(rendition)
    audios: dict[tuple[str, str, str, str, int, str], list[AudioTrack]] = {}
    for track in version.audio:
        what = (track.language, track.role, track.name)
        audios.setdefault((*what, track.codec_string, track.channels, track.kid), []).append(track)
    numbers = {key: str(number) for number, key in enumerate(videos, 1)}
    template = templates.of_video(version, span)
    sets = []
    for (kind, kid), renditions in videos.items():
        switchable = [
            number
            for (other, other_kid), number in numbers.items()
            if other == kind and other_kid != kid
        ]
        parts = [*protections[kid], *_colors(kind[1]), *_switching(switchable), template]
        sets.append(_video(version, parts, renditions, numbers[kind, kid]))
    for each in version.renditions:
        if each.iframes is not None:
            of_sets = [number for (kind, _), number in numbers.items() if kind == _kind(each)]
            colors = _colors(each.dynamic_range)
            parts = [*protections[each.kid], *colors, _trick_of(of_sets)]
            parts.append(templates.of_video(version, span, each.rendition_id))
            sets.append(_trick_mode(each, each.iframes, parts, str(len(sets) + 1)))
    first = len(sets) + 1
    sets += [
        _audio(version, span, protections[tracks[0].kid], tracks, str(n))
        for n, tracks in enumerate(audios.values(), first)
    ]
    first = len(sets) + 1
    sets += [_caption(track, span, str(n)) for n, track in enumerate(version.captions, first)]
    if version.thumbnails is not None:
        sets.append(thumbnails(version, version.thumbnails, span, str(len(sets) + 1)))
    return sets


def _kind(rendition: Rendition) -> _Kind:
    """What a player keeps to: it changes neither codec nor range within a play."""
    return rendition.codec, rendition.dynamic_range


def _colors(dynamic_range: DynamicRange) -> list[str]:
    """What a screen must know of HDR, as DASH-IF IOP 4.3 section 6.2.5.1 has it.

    Essential: a player that does not know these leaves the set alone.
    """
    if dynamic_range == "sdr":
        return []
    codes = {
        "ColourPrimaries": _BT_2020,
        "TransferCharacteristics": _TRANSFERS[dynamic_range],
        "MatrixCoefficients": _BT_2020,
    }
    return [
        descriptor("EssentialProperty", f"urn:mpeg:mpegB:cicp:{name}", str(code))
        for name, code in codes.items()
    ]


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
                *digests(each.rendition_id, each.digests_sha256),
            )
        )
    attributes = _set_attributes(number, "video")
    attributes["maxWidth"] = max(each.width for each in renditions)
    attributes["maxHeight"] = max(each.height for each in renditions)
    return element("AdaptationSet", attributes, *children)


def _trick_of(of_sets: Sequence[str]) -> str:
    """Whose I-frames they are: those of the video sets ``of_sets``."""
    return descriptor("EssentialProperty", _TRICK_MODE, " ".join(of_sets))


def _trick_mode(rendition: Rendition, frames: IFrames, parts: Sequence[str], number: str) -> str:
    """The I-frames of a rendition (DASH-IF IOP 4.3 section 3.2.9)."""
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
        *digests(frames.track_id, frames.digests_sha256),
    )
    attributes = _set_attributes(number, "video")
    return element("AdaptationSet", attributes, *parts, representation)


def _audio(
    version: Version,
    span: Span,
    protection: Sequence[str],
    tracks: Sequence[AudioTrack],
    number: str,
) -> str:
    first = tracks[0]
    children = [
        *_configuration(first),
        *protection,
        *([element("Label", {}, text(first.name))] if first.name else []),
        *_roles(version, first),
        templates.of_sound(version, span, first),
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
                *digests(each.track_id, each.digests_sha256),
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


def _caption(track: CaptionTrack, span: Span, number: str) -> str:
    """The WebVTT of a track. Its IMSC is not listed: players would show each language twice."""
    path = track.period_paths[span.number] if track.period_paths else track.path
    file = "/".join(presentation.path(part) for part in path.split("/"))
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


def _set_attributes(number: str, kind: str) -> dict[str, object]:
    return {
        "id": number,
        "contentType": kind,
        "mimeType": f"{kind}/mp4",
        "segmentAlignment": "true",
        "startWithSAP": "1",
    }
