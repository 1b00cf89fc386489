"""Captions come in as people write them and go out as clean WebVTT."""

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.captions import webvtt as rules
from cuemark.contexts.encoding.model.captions.cues import MAX_BYTES, CaptionsInvalid, Cue
from cuemark.contexts.encoding.model.captions.reading import read
from cuemark.contexts.encoding.model.captions.webvtt import webvtt

SRT = """1
00:00:01,000 --> 00:00:02,500
<font color="red">Hello</font> <i>you</i>

2
00:00:03,000 --> 00:00:04,000
{\\an8}Two lines,
one cue
"""
TIMING = "00:00:01.000 --> 00:00:02.000\n"


def parse(text: str) -> list[Cue]:
    return rules.parse(text).cues


def said(line: str) -> list[str]:
    (cue,) = parse(TIMING + line)
    return cue.lines


def test_subrip_becomes_cues() -> None:
    assert parse(SRT) == [
        Cue(1000, 2500, "", ["Hello <i>you</i>"]),
        Cue(3000, 4000, "", ["Two lines,", "one cue"]),
    ]


def test_webvtt_keeps_its_settings_and_loses_notes_styles_and_foreign_settings() -> None:
    text = (
        "WEBVTT - a title\n\nNOTE nothing\n\nSTYLE\n::cue { color: red }\n\n"
        "intro\n01:02.003 --> 01:04.000 align:start onclick:x() line:80%\nHello\n"
    )
    assert parse(text) == [Cue(62_003, 64_000, "align:start line:80%", ["Hello"])]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_line_ending_is_read(ending: str) -> None:
    assert parse(SRT.replace("\n", ending)) == parse(SRT)


def test_cues_come_in_order_of_time() -> None:
    text = "00:09.000 --> 00:10.000\nlater\n\n00:01.000 --> 00:02.000\nfirst\n"
    assert [cue.lines for cue in parse(text)] == [["first"], ["later"]]


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "WEBVTT\n",
        "no captions here",
        "\x00\x01\x02",
        "00:00:02.000 --> 00:00:01.000\nends before it begins",
        "00:00:01.000 --> 00:00:02.000\n",
        "9999:00:00.000 --> 9999:00:01.000\nafter a year",
    ],
)
def test_what_holds_no_caption_is_refused(garbage: str) -> None:
    with pytest.raises(CaptionsInvalid):
        parse(garbage)


def test_a_file_that_is_too_long_is_refused() -> None:
    with pytest.raises(CaptionsInvalid, match="more than"):
        read(b"x" * (MAX_BYTES + 1))


def test_a_caption_longer_than_any_screen_is_refused() -> None:
    for text in ("x" * 10_001, "x\n" * 5_001):
        with pytest.raises(CaptionsInvalid, match="more than 10000 characters"):
            parse(TIMING + text)


def test_more_cues_than_a_film_can_have_are_refused() -> None:
    with pytest.raises(CaptionsInvalid, match="more than"):
        parse("0:01.0 --> 0:02.0\nx\n\n" * 100_001)


def test_markup_that_is_no_caption_tag_is_text() -> None:
    assert said('<script>alert("x")</script>') == ['&lt;script&gt;alert("x")&lt;/script&gt;']
    assert said("<img src=x onerror=y>") == ["&lt;img src=x onerror=y&gt;"]
    assert said("<v Anna>Tom & Jerry &amp; <b>you</b>") == [
        "<v Anna>Tom &amp; Jerry &amp; <b>you</b>"
    ]


def test_text_can_begin_no_cue_of_its_own() -> None:
    cues = parse(TIMING + "00:00:05.000 --> 00:00:06.000\nx")
    assert cues == [Cue(1000, 2000, "", ["00:00:05.000 --&gt; 00:00:06.000", "x"])]


@pytest.mark.parametrize("part", ["<font", "{\\", "<v ", "&#1", "-->", "<b>", "\t", "\n \t"])
def test_a_hostile_file_takes_no_more_time_than_its_length(part: str) -> None:
    def cpu_s(times: int) -> float:
        began_s = time.process_time()
        with suppress(CaptionsInvalid):
            parse(TIMING + "x " + part * times + "x")
        return time.process_time() - began_s

    assert cpu_s(100_000) < 2.0
    assert cpu_s(1_500) < 0.5


@pytest.mark.parametrize("name", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_every_usual_encoding_is_read(name: str) -> None:
    captions = read(f"{TIMING}Größe – café\n".encode(name))
    assert captions.cues[0].lines == ["Größe – café"]
    assert captions.guessed_encoding is (name == "cp1252")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"PK\x03\x04" + bytes(100), "a zip archive: unpack it"),
        (b"\x1f\x8b\x08" + bytes(100), "packed by gzip: unpack it"),
        (b"BZh9", "bzip2"),
        (bytes(5000), "binary, or UTF-16 without its mark: save the captions as UTF-8"),
        (SRT.encode("utf-16-le"), "UTF-16 without its mark"),
    ],
)
def test_what_is_packed_or_binary_is_refused_with_what_to_do(data: bytes, says: str) -> None:
    with pytest.raises(CaptionsInvalid, match=says):
        read(data)


def test_what_stood_for_a_caption_and_is_none_is_counted() -> None:
    text = f"{TIMING}x\n\n00:00:02.000 --> 00:00:01.000\nback\n\n00:05.000 --> 00:06.000\n"
    assert rules.parse(text).dropped == 2


def test_a_broken_utf16_file_is_refused() -> None:
    with pytest.raises(CaptionsInvalid, match="UTF-16"):
        read(b"\xff\xfe\x00")


PIECES = [*"abi <>/&;{}\\-.:#1x\t\u2028\x0b\x85é", "font", "&amp;", "<b>", "{\\", "-->"]
lines = st.lists(st.sampled_from(PIECES), max_size=30).map("".join) | st.text(max_size=30)
stamps = st.from_regex(r"([0-9]{1,4}:)?[0-9]{2}:[0-9]{2}[.,][0-9]{1,3}", fullmatch=True)


@st.composite
def files(draw: st.DrawFn) -> str:
    blocks = draw(
        st.lists(st.tuples(stamps, stamps, lines, st.lists(lines, min_size=1)), min_size=1)
    )
    return "\n\n".join(
        f"{start} --> {end} {settings}\n" + "\n".join(text) for start, end, settings, text in blocks
    )


@given(files())
def test_written_captions_read_back_the_same(text: str) -> None:
    try:
        cues = parse(text)
    except CaptionsInvalid:
        return
    assert parse(webvtt(cues)) == cues
    assert webvtt(parse(webvtt(cues))) == webvtt(cues)


@given(lines)
def test_a_cue_of_any_text_reads_back_the_same(line: str) -> None:
    try:
        cues = parse(TIMING + line)
    except CaptionsInvalid:
        return
    assert parse(webvtt(cues)) == cues
    assert webvtt(cues).count("-->") == len(cues)


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        cues = read(data).cues
    except CaptionsInvalid:
        return
    assert all(0 <= cue.start_ms < cue.end_ms and cue.lines for cue in cues)
