"""What a packaged version holds, and that the same is packaged again."""

import os
import shutil
import time
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from blake3 import blake3

from cuemark.contexts.encoding.model import bounds, loudness
from cuemark.contexts.encoding.stages import pictures
from cuemark.contexts.encoding.stages.packaging import Order, SoundToPackage, package
from cuemark.contexts.encoding.stages.sounds import file_of
from cuemark.contexts.encoding.tools.run import ToolFailed, run
from cuemark.contexts.playback.model import dash as dash_writer
from cuemark.contexts.playback.model import hls as hls_writer
from cuemark.contracts.encoding.versions import Version, VersionIndex
from cuemark.contracts.ids import VersionId
from tests.integration.encoding.conftest import RATE, SHOT_FRAMES, SHOTS, Studio
from tests.integration.encoding.packaging.conftest import (
    KEYS,
    NOW,
    RECIPES,
    files_of,
    order_of,
    root_of,
)
from tests.unit.playback.versions import LICENCE_URL, appliance


def test_a_version_describes_what_was_packaged(version: Version) -> None:
    assert [rendition.rendition_id for rendition in version.renditions] == ["v72", "v144"]
    assert all(rendition.codec_string.startswith("avc1.64") for rendition in version.renditions)
    assert [track.track_id for track in version.audio] == ["a-de", "a-de.opus"]
    assert [(track.path, track.imsc_path, track.role) for track in version.captions] == [
        ("t-en.vtt", "t-en.ttml", "subtitles"),
        ("t-en.sdh.vtt", "t-en.sdh.ttml", "sdh"),
        ("t-de.forced.vtt", "t-de.forced.ttml", "forced"),
    ]
    assert version.duration_s == pytest.approx(SHOTS * SHOT_FRAMES / RATE)
    assert {rendition.kid for rendition in version.renditions} == {KEYS[1].kid}
    assert version.audio[0].kid == KEYS[0].kid
    for rendition in version.renditions:
        assert 0 < rendition.bitrate_kbps <= rendition.peak_bitrate_kbps


def test_the_index_names_every_file_with_its_hash(
    studio: Studio, order: Order, version: Version
) -> None:
    files = files_of(root_of(studio, order))
    raw = files.pop("index.json")
    assert blake3(raw).hexdigest() == version.index_blake3
    index = msgspec.json.decode(raw, type=VersionIndex)
    assert index.version_id == order.version_id
    assert {name: (file.blake3, file.size_bytes) for name, file in index.files.items()} == {
        name: (blake3(data).hexdigest(), len(data)) for name, data in files.items()
    }
    assert {"v72.m3u8", "v144.m3u8", "a-de.m3u8", "t-en.m3u8", "t-en.vtt"} <= set(files)


def test_the_digests_of_each_track_are_those_of_its_files(
    studio: Studio, order: Order, version: Version
) -> None:
    folder = root_of(studio, order)
    sealed = {each.rendition_id: each.digests_sha256 for each in version.renditions}
    sealed |= {each.track_id: each.digests_sha256 for each in version.audio}
    for track_id, seal in sealed.items():
        listed = (folder / f"{track_id}.digests").read_bytes()
        assert sha256(listed).hexdigest() == seal
        count = len(list((folder / track_id).glob("*.m4s")))
        files = [f"{track_id}.m3u8", f"{track_id}/init.mp4"]
        files += [f"{track_id}/{number}.m4s" for number in range(1, count + 1)]
        assert listed == digests_of(folder, files)


def digests_of(folder: Path, names: list[str]) -> bytes:
    return b"".join(sha256((folder / name).read_bytes()).digest()[:16] for name in names)


def test_the_thumbnails_of_a_version_are_listed_sealed_and_in_the_clear(
    studio: Studio, order: Order, version: Version
) -> None:
    folder = root_of(studio, order)
    track = version.thumbnails
    assert track is not None
    assert (track.tiles, track.columns * track.tile_width) == (4, 4 * 256)
    assert (track.tile_ticks / track.timescale, track.bitrate_kbps > 0) == (1, True)
    sheet = folder / "thumbnails" / "1.jpg"
    assert sheet.read_bytes() == pictures.sheets_of(studio.shop, studio.sha256)[0].read_bytes()
    listed = (folder / "thumbnails.digests").read_bytes()
    assert sha256(listed).hexdigest() == track.digests_sha256
    assert listed == digests_of(folder, ["thumbnails.m3u8", "thumbnails/1.jpg"])
    playlist = (folder / "thumbnails.m3u8").read_text()
    assert "#EXT-X-IMAGES-ONLY" in playlist
    assert "#EXT-X-KEY" not in playlist
    assert "#EXTINF:3.600000," in playlist


def package_bare(studio: Studio, order: Order) -> Version:
    """Another version of the same film, without thumbnails."""
    version_id = VersionId("ver_bare")
    bare = msgspec.structs.replace(order, version_id=version_id)
    shutil.rmtree(root_of(studio, bare), ignore_errors=True)
    return package(studio.shop, bare, lambda _: KEYS, NOW, with_thumbnails=False)


def test_a_version_has_no_thumbnails_where_its_owner_wants_none(
    studio: Studio, order: Order
) -> None:
    version = package_bare(studio, order)
    assert version.thumbnails is None
    folder = studio.shop.objects.path(f"versions/{version.version_id}")
    assert not [name for name in files_of(folder) if "thumbnails" in name]
    assert "image" not in dash_writer.manifest(version, [appliance("edge-1")])
    assert "IMAGE" not in hls_writer.manifest(version, [appliance("edge-1")], LICENCE_URL)


def test_no_file_of_a_version_holds_a_key(studio: Studio, order: Order, version: Version) -> None:
    for name, data in files_of(root_of(studio, order)).items():
        for key in KEYS:
            assert bytes.fromhex(key.key) not in data, name
            assert key.key.encode() not in data, name
    leftovers = [path for path in (studio.shop.objects.root / "tmp").rglob("*") if path.is_file()]
    assert leftovers == []


def test_packaging_again_gives_the_same_bytes(
    studio: Studio, order: Order, version: Version
) -> None:
    """Also in another second: the packager writes the time of its run."""
    root = root_of(studio, order)
    first = files_of(root)
    root.rename(root.with_name("ver_before"))
    time.sleep(1.1)
    assert package(studio.shop, order, lambda _: KEYS, NOW) == version
    assert files_of(root) == first


def test_segments_begin_at_the_cuts_in_every_rendition(
    studio: Studio, order: Order, version: Version
) -> None:
    timeline = version.video_timeline
    assert timeline.start == 0
    starts = [sum(timeline.durations[:n]) for n in range(len(timeline.durations))]
    tick = timeline.timescale // RATE
    assert {start // tick for start in starts} <= {0, SHOT_FRAMES, 2 * SHOT_FRAMES}
    assert all(duration <= 3 * timeline.timescale for duration in timeline.durations)


def test_renditions_that_do_not_align_are_refused(
    studio: Studio, sounds: list[SoundToPackage], captions_sha256: str
) -> None:
    order = order_of(studio, "ver_askew", sounds, captions_sha256)
    whole = msgspec.structs.replace(
        studio.chunk_of_each_shot[0], end=SHOTS * SHOT_FRAMES, idrs=[0, 50]
    )
    askew = msgspec.structs.replace(order.rungs[1], key=studio.joined_rung(RECIPES[1], [whole]))
    with pytest.raises(ToolFailed, match="do not align"):
        package(
            studio.shop,
            msgspec.structs.replace(order, rungs=[order.rungs[0], askew]),
            lambda _: KEYS,
            NOW,
        )
    assert not os.path.lexists(root_of(studio, order))


def test_sound_comes_to_its_level_and_is_as_long_as_the_picture(
    studio: Studio, sounds: list[SoundToPackage], version: Version
) -> None:
    sound = studio.shop.path(sounds[0].key, file_of(sounds[0].recipe))
    argv = [str(studio.shop.programs.ffmpeg), "-nostdin", "-hide_banner", "-i", str(sound)]
    printed = run(
        [*argv, "-af", loudness.measuring(), "-f", "null", "-"],
        bounds.sounding(sound.stat().st_size, SHOTS * SHOT_FRAMES / RATE),
        reads=[sound],
    ).stderr
    assert loudness.parse(printed).lufs == pytest.approx(loudness.TARGET_LUFS, abs=0.7)
    timeline = version.audio_timeline
    assert timeline is not None
    seconds = sum(timeline.durations) / timeline.timescale
    assert seconds == pytest.approx(version.duration_s, abs=0.05)
