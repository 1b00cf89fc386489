"""The DASH manifests of our plays (ISO/IEC 23009-1): static Periods, SegmentTimelines.

A Period begins where keys change: tracks go on in the next one under the id that they had.

Not a general DASH parser: what our service does not write is refused, so that a mistake in a
manifest is seen here and not as a stall on a television.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from xml.etree.ElementTree import Element, ParseError

import msgspec
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from cuemark.player.errors import ManifestInvalid
from cuemark.player.manifest import (
    MAX_DURATION_S,
    MAX_MANIFEST_CHARS,
    MAX_PERIODS,
    MAX_SEGMENTS,
    MAX_SEGMENTS_OF_ALL,
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
    joined,
    kid_of,
    name_of,
    relative_path,
    shown,
    steering_address,
)
from cuemark.player.ranges import OF_TRANSFER, DynamicRange
from cuemark.player.sound import SoundRole

_MPD = "{urn:mpeg:dash:schema:mpd:2011}"
_CENC = "{urn:mpeg:cenc:2013}"
_PROTECTION = "urn:mpeg:dash:mp4protection:2011"
_ROLE = "urn:mpeg:dash:role:2011"
_SOUND_ROLES: dict[str, SoundRole] = {
    "description": "description",
    "commentary": "commentary",
    "enhanced-audio-intelligibility": "clear",
    "dub": "dub",
}
_TRANSFER = "urn:mpeg:mpegB:cicp:TransferCharacteristics"
_KNOWN = {
    _TRANSFER,
    "urn:mpeg:mpegB:cicp:ColourPrimaries",
    "urn:mpeg:mpegB:cicp:MatrixCoefficients",
}
_DIGESTS = "urn:cuemark:digests:sha-256-128"
_DURATION = re.compile(
    r"^P(?:(\d{1,3})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,6})M)?(?:(\d{1,8}(?:\.\d{1,9})?)S)?)?$"
)
_NATURAL = re.compile(r"^[0-9]{1,15}$")
_IDENTIFIER = re.compile(r"\$(?:(RepresentationID|Number|Bandwidth|Time)(?:%0(\d{1,2})d)?)?\$")


def parse(text: str) -> Manifest:
    """The manifest in ``text``, or ``ManifestInvalid`` with one sentence."""
    if len(text) > MAX_MANIFEST_CHARS:
        raise ManifestInvalid("the manifest is larger than any of ours")
    try:
        mpd = fromstring(text)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise ManifestInvalid("the manifest is not well-formed XML that a player reads") from error
    if mpd.tag != f"{_MPD}MPD":
        raise ManifestInvalid("the manifest is XML, but not DASH")
    if mpd.get("type", "static") != "static":
        raise ManifestInvalid("the manifest is of a live stream, which this player does not play")
    periods = mpd.findall(f"{_MPD}Period")
    if not 1 <= len(periods) <= MAX_PERIODS:
        raise ManifestInvalid(f"the manifest has {len(periods)} Periods, not 1 to {MAX_PERIODS}")
    duration_s = _duration_s(mpd.get("mediaPresentationDuration", ""))
    film = _Period(periods[0], Fraction(0), _end_s(periods, 0, duration_s))
    for number, element in enumerate(periods[1:], 1):
        begins_s = _end_s(periods, number - 1, duration_s)
        film.go_on(_Period(element, begins_s, _end_s(periods, number, duration_s)))
    return checked(
        Manifest(
            duration_s=float(duration_s),
            locations=tuple(_locations(mpd)),
            video=tuple(film.video.values()),
            audio=tuple(film.audio.values()),
            captions=tuple(film.captions),
            steering_url=_steering_url(mpd),
        )
    )


def _essential(adaptation: Element) -> dict[str, str]:
    return {
        each.get("schemeIdUri", ""): each.get("value", "")
        for each in adaptation.findall(f"{_MPD}EssentialProperty")
    }


def _dynamic_range(essential: Mapping[str, str]) -> DynamicRange:
    """By the transfer characteristics (ITU-T H.273 table 3); raises ``ManifestInvalid``."""
    code = essential.get(_TRANSFER)
    if code is None:
        return "sdr"
    found = OF_TRANSFER.get(code.strip())
    if found is None:
        raise ManifestInvalid(
            f"the manifest has pictures of the transfer characteristics {shown(code)}, which no "
            "version of ours has"
        )
    return found


def _end_s(periods: Sequence[Element], number: int, duration_s: Fraction) -> Fraction:
    """When a Period ends, from the film's beginning: where the next one begins."""
    if number + 1 == len(periods):
        return duration_s
    return _duration_s(periods[number + 1].get("start", ""))


class _Period:
    """What one Period says of each track. ``go_on`` adds what the next one says."""

    def __init__(self, period: Element, begins_s: Fraction, ends_s: Fraction) -> None:
        if not 0 <= begins_s < ends_s:
            raise ManifestInvalid("a Period of the manifest does not begin after the one before")
        if period.find(f"{_MPD}BaseURL") is not None:
            raise ManifestInvalid("the manifest has a BaseURL in a Period, where it ranks nothing")
        self.video: dict[str, Rung] = {}
        self.audio: dict[str, Rung] = {}
        self.captions: list[Caption] = []
        self.segments = 0
        for adaptation in period.findall(f"{_MPD}AdaptationSet"):
            essential = _essential(adaptation)
            if essential.keys() - _KNOWN:
                # ISO/IEC 23009-1 section 5.8.4.8: who does not know the property leaves the set
                # alone.
                continue
            kind = _kind(adaptation)
            if kind == "text":
                self.captions.extend(_captions(adaptation, begins_s))
            elif kind in ("video", "audio"):
                for representation in _representations(adaptation):
                    rung = msgspec.structs.replace(
                        _rung(representation, adaptation, begins_s, ends_s),
                        dynamic_range=_dynamic_range(essential),
                    )
                    rungs = self.video if kind == "video" else self.audio
                    if rungs.setdefault(rung.rung_id, rung) is not rung:
                        raise ManifestInvalid(f"{shown(rung.rung_id)} is in the manifest twice")
                    self._count(len(rung.segments))

    def _count(self, segments: int) -> None:
        self.segments += segments
        if self.segments > MAX_SEGMENTS_OF_ALL:
            raise ManifestInvalid("the manifest has more segments than any of ours")

    def go_on(self, after: "_Period") -> None:
        for mine, theirs in ((self.video, after.video), (self.audio, after.audio)):
            if mine.keys() != theirs.keys():
                raise ManifestInvalid("the Periods of the manifest have other tracks each")
            for rung_id, rung in theirs.items():
                mine[rung_id] = joined(mine[rung_id], rung)
        self.captions += after.captions
        self._count(after.segments)


def _locations(mpd: Element) -> Iterator[Location]:
    for element in mpd.findall(f"{_MPD}BaseURL"):
        name = element.get("serviceLocation", "")
        if not name:
            raise ManifestInvalid("a BaseURL of the manifest names no serviceLocation")
        yield Location(name_of(name), base_url((element.text or "").strip()))


def _steering_url(mpd: Element) -> str:
    """Where the play is steered (ETSI TS 103 998); empty where it is not."""
    said = mpd.findtext(f"{_MPD}ContentSteering", "").strip()
    return steering_address(said) if said else ""


def _representations(adaptation: Element) -> list[Element]:
    if adaptation.find(f"{_MPD}BaseURL") is not None:
        raise ManifestInvalid("the manifest has a BaseURL in an AdaptationSet")
    return adaptation.findall(f"{_MPD}Representation")


def _kind(adaptation: Element) -> str:
    kind = adaptation.get("contentType")
    if kind:
        return kind
    first = adaptation.find(f"{_MPD}Representation")
    mime = adaptation.get("mimeType") or (first.get("mimeType") if first is not None else None)
    return (mime or "").split("/")[0]


def _captions(adaptation: Element, begins_s: Fraction) -> Iterator[Caption]:
    for representation in _representations(adaptation):
        path = (representation.findtext(f"{_MPD}BaseURL") or "").strip()
        yield Caption(
            adaptation.get("lang", ""), relative_path(path), _role(adaptation), float(begins_s)
        )


def _roles(adaptation: Element, *elements: str) -> set[str]:
    return {
        each.get("value", "")
        for element in elements
        for each in adaptation.findall(f"{_MPD}{element}")
        if each.get("schemeIdUri") == _ROLE
    }


def _sound_role(adaptation: Element) -> SoundRole:
    roles = _roles(adaptation, "Role", "Accessibility")
    return next((role for value, role in _SOUND_ROLES.items() if value in roles), "main")


def _role(adaptation: Element) -> CaptionRole:
    roles = _roles(adaptation, "Role")
    if "forced-subtitle" in roles:
        return "forced"
    return "sdh" if "caption" in roles else "subtitles"


def _rung(
    representation: Element, adaptation: Element, begins_s: Fraction, ends_s: Fraction
) -> Rung:
    rung_id = representation.get("id", "")
    if not rung_id:
        raise ManifestInvalid("a Representation of the manifest has no id")
    name_of(rung_id)
    if representation.find(f"{_MPD}BaseURL") is not None:
        raise ManifestInvalid(f"the Representation {shown(rung_id)} has a BaseURL of its own")
    bandwidth = _natural(representation, "bandwidth")
    if bandwidth == 0:
        raise ManifestInvalid(f"the Representation {shown(rung_id)} states no bandwidth")
    template = representation.find(f"{_MPD}SegmentTemplate")
    if template is None:
        template = adaptation.find(f"{_MPD}SegmentTemplate")
    if template is None:
        raise ManifestInvalid(f"the Representation {shown(rung_id)} has no SegmentTemplate")
    names = {"RepresentationID": rung_id, "Bandwidth": str(bandwidth)}
    return Rung(
        rung_id=rung_id,
        bandwidth_kbps=bandwidth / 1000,
        width=_natural(representation, "width", _natural(adaptation, "width", 0)),
        height=_natural(representation, "height", _natural(adaptation, "height", 0)),
        codecs=representation.get("codecs") or adaptation.get("codecs") or "",
        language=adaptation.get("lang", ""),
        role=_sound_role(adaptation),
        first=Stretch(
            init_path=relative_path(_expand(template.get("initialization", ""), names)),
            kid=_kid(representation) or _kid(adaptation),
        ),
        segments=tuple(_segments(template, names, begins_s, ends_s)),
        digests=_digests(representation),
    )


def _digests(representation: Element) -> DigestList | None:
    for supplement in representation.findall(f"{_MPD}SupplementalProperty"):
        if supplement.get("schemeIdUri") == _DIGESTS:
            return digest_list(supplement.get("value", ""))
    return None


def _kid(element: Element) -> str:
    for protection in element.findall(f"{_MPD}ContentProtection"):
        kid = protection.get(f"{_CENC}default_KID")
        if protection.get("schemeIdUri") == _PROTECTION and kid:
            return kid_of(kid)
    return ""


def _segments(
    template: Element, names: dict[str, str], begins_s: Fraction, ends_s: Fraction
) -> Iterator[Segment]:
    timescale = _natural(template, "timescale", 1)
    if timescale == 0:
        raise ManifestInvalid("a SegmentTemplate of the manifest has the timescale 0")
    offset = _natural(template, "presentationTimeOffset", 0)
    number = _natural(template, "startNumber", 1)
    media = template.get("media", "")
    found = False
    for start, ticks in _timeline(template, timescale, offset, ends_s - begins_s):
        expanded = _expand(media, {**names, "Number": str(number), "Time": str(start)})
        starts_s = begins_s + Fraction(start - offset, timescale)
        lasts_s = Fraction(ticks, timescale)
        if not -1 <= starts_s <= MAX_DURATION_S or lasts_s > MAX_DURATION_S:
            raise ManifestInvalid("a SegmentTimeline of the manifest leaves the film")
        yield Segment(relative_path(expanded), float(starts_s), float(lasts_s))
        number += 1
        found = True
    if not found:
        raise ManifestInvalid("a SegmentTemplate of the manifest has no segments")


def _timeline(
    template: Element, timescale: int, offset: int, duration_s: Fraction
) -> Iterator[tuple[int, int]]:
    """Start and duration of each segment in ticks, repetitions written out."""
    end = int(duration_s * timescale) + offset
    at, count = offset, 0
    for element in template.findall(f"{_MPD}SegmentTimeline/{_MPD}S"):
        at = _natural(element, "t", at)
        ticks = _natural(element, "d")
        repeat = element.get("r", "0").strip()
        if ticks == 0:
            raise ManifestInvalid("a SegmentTimeline of the manifest has a segment of no length")
        to_end = max(1, -(-(end - at) // ticks))
        times = to_end if repeat == "-1" else 1 + _natural(element, "r", 0)
        count += times
        if count > MAX_SEGMENTS:
            raise ManifestInvalid(f"the manifest has more than {MAX_SEGMENTS} segments")
        for _ in range(times):
            yield at, ticks
            at += ticks


def _expand(template: str, names: dict[str, str]) -> str:
    """ISO/IEC 23009-1 section 5.3.9.4.4: identifiers between dollar signs, ``$$`` for a dollar."""

    def value(match: re.Match[str]) -> str:
        name, width = match.group(1), match.group(2)
        if name is None:
            return "$"
        if name not in names:
            raise ManifestInvalid(f"${name}$ has no place in {shown(template)}")
        return names[name].zfill(int(width)) if width else names[name]

    return _IDENTIFIER.sub(value, template)


def _natural(element: Element, name: str, default: int | None = None) -> int:
    text = element.get(name)
    if text is None and default is not None:
        return default
    if text is None or not _NATURAL.match(text.strip()):
        tag = element.tag.rpartition("}")[2]
        raise ManifestInvalid(f"the attribute {name} of {tag} in the manifest is not a number")
    return int(text)


def _duration_s(text: str) -> Fraction:
    match = _DURATION.match(text)
    if not match or not any(match.groups()):
        raise ManifestInvalid("the manifest states no mediaPresentationDuration")
    days, hours, minutes, seconds = (Fraction(group or 0) for group in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
