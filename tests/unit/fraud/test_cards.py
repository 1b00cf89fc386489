"""Card testing: what is asked of somebody who gives one more card."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.fraud.model.cards import WAITS, Counts, judge

NOW = datetime(2026, 1, 2, tzinfo=UTC)
NONE = Counts()


def by_account(cards: int, declined: int, last_at: datetime = NOW) -> Counts:
    return Counts(given=cards, cards=cards, declined=declined, accounts=1, last_at=last_at)


def test_a_card_that_is_declined_and_the_next_one_are_nothing() -> None:
    for account in (NONE, by_account(1, 1), by_account(2, 1)):
        assert judge(account, account, account, account, (2, 1), NOW).step == "pass"


def test_each_further_card_asks_for_more_and_at_last_for_a_stated_time() -> None:
    steps = []
    for declined in range(9):
        each = by_account(declined, declined)
        found = judge(each, each, each, each, (declined, declined), NOW)
        steps.append(found.step)
        if found.step == "wait":
            assert found.until is not None
            assert found.until > NOW
    assert list(dict.fromkeys(steps)) == ["pass", "slow", "proof", "wait"]


def test_after_the_stated_time_a_proof_does() -> None:
    each = by_account(6, 6, NOW - WAITS - timedelta(seconds=1))
    found = judge(each, NONE, NONE, NONE, (6, 6), NOW)
    assert (found.step, found.until) == ("proof", None)


def test_one_address_with_an_account_for_each_card_is_found_too() -> None:
    account = by_account(1, 0)
    address = Counts(given=12, cards=12, declined=11, accounts=12, last_at=NOW)
    assert judge(account, account, address, address, (12, 11), NOW).step == "wait"


def test_an_office_where_many_give_cards_that_are_good_is_let_be() -> None:
    office = Counts(given=3, cards=3, declined=0, accounts=3, last_at=NOW)
    assert judge(by_account(1, 0), NONE, office, office, (300, 9), NOW).step == "pass"


counts = st.builds(
    Counts,
    st.integers(0, 50),
    st.integers(0, 50),
    st.integers(0, 50),
    st.integers(0, 50),
    st.none() | st.integers(0, 90_000).map(lambda seconds: NOW - timedelta(seconds=seconds)),
)


@given(counts, counts, counts, counts, st.tuples(st.integers(0, 99), st.integers(0, 99)))
def test_a_wait_always_ends_and_every_step_has_a_reason(
    account: Counts, login: Counts, address: Counts, network: Counts, everyone: tuple[int, int]
) -> None:
    found = judge(account, login, address, network, everyone, NOW)
    assert 0 <= found.score <= 100
    assert found.step == "pass" or found.reasons
    assert (found.step == "wait") == (found.until is not None)
    if found.until is not None:
        assert NOW < found.until <= NOW + timedelta(hours=24)
