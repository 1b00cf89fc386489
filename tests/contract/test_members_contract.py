"""What members do with their accounts, however identity is reached: each way once."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import argon2
import pytest
from sqlalchemy import text

from cuemark.contexts.identity import wiring
from cuemark.contracts.identity import Authenticate, Identity, Login, NotLoggedIn
from cuemark.contracts.identity.changing import (
    ChangeEmail,
    ChangePassword,
    ConfirmEmail,
    DeleteAccount,
    DescribeAccount,
    RestoreEmail,
    WrongPassword,
)
from cuemark.contracts.identity.devices import (
    AnswerDevice,
    AuthorizeDevice,
    LookUpDevice,
    PollDevice,
    UserCodeUnknown,
)
from cuemark.contracts.identity.joining import (
    CodeSpent,
    CompleteReset,
    CompleteSignUp,
    RequestReset,
    SignUp,
    TooManyTries,
)
from cuemark.contracts.identity.logins import EndLogin, EndLogins, ListLogins
from cuemark.kit import mail
from cuemark.kit.clock import ManualClock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Log
from tests.contract.conftest import Reach
from tests.databases import opened

OLD, NEW = "ada@example.org", "ada@new.example"
FIRST, SECOND, THIRD = "correct horse battery", "another good sentence", "the third of them"


@dataclass(frozen=True)
class House:
    identity: Identity
    database: Database
    clock: ManualClock

    async def code(self, email: str) -> str:
        """The code of the newest letter to an address."""
        async with self.database.transaction() as transaction:
            found = await transaction.execute(
                text(
                    "select plain from mail.letter where recipient = :email "
                    "order by letter_id desc limit 1"
                ),
                {"email": email},
            )
            matched = re.search(r"#code=(\S+)", found.scalar_one())
            return matched[1] if matched else ""


@pytest.fixture
async def house(reach: Reach, database_url: str) -> AsyncIterator[House]:
    async with opened(database_url, wiring, mail) as database:
        clock = ManualClock()
        room = wiring.build(
            database,
            Log(clock),
            clock,
            Ids(clock),
            operator_token="operator",
            key=bytes(32),
            cost=argon2.profiles.CHEAPEST,
            open_to_all=True,
        )
        yield House(await reach(Identity, room.service), database, clock)


async def test_a_member_joins_changes_everything_and_leaves(house: House) -> None:
    ask = house.identity
    assert not (await ask.sign_up(SignUp(email=OLD))).delayed
    join = CompleteSignUp(code=await house.code(OLD), password=FIRST, profile_name="Ada")
    granted = await ask.complete_sign_up(join)
    account_id = granted.account.account_id
    with pytest.raises(CodeSpent):
        await ask.complete_sign_up(join)
    change = ChangePassword(
        account_id=account_id, old_password=FIRST, new_password=SECOND, token=granted.token
    )
    await ask.change_password(change)
    with pytest.raises(WrongPassword):
        await ask.change_password(change)
    await ask.change_email(ChangeEmail(account_id=account_id, password=SECOND, email=NEW))
    await ask.confirm_email(ConfirmEmail(code=await house.code(NEW)))
    assert (await ask.describe_account(DescribeAccount(account_id=account_id))).email == NEW
    await ask.restore_email(RestoreEmail(code=await house.code(OLD)))
    with pytest.raises(NotLoggedIn):
        await ask.authenticate(Authenticate(token=granted.token))
    await ask.complete_reset(CompleteReset(code=await house.code(OLD), password=THIRD))
    await ask.login(Login(email=OLD, password=THIRD))
    deletion = await ask.delete_account(DeleteAccount(account_id=account_id, password=THIRD))
    assert (deletion.erased_at - house.clock.now()).days == 14
    assert (await ask.list_logins(ListLogins(account_id=account_id))).logins == []


async def test_devices_come_and_go(house: House) -> None:
    ask = house.identity
    await ask.sign_up(SignUp(email=OLD))
    granted = await ask.complete_sign_up(CompleteSignUp(code=await house.code(OLD), password=FIRST))
    account_id = granted.account.account_id
    asked = await ask.authorize_device(AuthorizeDevice(device="A television"))
    poll = PollDevice(device_code=asked.device_code)
    assert (await ask.poll_device(poll)).state == "authorization_pending"
    look = LookUpDevice(account_id=account_id, user_code=asked.user_code)
    assert (await ask.look_up_device(look)).device == "A television"
    answer = AnswerDevice(account_id=account_id, user_code=asked.user_code, allow=True)
    await ask.answer_device(answer)
    with pytest.raises(UserCodeUnknown):
        await ask.answer_device(answer)
    house.clock.advance(asked.interval_s)
    polled = await ask.poll_device(poll)
    assert (await ask.authenticate(Authenticate(token=polled.token))).account_id == account_id
    logins = (await ask.list_logins(ListLogins(account_id=account_id))).logins
    assert [each.device for each in logins] == ["A television", "An unknown device"]
    end = EndLogin(account_id=account_id, login_id=logins[0].login_id)
    assert (await ask.end_login(end)).ended == 1
    assert (await ask.end_logins(EndLogins(account_id=account_id))).ended == 1
    for token in (polled.token, granted.token):
        with pytest.raises(NotLoggedIn):
            await ask.authenticate(Authenticate(token=token))
    for _ in range(2):
        await ask.request_reset(RequestReset(email=OLD))
    with pytest.raises(TooManyTries):
        await ask.request_reset(RequestReset(email=OLD))
