"""Counting cues in WebVTT."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.player.captions import count_cues


@pytest.mark.parametrize(
    ("text", "cues"),
    [
        ("WEBVTT\n", 0),
        ("\ufeffWEBVTT - a title\n\n00:01.000 --> 00:02.000\nHi\n", 1),
        ("WEBVTT\r\n\r\n1\r\n00:00:01.000 --> 00:00:02.000 align:start\r\nHi --> there\r\n", 1),
        (
            "WEBVTT\n\nNOTE a --> b\n\n00:01.000 --> 00:02.000\nA\n\n00:03.000 --> 00:04.000\nB",
            2,
        ),
        ("<html>", None),
        ("WEBVTTX", None),
        ("", None),
    ],
)
def test_cues_are_counted(text: str, cues: int | None) -> None:
    assert count_cues(text) == cues


@given(st.text(max_size=300))
def test_any_text_gives_a_count_or_none(text: str) -> None:
    assert (count_cues("WEBVTT\n" + text) or 0) >= 0
    count_cues(text)
