"""How devices are called, where they are, and the codes on their screens."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.identity.model.devices import (
    LONGEST_NAME,
    name_of,
    network_of,
    new_user_code,
    user_code_of,
    verdict,
)
from cuemark.contexts.identity.model.limits import client_of

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "name"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
            "Firefox on Linux",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
            "(KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Safari/605.1.15",
            "Safari on a Mac",
        ),
        ("Mozilla/5.0 (Web0S; Linux/SmartTV) Chrome/94.0 Safari/537.36", "Chrome on an LG TV"),
        ("Mozilla/5.0", "A browser"),
        ("cuemark play\x00\r\non  den", "cuemark play on den"),
        ("", "An unknown device"),
    ],
)
def test_a_device_is_called_by_what_it_tells(told: str, name: str) -> None:
    assert name_of(told) == name


@given(st.text(max_size=300))
def test_whatever_a_device_tells_its_name_is_short_and_plain(told: str) -> None:
    name = name_of(told)
    assert 0 < len(name) <= LONGEST_NAME
    assert name.isprintable() or all(not each.isspace() or each == " " for each in name)


def test_an_address_is_kept_as_its_network_alone() -> None:
    assert network_of("192.0.2.77") == "192.0.2.0/24"
    assert network_of("2001:db8:1:2::3") == "2001:db8:1::/48"
    assert network_of("unknown") == ""
    assert client_of("2001:db8:1:2::3") == client_of("2001:db8:1:2:ffff::1")
    assert client_of("") == ""


def test_a_code_is_read_however_it_is_typed() -> None:
    for _ in range(50):
        code = new_user_code()
        for typed in (code, code.lower(), code.replace("-", ""), f" {code.replace('-', ' ')} "):
            assert user_code_of(typed) == code


@given(st.text(max_size=20))
def test_what_is_no_code_is_none(typed: str) -> None:
    code = user_code_of(typed)
    assert code == "" or user_code_of(code) == code


@given(
    st.sampled_from(["waiting", "allowed", "denied"]),
    st.none() | st.integers(0, 2000),
    st.integers(0, 2000),
    st.sampled_from([5, 10, 60]),
)
def test_a_device_gets_in_only_when_it_was_allowed_in_time(
    state: str, polled_s: int | None, now_s: int, interval_s: int
) -> None:
    said = verdict(
        state,  # type: ignore[arg-type]
        now=AT + timedelta(seconds=now_s),
        polled_at=None if polled_s is None else AT + timedelta(seconds=polled_s),
        interval_s=interval_s,
        ends_at=AT + timedelta(seconds=900),
    )
    assert (said == "expired_token") == (now_s >= 900)
    if said == "granted":
        assert state == "allowed"
        assert polled_s is None or now_s - polled_s >= interval_s
    if said == "authorization_pending":
        assert state == "waiting"
