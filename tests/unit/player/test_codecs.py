"""Which codec a play is made in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.player.codecs import chosen, family_of
from cuemark.player.errors import CodecUnknown


@pytest.mark.parametrize(
    ("codecs", "family"),
    [
        ("avc1.64001f", "h264"),
        ("mp4a.40.2, hvc1.1.6.L93.90", "hevc"),
        ("av01.0.05M.08,mp4a.40.2", "av1"),
        ("mp4a.40.2", ""),
        ("", ""),
    ],
)
def test_the_family_is_that_of_the_video(codecs: str, family: str) -> None:
    assert family_of(codecs) == family


def test_the_newest_is_played_where_nothing_is_asked_for() -> None:
    assert chosen(["h264", "av1", "hevc"], "") == "av1"
    assert chosen(["h264", "hevc"], "") == "hevc"
    assert chosen([""], "") == ""


def test_what_is_asked_for_is_played_or_refused_with_what_there_is() -> None:
    assert chosen(["h264", "av1"], "h264") == "h264"
    with pytest.raises(CodecUnknown, match="'hevc': it has av1, h264"):
        chosen(["h264", "av1"], "hevc")
    with pytest.raises(CodecUnknown, match="none that it names"):
        chosen([""], "av1")


@given(st.text())
def test_any_text_has_a_family_or_none(text: str) -> None:
    assert family_of(text) in ("", "h264", "hevc", "av1")
