"""When the segments of a Period are, as SegmentTemplates (ISO/IEC 23009-1 section 5.3.9).

All times are stated from the film's beginning, and ``presentationTimeOffset`` is the Period's own:
what a player adds is the same in every Period, so that nothing drifts over many of them.
"""

from fractions import Fraction

from cuemark.contexts.playback.model import presentation
from cuemark.contexts.playback.model.presentation import Span
from cuemark.contexts.playback.model.xml import descriptor, element
from cuemark.contracts.encoding.versions import AudioTrack, ThumbnailTrack, Timeline, Version

_TILES = "http://dashif.org/guidelines/thumbnail_tile"
_DIGESTS = "urn:cuemark:digests:sha-256-128"
_MEDIA = "$RepresentationID$/$Number$.m4s"
_MARKED = "$RepresentationID$/x$Number$.m4s"
"""Of pictures in two variants: which one a session gets is the appliance's to decide."""


def start(version: Version, span: Span) -> str:
    """When a Period begins, to the nanosecond: it is the same for all of its tracks."""
    seconds = span.start_s - presentation.origin_s(version)
    nanoseconds = round(seconds * 10**9)
    written = f"{nanoseconds // 10**9}.{nanoseconds % 10**9:09d}".rstrip("0").rstrip(".")
    return f"PT{written}S"


def duration(seconds: float) -> str:
    """An xs:duration, to the microsecond."""
    return f"PT{seconds:.6f}".rstrip("0").rstrip(".") + "S"


def of_video(version: Version, span: Span, init_of: str = "") -> str:
    """That of all renditions; ``init_of`` is the one whose init segments are needed, if it is not
    the track's own."""
    track = presentation.path(init_of) if init_of else "$RepresentationID$"
    media = _MARKED if version.marked and not init_of else _MEDIA
    return _template(version.video_timeline, span, span.video, f"{track}/{span.init}", media)


def of_sound(version: Version, span: Span, track: AudioTrack) -> str:
    timeline = presentation.sound_timeline(version, track)
    numbers = span.sounds[track.codec_string]
    return _template(timeline, span, numbers, f"$RepresentationID$/{span.init}", _MEDIA)


def _template(timeline: Timeline, span: Span, numbers: range, init: str, media: str) -> str:
    """Ticks of a sound may be too coarse for where the pictures begin: then they are parted."""
    times = presentation.exact_scale(timeline.timescale, span.start_s) if span.number else 1
    at = (timeline.start + sum(timeline.durations[: numbers.start - 1])) * times
    segments: list[str] = []
    here = timeline.durations[numbers.start - 1 : numbers.stop - 1]
    for ticks, count in presentation.runs(here):
        first = f' t="{at}"' if not segments else ""
        repeat = f' r="{count - 1}"' if count > 1 else ""
        segments.append(f'<S{first} d="{ticks * times}"{repeat}/>')
        at += ticks * times * count
    attributes: dict[str, object] = {
        "timescale": timeline.timescale * times,
        "initialization": init,
        "media": media,
        "startNumber": numbers.start,
    }
    offset = int(span.start_s * timeline.timescale * times)
    if offset:
        attributes["presentationTimeOffset"] = offset
    timed = f"<SegmentTimeline>{''.join(segments)}</SegmentTimeline>"
    return element("SegmentTemplate", attributes, timed)


def thumbnails(version: Version, track: ThumbnailTrack, span: Span, number: str) -> str:
    """The sheets of DASH-IF IOP 4.3 section 6.2.6: sizes are of a sheet, durations too."""
    representation = element(
        "Representation",
        {
            "id": presentation.path(track.track_id),
            "bandwidth": presentation.bits_per_s(track.bitrate_kbps),
            "width": track.tile_width * track.columns,
            "height": track.tile_height * track.rows,
        },
        descriptor("EssentialProperty", _TILES, f"{track.columns}x{track.rows}"),
        *digests(track.track_id, track.digests_sha256),
        _sheets(version, track, span),
    )
    attributes = {"id": number, "contentType": "image", "mimeType": "image/jpeg"}
    return element("AdaptationSet", attributes, representation)


def _sheets(version: Version, track: ThumbnailTrack, span: Span) -> str:
    """All sheets stand for equally long, which no SegmentTimeline says of the last one, so that a
    player finds the tiles of that one where they are.

    Where there are several Periods, each has the sheets that it sees something of: only a timeline
    says of the first that it began before.
    """
    sheet = track.tile_ticks * track.columns * track.rows
    attributes: dict[str, object] = {"timescale": track.timescale}
    if not version.periods:
        attributes |= {"duration": sheet, "media": "$RepresentationID$/$Number$.jpg"}
        return element("SegmentTemplate", {**attributes, "startNumber": 1})
    origin_s = presentation.origin_s(version)
    offset = int((span.start_s - origin_s) * track.timescale)
    video = version.video_timeline
    lasts_s = Fraction(sum(video.durations[n - 1] for n in span.video), video.timescale)
    first, last = offset // sheet, -(-(offset + int(lasts_s * track.timescale)) // sheet)
    attributes |= {"media": "$RepresentationID$/$Number$.jpg", "startNumber": first + 1}
    if offset:
        attributes["presentationTimeOffset"] = offset
    repeat = f' r="{last - first - 1}"' if last - first > 1 else ""
    timed = f'<S t="{first * sheet}" d="{sheet}"{repeat}/>'
    return element("SegmentTemplate", attributes, f"<SegmentTimeline>{timed}</SegmentTimeline>")


def digests(track_id: str, sha256: str) -> list[str]:
    """Where a device finds what its segments' digests are, sealed by this manifest."""
    value = presentation.digests(track_id, sha256)
    return [descriptor("SupplementalProperty", _DIGESTS, value)] if value else []
