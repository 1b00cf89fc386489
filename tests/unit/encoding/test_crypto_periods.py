"""Crypto periods are cut by integers, so that none is too long and nothing drifts."""

import math
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model import crypto_periods
from cuemark.contexts.encoding.model.crypto_periods import PeriodsDiffer
from cuemark.contexts.playback.model import dash, presentation
from cuemark.contracts.encoding.uploads import UploadInvalid
from cuemark.contracts.encoding.versions import CryptoPeriod, Timeline, Version
from cuemark.player import dash as reading
from tests.unit.playback import versions

RATES = [
    Fraction(24000, 1001),
    Fraction(24),
    Fraction(25),
    Fraction(30000, 1001),
    Fraction(18000, 301),
]
films = st.tuples(st.sampled_from(RATES), st.lists(st.integers(20, 70), min_size=1, max_size=400))


def timeline_of(rate: Fraction, frames: list[int]) -> Timeline:
    durations = [count * rate.denominator for count in frames]
    return Timeline(timescale=rate.numerator, start=0, durations=durations)


def sound_of(length_s: Fraction, cuts: list[Fraction], frame: int, scale: int = 48000) -> Timeline:
    """Frames of a sound in segments, as the packager makes them where it is told to cut."""
    frames = -(-int(length_s * scale) // frame)
    begins = {max(0, math.ceil((cue * scale - Fraction(frame, 2)) / frame)) for cue in cuts}
    firsts = sorted({0, *begins, *range(0, frames, 93)})
    durations = [
        (end - first) * frame for first, end in zip(firsts, [*firsts[1:], frames], strict=True)
    ]
    return Timeline(timescale=scale, start=0, durations=durations)


@given(films, st.sampled_from([4, 10.5, 60]))
def test_no_period_is_longer_than_was_asked_and_none_could_be_longer(
    film: tuple[Fraction, list[int]], longest_s: float
) -> None:
    timeline = timeline_of(*film)
    cuts = crypto_periods.cuts(timeline, longest_s)
    assert cuts[0] == 0
    ends = [*cuts[1:], len(timeline.durations)]
    for begin, end in zip(cuts, ends, strict=True):
        lasts_s = Fraction(sum(timeline.durations[begin:end]), timeline.timescale)
        assert end > begin
        assert lasts_s <= longest_s or end == begin + 1
        if end < len(timeline.durations):
            assert lasts_s + Fraction(timeline.durations[end], timeline.timescale) > longest_s


def test_without_a_length_there_is_one_period() -> None:
    assert crypto_periods.cuts(timeline_of(Fraction(25), [50] * 100), 0) == [0]


@given(films, st.sampled_from([960, 1024, 1536]))
def test_the_frame_in_which_a_boundary_falls_begins_the_sound_of_the_period(
    film: tuple[Fraction, list[int]], frame: int
) -> None:
    """Frames are shorter than segments, and no error is carried from one period to the next."""
    timeline = timeline_of(*film)
    firsts = crypto_periods.cuts(timeline, 4)[1:]
    boundaries = [
        Fraction(at, timeline.timescale) for at in crypto_periods.starts_of(timeline, firsts)
    ]
    length_s = Fraction(sum(timeline.durations), timeline.timescale)
    cues = crypto_periods.sound_cues(boundaries, frame, 48000)
    sound = sound_of(length_s, cues, frame)
    for boundary, first in zip(
        boundaries, crypto_periods.sound_cuts(sound, boundaries, frame), strict=True
    ):
        begins = sum(sound.durations[:first])
        assert begins % frame == 0
        assert begins <= boundary * 48000 < begins + frame


def test_a_sound_that_was_not_cut_there_is_refused() -> None:
    sound = Timeline(timescale=48000, start=0, durations=[96256, 96256])
    with pytest.raises(PeriodsDiffer, match="where period 2 does"):
        crypto_periods.sound_cuts(sound, [Fraction(1)], 1024)


def test_what_an_edit_list_leaves_out_is_no_part_of_the_timeline() -> None:
    packaged = Timeline(timescale=48000, start=0, durations=[97280, 96256])
    shown = Timeline(timescale=48000, start=0, durations=[96256, 96256])
    assert crypto_periods.presented(packaged, 1024) == shown
    assert crypto_periods.presented(shown, 0) == shown


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_seconds_that_are_none_are_refused(seconds: float) -> None:
    with pytest.raises(UploadInvalid):
        crypto_periods.chosen_s(seconds, 0)


def test_a_job_has_the_periods_that_it_asks_for_or_those_of_the_install() -> None:
    assert crypto_periods.chosen_s(None, 60) == 60
    assert crypto_periods.chosen_s(0, 60) == 0
    assert crypto_periods.chosen_s(4, 60) == 4


def rotated(rate: Fraction, periods: int) -> Version:
    """A film whose keys change after each two segments of pictures, of 45 frames each."""
    whole = versions.version()
    video = timeline_of(rate, [45] * (2 * periods))
    length_s = Fraction(sum(video.durations), video.timescale)
    boundaries = [
        Fraction(sum(video.durations[: 2 * n]), video.timescale) for n in range(1, periods)
    ]
    cues = crypto_periods.sound_cues(boundaries, 1024, 48000)
    sound = sound_of(length_s, cues, 1024)
    firsts = [0, *crypto_periods.sound_cuts(sound, boundaries, 1024)]
    labels = sorted({"AUDIO", *(each.label for each in whole.renditions)})
    return msgspec.structs.replace(
        whole,
        video_timeline=video,
        audio_timeline=sound,
        audio_timelines={},
        captions=[],
        thumbnails=None,
        periods=[
            CryptoPeriod(
                start=sum(video.durations[: 2 * n]),
                video=2 * n + 1,
                sounds={each.codec_string: firsts[n] + 1 for each in whole.audio},
                init=crypto_periods.init_name(n),
                kids={label: f"{n:02x}{place:02x}" * 8 for place, label in enumerate(labels)},
            )
            for n in range(periods)
        ],
    )


@pytest.mark.parametrize("rate", RATES)
def test_over_sixty_periods_every_segment_is_where_its_media_time_says(rate: Fraction) -> None:
    version = rotated(rate, 60)
    manifest = reading.parse(dash.manifest(version, versions.RANKING))
    timelines = {each.rendition_id: version.video_timeline for each in version.renditions}
    timelines |= {
        each.track_id: presentation.sound_timeline(version, each) for each in version.audio
    }
    for rung in (*manifest.video, *manifest.audio):
        timeline = timelines[rung.rung_id]
        assert len(rung.later) == 59
        at = timeline.start
        for segment, ticks in zip(rung.segments, timeline.durations, strict=True):
            # The beginning of a Period is stated to the nanosecond.
            assert abs(segment.start_s - at / timeline.timescale) < 2e-9 * 60 + 1e-9
            at += ticks


@pytest.mark.parametrize("rate", RATES)
def test_what_a_player_adds_to_media_times_is_the_same_in_every_period(rate: Fraction) -> None:
    """In ticks: the beginning of a Period and its presentationTimeOffset are one moment."""
    version = rotated(rate, 60)
    for span in presentation.spans(version):
        for scale in (version.video_timeline.timescale, 48000):
            times = presentation.exact_scale(scale, span.start_s)
            assert span.start_s * scale * times == int(span.start_s * scale * times)
            assert scale * times < 1 << 32
