"""Becoming a member by mail, and getting back in.

Whether an address has an account changes neither the answer nor the work: the same statements run,
and a letter is written or, where there is nobody to write to, put as nothing.
"""

from cuemark.contexts.identity.model import credentials, devices, letters, limits
from cuemark.contexts.identity.service.accounts import add_account, awaited, code_spent, spent
from cuemark.contexts.identity.service.logins import PROVED, Logins
from cuemark.contexts.identity.service.parts import Parts
from cuemark.contexts.identity.store import accounts, codes, links
from cuemark.contexts.identity.store.codes import Code
from cuemark.contracts.identity import AccountExists, LoginGranted
from cuemark.contracts.identity.joining import (
    CompleteReset,
    CompleteSignUp,
    Done,
    LetterUnderway,
    RequestLoginLetter,
    RequestReset,
    SignUp,
    SignUpClosed,
)
from cuemark.contracts.ids import AccountId


class Joining:
    def __init__(self, parts: Parts, logins: Logins) -> None:
        self._parts = parts
        self._logins = logins

    async def sign_up(self, request: SignUp) -> LetterUnderway:
        """No account is made yet: nobody holds an address whose mail they cannot read."""
        if not self._parts.open:
            raise SignUpClosed("Sign-up is closed: ask whoever runs this service for an account.")
        email = await self._asked(request.email, request.client_address)
        code, now = credentials.new_token(), self._parts.clock.now()
        async with self._parts.database.transaction() as transaction:
            known = await accounts.account_by_email(transaction, email)
            await codes.add_code(
                transaction,
                credentials.digest_of(code),
                Code("sign_up", email, None),
                now,
                now if known else now + letters.SIGN_UP_LASTS,
            )
            letter = (
                letters.known_already(self._parts.service, email)
                if known
                else letters.welcome(self._parts.service, email, code)
            )
            await self._parts.post.put(transaction, letter, useless_after=letters.SIGN_UP_LASTS)
            return LetterUnderway(delayed=await self._parts.post.is_closed(transaction))

    async def complete_sign_up(self, request: CompleteSignUp) -> LoginGranted:
        """A password that cannot be leaves the code as good as it was."""
        email = (await awaited(self._parts, request.code, "sign_up")).email
        password = credentials.checked_new_password(request.password, email)
        name = credentials.checked_profile_name(request.profile_name, email)
        password_hash = await self._parts.hashed(password)
        async with self._parts.database.transaction() as transaction:
            await spent(self._parts, transaction, request.code, "sign_up")
            account = await add_account(self._parts, transaction, email, name, password_hash)
            if account is None:
                raise AccountExists(f"The mail address {email} has an account already: log in.")
            await codes.drop_sign_ups(transaction, email)
            network = devices.network_of(request.client_address)
            return await self._logins.open(transaction, account, request.device, network, PROVED)

    async def request_reset(self, request: RequestReset) -> LetterUnderway:
        email = await self._asked(request.email, request.client_address)
        code, now = credentials.new_token(), self._parts.clock.now()
        async with self._parts.database.transaction() as transaction:
            found = await accounts.account_by_email(transaction, email)
            await codes.add_code(
                transaction,
                credentials.digest_of(code),
                Code("reset", email, found[0].account_id if found else None),
                now,
                now + letters.RESET_LASTS if found else now,
            )
            letter = letters.reset(self._parts.service, email, code)
            await self._parts.post.put(
                transaction, letter if found else None, useless_after=letters.RESET_LASTS
            )
            return LetterUnderway(delayed=await self._parts.post.is_closed(transaction))

    async def request_login_letter(self, request: RequestLoginLetter) -> LetterUnderway:
        email = await self._asked(request.email, request.client_address)
        code, now = credentials.new_token(), self._parts.clock.now()
        async with self._parts.database.transaction() as transaction:
            found = await accounts.account_by_email(transaction, email)
            await links.add_link(
                transaction,
                credentials.digest_of(code),
                found[0].account_id if found else AccountId(""),
                now,
                now + letters.LOGIN_LASTS,
            )
            letter = letters.login(self._parts.service, email, code)
            await self._parts.post.put(
                transaction, letter if found else None, useless_after=letters.LOGIN_LASTS
            )
            return LetterUnderway(delayed=await self._parts.post.is_closed(transaction))

    async def complete_reset(self, request: CompleteReset) -> Done:
        """Every login of the account ends, and whatever else was sent to open it."""
        email = (await awaited(self._parts, request.code, "reset")).email
        password = credentials.checked_new_password(request.password, email)
        password_hash = await self._parts.hashed(password)
        async with self._parts.database.transaction() as transaction:
            code = await spent(self._parts, transaction, request.code, "reset")
            account = code.account_id and await accounts.lock(transaction, code.account_id)
            if not account or account.email != code.email:
                raise code_spent()
            account_id = account.account_id
            await accounts.set_password_hash(transaction, account_id, password_hash)
            await self._parts.end_logins(transaction, account_id)
            await codes.drop_codes(transaction, account_id, "reset", "change_email")
            letter = letters.password_changed(self._parts.service, account.email)
            await self._parts.post.put(transaction, letter, useless_after=letters.NOTICE_LASTS)
        self._parts.remembered.end_all(account_id)
        await self._parts.forget(limits.PASSWORDS, account_id)
        return Done()

    async def _asked(self, email: str, client_address: str) -> str:
        """The address in its one form, once it is known that so many letters may be written."""
        email = credentials.checked_email(email)
        await self._parts.count(limits.ASKING, limits.client_of(client_address))
        await self._parts.count(limits.LETTERS, email)
        return email
