"""Billing under seeded schedules of faults: the same service, the same bank, and misfortune."""

from typing import get_args

import pytest

from cuemark.contracts.billing.events import SubscriptionChanged
from cuemark.contracts.billing.subscriptions import State
from cuemark.lab.billing import schedules


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_no_schedule_of_faults_violates_an_invariant(first: int) -> None:
    found = [schedules.run(seed) for seed in range(first, first + 50)]
    assert [each for each in found if each.violation] == []


def test_a_trial_that_was_canceled_is_billed_for_nothing() -> None:
    """A seed that once found the opposite: canceled, resumed, and billed from before the trial."""
    assert schedules.run(5792).violation == ""


def test_a_schedule_repeats_from_its_seed() -> None:
    assert schedules.run(7) == schedules.run(7)


def test_schedules_come_to_what_they_are_to_try() -> None:
    """Else invariants would hold for want of anything to violate them."""
    statuses, kinds, states = set(), set(), set()
    for seed in range(40):
        world = schedules.World(seed)
        world.run(60)
        kept = world.books.kept
        statuses |= {bill.invoice.status for bill in kept.bills.values()}
        kinds |= {entry.kind for entry in kept.entries.values()}
        states |= {each.state for each in kept.events if isinstance(each, SubscriptionChanged)}
        world.connection.close()
    assert {"paid", "void"} <= statuses
    assert kinds == {
        "trial",
        "issued",
        "captured",
        "voided",
        "refunded",
        "charged_back",
        "granted",
        "revoked",
    }
    assert states == set(get_args(State)) - {"incomplete"}
