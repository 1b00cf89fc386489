"""What a master is: the typed report of ffprobe, and the refusal of what is no film."""

import math
import re
from fractions import Fraction
from typing import Literal

import msgspec

from cuemark.contexts.encoding.model import color as color_rules
from cuemark.contexts.encoding.model import mixing, timing
from cuemark.contexts.encoding.model import sound as sound_rules
from cuemark.contexts.encoding.model.color import Color
from cuemark.contexts.encoding.model.sound import MOST_SOUNDS, Sound
from cuemark.contracts.encoding.jobs import MasterRejected
from cuemark.contracts.encoding.versions import AudioRole

MIN_FRAMES = 5
MIN_LINES, MAX_LINES = 96, 4400
SHORT_S = 0.5
_SEEKABLE = {"mov", "mp4", "matroska", "webm"}
_TICKS = re.compile(r"-?[0-9]{1,19}")


class ProbedSideData(msgspec.Struct, frozen=True):
    rotation: float = 0
    dv_profile: int = 0
    dv_bl_signal_compatibility_id: int = 0


class ProbedDisposition(msgspec.Struct, frozen=True):
    default: int = 0
    attached_pic: int = 0
    still_image: int = 0
    timed_thumbnails: int = 0
    dub: int = 0
    original: int = 0
    comment: int = 0
    visual_impaired: int = 0
    hearing_impaired: int = 0


class ProbedTags(msgspec.Struct, frozen=True):
    language: str = "und"
    title: str = ""


class ProbedStream(msgspec.Struct, frozen=True):
    """One stream as ``ffprobe -show_streams`` tells it; numbers come as text."""

    index: int
    codec_type: str = ""
    codec_name: str = ""
    width: int = 0
    height: int = 0
    sample_aspect_ratio: str = "1:1"
    r_frame_rate: str = "0/0"
    avg_frame_rate: str = "0/0"
    time_base: str = "1/1"
    start_time: str = "0"
    duration: str = ""
    nb_frames: str = ""
    field_order: str = ""
    pix_fmt: str = ""
    color_range: str = ""
    color_space: str = ""
    color_transfer: str = ""
    color_primaries: str = ""
    channels: int = 0
    channel_layout: str = ""
    sample_rate: str = "0"
    disposition: ProbedDisposition = ProbedDisposition()
    tags: ProbedTags = ProbedTags()
    side_data_list: list[ProbedSideData] = []


class ProbedFormat(msgspec.Struct, frozen=True):
    format_name: str = ""
    start_time: str = "0"
    duration: str = ""


class Probe(msgspec.Struct, frozen=True):
    """The report of ``ffprobe -show_streams -show_format`` in JSON."""

    streams: list[ProbedStream] = []
    format: ProbedFormat = ProbedFormat()


class Picture(msgspec.Struct, frozen=True):
    """The canonical picture that every encode starts from and every score compares with.

    Even, square samples, upright, 4:2:0, at a constant rate. ``scaled`` says that the master's
    samples are not square, so that it is scaled; else an odd line or column is cut.
    """

    width: int
    height: int
    rate_num: int
    rate_den: int
    scaled: bool

    @property
    def rate(self) -> Fraction:
        return Fraction(self.rate_num, self.rate_den)


class Master(msgspec.Struct, frozen=True):
    """``pts_s`` are the times of the master's frames as the container tells them, ascending.

    ``shown`` has, for each frame of the film, the number of the master's frame that it shows;
    it is empty where these are the same. ``pixels`` is the size of a decoded picture.
    ``interlaced`` is the order of the fields, and empty for a progressive picture.
    ``notes`` are sentences on what was done to the film that its owner may not expect.
    ``sounds`` are those that are published, the default one first.
    """

    picture: Picture
    codec: str
    container: str
    video_stream: int
    pts_s: list[float]
    shown: list[int] = []
    pixels: int = 0
    interlaced: Literal["", "tff", "bff"] = ""
    color: Color = Color()
    notes: list[str] = []
    sounds: list[Sound] = []

    @property
    def frames(self) -> int:
        """How many frames the film has: those of every rendition."""
        return len(self.shown or self.pts_s)

    def shown_at(self, frame: int) -> int:
        """The number of the master's frame that a frame of the film shows."""
        return self.shown[frame] if self.shown else frame


def is_seekable(probe: Probe) -> bool:
    """Whether the container has an index by which ffmpeg finds a frame exactly."""
    return bool(_SEEKABLE & set(probe.format.format_name.split(",")))


def film_stream(probe: Probe) -> ProbedStream:
    """The stream of pictures that is the film; raises ``MasterRejected`` where there is none.

    Covers, thumbnails and other single pictures are not. Of several films it is the one that
    the container names as default, then the largest, then the first.
    """
    found = _films(probe)
    if not found:
        raise MasterRejected("the file has no moving picture: upload a film")
    return max(found, key=lambda each: (each.disposition.default, each.width * each.height))


def _films(probe: Probe) -> list[ProbedStream]:
    return [
        stream
        for stream in probe.streams
        if stream.codec_type == "video"
        and stream.nb_frames != "1"
        and not stream.disposition.attached_pic
        and not stream.disposition.still_image
        and not stream.disposition.timed_thumbnails
    ]


def frame_pts(listing: str) -> list[int]:
    """The presentation times, in ticks, from ``ffprobe -show_entries packet=pts,flags``.

    Packets that the container's edit list discards are left out, and so are those that the
    file holds only in part.
    """
    ticks = []
    for line in listing.splitlines():
        pts, _, flags = line.partition(",")
        if "D" not in flags and "C" not in flags and _TICKS.fullmatch(pts):
            ticks.append(int(pts))
    return sorted(ticks)


def master_of(probe: Probe, ticks: list[int]) -> Master:
    """What the master is; raises ``MasterRejected`` with one sentence for what is no film."""
    video = film_stream(probe)
    tick_s = _fraction(video.time_base)
    if len(ticks) < MIN_FRAMES:
        raise MasterRejected(
            f"the film has {len(ticks)} readable frames: at least {MIN_FRAMES} are needed"
        )
    if tick_s <= 0:
        raise MasterRejected("the film's times cannot be read: its unit of time is no time")
    timing.check_length(len(ticks))
    stated, average = _fraction(video.r_frame_rate), _fraction(video.avg_frame_rate)
    rate = timing.constant_rate(ticks, tick_s, stated, average)
    shown: list[int] = []
    if rate is None or not timing.is_even(ticks, tick_s, rate):
        rate = timing.usual_rate(ticks, tick_s)
        shown = timing.shown_frames(ticks, tick_s, rate)
    picture = _picture_of(video, rate)
    pts_s = [float(tick * tick_s) for tick in ticks]
    color, odd = color_rules.color_of(
        pixel_format=video.pix_fmt,
        transfer=video.color_transfer,
        primaries=video.color_primaries,
        matrix=video.color_space,
        range_=video.color_range,
    )
    notes = [*_notes(probe, pts_s[-1] - pts_s[0] + float(1 / rate)), *odd]
    if shown:
        notes.append(
            "the frames were not evenly spaced: the film was brought to a constant "
            f"{float(rate):.5g} frames a second"
        )
    return Master(
        picture=picture,
        codec=video.codec_name,
        container=probe.format.format_name,
        video_stream=video.index,
        pts_s=pts_s,
        sounds=_sounds_of(probe, pts_s[0]),
        shown=shown,
        pixels=video.width * video.height,
        color=color,
        notes=notes,
    )


def _notes(probe: Probe, there_s: float) -> list[str]:
    """What the owner of the film may not expect of it."""
    video = film_stream(probe)
    notes = []
    announced_s = max(_seconds(video.duration), _seconds(probe.format.duration))
    if announced_s - there_s > max(SHORT_S, 0.02 * announced_s):
        notes.append(
            f"the file announces {announced_s:.1f} s and has {there_s:.1f} s of picture: "
            "what is there was encoded"
        )
    if len(_films(probe)) > 1:
        notes.append(
            f"the file has {len(_films(probe))} films: stream {video.index}, "
            f"{video.width} by {video.height}, was encoded"
        )
    notes += _sound_notes(probe)
    return notes + _vision_notes(video)


def _vision_notes(video: ProbedStream) -> list[str]:
    """What becomes of Dolby Vision; raises ``MasterRejected`` where the picture needs it.

    Without a compatible base layer (id 0) the samples are in Dolby's own color space.
    """
    profiles = {data.dv_profile: data for data in video.side_data_list if data.dv_profile}
    for profile, data in profiles.items():
        if not data.dv_bl_signal_compatibility_id:
            raise MasterRejected(
                f"the film is Dolby Vision of profile {profile}, which has no picture without it: "
                "deliver profile 8.1, HDR10 or HLG"
            )
    if profiles:
        return ["the film has Dolby Vision: it was left out, and the picture under it is shown"]
    return []


def lit(master: Master, told: str) -> Master:
    """An HDR master with the light that its first frame tells of (``color.with_light``)."""
    color, odd = color_rules.with_light(master.color, told)
    notes = [*master.notes, *odd, *color_rules.notes_on(color)]
    return msgspec.structs.replace(master, color=color, notes=notes)


def fields_of(idet: str, video: ProbedStream) -> Literal["", "tff", "bff"]:
    """The order of the fields by FFmpeg's filter ``idet``, from what it printed.

    A film in fields has them in one order; noise looks like fields in both. Where the picture
    stands so still that idet cannot tell, what the container states holds.
    """
    found = re.findall(
        r"Multi frame detection: TFF:\s*(\d+) BFF:\s*(\d+) Progressive:\s*(\d+)", idet
    )
    tff, bff, progressive = (int(number) for number in found[-1]) if found else (0, 0, 0)
    more, less = max(tff, bff), min(tff, bff)
    if more > 4 * (progressive + less) and more >= MIN_FRAMES:
        return "tff" if more == tff else "bff"
    if progressive or less:
        return ""
    return _STATED_FIELDS.get(video.field_order, "")


_STATED_FIELDS: dict[str, Literal["tff", "bff"]] = {
    **{"tt": "tff", "bt": "tff"},
    **{"bb": "bff", "tb": "bff"},
}


def deinterlaced(master: Master, fields: Literal["", "tff", "bff"]) -> Master:
    """The master with the order of its fields, and a note where it has fields."""
    note = "the picture was interlaced: it was made progressive, one frame for two fields"
    notes = [*master.notes, note] if fields else master.notes
    return msgspec.structs.replace(master, interlaced=fields, notes=notes)


def _picture_of(video: ProbedStream, rate: Fraction) -> Picture:
    aspect = _fraction(video.sample_aspect_ratio.replace(":", "/")) or Fraction(1)
    width, height = round(video.width * aspect), video.height
    if any(round(data.rotation) % 180 == 90 for data in video.side_data_list):
        width, height = height, width
    if not MIN_LINES <= min(width, height) <= max(width, height) <= 2 * MAX_LINES:
        raise MasterRejected(
            f"the picture is {width} by {height}: each side must have at least {MIN_LINES} and "
            f"at most {2 * MAX_LINES} points"
        )
    return Picture(
        width=width // 2 * 2,
        height=height // 2 * 2,
        rate_num=rate.numerator,
        rate_den=rate.denominator,
        scaled=aspect != 1,
    )


def _sounds_of(probe: Probe, first_frame_s: float) -> list[Sound]:
    lead_s = max(0.0, first_frame_s - _seconds(probe.format.start_time))
    sounds = [
        Sound(
            stream=stream.index,
            channels=stream.channels,
            layout=layout,
            language=sound_rules.language_of(stream.tags.language),
            lead_s=lead_s,
            role=_role_of(stream.disposition),
            title=sound_rules.title_of(stream.tags.title),
            chosen=bool(stream.disposition.default),
            original=bool(stream.disposition.original),
        )
        for stream in _sounds(probe)
        if (layout := mixing.layout_of(stream.channel_layout, stream.channels))
    ]
    return sound_rules.ordered(sounds)[:MOST_SOUNDS]


def _role_of(disposition: ProbedDisposition) -> AudioRole:
    if disposition.visual_impaired:
        return "description"
    if disposition.comment:
        return "commentary"
    if disposition.hearing_impaired:
        return "clear"
    return "dub" if disposition.dub else "main"


def _sound_notes(probe: Probe) -> list[str]:
    there, notes = _sounds(probe), []
    mixed = [each for each in there if mixing.layout_of(each.channel_layout, each.channels)]
    notes += [
        f"the sound of stream {each.index} has {each.channels} channels in no layout that is "
        "known: it was left out"
        for each in there
        if each not in mixed
    ]
    if len(mixed) > MOST_SOUNDS:
        notes.append(
            f"the file has {len(mixed)} sounds: the default one and the first {MOST_SOUNDS - 1} "
            f"others were encoded, since a version has at most {MOST_SOUNDS}"
        )
    if len(mixed) > 1:
        notes += [
            f"the sound of stream {each.index} states no language: name it in the file, since "
            "viewers choose by language"
            for each in mixed[:MOST_SOUNDS]
            if sound_rules.language_of(each.tags.language) == sound_rules.UNKNOWN
        ]
    return notes


def _sounds(probe: Probe) -> list[ProbedStream]:
    return [
        stream
        for stream in probe.streams
        if stream.codec_type == "audio" and stream.channels and _seconds(stream.sample_rate) > 0
    ]


def _seconds(text: str) -> float:
    """A number as ffprobe writes it; 0 for ``N/A`` and whatever else is none."""
    try:
        number = float(text)
    except ValueError:
        return 0.0
    return number if math.isfinite(number) else 0.0


def _fraction(text: str) -> Fraction:
    numerator, _, denominator = text.partition("/")
    try:
        return Fraction(int(numerator), int(denominator or 1))
    except (ValueError, ZeroDivisionError):
        return Fraction(0)
