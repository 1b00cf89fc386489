"""What roles of staff may do: as little as their work takes, and nothing that is not named."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuemark.contexts.identity.model.roles import PoliciesInvalid, Roles
from cuemark.contracts.identity.staff import OWNER
from cuemark.gateway.staff.actions import ACTIONS

EVERYBODY = {"self.read", "self.enter", "operations.read", "reference.read"}
OWNER_ALONE = {
    *("clock.advance", "experiments.write", "functions.switch", "keys.exchange", "marks.search"),
    *("master_keys.retire", "master_keys.rotate", "members.enter", "staff.write"),
    *("viewing.apply", "viewing.export"),
}
"""What takes over accounts, keys or staff, changes what runs here, or is tried on members: no role
but the owner's."""
MONEY = {"invoices.refund", "plans.write", "coupons.write", "taxes.write", "ledger.read"}
MEMBERS = {"members.create", "members.log_out", "members.reset_factors", "plays.stop"}
HERE = "staff_policies"

PACKAGED = Roles(list(ACTIONS))
actions = st.sampled_from(sorted(ACTIONS))


def permits(role: str, *allowed: str, effect: str = "permit") -> str:
    named = ", ".join(f'Action::"{each}"' for each in allowed)
    return f'{effect} (principal in Role::"{role}", action in [{named}], resource);'


def test_the_owner_may_do_everything_that_there_is() -> None:
    assert set(PACKAGED.allowed(OWNER)) == set(ACTIONS)


def test_every_action_is_given_to_a_role_and_the_gravest_to_the_owner_alone() -> None:
    given_to = {
        action: {name for name in PACKAGED.names if PACKAGED.allows(name, action)}
        for action in ACTIONS
    }
    assert all(given_to.values())
    assert {action for action, names in given_to.items() if names == {OWNER}} == OWNER_ALONE


def test_no_role_has_another_ones_work() -> None:
    for name in ("publisher", "support", "network", "auditor"):
        assert not MONEY.intersection(PACKAGED.allowed(name)) - {"ledger.read"}, name
    for name in ("publisher", "finance", "network", "auditor"):
        assert not MEMBERS.intersection(PACKAGED.allowed(name)), name
    for name in ("support", "finance", "network", "auditor"):
        allowed = PACKAGED.allowed(name)
        assert not [each for each in allowed if each.startswith(("catalog.w", "rights.w"))], name


def test_an_auditor_looks_at_everything_and_changes_nothing() -> None:
    reads = {action for action in ACTIONS if action.endswith(".read")}
    assert set(PACKAGED.allowed("auditor")) == reads | EVERYBODY


def test_everybody_of_staff_may_see_who_they_are() -> None:
    for name in PACKAGED.names:
        assert set(PACKAGED.allowed(name)) >= EVERYBODY, name


@given(st.text(max_size=40) | st.sampled_from(["read", "staff", "staff.", ".read", "Staff.write"]))
def test_an_action_that_there_is_not_is_given_to_nobody(action: str) -> None:
    if action not in ACTIONS:
        assert not [name for name in PACKAGED.names if PACKAGED.allows(name, action)]


@given(st.text(max_size=40), actions)
def test_a_role_that_there_is_not_may_do_nothing(role: str, action: str) -> None:
    if role not in PACKAGED.names:
        assert not PACKAGED.allows(role, action)
        assert PACKAGED.allowed(role) == []


@given(st.sampled_from(PACKAGED.names), st.sampled_from(PACKAGED.names))
def test_a_role_covers_another_where_it_may_do_all_that_that_one_may(one: str, other: str) -> None:
    missing = set(PACKAGED.allowed(other)) - set(PACKAGED.allowed(one))
    assert PACKAGED.covers(one, other) == (not missing)
    assert PACKAGED.covers(OWNER, other)


@settings(max_examples=20)
@given(st.sets(actions, min_size=1, max_size=6), st.sets(actions, max_size=6))
def test_a_role_of_the_installations_own_may_do_what_is_written_and_what_is_forbidden_to_nobody(
    permitted: set[str], forbidden: set[str]
) -> None:
    own = permits("editor", *sorted(permitted))
    if forbidden:
        own += permits("editor", *sorted(forbidden), effect="forbid")
    roles = Roles(list(ACTIONS), own, HERE)
    assert set(roles.allowed("editor")) == (permitted | EVERYBODY) - forbidden
    assert roles.allowed("support") == PACKAGED.allowed("support")


def test_what_an_installation_forbids_no_permission_of_the_package_gives_back() -> None:
    roles = Roles(list(ACTIONS), permits("support", "plays.stop", effect="forbid"), HERE)
    assert not roles.allows("support", "plays.stop")
    assert roles.allows(OWNER, "plays.stop")


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ("permit (", "staff_policies is no Cedar"),
        (permits("editor", "moon.land"), "staff_policies: "),
        (permits("Chief Editor", "catalog.read"), "a role is called 'Chief Editor'"),
        (permits("e" * 40, "catalog.read"), "a role is called"),
    ],
)
def test_policies_that_cannot_hold_are_refused_with_where_they_stand(own: str, said: str) -> None:
    with pytest.raises(PoliciesInvalid) as refused:
        Roles(list(ACTIONS), own, HERE)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
