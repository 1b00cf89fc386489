"""DASH and HLS of our plays are read alike, and hostile ones end in one sentence."""

from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cuemark.player import dash, hls
from cuemark.player.errors import ManifestInvalid
from cuemark.player.manifest import MAX_SEGMENTS, Location, Manifest, Segment

KID = "00112233-4455-6677-8899-aabbccddeeff"
BASES = {"appliance-1": "http://10.0.0.1:8081/t/tok/ver_1/", "appliance-2": "http://10.0.0.2/t/x/"}

MPD = f"""<?xml version="1.0" encoding="UTF-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" xmlns:cenc="urn:mpeg:cenc:2013" type="static"
 mediaPresentationDuration="PT10.01S" minBufferTime="PT4S">
<BaseURL serviceLocation="appliance-1">{BASES["appliance-1"]}</BaseURL>
<BaseURL serviceLocation="appliance-2">{BASES["appliance-2"]}</BaseURL>
<Period id="0" start="PT0S">
<AdaptationSet id="1" contentType="video" mimeType="video/mp4">
<ContentProtection schemeIdUri="urn:mpeg:dash:mp4protection:2011" value="cbcs"
 cenc:default_KID="{KID}"/>
<ContentProtection schemeIdUri="urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e"
 value="ClearKey1.0"/>
<SegmentTemplate timescale="24000" initialization="$RepresentationID$/init.mp4"
 media="$RepresentationID$/$Number$.m4s" startNumber="1" presentationTimeOffset="2002">
<SegmentTimeline><S t="2002" d="96096" r="1"/><S d="48048"/></SegmentTimeline></SegmentTemplate>
<Representation id="v720" bandwidth="2000000" codecs="avc1.64001f" width="1280" height="720"/>
<Representation id="v360" bandwidth="500000" codecs="avc1.64001e" width="640" height="360"/>
</AdaptationSet>
<AdaptationSet id="2" contentType="audio" mimeType="audio/mp4" lang="en">
<SegmentTemplate timescale="48000" initialization="$RepresentationID$/init.mp4"
 media="$RepresentationID$/$Number%03d$.m4s" startNumber="7">
<SegmentTimeline><S t="0" d="240000" r="-1"/></SegmentTimeline></SegmentTemplate>
<Representation id="a_en" bandwidth="128000" codecs="mp4a.40.2"/>
</AdaptationSet>
<AdaptationSet id="3" contentType="text" mimeType="text/vtt" lang="de">
<Representation id="de" bandwidth="1000"><BaseURL>de.vtt</BaseURL></Representation>
</AdaptationSet>
</Period></MPD>"""

MASTER = (
    "#EXTM3U\n#EXT-X-VERSION:8\n"
    + ('#EXT-X-DEFINE:NAME="key_base",VALUE="http://api.example/api/v1/plays/p/keys"\n')
    + "".join(
        f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio-{name}",NAME="en",LANGUAGE="en",DEFAULT=YES,'
        f'URI="{url}a_en.m3u8"\n'
        f'#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="captions-{name}",NAME="de",LANGUAGE="de",'
        f'URI="{url}de.m3u8"\n'
        for name, url in BASES.items()
    )
    + "".join(
        f'#EXT-X-STREAM-INF:BANDWIDTH={bandwidth},RESOLUTION={size},CODECS="avc1.64001f,mp4a.40.2",'
        f'AUDIO="audio-{name}",CLOSED-CAPTIONS=NONE\n{url}{rung}.m3u8\n'
        for name, url in BASES.items()
        for rung, bandwidth, size in (("v360", 628000, "640x360"), ("v720", 2128000, "1280x720"))
    )
)


def media(name: str) -> str:
    return f"""#EXTM3U
#EXT-X-VERSION:8
#EXT-X-TARGETDURATION:4
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-DEFINE:IMPORT="key_base"
#EXT-X-MAP:URI="{name}/init.mp4"
#EXT-X-KEY:METHOD=SAMPLE-AES,URI="{{$key_base}}/00ff",KEYFORMAT="identity",IV=0x0011
#EXTINF:4.004000,
{name}/1.m4s
#EXTINF:4.004000,
{name}/2.m4s
#EXTINF:2.002000,
{name}/3.m4s
#EXT-X-ENDLIST
"""


MEDIA = media("v360")


def from_hls(master: str, of: Callable[[str], str] = media) -> Manifest:
    multivariant = hls.parse_multivariant(master)
    playlists = {
        path: hls.parse_media(of(path.removesuffix(".m3u8")), multivariant.variables)
        for path in multivariant.paths
    }
    return hls.assemble(multivariant, playlists)


def test_our_dash_is_read() -> None:
    manifest = dash.parse(MPD)
    assert manifest.duration_s == pytest.approx(10.01)
    assert [each.appliance_id for each in manifest.locations] == ["appliance-1", "appliance-2"]
    low, high = manifest.video
    assert (low.rung_id, low.bandwidth_kbps, low.width, low.height) == ("v360", 500, 640, 360)
    assert high.first.kid == KID.replace("-", "")
    assert high.first.init_path == "v720/init.mp4"
    assert high.segments[0] == Segment("v720/1.m4s", 0.0, 4.004)
    assert high.segments[2].path == "v720/3.m4s"
    assert high.segments[2].end_s == pytest.approx(10.01)
    (audio,) = manifest.audio
    assert [each.path for each in audio.segments] == [f"a_en/00{n}.m4s" for n in (7, 8, 9)]
    assert (audio.first.kid, audio.language) == ("", "en")
    assert [(each.language, each.path) for each in manifest.captions] == [("de", "de.vtt")]


def test_our_hls_is_read_as_the_same_film() -> None:
    manifest = from_hls(MASTER)
    assert [each.base_url for each in manifest.locations] == list(BASES.values())
    assert [rung.rung_id for rung in manifest.video] == ["v360", "v720"]
    assert manifest.video[1].height == 720
    assert manifest.video[1].first.key_url == "http://api.example/api/v1/plays/p/keys/00ff"
    expected = dash.parse(MPD).video[1]
    assert [each.path for each in manifest.video[1].segments] == [
        each.path for each in expected.segments
    ]
    assert [each.start_s for each in manifest.video[1].segments] == pytest.approx(
        [each.start_s for each in expected.segments]
    )
    assert [rung.rung_id for rung in manifest.audio] == ["a_en"]
    assert [(each.language, each.path) for each in manifest.captions] == [("de", "de.m3u8")]


def test_hls_names_each_appliance_by_its_address() -> None:
    assert from_hls(MASTER).locations[0] == Location("10.0.0.1:8081", BASES["appliance-1"])


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE MPD [<!ENTITY a "xxxxxxxxxx">'
    + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]><MPD>&i;</MPD>"
)
OUTSIDE = (
    '<?xml version="1.0"?><!DOCTYPE MPD [<!ENTITY x SYSTEM "file:///etc/passwd">]><MPD>&x;</MPD>'
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html></html>",
        "not xml",
        BOMB,
        OUTSIDE,
        "<a>" * 50_000,
        MPD.replace('type="static"', 'type="dynamic"'),
        MPD.replace("PT10.01S", "PT1e9S"),
        MPD.replace("PT10.01S", "PT99999999S"),
        MPD.replace(' mediaPresentationDuration="PT10.01S"', ""),
        MPD.replace('r="1"', f'r="{MAX_SEGMENTS}"'),
        MPD.replace('r="1"', 'r="99999999999999"'),
        MPD.replace('r="1"', 'r="-5"'),
        MPD.replace('d="240000"', 'd="1"'),
        MPD.replace('d="48048"', 'd="0"'),
        MPD.replace('t="2002" d="96096"', 't="999999999999999" d="96096"'),
        MPD.replace('<S d="48048"/>', '<S t="500000" d="48048"/>'),
        MPD.replace('timescale="24000"', 'timescale="0"'),
        MPD.replace("$RepresentationID$/$Number$", "../$Number$"),
        MPD.replace("$RepresentationID$/$Number$", "%2e%2e/$Number$"),
        MPD.replace("$RepresentationID$/$Number$", "/$Number$"),
        MPD.replace("$RepresentationID$/$Number$", "http://evil.example/$Number$"),
        MPD.replace("$RepresentationID$/$Number$", "//evil.example/$Number$"),
        MPD.replace("$RepresentationID$/$Number$", "//[/$Number$"),
        MPD.replace("$RepresentationID$/$Number$", "$Number$" * 5000),
        MPD.replace("$Number$", "$Bandwidth%99d$" * 2000),
        MPD.replace("http://10.0.0.2/", "file:///"),
        MPD.replace("http://10.0.0.2/", "http://user:secret@10.0.0.2/"),
        MPD.replace("http://10.0.0.2/", "http://10.0.0.2:99999/"),
        MPD.replace("http://10.0.0.2/t/x/", "http://10.0.0.2/t/x"),
        MPD.replace('serviceLocation="appliance-2"', ""),
        MPD.replace('serviceLocation="appliance-2"', 'serviceLocation="&#133;[31m"'),
        MPD.replace(KID, "not-a-kid"),
        MPD.replace('bandwidth="500000"', 'bandwidth="0"'),
        MPD.replace('bandwidth="500000"', 'bandwidth="-1"'),
        MPD.replace("<BaseURL>de.vtt", "<BaseURL>../de.vtt"),
        MPD.replace("</Period>", "</Period><Period/>"),
        MPD.replace('contentType="video" mimeType="video/mp4"', 'contentType="image"'),
    ],
)
def test_a_dash_manifest_that_cannot_be_played_ends_in_one_sentence(text: str) -> None:
    with pytest.raises(ManifestInvalid) as error:
        dash.parse(text)
    assert is_sentence(str(error.value))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "#EXTM3U",
        MEDIA,
        MASTER.replace("#EXTM3U", "#EXTM3X"),
        MASTER.replace(BASES["appliance-1"], ""),
        MASTER.replace(BASES["appliance-1"], "ftp://x/"),
        MASTER.replace("v720.m3u8", "v720.m3u8?x=1"),
        MASTER.replace('URI="http://10.0.0.1:8081', 'URI="http://evil.example'),
        MASTER.replace("BANDWIDTH=628000,", ""),
        MASTER.replace("BANDWIDTH=628000", "BANDWIDTH=9e9"),
        MASTER.replace("BANDWIDTH=628000", 'BANDWIDTH="'),
        MASTER.replace("http://10.0.0.1:8081", "{$nobody}"),
        MASTER.replace('NAME="key_base",', ""),
        MASTER + "http://10.0.0.1/lonely.m3u8\n",
        MASTER + MASTER.replace("#EXTM3U\n", "") * 1000,
    ],
)
def test_a_multivariant_playlist_that_cannot_be_played_ends_in_one_sentence(text: str) -> None:
    with pytest.raises(ManifestInvalid) as error:
        from_hls(text)
    assert is_sentence(str(error.value))


@pytest.mark.parametrize(
    "text",
    [
        "",
        MASTER,
        MEDIA.replace("#EXT-X-ENDLIST", ""),
        MEDIA.replace("4.004000", "1e3"),
        MEDIA.replace("4.004000", "999999999"),
        MEDIA.replace("#EXTINF:2.002000,\n", ""),
        MEDIA.replace("v360/3.m4s", "../3.m4s"),
        MEDIA.replace("v360/3.m4s", "http://evil.example/3.m4s"),
        MEDIA.replace("SAMPLE-AES,", "AES-128,"),
        MEDIA.replace('IMPORT="key_base"', 'IMPORT="nobody"'),
        MEDIA.replace("{$key_base}", "{$nobody}"),
        MEDIA.replace('URI="{$key_base}/00ff",', ""),
        MEDIA.replace("#EXTINF:2.002", '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="/x"\n#EXTINF:2.002'),
        MEDIA.replace("#EXTINF:2.002", "#EXT-X-BYTERANGE:1@0\n#EXTINF:2.002"),
        MEDIA.replace("#EXTINF:2.002", '#EXT-X-MAP:URI="b/init.mp4"\n#EXTINF:2.002'),
        MEDIA.replace("#EXT-X-MAP", "#EXT-X-NOTHING"),
        MEDIA.replace("#EXT-X-ENDLIST", "#EXTINF:1,\nx.m4s\n" * (MAX_SEGMENTS + 1)),
        MEDIA.replace("v360/3.m4s", "{$v}" * 40).replace(
            "#EXT-X-MAP", f'#EXT-X-DEFINE:NAME="v",VALUE="{"x" * 1000}"\n#EXT-X-MAP'
        ),
    ],
)
def test_a_media_playlist_that_cannot_be_played_ends_in_one_sentence(text: str) -> None:
    with pytest.raises(ManifestInvalid) as error:
        from_hls(MASTER, lambda _: text)
    assert is_sentence(str(error.value))


def test_renditions_that_are_cut_apart_are_refused() -> None:
    other = media("v720").replace("#EXTINF:2.002000,\nv720/3.m4s\n", "")
    with pytest.raises(ManifestInvalid, match="not cut at the same times"):
        from_hls(MASTER, lambda name: other if name == "v720" else media(name))


@st.composite
def damaged(draw: st.DrawFn, text: str) -> str:
    """``text`` with a few runs of characters cut, doubled or replaced."""
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        upto = min(len(text), at + draw(st.integers(0, 12)))
        piece = draw(
            st.sampled_from(
                ["", '"', "<", "&", "/>", "-1", "9" * 20, "{$key_base}", "\n", "\0", ".."]
            )
            | st.text(max_size=6)
        )
        text = text[:at] + piece + text[upto:]
    return text


@given(damaged(MPD))
@example(MPD)
@settings(max_examples=300)
def test_damaged_dash_is_read_or_refused(text: str) -> None:
    assert is_safe(lambda: dash.parse(text))


@given(damaged(MASTER), damaged(MEDIA))
@example(MASTER, MEDIA)
@settings(max_examples=300)
def test_damaged_hls_is_read_or_refused(master: str, playlist: str) -> None:
    assert is_safe(lambda: from_hls(master, lambda _: playlist))


@given(st.text(max_size=400))
def test_any_text_is_refused(text: str) -> None:
    for parse in (dash.parse, hls.parse_multivariant):
        with pytest.raises(ManifestInvalid):
            parse(text)
    with pytest.raises(ManifestInvalid):
        hls.parse_media(text, {})


def is_safe(parse: Callable[[], Manifest]) -> bool:
    try:
        manifest = parse()
    except ManifestInvalid as error:
        return is_sentence(str(error))
    return stays_at_home(manifest)


def is_sentence(text: str) -> bool:
    return text.isprintable() and 10 < len(text) < 250


def stays_at_home(manifest: Manifest) -> bool:
    paths = [
        path
        for rung in (*manifest.video, *manifest.audio)
        for path in (rung.first.init_path, *(segment.path for segment in rung.segments))
    ]
    return (
        all(".." not in path.split("/") and not path.startswith("/") for path in paths)
        and all(each.base_url.startswith(("http://", "https://")) for each in manifest.locations)
        and 0 < manifest.duration_s < 1e6
    )
