"""The sandbox's mind: cards, mandates, payments, movements and webhooks, kept in SQLite.

Every request is one transaction. The same key gives the same answer, whatever else the request
says, and moves money once.
"""

import sqlite3
from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from cuemark.contexts.billing.model.calls import Found, Movement, Movements
from cuemark.contexts.billing.psp.sandbox import wire
from cuemark.contexts.billing.psp.sandbox.accounts import ACCOUNTS
from cuemark.contexts.billing.psp.sandbox.cards import CARDS, Behavior
from cuemark.contexts.billing.psp.sandbox.things import SCHEMA, Thing
from cuemark.kit.clock import Clock

DAY_S = 86400
ACTION_LASTS_S = 3600
AUTHORIZATION_LASTS_S = 7 * DAY_S
MOST_MOVEMENTS = 500


class Rejected(Exception):
    """The request makes no sense to the bank; the text says why."""


class Bank:
    """``url`` is where its pages are reached."""

    def __init__(self, connection: sqlite3.Connection, clock: Clock, url: str) -> None:
        self._db = connection
        self._clock = clock
        self._url = url
        connection.executescript(SCHEMA)

    def now_s(self) -> int:
        return int(self._clock.now().timestamp()) + self.ahead_s()

    def ahead_s(self) -> int:
        return self._state("ahead_s")

    def advance(self, seconds: int) -> None:
        if not 0 <= seconds <= 3660 * DAY_S:
            raise Rejected("the clock goes forward, by ten years at most")
        with self._db:
            self._set_state("ahead_s", self.ahead_s() + seconds)

    def tokenize(self, number: str) -> wire.Answer:
        digits = number.replace(" ", "")
        if digits not in CARDS:
            return wire.Answer(status="declined", code="unknown_test_card", retryable=False)
        with self._db:
            token = f"card_{self._next('card')}"
            self._db.execute("insert into card values (?, ?)", (token, digits))
        return wire.Answer(status="succeeded", ref=token)

    def set_up(self, asked: wire.MandateAsked) -> wire.Answer:
        with self._db:
            thing = self._thing(asked.key)
            if thing is None:
                number = self._number_of(asked.card)
                thing = self._new(asked.key, "mandate", number, asked.return_url)
                self._keep(thing, tell=False)
            return self._answer(thing)

    def set_up_debit(self, asked: wire.DebitMandateAsked) -> wire.Answer:
        """A mandate for direct debits: its owner names the account on the bank's page."""
        with self._db:
            thing = self._thing(asked.key)
            if thing is None:
                thing = replace(
                    self._new(asked.key, "mandate", "", asked.return_url),
                    status="action",
                    debit=True,
                )
                self._keep(thing, tell=False)
            return self._answer(thing)

    def authorize(self, asked: wire.PaymentAsked, fault: wire.FaultName | None) -> wire.Answer:
        with self._db:
            thing = self._thing(asked.key)
            if thing is None:
                mandate = self._by_ref(asked.mandate)
                if mandate is None or mandate.kind != "mandate" or mandate.status != "ready":
                    return wire.Answer(status="declined", code="no_mandate", retryable=False)
                if asked.amount_minor <= 0:
                    raise Rejected("an amount is more than zero")
                thing = self._new(asked.key, "payment", mandate.number, mandate.return_url)
                thing = replace(
                    thing,
                    amount_minor=asked.amount_minor,
                    currency=asked.currency,
                    debit=mandate.debit,
                )
                if fault in ("decline", "decline_for_good"):
                    thing = replace(
                        thing,
                        status="declined",
                        code="card_declined",
                        retryable=fault == "decline",
                    )
                self._keep(thing, tell=thing.status != "action")
            return self._answer(thing)

    def capture(self, asked: wire.CaptureAsked) -> wire.Answer:
        self._hear_banks()
        with self._db:
            thing = self._payment(asked.ref)
            if thing.status == "authorized":
                if asked.amount_minor != thing.amount_minor:
                    raise Rejected("what is captured is what was authorized")
                if thing.debit:
                    return self._collect(thing)
                thing = replace(
                    thing,
                    status="captured",
                    captured_minor=asked.amount_minor,
                    since_s=self.now_s(),
                )
                self._keep(thing)
                self._move(thing, "capture", asked.amount_minor)
            if thing.status == "pending":
                return self._answer(thing)
            if thing.status != "captured":
                return wire.Answer(
                    status="declined", code=thing.code or "not_authorized", retryable=True
                )
            return wire.Answer(status="succeeded", ref=thing.ref)

    def refund(self, asked: wire.RefundAsked) -> wire.Answer:
        self._hear_banks()
        with self._db:
            thing = self._payment(asked.ref)
            if asked.key not in thing.refunds:
                if not 0 < asked.amount_minor <= thing.left_minor:
                    return wire.Answer(status="declined", code="too_much", retryable=False)
                thing = replace(thing, refunds=thing.refunds | {asked.key: asked.amount_minor})
                self._keep(thing)
                self._move(thing, "refund", asked.amount_minor)
            return wire.Answer(status="succeeded", ref=asked.key)

    def charge_back(self, key: str) -> None:
        """The owner disputes a payment: the bank takes back what is left of it."""
        self._hear_banks()
        with self._db:
            thing = self._thing(key)
            if thing is None or thing.status != "captured":
                raise Rejected("only what was captured can be charged back")
            self._take_back(thing)

    def _take_back(self, thing: Thing) -> None:
        left = thing.left_minor
        if left > 0:
            self._keep(replace(thing, charged_back_minor=thing.charged_back_minor + left))
            self._move(thing, "chargeback", left)

    def _collect(self, thing: Thing) -> wire.Answer:
        """Ask the bank of a debit for the money, which takes it days."""
        waits = replace(thing, status="pending", since_s=self.now_s())
        self._keep(waits)
        self._due(thing.key, ACCOUNTS[thing.number].after_days)
        return self._answer(waits)

    def _due(self, key: str, in_days: int) -> None:
        self._db.execute(
            "insert into due values (?, ?) on conflict (key) do update set at_s = ?2",
            (key, self.now_s() + in_days * DAY_S),
        )

    def _hear_banks(self) -> None:
        """What banks say of debits by now: that they pay, or not, or have it back."""
        due = "select key from due where at_s <= ? order by at_s, key"
        rows = self._db.execute(due, (self.now_s(),)).fetchall()
        with self._db:
            for (key,) in rows:
                self._db.execute("delete from due where key = ?", (key,))
                thing = self._thing(key)
                if thing is not None and thing.status == "captured":
                    self._take_back(thing)
                elif thing is not None:
                    self._hear(thing)

    def _hear(self, thing: Thing) -> None:
        conduct = ACCOUNTS[thing.number]
        heard = replace(
            thing,
            status="declined" if conduct.code else "captured",
            code=conduct.code,
            retryable=conduct.retryable,
            captured_minor=0 if conduct.code else thing.amount_minor,
            since_s=self.now_s(),
        )
        self._keep(heard)
        if not conduct.code:
            self._move(heard, "capture", heard.amount_minor)
            if conduct.returned_after_days:
                self._due(heard.key, conduct.returned_after_days)

    def asks_for_account(self, key: str) -> bool:
        """Whether the page of a key asks its owner for an account."""
        thing = self._thing(key)
        return thing is not None and thing.debit and thing.status == "action"

    def act(self, key: str, *, approve: bool, account: str = "") -> str:
        """What the owner says on the page; where the page leads then, empty for nowhere."""
        with self._db:
            thing = self._thing(key)
            if thing is None:
                raise Rejected("there is nothing to approve here")
            if thing.status == "action":
                done: Literal["ready", "authorized"] = (
                    "ready" if thing.kind == "mandate" else "authorized"
                )
                number = account.replace(" ", "").upper()
                if approve and thing.debit and number not in ACCOUNTS:
                    raise Rejected("this is no account of a test")
                after = replace(thing, status=done, since_s=self.now_s())
                if thing.debit:
                    after = replace(after, number=number)
                if not approve:
                    after = replace(after, status="declined", code="authentication_failed")
                self._keep(after)
            return thing.return_url

    def find(self, key: str) -> Found:
        self._hear_banks()
        with self._db:
            thing = self._thing(key)
        if thing is None:
            return Found(status="absent")
        return Found(
            status=thing.status,
            ref=thing.ref,
            url=self._page_of(thing),
            code=thing.code,
            retryable=thing.retryable,
            captured_minor=thing.captured_minor,
            refunded_minor=thing.refunded_minor,
            charged_back_minor=thing.charged_back_minor,
            refund_keys=tuple(thing.refunds),
        )

    def movements(self, after: int, limit: int) -> Movements:
        self._hear_banks()
        rows = self._db.execute(
            "select id, key, what, amount_minor, currency, at_s from movement "
            "where id > ? order by id limit ?",
            (after, min(max(limit, 1), MOST_MOVEMENTS)),
        ).fetchall()
        found = [
            Movement(
                movement_id=str(row[0]),
                key=row[1],
                what=row[2],
                amount_minor=row[3],
                currency=row[4],
                at_s=row[5],
            )
            for row in rows
        ]
        return Movements(movements=found, cursor=str(rows[-1][0] if rows else after))

    def set_fault(self, fault: wire.Fault) -> None:
        with self._db:
            self._db.execute(
                "insert into fault (name, operation, times) values (?, ?, ?)",
                (fault.name, fault.operation, fault.times),
            )

    def clear_faults(self) -> None:
        with self._db:
            self._db.execute("delete from fault")

    def fault_for(self, operation: wire.Operation) -> wire.FaultName | None:
        """The fault that a request of this operation meets, which is one less then."""
        return self._take_fault("operation in (?, 'any') and name not like 'webhook%'", operation)

    def due_events(self, limit: int = 50) -> Sequence[tuple[int, wire.Event]]:
        """The webhooks that are to be sent now, in their order."""
        self._hear_banks()
        rows = self._db.execute(
            "select id, key from event where not done and due_at_s <= ? order by due_at_s, id "
            "limit ?",
            (self.now_s(), limit),
        ).fetchall()
        return [(row[0], wire.Event(event_id=f"evt_{row[0]}", key=row[1])) for row in rows]

    def event_sent(self, number: int) -> None:
        with self._db:
            self._db.execute("update event set done = 1 where id = ?", (number,))

    def event_missed(self, number: int, most_tries: int = 8) -> None:
        """Try again later, twice as late each time, ``most_tries`` times."""
        with self._db:
            self._db.execute(
                "update event set tries = tries + 1, done = (tries + 1 >= ?), "
                "due_at_s = ? + (30 << tries) where id = ?",
                (most_tries, self.now_s(), number),
            )

    def webhook_fault(self) -> wire.FaultName | None:
        return self._take_fault("name like 'webhook%' and ? = ?", "any", "any")

    def _take_fault(self, where: str, *values: str) -> wire.FaultName | None:
        row = self._db.execute(
            f"select id, name from fault where times > 0 and {where} order by id limit 1", values
        ).fetchone()
        if row is None:
            return None
        with self._db:
            self._db.execute("update fault set times = times - 1 where id = ?", (row[0],))
        name: wire.FaultName = row[1]
        return name

    def _new(
        self, key: str, kind: Literal["mandate", "payment"], number: str, return_url: str
    ) -> Thing:
        behavior = CARDS.get(number, Behavior("a bank's"))
        thing = Thing(
            key=key,
            ref=f"{kind}_{self._next(kind)}",
            kind=kind,
            number=number,
            status="ready" if kind == "mandate" else "authorized",
            since_s=self.now_s(),
            return_url=return_url,
        )
        if behavior.asks == kind:
            return replace(thing, status="action")
        if kind == "payment" and behavior.code:
            return replace(
                thing, status="declined", code=behavior.code, retryable=behavior.retryable
            )
        return thing

    def _answer(self, thing: Thing) -> wire.Answer:
        if thing.status == "declined":
            return wire.Answer(status="declined", code=thing.code, retryable=thing.retryable)
        if thing.status == "action":
            return wire.Answer(status="action", ref=thing.ref, url=self._page_of(thing))
        if thing.status == "pending":
            return wire.Answer(status="pending", ref=thing.ref)
        return wire.Answer(status="succeeded", ref=thing.ref)

    def _page_of(self, thing: Thing) -> str:
        return f"{self._url}/pages/{thing.ref}" if thing.status == "action" else ""

    def key_of(self, ref: str) -> str:
        """The key of a mandate or payment; raises ``Rejected``."""
        thing = self._by_ref(ref)
        if thing is None:
            raise Rejected("there is nothing to approve here")
        return thing.key

    def _number_of(self, token: str) -> str:
        row = self._db.execute("select number from card where token = ?", (token,)).fetchone()
        if row is None:
            raise Rejected("there is no such card")
        number: str = row[0]
        return number

    def _thing(self, key: str) -> Thing | None:
        return self._read("select body from thing where key = ?", key)

    def _by_ref(self, ref: str) -> Thing | None:
        return self._read("select body from thing where ref = ?", ref)

    def _payment(self, ref: str) -> Thing:
        thing = self._by_ref(ref)
        if thing is None or thing.kind != "payment":
            raise Rejected("there is no such payment")
        return thing

    def _read(self, query: str, value: str) -> Thing | None:
        row = self._db.execute(query, (value,)).fetchone()
        if row is None:
            return None
        thing = msgspec.msgpack.decode(row[0], type=Thing)
        lasts_s = {"action": ACTION_LASTS_S, "authorized": AUTHORIZATION_LASTS_S}
        if self.now_s() - thing.since_s > lasts_s.get(thing.status, 1 << 62):
            thing = replace(thing, status="declined", code="expired", since_s=self.now_s())
            self._keep(thing)
        return thing

    def _keep(self, thing: Thing, *, tell: bool = True) -> None:
        self._db.execute(
            "insert into thing values (?, ?, ?) on conflict (key) do update set body = ?3",
            (thing.key, thing.ref, msgspec.msgpack.encode(thing)),
        )
        if tell:
            self._db.execute(
                "insert into event (key, due_at_s) values (?, ?)", (thing.key, self.now_s())
            )

    def _move(
        self, thing: Thing, what: Literal["capture", "refund", "chargeback"], amount_minor: int
    ) -> None:
        self._db.execute(
            "insert into movement (key, what, amount_minor, currency, at_s) values (?, ?, ?, ?, ?)",
            (thing.key, what, amount_minor, thing.currency, self.now_s()),
        )

    def _next(self, name: str) -> int:
        number = self._state(name) + 1
        self._set_state(name, number)
        return number

    def _state(self, name: str) -> int:
        row = self._db.execute("select value from state where name = ?", (name,)).fetchone()
        return row[0] if row else 0

    def _set_state(self, name: str, value: int) -> None:
        self._db.execute(
            "insert into state values (?, ?) on conflict (name) do update set value = ?2",
            (name, value),
        )
