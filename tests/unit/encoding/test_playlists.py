"""Media playlists say the truth about segments."""

import math
import re
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.crypto_periods import Keyed
from cuemark.contexts.encoding.model.playlists import (
    bitrates_kbps,
    captions_playlist,
    iframes_playlists,
    media_playlists,
    thumbnails_playlist,
)
from cuemark.contracts.encoding.versions import ThumbnailTrack, Timeline
from cuemark.contracts.licensing import ContentKey
from cuemark.contracts.protection import KeySignal

KID, IV = "ab" * 16, "cd" * 16
KEY = ContentKey(label="HD", kid=KID, key="ef" * 16, iv=IV)

timelines = st.builds(
    Timeline,
    timescale=st.sampled_from([1, 2, 24, 24_000, 30_000, 48_000, 90_000]),
    start=st.just(0),
    durations=st.lists(st.integers(1, 900_000), min_size=1, max_size=50),
)


def whole(key: ContentKey) -> list[Keyed]:
    """One key for the whole film."""
    return [Keyed(1, "init.mp4", key)]


def media_playlist(track_id: str, timeline: Timeline) -> str:
    (text,) = media_playlists(track_id, timeline, whole(KEY), "cbcs").values()
    return text


def target_of(playlist: str) -> int:
    found = re.search(r"^#EXT-X-TARGETDURATION:(\d+)$", playlist, re.MULTILINE)
    assert found
    return int(found.group(1))


def durations_of(playlist: str) -> list[float]:
    return [float(text) for text in re.findall(r"^#EXTINF:([0-9.]+),$", playlist, re.MULTILINE)]


@given(timelines)
def test_durations_are_those_of_the_timeline(timeline: Timeline) -> None:
    playlist = media_playlist("v720", timeline)
    stated = durations_of(playlist)
    assert len(stated) == len(timeline.durations)
    for seconds, ticks in zip(stated, timeline.durations, strict=True):
        assert abs(seconds - ticks / timeline.timescale) <= 0.5e-6 + 1e-9
    assert re.findall(r"^v720/(\d+)\.m4s$", playlist, re.MULTILINE) == [
        str(number) for number in range(1, len(stated) + 1)
    ]
    assert playlist.startswith("#EXTM3U\n")
    assert playlist.endswith("#EXT-X-ENDLIST\n")


@given(timelines)
def test_no_segment_is_longer_than_the_target_when_rounded(timeline: Timeline) -> None:
    target = target_of(media_playlist("v720", timeline))
    longest = max(Fraction(ticks, timeline.timescale) for ticks in timeline.durations)
    assert target == max(1, math.floor(longest + Fraction(1, 2)))


@pytest.mark.parametrize(("ticks", "target"), [(5, 3), (9, 5), (4, 2), (1, 1)])
def test_half_a_second_rounds_up(ticks: int, target: int) -> None:
    timeline = Timeline(timescale=2, start=0, durations=[ticks])
    assert target_of(media_playlist("a", timeline)) == target
    assert target_of(captions_playlist("t-en", ticks / 2)) == target


def test_a_playlist_names_its_key_by_the_variable_of_the_session() -> None:
    timeline = Timeline(timescale=24, start=0, durations=[48])
    lines = media_playlist("v720", timeline).splitlines()
    assert '#EXT-X-DEFINE:IMPORT="key_base"' in lines
    assert (
        f'#EXT-X-KEY:METHOD=SAMPLE-AES,URI="{{$key_base}}/{KID}",KEYFORMAT="identity",IV=0x{IV}'
        in lines
    )
    assert '#EXT-X-MAP:URI="v720/init.mp4"' in lines


def test_cenc_has_its_own_method_and_no_iv() -> None:
    timeline = Timeline(timescale=24, start=0, durations=[48])
    (text,) = media_playlists("v720", timeline, whole(KEY), "cenc").values()
    line = f'#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,URI="{{$key_base}}/{KID}",KEYFORMAT="identity"'
    assert line in text.splitlines()


def test_each_drm_system_with_a_name_in_hls_has_a_playlist_of_its_own() -> None:
    timeline = Timeline(timescale=24, start=0, durations=[48])
    signals = [
        KeySignal(system="common", pssh="AAAA"),
        KeySignal(system="fairplay", hls_attributes='URI="skd://1",KEYFORMAT="apple"'),
    ]
    key = msgspec.structs.replace(KEY, signals=signals)
    made = media_playlists("v720", timeline, whole(key), "cbcs")
    assert list(made) == ["v720.m3u8", "v720.fairplay.m3u8"]
    theirs = made["v720.fairplay.m3u8"]
    assert '\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://1",KEYFORMAT="apple"\n' in theirs
    assert theirs.count("#EXT-X-KEY") == 1
    assert "key_base" not in theirs
    assert made["v720.m3u8"] == media_playlist("v720", timeline)


@given(timelines)
def test_iframes_stand_for_their_segments_and_need_the_renditions_init(timeline: Timeline) -> None:
    (playlist,) = iframes_playlists("v360.iframes", "v360", timeline, whole(KEY), "cbcs").values()
    media = media_playlist("v360", timeline)
    assert durations_of(playlist) == durations_of(media)
    assert media.replace("v360/", "v360.iframes/").replace(
        "v360.iframes/init", "v360/init"
    ) == playlist.replace("#EXT-X-I-FRAMES-ONLY\n", "", 1)


def test_captions_are_one_segment_as_long_as_the_film() -> None:
    playlist = captions_playlist("t-en", 52.208333)
    assert durations_of(playlist) == [52.208333]
    assert "\nt-en.vtt\n" in playlist


@given(timelines, st.data())
def test_the_peak_is_at_least_the_mean_and_at_most_the_richest_segment(
    timeline: Timeline, data: st.DataObject
) -> None:
    count = len(timeline.durations)
    sizes = data.draw(st.lists(st.integers(1, 10**7), min_size=count, max_size=count))
    mean, peak = bitrates_kbps(sizes, timeline)
    seconds = [ticks / timeline.timescale for ticks in timeline.durations]
    richest = max(size * 8 / length / 1000 for size, length in zip(sizes, seconds, strict=True))
    assert mean == pytest.approx(sum(sizes) * 8 / sum(seconds) / 1000)
    assert mean <= peak <= richest * (1 + 1e-9) or peak == mean


def test_a_short_rich_segment_counts_with_its_neighbours() -> None:
    timeline = Timeline(timescale=10, start=0, durations=[20, 2, 20])
    mean, peak = bitrates_kbps([1000, 1000, 1000], timeline)
    assert mean == pytest.approx(24 / 4.2)
    assert peak == pytest.approx(16 / 2.2)


def test_each_sheet_says_how_it_is_laid_out_and_the_last_ends_with_the_film() -> None:
    track = ThumbnailTrack(
        track_id="thumbnails",
        tile_width=320,
        tile_height=134,
        columns=3,
        rows=2,
        tiles=8,
        timescale=24000,
        tile_ticks=24024,
        bitrate_kbps=70.0,
    )
    sheets = Timeline(timescale=24000, start=0, durations=[6 * 24024, 2 * 24024 - 1001])
    tiles = "#EXT-X-TILES:RESOLUTION=320x134,LAYOUT=3x2,DURATION=1.001000"
    assert thumbnails_playlist(track, sheets).splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:8",
        "#EXT-X-TARGETDURATION:6",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-IMAGES-ONLY",
        "#EXTINF:6.006000,",
        tiles,
        "thumbnails/1.jpg",
        "#EXTINF:1.960292,",
        tiles,
        "thumbnails/2.jpg",
        "#EXT-X-ENDLIST",
    ]
