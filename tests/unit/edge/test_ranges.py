"""Byte ranges as RFC 9110, section 14, has them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.edge.ranges import Span, Unsatisfiable, requested


@pytest.mark.parametrize(
    ("header", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=0-1000", 0, 100),
        ("bytes=50-", 50, 100),
        ("bytes=-10", 90, 100),
        ("bytes=-1000", 0, 100),
        ("BYTES=99-99", 99, 100),
    ],
)
def test_a_range_of_a_hundred_bytes(header: str, start: int, stop: int) -> None:
    assert requested(header, 100) == Span(start, stop, 100)


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_beyond_the_file_cannot_be_had(header: str) -> None:
    with pytest.raises(Unsatisfiable, match=r"bytes \*/100"):
        requested(header, 100)


@pytest.mark.parametrize(
    "header",
    ["", "bytes=", "bytes=-", "bytes=5-2", "bytes=0-1,5-6", "items=0-1", "bytes=a-b", "bytes=٣-٤"],
)
def test_what_is_no_single_range_gets_the_whole_file(header: str) -> None:
    assert requested(header, 100) is None


def test_the_content_range_counts_the_last_byte_in() -> None:
    assert Span(2, 5, 9).content_range == "bytes 2-4/9"


@given(st.text(max_size=20) | st.from_regex(r"bytes=\d{0,20}-\d{0,20}"), st.integers(0, 10**12))
def test_a_span_lies_within_the_file(header: str, size_bytes: int) -> None:
    try:
        span = requested(header, size_bytes)
    except Unsatisfiable:
        return
    assert span is None or 0 <= span.start < span.stop <= size_bytes
