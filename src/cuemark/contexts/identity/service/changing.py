"""Members change their password and their mail address, and leave.

Whoever has the password can change the address; whoever reads the old address's mail can take that
back for seven days, and then chooses the password anew.
"""

import asyncio

import structlog

from cuemark.contexts.identity.model import credentials, letters, limits
from cuemark.contexts.identity.service.accounts import code_spent, spent
from cuemark.contexts.identity.service.parts import Parts
from cuemark.contexts.identity.store import accounts, codes, logins, profiles
from cuemark.contexts.identity.store.codes import Code
from cuemark.contracts.identity import TOPIC, AccountExists, AccountInvalid, NotLoggedIn
from cuemark.contracts.identity.changing import (
    AccountDeleted,
    ChangeEmail,
    ChangePassword,
    ConfirmEmail,
    DeleteAccount,
    DeletionSet,
    RestoreEmail,
)
from cuemark.contracts.identity.joining import Done, LetterUnderway
from cuemark.contracts.ids import AccountId
from cuemark.kit.database import Transaction
from cuemark.kit.errors import Unavailable

ERASED_AT_ONCE = 50


class Changing:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def change_password(self, request: ChangePassword) -> Done:
        account = await self._parts.confirmed(request.account_id, request.old_password)
        password = credentials.checked_new_password(request.new_password, account.email)
        password_hash = await self._parts.hashed(password)
        token_sha256 = credentials.digest_of(request.token)
        async with self._parts.database.transaction() as transaction:
            await self._unchanged(transaction, account.account_id)
            keep = await logins.login_id_of(transaction, token_sha256)
            await accounts.set_password_hash(transaction, account.account_id, password_hash)
            await self._parts.end_logins(transaction, account.account_id, keep)
            await codes.drop_codes(transaction, account.account_id, "reset", "change_email")
            letter = letters.password_changed(self._parts.service, account.email)
            await self._parts.post.put(transaction, letter, useless_after=letters.NOTICE_LASTS)
        self._parts.remembered.end_all(account.account_id)
        return Done()

    async def change_email(self, request: ChangeEmail) -> LetterUnderway:
        """Whether another account has the new address is told to that address alone."""
        email = credentials.checked_email(request.email)
        account = await self._parts.confirmed(request.account_id, request.password)
        if email == account.email:
            raise AccountInvalid("This is the mail address of your account already.")
        await self._parts.count(limits.LETTERS, email)
        code, now = credentials.new_token(), self._parts.clock.now()
        async with self._parts.database.transaction() as transaction:
            taken = await accounts.account_by_email(transaction, email)
            await codes.drop_codes(transaction, account.account_id, "change_email")
            await codes.add_code(
                transaction,
                credentials.digest_of(code),
                Code("change_email", email, account.account_id),
                now,
                now if taken else now + letters.CHANGE_LASTS,
            )
            letter = (
                letters.address_taken(self._parts.service, email)
                if taken
                else letters.confirm_change(self._parts.service, email, code)
            )
            await self._parts.post.put(transaction, letter, useless_after=letters.CHANGE_LASTS)
            return LetterUnderway(delayed=await self._parts.post.is_closed(transaction))

    async def confirm_email(self, request: ConfirmEmail) -> Done:
        back, now = credentials.new_token(), self._parts.clock.now()
        async with self._parts.database.transaction() as transaction:
            code = await spent(self._parts, transaction, request.code, "change_email")
            account = code.account_id and await accounts.lock(transaction, code.account_id)
            if not account:
                raise code_spent()
            if not await accounts.set_email(transaction, account.account_id, code.email):
                raise AccountExists("This mail address has an account by now.")
            await codes.add_code(
                transaction,
                credentials.digest_of(back),
                Code("restore_email", account.email, account.account_id),
                now,
                now + letters.RESTORE_LASTS,
            )
            await codes.drop_codes(transaction, account.account_id, "reset")
            letter = letters.email_changed(self._parts.service, account.email, code.email, back)
            await self._parts.post.put(transaction, letter, useless_after=letters.RESTORE_LASTS)
        self._parts.remembered.end_all(account.account_id)
        return Done()

    async def restore_email(self, request: RestoreEmail) -> Done:
        """The password is void too, since whoever changed the address knew it."""
        reset, now = credentials.new_token(), self._parts.clock.now()
        async with self._parts.database.transaction() as transaction:
            code = await spent(self._parts, transaction, request.code, "restore_email")
            account = code.account_id and await accounts.lock(transaction, code.account_id)
            if not account:
                raise code_spent()
            account_id = account.account_id
            if not await accounts.set_email(transaction, account_id, code.email):
                raise AccountExists("This mail address has another account by now.")
            await accounts.set_password_hash(transaction, account_id, None)
            await accounts.set_erasure(transaction, account_id, None)
            await self._parts.end_logins(transaction, account_id)
            await codes.drop_codes(
                transaction, account_id, "reset", "change_email", "restore_email"
            )
            await codes.add_code(
                transaction,
                credentials.digest_of(reset),
                Code("reset", code.email, account_id),
                now,
                now + letters.RESET_LASTS,
            )
            letter = letters.reset(self._parts.service, code.email, reset)
            await self._parts.post.put(transaction, letter, useless_after=letters.RESET_LASTS)
        self._parts.remembered.end_all(account_id)
        return Done()

    async def delete(self, request: DeleteAccount) -> DeletionSet:
        """Every login ends now; the account is erased after ``letters.GRACE``."""
        account = await self._parts.confirmed(request.account_id, request.password)
        erased_at = self._parts.clock.now() + letters.GRACE
        async with self._parts.database.transaction() as transaction:
            await self._unchanged(transaction, account.account_id)
            await accounts.set_erasure(transaction, account.account_id, erased_at)
            await self._parts.end_logins(transaction, account.account_id)
            letter = letters.deletion_set(self._parts.service, account.email, erased_at)
            await self._parts.post.put(transaction, letter, useless_after=letters.NOTICE_LASTS)
        self._parts.remembered.end_all(account.account_id)
        return DeletionSet(erased_at=erased_at)

    async def erase_due(self) -> int:
        """Erase accounts whose time has come, and tell the log; how many there were."""
        async with self._parts.database.transaction() as transaction:
            due = await accounts.due_for_erasure(
                transaction, self._parts.clock.now(), ERASED_AT_ONCE
            )
            for account_id in due:
                gone = await profiles.of_account(transaction, account_id)
                await accounts.erase(transaction, account_id)
                deleted = AccountDeleted(
                    account_id=account_id, profile_ids=[each.profile_id for each in gone]
                )
                await self._parts.log.append(transaction, TOPIC, account_id, deleted)
        for account_id in due:
            self._parts.remembered.end_all(account_id)
            structlog.get_logger().info("account_erased", account_id=account_id)
        return len(due)

    async def keep_erasing(self, poll_s: float = 60.0) -> None:
        """Erase for ever; a database that is away is waited for."""
        while True:
            try:
                while await self.erase_due():
                    pass
            except Unavailable:
                structlog.get_logger().warning("erasure_waits")
            await asyncio.sleep(poll_s)

    async def _unchanged(self, transaction: Transaction, account_id: AccountId) -> None:
        if await accounts.lock(transaction, account_id) is None:
            raise NotLoggedIn("The account is no more.")
