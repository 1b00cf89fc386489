"""What the use cases of identity share: what they are built from, and how a password is checked."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from cuemark.contexts.identity.model import credentials, limits
from cuemark.contexts.identity.model.factors import FactorKeys
from cuemark.contexts.identity.model.letters import Service
from cuemark.contexts.identity.model.limits import Limit
from cuemark.contexts.identity.model.passkeys import RelyingParty
from cuemark.contexts.identity.service.memory import Remembered
from cuemark.contexts.identity.store import accounts, codes, logins
from cuemark.contracts.identity import TOPIC, Account, NotLoggedIn, TooManyLogins
from cuemark.contracts.identity.changing import WrongPassword
from cuemark.contracts.identity.joining import TooManyTries
from cuemark.contracts.identity.logins import LoginEnded
from cuemark.contracts.ids import AccountId, LoginId
from cuemark.kit.bulkhead import Bulkhead, BulkheadFull, Place
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database, Transaction
from cuemark.kit.ids import Ids
from cuemark.kit.mail.post import Post
from cuemark.kit.outbox import Log

NO_LOGIN = LoginId("")


@dataclass(frozen=True)
class Parts:
    """``service`` is in whose name letters are written; ``open`` whether anybody may sign up.
    ``party`` is to whom passkeys are bound, and None where there can be none."""

    database: Database
    log: Log
    clock: Clock
    ids: Ids
    passwords: credentials.Passwords
    bulkhead: Bulkhead
    post: Post
    remembered: Remembered
    service: Service
    open: bool
    keys: FactorKeys
    party: RelyingParty | None

    @contextlib.contextmanager
    def place(self, rank: int = 0) -> Iterator[Place]:
        """A place for one password check; ``TooManyLogins`` where there is none.

        Rank 0 is for whoever is known already: a member, a code that came by mail.
        """
        try:
            with self.bulkhead.place(rank) as place:
                yield place
        except BulkheadFull as error:
            raise TooManyLogins("Too many logins at once: try again in a moment.") from error

    async def hashed(self, password: str) -> str:
        """The hash of a password that has passed its check."""
        with self.place() as place:
            return await place.run(lambda: self.passwords.hash(password))

    async def end_logins(
        self, transaction: Transaction, account_id: AccountId, keep: LoginId = NO_LOGIN
    ) -> int:
        """End the logins of an account but ``keep``, with what would open one; how many."""
        ended = await logins.end_logins(transaction, account_id, keep)
        await self.tell_ended(transaction, account_id, ended)
        return len(ended)

    async def tell_ended(
        self, transaction: Transaction, account_id: AccountId, login_ids: Sequence[LoginId]
    ) -> None:
        """Tell the log of logins of an account that are ended in this transaction."""
        told = [LoginEnded(account_id=account_id, login_id=login_id) for login_id in login_ids]
        await self.log.append_all(transaction, TOPIC, [(account_id, each) for each in told])

    async def count(self, limit: Limit, subject: str) -> None:
        """Count a try in a transaction of its own, so that it counts whatever comes of it.

        Raises ``TooManyTries``. Nobody in particular is not limited.
        """
        if not subject:
            return
        tries, left = await self._counted(limit, subject)
        if tries > limit.most:
            raise TooManyTries(limits.sentence_of(limit, left))

    async def tried(self, limit: Limit, subject: str) -> int:
        """Count a try so; how many there were within the window, with this one."""
        return (await self._counted(limit, subject))[0]

    async def _counted(self, limit: Limit, subject: str) -> tuple[int, timedelta]:
        now = self.clock.now()
        async with self.database.transaction() as transaction:
            tries, ends_at = await codes.count_try(
                transaction, limits.key_of(limit, subject), now, now + limit.window
            )
        return tries, ends_at - now

    async def forget(self, limit: Limit, subject: str) -> None:
        """Begin to count anew, since the last try was right."""
        async with self.database.transaction() as transaction:
            await codes.forget_tries(transaction, limits.key_of(limit, subject))

    async def confirmed(self, account_id: AccountId, password: str) -> Account:
        """The account of a member who knows its password; ``WrongPassword``, ``TooManyTries``.

        A login alone does not do for what cannot be taken back: somebody may have left it open.
        """
        await self.count(limits.PASSWORDS, account_id)
        async with self.database.transaction() as transaction:
            found = await accounts.with_hash(transaction, account_id)
        if found is None:
            raise NotLoggedIn("The account is no more.")
        account, password_hash = found
        if password_hash is None:
            raise WrongPassword(
                "This account has no password yet: choose one by a letter, as if it was forgotten."
            )
        with self.place() as place:
            right = await place.run(
                lambda: self.passwords.matches(password_hash, credentials.normalized(password))
            )
        if not right:
            raise WrongPassword("The password is not right.")
        await self.forget(limits.PASSWORDS, account_id)
        return account
