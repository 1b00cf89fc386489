"""The table of a subscription's states, all of it; dunning; the ledger; what is open to whom."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.billing.model import ledger
from cuemark.contexts.billing.model.access import entitlement
from cuemark.contexts.billing.model.dunning import GIVEN_UP_AFTER, PAUSES_DAYS, next_attempt_at
from cuemark.contexts.billing.model.ledger import EVERYTHING, Access, Entry, balances
from cuemark.contexts.billing.model.states import TABLE, Event, step
from cuemark.contracts.billing.invoices import Invoice
from cuemark.contracts.billing.plans import Allowance
from cuemark.contracts.billing.subscriptions import State
from cuemark.contracts.ids import AccountId

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ANNA, BEN = AccountId("acc_anna"), AccountId("acc_ben")
PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "billing.md"


def test_every_state_is_reached_and_all_but_the_last_can_be_left() -> None:
    states = set(get_args(State))
    assert {state for state, _ in TABLE} == states
    assert {after for after, _ in TABLE.values()} == states
    for state in states - {"ended"}:
        assert any(step(state, event) not in (None, (state, ())) for event in get_args(Event))
    assert all(after == "ended" for (state, _), (after, _) in TABLE.items() if state == "ended")


def test_what_was_paid_for_is_granted_or_given_back_in_every_state_that_can_be_paid_in() -> None:
    for (_, event), (_, effects) in TABLE.items():
        if event == "paid":
            assert effects in (("grant",), ("give_back",))


def test_who_is_charged_back_has_nothing_left() -> None:
    for (_, event), (after, effects) in TABLE.items():
        if event == "charged_back":
            assert after == "ended"
            assert "revoke_all" in effects


def test_the_page_shows_the_table_as_it_is() -> None:
    rows = [
        f"| {state} | {event} | {after} | {', '.join(effects)} |".replace("|  |", "| |")
        for (state, event), (after, effects) in TABLE.items()
    ]
    text = PAGE.read_text(encoding="utf-8")
    assert [row for row in rows if row not in text] == []


def test_a_declined_renewal_is_tried_within_what_it_is_kept_open() -> None:
    at, tried = NOW, 0
    while True:
        tried += 1
        after = next_attempt_at(tried, at, retryable=True)
        if after is None:
            break
        assert after > at
        at = after
    assert tried == len(PAUSES_DAYS) + 1
    assert at < NOW + GIVEN_UP_AFTER
    assert next_attempt_at(1, NOW, retryable=False) is None


def invoice(net_minor: int, tax_minor: int) -> Invoice:
    return Invoice(
        invoice_id="inv_1",
        account_id=ANNA,
        number="1",
        status="open",
        reason="first",
        currency="EUR",
        lines=[],
        net_minor=net_minor,
        tax_minor=tax_minor,
        total_minor=net_minor + tax_minor,
        territory="DE",
        issued_at=NOW,
    )


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.lists(st.integers(1, 10**5), max_size=6))
def test_debits_equal_credits_and_all_that_is_given_back_leaves_nothing(
    net: int, tax: int, parts: list[int]
) -> None:
    of, total = invoice(net, tax), net + tax
    entries = [ledger.issued(of, NOW, None), ledger.captured(of, "k", total, NOW)]
    gone = 0
    for part in [*parts, total]:
        after = min(total, gone + part)
        if after > gone:
            entries.append(ledger.refunded(of, "k", gone, after, NOW))
        gone = after
    found = balances(entries)
    assert sum(debit for debit, _ in found.values()) == sum(credit for _, credit in found.values())
    assert all(debit == credit for debit, credit in found.values())
    assert all(each.amount_minor > 0 for entry in entries for each in entry.transfers)
    assert len({entry.key for entry in entries}) == len(entries)


def test_a_void_invoice_leaves_no_debt_and_no_tax() -> None:
    of = invoice(84, 16)
    found = balances([ledger.issued(of, NOW, None), ledger.voided(of, NOW, None)])
    assert all(debit == credit for debit, credit in found.values())


def opened(source: str, since_h: int, until_h: int, account_id: AccountId = ANNA) -> Entry:
    access = Access(
        source,
        f"plan of {source}",
        Allowance(),
        NOW + timedelta(hours=since_h),
        NOW + timedelta(hours=until_h),
    )
    return Entry(
        key=f"{source}:{since_h}:{until_h}",
        kind="granted",
        account_id=account_id,
        invoice_id=source,
        currency="EUR",
        at=NOW,
        access=access,
    )


def test_a_period_is_open_from_its_beginning_to_its_end_and_to_its_account_alone() -> None:
    entries = [opened("one", 0, 10)]
    for hours, entitled in ((-1, False), (0, True), (9, True), (10, False)):
        at = NOW + timedelta(hours=hours)
        assert entitlement(ANNA, entries, at).entitled is entitled
    assert not entitlement(BEN, entries, NOW).entitled


def test_an_upgrade_counts_over_what_it_replaced_and_falls_back_when_it_is_shut() -> None:
    entries = [opened("one", 0, 10), opened("two", 1, 10)]
    later = NOW + timedelta(hours=2)
    assert entitlement(ANNA, entries, later).plan_id == "plan of two"
    assert entitlement(ANNA, [*entries, opened("two", 2, 2)], later).plan_id == "plan of one"


def test_a_chargeback_shuts_all_that_was_open_and_nothing_that_comes_after() -> None:
    shut = [opened("one", 0, 10), opened("two", 1, 10), opened(EVERYTHING, 2, 2)]
    later = NOW + timedelta(hours=3)
    assert not entitlement(ANNA, shut, later).entitled
    assert entitlement(ANNA, [*shut, opened("new", 3, 9)], later).entitled


@given(
    st.lists(
        st.tuples(st.sampled_from("abc*"), st.integers(0, 20), st.integers(0, 20)), max_size=12
    ),
    st.integers(0, 20),
)
def test_what_is_open_is_a_function_of_the_ledger_and_the_clock(
    told: list[tuple[str, int, int]], hour: int
) -> None:
    entries = [opened(source, since, until) for source, since, until in told]
    now = NOW + timedelta(hours=hour)
    found = entitlement(ANNA, entries, now)
    assert found == entitlement(ANNA, [*entries, opened("z", 0, 20, BEN)], now)
    assert found.until > now if found.entitled else found.until == now
    last = {source: (since, until) for source, since, until in told}
    shut = max((at for at, each in enumerate(told) if each[0] == EVERYTHING), default=-1)
    after = {source for source, _, _ in told[shut + 1 :]} - {EVERYTHING}
    assert found.entitled or not any(last[source][0] <= hour < last[source][1] for source in after)
