"""The DASH manifest, read back as a player reads it."""

import re
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from xml.etree.ElementTree import Element

import msgspec
import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given, settings
from hypothesis import strategies as st

from cuemark.contexts.playback.model import dash
from cuemark.contracts.encoding.versions import CaptionTrack, Timeline
from cuemark.contracts.ids import ApplianceId
from cuemark.contracts.steering import RankedAppliance
from cuemark.player import dash as player_dash
from tests.unit.playback.versions import (
    AUDIO,
    HD,
    RANKING,
    SD,
    appliance,
    audio_track,
    of_every_role,
    rendition,
    several_sounds,
    thumbnail_track,
    version,
    with_iframes,
)

GOLDEN = Path(__file__).parent / "golden" / "manifest.mpd"
NS = {"": "urn:mpeg:dash:schema:mpd:2011", "cenc": "urn:mpeg:cenc:2013"}
CLEARKEY = "urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e"
durations = st.lists(st.integers(1, 200_000), min_size=1, max_size=60)


def read(text: str) -> Element:
    mpd: Element = fromstring(text)
    assert mpd.tag == "{urn:mpeg:dash:schema:mpd:2011}MPD"
    return mpd


def sets(mpd: Element, kind: str) -> list[Element]:
    return mpd.findall(f"Period/AdaptationSet[@contentType='{kind}']", NS)


def expanded(template: Element) -> list[tuple[int, int]]:
    """Start and ticks of each segment of a SegmentTimeline."""
    found, at = [], 0
    for element in template.findall("SegmentTimeline/S", NS):
        at = int(element.get("t", at))
        for _ in range(int(element.get("r", 0)) + 1):
            found.append((at, int(element.attrib["d"])))
            at += int(element.attrib["d"])
    return found


def test_the_manifest_is_the_golden_one() -> None:
    """Each line of the golden file was accepted by a player: a change of it is looked at."""
    assert re.sub(r"><", ">\n<", dash.manifest(version(), RANKING)) == GOLDEN.read_text()


def test_the_appliances_stand_before_the_period_in_their_order() -> None:
    mpd = read(dash.manifest(version(), RANKING))
    assert [child.tag.rpartition("}")[2] for child in mpd] == ["BaseURL", "BaseURL", "Period"]
    assert [(base.get("serviceLocation"), base.text) for base in mpd.findall("BaseURL", NS)] == [
        (each.appliance_id, each.media_url) for each in RANKING
    ]


def test_each_key_has_a_set_of_its_own_that_names_the_other() -> None:
    mpd = read(dash.manifest(version(), RANKING))
    found = {}
    for each in sets(mpd, "video"):
        (protection, clearkey) = each.findall("ContentProtection", NS)
        assert protection.attrib == {
            "schemeIdUri": "urn:mpeg:dash:mp4protection:2011",
            "value": "cbcs",
            "{urn:mpeg:cenc:2013}default_KID": protection.get("{urn:mpeg:cenc:2013}default_KID"),
        }
        assert clearkey.get("schemeIdUri") == CLEARKEY
        switching = each.find("SupplementalProperty", NS)
        assert switching is not None
        assert switching.get("schemeIdUri") == "urn:mpeg:dash:adaptation-set-switching:2016"
        found[protection.attrib["{urn:mpeg:cenc:2013}default_KID"].replace("-", "")] = (
            each.get("id"),
            switching.get("value"),
            [r.get("id") for r in each.findall("Representation", NS)],
        )
    assert found == {SD: ("1", "2", ["v360", "v540"]), HD: ("2", "1", ["v720"])}


def test_one_key_needs_no_switching() -> None:
    film = version(renditions=[rendition("v360", 640, 360, 400, SD)])
    mpd = read(dash.manifest(film, RANKING))
    assert len(sets(mpd, "video")) == 1
    assert mpd.find(".//SupplementalProperty", NS) is None


def test_a_key_id_is_written_as_a_uuid() -> None:
    text = dash.manifest(version(), RANKING)
    assert 'cenc:default_KID="a0000000-0000-0000-0000-000000000000"' in text


def test_no_licence_address_overrules_that_of_the_player() -> None:
    assert "aurl" not in dash.manifest(version(), RANKING)


def test_bandwidth_is_the_peak_and_sizes_are_those_of_the_rendition() -> None:
    mpd = read(dash.manifest(version(), RANKING))
    first = sets(mpd, "video")[0]
    assert (first.get("maxWidth"), first.get("maxHeight")) == ("960", "540")
    representation = first.find("Representation", NS)
    assert representation is not None
    assert representation.attrib == {
        "id": "v360",
        "bandwidth": "600151",
        "codecs": "avc1.64001f",
        "width": "640",
        "height": "360",
        "frameRate": "24000/1001",
        "sar": "1:1",
    }


def test_languages_are_sets_apart_and_captions_are_sidecar_files() -> None:
    tracks = [audio_track(), audio_track("a-de", "de", 6), audio_track("a-en-2")]
    mpd = read(dash.manifest(version(audio=tracks), RANKING))
    assert [
        (each.get("lang"), [r.get("id") for r in each.findall("Representation", NS)])
        for each in sets(mpd, "audio")
    ] == [("en", ["a-en", "a-en-2"]), ("de", ["a-de"])]
    channels = [c.get("value") for c in mpd.findall(".//AudioChannelConfiguration", NS)]
    assert channels == ["2", "6"]
    protection = sets(mpd, "audio")[0].find("ContentProtection", NS)
    assert protection is not None
    kid = protection.get("{urn:mpeg:cenc:2013}default_KID")
    assert kid is not None
    assert kid.replace("-", "") == AUDIO
    texts = sets(mpd, "text")
    assert [
        (each.get("mimeType"), each.get("lang"), each.findtext("Representation/BaseURL", "", NS))
        for each in texts
    ] == [("text/vtt", "en", "t-en.vtt"), ("text/vtt", "de", "t-de.vtt")]


def test_a_silent_film_has_no_audio() -> None:
    mpd = read(dash.manifest(version(audio=[]), RANKING))
    assert sets(mpd, "audio") == []


def test_thumbnails_are_a_set_of_sheets_that_the_reference_player_leaves_alone() -> None:
    made = version(thumbnails=thumbnail_track("ab" * 32))
    text = dash.manifest(made, RANKING)
    (images,) = sets(read(text), "image")
    assert images.get("mimeType") == "image/jpeg"
    (sheet,) = images.findall("Representation", NS)
    assert (sheet.get("width"), sheet.get("height")) == ("960", "360")
    assert sheet.get("bandwidth") == "71200"
    essential = sheet.find("EssentialProperty", NS)
    assert essential is not None
    assert essential.attrib == {
        "schemeIdUri": "http://dashif.org/guidelines/thumbnail_tile",
        "value": "3x2",
    }
    template = sheet.find("SegmentTemplate", NS)
    assert template is not None
    assert template.attrib == {
        "timescale": "24000",
        "duration": str(6 * 24024),
        "media": "$RepresentationID$/$Number$.jpg",
        "startNumber": "1",
    }
    sealed = sheet.find("SupplementalProperty", NS)
    assert sealed is not None
    assert sealed.get("value") == f"thumbnails.digests {'ab' * 32}"
    assert images.find("ContentProtection", NS) is None
    assert player_dash.parse(text) == player_dash.parse(dash.manifest(version(), RANKING))


def test_iframes_are_a_trick_mode_set_of_all_video_that_needs_the_renditions_init() -> None:
    described = with_iframes(version())
    mpd = read(dash.manifest(described, RANKING))
    low, high, trick = sets(mpd, "video")
    essential = trick.find("EssentialProperty", NS)
    assert essential is not None
    assert essential.attrib == {
        "schemeIdUri": "http://dashif.org/guidelines/trickmode",
        "value": f"{low.get('id')} {high.get('id')}",
    }
    (representation,) = trick.findall("Representation", NS)
    assert representation.get("id") == "v360.iframes"
    assert representation.get("bandwidth") == "120500"
    sealed = representation.find("SupplementalProperty", NS)
    assert sealed is not None
    assert sealed.get("value") == f"v360.iframes.digests {'1f' * 32}"
    template, whole = trick.find("SegmentTemplate", NS), low.find("SegmentTemplate", NS)
    assert template is not None
    assert whole is not None
    assert template.get("initialization") == "v360/init.mp4"
    assert expanded(template) == expanded(whole)
    keys = [each.findall("ContentProtection", NS) for each in (low, trick)]
    assert [each.attrib for each in keys[0]] == [each.attrib for each in keys[1]]


def test_marked_pictures_are_named_so_that_the_appliance_chooses() -> None:
    film = msgspec.structs.replace(with_iframes(version()), marked=True)
    mpd = read(dash.manifest(film, RANKING))
    plain, trick = "$RepresentationID$/$Number$.m4s", "http://dashif.org/guidelines/trickmode"
    for each in mpd.findall("Period/AdaptationSet", NS):
        template = each.find("SegmentTemplate", NS)
        marked = each.get("contentType") == "video" and not any(
            found.get("schemeIdUri") == trick for found in each.findall("EssentialProperty", NS)
        )
        if template is not None:
            wanted = "$RepresentationID$/x$Number$.m4s" if marked else plain
            assert template.get("media") == wanted
    played = player_dash.parse(dash.manifest(film, RANKING))
    assert [each.path for each in played.video[0].segments[:2]] == ["v360/x1.m4s", "v360/x2.m4s"]


def test_the_reference_player_leaves_iframes_alone_and_so_do_versions_without() -> None:
    plain, rich = (
        player_dash.parse(dash.manifest(each, RANKING))
        for each in (version(), with_iframes(version()))
    )
    assert plain == rich


def test_set_ids_are_unique() -> None:
    mpd = read(dash.manifest(version(audio=[audio_track(), audio_track("x", "de")]), RANKING))
    ids = [each.get("id") for each in mpd.findall("Period/AdaptationSet", NS)]
    assert ids == [str(n) for n in range(1, len(ids) + 1)]


@given(durations, st.integers(1, 90_000), st.integers(0, 1000))
def test_the_timeline_is_that_of_the_version(ticks: list[int], timescale: int, start: int) -> None:
    film = version(
        video_timeline=Timeline(timescale=timescale, start=start, durations=ticks), audio=[]
    )
    mpd = read(dash.manifest(film, RANKING))
    template = sets(mpd, "video")[0].find("SegmentTemplate", NS)
    assert template is not None
    segments = expanded(template)
    assert [d for _, d in segments] == ticks
    assert segments[0][0] == start
    assert int(template.get("presentationTimeOffset", 0)) == start
    total = re.fullmatch(r"PT([0-9.]+)S", mpd.attrib["mediaPresentationDuration"])
    assert total is not None
    assert float(total[1]) == pytest.approx(sum(ticks) / timescale, abs=1e-6)


@given(st.lists(st.sampled_from([48048, 24024]), min_size=1, max_size=300))
def test_equal_segments_are_written_once(ticks: list[int]) -> None:
    film = version(video_timeline=Timeline(timescale=24000, start=0, durations=ticks), audio=[])
    template = read(dash.manifest(film, RANKING)).find(".//SegmentTemplate", NS)
    assert template is not None
    changes = 1 + sum(a != b for a, b in pairwise(ticks))
    assert len(template.findall("SegmentTimeline/S", NS)) == changes


def test_a_track_that_begins_later_stays_late() -> None:
    """Video from 0.5 s and audio from 1 s on one clock: the half second between them stays."""
    film = version(
        video_timeline=Timeline(timescale=24000, start=12000, durations=[48000]),
        audio_timeline=Timeline(timescale=48000, start=48000, durations=[96000]),
    )
    mpd = read(dash.manifest(film, RANKING))
    starts = {}
    for kind in ("video", "audio"):
        template = sets(mpd, kind)[0].find("SegmentTemplate", NS)
        assert template is not None
        offset = int(template.attrib["presentationTimeOffset"])
        starts[kind] = (expanded(template)[0][0] - offset) / int(template.attrib["timescale"])
    assert starts == {"video": 0, "audio": 0.5}
    assert mpd.get("mediaPresentationDuration") == "PT2S"


def test_captions_of_one_language_are_told_apart_by_their_roles() -> None:
    text = dash.manifest(version(captions=of_every_role()), RANKING)
    sets = read(text).findall(".//AdaptationSet[@contentType='text']", NS)
    assert [[each.get("value") for each in one.findall("Role", NS)] for one in sets] == [
        ["subtitle"],
        ["caption"],
        ["forced-subtitle"],
    ]
    said = [
        [(each.get("schemeIdUri"), each.get("value")) for each in one.findall("Accessibility", NS)]
        for one in sets
    ]
    assert said == [
        [],
        [
            ("urn:mpeg:dash:role:2011", "caption"),
            ("urn:tva:metadata:cs:AudioPurposeCS:2007", "2"),
        ],
        [],
    ]
    order = ["Accessibility", "Accessibility", "Role", "Representation"]
    assert [each.tag.rpartition("}")[2] for each in sets[1]] == order, "of ISO/IEC 23009-1"
    assert [(each.name, each.path) for each in player_dash.parse(text).captions] == [
        ("en", "t-en.vtt"),
        ("en:sdh", "t-en.sdh.vtt"),
        ("en:forced", "t-en.forced.vtt"),
    ]
    assert ".ttml" not in text, "players would show each language twice"


@settings(max_examples=200)
@given(st.text(max_size=30), st.text(max_size=30), st.text(min_size=1, max_size=30))
def test_hostile_names_break_nothing(name: str, language: str, url: str) -> None:
    film = version(
        renditions=[rendition(name, 640, 360, 400, SD)],
        audio=[audio_track(name, language)],
        captions=[CaptionTrack(track_id=name, language=language, path=f"{name}.vtt")],
    )
    ranking = [RankedAppliance(appliance_id=ApplianceId(name), media_url=f"http://{url}/")]
    mpd = read(dash.manifest(film, ranking))
    plain = version(renditions=film.renditions, captions=film.captions)
    ours = read(dash.manifest(plain, RANKING[:1]))
    assert [each.tag for each in mpd.iter()] == [each.tag for each in ours.iter()]


def test_a_hostile_name_stays_text() -> None:
    evil = '"><BaseURL>http://evil.test/</BaseURL><x y="'
    film = version(renditions=[rendition(evil, 640, 360, 400, SD)], captions=[])
    ranking = [RankedAppliance(appliance_id=ApplianceId(evil), media_url=f"http://a.test/{evil}/")]
    mpd = read(dash.manifest(film, ranking))
    (base,) = mpd.findall(".//BaseURL", NS)
    assert base.get("serviceLocation") == evil
    assert "evil.test" not in (base.text or "").partition("http://a.test/")[0]
    assert not set('"<> ') & set(base.text or "")


def test_a_two_hour_film_is_written_fast() -> None:
    """3,600 segments of changing length on three sets; the bound is loose, the print is not."""
    ticks = [48048 + n % 7 for n in range(3600)]
    film = version(
        video_timeline=Timeline(timescale=24000, start=0, durations=ticks),
        audio_timeline=Timeline(timescale=48000, start=0, durations=[2 * t for t in ticks]),
    )
    for label, each in (("ten seconds", version()), ("two hours", film)):
        began = perf_counter()
        for _ in range(10):
            text = dash.manifest(each, [appliance(name) for name in "abc"])
        took_ms = (perf_counter() - began) * 100
        print(f"dash, {label}: {took_ms:.2f} ms, {len(text)} characters")
        assert took_ms < 100


def test_every_sound_says_its_language_whom_it_is_for_and_its_name() -> None:
    timelines = {
        "mp4a.40.2": Timeline(timescale=48000, start=0, durations=[96256]),
        "opus": Timeline(timescale=48000, start=0, durations=[96960]),
        "ec-3": Timeline(timescale=48000, start=0, durations=[96768]),
    }
    film = msgspec.structs.replace(version(audio=several_sounds()), audio_timelines=timelines)
    read = player_dash.parse(dash.manifest(film, RANKING))
    assert [(each.rung_id, each.offered.name, each.role) for each in read.audio] == [
        (
            each.track_id,
            "en:description" if each.role == "description" else each.language,
            each.role,
        )
        for each in film.audio
    ]
    text = dash.manifest(film, RANKING)
    assert text.count("<Label>English (audio description)</Label>") == 2
    assert text.count('<Role schemeIdUri="urn:mpeg:dash:role:2011" value="main"/>') == 4
    assert text.count('value="dub"') == 2
    assert text.count('schemeIdUri="urn:tva:metadata:cs:AudioPurposeCS:2007" value="1"') == 2
    assert text.count('value="F801"') == 1
    ends = {each.rung_id: each.segments[-1].end_s for each in read.audio}
    assert ends["a-en.eac3"] - ends["a-en"] == pytest.approx((96768 - 96256) / 48000)


def test_a_steered_play_says_where_to_ask_and_leaves_the_order_to_its_places() -> None:
    url = "https://watch.test/api/v1/steering?play=eyJ9.c2ln"
    text = dash.manifest(version(), RANKING, steering_url=url)
    mpd = fromstring(text)
    names = [child.tag.rpartition("}")[2] for child in mpd]
    assert names == ["BaseURL"] * len(RANKING) + ["ContentSteering", "Period"]
    steering = mpd.find("ContentSteering", NS)
    assert steering is not None
    assert (steering.text, steering.attrib) == (url, {"queryBeforeStart": "false"})
    places = [each.get("serviceLocation") for each in mpd.findall("BaseURL", NS)]
    assert places == [each.appliance_id for each in RANKING]
    bare = re.sub("<ContentSteering.*</ContentSteering>", "", text)
    assert bare == dash.manifest(version(), RANKING)
