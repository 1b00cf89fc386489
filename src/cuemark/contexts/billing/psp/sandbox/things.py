"""What the sandbox remembers: the tables of its SQLite, and what stands in them."""

from typing import Literal

import msgspec

SCHEMA = """
create table if not exists state (name text primary key, value integer not null);
create table if not exists card (token text primary key, number text not null);
create table if not exists thing (key text primary key, ref text unique, body blob not null);
create table if not exists due (key text primary key, at_s integer not null);
create table if not exists movement (
  id integer primary key autoincrement, key text not null, what text not null,
  amount_minor integer not null, currency text not null, at_s integer not null);
create table if not exists event (
  id integer primary key autoincrement, key text not null, due_at_s integer not null,
  tries integer not null default 0, done integer not null default 0);
create index if not exists event_due on event (done, due_at_s);
create table if not exists fault (
  id integer primary key autoincrement, name text not null, operation text not null,
  times integer not null);
"""
"""``due`` says when the bank at the other end has something to say of a debit."""


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """A mandate or a payment. ``since_s`` is when it came to its status. ``number`` is a card's, or
    of a ``debit`` the account's, empty until its owner has named it."""

    key: str
    ref: str
    kind: Literal["mandate", "payment"]
    number: str
    status: Literal["action", "ready", "authorized", "pending", "captured", "declined"]
    since_s: int
    return_url: str = ""
    amount_minor: int = 0
    currency: str = ""
    code: str = ""
    retryable: bool = True
    captured_minor: int = 0
    refunds: dict[str, int] = {}
    charged_back_minor: int = 0
    debit: bool = False

    @property
    def refunded_minor(self) -> int:
        return sum(self.refunds.values())

    @property
    def left_minor(self) -> int:
        """What was captured and has not gone back."""
        return self.captured_minor - self.refunded_minor - self.charged_back_minor
