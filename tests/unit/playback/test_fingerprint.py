"""Rows of variants, and who is found by them."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cuemark.contexts.playback.model import fingerprint

SECRET = b"s" * 32
SESSIONS = {f"ses_{number}": fingerprint.row(SECRET, f"ses_{number}") for number in range(500)}


def _shown(session_id: str, first: int, count: int, noise: float, seed: int) -> list[float]:
    signs = fingerprint.signs(SESSIONS[session_id], first, count)
    return list(signs + np.random.default_rng(seed).normal(0, noise, count))


def _suspicions(
    evidence: Sequence[float], first: int, rows: Mapping[str, bytes]
) -> list[fingerprint.Suspicion]:
    comparison = fingerprint.Comparison(evidence, first)
    comparison.add(rows)
    return comparison.suspicions()


def test_a_row_is_of_its_session_and_secret_alone() -> None:
    one = fingerprint.row(SECRET, "ses_1")
    assert one == fingerprint.row(SECRET, "ses_1")
    assert len(one) * 8 == fingerprint.LENGTH
    assert len({one, fingerprint.row(SECRET, "ses_2"), fingerprint.row(b"t" * 32, "ses_1")}) == 3
    assert abs(fingerprint.signs(one, 0, fingerprint.LENGTH).mean()) < 0.15


def test_a_row_begins_again_after_its_length() -> None:
    coins = SESSIONS["ses_1"]
    late = fingerprint.signs(coins, fingerprint.LENGTH - 2, 4)
    assert list(late[2:]) == list(fingerprint.signs(coins, 0, 2))


@settings(derandomize=True)
@given(
    number=st.integers(0, 499),
    first=st.integers(0, 2000),
    noise=st.floats(0.1, 0.5),
    seed=st.integers(0, 10_000),
)
def test_a_minute_names_its_session(number: int, first: int, noise: float, seed: int) -> None:
    """The examples are the same each time: one of a thousand accuses another by chance, too."""
    who = f"ses_{number}"
    found = _suspicions(_shown(who, first, 40, noise, seed), first, SESSIONS)
    assert found[0].session_id == who
    assert found[0].chance < 1e-5 < found[1].chance


def test_three_who_take_turns_are_all_found_in_a_long_copy() -> None:
    count = 900
    turns = np.random.default_rng(1).integers(0, 3, count)
    rows = np.array([fingerprint.signs(SESSIONS[f"ses_{who}"], 0, count) for who in range(3)])
    mixed = list(rows[turns, np.arange(count)].astype(float))
    found = _suspicions(mixed, 0, SESSIONS)
    assert {each.session_id for each in found[:3]} == {"ses_0", "ses_1", "ses_2"}
    assert found[2].chance < 1e-3 < found[3].chance


def test_nobody_is_accused_more_often_than_is_said() -> None:
    """A copy of a session that is not asked about, five hundred times."""
    draws = np.random.default_rng(2)
    best = [_suspicions(list(draws.normal(0, 1, 30)), 0, SESSIONS)[0].chance for _ in range(500)]
    for level in (0.5, 0.1, 0.02):
        often = np.mean([chance <= level for chance in best])
        assert often <= level + 3 * np.sqrt(level * (1 - level) / len(best))


@given(st.lists(st.floats(-5, 5), max_size=12))
@example([5.0, 5e-324, 5e-324])
def test_chances_are_those_of_all_rows_counted(evidence: list[float]) -> None:
    found = _suspicions(evidence, 0, {"ses_1": SESSIONS["ses_1"]})
    weights = fingerprint._weights(evidence)
    if not weights.any():
        assert found == []
        return
    shown = np.sign(evidence) * weights
    count = len(evidence)
    rows = 1 - 2 * ((np.arange(1 << count)[:, None] >> np.arange(count)) & 1)
    fits = rows @ shown
    own = int(shown @ fingerprint.signs(SESSIONS["ses_1"], 0, count))
    assert found[0].chance == pytest.approx((fits >= own).mean())


def test_what_shows_nothing_accuses_nobody() -> None:
    assert _suspicions([0.0] * 30, 0, SESSIONS) == []
    assert _suspicions([], 0, SESSIONS) == []


def test_a_coin_that_was_thrown_for_two_segments_counts_as_one() -> None:
    """Ten coins seen five times say no more than ten coins."""
    count = fingerprint.LENGTH
    evidence = ([1.0] * 10 + [0.0] * (count - 10)) * 5
    rows = {"ses_1": bytes(count // 8)}
    assert _suspicions(evidence, 0, rows)[0].chance == pytest.approx(2**-10)
    assert _suspicions(evidence, 3 * count, rows) == _suspicions(evidence, 0, rows)


def test_a_coin_that_shows_both_variants_speaks_for_nobody() -> None:
    evidence = [1.0] + [0.0] * (fingerprint.LENGTH - 1) + [-1.0]
    assert fingerprint.Comparison(evidence, 0).shows_nothing


def test_sessions_compared_in_parts_are_those_compared_at_once() -> None:
    evidence = _shown("ses_7", 5, 40, 0.8, 3)
    parts = fingerprint.Comparison(evidence, 5)
    for at in range(0, 500, 70):
        names = list(SESSIONS)[at : at + 70]
        parts.add({name: SESSIONS[name] for name in names})
    parts.add({})
    assert parts.compared == 500
    assert parts.suspicions() == _suspicions(evidence, 5, SESSIONS)
    assert len(parts.suspicions()) == fingerprint.MOST_SUSPICIONS


@pytest.mark.parametrize(
    ("evidence", "first", "why"),
    [
        ([1.0, float("nan")], 0, "must be a number"),
        ([float("-inf")], 0, "must be a number"),
        ([1.0], -1, "so many segments"),
        ([1.0], 10**12, "so many segments"),
    ],
)
def test_evidence_that_cannot_be_is_refused(evidence: list[float], first: int, why: str) -> None:
    with pytest.raises(fingerprint.EvidenceUnusable, match=why):
        fingerprint.Comparison(evidence, first)


def test_the_verdict_says_how_sure_it_is() -> None:
    def said(evidence: list[float], rows: Mapping[str, bytes] = SESSIONS) -> str:
        comparison = fingerprint.Comparison(evidence, 0)
        comparison.add(rows)
        return fingerprint.verdict(comparison)

    clear = _shown("ses_3", 0, 60, 0.1, 1)
    assert said(clear) == (
        "This copy was made of the play ses_3: one that has no part in it fits so well in less "
        "than 1 of 1,000,000,000 such searches."
    )
    one = {"ses_3": SESSIONS["ses_3"]}
    assert said(clear[:10], one).endswith("fits so well in 1 of 1,024 such searches.")
    assert said(clear[:9], one) == (
        "No session can be named: the best of 1 fits so well by chance in 1 of 512 such searches, "
        "which is more than 1 of 1,000; a longer copy tells more."
    )
    assert "in 10 of 10 such searches" in said(clear[:4])
    assert said(clear, {}) == ("No session can be named: nobody has played these marked pictures.")
    assert said([0.0] * 40) == (
        "No session can be named: the copy shows nothing of the film's mark."
    )
    turns = _shown("ses_3", 0, 60, 0.1, 1) + list(
        fingerprint.signs(SESSIONS["ses_9"], 60, 60).astype(float)
    )
    assert said(turns).startswith("This copy was made of 2 plays, ses_")
    assert "ses_9" in said(turns)
