"""What the service says of a version's digests is what the player reads."""

import msgspec
import pytest

from cuemark.contexts.playback.model import dash, hls
from cuemark.contracts.encoding.versions import Version
from cuemark.player import dash as reading_dash
from cuemark.player import digests
from cuemark.player import hls as reading_hls
from cuemark.player.errors import ManifestInvalid
from cuemark.player.manifest import DigestList, Stretch
from tests.unit.playback import versions

SEAL = "5e" * 32


def sealed() -> Version:
    """A version whose tracks all have digests."""
    plain = versions.version()
    return msgspec.structs.replace(
        plain,
        renditions=[
            msgspec.structs.replace(each, digests_sha256=SEAL) for each in plain.renditions
        ],
        audio=[msgspec.structs.replace(each, digests_sha256=SEAL) for each in plain.audio],
    )


def test_dash_seals_the_digests_of_each_representation() -> None:
    manifest = reading_dash.parse(dash.manifest(sealed(), versions.RANKING))
    for rung in (*manifest.video, *manifest.audio):
        assert rung.digests == DigestList(f"{rung.rung_id}.digests", SEAL)


def test_hls_seals_the_digests_of_each_media_playlist() -> None:
    text = hls.manifest(sealed(), versions.RANKING, versions.LICENCE_URL)
    multivariant = reading_hls.parse_multivariant(text)
    assert set(multivariant.digests) == set(multivariant.paths)
    assert multivariant.digests["v360.m3u8"] == DigestList("v360.digests", SEAL)


def test_a_version_from_before_there_were_digests_names_none() -> None:
    manifest = reading_dash.parse(dash.manifest(versions.version(), versions.RANKING))
    assert {rung.digests for rung in (*manifest.video, *manifest.audio)} == {None}
    text = hls.manifest(versions.version(), versions.RANKING, versions.LICENCE_URL)
    assert reading_hls.parse_multivariant(text).digests == {}


@pytest.mark.parametrize("value", ["", "v360.digests", "../v360.digests " + SEAL, "a b"])
def test_a_seal_that_cannot_be_read_is_refused(value: str) -> None:
    text = dash.manifest(sealed(), versions.RANKING).replace(f"v360.digests {SEAL}", value)
    with pytest.raises(ManifestInvalid):
        reading_dash.parse(text)


def test_each_file_has_its_place_in_the_list() -> None:
    rung = reading_dash.parse(dash.manifest(sealed(), versions.RANKING)).video[0]
    listed = bytes(n for n in range(2 + len(rung.segments)) for _ in range(16))
    read = digests.Digests(listed, rung)
    assert digests.of_playlist(listed) == bytes(16)
    assert read.init(rung.first.init_path) == bytes([1] * 16)
    assert read.segment(len(rung.segments) - 1) == (bytes([1 + len(rung.segments)] * 16),)
    for other in (listed[:-1], listed[:-16], listed + bytes(16), b""):
        with pytest.raises(ManifestInvalid, match="another number of digests"):
            digests.Digests(other, rung)


def test_each_segment_of_marked_pictures_has_two() -> None:
    marked = msgspec.structs.replace(sealed(), marked=True)
    rung = reading_dash.parse(dash.manifest(marked, versions.RANKING)).video[0]
    count = len(rung.segments)
    rung = msgspec.structs.replace(
        rung, later=(Stretch(index=2, init_path="v360/init-2.mp4", kid=rung.first.kid),)
    )
    listed = bytes(n for n in range(2 + 2 * count + 1) for _ in range(16))
    read = digests.Digests(listed, rung)
    assert read.segment(0) == (bytes([2] * 16), bytes([3] * 16))
    assert read.segment(count - 1) == (bytes([2 * count] * 16), bytes([2 * count + 1] * 16))
    assert read.init("v360/init-2.mp4") == bytes([2 + 2 * count] * 16)
    with pytest.raises(ManifestInvalid, match="another number of digests"):
        digests.Digests(listed + bytes(16 * (count - 1)), rung)
