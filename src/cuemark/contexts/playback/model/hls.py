"""The HLS multivariant playlist of a session: RFC 8216 and its second edition (rfc8216bis).

The media playlists are files of the version; ``EXT-X-DEFINE`` gives them the address of this
session's keys. The variants of the best appliance come first and those of the others repeat them.
Each appliance is a pathway of Content Steering (rfc8216bis sections 4.4.6.6 and 7), with groups of
renditions of its own. Where no steering server is named they are redundant streams (section 6.2.4)
and have no PATHWAY-ID: hls.js would keep one pathway and forget the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from cuemark.contexts.playback.model import presentation, protection
from cuemark.contracts.encoding.versions import (
    AudioRole,
    AudioTrack,
    CaptionRole,
    IFrames,
    Rendition,
    ThumbnailTrack,
    Version,
)
from cuemark.contracts.protection import System
from cuemark.contracts.steering import RankedAppliance

_NAMES: dict[CaptionRole, str] = {"subtitles": "", "sdh": " (SDH)", "forced": " (forced)"}
_FOR_THE_DEAF = (
    "public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound"
)
"""rfc8216bis section 4.4.6.1, and what Apple's authoring specification asks of SDH."""

_SOUND_TRAITS: dict[AudioRole, str] = {
    "description": "public.accessibility.describes-video",
    "clear": "public.accessibility.enhances-speech-intelligibility",
    "commentary": "public.auxiliary-content",
}
"""rfc8216bis section 4.4.6.1; the last one is of Apple's authoring specification."""

_QUOTED = str.maketrans({'"': "'", "{": "(", "}": ")"})


_APPLIANCE, _MEDIA, _PATHWAY = "{appliance}", "{media}", "{pathway}"
"""Where an appliance's id, its address and its pathway go: nothing else that is quoted in a
playlist has braces."""


@dataclass(frozen=True)
class Draft:
    """What the playlists of all sessions of a version have in common: all but a few addresses.

    Each of ``of_appliances`` stands once for each appliance, ``of_the_first`` for the best alone.
    """

    clear: bool
    common: tuple[str, ...]
    of_appliances: tuple[str, ...]
    of_the_first: str

    def fill(
        self, ranking: Sequence[RankedAppliance], licence_url: str, steering_url: str = ""
    ) -> str:
        """The playlist of a session, with the appliances of ``ranking`` in their order.

        Keys in the clear are at the sibling ``keys/KID`` of ``licence_url``, which must be
        absolute: a media playlist resolves a path against its own appliance. So must be
        ``steering_url``, where players ask from time to time where to fetch; empty, the ranking
        stands.
        """
        lines = ["#EXTM3U", "#EXT-X-VERSION:8", "#EXT-X-INDEPENDENT-SEGMENTS"]
        if steering_url:
            server = _quoted(presentation.address(steering_url))
            first = _quoted(ranking[0].appliance_id)
            lines.append(f"#EXT-X-CONTENT-STEERING:SERVER-URI={server},PATHWAY-ID={first}")
        if self.clear:
            key_base = presentation.address(f"{licence_url.rpartition('/')[0]}/keys")
            lines.append(f"#EXT-X-DEFINE:NAME={_quoted('key_base')},VALUE={_quoted(key_base)}")
        lines += self.common
        places = [_place(each, bool(steering_url)) for each in ranking]
        lines += [_filled(part, place) for part in self.of_appliances for place in places if part]
        if self.of_the_first:
            lines += [_filled(self.of_the_first, place) for place in places[:1]]
        return "\n".join(lines) + "\n"


def draft(version: Version, system: System | None = None) -> Draft:
    """The playlist of ``version`` as far as it is no session's, for ClearKey players or those of
    one DRM ``system``."""
    if system is None:
        common = [_digests(track_id, sha256) for track_id, sha256 in _tracks(version) if sha256]
    else:
        # Digests are of the other playlists.
        common = protection.session_keys(version, system)
    kind = f".{system}.m3u8" if system else ".m3u8"
    groups = _groups(version)
    others = [line for group, members in groups.items() for line in _audio(group, members, kind)]
    others += _subtitles(version)
    variants = [
        line
        for group, members in groups.items() or [("", [])]
        for rendition in version.renditions
        for line in (
            _variant(version, rendition, group, members) + _PATHWAY,
            _playlist(rendition.rendition_id, kind),
        )
    ]
    frames = [
        _iframes(version, rendition, rendition.iframes, kind) + _PATHWAY
        for rendition in version.renditions
        if rendition.iframes is not None
    ]
    return Draft(
        clear=system is None,
        common=tuple(common),
        of_appliances=tuple("\n".join(lines) for lines in (others, variants, frames)),
        of_the_first=_thumbnails(version.thumbnails) if version.thumbnails else "",
    )


def manifest(
    version: Version,
    ranking: Sequence[RankedAppliance],
    licence_url: str,
    system: System | None = None,
    steering_url: str = "",
) -> str:
    """The playlist of one session, drafted for it alone: as ``Draft.fill``."""
    return draft(version, system).fill(ranking, licence_url, steering_url)


def _place(appliance: RankedAppliance, steered: bool) -> tuple[str, str, str]:
    """An appliance's id, its address, and that a variant is of its pathway, which stands at the end
    of the variant's attributes."""
    appliance_id = _quoted(appliance.appliance_id)
    pathway = f",PATHWAY-ID={appliance_id}" if steered else ""
    return appliance_id[1:-1], presentation.address(appliance.media_url), pathway


def _filled(part: str, place: tuple[str, str, str]) -> str:
    appliance_id, media_url, pathway = place
    return (
        part.replace(_APPLIANCE, appliance_id).replace(_MEDIA, media_url).replace(_PATHWAY, pathway)
    )


def _tracks(version: Version) -> list[tuple[str, str]]:
    """Each track that may have digests, with what seals them."""
    tracks = [(each.track_id, each.digests_sha256) for each in version.audio]
    for rendition in version.renditions:
        tracks.append((rendition.rendition_id, rendition.digests_sha256))
        if rendition.iframes is not None:
            tracks.append((rendition.iframes.track_id, rendition.iframes.digests_sha256))
    if version.thumbnails is not None:
        tracks.append((version.thumbnails.track_id, version.thumbnails.digests_sha256))
    return tracks


def _digests(track_id: str, sha256: str) -> str:
    """Where a device finds a track's digests, as session data (rfc8216bis section 4.4.6.4)."""
    data_id = _quoted(f"org.cuemark.digests.{presentation.path(track_id)}")
    value = _quoted(presentation.digests(track_id, sha256))
    return f"#EXT-X-SESSION-DATA:DATA-ID={data_id},VALUE={value}"


def _groups(version: Version) -> dict[str, list[AudioTrack]]:
    """Groups of sound tracks by their names, one for each codec and number of channels.

    Every group has every sound, as rfc8216bis section 4.4.6.1.1 wants it: one that has no rendition
    of that kind is there as what everything plays. So each variant can be played with each group.
    """
    sounds = presentation.sounds(version)
    kinds = dict.fromkeys((track.codec_string, track.channels) for track in version.audio)
    groups: dict[str, list[AudioTrack]] = {}
    for kind in kinds:
        members = [
            next((each for each in sound if (each.codec_string, each.channels) == kind), sound[0])
            for sound in sounds
        ]
        named = next(each for each in members if (each.codec_string, each.channels) == kind)
        name = f"audio-{named.codec}-{named.channels}" if groups else "audio"
        groups[name] = members
    return groups


def _audio(group: str, members: Sequence[AudioTrack], kind: str) -> list[str]:
    names = _names([(track.name or track.language, track.track_id) for track in members])
    lines = []
    for number, (track, name) in enumerate(zip(members, names, strict=True)):
        traits = _SOUND_TRAITS.get(track.role)
        attributes = [
            "TYPE=AUDIO",
            f"GROUP-ID={_group(group)}",
            f"NAME={_quoted(name)}",
            f"LANGUAGE={_quoted(track.language)}",
            f"DEFAULT={'YES' if number == 0 else 'NO'}",
            f"AUTOSELECT={'NO' if track.role == 'commentary' and number else 'YES'}",
            *([f"CHARACTERISTICS={_quoted(traits)}"] if traits else []),
            f"CHANNELS={_quoted(str(track.channels))}",
            f"URI={_uri(track.track_id, kind)}",
        ]
        lines.append(f"#EXT-X-MEDIA:{','.join(attributes)}")
    return lines


def _subtitles(version: Version) -> list[str]:
    names = _names(
        [(track.language + _NAMES[track.role], track.track_id) for track in version.captions]
    )
    lines = []
    for track, name in zip(version.captions, names, strict=True):
        attributes = [
            "TYPE=SUBTITLES",
            f"GROUP-ID={_group('captions')}",
            f"NAME={_quoted(name)}",
            f"LANGUAGE={_quoted(track.language)}",
            "DEFAULT=NO",
            "AUTOSELECT=YES",
            *(["FORCED=YES"] if track.role == "forced" else []),
            *([f"CHARACTERISTICS={_quoted(_FOR_THE_DEAF)}"] if track.role == "sdh" else []),
            f"URI={_uri(track.track_id)}",
        ]
        lines.append(f"#EXT-X-MEDIA:{','.join(attributes)}")
    return lines


def _names(tracks: Sequence[tuple[str, str]]) -> list[str]:
    """A name for each (name, track id), no two alike: renditions of a group must differ."""
    names: list[str] = []
    for name, track_id in tracks:
        names.append(track_id if name in names else name)
    return names


def _variant(
    version: Version,
    rendition: Rendition,
    group: str,
    sounds: Sequence[AudioTrack],
) -> str:
    mean_kbps = max((track.bitrate_kbps for track in sounds), default=0.0)
    peak_kbps = max((presentation.sound_kbps(track) for track in sounds), default=0.0)
    codecs = dict.fromkeys([rendition.codec_string, *(track.codec_string for track in sounds)])
    attributes = [
        f"BANDWIDTH={presentation.bits_per_s(rendition.peak_bitrate_kbps + peak_kbps)}",
        f"AVERAGE-BANDWIDTH={presentation.bits_per_s(rendition.bitrate_kbps + mean_kbps)}",
        f"RESOLUTION={rendition.width}x{rendition.height}",
        f"FRAME-RATE={float(Fraction(version.frame_rate)):.3f}",
        f"CODECS={_quoted(','.join(codecs))}",
        *_range(version, rendition),
        *([f"AUDIO={_group(group)}"] if sounds else []),
        *([f"SUBTITLES={_group('captions')}"] if version.captions else []),
        "CLOSED-CAPTIONS=NONE",
    ]
    return f"#EXT-X-STREAM-INF:{','.join(attributes)}"


def _range(version: Version, rendition: Rendition) -> list[str]:
    """The range of a variant, where the film has more than one (rfc8216bis section 4.4.6.2)."""
    if all(each.dynamic_range == "sdr" for each in version.renditions):
        return []
    return [f"VIDEO-RANGE={rendition.dynamic_range.upper()}"]


def _iframes(version: Version, rendition: Rendition, frames: IFrames, kind: str) -> str:
    """A rendition's I-frame playlist (rfc8216bis section 4.4.6.3)."""
    attributes = [
        f"BANDWIDTH={presentation.bits_per_s(frames.peak_bitrate_kbps)}",
        f"AVERAGE-BANDWIDTH={presentation.bits_per_s(frames.bitrate_kbps)}",
        f"RESOLUTION={rendition.width}x{rendition.height}",
        f"CODECS={_quoted(rendition.codec_string)}",
        *_range(version, rendition),
        f"URI={_uri(frames.track_id, kind)}",
    ]
    return f"#EXT-X-I-FRAME-STREAM-INF:{','.join(attributes)}"


def _thumbnails(track: ThumbnailTrack) -> str:
    """Where the sheets are listed (Image Media Playlist for HLS 0.4); the size is of a tile.

    Of the best appliance alone: Shaka Player reads each such playlist before it plays, and gives
    the play up where one is away.
    """
    attributes = [
        f"BANDWIDTH={presentation.bits_per_s(track.bitrate_kbps)}",
        f"RESOLUTION={track.tile_width}x{track.tile_height}",
        f"CODECS={_quoted('jpeg')}",
        f"URI={_uri(track.track_id)}",
    ]
    return f"#EXT-X-IMAGE-STREAM-INF:{','.join(attributes)}"


def _playlist(name: str, kind: str = ".m3u8") -> str:
    return f"{_MEDIA}{presentation.path(name)}{kind}"


def _uri(name: str, kind: str = ".m3u8") -> str:
    return f'"{_playlist(name, kind)}"'


def _group(kind: str) -> str:
    return f'"{_quoted(kind)[1:-1]}-{_APPLIANCE}"'


def _quoted(text: str) -> str:
    """A quoted string: on one line, without a quote, and without a variable to substitute."""
    return f'"{"".join(c for c in text.translate(_QUOTED) if c.isprintable())}"'
