"""Whom an appliance asks, and what it holds against those who failed it."""

from collections import Counter

import pytest

from cuemark.contracts.ids import ApplianceId
from cuemark.contracts.steering.reports import SnapshotSource
from cuemark.edge.neighbours import address_of
from cuemark.edge.sources import (
    ASKED_PEERS,
    FIRST_PAUSE_S,
    LAST_PAUSE_S,
    ORIGIN,
    WRONG_PAUSE_S,
    Kind,
    Ranks,
    Source,
)

PEERS = [Source(f"edge-{letter}", Kind.PEER) for letter in "abcde"]
STORAGE = [Source(f"storage-{letter}", Kind.STORAGE) for letter in "xy"]


def ranks() -> Ranks:
    made = Ranks()
    made.learn([*STORAGE, *PEERS])
    return made


def test_peers_come_before_storage_and_the_origin_is_the_last() -> None:
    ranked = ranks().rank("key", 0)
    assert [each.kind for each in ranked[:ASKED_PEERS]] == [Kind.PEER] * ASKED_PEERS
    assert ranked[ASKED_PEERS:] == (*STORAGE, ORIGIN)
    assert Ranks().rank("key", 0) == (ORIGIN,)


def test_a_file_is_asked_for_at_the_same_peers_and_files_are_spread_over_all() -> None:
    made = ranks()
    assert made.rank("key", 0) == made.rank("key", 5)
    firsts = Counter(made.rank(f"key-{number}", 0)[0] for number in range(1000))
    assert set(firsts) == set(PEERS)
    assert max(firsts.values()) < 300


def test_a_peer_that_does_not_answer_is_left_alone_longer_each_time() -> None:
    made, peer, now_s, pauses = ranks(), PEERS[0], 0.0, []
    for _ in range(8):
        made.was_away(peer, now_s)
        begun_s = now_s
        while made.shunned(peer, now_s):
            now_s += 0.25
        pauses.append(now_s - begun_s)
        assert made.may_ask(peer, now_s)
    assert pauses[:4] == [FIRST_PAUSE_S, 2.0, 4.0, 8.0]
    assert pauses[-1] == LAST_PAUSE_S
    made.was_right(peer)
    assert not made.shunned(peer, now_s)


def test_one_that_was_left_alone_is_asked_once_before_it_is_trusted_again() -> None:
    made = ranks()
    for _ in range(3):
        made.was_away(ORIGIN, 0.0)
    assert not made.may_ask(ORIGIN, 0.5)
    assert [made.may_ask(ORIGIN, 1.5) for _ in range(5)] == [True, False, False, False, False]
    made.was_right(ORIGIN)
    assert made.may_ask(ORIGIN, 1.5)


def test_the_origin_is_in_every_ranking_and_may_fail_twice() -> None:
    made = ranks()
    for _ in range(2):
        made.was_away(ORIGIN, 0.0)
    assert made.may_ask(ORIGIN, 0.0)
    made.was_away(ORIGIN, 0.0)
    assert made.rank("key", 0.0)[-1] == ORIGIN
    made.was_wrong(ORIGIN, 2.0)
    assert made.may_ask(ORIGIN, 2.0)


def test_one_that_gave_wrong_bytes_loses_its_rank_for_long() -> None:
    made = ranks()
    wrong = made.rank("key", 0)[0]
    made.was_wrong(wrong, 0.0)
    made.was_right(wrong)
    assert wrong not in made.rank("key", WRONG_PAUSE_S - 1)
    made.learn([])
    made.learn([*STORAGE, *PEERS])
    assert wrong not in made.rank("key", WRONG_PAUSE_S - 1)
    assert wrong in made.rank("key", WRONG_PAUSE_S)


def test_one_that_is_no_neighbour_any_more_is_not_asked() -> None:
    made = ranks()
    made.learn(PEERS[:1])
    assert not made.may_ask(PEERS[1], 0)
    assert made.rank("key", 0) == (PEERS[0], ORIGIN)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("ver_1/v1/7.m4s", "http://a/t/A/ver_1/v1/7.m4s"),
        ("ver_1/v1.m3u8", "http://a/t/A/ver_1/v1.m3u8"),
        ("ver_1/v1/a7.m4s", "http://a/t/A/ver_1/v1/x7.m4s"),
        ("ver_1/v1/b12.m4s", "http://a/t/B/ver_1/v1/x12.m4s"),
        ("ver_1/v1/c7.m4s", "http://a/t/A/ver_1/v1/c7.m4s"),
    ],
)
def test_a_variant_is_asked_for_under_the_token_that_opens_it(path: str, expected: str) -> None:
    source = SnapshotSource(
        appliance_id=ApplianceId("edge-a"),
        a_url="http://a/t/A/",
        b_url="http://a/t/B/",
        held_only=True,
    )
    assert address_of(source, path) == expected
    assert "/t/" not in repr(source)
