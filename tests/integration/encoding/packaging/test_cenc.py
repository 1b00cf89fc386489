"""The same film in cenc, its keys named to DRM systems."""

import base64
from pathlib import Path

import msgspec
import pytest

from cuemark.contexts.encoding.model import bounds
from cuemark.contexts.encoding.model.boxes import boxes, find
from cuemark.contexts.encoding.model.validation import encryption, structure
from cuemark.contexts.encoding.model.validation.manifests import ManifestsOf
from cuemark.contexts.encoding.model.validation.samples import init_of
from cuemark.contexts.encoding.model.validation.structure import Track
from cuemark.contexts.encoding.stages import pictures, validating
from cuemark.contexts.encoding.stages.packaging import Order, SoundToPackage, package
from cuemark.contexts.encoding.tools.run import run
from cuemark.contexts.licensing.model.systems import signals_of
from cuemark.contexts.playback.wiring import manifests_of
from cuemark.contracts.encoding.versions import Timeline, Version
from cuemark.contracts.licensing import ContentKey
from cuemark.contracts.protection import System
from cuemark.player.decode import Kind, decode
from cuemark.player.manifest import Segment
from tests.integration.encoding.conftest import Studio
from tests.integration.encoding.packaging.conftest import (
    KEYS,
    NOW,
    files_of,
    order_of,
    root_of,
    segments_of,
)
from tests.unit.licensing.test_systems import fields_of

SYSTEMS: list[System] = ["widevine", "playready", "common"]


@pytest.fixture(scope="session")
def cenc(
    studio: Studio, sounds: list[SoundToPackage], captions_sha256: str
) -> tuple[Order, Version]:
    """The same film in cenc, its keys named to DRM systems."""
    order = order_of(studio, "ver_cenc", sounds, captions_sha256)
    signals = {key.kid: signals_of(key.kid, "cenc", SYSTEMS, "ver_cenc") for key in KEYS}
    keys = [msgspec.structs.replace(key, signals=signals[key.kid]) for key in KEYS]
    version = package(studio.shop, order, lambda _: keys, NOW, scheme="cenc", with_thumbnails=False)
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
        assert structure.track_findings(track, [kids[track.track_id]], "cenc") == []
        (stretches,) = track.ivs.values()
        assert sum(last - first + 1 for first, last in stretches) == track.samples
    ivs = {name: told for track in tracks for name, told in track.ivs.items()}
    assert encryption.shared_iv_findings(ivs, kids) == []
    firsts = {stretches[0][0] for stretches in ivs.values()}
    assert firsts == {1 << 32, 2 << 32}
    # As the packager does by itself, with one first IV for all streams of a key.
    naive = {name: [(0, last - first) for first, last in rows] for name, rows in ivs.items()}
    assert encryption.shared_iv_findings(naive, kids)
    for track in tracks_of(studio, order, version):
        kid = KEYS[1].kid if track.pictures else KEYS[0].kid
        assert structure.track_findings(track, [kid], "cbcs") == []
        assert structure.track_findings(track, [kid], "cenc")


def test_packaging_cenc_again_gives_the_same_bytes(
    studio: Studio, cenc: tuple[Order, Version]
) -> None:
    order, version = cenc
    root = root_of(studio, order)
    first = files_of(root)
    root.rename(root.with_name("ver_cenc_before"))
    signals = version.signals
    keys = [msgspec.structs.replace(key, signals=signals.get(key.kid, [])) for key in KEYS]
    again = package(studio.shop, order, lambda _: keys, NOW, scheme="cenc", with_thumbnails=False)
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
