"""Heads of requests and answers between nginx and the agent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.edge.http import RequestInvalid, read_head, write_head
from cuemark.edge.serving import Answer, Request


def test_a_request_is_read_with_header_names_in_lower_case() -> None:
    head = b"GET /ver/1.m4s HTTP/1.1\r\nHost: agent\r\nRange:  bytes=0-1 \r\n\r\n"
    headers = {"host": "agent", "range": "bytes=0-1"}
    assert read_head(head) == Request("GET", "/ver/1.m4s", headers)


@pytest.mark.parametrize(
    "head",
    [
        b"\r\n\r\n",
        b"POST /x HTTP/1.1\r\n\r\n",
        b"GET x HTTP/1.1\r\n\r\n",
        b"GET /x HTTP/1.0\r\n\r\n",
        b"GET /x y HTTP/1.1\r\n\r\n",
        b"GET /x HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /x HTTP/1.1\r\nname : value\r\n\r\n",
        b"GET /x HTTP/1.1\r\n folded: value\r\n\r\n",
        b"GET /x HTTP/1.1\r\nContent-Length: 4\r\n\r\n",
        b"GET /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_what_nginx_would_not_send_is_refused(head: bytes) -> None:
    with pytest.raises(RequestInvalid):
        read_head(head)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(head: bytes) -> None:
    try:
        request = read_head(head + b"\r\n\r\n")
    except RequestInvalid:
        return
    assert request.method in ("GET", "HEAD")


def test_an_answer_begins_with_its_status() -> None:
    answer = Answer(416, {"Content-Length": "0"})
    assert write_head(answer).startswith(b"HTTP/1.1 416 Requested Range Not Satisfiable\r\n")
    assert write_head(answer).endswith(b"Content-Length: 0\r\n\r\n")
