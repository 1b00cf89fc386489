"""Both manifests of a version against the files that it has, read by parsers that others wrote.

A manifest may refer to files of a kind that is not known here: what counts is that each file that
is referred to is there, and each that is there is referred to.
"""

import math
import posixpath
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from urllib.parse import unquote
from xml.parsers.expat import ExpatError

import m3u8
import msgspec
from mpegdash.nodes import MPEGDASH, AdaptationSet, Period, Representation, SegmentTemplate
from mpegdash.parser import MPEGDASHParser

from cuemark.contexts.encoding.model.playlists import MARKED, bitrates_kbps
from cuemark.contexts.encoding.model.validation.findings import Finding, error, warning
from cuemark.contexts.encoding.model.watermark import VARIANTS
from cuemark.contracts.encoding.validation import Check
from cuemark.contracts.encoding.versions import Version
from cuemark.contracts.protection import SYSTEM_IDS

CHECKS: tuple[Check, ...] = ("manifests", "bandwidth")
INDEX = "index.json"
MOST_SEGMENTS = 200_000
OVER, UNDER = 1.1, 2.0
"""How far the measured rate may be over the declared one (Apple's authoring specification has 10 %
too), and how many times under it."""

_VARIABLE = re.compile(r"\$(RepresentationID|Number|Time|Bandwidth)(?:%0(\d+)d)?\$|\$\$")
_DIGESTS = "urn:cuemark:digests:sha-256-128"


class ManifestsOf(msgspec.Struct, frozen=True):
    """The manifests of a version as a player would get them, its files under ``base_url``.

    ``hls_of_systems`` are the playlists for one DRM system each, by its name.
    """

    dash: str
    hls: str
    base_url: str
    hls_of_systems: dict[str, str] = {}


class Declared(msgspec.Struct, frozen=True, kw_only=True):
    """The rates, in bits a second, of a track with one of the sounds that may be played with it.

    ``sounds`` is empty where the rates are of the track alone, and ``mean`` 0 where none is said.
    """

    track: str
    sounds: frozenset[str] = frozenset()
    peak: int
    mean: int = 0


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """What a manifest says: the files it refers to, and the rates it declares."""

    files: frozenset[str]
    declared: Sequence[Declared]


class ManifestUnreadable(ValueError):
    """A manifest is not what its format demands; the text says why."""


def read_dash(text: str, base_url: str, duration_s: float) -> Read:
    """What a DASH manifest says (ISO/IEC 23009-1); raises ``ManifestUnreadable``."""
    if "<MPD" not in text:
        # The parser would take such a text for an address, and open it.
        raise ManifestUnreadable("the DASH manifest is none")
    try:
        mpd: MPEGDASH = MPEGDASHParser.parse(text)
    except (ExpatError, ValueError, AttributeError, IndexError) as cause:
        raise ManifestUnreadable(f"the DASH manifest cannot be read: {cause}") from cause
    for name in ("profiles", "min_buffer_time", "media_presentation_duration"):
        if not getattr(mpd, name):
            raise ManifestUnreadable(f"the DASH manifest has no {name}")
    files: set[str] = set()
    declared: list[Declared] = []
    bases = [each.base_url_value for each in mpd.base_urls or []] or [""]
    if any(base != base_url for base in bases):
        raise ManifestUnreadable(f"the DASH manifest leads to {bases[0]!r}")
    for period in mpd.periods or []:
        for each in period.adaptation_sets or []:
            files |= {value.split()[0] for value in _digest_values(each)}
            for representation in each.representations or []:
                files |= set(_files_of(period, each, representation, duration_s))
                if not representation.bandwidth:
                    raise ManifestUnreadable(
                        f"the representation {representation.id} of the DASH manifest has no "
                        "bandwidth"
                    )
                name = unquote(str(representation.id))
                declared.append(Declared(track=name, peak=int(representation.bandwidth)))
    if not declared:
        raise ManifestUnreadable("the DASH manifest has no representation")
    return Read(files=frozenset(files), declared=declared)


def _digest_values(parent: AdaptationSet) -> Iterator[str]:
    for representation in parent.representations or []:
        for each in representation.supplemental_properties or []:
            if each.scheme_id_uri == _DIGESTS:
                yield unquote(each.value)


def _files_of(
    period: Period, parent: AdaptationSet, representation: Representation, duration_s: float
) -> Iterator[str]:
    base = "".join(
        each.base_url_value
        for level in (period, parent, representation)
        for each in (level.base_urls or [])[:1]
    )
    template = next(
        (
            level.segment_templates[0]
            for level in (representation, parent, period)
            if level.segment_templates
        ),
        None,
    )
    if template is None:
        if not base:
            raise ManifestUnreadable(
                f"the representation {representation.id} of the DASH manifest has no file"
            )
        yield unquote(base)
        return
    if template.initialization:
        yield unquote(base + _filled(template.initialization, representation, 0, 0))
    for number, time in _segments(template, duration_s):
        yield unquote(base + _filled(template.media, representation, number, time))


def _segments(template: SegmentTemplate, duration_s: float) -> Iterator[tuple[int, int]]:
    """Number and time of each segment, from a timeline or from one duration (5.3.9)."""
    first = template.start_number if template.start_number is not None else 1
    if not template.segment_timelines:
        if not template.duration:
            raise ManifestUnreadable("a template of the DASH manifest has no duration")
        count = math.ceil(duration_s * (template.timescale or 1) / template.duration - 1e-6)
        for place in range(min(count, MOST_SEGMENTS)):
            yield first + place, place * template.duration
        return
    place = time = 0
    for each in template.segment_timelines[0].Ss or []:
        time = each.t if each.t is not None else time
        for _ in range((each.r or 0) + 1):
            if place >= MOST_SEGMENTS:
                raise ManifestUnreadable(
                    f"the DASH manifest has more than {MOST_SEGMENTS} segments"
                )
            yield first + place, time
            place, time = place + 1, time + each.d


def _filled(template: str, representation: Representation, number: int, time: int) -> str:
    values = {
        "RepresentationID": str(representation.id),
        "Number": number,
        "Time": time,
        "Bandwidth": representation.bandwidth,
    }

    def value(found: re.Match[str]) -> str:
        if found[1] is None:
            return "$"
        known = values[found[1]]
        return f"{known:0{found[2]}d}" if found[2] and isinstance(known, int) else str(known)

    return _VARIABLE.sub(value, template)


_URI = re.compile(r'URI="([^"]*)"')
_DATA = re.compile(r'#EXT-X-SESSION-DATA:.*VALUE="([^" ]+\.digests) ')


def read_hls(text: str, base_url: str, playlists: Mapping[str, str]) -> Read:
    """What an HLS playlist says (RFC 8216bis) with its media ``playlists``, texts by file.

    Raises ``ManifestUnreadable``.
    """
    top = _loaded(text, "the HLS manifest")
    if not top.is_variant or not top.playlists:
        raise ManifestUnreadable("the HLS manifest has no variant")
    files = {unquote(name) for name in _DATA.findall(text)}
    declared: list[Declared] = []
    for each in top.playlists:
        name = _relative(each.uri, base_url)
        track = _track(name)
        if not each.stream_info.bandwidth:
            raise ManifestUnreadable(f"the variant {track} of the HLS manifest has no BANDWIDTH")
        sounds = [media.uri for media in each.media if media.type == "AUDIO" and media.uri]
        if each.stream_info.audio and not sounds:
            raise ManifestUnreadable(
                f"the variant {track} of the HLS manifest names the sounds "
                f"{each.stream_info.audio!r}, of which there are none"
            )
        declared.append(
            Declared(
                track=track,
                sounds=frozenset(_track(_relative(uri, base_url)) for uri in sounds),
                peak=int(each.stream_info.bandwidth),
                mean=int(each.stream_info.average_bandwidth or 0),
            )
        )
    for frames in top.iframe_playlists:
        rates = frames.iframe_stream_info
        declared.append(
            Declared(
                track=unquote(_relative(frames.uri, base_url).removesuffix(".m3u8")),
                peak=int(rates.bandwidth or 0),
                mean=int(rates.average_bandwidth or 0),
            )
        )
    for address in _addresses(text):
        name = unquote(_relative(address, base_url))
        files.add(name)
        if name in playlists:
            files |= set(_media_files(name, playlists[name]))
    return Read(files=frozenset(files), declared=declared)


def _track(name: str) -> str:
    """The track whose playlist this is, be it for one DRM system alone."""
    track = unquote(name.removesuffix(".m3u8"))
    system = track.rpartition(".")[2]
    return track.removesuffix(f".{system}") if system in SYSTEM_IDS else track


def _media_files(name: str, text: str) -> Iterator[str]:
    media = _loaded(text, name)
    if media.is_variant or not media.segments:
        raise ManifestUnreadable(f"the playlist {name} has no segment")
    if not media.is_endlist:
        raise ManifestUnreadable(f"the playlist {name} has no end")
    longest_s = max(float(each.duration or 0) for each in media.segments)
    if media.target_duration is None or round(longest_s) > media.target_duration:
        raise ManifestUnreadable(
            f"the playlist {name} has a segment of {longest_s:.3f} s, which is longer than its "
            f"target of {media.target_duration} s"
        )
    for address in _addresses(text):
        if not address.startswith("{$"):
            yield posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(address)))


def _addresses(text: str) -> Iterator[str]:
    """Every address of a playlist, those of tags that are not known included.

    What has a tag of its own for a key or for data is no file of the version.
    """
    for line in text.splitlines():
        if line.startswith(("#EXT-X-KEY", "#EXT-X-SESSION-KEY", "#EXT-X-CONTENT-STEERING")):
            continue
        if line.startswith("#"):
            yield from _URI.findall(line)
        elif line.strip():
            yield line.strip()


def _loaded(text: str, name: str) -> m3u8.M3U8:
    if not text.startswith("#EXTM3U"):
        raise ManifestUnreadable(f"{name} does not begin as a playlist")
    try:
        return m3u8.loads(text)
    except (m3u8.ParseError, ValueError, KeyError, IndexError, AttributeError) as cause:
        raise ManifestUnreadable(f"{name} cannot be read: {cause}") from cause


def _relative(address: str, base_url: str) -> str:
    if not address.startswith(base_url):
        raise ManifestUnreadable(f"the HLS manifest leads to {address!r}, outside the version")
    return address.removeprefix(base_url)


def in_variants(read: Read, names: Collection[str]) -> Read:
    """What a manifest of a marked version says, with the variants in the place of each segment of
    the renditions ``names``."""
    files: set[str] = set()
    for name in read.files:
        track, _, file = name.rpartition("/")
        if track in names and file.startswith(MARKED):
            files |= {f"{track}/{variant}{file.removeprefix(MARKED)}" for variant in VARIANTS}
        else:
            files.add(name)
    return msgspec.structs.replace(read, files=frozenset(files))


def reference_findings(
    version: Version, reads: Mapping[str, Read], there: Mapping[str, int], index: Mapping[str, int]
) -> list[Finding]:
    """Files that are missing, not as the index has them, or that nothing refers to.

    ``there`` and ``index`` are sizes by path, of the files and in the index; ``reads`` are what the
    manifests say, by format.
    """
    found = []
    for name in sorted(index.keys() | there.keys() - {INDEX}):
        if name not in there:
            found.append(error("manifests", f"the index lists {name}, which is not there"))
        elif name not in index:
            found.append(error("manifests", f"{name} is there and not in the index"))
        elif there[name] != index[name]:
            found.append(
                error(
                    "manifests",
                    f"{name} has {there[name]} bytes and {index[name]} in the index",
                )
            )
    for kind, read in reads.items():
        for name in sorted(read.files - there.keys()):
            found.append(
                error("manifests", f"the {kind} manifest refers to {name}, which is not there")
            )
    described = {path for each in version.captions for path in (each.path, each.imsc_path)}
    known = frozenset(described).union(*(read.files for read in reads.values()))
    for name in sorted(index.keys() - known):
        found.append(error("manifests", f"no manifest refers to {name}"))
    for kind, read in reads.items():
        media = {name for name in index if name.endswith((".m4s", ".mp4"))}
        for name in sorted(media - read.files)[:1]:
            found.append(error("manifests", f"the {kind} manifest does not refer to {name}"))
    return _bounded(found)


MOST = 5


def _bounded(found: Sequence[Finding]) -> list[Finding]:
    left = len(found) - MOST
    kept = list(found[:MOST])
    return kept if left <= 0 else [*kept, error("manifests", f"{left} more files are not right")]


def bandwidth_findings(
    version: Version, reads: Mapping[str, Read], sizes: Mapping[str, Sequence[int]]
) -> list[Finding]:
    """Where a declared rate is not what the segments need.

    ``sizes`` are bytes by track, one for each segment: a track that has others is not looked at.
    """
    timelines = {each.rendition_id: version.video_timeline for each in version.renditions}
    for rendition in version.renditions:
        if rendition.iframes is not None:
            timelines[rendition.iframes.track_id] = version.video_timeline
    for sound in version.audio:
        timeline = version.audio_timelines.get(sound.codec_string, version.audio_timeline)
        if timeline is not None:
            timelines[sound.track_id] = timeline
    rates = {
        name: bitrates_kbps(list(sizes[name]), timeline)
        for name, timeline in timelines.items()
        if len(sizes[name]) == len(timeline.durations)
    }
    found = []
    for kind, read in reads.items():
        told = {each.track for each in read.declared}
        found += [
            error("bandwidth", f"the {kind} manifest declares no rate of {one.rendition_id}")
            for one in version.renditions
            if one.rendition_id in rates and one.rendition_id not in told
        ]
        for each in read.declared:
            if each.track not in rates:
                continue
            mean, peak = rates[each.track]
            sounds = [rates[name] for name in each.sounds if name in rates]
            mean += max((rate for rate, _ in sounds), default=0.0)
            peak += max((rate for _, rate in sounds), default=0.0)
            found += _held(kind, each.track, "peak", 1000 * peak, each.peak)
            if each.mean:
                found += _held(kind, each.track, "mean", 1000 * mean, each.mean)
    return found


def _held(kind: str, name: str, what: str, needs: float, declared: int) -> list[Finding]:
    text = (
        f"the {kind} manifest declares a {what} rate of {declared / 1000:.0f} kbit/s for {name}, "
        f"which measures {needs / 1000:.0f}"
    )
    if needs > OVER * declared:
        return [error("bandwidth", text)]
    if needs * UNDER < declared:
        return [warning("bandwidth", text)]
    return []
