"""The HLS playlists of our plays (RFC 8216 and its second edition, draft-pantos-hls-rfc8216bis).

The multivariant playlist belongs to the session and names each media playlist once for each
appliance; a media playlist is a file of the version, with relative URIs, and imports the variable
that leads to the session's keys.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit

import msgspec

from cuemark.player.codecs import family_of
from cuemark.player.errors import ManifestInvalid
from cuemark.player.manifest import (
    MAX_DURATION_S,
    MAX_LOCATIONS,
    MAX_MANIFEST_CHARS,
    MAX_PERIODS,
    MAX_RUNGS,
    MAX_SEGMENTS,
    Caption,
    CaptionRole,
    DigestList,
    Location,
    Manifest,
    Rung,
    Segment,
    Stretch,
    base_url,
    checked,
    digest_list,
    name_of,
    relative_path,
    shown,
    steering_address,
)
from cuemark.player.ranges import OF_VIDEO_RANGE, DynamicRange
from cuemark.player.sound import Offered, SoundRole

_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s][^,]*)(?:,|$)')
_VARIABLE = re.compile(r"\{\$([A-Za-z0-9_-]+)\}")
_DECIMAL = re.compile(r"^\d{1,9}(?:\.\d{1,9})?$")
_RESOLUTION = re.compile(r"^(\d{1,5})x(\d{1,5})$")
_DIGESTS = "org.cuemark.digests."
_SDH = "public.accessibility.transcribes-spoken-dialog"
_SOUND_ROLES: dict[str, SoundRole] = {
    "public.accessibility.describes-video": "description",
    "public.accessibility.enhances-speech-intelligibility": "clear",
    "public.auxiliary-content": "commentary",
}
_METHODS = ("SAMPLE-AES", "SAMPLE-AES-CTR")

Attributes = Mapping[str, str]


class Playlist(msgspec.Struct, frozen=True):
    """A media playlist as the multivariant one names it, at one appliance."""

    location: Location
    path: str
    attributes: dict[str, str]


class Multivariant(msgspec.Struct, frozen=True, kw_only=True):
    """``variables`` are what EXT-X-DEFINE gives to the media playlists that import them.

    ``digests`` are the lists of digests by the path of the media playlist that they belong to.
    ``steering_url`` is empty where nothing steers the play.
    """

    variants: tuple[Playlist, ...]
    audio: tuple[Playlist, ...]
    captions: tuple[Playlist, ...]
    variables: dict[str, str]
    digests: dict[str, DigestList] = {}
    steering_url: str = ""

    @property
    def locations(self) -> tuple[Location, ...]:
        return tuple(dict.fromkeys(variant.location for variant in self.variants))

    @property
    def sounds(self) -> list[Offered]:
        """The sound tracks, each once."""
        return list(dict.fromkeys(_offered(each) for each in self.audio))

    def with_sound(self, track_id: str) -> "Multivariant":
        """The playlist as if it offered this sound track alone."""
        kept = tuple(each for each in self.audio if _offered(each).track_id == track_id)
        return msgspec.structs.replace(self, audio=kept)

    @property
    def dynamic_ranges(self) -> set[DynamicRange]:
        """The dynamic ranges that there are."""
        return {range_of(each.attributes) for each in self.variants}

    def with_range(self, dynamic_range: DynamicRange) -> "Multivariant":
        """The playlist as if it offered the variants of this dynamic range alone."""
        kept = tuple(each for each in self.variants if range_of(each.attributes) == dynamic_range)
        return msgspec.structs.replace(self, variants=kept)

    @property
    def codecs(self) -> set[str]:
        """The families of codecs that there are."""
        return {family_of(each.attributes.get("CODECS", "")) for each in self.variants}

    def with_codec(self, family: str) -> "Multivariant":
        """The playlist as if it offered the variants of this family alone."""
        kept = tuple(
            each for each in self.variants if family_of(each.attributes.get("CODECS", "")) == family
        )
        return msgspec.structs.replace(self, variants=kept)

    @property
    def paths(self) -> tuple[str, ...]:
        """The media playlists of video and audio, each once."""
        return tuple(dict.fromkeys(each.path for each in (*self.variants, *self.audio)))


def _offered(playlist: Playlist) -> Offered:
    language = playlist.attributes.get("LANGUAGE", "")
    return Offered(track_id_of(playlist.path), language, sound_role_of(playlist.attributes))


def track_id_of(path: str) -> str:
    """The rendition whose media playlist this is."""
    return name_of(path.removesuffix(".m3u8"))


class Media(msgspec.Struct, frozen=True):
    """A media playlist, read. It has no ``stretches`` where it names no init segment."""

    segments: tuple[Segment, ...]
    stretches: tuple[Stretch, ...]


def parse_multivariant(text: str) -> Multivariant:
    """The session's playlist, or ``ManifestInvalid`` with one sentence."""
    variants: list[Playlist] = []
    renditions: dict[str, list[Playlist]] = {"AUDIO": [], "SUBTITLES": []}
    variables: dict[str, str] = {}
    digests: dict[str, DigestList] = {}
    steering_url = ""
    pending: dict[str, str] | None = None
    for tag, value in _lines(text):
        if tag == "EXT-X-DEFINE":
            _define(_attributes(value), variables, {})
        elif tag == "EXT-X-SESSION-DATA":
            digests.update(_digests(_attributes(value)))
        elif tag == "EXT-X-CONTENT-STEERING":
            steering_url = steering_address(_attributes(value).get("SERVER-URI", ""))
        elif tag == "EXT-X-STREAM-INF":
            pending = _attributes(value)
        elif tag == "EXT-X-MEDIA":
            attributes = _attributes(value)
            kept = renditions.get(attributes.get("TYPE", ""))
            if kept is not None and "URI" in attributes:
                url = _substituted(attributes["URI"], variables)
                kept.append(_playlist(url, attributes))
        elif tag == "":
            if pending is None:
                raise ManifestInvalid(f"the playlist names {shown(value)} without EXT-X-STREAM-INF")
            variants.append(_playlist(_substituted(value, variables), pending))
            pending = None
        elif tag == "EXTINF":
            raise ManifestInvalid("the playlist lists segments where it should list renditions")
    if not variants:
        raise ManifestInvalid("the playlist has no variants")
    if len(variants) + sum(map(len, renditions.values())) > MAX_RUNGS * MAX_LOCATIONS:
        raise ManifestInvalid("the playlist names more renditions than any of ours")
    return Multivariant(
        variants=tuple(variants),
        audio=tuple(_of_pathways(renditions["AUDIO"], variants)),
        captions=tuple(_of_pathways(renditions["SUBTITLES"], variants)),
        variables=variables,
        digests=digests,
        steering_url=steering_url,
    )


def parse_media(text: str, imported: Mapping[str, str]) -> Media:
    """A media playlist; ``imported`` are the variables of the multivariant one."""
    variables: dict[str, str] = {}
    init_path, key_url, ended = "", "", False
    duration_s: float | None = None
    at_s = 0.0
    segments: list[Segment] = []
    stretches: list[Stretch] = []
    for tag, value in _lines(text):
        if tag == "EXT-X-DEFINE":
            _define(_attributes(value), variables, imported)
        elif tag == "EXT-X-MAP":
            init_path = relative_path(_substituted(_attributes(value).get("URI", ""), variables))
        elif tag == "EXT-X-KEY":
            key_url = _key_url(_attributes(value), variables, key_url)
        elif tag == "EXT-X-DISCONTINUITY":
            raise ManifestInvalid("the playlist has a discontinuity, which ours never have")
        elif tag == "EXTINF":
            duration_s = _decimal(value.partition(",")[0])
        elif tag == "EXT-X-BYTERANGE":
            raise ManifestInvalid("the playlist cuts segments by byte range, which ours never do")
        elif tag == "EXT-X-ENDLIST":
            ended = True
        elif tag == "":
            if not duration_s:
                raise ManifestInvalid(f"the segment {shown(value)} states no duration")
            path = relative_path(_substituted(value, variables))
            begun = Stretch(index=len(segments), init_path=init_path, key_url=key_url)
            if init_path and not (stretches and _goes_on(stretches[-1], begun)):
                stretches.append(begun)
            segments.append(Segment(path, at_s, duration_s))
            at_s += duration_s
            duration_s = None
            if len(stretches) > MAX_PERIODS:
                raise ManifestInvalid(f"the playlist changes keys more than {MAX_PERIODS} times")
            if len(segments) > MAX_SEGMENTS or at_s > MAX_DURATION_S:
                raise ManifestInvalid("the playlist is longer than any film")
    if not segments or not ended:
        raise ManifestInvalid("the playlist is not that of a whole film")
    return Media(tuple(segments), tuple(stretches))


def _goes_on(before: Stretch, here: Stretch) -> bool:
    """Whether nothing has changed; ours change the key and the init segment that names it at once.

    Raises ``ManifestInvalid`` where one of them changes alone.
    """
    same = before.init_path == here.init_path
    if same != (before.key_url == here.key_url):
        raise ManifestInvalid("the playlist changes its key without its EXT-X-MAP, or that alone")
    return same


def assemble(multivariant: Multivariant, playlists: Mapping[str, Media]) -> Manifest:
    """One manifest from the session's playlist and its media playlists, given by path."""
    video: dict[str, Rung] = {}
    for variant in multivariant.variants:
        if not _decimal(variant.attributes.get("BANDWIDTH", "0")):
            raise ManifestInvalid(f"the variant {shown(variant.path)} states no BANDWIDTH")
        video.setdefault(variant.path, _rung(variant, playlists[variant.path], multivariant))
    audio: dict[str, Rung] = {}
    for rendition in multivariant.audio:
        audio.setdefault(rendition.path, _rung(rendition, playlists[rendition.path], multivariant))
    captions = {
        each.path: Caption(each.attributes.get("LANGUAGE", ""), each.path, role_of(each.attributes))
        for each in multivariant.captions
    }
    longest = max(rung.segments[-1].end_s for rung in video.values())
    return checked(
        Manifest(
            duration_s=longest,
            locations=multivariant.locations,
            video=tuple(video.values()),
            audio=tuple(audio.values()),
            captions=tuple(captions.values()),
            steering_url=multivariant.steering_url,
        )
    )


def _rung(playlist: Playlist, media: Media, multivariant: Multivariant) -> Rung:
    attributes = playlist.attributes
    size = _RESOLUTION.match(attributes.get("RESOLUTION", ""))
    if not media.stretches or media.stretches[0].index:
        raise ManifestInvalid(f"the playlist {shown(playlist.path)} has no EXT-X-MAP")
    return Rung(
        rung_id=track_id_of(playlist.path),
        bandwidth_kbps=_decimal(attributes.get("BANDWIDTH", "0")) / 1000,
        width=int(size.group(1)) if size else 0,
        height=int(size.group(2)) if size else 0,
        codecs=attributes.get("CODECS", ""),
        dynamic_range=range_of(attributes),
        language=attributes.get("LANGUAGE", ""),
        role=sound_role_of(attributes),
        first=media.stretches[0],
        later=media.stretches[1:],
        segments=media.segments,
        digests=multivariant.digests.get(playlist.path),
    )


def range_of(attributes: Attributes) -> DynamicRange:
    """The dynamic range of a variant (rfc8216bis section 4.4.6.2); raises ``ManifestInvalid``."""
    said = attributes.get("VIDEO-RANGE", "SDR")
    found = OF_VIDEO_RANGE.get(said)
    if found is None:
        raise ManifestInvalid(f"the playlist has a variant of the video range {shown(said)}")
    return found


def role_of(attributes: Attributes) -> CaptionRole:
    """What an EXT-X-MEDIA of subtitles is for (rfc8216bis section 4.4.6.1)."""
    if attributes.get("FORCED") == "YES":
        return "forced"
    return "sdh" if _SDH in attributes.get("CHARACTERISTICS", "").split(",") else "subtitles"


def sound_role_of(attributes: Attributes) -> SoundRole:
    """What an EXT-X-MEDIA of sound is for."""
    traits = attributes.get("CHARACTERISTICS", "").split(",")
    return next((role for trait, role in _SOUND_ROLES.items() if trait in traits), "main")


def _digests(attributes: Attributes) -> dict[str, DigestList]:
    """What an EXT-X-SESSION-DATA says of a rendition's digests, by its playlist's path."""
    data_id = attributes.get("DATA-ID", "")
    if not data_id.startswith(_DIGESTS):
        return {}
    listed = digest_list(attributes.get("VALUE", ""))
    return {f"{data_id.removeprefix(_DIGESTS)}.m3u8": listed}


def _playlist(url: str, attributes: dict[str, str]) -> Playlist:
    """``url`` parted into an appliance's folder and a file of the version.

    A pathway is named as the appliance is; where nothing steers its address stands for it.
    """
    folder, _, name = url.rpartition("/")
    base = base_url(folder + "/")
    pathway = attributes.get("PATHWAY-ID")
    appliance_id = urlsplit(base).netloc if pathway is None else name_of(pathway)
    return Playlist(Location(appliance_id, base), relative_path(name), attributes)


def _of_pathways(
    renditions: Sequence[Playlist], variants: Sequence[Playlist]
) -> Iterator[Playlist]:
    """The renditions, each held to the folders that the variants name."""
    locations = {variant.location.base_url: variant.location for variant in variants}
    for rendition in renditions:
        location = locations.get(rendition.location.base_url)
        if location is None:
            raise ManifestInvalid(f"{shown(rendition.path)} lies where no variant of the film does")
        yield msgspec.structs.replace(rendition, location=location)


def _define(attributes: Attributes, variables: dict[str, str], imported: Mapping[str, str]) -> None:
    if "IMPORT" in attributes:
        name = attributes["IMPORT"]
        if name not in imported:
            raise ManifestInvalid(f"the playlist imports {shown(name)}, which nothing defines")
        variables[name] = imported[name]
    elif "NAME" in attributes and "VALUE" in attributes:
        variables[attributes["NAME"]] = attributes["VALUE"]
    else:
        raise ManifestInvalid("an EXT-X-DEFINE of the playlist defines nothing")


def _key_url(attributes: Attributes, variables: Mapping[str, str], before: str) -> str:
    method = attributes.get("METHOD", "")
    if method == "NONE":
        return before
    if attributes.get("KEYFORMAT", "identity") != "identity":
        return before
    if method not in _METHODS:
        raise ManifestInvalid(f"the playlist encrypts by {shown(method)}, not SAMPLE-AES")
    url = _substituted(attributes.get("URI", ""), variables)
    if not url:
        raise ManifestInvalid("the playlist names no address for its key")
    return url


def _substituted(text: str, variables: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in variables:
            raise ManifestInvalid(f"the playlist uses {shown(name)}, which nothing defines")
        return variables[name]

    return _VARIABLE.sub(value, text)


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Each tag with its value; a URI line has the empty tag. Comments are left out."""
    if len(text) > MAX_MANIFEST_CHARS:
        raise ManifestInvalid("the playlist is larger than any of ours")
    lines = text.removeprefix("\ufeff").split("\n")
    if lines[0].strip() != "#EXTM3U":
        raise ManifestInvalid("the playlist does not begin with #EXTM3U")
    for line in lines[1:]:
        stripped = line.strip()
        if stripped.startswith("#EXT"):
            tag, _, value = stripped[1:].partition(":")
            yield tag, value
        elif stripped and not stripped.startswith("#"):
            yield "", stripped


def _attributes(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        match = _ATTRIBUTE.match(text, at)
        if match is None:
            raise ManifestInvalid(f"the playlist has attributes that cannot be read: {shown(text)}")
        found[match.group(1)] = match.group(2).strip().strip('"')
        at = match.end()
        while at < len(text) and text[at] == " ":
            at += 1
    return found


def _decimal(text: str) -> float:
    number = text.strip()
    if not _DECIMAL.match(number):
        raise ManifestInvalid(f"{shown(text)} in the playlist is not a number")
    return float(number)
