"""What the tracks of a version are, and which one follows another."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from cuemark.contexts.fill.model.stock import current, hour_of, offset_h, regions_of, shelf_of
from cuemark.contexts.fill.model.tracks import COMPANION, Facts, facts_of, kind_of
from cuemark.contracts.encoding.versions import IndexedFile, VersionIndex, track_of
from tests.unit.fill.known import appliance
from tests.unit.fill.known import version as known
from tests.unit.playback.versions import HD, audio_track, rendition, version

FILES = {
    "v-1080/init.mp4": 1,
    "v-1080/1.m4s": 100,
    "v-1080.m3u8": 10,
    "v-1080.digests": 20,
    "v-1080.widevine.m3u8": 11,
    "v-400/1.m4s": 50,
    "a-en.opus/1.m4s": 7,
    "a-en.opus.m3u8": 3,
    "a-en/1.m4s": 9,
    "t-en.sdh.vtt": 5,
    "t-en.sdh.ttml": 6,
    "t-en.sdh.m3u8": 1,
    "t-en.sdh/2.vtt": 4,
    "empty.vtt": 0,
}


def test_the_tracks_of_a_version_are_told_with_their_bytes() -> None:
    opus = msgspec.structs.replace(audio_track("a-en.opus"), codec="opus", codec_string="opus")
    wide = rendition("v-400", 960, 400, 900, HD)
    of = msgspec.structs.replace(
        version(),
        renditions=[wide, rendition("v-1080", 1920, 800, 5000, HD)],
        audio=[audio_track("a-en"), opus],
    )
    index = VersionIndex(
        version_id=of.version_id,
        files={path: IndexedFile("00", size) for path, size in FILES.items()},
    )
    assert facts_of(of, index) == [
        Facts("a-en", "sound/mp4a.40.2/2/en/main", 9),
        Facts("a-en.opus", "sound/opus/2/en/main", 10),
        Facts("t-en.sdh", COMPANION, 16),
        Facts("v-1080", "video/h264/sdr/1080", 131),
        Facts("v-1080.widevine", COMPANION, 11),
        Facts("v-400", "video/h264/sdr/540", 50),
    ]


@pytest.mark.parametrize(
    ("path", "track_id"),
    [("v1/1.m4s", "v1"), ("a-en.opus.m3u8", "a-en.opus"), ("t-en.vtt", "t-en"), ("th/1.jpg", "th")],
)
def test_a_file_is_of_the_track_of_its_folder_or_its_name(path: str, track_id: str) -> None:
    assert track_of(path) == track_id


def test_kinds_are_told_by_how_long_they_are() -> None:
    assert [kind_of(seconds) for seconds in (60, 900, 901, 2700, 4500, 6000)] == [0, 0, 1, 1, 1, 2]


def test_the_newest_full_version_is_planned_and_before_one_the_quick_one() -> None:
    quick = known(0, name="ver_q", quality="quick", days_ago=1, first=0)
    full = known(0, name="ver_f", days_ago=5, first=10)
    newer = known(0, name="ver_n", days_ago=2, first=20)
    assert [each.version_id for each in current([quick])] == ["ver_q"]
    assert [each.version_id for each in current([newer, quick, full])] == ["ver_n"]


def test_what_was_served_of_a_replaced_track_counts_for_the_one_most_like_it() -> None:
    old = known(
        0,
        name="ver_old",
        days_ago=200,
        tracks=[
            Facts("av1", "video/av1/sdr/1080", 3 * 10**9),
            Facts("odd", "video/h264/sdr/720", 3 * 10**9),
            Facts("fr", "sound/aac/2/fr/dub", 10**8),
            Facts("t-fr", COMPANION, 10),
        ],
        first=50,
    )
    shelf = shelf_of([old, known(0)])
    names = [shelf.tracks[place][1].track_id for place in shelf.streams]
    follows = {
        facts.track_id: names[shelf.follows[number]] if shelf.follows[number] >= 0 else None
        for number, facts in zip(old.numbers, old.tracks, strict=True)
    }
    assert follows == {"av1": "v2", "odd": "v2", "fr": "a1", "t-fr": None}
    assert shelf.scale[51] == pytest.approx(4 / 3)
    assert [shelf.scale[number] for number in (0, 2, 3)] == [1, 1, 1]


def test_half_hours_of_a_clock_are_rounded_and_summer_time_counts() -> None:
    winter, summer = (datetime(2026, month, 3, tzinfo=UTC) for month in (1, 7))
    assert [offset_h("Europe/Oslo", at) for at in (winter, summer)] == [1, 2]
    assert [offset_h(zone, winter) for zone in ("Asia/Kolkata", "America/St_Johns")] == [6, -3]


def test_a_region_has_the_clock_of_its_first_appliance() -> None:
    members = [appliance("b", timezone="Asia/Tokyo"), appliance("a"), appliance("c", region="east")]
    regions = regions_of(members, datetime(2026, 1, 3, tzinfo=UTC))
    assert [(region.name, region.utc_offset_h) for region in regions] == [("east", 1), ("oslo", 1)]


def test_hours_are_counted_from_a_monday() -> None:
    monday = datetime(2026, 3, 2, 5, 59, tzinfo=UTC)
    assert hour_of(monday) % (7 * 24) == 5
    assert hour_of(monday + timedelta(minutes=1)) % (7 * 24) == 6
