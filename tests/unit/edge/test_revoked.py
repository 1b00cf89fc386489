"""The revoked sessions that an appliance holds, and the tokens that it judges by them."""

from pathlib import Path

import msgspec
import pytest

from cuemark.contracts.ids import PlaySessionId, VersionId
from cuemark.contracts.steering.reports import MAX_REVOKED, RevokedSession, Snapshot
from cuemark.edge.revoked import REVOKED, Revoked
from cuemark.edge.tokens import NO_KEYS, NO_TOKEN, REMEMBERED, Granted, Refused, Tokens
from cuemark.edge.tokens import REVOKED as IS_REVOKED
from cuemark.kit import cat
from cuemark.kit.clock import ManualClock
from tests.unit.edge.vectors import AUDIENCE, CLIENT, KEYS, PATH, VERSION, claims, vectors


def news(cursor: str, **until_s: int) -> Snapshot:
    told = [RevokedSession(PlaySessionId(name), at_s) for name, at_s in until_s.items()]
    return Snapshot(token_keys=[], versions=[], cursor="", revoked=told, revoked_cursor=cursor)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def test_what_is_revoked_outlives_a_restart_until_its_time(
    tmp_path: Path, clock: ManualClock
) -> None:
    now_s = int(clock.now().timestamp())
    held = Revoked(tmp_path, clock)
    held.take(news("2", play_1=now_s + 10, play_2=now_s + 1000))
    again = Revoked(tmp_path, clock)
    assert again.cursor == "2"
    assert "play_1" in again
    assert "play_3" not in again
    clock.advance(60)
    again.take(news("3", play_3=now_s + 1000))
    assert [name in again for name in ("play_1", "play_2", "play_3")] == [False, True, True]


def test_nothing_is_written_where_there_is_no_news(tmp_path: Path, clock: ManualClock) -> None:
    held = Revoked(tmp_path, clock)
    held.take(news(""))
    assert not (tmp_path / REVOKED).exists()


def test_a_name_that_njs_could_misread_is_passed_over(tmp_path: Path, clock: ManualClock) -> None:
    held = Revoked(tmp_path, clock)
    at_s = int(clock.now().timestamp()) + 10
    held.take(news("1", **{"play_1 play_2": at_s, "": at_s, "x" * 65: at_s, "play_3": at_s}))
    told = msgspec.json.decode((tmp_path / REVOKED).read_bytes())
    assert list(told["sessions"]) == ["play_3"]


def test_the_newest_are_held_where_there_are_too_many(tmp_path: Path, clock: ManualClock) -> None:
    at_s = int(clock.now().timestamp()) + 10
    held = Revoked(tmp_path, clock)
    held.take(news("1", **{f"play_{number}": at_s for number in range(MAX_REVOKED + 1)}))
    assert "play_0" not in held
    assert "play_1" in held


def test_a_damaged_file_is_as_none(tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / REVOKED).write_bytes(b'{"cursor": 7')
    assert Revoked(tmp_path, clock).cursor == ""


class Judge:
    """Tokens with keys that a test turns over."""

    def __init__(self, folder: Path, clock: ManualClock) -> None:
        self.clock = clock
        self.keys = {key.kid: key.key for key in KEYS}
        self.revoked = Revoked(folder, clock)
        self.tokens = Tokens(AUDIENCE, lambda: self.keys, self.revoked, clock)

    @property
    def now_s(self) -> int:
        return int(self.clock.now().timestamp())

    def status(self, token: str, path: str = PATH, address: str = CLIENT) -> int:
        found = self.tokens.judge(f"/t/{token}{path}", address)
        return found.status if isinstance(found, Refused) else 200

    def token(self, key: cat.TokenKey = KEYS[0], **changes: str | int) -> str:
        return cat.mint(claims(self.now_s, **changes), key)


@pytest.fixture
def judge(tmp_path: Path, clock: ManualClock) -> Judge:
    return Judge(tmp_path, clock)


def test_the_agent_says_of_each_token_what_the_others_say(judge: Judge) -> None:
    for _ in range(2):
        for vector in vectors(judge.now_s):
            assert judge.status(vector.token, vector.path) == vector.status, vector.name


def test_a_remembered_verdict_outlives_neither_time_nor_keys_nor_the_play(judge: Judge) -> None:
    short, first, second = (
        judge.token(expires_at_s=judge.now_s + 5),
        judge.token(subject="play_1"),
        judge.token(KEYS[1], subject="play_2"),
    )
    assert [judge.status(each) for each in (short, first, second)] == [200] * 3
    judge.clock.advance(5)
    assert [judge.status(each) for each in (short, first, second)] == [401, 200, 200]
    judge.revoked.take(news("1", play_1=judge.now_s + 100))
    assert [judge.status(each) for each in (first, second)] == [401, 200]
    assert judge.tokens.claims(first) == IS_REVOKED
    judge.keys = {KEYS[0].kid: KEYS[0].key}
    assert judge.tokens.claims(second) == NO_TOKEN
    judge.keys = {}
    assert judge.tokens.claims(second) == NO_KEYS


def test_in_mid_play_a_new_key_joins_the_old_one(judge: Judge) -> None:
    judge.keys = {KEYS[0].kid: KEYS[0].key}
    old, new = judge.token(), judge.token(KEYS[1])
    assert [judge.status(old), judge.status(new)] == [200, 401]
    judge.keys = {key.kid: key.key for key in reversed(KEYS)}
    assert [judge.status(old), judge.status(new)] == [200, 200]


def test_more_tokens_than_are_remembered_are_judged_all_the_same(judge: Judge) -> None:
    made = [judge.token(subject=f"play_{number}") for number in range(REMEMBERED + 2)]
    assert {judge.status(token) for token in [*made, made[0]]} == {200}


def test_a_session_gets_its_variant_and_no_other(judge: Judge) -> None:
    token = cat.mint(claims(judge.now_s, variants=b"\x40"), KEYS[0])
    found = judge.tokens.judge(f"/t/{token}/{VERSION}/v1/x2.m4s?a=b", CLIENT)
    assert found == Granted(VersionId(VERSION), "v1/b2.m4s")
    for name in ("a2.m4s", "b2.m4s"):
        assert judge.status(token, f"/{VERSION}/v1/{name}") == 404
    assert judge.status(judge.token(), f"/{VERSION}/v1/x2.m4s") == 404
