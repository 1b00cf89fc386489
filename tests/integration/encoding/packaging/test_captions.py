"""Captions in a version: both formats, their roles, and what is odd about them."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import msgspec
import pytest
from ttconv.imsc import reader as ttconv_reader

from cuemark.contexts.encoding.stages import tracks
from cuemark.contexts.encoding.stages.packaging import CaptionsToPackage, Order, caption_notes
from cuemark.contexts.playback.model import dash as dash_writer
from cuemark.contexts.playback.model import hls as hls_writer
from cuemark.contracts.encoding.jobs import MasterRejected
from cuemark.contracts.encoding.versions import Version, VersionIndex
from cuemark.player import dash, hls
from tests.integration.encoding.conftest import Studio, keep
from tests.integration.encoding.packaging.conftest import FILM_MS, root_of
from tests.unit.playback.versions import LICENCE_URL, appliance


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
