"""TTML comes in as studios write it, and no document of a stranger does more than fail."""

import resource
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ttconv import model as ttconv_model
from ttconv.imsc import reader as ttconv_reader

from cuemark.contexts.encoding.model.captions.cues import (
    MAX_BYTES,
    CaptionsInvalid,
    Cue,
    clean,
    plain,
)
from cuemark.contexts.encoding.model.captions.imsc import PROFILE, imsc
from cuemark.contexts.encoding.model.captions.reading import read
from cuemark.contexts.encoding.model.captions.webvtt import parse, webvtt

BOUND_S = 40.0
BOUND_BYTES = 512 << 20


def document(body: str, head: str = "", root: str = "") -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<tt xmlns="http://www.w3.org/ns/ttml" '
        'xmlns:tts="http://www.w3.org/ns/ttml#styling" '
        'xmlns:ttp="http://www.w3.org/ns/ttml#parameter" xml:lang="de" '
        f"{root}><head>{head}</head><body><div>{body}</div></body></tt>"
    ).encode()


def cues_of(body: str, head: str = "", root: str = "") -> list[Cue]:
    return read(document(body, head, root)).cues


def times_of(attributes: str, root: str = "") -> tuple[int, int]:
    (cue,) = cues_of(f"<p {attributes}>x</p>", root=root)
    return cue.start_ms, cue.end_ms


@pytest.mark.parametrize(
    ("attributes", "root", "expected"),
    [
        ('begin="00:00:01.500" end="00:00:02"', "", (1500, 2000)),
        ('begin="1.5s" dur="500ms"', "", (1500, 2000)),
        ('begin="0.5m" end="0.01h"', "", (30_000, 36_000)),
        ('begin="90000t" end="180000t"', 'ttp:tickRate="90000"', (1000, 2000)),
        ('begin="00:00:01:12" end="50f"', 'ttp:frameRate="25"', (1480, 2000)),
        (
            'begin="24f" end="48f"',
            'ttp:frameRate="24" ttp:frameRateMultiplier="1000 1001"',
            (1001, 2002),
        ),
        (
            'begin="00:00:24:00" end="00:00:25:12"',
            'ttp:timeBase="smpte" ttp:frameRate="24" ttp:frameRateMultiplier="1000:1001"',
            (24_024, 25_526),
        ),
        (
            'begin="00:10:00:00" end="01:00:00:00"',
            'ttp:timeBase="smpte" ttp:frameRate="30" ttp:frameRateMultiplier="1000 1001" '
            'ttp:dropMode="dropNTSC"',
            (599_999, 3_599_996),
        ),
        ('begin="1s" end="9s" dur="2s"', "", (1000, 3000)),
    ],
)
def test_every_way_to_write_a_time_is_read(
    attributes: str, root: str, expected: tuple[int, int]
) -> None:
    assert times_of(attributes, root) == expected


def test_times_count_from_those_around_them_and_end_with_them() -> None:
    body = (
        '<div begin="10s" end="20s"><p begin="1s" end="3s">a</p><p begin="5s" end="1h">b</p></div>'
        '<div timeContainer="seq" begin="30s"><p dur="2s">c</p><p begin="1s" dur="2s">d</p></div>'
    )
    found = [(cue.start_ms, cue.end_ms, *cue.lines) for cue in cues_of(body)]
    assert found == [
        (11_000, 13_000, "a"),
        (15_000, 20_000, "b"),
        (30_000, 32_000, "c"),
        (33_000, 35_000, "d"),
    ]


def test_a_paragraph_whose_words_come_one_by_one_is_a_caption_for_each_state() -> None:
    body = (
        '<p begin="1s" end="4s">one<span begin="1s"> two</span><span begin="2s"> three</span></p>'
    )
    assert [(cue.start_ms, cue.lines) for cue in cues_of(body)] == [
        (1000, ["one"]),
        (2000, ["one two"]),
        (3000, ["one two three"]),
    ]


def test_styles_become_slant_weight_and_underline() -> None:
    head = (
        '<styling><style xml:id="base" tts:fontStyle="italic"/>'
        '<style xml:id="loud" style="base" tts:fontWeight="bold"/></styling>'
    )
    body = (
        '<p begin="1s" end="2s">a <span style="loud">b &amp; &lt;c&gt;</span><br/>'
        '<span tts:textDecoration="underline">d</span><span tts:display="none">no</span></p>'
    )
    (cue,) = cues_of(body, head)
    assert cue.lines == ["a <b><i>b &amp; &lt;c&gt;</i></b>", "<u>d</u>"]


def test_styles_that_refer_to_one_another_in_a_circle_end() -> None:
    head = '<styling><style xml:id="a" style="b"/><style xml:id="b" style="a"/></styling>'
    assert cues_of('<p style="a" begin="1s" end="2s">x</p>', head)[0].lines == ["x"]


@pytest.mark.parametrize(
    ("region", "settings_of_the_cue"),
    [
        ('tts:displayAlign="after" tts:origin="10% 10%" tts:extent="80% 80%"', ""),
        ('tts:displayAlign="before" tts:origin="10% 5%" tts:extent="80% 20%"', "line:5%"),
        ('tts:displayAlign="center" tts:origin="0% 20%" tts:extent="100% 60%"', "line:50%,center"),
        ('tts:displayAlign="after" tts:origin="0% 0%" tts:extent="100% 30%"', "line:30%,end"),
        ('tts:displayAlign="before" tts:origin="0c 3c" tts:extent="32c 3c"', "line:20%"),
        ('tts:displayAlign="before" tts:origin="0px 72px" tts:extent="1280px 72px"', "line:10%"),
        ('tts:writingMode="tbrl"', "vertical:rl"),
        (
            'tts:displayAlign="after" tts:origin="20% 80%" tts:extent="60% 15%" '
            'tts:textAlign="left"',
            "position:20% align:left",
        ),
        ('tts:displayAlign="sideways" tts:origin="x y"', ""),
    ],
)
def test_regions_become_places(region: str, settings_of_the_cue: str) -> None:
    head = f'<layout><region xml:id="r" {region}/></layout>'
    (cue,) = cues_of('<p region="r" begin="1s" end="2s">x</p>', head, 'tts:extent="1280px 720px"')
    assert cue.settings == settings_of_the_cue


def test_space_is_one_space_unless_it_is_to_be_kept() -> None:
    (cue,) = cues_of('<p begin="1s" end="2s">\n  a\n   b  <br/>\n c</p>')
    assert cue.lines == ["a b", "c"]
    (cue,) = cues_of('<p xml:space="preserve" begin="1s" end="2s">a   b\nc</p>')
    assert cue.lines == ["a   b", "c"]


def test_older_editions_and_utf_16_are_read() -> None:
    older = document('<p begin="1s" end="2s">é</p>').decode()
    older = older.replace("http://www.w3.org/ns/ttml", "http://www.w3.org/2006/10/ttaf1")
    assert read(older.encode()).cues[0].lines == ["é"]
    assert read(older.replace("UTF-8", "UTF-16").encode("utf-16")).cues[0].lines == ["é"]
    latin = older.replace("UTF-8", "ISO-8859-1").encode("latin-1")
    assert read(latin).cues[0].lines == ["é"]


def test_a_paragraph_without_a_time_is_left_out_and_counted() -> None:
    captions = read(document('<p begin="1s" end="2s">x</p><p begin="soon" end="9s">y</p><p>z</p>'))
    assert [cue.lines for cue in captions.cues] == [["x"]]
    assert captions.dropped == 2
    assert captions.language == "de"


_P = '<p begin="1s" end="2s">x</p>'
HOSTILE = {
    "an entity bomb": (
        b'<!DOCTYPE tt [<!ENTITY a "aaaaaaaaaa">'
        + b"".join(b'<!ENTITY %c "%s">' % (c, b"&%c;" % (c - 1) * 10) for c in b"bcdefghij")
        + b"]><tt>&j;</tt>",
        "document type or entities",
    ),
    "an external entity": (
        b'<?xml version="1.0"?><!DOCTYPE tt [<!ENTITY x SYSTEM "file:///etc/passwd">]><tt>&x;</tt>',
        "document type or entities",
    ),
    "a DTD elsewhere": (b'<!DOCTYPE tt SYSTEM "http://127.0.0.1/x.dtd"><tt/>', "document type"),
    "deep nesting": (document("<div>" * 100_000 + "</div>" * 100_000), "more than 64 deep"),
    "many elements": (document("<p/>" * 500_000), "more than 400000 elements"),
    "many captions": (document(_P * 100_001), "more than 100000 captions"),
    "one long line": (b"<tt>" + b"x" * (100 << 20), "more than 8388608 bytes"),
    "one caption of all": (document(f'<p begin="1s" end="2s">{"x" * 8_000_000}</p>'), "characters"),
    "words without end": (
        document(f'<p begin="1s" end="2s">{"<span>x</span>" * 300_000}</p>'),
        "pieces",
    ),
    "changes without end": (
        document(
            '<p begin="0s" end="900s">'
            + "".join(f'<span begin="{n}s">x</span>' for n in range(200))
            + "</p>"
        ),
        "changes more than 64 times",
    ),
    "not well-formed": (document("<p begin='1s'>"), "breaks at line 2"),
    "another encoding than it says": (document("<p>é</p>").decode().encode("latin-1"), "breaks at"),
    "an encoding of no one": (b'<?xml version="1.0" encoding="x-none"?><tt/>', "XML"),
    "a web page": (b"<html><body>hi</body></html>", "not TTML"),
    "a picture": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "not TTML"),
    "another edition": (b'<tt xmlns="urn:later"/>', "edition of TTML that is not read"),
    "no captions": (document(""), "no caption with a time"),
    "pictures of text": (
        document('<p><image src="a.png" xmlns="http://www.w3.org/ns/ttml"/></p>'),
        "captions are pictures",
    ),
    "no frames a second": (
        document('<p begin="1f" end="2f">x</p>', root='ttp:frameRate="0"'),
        "frameRate is '0'",
    ),
    "no rate at all": (
        document(_P, root='ttp:frameRateMultiplier="1 zwei"'),
        "frameRateMultiplier is 'zwei'",
    ),
    "the clock on the wall": (document(_P, root='ttp:timeBase="clock"'), "clock time base"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_is_refused_in_one_sentence_and_soon(name: str) -> None:
    data, says = HOSTILE[name]
    began_s = time.process_time()
    with pytest.raises(CaptionsInvalid, match=says) as refused:
        read(data)
    assert time.process_time() - began_s < BOUND_S
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 200


def test_the_longest_document_takes_bounded_time_and_memory() -> None:
    head = '<layout><region xml:id="r" tts:origin="10% 10%"/></layout>'
    unit = '<p begin="1s" end="2s" style="a b c" region="r">x<span tts:color="red">y</span></p>'
    data = document(unit * 95_000, head)
    assert MAX_BYTES * 0.9 < len(data) < MAX_BYTES
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began_s = time.process_time()
    assert len(read(data).cues) > 90_000
    assert time.process_time() - began_s < BOUND_S
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
    assert grown < BOUND_BYTES


EBU_TT_D = b"""<?xml version="1.0" encoding="UTF-8"?>
<tt:tt xmlns:tt="http://www.w3.org/ns/ttml" xmlns:tts="http://www.w3.org/ns/ttml#styling"
  xmlns:ttp="http://www.w3.org/ns/ttml#parameter" xmlns:ebuttm="urn:ebu:tt:metadata"
  ttp:timeBase="media" ttp:cellResolution="32 15" xml:lang="en">
  <tt:head>
    <tt:metadata><ebuttm:documentMetadata/></tt:metadata>
    <tt:styling>
      <tt:style xml:id="center" tts:textAlign="center" tts:fontStyle="italic"/>
      <tt:style xml:id="said" tts:backgroundColor="#000000c2" tts:fontStyle="normal"/>
    </tt:styling>
    <tt:layout>
      <tt:region xml:id="low" tts:origin="10% 10%" tts:extent="80% 80%" tts:displayAlign="after"/>
      <tt:region xml:id="high" tts:origin="10% 5%" tts:extent="80% 40%" tts:displayAlign="before"/>
    </tt:layout>
  </tt:head>
  <tt:body><tt:div style="center">
    <tt:p xml:id="s1" region="low" begin="00:00:01.000" end="00:00:02.500">
      <tt:span style="said">Who is it?</tt:span><tt:br/>
      <tt:span>(a door)</tt:span>
    </tt:p>
    <tt:p xml:id="s2" region="high" begin="00:00:03.000" end="00:00:04.000">
      <tt:span style="said">Nobody.</tt:span>
    </tt:p>
  </tt:div></tt:body>
</tt:tt>
"""


def test_a_broadcaster_s_document_is_read_as_it_is_meant() -> None:
    assert read(EBU_TT_D).cues == [
        Cue(1000, 2500, "", ["Who is it?", "<i>(a door)</i>"]),
        Cue(3000, 4000, "line:5%", ["Nobody."]),
    ]


words = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=20
)
marked = st.tuples(st.sampled_from(["", "b", "i", "u"]), words).map(
    lambda each: f"<{each[0]}>{each[1]}</{each[0]}>" if each[0] else each[1]
)
lines = (
    st.lists(marked, min_size=1, max_size=3)
    .map("".join)
    .map(clean)
    .filter(lambda line: plain(line).strip() != "")
)
places = st.sampled_from(["", "line:5%", "line:50%,center", "align:start line:0", "vertical:rl"])


@st.composite
def cue_lists(draw: st.DrawFn) -> list[Cue]:
    at, cues = 0, []
    for gap, lasts in draw(
        st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 10_000)), min_size=1, max_size=8)
    ):
        start = at + gap
        at = start + lasts
        said = draw(st.lists(lines, min_size=1, max_size=3))
        cues.append(Cue(start, at, draw(places), said))
    return cues


def shape(cues: Iterable[Cue]) -> list[tuple[int, int, list[str]]]:
    return [
        (cue.start_ms, cue.end_ms, [" ".join(plain(line).split()) for line in cue.lines])
        for cue in cues
    ]


@settings(deadline=None)
@example([Cue(0, 1, "", [clean(f"a&#10;b&#x2028;c &#65;&#{'9' * 5000};")])])
@given(cue_lists())
def test_cues_come_back_from_webvtt_and_from_imsc(cues: list[Cue]) -> None:
    assert shape(parse(webvtt(cues)).cues) == shape(cues)
    back = read(imsc(cues, "de", "subtitles").encode()).cues
    assert [(cue.start_ms, cue.end_ms) for cue in back] == [
        (cue.start_ms, cue.end_ms) for cue in cues
    ]
    assert [said for _, _, said in shape(back)] == [said for _, _, said in shape(cues)]
    assert parse(webvtt(back)).cues == back, "what was read from TTML is not clean WebVTT"


@settings(deadline=None)
@given(cue_lists(), st.sampled_from(["subtitles", "sdh", "forced"]))
def test_another_reader_of_imsc_finds_the_same_times_and_text(cues: list[Cue], role: str) -> None:
    written = imsc(cues, "pt-BR", role)  # type: ignore[arg-type]
    root = ElementTree.fromstring(written)
    assert root.get("{http://www.w3.org/ns/ttml#parameter}contentProfiles") == PROFILE
    document = ttconv_reader.to_model(ElementTree.ElementTree(root))
    assert document.get_lang() == "pt-BR"
    found = []
    for paragraph in document.get_body().dfs_iterator():
        if isinstance(paragraph, ttconv_model.P):
            assert paragraph.get_region() is not None
            text = "".join(
                each.get_text() if isinstance(each, ttconv_model.Text) else "\n"
                for each in paragraph.dfs_iterator()
                if isinstance(each, ttconv_model.Text | ttconv_model.Br)
            )
            begin, end = paragraph.get_begin() or Fraction(0), paragraph.get_end()
            said = [" ".join(line.split()) for line in text.split("\n")]
            found.append((int(begin * 1000), int(end * 1000), said))
    assert found == shape(cues)


def test_a_forced_track_says_so_to_devices_that_show_only_such() -> None:
    cues = [Cue(0, 1000, "", ["x"])]
    assert 'itts:forcedDisplay="true"' in imsc(cues, "en", "forced")
    assert "forcedDisplay" not in imsc(cues, "en", "subtitles")
