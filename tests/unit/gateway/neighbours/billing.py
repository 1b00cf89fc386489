"""Billing itself, on the lab's store and a bank in memory: nothing of it is made for tests."""

import asyncio
import sqlite3

from cuemark.contexts.billing.psp.sandbox import wire
from cuemark.contexts.billing.psp.sandbox.adapter import SandboxPsp
from cuemark.contexts.billing.psp.sandbox.bank import Bank
from cuemark.contexts.billing.psp.sandbox.desk import Desk
from cuemark.contexts.billing.service import BillingService
from cuemark.contexts.billing.service.timing import SandboxTime
from cuemark.contracts.billing.plans import Allowance, Money, Plan, Price
from cuemark.kit.clock import Clock
from cuemark.kit.errors import Unavailable
from cuemark.kit.ids import Ids
from cuemark.lab.billing.memory import MemoryBooks

SECRET = "the till's"
GOOD_CARD = "4242424242424242"


class Till(BillingService):
    """One plan is on sale everywhere for 5 euros."""

    def __init__(self, clock: Clock) -> None:
        connection = sqlite3.connect(":memory:", check_same_thread=False)
        self.desk = Desk(Bank(connection, clock, "http://bank.test"), SECRET)
        psp = SandboxPsp(self._exchange, SECRET.encode())
        self.away = False
        self.books = books = MemoryBooks(self._pause)
        time = SandboxTime(clock, psp)
        super().__init__(books, psp, time, Ids(clock), time)
        price = Price(money=Money(amount_minor=500, currency="EUR"))
        plan = Plan(
            plan_id="small", name="Small", prices=[price], allowance=Allowance(max_height=540)
        )
        books.kept.plans["small"] = plan

    async def _pause(self) -> None:
        if self.away:
            raise Unavailable("the till is away")
        await asyncio.sleep(0)

    async def _exchange(self, path: str, body: bytes) -> tuple[int, bytes]:
        reply = self.desk.answer("POST", path, body, f"Bearer {SECRET}")
        return reply.status, reply.body

    def signed(self, body: bytes) -> str:
        """The signature under a webhook of the bank's."""
        return wire.signature_of(SECRET.encode(), body)
