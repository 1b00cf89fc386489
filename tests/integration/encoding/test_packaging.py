"""A version is encrypted, decrypts, repeats, and says the truth about its files."""

import base64
import io
import os
import shutil
import stat
import tarfile
import time
import xml.etree.ElementTree as ElementTree
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from blake3 import blake3
from ttconv.imsc import reader as ttconv_reader

from benches.specimen import sounds_of
from cuemark.contexts.encoding.model import bounds, loudness
from cuemark.contexts.encoding.model.boxes import boxes, find
from cuemark.contexts.encoding.model.validation import encryption, structure
from cuemark.contexts.encoding.model.validation.manifests import ManifestsOf
from cuemark.contexts.encoding.model.validation.samples import init_of
from cuemark.contexts.encoding.model.validation.structure import Track
from cuemark.contexts.encoding.stages import pictures, tracks, validating
from cuemark.contexts.encoding.stages.packaging import (
    CaptionsToPackage,
    Order,
    RungToPackage,
    SoundToPackage,
    caption_notes,
    package,
)
from cuemark.contexts.encoding.stages.sounds import file_of
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.tools.decoding import content_of
from cuemark.contexts.encoding.tools.ffmpeg import Recipe
from cuemark.contexts.encoding.tools.run import ToolFailed, run
from cuemark.contexts.licensing.model.systems import signals_of
from cuemark.contexts.playback.model import dash as dash_writer
from cuemark.contexts.playback.model import hls as hls_writer
from cuemark.contexts.playback.wiring import manifests_of
from cuemark.contracts.encoding import CaptionRole, MasterRejected, Timeline, Version, VersionIndex
from cuemark.contracts.ids import TitleId, VersionId
from cuemark.contracts.licensing import ContentKey
from cuemark.contracts.protection import System
from cuemark.player import dash, hls
from cuemark.player.decode import Kind, decode
from cuemark.player.manifest import Segment
from tests.integration.encoding.conftest import RATE, SHOT_FRAMES, SHOTS, Studio, keep
from tests.unit.licensing.test_systems import fields_of
from tests.unit.playback.versions import LICENCE_URL, appliance

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEYS = [
    ContentKey(label=label, kid=f"{n:02x}" * 16, key=f"{n + 16:02x}" * 16, iv=f"{n + 32:02x}" * 16)
    for n, label in enumerate(("AUDIO", "SD", "HD"), 1)
]
RECIPES = [Recipe(128, 72, 30.0, "veryfast"), Recipe(256, 144, 26.0, "veryfast")]
FILM_MS = 1000 * SHOTS * SHOT_FRAMES // RATE
CAPTIONS: list[tuple[str, CaptionRole]] = [
    ("en", "subtitles"),
    ("en", "sdh"),
    ("de", "forced"),
]
SRT = "1\n00:00:00,500 --> 00:00:02,000\nHello <font>there</font>\n"


@pytest.fixture(scope="session")
def captions_sha256(studio: Studio, tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("captions") / "en.srt"
    file.write_text(SRT)
    return keep(studio.shop, file)


@pytest.fixture(scope="session")
def sounds(studio: Studio) -> list[SoundToPackage]:
    return sounds_of(studio.shop, studio.sha256)


def order_of(
    studio: Studio, version: str, sounds: list[SoundToPackage], captions_sha256: str
) -> Order:
    rungs = [
        RungToPackage(
            key=studio.joined_rung(recipe, studio.chunk_of_each_shot),
            width=recipe.width,
            height=recipe.height,
            vmaf_mean=80.123,
            vmaf_p5=70.0,
            vmaf_predicted=None,
        )
        for recipe in RECIPES
    ]
    return Order(
        version_id=VersionId(version),
        title_id=TitleId("ttl_1"),
        quality="quick",
        sha256=studio.sha256,
        rungs=rungs,
        sounds=sounds,
        captions=[
            CaptionsToPackage(
                language,
                tracks.convert_captions(studio.shop, language, captions_sha256, role, FILM_MS),
                role,
            )
            for language, role in CAPTIONS
        ],
    )


@pytest.fixture(scope="session")
def order(studio: Studio, sounds: list[SoundToPackage], captions_sha256: str) -> Order:
    return order_of(studio, "ver_whole", sounds, captions_sha256)


@pytest.fixture(scope="session")
def version(studio: Studio, order: Order) -> Version:
    return package(studio.shop, order, KEYS, NOW)


def root_of(studio: Studio, order: Order) -> Path:
    return studio.shop.objects.path(f"versions/{order.version_id}")


def files_of(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def segments_of(folder: Path) -> list[Path]:
    return [folder / f"{n}.m4s" for n in range(1, len(list(folder.glob("*.m4s"))) + 1)]


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
    return package(studio.shop, bare, KEYS, NOW, with_thumbnails=False)


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
    assert package(studio.shop, order, KEYS, NOW) == version
    assert files_of(root) == first


def test_every_segment_decrypts_and_is_nothing_without_the_key(
    studio: Studio, order: Order, version: Version, tmp_path: Path
) -> None:
    root = root_of(studio, order)
    for rung in order.rungs:
        track = root / f"v{rung.height}"
        clear = content_of(studio.shop.path(rung.key, pictures.RUNG), "video")
        samples: list[str] = []
        for segment in segments_of(track):
            whole = tmp_path / "segment.mp4"
            whole.write_bytes((track / "init.mp4").read_bytes() + segment.read_bytes())
            samples += content_of(whole, "video", KEYS[1].key).samples
            for foreign in ("", KEYS[0].key):
                assert first_picture(whole, foreign) != first_picture(whole, KEYS[1].key)
        assert samples == clear.samples
        assert len(samples) == SHOTS * SHOT_FRAMES


def first_picture(file: Path, key: str) -> str:
    """The hash of what a player with this key shows first; nothing where nothing decodes.

    Of small pictures cbcs leaves whole samples in the clear (less than one block of 16 bytes),
    so it is the IDR, which the others need, that must be hidden.
    """
    try:
        return content_of(file, "video", key).first_frame
    except ToolFailed:
        return ""


def test_segments_begin_at_the_cuts_in_every_rendition(
    studio: Studio, order: Order, version: Version
) -> None:
    timeline = version.video_timeline
    assert timeline.start == 0
    starts = [sum(timeline.durations[:n]) for n in range(len(timeline.durations))]
    tick = timeline.timescale // RATE
    assert {start // tick for start in starts} <= {0, SHOT_FRAMES, 2 * SHOT_FRAMES}
    assert all(duration <= 3 * timeline.timescale for duration in timeline.durations)


def test_another_key_than_was_asked_for_fails_the_round_trip(
    studio: Studio, sounds: list[SoundToPackage], captions_sha256: str, tmp_path: Path
) -> None:
    """A packager that encrypts with a key of its own: the version is refused and not kept.

    It may read nothing but itself, so what it gives out is in it.
    """
    foreign = [msgspec.structs.replace(key, key="ee" * 16) for key in KEYS]
    other = order_of(studio, "ver_foreign", sounds, captions_sha256)
    package(studio.shop, other, foreign, NOW)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for folder in ("v72", "v144", "a-de", "a-de.opus"):
            tar.add(root_of(studio, other) / folder, folder)
        tar.add(os.devnull, "packager.mpd", filter=as_empty_file)
    faulty = tmp_path / "packager"
    faulty.write_bytes(
        b"#!/bin/sh\nsed '1,/^PACKED$/d' \"$0\" | tar x\nexit\nPACKED\n" + packed.getvalue()
    )
    faulty.chmod(faulty.stat().st_mode | stat.S_IXUSR)
    programs = msgspec.structs.replace(studio.shop.programs, packager=faulty)
    # Another build of the packager would make new keys of results; the film is inspected anew.
    shop = Workshop(studio.shop.objects, programs)
    pictures.inspect(shop, studio.sha256)
    order = order_of(studio, "ver_faulty", sounds, captions_sha256)
    with pytest.raises(ToolFailed, match="does not decrypt"):
        package(shop, order, KEYS, NOW)
    assert not os.path.lexists(root_of(studio, order))


def as_empty_file(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.type = tarfile.REGTYPE
    return entry


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
            KEYS,
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


def test_captions_become_clean_webvtt_or_a_sentence(
    studio: Studio, order: Order, version: Version, tmp_path: Path
) -> None:
    text = (root_of(studio, order) / "t-en.vtt").read_text()
    assert text == "WEBVTT\n\n00:00:00.500 --> 00:00:02.000\nHello there\n"
    garbage = tmp_path / "garbage"
    garbage.write_bytes(bytes(range(256)))
    with pytest.raises(MasterRejected, match=r"captions in de \(forced\) cannot be read"):
        tracks.convert_captions(studio.shop, "de", keep(studio.shop, garbage), "forced", FILM_MS)


def test_captions_are_published_in_both_formats_and_listed_by_role(
    studio: Studio, order: Order, version: Version
) -> None:
    root = root_of(studio, order)
    index = msgspec.json.decode((root / "index.json").read_bytes(), type=VersionIndex)
    for track in version.captions:
        assert {track.path, track.imsc_path, f"{track.track_id}.m3u8"} <= index.files.keys()
        document = ttconv_reader.to_model(ElementTree.parse(root / track.imsc_path))
        assert document.get_lang() == track.language
        playlist = hls.parse_media((root / f"{track.track_id}.m3u8").read_text(), {})
        assert [each.path for each in playlist.segments] == [track.path]
    mpd = dash.parse(dash_writer.manifest(version, [appliance("a")]))
    assert [(each.name, each.path) for each in mpd.captions] == [
        ("en", "t-en.vtt"),
        ("en:sdh", "t-en.sdh.vtt"),
        ("de:forced", "t-de.forced.vtt"),
    ]
    playlist_text = hls_writer.manifest(version, [appliance("a")], LICENCE_URL)
    multivariant = hls.parse_multivariant(playlist_text)
    media = {
        path: hls.parse_media((root / path).read_text(), multivariant.variables)
        for path in multivariant.paths
    }
    found = hls.assemble(multivariant, media).captions
    assert [each.name for each in found] == [each.name for each in mpd.captions]


def test_what_is_odd_about_captions_is_told_and_what_no_viewer_could_see_is_refused(
    studio: Studio, tmp_path: Path
) -> None:
    file = tmp_path / "odd.srt"
    file.write_text(
        "1\n00:00:00,100 --> 00:00:00,300\nfar too much to read of it\n\n"
        "2\n00:00:00,200 --> 00:00:09,000\na\nb\nc\n"
    )
    sha = keep(studio.shop, file)
    key = tracks.convert_captions(studio.shop, "en", sha, "sdh", FILM_MS)
    notes = caption_notes(studio.shop, [CaptionsToPackage("en", key, "sdh")])
    assert len(notes) == 6
    assert all(note.startswith("captions in en (SDH): 1 of 2 ") for note in notes)
    many = caption_notes(studio.shop, [CaptionsToPackage("en", key, "sdh")] * 9)
    assert len(many) == 21
    assert many[-1] == "34 more of this kind on captions"
    with pytest.raises(MasterRejected, match=r"captions in en cannot be shown: all begin after"):
        tracks.convert_captions(studio.shop, "en", sha, "subtitles", 100)


SYSTEMS: list[System] = ["widevine", "playready", "common"]


@pytest.fixture(scope="session")
def cenc(
    studio: Studio, sounds: list[SoundToPackage], captions_sha256: str
) -> tuple[Order, Version]:
    """The same film in cenc, its keys named to DRM systems."""
    order = order_of(studio, "ver_cenc", sounds, captions_sha256)
    signals = {key.kid: signals_of(key.kid, "cenc", SYSTEMS, "ver_cenc") for key in KEYS}
    keys = [msgspec.structs.replace(key, signals=signals[key.kid]) for key in KEYS]
    version = package(studio.shop, order, keys, NOW, scheme="cenc", with_thumbnails=False)
    return order, version


def tracks_of(studio: Studio, order: Order, version: Version) -> list[Track]:
    root = root_of(studio, order)
    found = []
    for name in ("v72", "v144", "a-de", "a-de.opus"):
        init = init_of((root / name / "init.mp4").read_bytes())
        segments = [
            structure.segment_of(each.read_bytes(), init) for each in segments_of(root / name)
        ]
        found.append(Track(track_id=name, pictures=name[0] == "v", init=init, segments=segments))
    return found


def test_cenc_is_another_packaging_of_the_same_film(
    studio: Studio, version: Version, cenc: tuple[Order, Version]
) -> None:
    order, other = cenc
    assert (version.scheme, other.scheme) == ("cbcs", "cenc")
    assert other.video_timeline == version.video_timeline
    assert other.audio_timelines == version.audio_timelines
    root = root_of(studio, order)
    for key in KEYS:
        assert not any(bytes.fromhex(key.key) in data for data in files_of(root).values())


def test_no_two_samples_of_a_key_share_an_iv_in_cenc(
    studio: Studio, order: Order, version: Version, cenc: tuple[Order, Version]
) -> None:
    """The tracks under one key would give one another away."""
    tracks = tracks_of(studio, *cenc)
    kids = {each.rendition_id: each.kid for each in cenc[1].renditions}
    kids |= {each.track_id: each.kid for each in cenc[1].audio}
    for track in tracks:
        assert structure.track_findings(track, kids[track.track_id], "cenc") == []
        assert sum(last - first + 1 for first, last in track.ivs) == track.samples
    ivs = {track.track_id: track.ivs for track in tracks}
    assert encryption.shared_iv_findings(ivs, kids) == []
    firsts = {stretches[0][0] for stretches in ivs.values()}
    assert firsts == {1 << 32, 2 << 32}
    # As the packager does by itself, with one first IV for all streams of a key.
    naive = {name: [(0, last - first) for first, last in rows] for name, rows in ivs.items()}
    assert encryption.shared_iv_findings(naive, kids)
    for track in tracks_of(studio, order, version):
        kid = KEYS[1].kid if track.pictures else KEYS[0].kid
        assert structure.track_findings(track, kid, "cbcs") == []
        assert structure.track_findings(track, kid, "cenc")


def test_packaging_cenc_again_gives_the_same_bytes(
    studio: Studio, cenc: tuple[Order, Version]
) -> None:
    order, version = cenc
    root = root_of(studio, order)
    first = files_of(root)
    root.rename(root.with_name("ver_cenc_before"))
    signals = version.signals
    keys = [msgspec.structs.replace(key, signals=signals.get(key.kid, [])) for key in KEYS]
    again = package(studio.shop, order, keys, NOW, scheme="cenc", with_thumbnails=False)
    assert again == version
    assert files_of(root) == first


def test_all_manifests_of_a_cenc_version_refer_to_all_its_media(
    studio: Studio, cenc: tuple[Order, Version]
) -> None:
    order, version = cenc
    assert set(version.signals) == {KEYS[0].kid, KEYS[1].kid}
    found = validating._manifests(
        root_of(studio, order), version, lambda each: ManifestsOf(*manifests_of(each))
    )
    assert found == []
    text = (root_of(studio, order) / "v72.widevine.m3u8").read_text()
    assert "METHOD=SAMPLE-AES-CTR," in text


def test_what_we_name_keys_by_is_what_the_packager_would_write(
    studio: Studio, cenc: tuple[Order, Version], tmp_path: Path
) -> None:
    """Widevine's and the common box as Shaka Packager has them, byte for byte, but for the
    content's name; PlayReady's by its header's version."""
    order, _ = cenc
    source = studio.shop.path(order.rungs[0].key, pictures.RUNG)
    run(
        [
            str(studio.shop.programs.packager),
            f"in={source},stream=video,init_segment=init.mp4,segment_template=$Number$.m4s",
            *["--enable_raw_key_encryption", "--protection_scheme", "cbcs"],
            *["--keys", f"label=:key_id={KEYS[1].kid}:key={KEYS[1].key}"],
            *["--protection_systems", "Widevine,PlayReady,CommonSystem", "--quiet"],
        ],
        bounds.reading(source.stat().st_size),
        reads=[source],
        folder=tmp_path,
    )
    moov = find(memoryview((tmp_path / "init.mp4").read_bytes()), b"moov")
    theirs = {bytes(body[4:20]): bytes(body) for kind, body in boxes(moov) if kind == b"pssh"}
    ours = signals_of(KEYS[1].kid, "cbcs", SYSTEMS, "")
    for signal in ours:
        box = base64.b64decode(signal.pssh)[8:]
        other = theirs[box[4:20]]
        if signal.system == "common":
            assert box == other
        elif signal.system == "widevine":
            assert set(fields_of(other[24:])) <= set(fields_of(box[24:])) | {(1, 1)}
        else:
            assert other[34:].decode("utf-16-le") == box[34:].decode("utf-16-le")


def test_a_player_decodes_cenc_with_its_key_and_with_no_other(
    studio: Studio, cenc: tuple[Order, Version]
) -> None:
    order, version = cenc
    root = root_of(studio, order)
    timelines: dict[str, tuple[Timeline, Kind, ContentKey]] = {
        "v144": (version.video_timeline, "video", KEYS[1])
    }
    timelines["a-de"] = (version.audio_timelines["mp4a.40.2"], "audio", KEYS[0])
    for name, (timeline, kind, key) in timelines.items():
        segment = Segment("1.m4s", 0.0, timeline.durations[0] / timeline.timescale)
        init, media = ((root / name / file).read_bytes() for file in ("init.mp4", "1.m4s"))
        decoded = decode(kind, init, media, key.key, segment)
        assert decoded.errors == 0, decoded.reason
        assert len(decoded.times_s) > 10
        assert decode(kind, init, media, "ee" * 16, segment).errors > 0
