"""Logins open and end, tokens become callers."""

import hmac
from datetime import datetime, timedelta
from typing import get_args

import msgspec

from cuemark.contexts.identity.model import credentials, devices, letters
from cuemark.contexts.identity.model import profiles as rules
from cuemark.contexts.identity.service.factors import Factors
from cuemark.contexts.identity.service.parts import Parts
from cuemark.contexts.identity.store import accounts, links, profiles, staff
from cuemark.contexts.identity.store import logins as store
from cuemark.contracts.identity import (
    Account,
    AccountInvalid,
    Authenticate,
    Caller,
    LoggedOut,
    Login,
    LoginBegun,
    LoginGranted,
    Logout,
    NotLoggedIn,
    Standing,
    WrongCredentials,
)
from cuemark.contracts.identity.factors import FactorNeeded
from cuemark.contracts.identity.logins import (
    EndLogin,
    EndLogins,
    ListLogins,
    LoginList,
    LoginsEnded,
    OpenLogin,
)
from cuemark.contracts.identity.staff import OWNER
from cuemark.contracts.ids import AccountId, LoginId, ProfileId
from cuemark.kit.database import Transaction

LOGIN = "lgn"
LOGIN_LASTS = timedelta(days=30)
EXTEND_AFTER = timedelta(hours=1)
CHECKS = 3
"""How often a password is checked whose hash is another one by the time the login is opened: it
was hashed anew by a login beside this one, or changed."""

PROVED, VERIFIED = 1, 2
"""The levels of a login (``Caller``)."""

OPERATOR = Caller(
    role="operator", account_id=AccountId(""), profile_id=ProfileId(""), staff_role=OWNER
)


class Logins:
    """A login lasts 30 days from its last use, written at most once an hour."""

    def __init__(self, parts: Parts, factors: Factors, operator_sha256: bytes) -> None:
        self._parts = parts
        self._factors = factors
        self._operator_sha256 = operator_sha256

    async def login(self, request: Login) -> LoginGranted:
        """For callers who know no second step; ``FactorNeeded``."""
        return alone(await self.begin(request))

    async def begin(self, request: Login) -> LoginBegun:
        try:
            email = credentials.checked_email(request.email)
            password = credentials.checked_password(request.password)
        except AccountInvalid as error:
            raise _wrong_credentials() from error
        for _ in range(CHECKS):
            rank = get_args(Standing).index(request.standing)
            account, password_hash, fresh_hash = await self._checked(email, password, rank)
            async with self._parts.database.transaction() as transaction:
                await accounts.lock(transaction, account.account_id)
                if await accounts.has_hash(transaction, account.account_id, password_hash):
                    if fresh_hash != password_hash:
                        await accounts.set_password_hash(
                            transaction, account.account_id, fresh_hash
                        )
                    network = devices.network_of(request.client_address)
                    return await self.enter(transaction, account, request.device, network)
        raise _wrong_credentials()

    async def _checked(self, email: str, password: str, rank: int) -> tuple[Account, str, str]:
        """The account that has this password, the hash that it was held against, and the one to be
        kept from now on; ``WrongCredentials``."""
        with self._parts.place(rank) as place:
            async with self._parts.database.transaction() as transaction:
                found = await accounts.account_by_email(transaction, email)
            account, password_hash = found or (None, None)
            right, fresh_hash = await place.run(lambda: self._check(password_hash, password))
        if account is None or password_hash is None or not right:
            raise _wrong_credentials()
        return account, password_hash, fresh_hash or password_hash

    async def enter(
        self, transaction: Transaction, account: Account, device: str, network: str
    ) -> LoginBegun:
        """Open a login by what was shown, or ask for the second factor that the account has."""
        asked = await self._factors.asked(transaction, account.account_id, "second_step")
        if asked is not None:
            return LoginBegun(asked=asked)
        granted = await self.open(transaction, account, device, network, PROVED)
        return LoginBegun(granted=granted)

    async def open(
        self,
        transaction: Transaction,
        account: Account,
        device: str,
        network: str,
        level: int | None = None,
    ) -> LoginGranted:
        """Open a login that was proved at ``level``, if at all; an account that was to be erased is
        kept."""
        now = self._parts.clock.now()
        granted = LoginGranted(
            token=credentials.new_token(), account=account, expires_at=now + LOGIN_LASTS
        )
        opened = OpenLogin(
            login_id=LoginId(self._parts.ids.new(LOGIN)),
            device=devices.name_of(device),
            network=network,
            created_at=now,
            seen_at=now,
            expires_at=granted.expires_at,
        )
        token_sha256 = credentials.digest_of(granted.token)
        household = await profiles.of_account(transaction, account.account_id)
        begins_on = rules.to_begin_with(household)
        ended = await store.add_login(
            transaction,
            token_sha256,
            account.account_id,
            opened,
            begins_on,
            level or PROVED,
            now if level else None,
        )
        await self._parts.tell_ended(transaction, account.account_id, ended)
        if await accounts.set_erasure(transaction, account.account_id, None):
            letter = letters.deletion_undone(self._parts.service, account.email)
            await self._parts.post.put(transaction, letter, useless_after=letters.NOTICE_LASTS)
        return granted

    async def authenticate(self, request: Authenticate) -> Caller:
        if not credentials.is_token(request.token):
            raise _not_logged_in()
        token_sha256 = credentials.digest_of(request.token)
        if hmac.compare_digest(token_sha256, self._operator_sha256):
            return OPERATOR
        remembered = self._parts.remembered
        if caller := remembered.caller(token_sha256):
            return caller
        ended_before = remembered.ended
        now = self._parts.clock.now()
        async with self._parts.database.transaction() as transaction:
            found = await store.login(transaction, token_sha256, now)
            if found is None:
                caller, expires_at = await _operator(transaction, token_sha256, now)
            else:
                caller, expires_at = found
                until = now + LOGIN_LASTS
                if until - expires_at > EXTEND_AFTER:
                    network = devices.network_of(request.client_address)
                    await store.extend_login(transaction, token_sha256, now, until, network)
        if ended_before == remembered.ended:
            remembered.keep(token_sha256, caller, expires_at)
        return caller

    async def logout(self, request: Logout) -> LoggedOut:
        """Ending a login that is not there is no error: it is ended."""
        if credentials.is_token(request.token):
            token_sha256 = credentials.digest_of(request.token)
            async with self._parts.database.transaction() as transaction:
                if removed := await store.remove_login(transaction, token_sha256):
                    account_id, login_id = removed
                    await self._parts.tell_ended(transaction, account_id, [login_id])
                await links.remove_operator_login(transaction, token_sha256)
                await staff.remove_login(transaction, token_sha256)
            self._parts.remembered.end(token_sha256)
        return LoggedOut()

    async def list(self, request: ListLogins) -> LoginList:
        async with self._parts.database.transaction() as transaction:
            found = await store.open_logins(
                transaction, request.account_id, self._parts.clock.now()
            )
        return LoginList(logins=found)

    async def end(self, request: EndLogin) -> LoginsEnded:
        async with self._parts.database.transaction() as transaction:
            ended = await store.end_login(transaction, request.account_id, request.login_id)
            await self._parts.tell_ended(transaction, request.account_id, ended)
        self._parts.remembered.end_all(request.account_id)
        return LoginsEnded(ended=len(ended))

    async def end_all(self, request: EndLogins) -> LoginsEnded:
        account_id = request.account_id
        async with self._parts.database.transaction() as transaction:
            if not account_id:
                email = credentials.checked_email(request.email)
                found = await accounts.account_by_email(transaction, email)
                if found is None:
                    raise AccountInvalid(f"No account has the mail address {email}.")
                account_id = found[0].account_id
            ended = await self._parts.end_logins(transaction, account_id, request.keep)
        self._parts.remembered.end_all(account_id)
        return LoginsEnded(ended=ended)

    def _check(self, password_hash: str | None, password: str) -> tuple[bool, str | None]:
        """Whether the password is right, and a new hash of it where the kept one is stale."""
        passwords = self._parts.passwords
        right = passwords.matches(password_hash, password)
        if right and password_hash is not None and passwords.is_stale(password_hash):
            return True, passwords.hash(password)
        return right, None


def alone(begun: LoginBegun) -> LoginGranted:
    """The login that needed no second factor; ``FactorNeeded``."""
    if begun.granted is None:
        raise FactorNeeded("The account has a second factor: log in in two steps.")
    return begun.granted


async def _operator(
    transaction: Transaction, token_sha256: bytes, now: datetime
) -> tuple[Caller, datetime]:
    """The owner's browser, or one of staff, and when that login ends; ``NotLoggedIn``."""
    ends = await links.operator_login(transaction, token_sha256, now)
    if ends is not None:
        return OPERATOR, ends
    found = await staff.login(transaction, token_sha256, now)
    if found is None:
        raise _not_logged_in()
    member, ends = found
    caller = msgspec.structs.replace(
        OPERATOR, email=member.email, staff_id=member.staff_id, staff_role=member.role
    )
    return caller, ends


def _wrong_credentials() -> WrongCredentials:
    return WrongCredentials("The mail address and the password do not match.")


def _not_logged_in() -> NotLoggedIn:
    return NotLoggedIn("You are not logged in, or your login has ended: log in again.")
