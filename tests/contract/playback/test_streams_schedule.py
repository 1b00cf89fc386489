"""Seeded schedules of one account's devices, which begin at once, crash, come back, and live by a
clock that jumps: at no moment do more plays go on than the plan allows, and nobody is locked out
for longer than a lease."""

import asyncio
import random

import pytest
from sqlalchemy import text

from cuemark.contexts.playback.model.streams import LEASE
from cuemark.contracts.billing.plans import Allowance, Money, Plan, Price
from cuemark.contracts.billing.subscriptions import AddTestCard, Subscribe
from cuemark.contracts.playback import (
    CannotPlayNow,
    EndPlay,
    GetPlay,
    Play,
    Playback,
    StartPlay,
    UnknownPlay,
)
from cuemark.contracts.playback.streams import TooManyStreams
from tests.contract.playback.conftest import FILM, OWNER, PROFILE, House
from tests.unit.gateway.neighbours.billing import GOOD_CARD

STREAMS = 2
DEVICES = ["tv", "phone", "tablet", "kitchen", ""]
LEASE_S = LEASE.total_seconds()
STEPS = 25


class Household:
    """Devices of one account, each with what it believes that it plays."""

    def __init__(self, house: House, seed: int) -> None:
        self._house = house
        self._draw = random.Random(seed)
        # Two processes that serve the same install.
        self._services: list[Playback] = [house.build(sells=True), house.build(sells=True)]
        self._plays: list[tuple[str, Play]] = []
        self.refused = 0
        self.begun = 0

    async def step(self) -> None:
        deed = self._draw.choice(["begin"] * 4 + ["report"] * 4 + ["end", "crash", "clock", "jump"])
        if deed == "begin":
            await self._begin_at_once(self._draw.randint(1, 4))
        elif deed == "report":
            await asyncio.gather(*(self._report(*each) for each in list(self._plays)))
        elif deed == "end" and self._plays:
            _, play = self._plays.pop(self._draw.randrange(len(self._plays)))
            await self._service().end(EndPlay(session_id=play.session_id, account_id=OWNER))
        elif deed == "crash" and self._plays:
            self._plays.pop(self._draw.randrange(len(self._plays)))
        elif deed == "clock":
            await self._pass(self._draw.choice([1, 30, LEASE_S - 1, LEASE_S + 1]))
        elif deed == "jump":
            self._house.clock.jump(self._draw.choice([-3600, -LEASE_S, 3600]))
            await self._pass(1)

    async def going_on(self) -> int:
        """How many plays could go on just now: what tokens and licences are out for."""
        async with self._house.database.transaction() as transaction:
            found = await transaction.execute(
                text(
                    "select count(*) from playback.session "
                    "where ended_at is null and expires_at > :now"
                ),
                {"now": self._house.clock.now()},
            )
            return int(found.scalar_one())

    async def anybody_begins(self) -> None:
        """All devices have crashed: after a lease, a new one may begin, whatever was before."""
        self._plays.clear()
        self._house.clock.advance(0.001)
        await self._house.report()
        for _ in range(2):
            # The first try finds clocks that were ahead.
            try:
                await self._begin("new")
            except TooManyStreams:
                await self._pass(LEASE_S)
            else:
                return
        pytest.fail("an account was locked out for longer than a lease")

    def _service(self) -> Playback:
        return self._draw.choice(self._services)

    async def _begin_at_once(self, many: int) -> None:
        await asyncio.gather(*(self._try(self._draw.choice(DEVICES)) for _ in range(many)))

    async def _try(self, device_id: str) -> None:
        try:
            await self._begin(device_id)
        except (TooManyStreams, CannotPlayNow):
            # The second where the machine has so much to do that a part was late.
            self.refused += 1

    async def _begin(self, device_id: str) -> None:
        instead = (
            self._draw.choice(self._plays)[1] if self._draw.random() < 0.2 and self._plays else None
        )
        play = await self._service().start(
            StartPlay(
                account_id=OWNER,
                profile_id=PROFILE,
                title_id=FILM,
                device_id=device_id,
                instead_of=instead.session_id if instead else None,
            )
        )
        self.begun += 1
        self._plays.append((device_id, play))

    async def _report(self, device_id: str, play: Play) -> None:
        try:
            request = GetPlay(session_id=play.session_id, account_id=OWNER)
            await self._service().get_play(request)
        except UnknownPlay:
            self._plays = [each for each in self._plays if each[1] is not play]

    async def _pass(self, seconds: float) -> None:
        self._house.clock.advance(seconds)
        await self._house.report()


@pytest.mark.parametrize("seed", range(12))
async def test_never_more_plays_go_on_than_the_plan_allows_and_nobody_is_locked_out(
    house: House, seed: int
) -> None:
    price = Price(money=Money(amount_minor=500, currency="EUR"))
    family = Plan(
        plan_id="family", name="Family", prices=[price], allowance=Allowance(streams=STREAMS)
    )
    await house.till.put_plan(family)
    card = await house.till.add_test_card(AddTestCard(number=GOOD_CARD))
    await house.till.subscribe(
        Subscribe(account_id=OWNER, plan_id="family", territory="DE", card=card.token)
    )
    # So that no jump of the clock leads to before the plan was bought.
    house.clock.advance(7 * 86_400)
    await house.report()
    household = Household(house, seed)
    for _ in range(STEPS):
        await household.step()
        assert await household.going_on() <= STREAMS
    await household.anybody_begins()
    assert await household.going_on() <= STREAMS
    assert household.begun
