"""A schedule: members, operators, the clock, the provider and misfortune, as a seed has them."""

import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from cuemark.contexts.billing.model.calls import Found
from cuemark.contexts.billing.psp.sandbox import wire
from cuemark.contexts.billing.psp.sandbox.adapter import NoAnswer, SandboxPsp
from cuemark.contexts.billing.psp.sandbox.bank import Bank
from cuemark.contexts.billing.psp.sandbox.cards import CARDS
from cuemark.contexts.billing.psp.sandbox.desk import Desk, Hangup
from cuemark.contexts.billing.service import BillingService
from cuemark.contracts.billing.invoices import RefundInvoice, TakeWebhook
from cuemark.contracts.billing.plans import (
    Allowance,
    Coupon,
    Money,
    Plan,
    Price,
    TaxRule,
)
from cuemark.contracts.billing.subscriptions import (
    ChangePlan,
    ChangeSubscription,
    ReplaceCard,
    Subscribe,
)
from cuemark.contracts.ids import AccountId
from cuemark.kit.clock import ManualClock
from cuemark.kit.ids import Ids
from cuemark.lab.billing.invariants import Violated, Watch
from cuemark.lab.billing.memory import MemoryBooks
from cuemark.lab.billing.turns import Turns, pause

SECRET = "the lab's"
ACCOUNTS = 2
FAULTS: tuple[wire.FaultName, ...] = (
    "timeout_after_success",
    "timeout_after_success",
    "timeout_before",
    "unavailable",
    "decline",
    "decline_for_good",
)
OPERATIONS: tuple[wire.Operation, ...] = (
    "any",
    "mandate",
    "authorize",
    "capture",
    "capture",
    "refund",
    "fetch",
    "list",
)
DAY_S = 86400


@dataclass(frozen=True)
class Schedule:
    """What became of a seed. ``violation`` is empty where everything held."""

    seed: int
    steps: int
    violation: str
    told: tuple[str, ...]


class World:
    """One install of billing and its bank, under one seed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.clock, self.bank_clock = ManualClock(), ManualClock()
        self.books = MemoryBooks(pause)
        self.ids = Ids(self.clock, self.rng)
        connection = sqlite3.connect(":memory:")
        self.connection = connection
        self.bank = Bank(connection, self.bank_clock, "http://bank.test")
        self.desk = Desk(self.bank, SECRET)
        self.watch = Watch(self.books.kept, connection)
        self.turns = Turns(self.rng, self._look)
        self.accounts = [AccountId(self.ids.new("acc")) for _ in range(ACCOUNTS)]
        self.limbo: list[tuple[str, bytes]] = []
        self.held: list[tuple[int, bytes]] = []
        self.told: list[str] = []
        self.steps = 0
        self.calm = False
        self._open_shop()
        self.service = self._started()

    def _started(self) -> BillingService:
        psp = SandboxPsp(self._exchange, SECRET.encode())
        return BillingService(self.books, psp, self.clock, self.ids, None)

    def _open_shop(self) -> None:
        kept = self.books.kept
        for plan_id, minor, height, trial in (("small", 499, 720, 7), ("large", 1299, 2160, 0)):
            kept.plans[plan_id] = Plan(
                plan_id=plan_id,
                name=plan_id,
                prices=[Price(money=Money(amount_minor=minor, currency="EUR"))],
                allowance=Allowance(max_height=height),
                trial_days=trial if self.rng.random() < 0.5 else 0,
            )
        since = self.clock.now()
        kept.taxes["DE", since] = TaxRule(territory="DE", rate_bp=1900, since=since)
        kept.coupons["HALF"] = (Coupon(code="HALF", percent_bp=5000, periods=2), 0)
        kept.coupons["FREE"] = (Coupon(code="FREE", percent_bp=10_000, periods=1), 0)

    def _look(self) -> None:
        self.steps += 1
        self.watch.look(self.clock.now())

    async def _exchange(self, path: str, body: bytes) -> tuple[int, bytes]:
        """The network: a request may be lost, come late, or its answer may be lost."""
        await pause()
        luck = 1.0 if self.calm else self.rng.random()
        if luck < 0.03:
            self.limbo.append((path, body))
            raise NoAnswer("the request is somewhere")
        try:
            reply = self.desk.answer("POST", path, body, f"Bearer {SECRET}")
        except Hangup as error:
            raise NoAnswer("no answer") from error
        await pause()
        if luck < 0.08:
            raise NoAnswer("the answer is lost")
        return reply.status, reply.body

    def run(self, acts: int) -> None:
        kinds: list[tuple[int, Callable[[], None]]] = [
            (16, self._wait),
            (12, self._member),
            (22, self._work),
            (9, self._webhooks),
            (4, self._crash),
            (5, self._fault),
            (2, self._charge_back),
            (4, self._refund),
            (5, self._owner_acts),
            (2, self._late_request),
            (2, self._clock_jumps),
        ]
        chosen = self.rng.choices([act for _, act in kinds], [each for each, _ in kinds], k=acts)
        for act in chosen:
            self.told.append(act.__name__.strip("_"))
            act()
            self.turns.take(self.rng.randrange(0, 25))
            self._look()
        self._quiet_down()

    def _quiet_down(self) -> None:
        """No more misfortune: what is left to do is done, and then all must be in order."""
        self.told.append("quiet_down")
        self.calm = True
        self.bank.clear_faults()
        self.turns.finish()
        seen = [book.seen_at for book, _ in self.books.kept.books.values()]
        behind = max(seen, default=self.clock.now()) - self.clock.now()
        self.clock.advance(max(0.0, behind.total_seconds()))
        for _ in range(12):
            self._late_request()
            self.bank_clock.advance(2 * 3600)
            self.clock.advance(2 * 3600)
            for _ in range(200):
                done = self.books.kept.cursor, len(self.books.kept.entries)
                self.turns.begin(self.service.work())
                self.turns.finish()
                if done == (self.books.kept.cursor, len(self.books.kept.entries)):
                    break
        self.watch.settle(self.clock.now())

    def _wait(self) -> None:
        seconds = self.rng.choice((60, 3600, DAY_S, 3 * DAY_S, 9 * DAY_S, 31 * DAY_S))
        seconds += self.rng.randrange(600)
        self.clock.advance(seconds)
        self.bank_clock.advance(seconds)
        self._work()

    def _clock_jumps(self) -> None:
        self.clock.jump(self.rng.choice((-2 * DAY_S, -3600, -60, 3600, 2 * DAY_S)))

    def _work(self) -> None:
        self.turns.begin(self.service.work())

    def _crash(self) -> None:
        self.turns.strike()
        self.service = self._started()

    def _fault(self) -> None:
        self.bank.set_fault(
            wire.Fault(
                name=self.rng.choice(FAULTS),
                operation=self.rng.choice(OPERATIONS),
                times=self.rng.choice((1, 1, 2, 5)),
            )
        )

    def _member(self) -> None:
        account_id = self.rng.choice(self.accounts)
        book, _ = self.books.kept.books.get(account_id, (None, None))
        agreement = book.agreement if book else None
        if agreement is None or agreement.state == "ended" or self.rng.random() < 0.05:
            self.turns.begin(
                self.service.subscribe(
                    Subscribe(
                        account_id=account_id,
                        plan_id=self.rng.choice(("small", "large")),
                        territory=self.rng.choice(("DE", "US")),
                        card=self._card(),
                        coupon=self.rng.choice(("", "", "HALF", "FREE")),
                    )
                )
            )
            return
        change = self.rng.choice(("cancel", "pause", "resume", "resume", "plan", "plan", "card"))
        if change == "plan":
            plan_id = self.rng.choice(("small", "large", "large"))
            asked = ChangePlan(account_id=account_id, plan_id=plan_id)
            self.turns.begin(self.service.change_plan(asked))
        elif change == "card":
            card = ReplaceCard(account_id=account_id, card=self._card())
            self.turns.begin(self.service.replace_card(card))
        else:
            wanted = msgspec.convert(
                {"account_id": account_id, "change": change}, ChangeSubscription
            )
            self.turns.begin(self.service.change_subscription(wanted))

    def _card(self) -> str:
        good = next(iter(CARDS))
        number = good if self.rng.random() < 0.7 else self.rng.choice(list(CARDS))
        return self.bank.tokenize(number).ref

    def _webhooks(self) -> None:
        """Each is sent, lost, doubled, or held back until others were sent."""
        sent = [*self.held]
        self.held = []
        for number, event in self.bank.due_events():
            luck = self.rng.random()
            body = msgspec.json.encode(event)
            if luck < 0.15:
                self.bank.event_sent(number)
            elif luck < 0.3:
                self.bank.event_sent(number)
                self.held.append((number, body))
            else:
                if luck < 0.8:
                    self.bank.event_sent(number)
                sent.append((number, body))
        self.rng.shuffle(sent)
        for _, body in sent:
            signature = wire.signature_of(SECRET.encode(), body)
            self.turns.begin(self.service.take_webhook(TakeWebhook(body=body, signature=signature)))

    def _charge_back(self) -> None:
        captured = self._things("captured")
        if captured:
            self.bank.charge_back(self.rng.choice(captured))

    def _refund(self) -> None:
        paid = [bill for bill in self.books.kept.bills.values() if bill.invoice.status == "paid"]
        if paid:
            invoice = self.rng.choice(paid).invoice
            amount = self.rng.choice((None, 1, invoice.total_minor // 3))
            asked = RefundInvoice(invoice_id=invoice.invoice_id, amount_minor=amount)
            self.turns.begin(self.service.refund_invoice(asked))

    def _owner_acts(self) -> None:
        for key in self._things("action"):
            self.bank.act(key, approve=self.rng.random() < 0.8)

    def _late_request(self) -> None:
        """What was lost on the way arrives after all; nobody waits for its answer."""
        while self.limbo:
            path, body = self.limbo.pop(self.rng.randrange(len(self.limbo)))
            try:
                self.desk.answer("POST", path, body, f"Bearer {SECRET}")
            except Hangup:
                continue

    def _things(self, status: str) -> list[str]:
        keys = [row[0] for row in self.connection.execute("select key from thing order by key")]
        found: list[tuple[str, Found]] = [(key, self.bank.find(key)) for key in keys]
        return [key for key, each in found if each.status == status]


def run(seed: int, acts: int = 60) -> Schedule:
    """One schedule, from its seed alone."""
    world = World(seed)
    violation = ""
    try:
        world.run(acts)
    except (Violated, AssertionError) as error:
        violation = str(error) or type(error).__name__
    finally:
        world.turns.strike()
        world.connection.close()
    return Schedule(seed, world.steps, violation, tuple(world.told))
