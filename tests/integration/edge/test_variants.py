"""Marked pictures on a real nginx and agent: each session its own variants, by one address."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from blake3 import blake3

from cuemark.contexts.playback.model import fingerprint
from cuemark.contracts.ids import VersionId
from cuemark.kit import cat
from tests.integration.edge.farm import Farm, assert_no_token_in_logs, until
from tests.unit.edge.vectors import VERSION

VERSION_ID = VersionId(VERSION)
ROUND = fingerprint.LENGTH
NUMBERS = [*range(1, 41), ROUND - 1, ROUND, ROUND + 1, ROUND + 2]
FILES = {
    f"v1/{variant}{number}.m4s": f"{variant}{number} ".encode() * 400
    for variant in "ab"
    for number in NUMBERS
}
SESSIONS = ["play_one", "play_two", "play_three"]
ROWS = {name: fingerprint.row(b"k" * 32, name) for name in SESSIONS}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """An appliance that fills nothing ahead but the first segments."""
    root = tmp_path_factory.mktemp("farm")
    built = Farm(root)
    try:
        built.publish(FILES, VERSION_ID)
        built.start_all()
        yield built
        time.sleep(1.3)
        assert_no_token_in_logs(root)
    finally:
        built.stop_all()


def address(built: Farm, session: str, number: int, key: cat.TokenKey | None = None) -> str:
    token = built.token(VERSION_ID, key, subject=session, variants=ROWS[session])
    assert len(token) <= cat.MAX_TOKEN_CHARS
    return f"/t/{token}/{VERSION}/v1/x{number}.m4s"


def variant(session: str, number: int) -> str:
    sign = fingerprint.signs(ROWS[session], number - 1, 1)[0]
    return "a" if sign == 1 else "b"


@pytest.mark.parametrize("session", SESSIONS)
def test_a_session_gets_the_variants_of_its_row_and_after_it_those_again(
    served: Farm, session: str
) -> None:
    wanted = {number: FILES[f"v1/{variant(session, number)}{number}.m4s"] for number in NUMBERS}
    for _ in range(2):
        found = {number: served.get(address(served, session, number)).body for number in NUMBERS}
        assert found == wanted
    assert variant(session, 1) == variant(session, ROUND + 1)


def test_what_is_missing_is_fetched_in_the_sessions_variant_alone(tmp_path: Path) -> None:
    built = Farm(tmp_path)
    try:
        built.publish(FILES, VERSION_ID)
        built.start_all()
        number = next(n for n in NUMBERS[5:] if variant("play_one", n) != variant("play_two", n))
        own, other = (f"v1/{variant(name, number)}{number}.m4s" for name in SESSIONS[:2])
        first = built.get(address(built, "play_one", number))
        assert (first.status, first.body) == (200, FILES[own])
        assert first.headers["cache-status"] == "cuemark-appliance-1; fwd=miss; stored"
        assert first.headers["content-type"] == "video/mp4"
        until(lambda: blake3(FILES[own]).hexdigest() in built.stored())
        assert blake3(FILES[other]).hexdigest() not in built.stored()

        def held() -> bool:
            again = built.get(address(built, "play_one", number))
            assert again.body == FILES[own]
            return again.headers["cache-status"] == "cuemark-appliance-1; hit"

        until(held)
        assert built.get(address(built, "play_two", number)).body == FILES[other]
        assert len(built.origin_requests(own)) == len(built.origin_requests(other)) == 1
        log = (tmp_path / "appliance" / "logs" / "access.jsonl").read_text()
        told = {json.loads(line)["path"] for line in log.splitlines()}
        assert told == {f"v1/x{number}.m4s"}, "the log tells which variant a session got"
    finally:
        built.stop_all()


def test_parts_and_conditions_are_of_the_variant(served: Farm) -> None:
    target = address(served, "play_one", 2)
    body = FILES[f"v1/{variant('play_one', 2)}2.m4s"]
    whole = served.get(target)
    part = served.get(target, Range="bytes=100-299")
    assert (part.status, part.body) == (206, body[100:300])
    etag = whole.headers["etag"]
    assert served.get(target, If_None_Match=etag).status == 304
    head = served.get(target, "HEAD")
    assert (head.status, head.headers["content-length"]) == (200, str(len(body)))
    number = next(n for n in NUMBERS if variant("play_one", n) != variant("play_two", n))
    one, two = (served.get(address(served, name, number)).headers for name in SESSIONS[:2])
    assert one["etag"] != two["etag"]


@pytest.mark.parametrize("name", ["a2.m4s", "b2.m4s", "x99.m4s", "x02.m4s", "X2.m4s", "x2.mp4"])
def test_no_other_name_leads_to_a_variant(served: Farm, name: str) -> None:
    target = address(served, "play_one", 2).replace("x2.m4s", name)
    assert served.get(target).status == 404
    assert served.get(target.replace("/v1/", "/v1/%2e/")).status == 404


def test_the_row_is_the_same_under_the_next_key(served: Farm) -> None:
    """In mid-play keys turn over: a token of the new one opens the same variants."""
    first, second = served.keys[0], served.key_for("2026b")
    served.keys = [second, first]
    served.tell()
    until(lambda: served.get(address(served, "play_two", 2, second)).status == 200, 5)
    for number in NUMBERS[:12]:
        bodies = {served.get(address(served, "play_two", number, key)).body for key in served.keys}
        assert bodies == {FILES[f"v1/{variant('play_two', number)}{number}.m4s"]}
