"""What every caller of identity may rely on about staff, however it is reached."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import argon2
import pytest

from cuemark.contexts.identity import wiring
from cuemark.contracts.identity import (
    Authenticate,
    Identity,
    IssueOperatorLink,
    Logout,
    NotLoggedIn,
    RedeemOperatorLink,
    WrongCredentials,
)
from cuemark.contracts.identity.staff import (
    AddStaff,
    BeginAct,
    EndAct,
    EndStaffLogins,
    IssueStaffToken,
    ListActs,
    ListStaff,
    NotAllowed,
    RemoveStaff,
    SetStaffRole,
    StaffExists,
    StaffInvalid,
    StaffMember,
    UnknownStaff,
    VerifyActs,
)
from cuemark.contracts.ids import StaffId
from cuemark.gateway.staff.actions import ACTIONS
from cuemark.kit import mail
from cuemark.kit.clock import ManualClock
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Log
from tests.contract.conftest import Reach
from tests.databases import opened

OWNERS = "0f" * 32
NOBODY = StaffId("stf_nobody")


@dataclass(frozen=True)
class Office:
    identity: Identity
    clock: ManualClock

    async def hire(self, role: str = "support", email: str = "eve@films.example") -> StaffMember:
        return await self.identity.add_staff(AddStaff(email=email, role=role))

    async def token(self, member: StaffMember) -> str:
        return (
            await self.identity.issue_staff_token(IssueStaffToken(staff_id=member.staff_id))
        ).token

    async def acts(self) -> list[tuple[str, str, str]]:
        found = (await self.identity.list_acts(ListActs())).acts
        return [(act.who, act.action, act.result) for act in reversed(found)]


@pytest.fixture
async def office(reach: Reach, database_url: str) -> AsyncIterator[Office]:
    clock = ManualClock()
    async with opened(database_url, mail, wiring) as database:
        room = wiring.build(
            database,
            Log(clock),
            clock,
            Ids(clock),
            operator_token=OWNERS,
            key=bytes(32),
            cost=argon2.profiles.CHEAPEST,
            roles=wiring.Roles(list(ACTIONS)),
            acts_key=b"k" * 32,
        )
        yield Office(await reach(Identity, room.service), clock)


async def test_a_token_of_staff_says_who_they_are_and_does_what_their_role_allows(
    office: Office,
) -> None:
    eve = await office.hire()
    token = await office.token(eve)
    caller = await office.identity.authenticate(Authenticate(token=token))
    assert (caller.role, caller.staff_id, caller.staff_role) == (
        "operator",
        eve.staff_id,
        "support",
    )
    begun = await office.identity.begin_act(
        BeginAct(token=token, action="plays.stop", subject="plays/play_1/stop")
    )
    assert (begun.staff_id, begun.role) == (eve.staff_id, "support")
    assert "plays.stop" in begun.allowed
    assert "invoices.refund" not in begun.allowed
    await office.identity.end_act(EndAct(number=begun.number, status=200))
    assert await office.acts() == [
        ("eve@films.example", "plays.stop", "begun"),
        ("eve@films.example", "plays.stop", "done"),
    ]


@pytest.mark.parametrize(
    ("status", "result"), [(200, "done"), (302, "done"), (400, "failed"), (503, "failed")]
)
async def test_what_came_of_an_act_is_told_beside_it(
    office: Office, status: int, result: str
) -> None:
    eve = await office.hire()
    begun = await office.identity.begin_act(
        BeginAct(
            token=await office.token(eve),
            action="plays.stop",
            subject="plays",
            client_address="192.0.2.7",
            trace_id="ab" * 16,
        )
    )
    office.clock.advance(2)
    ended = EndAct(number=begun.number, status=status, subject="plays play_1")
    await office.identity.end_act(ended)
    last, first = (await office.identity.list_acts(ListActs())).acts
    assert (last.of, last.result, last.status) == (first.number, result, status)
    assert (first.subject, last.subject) == ("plays", "plays play_1")
    assert last.at - first.at == timedelta(seconds=2)
    same = [
        (each.staff_id, each.role, each.client_address, each.trace_id) for each in (first, last)
    ]
    assert same == [(eve.staff_id, "support", "192.0.2.7", "ab" * 16)] * 2


async def test_what_was_not_begun_cannot_be_ended(office: Office) -> None:
    token = await office.token(await office.hire())
    with pytest.raises(NotAllowed):
        await office.identity.begin_act(BeginAct(token=token, action="invoices.refund"))
    begun = await office.identity.begin_act(BeginAct(token=token, action="plays.stop"))
    await office.identity.end_act(EndAct(number=begun.number, status=200))
    before = await office.acts()
    refused, end = 1, begun.number + 1
    for number in (-1, 0, refused, end, 999):
        await office.identity.end_act(EndAct(number=number, status=200))
    assert await office.acts() == before
    assert (await office.identity.verify_acts(VerifyActs())).fault == ""


async def test_what_a_role_does_not_allow_is_refused_and_written_down(office: Office) -> None:
    token = await office.token(await office.hire())
    with pytest.raises(NotAllowed, match=r"support does not allow invoices\.refund"):
        await office.identity.begin_act(
            BeginAct(
                token=token,
                action="invoices.refund",
                subject="invoices/inv_1/refund",
                client_address="192.0.2.7",
                trace_id="ab" * 16,
            )
        )
    (act,) = (await office.identity.list_acts(ListActs())).acts
    assert (act.result, act.role, act.subject) == ("refused", "support", "invoices/inv_1/refund")
    assert (act.client_address, act.trace_id) == ("192.0.2.7", "ab" * 16)
    assert act.at == office.clock.now()


async def test_an_action_that_there_is_not_is_allowed_to_nobody(office: Office) -> None:
    with pytest.raises(NotAllowed):
        await office.identity.begin_act(BeginAct(token=OWNERS, action="moon.land"))


async def test_the_owners_looks_are_not_written_down_and_staffs_are(office: Office) -> None:
    token = await office.token(await office.hire())
    for shown in (OWNERS, token):
        await office.identity.begin_act(BeginAct(token=shown, action="plays.read", writes=False))
    await office.identity.begin_act(BeginAct(token=OWNERS, action="plays.stop"))
    assert [act[:2] for act in await office.acts()] == [
        ("eve@films.example", "plays.read"),
        ("token of the installation", "plays.stop"),
    ]


async def test_tokens_that_are_ended_begin_nothing(office: Office) -> None:
    eve = await office.hire()
    one, other, third = [await office.token(eve) for _ in range(3)]
    await office.identity.authenticate(Authenticate(token=one))
    await office.identity.logout(Logout(token=third))
    ended = await office.identity.end_staff_logins(EndStaffLogins(staff_id=eve.staff_id))
    assert ended.ended == 2
    for token in (one, other, third):
        with pytest.raises(NotLoggedIn):
            await office.identity.authenticate(Authenticate(token=token))
        with pytest.raises(NotLoggedIn):
            await office.identity.begin_act(BeginAct(token=token, action="plays.stop"))
    assert await office.acts() == []


async def test_a_token_ends_with_its_time(office: Office) -> None:
    eve = await office.hire()
    token = await office.identity.issue_staff_token(IssueStaffToken(staff_id=eve.staff_id, ttl_s=1))
    assert token.expires_at == office.clock.now() + timedelta(hours=1)
    office.clock.advance(3601)
    with pytest.raises(NotLoggedIn):
        await office.identity.begin_act(BeginAct(token=token.token, action="plays.stop"))


async def test_who_is_removed_may_do_nothing_and_stays_in_the_log(office: Office) -> None:
    eve = await office.hire()
    token = await office.token(eve)
    await office.identity.begin_act(BeginAct(token=token, action="plays.stop"))
    await office.identity.remove_staff(RemoveStaff(staff_id=eve.staff_id))
    with pytest.raises(NotLoggedIn):
        await office.identity.begin_act(BeginAct(token=token, action="plays.stop"))
    assert (await office.identity.list_staff(ListStaff())).staff == []
    assert len(await office.acts()) == 1
    assert (await office.hire()).staff_id != eve.staff_id


async def test_a_role_holds_from_the_moment_in_which_it_is_given(office: Office) -> None:
    eve = await office.hire()
    token = await office.token(eve)
    await office.identity.authenticate(Authenticate(token=token))
    changed = await office.identity.set_staff_role(
        SetStaffRole(staff_id=eve.staff_id, role="finance")
    )
    assert (changed.role, changed.logins) == ("finance", 1)
    await office.identity.begin_act(BeginAct(token=token, action="invoices.refund"))
    with pytest.raises(NotAllowed):
        await office.identity.begin_act(BeginAct(token=token, action="plays.stop"))


async def test_nobody_makes_somebody_who_may_do_more_than_they(office: Office) -> None:
    identity = office.identity
    owner = await office.hire("owner", "owner@films.example")
    for call in (
        identity.add_staff(AddStaff(email="a@b.example", role="owner", by_role="support")),
        identity.set_staff_role(
            SetStaffRole(staff_id=owner.staff_id, role="support", by_role="support")
        ),
        identity.remove_staff(RemoveStaff(staff_id=owner.staff_id, by_role="support")),
        identity.issue_staff_token(IssueStaffToken(staff_id=owner.staff_id, by_role="support")),
        identity.end_staff_logins(EndStaffLogins(staff_id=owner.staff_id, by_role="support")),
        identity.issue_operator_link(IssueOperatorLink(staff_id=owner.staff_id, by_role="support")),
    ):
        with pytest.raises(NotAllowed, match="ask an owner"):
            await call
    assert [each.role for each in (await identity.list_staff(ListStaff())).staff] == ["owner"]


async def test_staff_are_refused_with_a_sentence_where_they_cannot_be(office: Office) -> None:
    eve = await office.hire()
    with pytest.raises(StaffExists, match=eve.email):
        await office.hire()
    with pytest.raises(StaffInvalid, match="auditor"):
        await office.hire("king", "king@films.example")
    with pytest.raises(StaffInvalid, match="name@domain"):
        await office.hire("support", "eve")
    with pytest.raises(UnknownStaff):
        await office.identity.remove_staff(RemoveStaff(staff_id=NOBODY))
    with pytest.raises(UnknownStaff):
        await office.identity.set_staff_role(SetStaffRole(staff_id=NOBODY, role="support"))


async def test_a_link_opens_one_browser_of_staff_once(office: Office) -> None:
    eve = await office.hire()
    link = await office.identity.issue_operator_link(IssueOperatorLink(staff_id=eve.staff_id))
    granted = await office.identity.redeem_operator_link(RedeemOperatorLink(code=link.code))
    caller = await office.identity.authenticate(Authenticate(token=granted.token))
    assert caller.staff_id == eve.staff_id
    with pytest.raises(WrongCredentials):
        await office.identity.redeem_operator_link(RedeemOperatorLink(code=link.code))


async def test_a_link_of_who_is_removed_opens_nothing(office: Office) -> None:
    eve = await office.hire()
    link = await office.identity.issue_operator_link(IssueOperatorLink(staff_id=eve.staff_id))
    await office.identity.remove_staff(RemoveStaff(staff_id=eve.staff_id))
    with pytest.raises(WrongCredentials):
        await office.identity.redeem_operator_link(RedeemOperatorLink(code=link.code))


async def test_the_log_is_read_in_pages_and_of_one_of_staff(office: Office) -> None:
    eve = await office.hire()
    token = await office.token(eve)
    for shown in (token, OWNERS, token, OWNERS, token):
        await office.identity.begin_act(BeginAct(token=shown, action="plays.stop"))
    first = await office.identity.list_acts(ListActs(limit=2))
    assert [act.number for act in first.acts] == [5, 4]
    rest = await office.identity.list_acts(ListActs(limit=3, before=first.next_before))
    assert ([act.number for act in rest.acts], rest.next_before) == ([3, 2, 1], 0)
    hers = await office.identity.list_acts(ListActs(staff_id=eve.staff_id))
    assert [act.number for act in hers.acts] == [5, 3, 1]


async def test_a_log_that_nobody_touched_is_whole(office: Office) -> None:
    empty = await office.identity.verify_acts(VerifyActs())
    assert (empty.entries, empty.fault) == (0, "")
    for _ in range(3):
        await office.identity.begin_act(BeginAct(token=OWNERS, action="plays.stop"))
    verdict = await office.identity.verify_acts(VerifyActs())
    assert (verdict.entries, verdict.first_wrong, verdict.fault) == (3, 0, "")
    (last, *_) = (await office.identity.list_acts(ListActs())).acts
    assert verdict.head == last.digest
    noted = await office.identity.verify_acts(VerifyActs(number=3, digest=last.digest))
    assert noted.fault == ""
    for number, digest in ((3, "00" * 32), (4, last.digest)):
        other = await office.identity.verify_acts(VerifyActs(number=number, digest=digest))
        assert (other.first_wrong, bool(other.fault)) == (number, True)
