"""Renditions of high dynamic range in both manifests, read back as devices read them."""

import msgspec
import pytest
from defusedxml.ElementTree import fromstring

from cuemark.contexts.playback.model import dash, hls
from cuemark.contracts.encoding.versions import DynamicRange, Rendition, Version
from cuemark.player import dash as player_dash
from cuemark.player import hls as player_hls
from cuemark.player.codecs import range_chosen
from cuemark.player.errors import ManifestInvalid, RangeUnknown
from tests.unit.playback.versions import (
    HD,
    LICENCE_URL,
    RANKING,
    SD,
    rendition,
    version,
    with_iframes,
)

NS = {"": "urn:mpeg:dash:schema:mpd:2011"}
CICP = "urn:mpeg:mpegB:cicp:"


def av1(name: str, height: int, kid: str, dynamic_range: DynamicRange) -> Rendition:
    high = ".10.0.110.09.16.09.0" if dynamic_range == "pq" else ".08"
    return msgspec.structs.replace(
        rendition(name, height * 16 // 9, height, height * 2.0, kid),
        codec="av1",
        codec_string=f"av01.0.05M{high}",
        dynamic_range=dynamic_range,
    )


@pytest.fixture
def both() -> Version:
    """H.264, AV1, and AV1 in PQ, each of two keys but the first."""
    return with_iframes(
        version(
            renditions=[
                rendition("v360", 640, 360, 400, SD),
                av1("av1-360", 360, SD, "sdr"),
                av1("av1-pq-360", 360, SD, "pq"),
                av1("av1-720", 720, HD, "sdr"),
                av1("av1-pq-720", 720, HD, "pq"),
            ]
        )
    )


def test_sets_switch_within_a_codec_and_a_range_alone(both: Version) -> None:
    mpd = fromstring(dash.manifest(both, RANKING))
    sets = mpd.findall("Period/AdaptationSet[@contentType='video']", NS)
    first = {
        each.findall("Representation", NS)[0].get("id"): each
        for each in sets
        if "trickmode" not in "".join(one.get("schemeIdUri", "") for one in each)
    }
    numbers = {name: each.get("id") for name, each in first.items()}
    joined = {
        name: [
            one.get("value")
            for one in each.findall("SupplementalProperty", NS)
            if "switching" in one.get("schemeIdUri", "")
        ]
        for name, each in first.items()
    }
    assert joined == {
        "v360": [],
        "av1-360": [numbers["av1-720"]],
        "av1-720": [numbers["av1-360"]],
        "av1-pq-360": [numbers["av1-pq-720"]],
        "av1-pq-720": [numbers["av1-pq-360"]],
    }
    for name, each in first.items():
        said = {
            one.get("schemeIdUri", "").removeprefix(CICP): one.get("value")
            for one in each.findall("EssentialProperty", NS)
        }
        high = {"ColourPrimaries": "9", "TransferCharacteristics": "16", "MatrixCoefficients": "9"}
        assert said == (high if "pq" in str(name) else {})


def test_the_reference_player_reads_the_ranges_of_both(both: Version) -> None:
    wanted = {each.rendition_id: each.dynamic_range for each in both.renditions}
    read = player_dash.parse(dash.manifest(both, RANKING))
    assert {each.rung_id: each.dynamic_range for each in read.video} == wanted
    text = hls.manifest(both, RANKING, LICENCE_URL)
    listed = player_hls.parse_multivariant(text)
    assert listed.dynamic_ranges == {"sdr", "pq"}
    for dynamic_range in listed.dynamic_ranges:
        kept = {
            each.path.removesuffix(".m3u8") for each in listed.with_range(dynamic_range).variants
        }
        assert kept == {name for name, its in wanted.items() if its == dynamic_range}


def test_every_variant_of_such_a_film_says_its_range_and_none_of_another(both: Version) -> None:
    lines = hls.manifest(both, RANKING, LICENCE_URL).splitlines()
    variants = [line for line in lines if line.startswith(("#EXT-X-STREAM-INF", "#EXT-X-I-FRAME"))]
    assert variants
    assert all(("VIDEO-RANGE=PQ" in v) == ('CODECS="av01.0.05M.10' in v) for v in variants)
    assert all(("VIDEO-RANGE=SDR" in v) != ("VIDEO-RANGE=PQ" in v) for v in variants)
    assert "VIDEO-RANGE" not in hls.manifest(version(), RANKING, LICENCE_URL)


def test_a_range_that_no_version_has_is_refused(both: Version) -> None:
    text = dash.manifest(both, RANKING).replace(
        'TransferCharacteristics" value="16"', 'TransferCharacteristics" value="13"'
    )
    with pytest.raises(ManifestInvalid, match="transfer characteristics '13'"):
        player_dash.parse(text)
    listed = hls.manifest(both, RANKING, LICENCE_URL).replace("VIDEO-RANGE=PQ", "VIDEO-RANGE=XDR")
    with pytest.raises(ManifestInvalid, match="video range 'XDR'"):
        _ = player_hls.parse_multivariant(listed).dynamic_ranges


def test_a_range_is_played_only_where_it_is_asked_for() -> None:
    offered: list[DynamicRange] = ["sdr", "pq"]
    assert range_chosen(offered, "sdr") == "sdr"
    assert range_chosen(offered, "pq") == "pq"
    with pytest.raises(RangeUnknown, match="'hlg': it has pq, sdr"):
        range_chosen(offered, "hlg")
