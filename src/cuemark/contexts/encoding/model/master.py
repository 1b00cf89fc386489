"""What a master is: the typed report of ffprobe, and the refusal of what is no film."""

from fractions import Fraction
from itertools import pairwise

import msgspec

from cuemark.contexts.encoding.model.names import is_language
from cuemark.contracts.encoding import MasterRejected

MIN_FRAMES = 5
MIN_LINES, MAX_LINES = 96, 4400
MIN_RATE, MAX_RATE = 1, 120
UNEVEN_S = 0.1
_SEEKABLE = {"mov", "mp4", "matroska", "webm"}


class ProbedSideData(msgspec.Struct, frozen=True):
    rotation: float = 0


class ProbedDisposition(msgspec.Struct, frozen=True):
    attached_pic: int = 0


class ProbedTags(msgspec.Struct, frozen=True):
    language: str = "und"


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
    channels: int = 0
    sample_rate: str = "0"
    disposition: ProbedDisposition = ProbedDisposition()
    tags: ProbedTags = ProbedTags()
    side_data_list: list[ProbedSideData] = []


class ProbedFormat(msgspec.Struct, frozen=True):
    format_name: str = ""
    start_time: str = "0"


class Probe(msgspec.Struct, frozen=True):
    """The report of ``ffprobe -show_streams -show_format`` in JSON."""

    streams: list[ProbedStream] = []
    format: ProbedFormat = ProbedFormat()


class Picture(msgspec.Struct, frozen=True):
    """The canonical picture that every encode starts from and every score compares with.

    Even, square samples, upright, 8 bits 4:2:0, at a constant rate. ``scaled`` says that the
    master's samples are not square, so that it is scaled; else an odd line or column is cut.
    """

    width: int
    height: int
    rate_num: int
    rate_den: int
    scaled: bool

    @property
    def rate(self) -> Fraction:
        return Fraction(self.rate_num, self.rate_den)


class Sound(msgspec.Struct, frozen=True):
    """The master's first sound track. ``lead_s`` of it come before the first frame.

    ``language`` is ``und`` where the container states none, or what is no language tag.
    """

    stream: int
    channels: int
    language: str
    lead_s: float


class Master(msgspec.Struct, frozen=True):
    """``pts_s`` are the times of the frames as the container tells them, ascending."""

    picture: Picture
    codec: str
    container: str
    video_stream: int
    pts_s: list[float]
    sound: Sound | None

    @property
    def frames(self) -> int:
        return len(self.pts_s)

    @property
    def seekable(self) -> bool:
        """Whether the container has an index by which ffmpeg finds a frame exactly."""
        return bool(_SEEKABLE & set(self.container.split(",")))


def film_stream(probe: Probe) -> ProbedStream:
    """The stream of pictures that is the film; raises ``MasterRejected`` where there is none."""
    for stream in probe.streams:
        if stream.codec_type == "video" and not stream.disposition.attached_pic:
            return stream
    raise MasterRejected("the file has no moving picture: upload a film")


def frame_pts(listing: str) -> list[int]:
    """The presentation times, in ticks, from ``ffprobe -show_entries packet=pts,flags``.

    Packets that the container's edit list discards are left out.
    """
    ticks = []
    for line in listing.splitlines():
        pts, _, flags = line.partition(",")
        if "D" not in flags and pts.lstrip("-").isdigit():
            ticks.append(int(pts))
    return sorted(ticks)


def master_of(probe: Probe, ticks: list[int]) -> Master:
    """What the master is; raises ``MasterRejected`` with one sentence for what is no film."""
    video = film_stream(probe)
    if len(ticks) < MIN_FRAMES:
        raise MasterRejected(
            f"the film has {len(ticks)} readable frames: at least {MIN_FRAMES} are needed"
        )
    tick_s = _fraction(video.time_base)
    rate = _rate_of(video, ticks, tick_s)
    picture = _picture_of(video, rate)
    pts_s = [float(tick * tick_s) for tick in ticks]
    drift_s = max(abs(pts - pts_s[0] - i / rate) for i, pts in enumerate(pts_s))
    if drift_s > UNEVEN_S:
        raise MasterRejected(
            f"the frames are not evenly spaced (up to {drift_s:.2f} s off {float(rate):.3f} a "
            "second): convert the film to a constant frame rate"
        )
    return Master(
        picture=picture,
        codec=video.codec_name,
        container=probe.format.format_name,
        video_stream=video.index,
        pts_s=pts_s,
        sound=_sound_of(probe, pts_s[0]),
    )


def _rate_of(video: ProbedStream, ticks: list[int], tick_s: Fraction) -> Fraction:
    """The constant rate: from the times where they are even, else what the container states."""
    intervals = {after - before for before, after in pairwise(ticks)}
    if len(intervals) == 1 and (interval := intervals.pop()) > 0:
        rate = 1 / (interval * tick_s)
    else:
        mean_s = (ticks[-1] - ticks[0]) * tick_s / (len(ticks) - 1)
        stated = _fraction(video.r_frame_rate)
        near = stated > 0 and mean_s > 0 and abs(float(stated * mean_s) - 1) < 0.002
        rate = stated if near else _fraction(video.avg_frame_rate)
    rate = rate.limit_denominator(100_000)
    if not MIN_RATE <= rate <= MAX_RATE:
        raise MasterRejected(
            f"the film's frame rate reads as {float(rate):.2f}: it must be "
            f"{MIN_RATE} to {MAX_RATE} a second"
        )
    return rate


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


def _sound_of(probe: Probe, first_frame_s: float) -> Sound | None:
    for stream in probe.streams:
        if stream.codec_type == "audio" and stream.channels and int(stream.sample_rate or 0):
            start_s = float(probe.format.start_time or 0)
            return Sound(
                stream=stream.index,
                channels=stream.channels,
                language=stream.tags.language if is_language(stream.tags.language) else "und",
                lead_s=max(0.0, first_frame_s - start_s),
            )
    return None


def _fraction(text: str) -> Fraction:
    numerator, _, denominator = text.partition("/")
    try:
        return Fraction(int(numerator), int(denominator or 1))
    except (ValueError, ZeroDivisionError):
        return Fraction(0)
