"""What fraud learns from the log, and what is left of an account that is no more."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import msgspec
import pytest
from sqlalchemy import text

from cuemark.contexts.fraud import wiring
from cuemark.contexts.fraud.service import FraudService
from cuemark.contracts import billing, identity
from cuemark.contracts.billing.events import PaymentDeclined, SubscriptionChanged
from cuemark.contracts.fraud import (
    ExplainAccount,
    JudgeCard,
    JudgeLogin,
    NoteCard,
    NoteLogin,
    NotePlay,
)
from cuemark.contracts.identity.changing import AccountDeleted
from cuemark.contracts.ids import AccountId, ProfileId
from cuemark.kit import mail
from cuemark.kit.clock import ManualClock
from cuemark.kit.database import Database
from cuemark.kit.errors import Unavailable
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Follower, Log
from tests.databases import opened

ANNA, BEN = AccountId("acc_anna"), AccountId("acc_ben")
NOWHERE = "postgresql+psycopg://cuemark@/cuemark?host=/nowhere"


@dataclass(frozen=True)
class House:
    database: Database
    clock: ManualClock
    log: Log
    fraud: FraudService
    follower: Follower

    async def tell(self, topic: str, account_id: AccountId, event: msgspec.Struct) -> None:
        async with self.database.transaction() as transaction:
            await self.log.append(transaction, topic, account_id, event)
        await self.follower.catch_up()

    async def give(self, account_id: AccountId, card: str) -> None:
        await self.fraud.note_card(
            NoteCard(account_id=account_id, login="lgn_1", client_address="192.0.2.1", card=card)
        )
        self.clock.advance(30)

    async def kept(self, account_id: AccountId) -> dict[str, int]:
        async with self.database.transaction() as transaction:
            return {
                table: int(
                    (
                        await transaction.execute(
                            text(f"select count(*) from fraud.{table} where account_id = :account"),
                            {"account": account_id},
                        )
                    ).scalar_one()
                )
                for table in ("finding", "card", "seen")
            }


def built(database: Database, clock: ManualClock) -> tuple[FraudService, Follower]:
    room = wiring.build(database, Log(clock), clock, Ids(clock), key=b"k" * 32)
    assert isinstance(room.service, FraudService)
    return room.service, room.followers[0]


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with opened(database_url, wiring, mail) as database:
        clock = ManualClock()
        service, follower = built(database, clock)
        yield House(database, clock, Log(clock), service, follower)


async def test_declined_cards_weigh_more_than_cards(house: House) -> None:
    for number in range(4):
        await house.give(ANNA, f"card_{number}")
    asked = JudgeCard(account_id=ANNA, login="lgn_1", client_address="192.0.2.1")
    before = await house.fraud.judge_card(asked)
    for number in range(4, 7):
        await house.give(ANNA, f"card_{number}")
        declined = PaymentDeclined(account_id=ANNA, invoice_id="inv_1", code="card_declined")
        await house.tell(billing.events.TOPIC, ANNA, declined)
        await house.tell(billing.events.TOPIC, ANNA, declined)
    after = await house.fraud.judge_card(asked)
    assert (before.step, after.step) == ("pass", "wait")
    assert any(each.text == "3 were declined" for each in after.reasons)
    assert (await house.fraud.judge_card(JudgeCard(account_id=BEN))).step == "pass"


async def test_a_card_that_never_began_a_subscription_was_declined(house: House) -> None:
    await house.give(ANNA, "card_1")
    for state in ("active", "ended"):
        changed = SubscriptionChanged(
            account_id=ANNA,
            subscription_id="sub_1",
            plan_id="small",
            before="incomplete",
            state=state,
        )
        await house.tell(billing.events.TOPIC, ANNA, changed)
    async with house.database.transaction() as transaction:
        found = await transaction.execute(text("select count(declined_at) from fraud.card"))
        assert found.scalar_one() == 1


async def test_of_an_account_that_is_no_more_nothing_is_kept(house: House) -> None:
    for account_id in (ANNA, BEN):
        for number in range(7):
            await house.give(account_id, f"card_{number}")
        await house.fraud.judge_card(JudgeCard(account_id=account_id))
        await house.fraud.note_play(
            NotePlay(account_id=account_id, login="lgn_1", client_address="192.0.2.1")
        )
    await house.fraud.flush()
    deleted = AccountDeleted(account_id=ANNA, profile_ids=[ProfileId("prf_anna")])
    for _ in range(2):
        await house.tell(identity.TOPIC, ANNA, deleted)
        assert await house.kept(ANNA) == {"finding": 0, "card": 0, "seen": 0}
    assert await house.kept(BEN) == {"finding": 1, "card": 7, "seen": 1}


async def test_what_is_old_is_dropped(house: House) -> None:
    for number in range(7):
        await house.give(ANNA, f"card_{number}")
    await house.fraud.judge_card(JudgeCard(account_id=ANNA))
    await house.fraud.note_play(NotePlay(account_id=ANNA, login="l", client_address="192.0.2.1"))
    await house.fraud.flush()
    await house.fraud.tidy()
    assert await house.kept(ANNA) == {"finding": 1, "card": 7, "seen": 1}
    house.clock.advance(60 * 86_400)
    await house.fraud.tidy()
    assert await house.kept(ANNA) == {"finding": 0, "card": 0, "seen": 0}


async def test_cards_given_to_one_process_are_known_to_the_next(house: House) -> None:
    for number in range(8):
        await house.give(ANNA, f"card_{number}")
    again, _ = built(house.database, house.clock)
    assert (await again.judge_card(JudgeCard(account_id=ANNA))).step != "pass"


async def test_without_the_database_logins_are_judged_and_findings_wait() -> None:
    clock = ManualClock()
    database = Database(NOWHERE, pool_size=1, wait_s=0.1)
    service, _ = built(database, clock)
    for number in range(200):
        await service.note_login(
            NoteLogin(email=f"x{number}@films.example", client_address="", opened=False)
        )
    assert (await service.judge_login(JudgeLogin(email="anna@films.example"))).step == "proof"
    await service.note_play(NotePlay(account_id=ANNA, login="l", client_address="192.0.2.1"))
    for _ in range(2):
        with pytest.raises(Unavailable):
            await service.flush()
    await database.close()


async def test_findings_that_waited_for_the_database_are_kept(house: House) -> None:
    for number in range(7):
        await house.give(ANNA, f"card_{number}")
    await house.fraud.judge_card(JudgeCard(account_id=ANNA))
    async with house.database.transaction() as transaction:
        await transaction.execute(text("alter table fraud.finding rename to away"))
    with pytest.raises(Exception, match="finding"):
        await house.fraud.flush()
    async with house.database.transaction() as transaction:
        await transaction.execute(text("alter table fraud.away rename to finding"))
    found = await house.fraud.explain(ExplainAccount(account_id=ANNA))
    assert [each.kind for each in found.findings] == ["cards"]
