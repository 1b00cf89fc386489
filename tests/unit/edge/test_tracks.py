"""Which files belong together, and in which order they are played."""

from cuemark.contracts.encoding.versions import IndexedFile, VersionIndex, track_of
from cuemark.contracts.ids import VersionId
from cuemark.edge.tracks import beginnings, paths_of, rest

SIZES = {
    "v1/init.mp4": 900,
    "v1/1.m4s": 5000,
    "v1/3.m4s": 4000,
    "v1/4.m4s": 4000,
    "v1/10.m4s": 4000,
    "v2/1.m4s": 100,
    "v2/4.m4s": 9000,
    "v1.m3u8": 400,
    "en.vtt": 300,
    "thumbnails.m3u8": 500,
    "thumbnails/1.jpg": 4500,
    "thumbnails/5.jpg": 4500,
}
INDEX = VersionIndex(
    version_id=VersionId("ver_" + "0" * 26),
    files={path: IndexedFile("a" * 64, size) for path, size in SIZES.items()},
)


def test_what_every_play_begins_with_comes_first() -> None:
    assert beginnings(INDEX) == [
        "en.vtt",
        "v1.m3u8",
        "thumbnails.m3u8",
        "v1/init.mp4",
        "v2/1.m4s",
        "thumbnails/1.jpg",
        "v1/1.m4s",
        "v1/3.m4s",
    ]


def test_variants_of_a_segment_come_with_it() -> None:
    sizes = {f"v1/{variant}{number}.m4s": 5000 for variant in "ab" for number in (1, 2, 3, 4, 12)}
    files = {path: IndexedFile("a" * 64, size) for path, size in sizes.items()}
    index = VersionIndex(version_id=INDEX.version_id, files=files)
    assert beginnings(index) == [f"v1/{name}.m4s" for name in ("a1", "b1", "a2", "b2", "a3", "b3")]
    assert rest(index) == [f"v1/{name}.m4s" for name in ("a4", "b4", "a12", "b12")]


def test_the_rest_comes_in_the_order_of_playing() -> None:
    assert rest(INDEX) == ["v1/4.m4s", "v2/4.m4s", "thumbnails/5.jpg", "v1/10.m4s"]


def test_a_track_is_the_first_part_of_a_path() -> None:
    tracks = {
        "h264-720/9.m4s": "h264-720",
        "h264-720/a12.m4s": "h264-720",
        "h264-720/x12.m4s": "h264-720",
        "h264-720/init.mp4": "h264-720",
        "h264-720.m3u8": "h264-720",
        "en-stereo.low.m3u8": "en-stereo.low",
        "en-stereo.low/1.m4s": "en-stereo.low",
        "en.sdh.vtt": "en.sdh",
        "en.sdh/1.vtt": "en.sdh",
        "thumbnails/5.jpg": "thumbnails",
    }
    assert {path: track_of(path) for path in tracks} == tracks


def test_the_files_of_a_track_come_in_the_order_of_playing() -> None:
    assert paths_of(INDEX, "v1") == [
        "v1.m3u8",
        "v1/init.mp4",
        "v1/1.m4s",
        "v1/3.m4s",
        "v1/4.m4s",
        "v1/10.m4s",
    ]
    assert paths_of(INDEX, "v3") == []
