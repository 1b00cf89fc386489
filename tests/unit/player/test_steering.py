"""What a player reads of the answers that steer it, and what it says when it asks."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.player import steering
from cuemark.player.errors import ManifestInvalid
from cuemark.player.steering import Guidance

ASKED = "https://watch.test/api/v1/steering?play=a.b&_DASH_pathway=one"


def answer(**changed: object) -> bytes:
    usual = {"VERSION": 1, "TTL": 10, "PATHWAY-PRIORITY": ["two", "one"]}
    return json.dumps(
        usual | {key.replace("_", "-"): value for key, value in changed.items()}
    ).encode()


def test_an_answer_says_where_to_fetch_and_when_to_ask_again() -> None:
    found = steering.parse(answer(RELOAD_URI="/steer?play=c"), ASKED)
    assert found == Guidance(("two", "one"), 10, "https://watch.test/steer?play=c")
    assert steering.parse(answer(), ASKED).url == ASKED


@pytest.mark.parametrize(("said_s", "kept_s"), [(0, 1), (-5, 1), (300, 300), (1e9, 3600)])
def test_no_answer_makes_a_player_ask_all_the_time_or_never_again(
    said_s: float, kept_s: float
) -> None:
    assert steering.parse(answer(TTL=said_s), ASKED).ttl_s == kept_s


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        answer(VERSION=2),
        answer(PATHWAY_PRIORITY=[]),
        answer(PATHWAY_PRIORITY=["one"] * 33),
        answer(PATHWAY_PRIORITY=["\n"]),
        answer(PATHWAY_PRIORITY=[""]),
        answer(TTL="soon"),
        answer(RELOAD_URI="file:///etc/passwd"),
        answer(RELOAD_URI="http://[::1/"),
        b" " * 65_537,
    ],
)
def test_what_is_no_answer_is_refused(body: bytes) -> None:
    with pytest.raises(ManifestInvalid):
        steering.parse(body, ASKED)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_guidance_or_refused(body: bytes) -> None:
    with pytest.raises(ManifestInvalid):
        steering.parse(body, ASKED)


def test_a_question_names_the_appliance_in_use_and_the_throughput_once() -> None:
    asked = steering.asked_of(ASKED, "dash", "two words", 1234.5678)
    assert asked == (
        "https://watch.test/api/v1/steering?play=a.b"
        "&_DASH_pathway=two+words&_DASH_throughput=1234568"
    )
    first = steering.asked_of("https://watch.test/s?play=a.b", "hls", "", None)
    assert first == "https://watch.test/s?play=a.b"
