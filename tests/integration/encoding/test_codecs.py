"""One version in three codecs: cut at the same frames, encrypted, played from both manifests."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from defusedxml.ElementTree import fromstring

from cuemark.contexts.encoding.stages import pictures
from cuemark.contexts.encoding.stages.packaging import Order, RungToPackage, package
from cuemark.contexts.encoding.stages.pictures import CHUNK
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.tools.encoders import FAMILIES
from cuemark.contexts.encoding.tools.ffmpeg import Recipe
from cuemark.contexts.encoding.tools.programs import from_wheels
from cuemark.contexts.playback.model import dash as dash_writer
from cuemark.contexts.playback.model import hls as hls_writer
from cuemark.contracts.encoding.versions import Codec, Version
from cuemark.contracts.ids import TitleId, VersionId
from cuemark.contracts.licensing import ContentKey
from cuemark.kit.objects import Objects
from cuemark.player import dash, hls
from cuemark.player.codecs import family_of
from cuemark.player.decode import decode
from tests.integration.encoding.conftest import Studio, keep
from tests.unit.playback.versions import LICENCE_URL, appliance

PRESETS: dict[Codec, str] = {"h264": "veryfast", "hevc": "ultrafast", "av1": "12"}
MPD = "{urn:mpeg:dash:schema:mpd:2011}"
KEY = ContentKey(label="SD", kid="01" * 16, key="11" * 16, iv="21" * 16)


def recipe_of(codec: Codec) -> Recipe:
    return Recipe(256, 144, 30.0, PRESETS[codec], codec=codec)


@pytest.fixture(scope="module")
def version(studio: Studio) -> Version:
    chunks = studio.chunk_of_each_shot
    rungs = []
    for codec in PRESETS:
        keys = [
            pictures.encode_chunk(studio.shop, studio.sha256, chunk, recipe_of(codec))
            for chunk in chunks
        ]
        rungs.append(
            RungToPackage(
                key=pictures.join_rung(studio.shop, studio.sha256, keys, codec),
                width=256,
                height=144,
                vmaf_mean=80.0,
                vmaf_p5=70.0,
                vmaf_predicted=None,
                codec=codec,
            )
        )
    order = Order(
        version_id=VersionId("ver_codecs"),
        title_id=TitleId("ttl_1"),
        quality="full",
        sha256=studio.sha256,
        rungs=rungs,
        sounds=[],
        captions=[],
    )
    return package(studio.shop, order, lambda _: [KEY], datetime(2026, 1, 1, tzinfo=UTC))


def test_every_codec_is_named_as_devices_ask_for_it(version: Version) -> None:
    named = {each.rendition_id: (each.codec, each.codec_string) for each in version.renditions}
    assert list(named) == ["v144", "hevc-144", "av1-144"]
    for codec, codec_string in named.values():
        assert family_of(codec_string) == codec


def test_both_manifests_offer_every_codec_and_each_plays(studio: Studio, version: Version) -> None:
    root = studio.shop.objects.path(f"versions/{version.version_id}")
    ranking = [appliance("appliance-1")]
    of_dash = dash.parse(dash_writer.manifest(version, ranking))
    playlist = hls.parse_multivariant(hls_writer.manifest(version, ranking, LICENCE_URL))
    assert playlist.codecs == {"h264", "hevc", "av1"}
    for rung in of_dash.video:
        assert len(playlist.with_codec(family_of(rung.codecs)).variants) == 1
        init = (root / rung.first.init_path).read_bytes()
        for segment in rung.segments:
            media = (root / segment.path).read_bytes()
            found = decode("video", init, media, KEY.key, segment)
            assert not found.errors, (rung.rung_id, found.reason)
        wrong = decode("video", init, media, "00" * 16, segment)
        # FFmpeg decodes any coefficients of HEVC to some picture: what is wrong there is found by
        # its digest alone.
        assert wrong.errors or rung.rung_id == "hevc-144", f"{rung.rung_id} takes a wrong key"


def test_each_codec_has_iframes_of_its_own(version: Version) -> None:
    made = [each.iframes.track_id for each in version.renditions if each.iframes is not None]
    assert made == ["v144.iframes", "hevc-144.iframes", "av1-144.iframes"]
    mpd = fromstring(dash_writer.manifest(version, [appliance("appliance-1")]))
    codecs = {
        each.get("id"): family_of(representation.get("codecs", ""))
        for each in mpd.iter(f"{MPD}AdaptationSet")
        for representation in each.iter(f"{MPD}Representation")
    }
    trick_sets = [
        (each.get("id"), said.get("value"))
        for each in mpd.iter(f"{MPD}AdaptationSet")
        for said in each.findall(f"{MPD}EssentialProperty")
    ]
    assert len(trick_sets) == 3
    assert all(codecs[of] == codecs[number] for number, of in trick_sets)


@pytest.mark.parametrize("codec", PRESETS)
def test_a_codec_has_each_crf_that_its_family_says(studio: Studio, codec: Codec) -> None:
    """FFmpeg's own option would cut the fraction of AV1's off, and say nothing."""
    step = max(0.25, FAMILIES[codec].likeness.step_crf)
    chunk = studio.chunk_of_each_shot[0]
    sizes = [
        (
            studio.shop.path(
                pictures.encode_chunk(
                    studio.shop,
                    studio.sha256,
                    chunk,
                    msgspec.structs.replace(recipe_of(codec), crf=30.0 + step * n),
                ),
                CHUNK,
            )
            .stat()
            .st_size
        )
        for n in range(3)
    ]
    assert sizes[0] > sizes[1] > sizes[2]


@pytest.mark.parametrize("codec", ["hevc", "av1"])
def test_a_chunk_has_the_same_bytes_whoever_encodes_it(
    studio: Studio, clip: Path, tmp_path: Path, codec: Codec
) -> None:
    other = Workshop(Objects(tmp_path / "other"), from_wheels())
    sha256 = keep(other, clip)
    pictures.inspect(other, sha256)
    chunk = studio.chunk_of_each_shot[1]
    made = [
        shop.path(pictures.encode_chunk(shop, sha256, chunk, recipe_of(codec)), CHUNK).read_bytes()
        for shop in (studio.shop, other)
    ]
    assert made[0] == made[1]
