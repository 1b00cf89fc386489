"""Identity on a real PostgreSQL, with its clock and the letters that it writes."""

import re
from dataclasses import dataclass

import argon2
from sqlalchemy import text

from cuemark.contexts.identity import wiring
from cuemark.contexts.identity.service import IdentityService
from cuemark.contracts.identity import (
    Account,
    Authenticate,
    CreateAccount,
    Login,
    LoginGranted,
    NotLoggedIn,
)
from cuemark.contracts.identity.joining import CompleteSignUp, SignUp
from cuemark.kit.clock import ManualClock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Log

EMAIL, PASSWORD = "ada@example.org", "correct horse battery"
KINO = wiring.Service("Kino", "https://films.example")


@dataclass(frozen=True)
class LetterSeen:
    recipient: str
    subject: str
    plain: str

    @property
    def code(self) -> str:
        found = re.search(r"#code=(\S+)", self.plain)
        return found[1] if found else ""


class House:
    """``identity`` with all that a test does with it; ``other`` is a second process of the same."""

    def __init__(self, database: Database, *, is_open: bool = True) -> None:
        self.database = database
        self.clock = ManualClock()
        self.log = Log(self.clock)
        self._is_open = is_open
        self.key = bytes(32)
        self.identity = self.built()

    def built(self) -> IdentityService:
        room = wiring.build(
            self.database,
            self.log,
            self.clock,
            Ids(self.clock),
            operator_token="operator",
            key=self.key,
            cost=argon2.profiles.CHEAPEST,
            signed_by=KINO,
            open_to_all=self._is_open,
        )
        assert isinstance(room.service, IdentityService)
        return room.service

    async def create(self, email: str = EMAIL, password: str | None = PASSWORD) -> Account:
        return await self.identity.create_account(CreateAccount(email=email, password=password))

    async def login(self, email: str = EMAIL, password: str = PASSWORD) -> LoginGranted:
        return await self.identity.login(Login(email=email, password=password))

    async def is_open(self, token: str) -> bool:
        """Whether a token opens anything, asked of a process that remembers nothing."""
        try:
            await self.built().authenticate(Authenticate(token=token))
        except NotLoggedIn:
            return False
        return True

    async def join(self, email: str = EMAIL) -> LoginGranted:
        await self.identity.sign_up(SignUp(email=email))
        letter = await self.letter(email)
        return await self.identity.complete_sign_up(
            CompleteSignUp(code=letter.code, password=PASSWORD)
        )

    async def letters(self, email: str = "") -> list[LetterSeen]:
        """The letters that wait, oldest first; to one address, if given."""
        async with self.database.transaction() as transaction:
            rows = await transaction.execute(
                text(
                    "select recipient, subject, plain from mail.letter "
                    "where :email in ('', recipient) order by letter_id"
                ),
                {"email": email},
            )
            return [LetterSeen(row.recipient, row.subject, row.plain) for row in rows]

    async def letter(self, email: str = EMAIL) -> LetterSeen:
        """The newest letter to an address."""
        return (await self.letters(email))[-1]

    async def count(self, table: str) -> int:
        async with self.database.transaction() as transaction:
            found = await transaction.execute(text(f"select count(*) from {table}"))
            return int(found.scalar_one())

    async def run(self, statement: str) -> list[str]:
        """Run SQL; the first column of its rows."""
        async with self.database.transaction() as transaction:
            done = await transaction.execute(text(statement))
            return list(done.scalars()) if done.returns_rows else []
